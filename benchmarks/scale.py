"""How a run grows with its workers: the same corpus on a Flink cluster of 1, 2 and 4.

    python -m benchmarks.scale [--pages 3000] [--workers 1 2 4]

Each cluster is started anew (``benchmarks.flink``): a TaskManager and one Python
worker for each. Starting a job costs the same however little it has to do, so
a run over a single page is timed first, and the rate is told without it: in
pages a second, and in the CPU time that TaskManagers and Python workers took for
a page. What workers cannot share is CPU: on fewer cores than workers the first is
flat or falls, and the second says what spreading the work out costs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.corpus import ZONE, write_pages
from benchmarks.flink import FlinkCluster, flink_cluster, install, missing


class Ran(NamedTuple):
    """job_s: on the cluster; cpu_s: of TaskManagers and Python workers."""

    job_s: float
    cpu_s: float
    shuffled_bytes: int
    entries: int


def run(cluster: FlinkCluster, pages: Path, dataset: Path) -> Ran:
    """What a batch over the pages takes."""
    words = ["batch", "--input", str(pages), "--output", str(dataset), "--timezone", ZONE]
    words += ["--max_error_ratio", "1", *cluster.options]
    before_s = cluster.workers_cpu_s()
    command = [sys.executable, "-m", "pipeline", *words]
    subprocess.run(command, check=True, capture_output=True)
    cpu_s = cluster.workers_cpu_s() - before_s
    (manifest,) = (dataset / "_runs").glob("[0-9]*.json")
    entries = json.loads(manifest.read_text("utf8"))["counts"]["entries"]
    return Ran(cluster.last_job()[0], cpu_s, cluster.last_job()[1], entries)


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
        print("workers   one page s   all s   pages/s   CPU ms a page   entries   MB handed on")
        for workers in options.workers:
            with flink_cluster(folder / f"cluster-{workers}", workers) as cluster:
                one = run(cluster, folder / "one", folder / f"one-{workers}")
                all_ = run(cluster, folder / "pages", folder / f"all-{workers}")
            rate = made["pages"] / max(0.001, all_.job_s - one.job_s)
            cpu_ms = (all_.cpu_s - one.cpu_s) / made["pages"] * 1000
            shuffled_mb = all_.shuffled_bytes / 1e6
            print(
                f"{workers:7}   {one.job_s:10.1f}   {all_.job_s:5.1f}   {rate:7.0f}"
                f"   {cpu_ms:13.1f}   {all_.entries:7,}   {shuffled_mb:12.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
