"""Feeds and sitemaps lead to pages, on their own host and on others."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pyarrow.dataset as ds
import pytest

from pipeline.__main__ import main
from schemas.errors import SourceError
from schemas.records import PageRequest
from tests.factories import fetched
from tests.test_fetch import asked, serving
from transforms.crawl import SITEMAP_DEPTH_MAX, discover

ARTICLE = """<html lang=en><head><title>Report {name}</title></head><body><article><h1>Report {name}
</h1><p>The harbour office published report {name} on Tuesday, after a long debate about the
quay, the cranes and the price of a berth in winter.</p></article></body></html>"""


class Host(BaseHTTPRequestHandler):
    """Serves what ``pages`` holds, by address."""

    pages: ClassVar[dict[str, str]] = {}

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        url = f"http://{self.headers['Host']}{self.path}"
        body = self.pages.get(url)
        etag = f'"{hash(body)}"'
        same = body is not None and self.headers.get("If-None-Match") == etag
        self.send_response(404 if body is None else 304 if same else 200)
        kind = "xml" if self.path.endswith((".xml", ".rss")) else "html"
        self.send_header("Content-Type", f"text/{kind}; charset=utf-8")
        if "article" in self.path:
            self.send_header("ETag", etag)
        self.end_headers()
        if body and not same:
            self.wfile.write(body.encode())


@pytest.fixture
def hosts() -> Iterator[list[str]]:
    Host.pages.clear()
    with ExitStack() as stack:
        found = []
        for n in (1, 2):
            server = stack.enter_context(ThreadingHTTPServer((f"127.0.0.{n}", 0), Host))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
            found.append(f"http://127.0.0.{n}:{server.server_port}")
        yield found


def item(url: str, category: str = "") -> str:
    return f"<item><title>x</title><link>{url}</link><category>{category}</category></item>"


def batch(dataset: Path, *words: str) -> dict[str, int]:
    common = ["--output", str(dataset), "--allow_private_hosts", "--delay_s", "0"]
    assert main(["batch", *common, *words]) == 0
    manifest = json.loads(max((dataset / "_runs").iterdir()).read_text("utf8"))
    counts: dict[str, int] = manifest["counts"]
    return counts


def rows(dataset: Path) -> dict[str, dict[str, Any]]:
    table = ds.dataset(dataset / "entries", partitioning="hive").to_table()
    return {one["page_title"]: one for one in table.to_pylist()}


def test_a_feed_leads_to_its_pages_wherever_they_are(hosts: list[str], tmp_path: Path) -> None:
    a, b = hosts
    urls = [f"{a}/article/1", f"{b}/article/2?utm_source=feed"]
    Host.pages |= {
        f"{a}/news.rss": "<rss version='2.0'><channel><title>N</title>"
        + item(urls[0], "Sport") + item(urls[1]) + item("mailto:desk@a.example")
        + "</channel></rss>",
        f"{a}/article/1": ARTICLE.format(name="1"),
        f"{b}/article/2": ARTICLE.format(name="2"),
    }  # fmt: skip
    dataset = tmp_path / "set"
    counts = batch(dataset, "--feed", f"{a}/news.rss", "--url", f"{a}/article/1")
    assert (counts["feeds_asked"], counts["pages_asked"], counts["pages_split"]) == (1, 2, 2)
    assert (counts["links_invalid"], counts["requests_repeated"]) == (1, 1)
    written = rows(dataset)
    assert written.keys() == {"Report 1", "Report 2"}
    assert written["Report 2"]["source"] == f"feed:{a}/news.rss"
    again = batch(dataset, "--feed", f"{a}/news.rss")
    assert (again["pages_asked"], again["not_modified"]) == (2, 2)


def test_a_feed_says_what_a_page_is_about(hosts: list[str], tmp_path: Path) -> None:
    a, _ = hosts
    Host.pages |= {
        f"{a}/news.rss": f"<rss><channel>{item(f'{a}/article/1', 'Sport')}</channel></rss>",
        f"{a}/article/1": ARTICLE.format(name="1"),
    }
    batch(tmp_path / "set", "--feed", f"{a}/news.rss")
    one = rows(tmp_path / "set")["Report 1"]
    assert (one["topic"], one["topic_evidence"]) == ("sport", "feed_category=Sport")


def test_sitemaps_lead_to_sitemaps_and_pages(hosts: list[str], tmp_path: Path) -> None:
    a, b = hosts

    def urlset(*entries: tuple[str, str]) -> str:
        urls = "".join(
            f"<url><loc>{loc}</loc><lastmod>{day}</lastmod></url>" for loc, day in entries
        )
        return f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{urls}</urlset>"

    Host.pages |= {
        f"{a}/index.xml": "<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>"
        f"<sitemap><loc>{a}/may.xml</loc></sitemap><sitemap><loc>{b}/april.xml</loc></sitemap>"
        "</sitemapindex>",
        f"{a}/may.xml": urlset((f"{a}/article/1", "2026-05-12"), (f"{a}/article/0", "2026-01-01")),
        f"{b}/april.xml": urlset((f"{b}/article/2", "2026-04-12")),
        f"{a}/article/1": ARTICLE.format(name="1"),
        f"{b}/article/2": ARTICLE.format(name="2"),
    }
    counts = batch(tmp_path / "set", "--sitemap", f"{a}/index.xml", "--since", "2026-03-01")
    assert (counts["sitemaps_asked"], counts["pages_asked"], counts["too_old"]) == (3, 2, 1)
    assert rows(tmp_path / "set").keys() == {"Report 1", "Report 2"}


def test_what_is_no_feed_is_a_dead_letter(hosts: list[str], tmp_path: Path) -> None:
    a, _ = hosts
    Host.pages[f"{a}/news.rss"] = "<html><body>not here</body></html>"
    words = ["--feed", f"{a}/news.rss", "--sitemap", f"{a}/gone.xml", "--max_error_ratio", "1"]
    counts = batch(tmp_path / "set", *words)
    assert (counts["failed_feed_broken"], counts["failed_http_404"]) == (1, 1)


def test_a_sitemap_too_deep_is_counted() -> None:
    index = "<sitemapindex><sitemap><loc>https://a.example/b.xml</loc></sitemap></sitemapindex>"
    url = "https://a.example/a.xml"

    def found(depth: int) -> tuple[list[PageRequest], dict[str, int]]:
        page = fetched(index, url=url)
        request = PageRequest(url, "sitemap:x", role="sitemap", depth=depth)
        return discover(type(page)(request, url, page.content, None, page.fetched_at), url, None)

    (child,), _ = found(0)
    assert (child.role, child.depth, child.source) == ("sitemap", 1, "sitemap:x")
    requests, counts = found(SITEMAP_DEPTH_MAX)
    assert (requests, counts["sitemap_too_deep"]) == ([], 1)


def test_a_feed_that_is_none_is_said() -> None:
    page = fetched("nothing", url="https://a.example/feed")
    request = PageRequest("https://a.example/feed", "feed:x", role="feed")
    broken = type(page)(request, page.url, page.content, None, datetime(2026, 5, 12, tzinfo=UTC))
    with pytest.raises(SourceError):
        discover(broken, "https://a.example/feed", None)


SOURCES = """
publishers:
  - name: Lantern Gazette
    domain: lantern-gazette.example
    feeds: ["{a}/news.rss"]
    urls: ["{a}/article/9"]
    timezone: Asia/Kolkata
    delay_s: 0.2
    topics:
      Quayside: environment
  - domain: tidewater.example
    topic: sport
"""
NAIVE = """<html lang=en><head><title>Report nine</title><meta name="date"
content="2026-05-12T09:00:00"><link rel="canonical" href="https://lantern-gazette.example/9"><meta property="article:section" content="Quayside"></head><body>
<article><h1>Report nine</h1><p>The harbour office published report nine on Tuesday, after a long
debate about the quay, the cranes and the price of a berth in winter.</p></article></body></html>"""


def test_what_the_user_knows_of_a_publisher(hosts: list[str], tmp_path: Path) -> None:
    a, _ = hosts
    Host.pages |= {
        f"{a}/news.rss": f"<rss><channel>{item(f'{a}/article/1', 'Sport')}</channel></rss>",
        f"{a}/article/1": ARTICLE.format(name="1"),
        f"{a}/article/9": NAIVE,
    }
    sources = tmp_path / "sources.yaml"
    sources.write_text(SOURCES.format(a=a), "utf8")
    counts = batch(tmp_path / "set", "--sources", str(sources))
    assert (counts["feeds_asked"], counts["pages_asked"]) == (1, 2)
    nine = rows(tmp_path / "set")["Report nine"]
    assert nine["publisher"] == "lantern-gazette.example"
    assert nine["published_at"] == datetime(2026, 5, 12, 3, 30, tzinfo=UTC)
    assert (nine["topic"], nine["topic_source"]) == ("environment", "publisher")


def test_a_mistake_in_sources_yaml_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = tmp_path / "sources.yaml"
    sources.write_text("publishers:\n  - domain: a.example\n    timezone: Londn\n", "utf8")
    assert main(["batch", "--sources", str(sources), "--output", str(tmp_path / "set")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "line 3" in said
    assert "Londn" in said


def test_an_archive_goes_the_way_of_all_pages(tmp_path: Path) -> None:
    def record(n: int) -> bytes:
        page = ARTICLE.format(name=str(n)).encode()
        body = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page
        host = "lantern-gazette.example" if n % 2 else "tidewater.example"
        head = (
            "WARC/1.0\r\nWARC-Type: response\r\n"
            f"WARC-Target-URI: https://{host}/article/{n}\r\n"
            f"WARC-Date: 2026-05-12T08:0{n}:00Z\r\nWARC-Record-ID: <urn:uuid:{n}>\r\n"
            "Content-Type: application/http; msgtype=response\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body + b"\r\n\r\n"

    (tmp_path / "news.warc.gz").write_bytes(b"".join(gzip.compress(record(n)) for n in range(6)))
    words = ["--warc", f"{tmp_path}/*.warc.gz", "--domain", "lantern-gazette.example"]
    counts = batch(tmp_path / "set", *words)
    assert (counts["archive_pages"], counts["archive_skipped_domain"]) == (3, 3)
    written = rows(tmp_path / "set")
    assert sorted(written) == ["Report 1", "Report 3", "Report 5"]
    assert written["Report 3"]["fetched_at"] == datetime(2026, 5, 12, 8, 3, tzinfo=UTC)
    assert written["Report 3"]["source"] == f"warc:{tmp_path}/*.warc.gz"
    again = batch(tmp_path / "set", *words)
    assert (again.get("entries", 0), again["unchanged"]) == (0, 3)
    assert json.loads(max((tmp_path / "set/_runs").iterdir()).read_text("utf8"))["files"] == []


FATES = {
    "page": None,
    "gzipped": None,
    "moved": None,
    "wrong-charset": None,
    "flaky": None,
    "busy": None,
    "drip": "timeout",
    "header-drip": "timeout",
    "continue": "timeout",
    "endless": "page_too_large",
    "large": "page_too_large",
    "bomb": "page_too_large",
    "round": "too_many_redirects",
    "short": "connection_failed",
    "reset": "connection_failed",
    "gzip-cut": "gzip_broken",
    "broken-address": "http_unexpected",
    "404": "http_404",
    "401": "http_401",
    "503": "http_5xx",
}


def test_a_hostile_server_costs_its_own_pages_only(tmp_path: Path) -> None:
    """Each page ends within its deadline as itself or as the right dead letter."""
    asked.clear()
    dataset = tmp_path / "set"
    with serving() as site:
        urls = [word for path in FATES for word in ("--url", f"{site}/{path}")]
        inwards = ["--url", f"{site.replace('127.0.0.1', 'localhost')}/page"]
        limits = ["--timeout_s", "1", "--max_page_bytes", "1000000", "--retries", "1"]
        counts = batch(dataset, *urls, *inwards, *limits, "--max_error_ratio", "1")
    table = ds.dataset(dataset / "dead_letters", partitioning="hive").to_table()
    codes = {one["uri"].rpartition("/")[2]: one["code"] for one in table.to_pylist()}
    assert codes == {path: code for path, code in FATES.items() if code}
    assert counts["pages_asked"] == len(FATES) + 1
    assert counts["pages_asked"] == counts["pages_split"] + counts["pages_failed"]
    assert any("Größere Fähren" in one["body"] for one in rows_of(dataset))


def rows_of(dataset: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        ds.dataset(dataset / "entries", partitioning="hive").to_table().to_pylist()
    )
    return found


def test_archives_take_constant_memory(tmp_path: Path) -> None:
    """Pages a hundred times as large, the same memory: few of them are held at a time."""

    def peak_mib(filling_bytes: int) -> float:
        archive = tmp_path / f"{filling_bytes}.warc.gz"
        with archive.open("wb") as file:
            for n in range(1000):
                file.write(gzip.compress(live_record(n, filling_bytes), 1))
        words = ["batch", "--warc", str(archive)]
        words += ["--output", str(tmp_path / f"set-{filling_bytes}")]
        measure = (
            "import resource, sys; from pipeline.__main__ import main; code = main(sys.argv[1:]); "
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024); sys.exit(code)"
        )
        done = subprocess.run(
            [sys.executable, "-c", measure, *words], check=True, capture_output=True, text=True
        )
        (told,) = (tmp_path / f"set-{filling_bytes}/_runs").glob("0*.json")
        assert json.loads(told.read_text())["counts"]["archive_pages"] == 1000
        return float(done.stdout.split()[-1])

    assert peak_mib(200_000) - peak_mib(2_000) < 80  # of 200 MB


def live_record(n: int, filling_bytes: int) -> bytes:
    """A live blog of three short entries and much else."""
    script = f"<script>var filling = '{'x' * filling_bytes}';</script>"
    entries = "".join(
        f"<article id=post-{k}><time datetime='2026-05-12T{8 + k:02}:{n % 60:02}:00Z'>x</time>"
        f"<h2>Boat {k} of line {n}</h2><p>It left the quay with {n + k} passengers.</p></article>"
        for k in range(3)
    )
    page = f"<html lang=en><title>Line {n} - live</title>{script}<main>{entries}</main></html>"
    body = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page.encode()
    head = (
        "WARC/1.0\r\nWARC-Type: response\r\n"
        f"WARC-Target-URI: https://lantern-gazette.example/live/{n}\r\n"
        f"WARC-Date: 2026-05-12T20:00:00Z\r\nWARC-Record-ID: <urn:uuid:{n}>\r\n"
        "Content-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body + b"\r\n\r\n"
