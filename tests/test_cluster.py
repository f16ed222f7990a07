"""The same graph on other runners: ``.ci/cluster`` runs these, the suite does not.

A real Flink cluster: one JobManager, two TaskManagers, Python workers beside
each, processes of their own that hold the project's wheel and share nothing but
the dataset. And Prism, Beam's portable runner in Go.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apache_beam as beam
import pyarrow.dataset as ds
import pytest

from benchmarks.flink import PLACE, FlinkCluster, flink_cluster, install, missing
from pipeline.__main__ import main
from pipeline.sample_site import SAMPLE_TIMEZONE, serve_sample_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.cluster

RUN_MAX_S = 600.0
VARYING = {"run_id", "fetched_at", "failed_at"}


def do_without(lack: str | None) -> None:
    """Skip, saying what is lacking; where all of it must be there, fail."""
    if lack and os.environ.get("CI") == "true":
        pytest.fail(lack)
    if lack:
        pytest.skip(lack)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkCluster]:
    do_without(missing())
    install()
    with flink_cluster(tmp_path_factory.mktemp("flink")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def prism_words() -> list[str]:
    """The words that make a command of ours run on Prism; built once, it takes minutes."""
    do_without(None if shutil.which("go") else "go not found")
    folder = PLACE.parent / "prism"
    if not (folder / "prism").exists():
        module = f"github.com/apache/beam/sdks/v2/go/cmd/prism@v{beam.__version__}"
        environment = {**os.environ, "GOBIN": str(folder)}
        subprocess.run(["go", "install", module], check=True, env=environment)
    return ["--runner=PrismRunner", f"--prism_location={folder / 'prism'}"]


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
    found: dict[str, list[Any]] = {}
    for table in ("entries", "duplicates", "dead_letters"):
        found[table] = []
        if not (dataset / table).exists():
            continue
        read = ds.dataset(dataset / table, partitioning="hive").to_table()
        kept = read.select([name for name in read.column_names if name not in VARYING])
        found[table] = in_order(kept.to_pylist())
    return found


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: json.dumps(row, default=str))


def manifests(dataset: Path) -> list[dict[str, Any]]:
    """What the runs told, as far as they are committed."""
    paths = sorted((dataset / "_runs").glob("[0-9]*.json"))
    return [json.loads(path.read_text("utf8")) for path in paths if "intent" not in path.name]


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


def test_prism_writes_what_the_local_runner_writes(
    prism_words: list[str], site_words: list[str], local: Path, tmp_path: Path
) -> None:
    words = ["batch", "--output", str(tmp_path), *site_words, "--delay_s", "0", *prism_words]
    ended(start(*words))
    assert rows(tmp_path) == rows(local)
    assert manifests(tmp_path)[0]["counts"] == manifests(local)[0]["counts"]


class LiveBlog:
    """A live blog that grows; asked with the ETag of what it shows, it has nothing new."""

    def __init__(self) -> None:
        self.entries = 3
        self.asked_with: list[str | None] = []

    @property
    def etag(self) -> str:
        return f'"{self.entries}"'

    def page(self) -> bytes:
        shown = "".join(
            f'<article class="live-entry" id="e{n}"><h3>Ferry number {n} has left</h3>'
            f'<time datetime="2026-05-12T10:{n:02}:00Z"></time>'
            f"<p>It waited {n * 7} minutes in the fog before the harbour let it go.</p></article>"
            for n in reversed(range(self.entries))
        )
        head = '<html lang="en"><head><title>Harbour live</title></head>'
        return f"{head}<body><main><h1>Harbour live</h1>{shown}</main></body></html>".encode()


@contextmanager
def served(blog: LiveBlog) -> Iterator[str]:
    """The address of the blog while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/live/2026-05-12":
                self.send_error(404)
                return
            asked_with = self.headers.get("If-None-Match")
            blog.asked_with.append(asked_with)
            body = b"" if asked_with == blog.etag else blog.page()
            self.send_response(200 if body else 304)
            self.send_header("ETag", blog.etag)
            if body:
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/live/2026-05-12"
    server.shutdown()
    server.server_close()


class Stream:
    """``stream`` over a blog on a cluster, in windows of five seconds."""

    def __init__(self, dataset: Path, blog: LiveBlog, *words: str) -> None:
        self.dataset = dataset
        self._blog = blog
        self._words = ["stream", "--output", str(dataset), "--min_poll_s", "5", *words]
        self._job: subprocess.Popen[str] | None = None

    def start(self, *words: str) -> None:
        self._job = start(*self._words, *words)

    def runs(self) -> list[dict[str, Any]]:
        return manifests(self.dataset) if (self.dataset / "_runs").exists() else []

    def written(self) -> int:
        return sum(run["counts"]["entries"] for run in self.runs())

    def wait(self, holds: Callable[[], bool]) -> None:
        """As ``wait_until``, while the job runs."""
        job = self._job
        assert job
        wait_until(lambda: holds() or job.poll() is not None)
        assert job.poll() is None, job.communicate()

    def catches_up(self) -> None:
        """All that the blog shows is written some time."""
        self.wait(lambda: self.written() == self._blog.entries)

    def grow(self, by: int) -> None:
        """The new entries are there, in one run, when two windows have passed."""
        before = len(self.runs())
        self._blog.entries += by
        self.wait(lambda: self.written() == self._blog.entries or len(self.runs()) > before + 2)
        assert self.written() == self._blog.entries

    def stop(self, cluster: FlinkCluster) -> None:
        """Cancel the job, wherever it is."""
        assert self._job
        cluster.cancel(*cluster.running_jobs())
        self._job.communicate(timeout=RUN_MAX_S)

    def end(self) -> None:
        """Wait until the job is over by itself."""
        assert self._job
        ended(self._job)

    def check(self, address: str, one_go: Path) -> None:
        """The rows are those of ``batch`` over the page as it is now."""
        words = ["batch", "--url", address, "--output", str(one_go), "--allow_private_hosts"]
        assert main(words) == 0
        assert len(rows(self.dataset)["entries"]) == self._blog.entries
        assert without_places(rows(self.dataset)) == without_places(rows(one_go))
        assert len({run["run_id"] for run in self.runs()}) == len(self.runs())


def test_the_unbounded_graph_follows_a_live_blog_and_goes_on_after_a_stop(
    cluster: FlinkCluster, tmp_path: Path
) -> None:
    blog = LiveBlog()
    with served(blog) as address:
        words = ["--url", address, "--allow_private_hosts", *cluster.options]
        stream = Stream(tmp_path / "set", blog, *words)
        stream.start()
        stream.catches_up()
        stream.grow(2)
        stream.grow(1)
        stream.wait(lambda: blog.asked_with[-1] == blog.etag)
        stream.stop(cluster)
        blog.entries += 2
        stream.start("--max_runtime", "2m")
        stream.catches_up()
        stream.grow(1)
        stream.end()  # drained: it asks no more, and commits what it has
        stream.check(address, tmp_path / "one_go")


def test_a_machine_that_goes_down_while_streaming_is_survived(
    cluster: FlinkCluster, tmp_path: Path
) -> None:
    blog = LiveBlog()
    with served(blog) as address:
        words = ["--url", address, "--allow_private_hosts", *cluster.options]
        stream = Stream(tmp_path / "set", blog, *words, "--checkpointing_interval=2000")
        stream.start()
        stream.catches_up()
        (job,) = cluster.running_jobs()

        def checkpoints(kind: str) -> int:
            return int(cluster.rest(f"jobs/{job}/checkpoints")["counts"][kind])

        stream.wait(lambda: checkpoints("completed") > 0)
        for number in (1, 2):
            blog.entries += 2
            cluster.kill_worker(number)
            cluster.start_worker(number)
            stream.catches_up()
        assert checkpoints("restored") >= 2
        stream.grow(1)
        stream.stop(cluster)
        stream.check(address, tmp_path / "one_go")


def test_flink_streams_the_rows_that_the_local_runner_writes(
    cluster: FlinkCluster, site_words: list[str], local: Path, tmp_path: Path
) -> None:
    dataset = tmp_path / "set"
    stream = Stream(dataset, LiveBlog(), *site_words, "--delay_s", "0", *cluster.options)
    stream.start()
    stream.wait(lambda: len(stream.runs()) > 1)
    stream.stop(cluster)
    first, *others = stream.runs()
    assert first["counts"] == manifests(local)[0]["counts"]
    assert [run["counts"]["entries"] for run in others] == [0] * len(others)
    assert rows(dataset) == rows(local)
    assert main(["compact", str(dataset)]) == 0
    assert rows(dataset) == rows(local)


def test_prism_follows_a_live_blog_for_as_long_as_it_is_told(
    prism_words: list[str], tmp_path: Path
) -> None:
    blog = LiveBlog()
    dataset = tmp_path / "set"
    with served(blog) as address:
        words = ["stream", "--url", address, "--output", str(dataset), "--allow_private_hosts"]
        words += ["--min_poll_s", "2", "--max_runtime", "30s", *prism_words]
        job = start(*words)
        wait_until(lambda: len(manifests(dataset)) == 1 or job.poll() is not None)
        blog.entries += 2
        ended(job)
    assert [run["counts"]["entries"] for run in manifests(dataset)][:3] == [3, 2, 0]
    assert len(rows(dataset)["entries"]) == 5


def without_places(found: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Rows but for where on the page they were first seen: further up, if the page has grown."""
    for row in found["entries"]:
        del row["position"]
    return {table: in_order(kept) for table, kept in found.items()}
