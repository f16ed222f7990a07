"""Hostile pages in a whole run: whatever they say of themselves, nothing leaves the dataset."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.dataset as ds

from pipeline.__main__ import main
from schemas.topics import QCODES

UP = "../../../../outside"
ODD = (
    "/etc/cron.d/x",
    "..\\..\\outside",
    "politics/../../x",
    "topic=sport",
    "a\nb",
    "\u202e..",
    "",
)
TEXT = "The ferry to the northern islands runs again, the harbour master said at noon. " * 3
PATH = re.compile(
    r"(?:entries|duplicates|revisions|dead_letters)/date=\d{4}-\d\d-\d\d/(?:topic=[a-z-]+/)?"
    r"part-\d{6}-[0-9a-f]{8}-\d{5}\.parquet|_dataset\.json|_runs/\d{6}-[0-9a-f]{8}\.json"
    r"|_index/v\d/[\w/=-]+\.parquet"
)


def page(name: str, *, date: str = "2026-05-12T08:30:00Z") -> str:
    """Everything that a page can say of itself says the same hostile thing."""
    about = {
        "@type": "NewsArticle", "headline": name, "articleSection": name, "inLanguage": name,
        "datePublished": date, "author": {"@type": "Person", "name": name}, "keywords": [name],
        "publisher": {"@type": "Organization", "name": name}, "@id": name, "url": name,
    }  # fmt: skip
    quoted = name.replace('"', "")
    return (
        f'<html lang="{quoted}"><head><title>{quoted}</title>'
        f'<link rel="canonical" href="https://{quoted}/x"><meta property="og:url" content="{quoted}">'
        f'<meta property="article:section" content="{quoted}"><meta name="date" content="{date}">'
        f'<script type="application/ld+json">{json.dumps(about)}</script></head>'
        f"<body><article><h1>{quoted}</h1><p>{TEXT} {quoted}</p></article></body></html>"
    )


def warc_record(uri: str, n: int) -> bytes:
    body = page(UP).replace("ferry", f"ferry number {n}").encode()
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {uri}\r\n"
        f"WARC-Date: 2026-05-12T08:30:00Z\r\nWARC-Filename: {UP}\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def test_nothing_leaves_the_dataset(tmp_path: Path) -> None:
    pages, dataset = tmp_path / "in/pages", tmp_path / "deep/down/dataset"
    pages.mkdir(parents=True)
    for n, name in enumerate((UP, *ODD)):
        (pages / f"{n}.html").write_text(page(name), encoding="utf-8")
    for n, date in enumerate(("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", UP)):
        (pages / f"date{n}.html").write_text(page("sport", date=date), encoding="utf-8")
    uris = (
        f"http://evil.example/{UP}/%2e%2e/%2e%2e/etc/passwd", "file:///etc/passwd",
        "http://..%2f..%2fetc/x", f"http://{UP}/", "http://evil.example/a\\..\\..\\b",
    )  # fmt: skip
    archive = b"".join(warc_record(uri, n) for n, uri in enumerate(uris))
    (tmp_path / "in/hostile.warc").write_bytes(archive)
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    code = main([
        "batch", "--input", str(pages), "--warc", str(tmp_path / "in/hostile.warc"),
        "--output", str(dataset),
    ])  # fmt: skip
    assert code == 0
    made = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert made
    odd = {path for path in made if not path.is_relative_to(dataset)}
    assert not odd
    names = {path.relative_to(dataset).as_posix() for path in made}
    assert {name for name in names if not PATH.fullmatch(name)} == set()
    found = ds.dataset(dataset / "entries", partitioning="hive").to_table().to_pylist()
    assert {str(row["topic"]) for row in found} <= {*QCODES, "unclassified"}
    assert all(row["page_url"].startswith(("http", "file:///")) for row in found)
    assert not any(row["page_url"].removeprefix("file://") == "/etc/passwd" for row in found)
