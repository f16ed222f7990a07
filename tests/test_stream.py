"""Streams over a site on loopback that changes while it is read."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest

from pipeline.__main__ import main
from pipeline.options import parse
from pipeline.run import prepare, sources_of
from pipeline.stream import BOOK, Stream, named_requests, stopped_by_signals
from schemas.errors import DatasetError
from tests.live_site import ARTICLE, OTHER_ARTICLE, LiveSite, ago, live_page, serve_live_site
from transforms import lock
from transforms.lock import dataset_lock
from transforms.outcomes import utc_now

ROOT = Path(__file__).parent.parent


@pytest.fixture
def site() -> Iterator[LiveSite]:
    with serve_live_site() as site:
        yield site


def words(site: LiveSite, dataset: Path, *more: str) -> list[str]:
    common = ["--allow_private_hosts", "--delay_s", "0", "--retries", "0"]
    return ["stream", "--output", str(dataset), *common, *more]


class Run:
    """A stream in this process, cycle by cycle, with a clock that is moved by hand."""

    def __init__(self, *arguments: str) -> None:
        options = parse(list(arguments))
        named = [request for one in sources_of(options) for request in named_requests(one)]
        self.began_at = utc_now()
        self.ahead = timedelta()
        with prepare(options) as beam_options:  # no other writer here, so none is kept out
            self.stream = Stream(
                options, beam_options, named, now=self.now, elapsed_s=self.elapsed_s
            )

    def now(self) -> Any:
        return utc_now() + self.ahead

    def elapsed_s(self) -> float:
        return time.monotonic() + self.ahead.total_seconds()

    def cycle(self, **later: float) -> dict[str, Any]:
        self.ahead += timedelta(**later)
        return self.stream.cycle(self.now())


def files(dataset: Path) -> set[str]:
    return {path.relative_to(dataset).as_posix() for path in dataset.rglob("*") if path.is_file()}


def headlines(dataset: Path) -> list[str]:
    table = ds.dataset(dataset / "entries", partitioning="hive").to_table()
    return sorted(str(one["headline"]) for one in table.to_pylist())


def test_a_feed_a_growing_live_blog_and_an_article(site: LiveSite, tmp_path: Path) -> None:
    moments = [ago(hours=1), ago(minutes=5)]
    site.pages |= {
        "/live/ferry": live_page(moments),
        "/report": ARTICLE.format(name="one"),
        "/feed": site.feed("/live/ferry", "/report", "/gone"),
    }
    dataset = tmp_path / "set"
    run = Run(*words(site, dataset, "--feed", f"{site.base_url}/feed"))
    first = run.cycle()
    counts = first["counts"]
    assert (counts["pages_split"], counts["pages_failed"], counts["new_entries"]) == (2, 1, 3)
    assert "latency_s" not in first  # all of it is older than the stream
    stored = files(dataset)

    quiet = run.cycle(minutes=20)
    assert quiet["files"] == []
    assert quiet["counts"]["not_modified"] == 1
    assert files(dataset) == stored

    moments.append(ago(seconds=-60))
    site.pages["/live/ferry"] = live_page(moments)
    site.pages["/report2"] = OTHER_ARTICLE
    site.pages["/feed"] = site.feed("/live/ferry", "/report", "/gone", "/report2")
    third = run.cycle(minutes=20)
    assert third["counts"]["new_entries"] == 2
    assert third["latency_s"]["entries"] == 1
    assert third["polled"] == 2
    on_disk = json.loads((dataset / f"_runs/{third['run_id']}.json").read_text("utf8"))
    assert on_disk["latency_s"] == third["latency_s"]

    stored = files(dataset)
    site.pages["/live/ferry"] = site.pages["/live/ferry"] + "<!-- other bytes, no news -->"
    assert run.cycle(minutes=20)["files"] == []
    assert files(dataset) == stored

    assert headlines(dataset) == ["Herring", "Report one"] + [
        f"Update {n} of the ferry" for n in range(3)
    ]
    assert site.statuses("/robots.txt") == [404]
    assert site.statuses("/feed") == [200, 304, 200, 304]
    assert site.statuses("/live/ferry") == [200, 304, 200, 200]
    assert site.statuses("/report") == [200]
    assert site.statuses("/gone") == [404]


def test_a_restart_goes_on_where_it_was_and_a_lost_book_doubles_nothing(
    site: LiveSite, tmp_path: Path
) -> None:
    site.pages |= {
        "/live/ferry": live_page([ago(minutes=5)]),
        "/report": ARTICLE.format(name="one"),
        "/feed": site.feed("/live/ferry", "/report"),
    }
    dataset = tmp_path / "set"
    arguments = words(site, dataset, "--feed", f"{site.base_url}/feed")
    Run(*arguments).cycle()
    stored, asked = files(dataset), len(site.asked)
    again = Run(*arguments)
    stop = threading.Event()
    stop.set()
    again.stream.run(stop)
    assert len(site.asked) == asked
    assert again.cycle(minutes=20)["files"] == []
    assert files(dataset) == stored
    assert site.statuses("/live/ferry") == [200, 304]
    (dataset / BOOK).unlink()
    assert Run(*arguments).cycle()["files"] == []
    assert files(dataset) == stored
    assert site.statuses("/report") == [200]
    assert site.statuses("/live/ferry") == [200, 304, 304]
    (dataset / BOOK).write_text("{}")
    with pytest.raises(DatasetError, match="delete it"):
        Run(*arguments)


def test_older_pages_are_asked_for_while_they_may_hold_news(site: LiveSite, tmp_path: Path) -> None:
    old = [ago(hours=3), ago(hours=2)]
    links = '<a href="/live/ferry?page=2">2</a></body>'
    site.pages["/live/ferry?page=2"] = live_page(old, name="older ferry")
    new = [ago(hours=1), ago(minutes=5)]
    site.pages["/live/ferry"] = live_page(new).replace("</body>", links)
    run = Run(*words(site, tmp_path / "set", "--url", f"{site.base_url}/live/ferry"))
    assert run.cycle()["counts"]["new_entries"] == 4
    site.pages["/live/ferry"] = live_page([*new, ago()]).replace("</body>", links)
    assert run.cycle(minutes=20)["counts"]["new_entries"] == 1
    assert site.statuses("/live/ferry?page=2") == [200]
    later = [ago(minutes=-10), ago(minutes=-15)]  # nothing of what was seen is left
    site.pages["/live/ferry"] = live_page(later, name="night ferry").replace("</body>", links)
    run.cycle(minutes=20)
    assert site.statuses("/live/ferry?page=2") == [200, 200]


def test_it_ends_by_itself_when_all_is_over(
    site: LiveSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    over = live_page([ago(hours=9)], ends_at=ago(hours=8))
    site.pages |= {"/live/ferry": over, "/report": ARTICLE.format(name="one")}
    urls = [word for path in ("/live/ferry", "/report") for word in ("--url", site.base_url + path)]
    assert main(words(site, tmp_path / "set", *urls)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "cycle 1: 2 polled, 2 pages read, 2 new entries, took " in lines[0]
    assert lines[1] == "nothing is left to poll: 1 cycle, 2 entries written"


def test_max_runtime(site: LiveSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site.pages["/feed"] = site.feed()
    feed = ["--feed", f"{site.base_url}/feed", "--max_runtime", "1s"]
    assert main(words(site, tmp_path / "set", *feed)) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("--max_runtime is over: 1 cycle, 0")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--url", "nonsense"], "--url nonsense: "),
        (["--urls", "missing.txt"], "--urls missing.txt: "),
        (["--input", "pages"], "--input: stream polls addresses only"),
        (["--url", "https://a.example/", "--max_runtime", "soon"], "--max_runtime"),
        (["--url", "https://a.example/", "--max_runtime", "0s"], "--max_runtime"),
        (["--url", "https://a.example/", "--min_poll_s", "1000"], "--min_poll_s 1000"),
        (["--url", "https://a.example/", "--max_error_ratio", "1"], "--max_error_ratio"),
        ([], "no input"),
    ],
)
def test_what_cannot_be_polled_is_one_line(
    more: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stream", "--output", str(tmp_path / "set"), *more]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "set").exists()


@contextmanager
def process(site: LiveSite, dataset: Path) -> Iterator[subprocess.Popen[str]]:
    """A stream as a user starts it, over a feed."""
    pace = ["--min_poll_s", "0.2", "--max_poll_s", "0.5"]
    arguments = words(site, dataset, "--feed", f"{site.base_url}/feed", *pace)
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as stream:  # fmt: skip
        try:
            yield stream
        finally:
            stream.kill()


def wait_for(stream: subprocess.Popen[str], condition: Callable[[], bool]) -> None:
    while not condition():
        assert stream.poll() is None, stream.communicate()
        time.sleep(0.005)


def test_killed_started_again_and_interrupted(site: LiveSite, tmp_path: Path) -> None:
    dataset = tmp_path / "set"
    moments = [ago(minutes=30)]
    site.pages |= {"/live/ferry": live_page(moments), "/feed": site.feed("/live/ferry")}
    with process(site, dataset) as killed:
        wait_for(killed, lambda: any(dataset.glob("entries/**/*.parquet")))
    moments.append(ago(minutes=20))
    site.pages["/live/ferry"] = live_page(moments)
    asked = len(site.asked)
    with process(site, dataset) as interrupted:
        wait_for(interrupted, lambda: len(site.asked) > asked)
        interrupted.send_signal(signal.SIGINT)
        out, err = interrupted.communicate()
    assert interrupted.returncode == 0, err
    assert out.splitlines()[-1] == "stopped: 1 cycle, 1 entry written"
    assert err.splitlines()[-1] == "news-ingest: finishing the cycle"
    assert "Traceback" not in err
    assert headlines(dataset) == ["Update 0 of the ferry", "Update 1 of the ferry"]
    assert not (dataset / "_staging").exists()


def test_signals_ask_to_stop_and_the_second_interrupt_does_not_wait() -> None:
    stop = threading.Event()
    with stopped_by_signals(stop):
        signal.raise_signal(signal.SIGTERM)
        assert stop.is_set()
        stop.clear()
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_lost_lock_ends_a_stream_that_would_finish_its_cycle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "HEARTBEAT_S", 0.02)
    stop = threading.Event()

    def work() -> None:
        with dataset_lock(str(tmp_path), "stream"), stopped_by_signals(stop):
            (tmp_path / lock.LOCK).unlink()
            time.sleep(30)

    with pytest.raises(DatasetError, match="taken over by another writer"):
        work()
    assert stop.is_set()
