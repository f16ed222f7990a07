"""A clock that somebody sets, by hours and years, in the middle of runs and between them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pipeline.__main__ import main
from pipeline.dataset import open_dataset
from pipeline.options import parse
from pipeline.run import prepare, sources_of
from pipeline.stream import BOOK, Stream, named_requests
from tests.live_site import ARTICLE, LiveSite, ago, live_page, serve_live_site
from transforms import outcomes
from transforms.check import find_faults

YEAR = timedelta(days=365)
JUMPS = (-3 * YEAR, timedelta(hours=9), 2 * YEAR)


class Clock:
    """Stands in for ``datetime`` where the one clock of the house is read."""

    ahead = timedelta()

    @classmethod
    def now(cls, zone: tzinfo) -> datetime:
        return datetime.now(zone) + cls.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    monkeypatch.setattr(Clock, "ahead", timedelta())
    monkeypatch.setattr(outcomes, "datetime", Clock)
    return Clock


@pytest.fixture
def site() -> Iterator[LiveSite]:
    with serve_live_site() as site:
        yield site


class Setting(dict[str, str]):
    """Pages that set the clock when a certain one is asked for."""

    def __init__(self, clock: type[Clock], path: str) -> None:
        super().__init__()
        self.clock, self.path, self.ahead = clock, path, timedelta()

    def get(self, path: Any, default: Any = None) -> Any:
        if path == self.path:
            self.clock.ahead = self.ahead
        return super().get(path, default)


def manifests(dataset: Path) -> list[dict[str, Any]]:
    """Of committed runs, without what is being written."""
    found = sorted((dataset / "_runs").glob("*-????????.json"))
    return [json.loads(path.read_text("utf8")) for path in found]


def test_runs_while_it_jumps(
    clock: type[Clock], site: LiveSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set while a page is fetched and again before the next run: every page once, in order."""
    pages = Setting(clock, "/live/ferry")
    monkeypatch.setattr(site, "pages", pages)
    dataset, moments = tmp_path / "set", [ago(hours=3)]
    urls = [f"{site.base_url}{path}" for path in ("/live/ferry", "/report", "/gone")]
    words = ["batch", "--output", str(dataset), "--allow_private_hosts", "--delay_s", "0.05"]
    words += [word for url in urls for word in ("--url", url)]
    pages["/report"] = ARTICLE.format(name="one")
    for n, jump in enumerate(JUMPS):
        moments.append(ago(minutes=60 - n))
        pages["/live/ferry"] = live_page(moments)
        pages.ahead = clock.ahead + jump
        asked = len(site.asked)
        assert main(words) == 0
        times = [one.at_s for one in site.asked[asked:]]
        assert all(b - a >= 0.05 for a, b in pairwise(times))
        clock.ahead -= jump / 2
    counts = [one["counts"] for one in manifests(dataset)]
    assert [one["new_entries"] for one in counts] == [3, 1, 1]
    assert [one["pages_failed"] for one in counts] == [1] * 3
    assert list(find_faults(str(dataset))) == []
    table = open_dataset(str(dataset)).to_table()
    assert sorted(table["headline"].to_pylist()) == [
        "Report one", *(f"Update {n} of the ferry" for n in range(4))
    ]  # fmt: skip
    assert main(words) == 0
    assert manifests(dataset)[-1]["counts"]["entries"] == 0
    for command in ("compact", "reindex"):
        assert main([command, str(dataset)]) == 0
    assert open_dataset(str(dataset)).to_table().num_rows == 5
    assert list(find_faults(str(dataset))) == []
    assert main(["report", str(dataset)]) == 0


def until(condition: Any) -> None:
    deadline_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def test_a_stream_keeps_its_pace(
    clock: type[Clock], site: LiveSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither standing still nor hurrying, and a live blog is not silent for what the clock says."""
    dataset, moments = tmp_path / "set", [ago(hours=1)]
    site.pages["/live/ferry"] = live_page(moments)
    words = ["stream", "--output", str(dataset), "--allow_private_hosts", "--delay_s", "0"]
    words += ["--url", f"{site.base_url}/live/ferry", "--min_poll_s", "0.3", "--max_poll_s", "0.3"]
    words += ["--max_runtime", "10m"]

    def follow(stop: threading.Event) -> None:
        try:
            for n, jump in enumerate(JUMPS):
                asked = len(site.times("/live/ferry"))
                until(lambda at_least=asked + 2: len(site.times("/live/ferry")) >= at_least)
                time.sleep(n / 10)  # now while it waits, now while it works
                clock.ahead += jump
            moments.append(ago())
            site.pages["/live/ferry"] = live_page(moments)
            until(lambda: len(manifests(dataset)) == 2)
        finally:
            stop.set()

    options = parse(words)
    named = [request for one in sources_of(options) for request in named_requests(one)]
    stop = threading.Event()
    with ThreadPoolExecutor(1) as beside, prepare(options) as beam_options:
        stream = Stream(options, beam_options, named)
        followed = beside.submit(follow, stop)
        stream.run(stop)
    followed.result()
    out = capsys.readouterr().out.splitlines()
    assert out[-1].startswith("stopped: ")
    assert out[-1].endswith(", 2 entries written")
    assert all(b - a >= 0.3 for a, b in pairwise(site.times("/live/ferry")))
    latency_s = manifests(dataset)[-1]["latency_s"]
    assert 0 <= latency_s["from_fetched"]["max"] < 60
    assert list(find_faults(str(dataset))) == []


def test_a_book_from_the_future_is_gone_on_with(
    clock: type[Clock], site: LiveSite, tmp_path: Path
) -> None:
    site.pages["/live/ferry"] = live_page([ago(hours=1)])
    words = ["stream", "--output", str(tmp_path / "set"), "--allow_private_hosts"]
    words += ["--url", f"{site.base_url}/live/ferry"]
    options = parse(words)
    named = [request for one in sources_of(options) for request in named_requests(one)]
    clock.ahead = timedelta(hours=4)
    with prepare(options) as beam_options:
        Stream(options, beam_options, named).cycle(outcomes.utc_now())
        book = json.loads((tmp_path / "set" / BOOK).read_text("utf8"))
        (due_at,) = [datetime.fromisoformat(poll["due_at"]) for poll in book["polls"]]
        clock.ahead = timedelta()
        assert due_at > outcomes.utc_now() + timedelta(hours=3)
        again = Stream(options, beam_options, named)
        waits_at = again._book.next_due_at()
        assert waits_at
        assert waits_at - outcomes.utc_now() < timedelta(seconds=70)
