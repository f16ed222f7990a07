"""Splitting: pages a second through extract and split, beside trafilatura on the same pages.

    python -m benchmarks.split [FOLDER] [--rounds 5] [--sizes 100,1000,10000]

FOLDER: HTML pages, with their addresses in an ``INDEX.tsv`` there or above it;
by default ``../shared/liveblogs/pages`` beside the repository, where that is
absent the bundled sample pages. One core, one process, pages in memory. Each
round goes over all pages once per column, so that other load on the machine
hits all columns alike; of each page its best round counts. CPU time decides,
wall time stands beside it.

Columns: the bare parse by lexbor (the floor), decode + extract_page + split_page,
and trafilatura's bare_extraction with metadata. Then synthetic pages of many
entries, and what one entry costs.
"""

from __future__ import annotations

import argparse
import logging
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import trafilatura
from selectolax.lexbor import LexborHTMLParser

from schemas.errors import PageError
from schemas.records import FetchedPage, PageRequest
from transforms.extract import extract_page
from transforms.liveblog import split_page
from transforms.markup import parse_html

if TYPE_CHECKING:
    from collections.abc import Callable

_ROOT = Path(__file__).resolve().parent.parent
_FOLDERS = (_ROOT.parent / "shared/liveblogs/pages", _ROOT / "pipeline/sample_site/pages")
_FETCHED_AT = datetime(2026, 11, 1, tzinfo=UTC)
_OPENS_AT = datetime(2026, 4, 21, 18, 0, tzinfo=UTC)


def _pages(folder: Path) -> list[FetchedPage]:
    addresses: dict[str, str] = {}
    for index in (folder / "INDEX.tsv", folder.parent / "INDEX.tsv"):
        if index.is_file():
            rows = (line.split("\t") for line in index.read_text("utf8").splitlines()[1:])
            addresses |= {row[0]: row[1] for row in rows if len(row) > 1}
    pages = []
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".html", ".htm", ""} and path.is_file():
            content = path.read_bytes()
            if b"<html" in content[:2_000].lower():
                url = addresses.get(path.relative_to(folder).as_posix())
                pages.append(_fetched(path.name, content, url or None))
    return pages


def _fetched(name: str, content: bytes, url: str | None) -> FetchedPage:
    request = PageRequest(uri=name, source="input:benchmark", page_url=url)
    return FetchedPage(
        request=request, url=url, content=content, content_type=None, fetched_at=_FETCHED_AT
    )


def _synthetic(entries: int) -> FetchedPage:
    """A live blog of our own making, as a template would print it."""
    articles = []
    for n in range(entries):
        at = _OPENS_AT - timedelta(minutes=3 * n)
        articles.append(
            f'<article id="entry-{n + 4711}" class="post"><header>'
            f'<time datetime="{at.isoformat()}">'
            f"{at:%H:%M}</time><h2>Boat number {n} leaves the old pier</h2>"
            f'<span class="byline">By Orla Tennick</span></header><div class="text">'
            f"<p>The harbour master counted {n} boats by {at:%H:%M}, "
            "and wrote each of them down.</p>"
            f'<p>Skipper {n} waved to the <a href="/crew/{n}">crew on the quay</a>; the fog had '
            "lifted, and nobody was in a hurry to say goodbye.</p></div></article>"
        )
    markup = (
        '<!doctype html><html lang="en"><head><title>Harbour day: live</title></head><body><main>'
        f"<h1>Harbour day: live</h1>{''.join(articles)}</main></body></html>"
    )
    url = "https://harbour-post.example/news/live/harbour-day"
    return _fetched(f"{entries} entries", markup.encode(), url)


def _floor(page: FetchedPage) -> None:
    LexborHTMLParser(page.content.decode("utf-8", "replace"))


def _split(page: FetchedPage) -> None:
    parse_html(b"<p>")  # the last tree is kept: let go of it
    try:
        split_page(extract_page(page), timezone="Europe/London")
    except PageError as error:
        print(f"  {page.request.uri}: {error}")


def _trafilatura(page: FetchedPage) -> None:
    trafilatura.bare_extraction(page.content, with_metadata=True, url=page.url)


_COLUMNS: tuple[tuple[str, Callable[[FetchedPage], None]], ...] = (
    ("lexbor, bare parse", _floor),
    ("extract + split", _split),
    ("trafilatura", _trafilatura),
)


def _timed(work: Callable[[FetchedPage], None], page: FetchedPage) -> tuple[float, float]:
    """CPU and wall seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work(page)
    return time.process_time() - cpu, time.perf_counter() - wall


def _compare(pages: list[FetchedPage], rounds: int) -> None:
    size = sum(len(page.content) for page in pages)
    print(f"{len(pages)} pages, mean {size / len(pages) / 1000:.0f} kB, best of {rounds} rounds")
    print(
        f"  {'':20} {'pages/s CPU':>12} {'pages/s wall':>13} {'ms a page':>10} {'slowest ms':>11}"
    )
    best: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for name, work in _COLUMNS:
            took = [_timed(work, page) for page in pages]
            before = best.get(name, took)
            best[name] = [
                (min(a[0], b[0]), min(a[1], b[1])) for a, b in zip(took, before, strict=True)
            ]
    totals: dict[str, float] = {}
    for name, _ in _COLUMNS:
        totals[name] = cpu = sum(one[0] for one in best[name])
        wall = sum(one[1] for one in best[name])
        slowest = max(one[0] for one in best[name])
        print(f"  {name:20} {len(pages) / cpu:12.1f} {len(pages) / wall:13.1f} "
              f"{cpu / len(pages) * 1000:10.2f} {slowest * 1000:11.1f}")  # fmt: skip
    floor, own, other = (totals[name] for name, _ in _COLUMNS)
    print(f"  extract + split costs {own / floor:.2f} x the bare parse; "
          f"trafilatura costs {other / own:.1f} x extract + split")  # fmt: skip
    for page, *times in zip(pages, *(best[name] for name, _ in _COLUMNS), strict=True):
        columns = " ".join(f"{one[0] * 1000:9.2f}" for one in times)
        print(f"    {columns} ms  {page.request.uri[:60]}")


def _grow(sizes: list[int], rounds: int) -> None:
    print("synthetic pages, CPU time")
    for size in sizes:
        page = _synthetic(size)
        cpu = min(_timed(_split, page)[0] for _ in range(rounds))
        print(f"  {size:6} entries {cpu * 1000:9.1f} ms {cpu * 1000 / size:8.4f} ms an entry")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    default = next(folder for folder in _FOLDERS if folder.is_dir())
    parser.add_argument("folder", nargs="?", type=Path, default=default)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", default="100,1000,10000")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    pages = _pages(options.folder)
    if not pages:
        parser.error(f"no HTML page below {options.folder}")
    _compare(pages, options.rounds)
    _grow([int(size) for size in options.sizes.split(",")], min(options.rounds, 3))


if __name__ == "__main__":
    main()
