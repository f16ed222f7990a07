"""Fetching: pages a second from many hosts, and the gaps that each host sees.

    python -m benchmarks.fetch [--pages 6000] [--hosts 200] [--latency_s 0.05]

A server of its own process answers on 127.0.0.1 to 127.0.0.200 after the
latency. Side by side on the same pages: ``FetchPages`` in a Beam pipeline with
one worker (robots.txt included), and a bare pool of 64 threads with requests.
Then the same stage with a delay, with one and with two workers, and the
shortest gap between two requests that any host saw.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import logging
import multiprocessing
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import requests

logging.disable(logging.WARNING)
import apache_beam as beam  # noqa: E402
from apache_beam.options.pipeline_options import PipelineOptions  # noqa: E402

logging.disable(logging.NOTSET)

from schemas.records import PageRequest  # noqa: E402
from transforms.crawl import FetchPages  # noqa: E402
from transforms.fetch import FetchLimits  # noqa: E402
from transforms.visit import Politeness  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.synchronize import Event

_PAGE = b"<html><body>" + b"<p>The ferry resumes at noon.</p>" * 400 + b"</body></html>"
_THREADS = 64


def _response(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class _Host(asyncio.Protocol):
    """Answers each request of a connection after the latency; remembers when it came."""

    arrivals: dict[str, list[float]] = {}  # noqa: RUF012 - one for the whole process
    latency_s = 0.05

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._host = transport.get_extra_info("sockname")[0]

    def data_received(self, data: bytes) -> None:
        path = data.split(b" ", 2)[1]
        if path == b"/arrivals":
            body = json.dumps(self.arrivals).encode()
            self.arrivals.clear()
            self._transport.write(_response("200 OK", body))
            return
        self.arrivals.setdefault(self._host, []).append(time.monotonic())
        robots = path == b"/robots.txt"
        answer = _response("404 Not Found", b"") if robots else _response("200 OK", _PAGE)
        asyncio.get_running_loop().call_later(self.latency_s, self._transport.write, answer)


def _serve(hosts: list[str], port: Any, latency_s: float, ready: Event) -> None:
    async def main() -> None:
        _Host.latency_s = latency_s
        loop = asyncio.get_running_loop()
        first = await loop.create_server(_Host, hosts[0], 0)
        port.value = first.sockets[0].getsockname()[1]
        await loop.create_server(_Host, hosts[1:], port.value, backlog=256)
        ready.set()
        await asyncio.Event().wait()

    asyncio.run(main())


@contextmanager
def site(hosts: list[str], latency_s: float) -> Iterator[str]:
    """The port of a server on all hosts, in a process of its own."""
    context = multiprocessing.get_context("spawn")
    port, ready = context.Value("i", 0), context.Event()
    server = context.Process(target=_serve, args=(hosts, port, latency_s, ready), daemon=True)
    server.start()
    ready.wait()
    yield str(port.value)
    server.terminate()


def fetch_pages(uris: list[str], delay_s: float, workers: int) -> tuple[int, float]:
    """Pages fetched, and seconds taken, by the stage as ``batch`` runs it."""
    flags = ["--runner=FnApiRunner"]
    if workers > 1:
        flags += [f"--direct_num_workers={workers}", "--direct_running_mode=multi_processing"]
    pipeline = beam.Pipeline(options=PipelineOptions(flags))
    asked = {
        "requests": pipeline | beam.Create([PageRequest(uri, "benchmark") for uri in uris]),
        "known": pipeline | "Known" >> beam.Create([], reshuffle=False),
    }
    limits = FetchLimits(allow_private_hosts=True)
    fetched = asked | FetchPages(limits, Politeness(delay_s, retries=0))
    for number, pages in enumerate(fetched.pages):
        _ = pages | f"Count{number}" >> beam.Map(_count)
    started_s = time.perf_counter()
    result = pipeline.run()
    result.wait_until_finish()
    seconds = time.perf_counter() - started_s
    ours = beam.metrics.MetricsFilter().with_namespace("benchmark")
    counters = result.metrics().query(ours)["counters"]
    return sum(counter.committed for counter in counters), seconds


def _count(_: Any) -> None:
    beam.metrics.Metrics.counter("benchmark", "pages").inc()


def bare_pool(uris: list[str]) -> tuple[int, float]:
    """The same pages through requests and a thread pool, with nothing of ours."""
    local = threading.local()

    def get(uri: str) -> int:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        return int(local.session.get(uri, timeout=30).status_code == 200)

    started_s = time.perf_counter()
    with ThreadPoolExecutor(_THREADS) as pool:
        pages = sum(pool.map(get, uris))
    return pages, time.perf_counter() - started_s


def _shortest_gap_s(port: str) -> float:
    arrivals = requests.get(f"http://127.0.0.1:{port}/arrivals", timeout=30).json()
    times = (sorted(found) for found in arrivals.values())
    return float(min(b - a for found in times for a, b in itertools.pairwise(found)))


def main() -> None:
    """Print the two tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--pages", type=int, default=6000)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--latency_s", type=float, default=0.05)
    options = parser.parse_args()
    hosts = [f"127.0.0.{n}" for n in range(1, options.hosts + 1)]
    with site(hosts, options.latency_s) as port:
        uris = [f"http://{hosts[n % len(hosts)]}:{port}/{n}" for n in range(options.pages)]
        print(f"{options.pages} pages of {len(_PAGE)} bytes, {len(hosts)} hosts, "
              f"{options.latency_s * 1000:g} ms latency")  # fmt: skip
        for name, measure in (
            ("FetchPages, one worker", lambda: fetch_pages(uris, 0.0, 1)),
            ("bare pool of 64 threads", lambda: bare_pool(uris)),
        ):
            pages, seconds = measure()
            print(f"  {name:26} {pages:6} pages {seconds:7.1f} s {pages / seconds:8.0f} pages/s")
        _shortest_gap_s(port)
        few = uris[: 5 * len(hosts)]
        print(f"{len(few)} pages with a delay of 0.2 s for each host")
        for workers in (1,) if " " in sys.executable else (1, 2):  # Beam does not quote its path
            pages, seconds = fetch_pages(few, 0.2, workers)
            gap_s = _shortest_gap_s(port)
            print(
                f"  {workers} worker(s): {pages} pages, {seconds:.1f} s, shortest gap {gap_s:.3f} s"
            )


if __name__ == "__main__":
    main()
