from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest

from schemas.errors import FetchError
from schemas.records import FetchedPage, PageRequest
from tests.factories import fetched
from transforms import stages
from transforms.extract import extract_page
from transforms.fetch import FetchLimits, open_local_file
from transforms.stages import FetchPages, open_any_file

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


def run_fetch(requests: list[PageRequest]) -> tuple[list[str], dict[str, str], int]:
    """The addresses fetched, the codes of those that were not, and the repeats."""
    pages, dead, counts = outputs(FetchPages(FetchLimits()), requests, "pages", "dead", "counts")
    codes = {one.uri: one.code for one in dead}
    return [page.request.uri for page in pages], codes, sum(n for _, n in counts)


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Pretends the web: remembers which thread asked which host, page after page."""
    asked: dict[str, list[str]] = {}
    lock = threading.Lock()

    def fetch_page(request: PageRequest, **_: Any) -> FetchedPage:
        host = request.uri.split("/")[2]
        with lock:
            asked.setdefault(host, []).append(f"{threading.get_ident()} {request.uri}")
        if "missing" in request.uri:
            raise FetchError("http_404", "the server answered 404")
        return replace(fetched("<p>words</p>"), request=request)

    monkeypatch.setattr(stages, "fetch_page", fetch_page)
    return asked


def test_every_request_becomes_a_page_or_a_dead_letter(hosts: dict[str, list[str]]) -> None:
    uris = [f"https://h{n % 37}.example/{n}" for n in range(500)]
    uris += [f"https://h{n % 37}.example/missing/{n}" for n in range(300)]
    requests = [PageRequest(uri, "url:test") for uri in uris]
    pages, codes, repeats = run_fetch([*requests, *requests[:40]])
    assert sorted(pages) == sorted(uris[:500])
    assert codes == dict.fromkeys(uris[500:], "http_404")
    assert repeats == 40
    assert len(hosts) == 37


def test_a_host_is_asked_by_one_thread_page_after_page(hosts: dict[str, list[str]]) -> None:
    run_fetch([PageRequest(f"https://h{n % 5}.example/{n}", "url:test") for n in range(200)])
    for calls in hosts.values():
        assert len({call.split()[0] for call in calls}) == 1
        assert len(calls) == 40


def test_a_bug_while_fetching_is_loud(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch_page(*_: Any, **__: Any) -> FetchedPage:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(stages, "fetch_page", fetch_page)
    with pytest.raises(Exception, match="a bug"):
        run_fetch([PageRequest("https://a.example/", "url:test")])


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
