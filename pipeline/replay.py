"""Dead letters of a dataset, to be asked for again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipeline.dataset import open_dataset
from schemas.records import PageRequest
from transforms import storage
from transforms.index import KNOWN_PAGES, read_known_pages

if TYPE_CHECKING:
    from schemas.records import KnownPage

_NO_PAGE = ("input_not_found", "url_list_unreadable", "url_invalid")


class Replay(NamedTuple):
    """What is to be asked for again.

    requests: with the code that each failed with last.
    elsewhere: dead letters that lead to no page by themselves, such as records
        of archives and addresses that are none: their source must be read again.
    """

    requests: list[tuple[PageRequest, str]]
    elsewhere: int


def dead_requests(dataset: str) -> Replay:
    """The pages, feeds and sitemaps that failed and were not read since, each once.

    Raises UsageError if there is no such dataset.
    """
    table = open_dataset(dataset, "dead_letters").to_table(
        columns=["uri", "source", "code", "failed_at"]
    )
    last = {letter["uri"]: letter for letter in table.sort_by("failed_at").to_pylist()}
    known = known_pages(dataset)
    replay = Replay([], 0)
    for uri, letter in sorted(last.items()):
        if letter["code"] in _NO_PAGE or letter["source"].startswith("warc:"):
            replay = replay._replace(elsewhere=replay.elsewhere + 1)
        elif uri not in known or known[uri].fetched_at <= letter["failed_at"]:
            replay.requests.append((request_again(uri, letter["source"]), letter["code"]))
    return replay


def request_again(uri: str, source: str) -> PageRequest:
    """The request that a dead letter came from, as far as it can be told."""
    kind, _, locator = source.partition(":")
    if kind == "feed" and uri == locator:
        return PageRequest(uri, source, role="feed")
    if kind == "sitemap" and (uri == locator or uri.endswith((".xml", ".xml.gz"))):
        return PageRequest(uri, source, role="sitemap")
    return PageRequest(uri, source)


def known_pages(dataset: str) -> dict[str, KnownPage]:
    """What the index knows last of each page."""
    pages = [
        page
        for path in storage.files_below(dataset, f"{KNOWN_PAGES}/**.parquet")
        for page in read_known_pages(path)
    ]
    return {page.uri: page for page in sorted(pages, key=lambda page: page.fetched_at)}
