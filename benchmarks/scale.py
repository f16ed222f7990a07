"""How a run grows with its workers: the same corpus on a Flink cluster of 1, 2 and 4.

    python -m benchmarks.scale [--pages 3000] [--workers 1 2 4]

Each cluster is started anew (``benchmarks.flink``): a TaskManager and one Python
worker for each. Starting a job costs the same however little it has to do, so
a run over a single page is timed first, and the rate is told without it. What
workers cannot share is CPU: on fewer cores than workers the curve is flat, and
says only what spreading the work out costs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.corpus import ZONE, write_pages
from benchmarks.flink import FlinkCluster, flink_cluster, install, missing


def run_s(cluster: FlinkCluster, pages: Path, dataset: Path) -> tuple[float, dict[str, Any]]:
    """How long a batch over the pages takes, and its manifest."""
    words = ["batch", "--input", str(pages), "--output", str(dataset), "--timezone", ZONE]
    words += ["--max_error_ratio", "1", *cluster.options]
    started_s = time.monotonic()
    command = [sys.executable, "-m", "pipeline", *words]
    subprocess.run(command, check=True, capture_output=True)
    took_s = time.monotonic() - started_s
    (manifest,) = (dataset / "_runs").glob("[0-9]*.json")
    return took_s, json.loads(manifest.read_text("utf8"))


def main() -> None:
    """Print one line for each number of workers."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--pages", type=int, default=3000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    options = parser.parse_args()
    if lack := missing():
        sys.exit(lack)
    install()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load before {load:.1f}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = write_pages(folder / "pages", options.pages)
        write_pages(folder / "one", 1)
        print(f"{made['pages']:,} pages, {made['entries']:,} entries, {made['bytes'] >> 20:,} MB")
        print("workers   one page s   all s   pages/s   entries   MB between stages")
        for workers in options.workers:
            with flink_cluster(folder / f"cluster-{workers}", workers) as cluster:
                least_s, _ = run_s(cluster, folder / "one", folder / f"one-{workers}")
                all_s, manifest = run_s(cluster, folder / "pages", folder / f"all-{workers}")
                shuffled = cluster.last_job_bytes() / 1e6
            rate = made["pages"] / max(0.001, all_s - least_s)
            entries = manifest["counts"]["entries"]
            print(
                f"{workers:7}   {least_s:10.1f}   {all_s:5.1f}   {rate:7.0f}   {entries:7,}"
                f"   {shuffled:17.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
