"""Python workers beside a TaskManager: ``python worker_pool.py HOST:PORT``.

Beam's own ``worker_pool_main`` listens on every address of a machine; here
several such machines are played by the addresses of one.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc  # type: ignore[import-untyped]
from apache_beam.portability.api import beam_fn_api_pb2_grpc
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer

if __name__ == "__main__":
    server = grpc.server(ThreadPoolExecutor())
    pool = BeamFnExternalWorkerPoolServicer(use_process=True, state_cache_size=100 << 20)
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
    server.add_insecure_port(sys.argv[1])
    server.start()
    server.wait_for_termination()
