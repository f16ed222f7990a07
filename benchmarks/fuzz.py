"""Coverage-guided fuzzing of whatever reads what others wrote.

    python -m benchmarks.fuzz TARGET [--seconds 60] [--corpus FOLDER]

TARGET: page, feed, sitemap, robots, warc, sources, manifest, index, or all one
after the other. Needs atheris (``pip install atheris``; Linux, Python 3.11 to
3.13), which nothing else here does. What is expected of each reader is in its
docstring: a result or the typed error. Anything else ends the run with exit
code 77 and leaves the input as ``crash-...`` in the folder; it then becomes a
test beside the module's own hypothesis tests.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

try:
    import atheris
except ImportError:
    sys.exit("fuzzing wants atheris: pip install atheris")

logging.disable(logging.WARNING)
with atheris.instrument_imports(include=["transforms", "schemas", "protego", "feedparser"]):
    from schemas.errors import DatasetError, PageError, SourceError, UsageError
    from schemas.records import FetchedPage, PageRequest
    from transforms.archives import read_archive
    from transforms.commit import claim, committed_run_ids, recover
    from transforms.extract import extract_page
    from transforms.feeds import read_feed
    from transforms.index import (
        find_known,
        read_known_boilerplate,
        read_known_dead_letters,
        read_known_pages,
    )
    from transforms.liveblog import split_page
    from transforms.older import older_pages
    from transforms.publishers import load_publishers
    from transforms.robots import read_robots
    from transforms.sitemaps import read_sitemap

from tests.datasets import add_run  # noqa: E402
from tests.factories import letter, row  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

_ROOT = Path(__file__).resolve().parent.parent
_URL = "https://harbour-post.example/live/1"
_AT = datetime(2026, 5, 12, 20, tzinfo=UTC)
_RUN = "000001-abcdef01"
_WARC = (
    b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://a.example/1\r\nWARC-Date: "
    b"2026-05-12T08:30:00Z\r\nContent-Length: 61\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: "
    b"text/html\r\n\r\n<p>Ferry runs.</p>\r\n\r\n"
)


def page(data: bytes) -> None:
    """Bytes of a page, through extract, older pages and split."""
    content_type = (None, "text/html", "text/plain; charset=latin-1")[len(data) % 3]
    fetched = FetchedPage(PageRequest(_URL, "url:fuzz"), _URL, data, content_type, _AT)
    try:
        found = extract_page(fetched, timezone="Europe/London")
        older_pages(found.markup, _URL)
        split = split_page(found, timezone="Europe/London")
    except PageError:
        return
    for entry in split.entries:
        json.dumps([entry.headline, entry.body, entry.authors]).encode()
        entry.body.encode()


def feed(data: bytes) -> None:
    """Bytes of a feed."""
    with contextlib.suppress(SourceError):
        read_feed(data, _URL, None)


def sitemap(data: bytes) -> None:
    """Bytes of a sitemap."""
    with contextlib.suppress(SourceError):
        read_sitemap(data, _URL, _AT)


def robots(data: bytes) -> None:
    """Bytes of a robots.txt."""
    rules = read_robots(data)
    rules.crawl_delay_s("news-ingest/0.1")
    with contextlib.suppress(PageError):
        rules.check(_URL, "news-ingest/0.1")


def warc(data: bytes) -> None:
    """Bytes of an archive."""
    for _ in read_archive(io.BytesIO(data), "a.warc", "warc:fuzz"):
        pass


def sources(data: bytes) -> None:
    """Text of a sources.yaml."""
    try:
        load_publishers(data.decode("utf-8", "replace"), "sources.yaml")
    except UsageError as error:
        if "\n" in str(error):
            raise AssertionError("more than one line") from error


def manifest(data: bytes) -> None:
    """Bytes of a manifest, of an intent and of the marker."""
    with tempfile.TemporaryDirectory() as dataset:
        runs = Path(dataset, "_runs")
        runs.mkdir()
        name = (f"_runs/{_RUN}.intent.json", f"_runs/{_RUN}.json", "_dataset.json")[len(data) % 3]
        Path(dataset, name).write_bytes(data)
        try:
            claim(dataset)
            recover(dataset)
            committed_run_ids(dataset)
        except (DatasetError, UsageError):
            pass


def index(data: bytes) -> None:
    """Bytes of an index file."""
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        Path(file.name).write_bytes(data)
        with contextlib.suppress(DatasetError):
            list(find_known(file.name, pa.array(["e1"])))
        for read in (read_known_boilerplate, read_known_dead_letters, read_known_pages):
            with contextlib.suppress(DatasetError):
                list(read(file.name))


TARGETS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one for one in (page, feed, sitemap, robots, warc, sources, manifest, index)
}


def _seeds(target: str, folder: Path) -> None:
    """What the fuzzer starts from: things of our own that the reader likes."""
    pages = _ROOT / "pipeline/sample_site/pages"
    entry = '{"table": "entries", "staged": "s", "final": "f", "rows": 1, "sha256": "0"}'
    made = {
        "page": [path.read_bytes() for path in pages.iterdir()],
        "feed": [
            b"<rss version='2.0'><channel><item><link>https://a.example/1</link></item></channel></rss>",
            b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"url": "/1"}]}',
        ],
        "sitemap": [
            b"<urlset><url><loc>https://a.example/1</loc><lastmod>2026-05-12</lastmod></url></urlset>",
            b"https://a.example/1\nhttps://a.example/2\n",
        ],
        "robots": [b"User-agent: *\nCrawl-delay: 2\nDisallow: /*private$\nAllow: /live\n"],
        "warc": [_WARC],
        "sources": [
            b"publishers:\n  - domain: post.example\n    delay_s: 2\n    topics: {quay: sport}\n"
        ],
        "manifest": [
            f'{{"manifest": {{"run_id": "{_RUN}"}}, "files": [{entry}]}}'.encode(),
            f'{{"run_id": "{_RUN}", "files": [{entry}], "counts": {{"pages": 1}}}}'.encode(),
        ],
        "index": _index_files(),
    }[target]
    for n, data in enumerate(made):
        Path(folder, f"seed-{n}").write_bytes(data)


def _index_files() -> list[bytes]:
    with tempfile.TemporaryDirectory() as dataset:
        add_run(Path(dataset), [row()], letters=[letter()])
        return [path.read_bytes() for path in sorted(Path(dataset, "_index").rglob("*.parquet"))]


def _fuzz(target: str, folder: Path, seconds: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _seeds(target, folder)
    flags = [f"-max_total_time={seconds}", f"-artifact_prefix={folder}/", "-rss_limit_mb=4096"]
    atheris.Setup([sys.argv[0], *flags, "-timeout=30", str(folder)], TARGETS[target])
    atheris.Fuzz()


def main() -> None:
    """Fuzz one reader, or each in a process of its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("target", choices=[*TARGETS, "all"])
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--corpus", type=Path, default=_ROOT / ".cache/fuzz", metavar="FOLDER")
    options = parser.parse_args()
    if options.target != "all":
        _fuzz(options.target, options.corpus / options.target, options.seconds)
        return
    failed = []
    for target in TARGETS:
        words = [target, "--seconds", str(options.seconds), "--corpus", str(options.corpus)]
        done = subprocess.run([sys.executable, "-m", "benchmarks.fuzz", *words], check=False)
        failed += [target] * bool(done.returncode)
    stood = len(TARGETS) - len(failed)
    print(
        f"{stood} of {len(TARGETS)} readers stood it"
        + "".join(f"; {one} did not" for one in failed)
    )
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
