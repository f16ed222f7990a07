from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import apache_beam as beam
import pytest

from schemas.records import FetchedPage, PageRequest
from tests.factories import fetched
from transforms import stages
from transforms.crawl import FetchPages, open_any_file
from transforms.extract import extract_page
from transforms.fetch import FetchLimits, open_local_file
from transforms.visit import Politeness

RUNNER = "FnApiRunner"


SINK: dict[str, list[Any]] = {}
"""What came out; Beam pickles closures, so that only a module's own list is filled."""


def sink(element: Any, name: str) -> None:
    SINK.setdefault(name, []).append(element)


def outputs(transform: Any, elements: list[Any], *names: str) -> list[list[Any]]:
    """What a PTransform with several outputs gives for some elements."""
    SINK.clear()
    with beam.Pipeline(runner=RUNNER) as pipeline:
        found = pipeline | beam.Create(elements) | transform
        for name in names:
            _ = found[name] | name >> beam.Map(sink, name)
    return [SINK.get(name, []) for name in names]


class Town(BaseHTTPRequestHandler):
    """A host of many; remembers when it was asked for what."""

    asked: ClassVar[list[tuple[str, float]]] = []

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        host = self.headers["Host"]
        self.asked.append((host, time.monotonic()))
        status, headers, body = 200, {}, b"<p>words</p>"
        if "missing" in self.path or self.path == "/robots.txt":
            status = 404
        elif self.path.startswith("/to/"):
            status, headers = 302, {"Location": f"http://{self.path[4:]}"}
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def hosts() -> Iterator[list[str]]:
    """Eight hosts, 127.0.0.1 to 127.0.0.8."""
    Town.asked.clear()
    with ExitStack() as stack:
        servers = [
            stack.enter_context(ThreadingHTTPServer((f"127.0.0.{n}", 0), Town)) for n in range(1, 9)
        ]
        for server in servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
        yield [f"127.0.0.{n}:{server.server_port}" for n, server in enumerate(servers, 1)]


def run_fetch(
    uris: list[str], delay_s: float = 0.0
) -> tuple[list[FetchedPage], dict[str, str], dict[str, int]]:
    """The pages fetched, the codes of those that were not, and the counts."""
    fetch = FetchPages(FetchLimits(allow_private_hosts=True), Politeness(delay_s, retries=0))
    SINK.clear()
    with beam.Pipeline(runner=RUNNER) as pipeline:
        requests = pipeline | beam.Create([PageRequest(uri, "url:test") for uri in uris])
        known = pipeline | "Known" >> beam.Create([], reshuffle=False)
        found = {"requests": requests, "known": known} | fetch
        for number, pages in enumerate(found.pages):
            _ = pages | f"Sink {number}" >> beam.Map(sink, "pages")
        for name in ("dead", "counts"):
            _ = getattr(found, name) | f"Sink {name}" >> beam.Map(sink, name)
    counts = Counter[str]()
    for name, n in SINK.get("counts", []):
        counts[name] += n
    return SINK.get("pages", []), {one.uri: one.code for one in SINK.get("dead", [])}, counts


def test_every_request_becomes_a_page_or_a_dead_letter(hosts: list[str]) -> None:
    good = [f"http://{hosts[n % 8]}/{n}" for n in range(200)]
    bad = [f"http://{hosts[n % 8]}/missing/{n}" for n in range(100)]
    pages, codes, counts = run_fetch([*good, *bad, *good[:40]])
    assert sorted(page.request.uri for page in pages) == sorted(good)
    assert codes == dict.fromkeys(bad, "http_404")
    assert counts == {"pages_asked": 300, "requests_repeated": 40}


def test_redirects_lead_from_host_to_host_but_not_for_ever(hosts: list[str]) -> None:
    a, b, c, d = hosts[:4]
    twice = f"http://{a}/to/{b}/to/{c}/page"
    thrice = f"http://{a}/to/{b}/to/{c}/to/{d}/page"
    pages, codes, _ = run_fetch([twice, thrice])
    assert [(page.request.uri, page.url) for page in pages] == [(twice, f"http://{c}/page")]
    assert codes == {thrice: "too_many_redirects"}


def test_a_host_is_left_alone_for_the_delay_also_between_rounds(hosts: list[str]) -> None:
    a, b = hosts[:2]
    run_fetch([f"http://{a}/1", f"http://{a}/to/{b}/2", f"http://{b}/to/{a}/3"], delay_s=0.2)
    for host in (a, b):
        times = [at_s for name, at_s in Town.asked if name == host]
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert len(gaps) >= 3
        assert min(gaps) >= 0.2


def test_a_bug_while_fetching_is_loud(hosts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def host_of(_: str) -> str:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("transforms.visit.read_robots", host_of)
    monkeypatch.setattr("transforms.visit.robots_after", host_of)
    with pytest.raises(Exception, match="a bug"):
        run_fetch([f"http://{hosts[0]}/1"])


def test_files_are_opened_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "page.html.gz"
    path.write_bytes(b"\x1f\x8b not unpacked")
    for opener in (open_any_file, open_local_file):
        stream, modified_at_s = opener(str(path))
        with stream:
            assert stream.read() == b"\x1f\x8b not unpacked"
        assert abs(modified_at_s - path.stat().st_mtime) < 1
        with pytest.raises(OSError, match="missing"):
            opener(str(tmp_path / "missing"))


def test_a_page_that_cannot_be_read_says_where_it_came_from() -> None:
    page = replace(fetched(b""), request=PageRequest("https://a.example/1", "urls:list.txt"))
    pages, (one,) = outputs(stages.ExtractPages(), [page], "pages", "dead")
    assert pages == []
    assert (one.code, one.stage, one.uri, one.source) == (
        "page_empty",
        "extract",
        "https://a.example/1",
        "urls:list.txt",
    )


def test_a_page_without_text_is_lost_in_the_split() -> None:
    page = extract_page(fetched("<html><head><title>x</title></head><body></body></html>"))
    splits, (one,) = outputs(stages.SplitLiveBlogs(), [page], "splits", "dead")
    assert splits == []
    assert (one.code, one.stage, one.page_url) == (
        "no_text",
        "split",
        "https://www.lantern-gazette.example/news/1",
    )
