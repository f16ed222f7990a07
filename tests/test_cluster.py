"""The same graph on a real Flink cluster: ``.ci/cluster`` runs these, the suite does not.

One JobManager, two TaskManagers, Python workers beside each: processes of
their own that hold the project's wheel, and share nothing but the dataset.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.dataset as ds
import pytest

from benchmarks.flink import FlinkCluster, flink_cluster, install, missing
from pipeline.__main__ import main
from pipeline.sample_site import SAMPLE_TIMEZONE, serve_sample_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.cluster

RUN_MAX_S = 300.0
VARYING = {"run_id", "fetched_at", "failed_at"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkCluster]:
    if lack := missing():
        if os.environ.get("CI") == "true":
            pytest.fail(lack)
        pytest.skip(lack)
    install()
    with flink_cluster(tmp_path_factory.mktemp("flink")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def site_words() -> Iterator[list[str]]:
    """The words that make ``batch`` read the sample site, while it is served."""
    with serve_sample_site(port=0) as site:
        urls = [word for url in site.page_urls for word in ("--url", url)]
        yield [*urls, "--timezone", SAMPLE_TIMEZONE, "--allow_private_hosts"]


@pytest.fixture(scope="module")
def local(site_words: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset of the sample site as the local runner writes it."""
    dataset = tmp_path_factory.mktemp("local") / "set"
    assert main(["batch", "--output", str(dataset), *site_words, "--delay_s", "0"]) == 0
    return dataset


def rows(dataset: Path) -> dict[str, list[Any]]:
    """All rows of a dataset, but what differs between any two runs."""
    found = {}
    for table in ("entries", "duplicates", "dead_letters"):
        read = ds.dataset(dataset / table, partitioning="hive").to_table()
        kept = read.select([name for name in read.column_names if name not in VARYING])
        found[table] = sorted(kept.to_pylist(), key=lambda row: json.dumps(row, default=str))
    return found


def manifests(dataset: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text("utf8")) for path in sorted((dataset / "_runs").iterdir())]


def start(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pipeline", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> str:
    """What it printed; it must have done well."""
    out, err = process.communicate(timeout=RUN_MAX_S)
    assert process.returncode == 0, err
    return out


def wait_until(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + RUN_MAX_S
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.2)


def files_below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_flink_writes_what_the_local_runner_writes(
    cluster: FlinkCluster, site_words: list[str], local: Path, tmp_path: Path
) -> None:
    words = ["batch", "--output", str(tmp_path), *site_words, "--delay_s", "0", *cluster.options]
    assert "written  " in ended(start(*words))
    assert rows(tmp_path) == rows(local)
    ours, theirs = manifests(tmp_path)[0], manifests(local)[0]
    assert ours["counts"] == theirs["counts"]
    assert "Nothing new" in ended(start(*words))
    assert rows(tmp_path) == rows(local)


def test_a_machine_that_goes_down_in_the_middle_is_survived(
    cluster: FlinkCluster, site_words: list[str], local: Path, tmp_path: Path
) -> None:
    run = start("batch", "--output", str(tmp_path), *site_words, "--delay_s", "1", *cluster.options)
    wait_until(lambda: bool(cluster.running_jobs()))
    (job,) = cluster.running_jobs()
    time.sleep(10)  # the pages alone take longer, at a second between two of them
    cluster.kill_worker(2)
    ended(run)
    assert cluster.rest(f"jobs/{job}/exceptions")["exceptionHistory"]["entries"]
    cluster.start_worker(2)
    assert rows(tmp_path) == rows(local)
    (manifest,) = manifests(tmp_path)
    named = [Path(file["final"]).name for file in manifest["files"]]
    assert sorted(named) == [name for name in files_below(tmp_path) if name.endswith(".parquet")]
    wait_until(lambda: cluster.count_workers() == cluster.workers)
