"""Soak: what a dataset must stand, short for CI or long for a night.

    python -m benchmarks.soak [runs clock storm partitions giant] [--long]

runs: runs in a row over a growing corpus, every second one a repetition.
clock: files whose times jump years back and ahead between runs.
storm: one text under very many addresses. partitions: a run into very many
folders. giant: one page of so many entries that it fills the limit of a page,
and one above it. After each part ``check`` must find nothing, and the counts
must be what was put in; the first that is not ends with exit code 1.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.dataset as ds

from benchmarks.corpus import ZONE, make_pages, sentence
from pipeline.__main__ import main as news_ingest
from pipeline.dataset import read_manifests
from schemas.topics import QCODES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_START = datetime(2024, 1, 1, 12, tzinfo=UTC)
_PAGE_BYTES_MAX = 16 << 20


def batch(dataset: Path, *words: str) -> Counter[str]:
    """Run ``batch``; what its manifest counts."""
    code = _quietly("batch", "--output", str(dataset), "--timezone", ZONE,
                    "--max_error_ratio", "1", *words)  # fmt: skip
    expect(code, 0, "exit code of batch")
    return Counter(read_manifests(str(dataset))[-1]["counts"])


def check(dataset: Path) -> None:
    """Let ``check`` look at the whole of it."""
    expect(_quietly("check", str(dataset)), 0, "exit code of check")


def expect(found: object, wanted: object, what: str) -> None:
    """End here if it is not so."""
    if found != wanted:
        raise SystemExit(f"{what}: {found!r}, not {wanted!r}")


def _quietly(*words: str) -> int:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = news_ingest([*words])
    if code:
        print(said.getvalue()[-2000:], file=sys.stderr)
    return code


def rows(dataset: Path, table: str) -> int:
    """How many there are of a table."""
    folder = dataset / table
    return int(ds.dataset(folder).count_rows()) if folder.is_dir() else 0


def article(headline: str, paragraphs: Iterable[str], at: datetime, section: str, url: str) -> str:
    """A page of ours."""
    text = "".join(f"<p>{one}</p>" for one in paragraphs)
    return (
        f'<html lang="en"><head><title>{headline}</title><link rel="canonical" href="{url}">'
        f'<meta property="article:section" content="{section}">'
        f'<meta property="article:published_time" content="{at.isoformat()}"></head>'
        f"<body><article><h1>{headline}</h1>{text}</article></body></html>"
    )


def _archive(path: Path, pages: Iterable[tuple[str, str]]) -> None:
    """Addresses and pages as a WARC: one file where folders would hold very many."""
    with path.open("wb") as file:
        for url, page in pages:
            block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page.encode()
            head = (
                f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\n"
                f"WARC-Date: 2026-05-12T08:30:00Z\r\nContent-Length: {len(block)}\r\n\r\n"
            )
            file.write(head.encode() + block + b"\r\n\r\n")


def _paragraphs(rng: random.Random, count: int = 4) -> list[str]:
    return [" ".join(sentence(rng) for _ in range(3)) for _ in range(count)]


def soak_runs(folder: Path, *, long: bool) -> str:
    """Runs in a row; whatever is read again must write nothing."""
    runs, pages_a_run = (200, 25) if long else (4, 10)
    dataset, written = folder / "dataset", Counter[str]()
    for run in range(runs):
        pages = folder / "pages" / f"{run // 2:04}"
        for page in make_pages(pages_a_run, start=run // 2 * pages_a_run):
            path = pages / page.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(page.content)
        counts = batch(dataset, "--input", str(pages))
        if run % 2:
            expect(counts["entries"] + counts["duplicates"], 0, f"new rows of repeated run {run}")
        written.update(counts)
    check(dataset)
    expect(rows(dataset, "entries"), written["entries"], "rows of entries")
    expect(rows(dataset, "duplicates"), written["duplicates"], "rows of duplicates")
    return f"{runs} runs, {written['entries']:,} entries"


def soak_clock(folder: Path, *, long: bool) -> str:
    """One page that changes in every run, fetched in the past and in the future."""
    dataset, path = folder / "dataset", folder / "page.html"
    years = (2026, 1999, 2090, 1971, 2026) * (10 if long else 1)
    for run, year in enumerate(years):
        text = [f"The ferry left the old pier for the {run}th time, as the harbour master said."]
        path.write_text(article("Ferry", text, _START, "travel", "https://a.example/1"), "utf8")
        moment = datetime(year, 6, 1, run % 24, tzinfo=UTC).timestamp()
        os.utime(path, (moment, moment))
        counts = batch(dataset, "--input", str(path))
        expect(counts["entries"], 1, f"entries of run {run}, fetched in {year}")
    check(dataset)
    table = ds.dataset(dataset / "entries").to_table(columns=["revision", "entry_id"])
    expect(sorted(table["revision"].to_pylist()), list(range(len(years))), "revisions")
    return f"{len(years)} revisions of one entry"


def soak_storm(folder: Path, *, long: bool) -> str:
    """One text under very many addresses: one entry, all others duplicates of it."""
    count = 100_000 if long else 2_000
    text = _paragraphs(random.Random(1))
    pages = (
        (url, article("Ferry returns", text, _START + timedelta(seconds=n), "travel", url))
        for n in range(count)
        for url in (f"https://www.paper-{n % 997}.example/{n}",)
    )
    _archive(folder / "storm.warc", pages)
    dataset = folder / "dataset"
    counts = batch(dataset, "--warc", str(folder / "storm.warc"))
    expect((counts["entries"], counts["duplicates"]), (1, count - 1), "entries and duplicates")
    check(dataset)
    return f"{count:,} copies of one text"


def soak_partitions(folder: Path, *, long: bool) -> str:
    """An article for every date and topic."""
    days = 700 if long else 12
    rng = random.Random(2)
    topics = [slug.replace("-", " ") for slug in QCODES]
    pages = (
        (url, article(f"Day {day}, {topic}", _paragraphs(rng), at, topic, url))
        for day in range(days)
        for at in (_START + timedelta(days=day),)
        for topic in topics
        for url in (f"https://www.paper.example/{day}/{topic.replace(' ', '-')}",)
    )
    _archive(folder / "wide.warc", pages)
    dataset = folder / "dataset"
    counts = batch(dataset, "--warc", str(folder / "wide.warc"))
    expect(counts["entries"], days * len(topics), "entries")
    folders = sum(1 for path in dataset.glob("entries/*/*") if path.is_dir())
    check(dataset)
    return f"{folders:,} partitions"


def soak_giant(folder: Path, *, long: bool) -> str:
    """A page as large as may be is split; a larger one is a dead letter that says so."""
    limit = _PAGE_BYTES_MAX if long else 1 << 20
    entry = (
        '<article id="e{n}"><time datetime="{at}">{at}</time><h2>Boat {n} leaves</h2>'
        "<p>Skipper {n} counted the boats at the pier and wrote each of them down.</p></article>"
    )
    parts: list[str] = []
    size = 1_000
    while size < limit:
        at = (_START - timedelta(seconds=20 * len(parts))).isoformat()
        parts.append(entry.format(n=len(parts), at=at))
        size += len(parts[-1])
    for name, repeated in (("fits", 1), ("over", 2)):
        head = f'<html lang="en"><head><title>Live: boats {name}</title></head><body><main>'
        markup = f"{head}{''.join(parts[:-1]) * repeated}</main></body></html>"
        (folder / f"{name}.html").write_text(markup, "utf8")
    dataset = folder / "dataset"
    counts = batch(
        dataset, "--input", str(folder / "*.html"), "--max_page_bytes", str(limit)
    )  # fmt: skip
    expect(counts["failed_page_too_large"], 1, "pages too large")
    expect(counts["entries_found"], len(parts) - 1, "entries found")
    check(dataset)
    return f"{len(parts) - 1:,} entries on a page of {limit >> 20} MB"


PARTS: dict[str, Callable[..., str]] = {
    "runs": soak_runs,
    "clock": soak_clock,
    "storm": soak_storm,
    "partitions": soak_partitions,
    "giant": soak_giant,
}


def main() -> None:
    """Soak, part by part."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    for name in options.parts or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            started_s, started_cpu_s = time.perf_counter(), time.process_time()
            done = PARTS[name](Path(folder), long=options.long)
            peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"  {name:11} {done:42} {time.perf_counter() - started_s:7.1f} s "
                  f"{time.process_time() - started_cpu_s:7.1f} s CPU, peak so far {peak_mb:.0f} MB",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
