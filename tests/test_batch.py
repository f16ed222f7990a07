"""Whole runs, as a user would start them."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from pipeline.__main__ import main
from pipeline.batch import error_ratio
from pipeline.sample import tree_lines
from pipeline.sample_site import SAMPLE_TIMEZONE, serve_sample_site
from schemas.arrow import ENTRIES
from schemas.counts import COUNTED
from transforms.commit import next_run_id

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
SEED = next(ROOT.glob("../shared/liveblogs/pages/seed/*.txt"), None)
EXPECTED = json.loads((ROOT / "tests/data/sample_site/expected.json").read_text("utf8"))


def batch(output: Path, *words: str) -> int:
    return main(["batch", "--output", str(output), *words])


def parquet_files(dataset: Path) -> dict[str, bytes]:
    return {
        path.relative_to(dataset).as_posix(): path.read_bytes()
        for path in dataset.rglob("*.parquet")
    }


def rows(dataset: Path, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        ds.dataset(dataset / table, partitioning="hive").to_table().to_pylist()
    )
    return found


def last_manifest(dataset: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(max((dataset / "_runs").iterdir()).read_text("utf8"))
    return manifest


@pytest.fixture(scope="module")
def site_words() -> Iterator[list[str]]:
    """The words that make ``batch`` read the sample site, while it is served."""
    with serve_sample_site(port=0) as site:
        urls = [word for url in site.page_urls for word in ("--url", url)]
        yield [*urls, "--timezone", SAMPLE_TIMEZONE, "--allow_private_hosts", "--delay_s", "0"]


@pytest.fixture(scope="module")
def sample(site_words: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset of the bundled sample site, ingested twice."""
    dataset = tmp_path_factory.mktemp("sample") / "set"
    assert batch(dataset, *site_words) == 0
    first = parquet_files(dataset)
    assert batch(dataset, *site_words) == 0
    assert parquet_files(dataset) == first
    return dataset


def test_every_entry_of_the_sample_site_is_a_row(sample: Path) -> None:
    written = rows(sample, "entries") + rows(sample, "duplicates")
    by_page: dict[str, list[dict[str, Any]]] = {}
    for one in written:
        by_page.setdefault(one["source"].partition("//")[2].partition("/")[2], []).append(one)
    for path, page in EXPECTED["pages"].items():
        if "dead_letter" in page:
            continue
        found = sorted(by_page[path.lstrip("/")], key=lambda one: int(one["position"]))
        assert {one["is_live_blog"] for one in found} == {page["is_live_blog"]}
        assert len(found) == page["entry_count"], path


def test_the_copy_is_removed_and_the_original_kept(sample: Path) -> None:
    originals = {one["entry_id"]: one for one in rows(sample, "entries")}
    removed = rows(sample, "duplicates")
    assert removed
    for one in removed:
        original = originals[one["duplicate_of"]]
        assert original["publisher"] == "harbour-post.example"
        assert one["publisher"] == "127.0.0.1"
        assert (one["content_hash"], one["cluster_id"]) == (
            original["content_hash"],
            original["cluster_id"],
        )
        assert (one["duplicate_kind"], one["duplicate_score"]) == ("exact", 1.0)


def test_what_failed_is_a_dead_letter(sample: Path) -> None:
    codes = {one["uri"].partition("//")[2].partition("/")[2]: one["code"]
             for one in rows(sample, "dead_letters")}  # fmt: skip
    assert codes == {
        path.lstrip("/"): page["dead_letter"]
        for path, page in EXPECTED["pages"].items()
        if "dead_letter" in page
    }


def test_rows_in_are_rows_out(sample: Path) -> None:
    first, second = (
        json.loads(path.read_text("utf8")) for path in sorted((sample / "_runs").iterdir())
    )
    counts = first["counts"]
    assert counts["entries_found"] == counts["entries"] + counts["duplicates"]
    by_table = {"entries": 0, "duplicates": 0, "dead_letters": 0}
    for file in first["files"]:
        if file["table"] in by_table:
            by_table[file["table"]] += file["rows"]
            metadata = pq.read_metadata(sample / file["final"])
            assert metadata.num_rows == file["rows"]
    assert by_table == {name: counts[name] for name in by_table}
    assert second["files"] == []
    for run in (first, second):
        assert run["counts"].keys() >= set(COUNTED)
        one = run["counts"]
        assert one["pages"] == one["pages_split"] + one["pages_failed"] + one["not_modified"]
    assert counts["pages_asked"] == counts["pages_split"] + counts["pages_failed"]
    assert second["counts"]["not_modified"] == counts["pages_split"]
    assert second["counts"]["dead_letters_repeated"] == counts["dead_letters"]


def test_readers_see_the_columns_and_the_partitions(sample: Path) -> None:
    for path in (sample / "entries").rglob("*.parquet"):
        assert pq.read_schema(path).equals(ENTRIES, check_metadata=True)
    n = len(rows(sample, "entries"))
    names = [*ENTRIES.names, "date", "topic"]
    entries = str(sample / "entries")
    frame = pd.read_parquet(entries)
    assert (list(frame.columns), len(frame)) == (names, n)
    lazy = pl.scan_parquet(f"{entries}/**/*.parquet", hive_partitioning=True).collect()
    assert (lazy.columns, len(lazy)) == (names, n)
    table = f"read_parquet('{entries}/*/*/*.parquet', hive_partitioning = true)"
    assert sql(f"SELECT column_name FROM (DESCRIBE FROM {table})") == [(name,) for name in names]
    assert sql(f"SELECT count(*) FROM {table}") == [(n,)]
    day = "strftime(published_at AT TIME ZONE 'UTC', '%Y-%m-%d') = date::VARCHAR"
    assert sql(f"SELECT DISTINCT {day} FROM {table}") == [(True,)]


def sql(query: str) -> list[tuple[Any, ...]]:
    return duckdb.connect().execute(query).fetchall()


def test_nothing_but_the_promised_files_is_visible(sample: Path) -> None:
    top = {path.name for path in sample.iterdir()}
    assert top == {"entries", "duplicates", "dead_letters", "_runs", "_index", "_dataset.json"}
    assert [line for line in tree_lines(sample) if "staging" in line or ".tmp" in line] == []


@pytest.mark.skipif(SEED is None, reason="shared/ is not here")
def test_the_seed_document(tmp_path: Path) -> None:
    assert batch(tmp_path / "set", "--input", str(SEED), "--timezone", "Europe/London") == 0
    folders = {path.parent.parent for path in (tmp_path / "set/entries").rglob("*.parquet")}
    assert [folder.name for folder in folders] == ["date=2023-05-24"]
    assert len(rows(tmp_path / "set", "entries")) == 10


RUSSIAN = (
    "<html><head><title>Метро</title></head><body><article><h1>Метро</h1>"
    "<p>Вчера в городе открылась новая станция метро, и пассажиры очень довольны.</p>"
    "<p>Строительство заняло пять лет, а мэр обещает ещё три станции до конца года.</p>"
    "</article></body></html>"
)


def test_bad_pages_are_dead_letters_and_the_rest_is_unharmed(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "russian.html").write_bytes(RUSSIAN.encode("cp1251"))
    (pages / "zipped[1].html.gz").write_bytes(
        gzip.compress(RUSSIAN.replace("пять", "семь").encode())
    )
    (pages / "empty.html").write_bytes(b"")
    (pages / "binary.html").write_bytes(bytes(range(256)) * 40)
    (pages / "huge.html").write_bytes(b"<div>" * (10 * 1024 * 1024))
    (pages / "deep.html").write_bytes(b"<html><body>" + b"<div>" * 200_000 + b"x")
    (pages / "broken.html.gz").write_bytes(gzip.compress(RUSSIAN.encode())[:-20])
    words = ["--input", str(pages), "--input", str(tmp_path / "missing.html")]
    words += ["--url", "http://nobody.invalid/", "--url", "nonsense", "--retries", "0"]
    assert batch(tmp_path / "set", *words) == 3
    assert batch(tmp_path / "set", *words, "--max_error_ratio", "1") == 0
    codes = sorted(one["code"] for one in rows(tmp_path / "set", "dead_letters"))
    assert codes == [
        "gzip_broken",
        "host_unknown",
        "input_not_found",
        "page_binary",
        "page_empty",
        "page_too_complex",
        "page_too_large",
        "url_invalid",
    ]
    alike = rows(tmp_path / "set", "entries") + rows(tmp_path / "set", "duplicates")
    first, second = sorted(alike, key=lambda one: str(one["source"]))
    assert (first["page_title"], first["language"]) == ("Метро", "ru")
    assert {("семь" in one["body"], "пять" in one["body"]) for one in (first, second)} == {
        (True, False),
        (False, True),
    }


def test_sources_that_once_stopped_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "br[1]"
    folder.mkdir()
    (folder / "a.html").write_text(RUSSIAN, "utf8")
    (folder / "logo.png").write_bytes(b"x")
    (folder / "gone.html").symlink_to("nowhere")
    (folder / os.fsdecode(b"bad\xff.html")).write_text(RUSSIAN, "utf8")
    words = ["--input", str(folder), "--url", "http://ada:secret@lantern-gazette.example/"]
    words += ["--url", os.fsdecode(b"http://lantern-gazette.example/\xff")]
    assert batch(tmp_path / "set", *words, "--max_error_ratio", "1") == 0
    assert len(rows(tmp_path / "set", "entries")) == 1
    codes = sorted(one["code"] for one in rows(tmp_path / "set", "dead_letters"))
    assert codes == ["file_unreadable", "input_not_found", "url_invalid", "url_invalid"]
    assert last_manifest(tmp_path / "set")["counts"]["files_ignored"] == 1
    shown = capsys.readouterr()
    assert "files ignored" in shown.out
    assert "secret" not in repr(rows(tmp_path / "set", "dead_letters"))
    assert "secret" not in json.dumps(last_manifest(tmp_path / "set")) + shown.out + shown.err


LIVE = """<html lang="en"><head><title>Ferry strike - live</title>
<link rel="canonical" href="https://lantern-gazette.example/live/ferry">
<meta property="article:section" content="Politics">
<script type="application/ld+json">{{"@type": "LiveBlogPosting", "headline": "Ferry strike - live",
"liveBlogUpdate": [{updates}]}}</script></head><body><h1>Ferry strike - live</h1></body></html>"""
UPDATE = """{{"@type": "BlogPosting", "@id": "#post-{n}", "headline": "Update number {n}",
"url": "https://lantern-gazette.example/live/ferry#post-{n}",
"datePublished": "2026-05-12T0{n}:15:00Z", "articleBody": "{body}"}}"""


def live_page(path: Path, bodies: list[str], fetched_at_s: int) -> None:
    updates = ",".join(UPDATE.format(n=n, body=body) for n, body in enumerate(bodies))
    path.write_text(LIVE.format(updates=updates), "utf8")
    os.utime(path, (fetched_at_s, fetched_at_s))


def test_a_live_blog_that_grows_and_is_edited(tmp_path: Path) -> None:
    page, dataset = tmp_path / "live.html", tmp_path / "set"
    old = "The talks between the crews and the company began again this morning."
    new = "The talks between the crews and the company broke down at noon today."
    more = "Every ferry to the outer islands stays in the harbour until Friday at least."
    live_page(page, [old, more], 1_778_600_000)
    assert batch(dataset, "--input", str(page)) == 0
    live_page(page, [new, more, more + " Crews agree."], 1_778_610_000)
    assert batch(dataset, "--input", str(page)) == 0
    found = {(one["headline"], one["revision"]): one["body"] for one in rows(dataset, "entries")}
    assert found == {
        ("Update number 0", 0): old,
        ("Update number 0", 1): new,
        ("Update number 1", 0): more,
        ("Update number 2", 0): more + " Crews agree.",
    }
    counts = last_manifest(dataset)["counts"]
    assert (counts["entries"], counts["revisions"], counts["unchanged"]) == (2, 1, 1)


def test_the_same_address_is_fetched_once(tmp_path: Path) -> None:
    with serve_sample_site(port=0) as site:
        url = site.page_urls[-4]
        listed = tmp_path / "urls.txt"
        listed.write_text(f"# ours\n{url}\n{url}?utm_source=mail#top\n", "utf8")
        words = ["--url", url, "--urls", str(listed), "--allow_private_hosts", "--delay_s", "0"]
        assert batch(tmp_path / "set", *words) == 0
    assert last_manifest(tmp_path / "set")["counts"]["requests_repeated"] == 2


class Blog(BaseHTTPRequestHandler):
    """A live blog of four pages, three entries each; page 2 repeats the last one of page 1."""

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?page=")
        page = int(query or 1)
        entries = "".join(
            f"""<article id="post-{n}"><time datetime="2026-05-12T{20 - n:02}:15:00Z">x</time>
            <h2>Ferry update number {n}</h2><p>Boat {n} of the line left the quay with {n * 7}
            passengers on board, the harbour office said.</p></article>"""
            for n in range((page - 1) * 3 - (page == 2), page * 3)
        )
        links = "".join(f'<a href="?page={n}">{n}</a>' for n in range(1, 5))
        body = (
            f"<html lang=en><title>Ferry - live</title><h1>Ferry</h1><main>{entries}</main>{links}"
        )
        self.send_response(200 if path == "/live" and page < 5 else 404)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body.encode())


@pytest.mark.parametrize(("most", "entries", "left"), [(10, 12, 0), (2, 6, 2)])
def test_older_entries_of_a_live_blog_are_followed(
    tmp_path: Path, most: int, entries: int, left: int
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Blog) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/live?page=1"
        words = ["--url", url, "--allow_private_hosts", "--delay_s", "0"]
        words += ["--max_pages_per_blog", str(most)]
        for _ in range(2):
            assert batch(tmp_path / "set", *words) == 0
        server.shutdown()
    written = rows(tmp_path / "set", "entries")
    assert sorted(one["headline"] for one in written) == sorted(
        f"Ferry update number {n}" for n in range(entries)
    )
    assert {one["page_url"] for one in written} == {url}
    first, second = (
        json.loads(path.read_text("utf8")) for path in sorted((tmp_path / "set/_runs").iterdir())
    )
    assert first["counts"].get("older_pages_left", 0) == left
    assert first["counts"]["pages_asked"] == first["counts"]["pages_split"]
    assert second["files"] == []


def test_loopback_is_refused_unless_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve_sample_site(port=0) as site:
        assert batch(tmp_path / "set", "--url", site.page_urls[0]) == 3
    said = capsys.readouterr().err
    assert said.endswith(
        "news-ingest: 1 of 1 pages failed, more than --max_error_ratio 0.5 allows\n"
    )
    (one,) = rows(tmp_path / "set", "dead_letters")
    assert one["code"] == "address_refused"


class Slow(Blog):
    asked = threading.Event()

    def do_GET(self) -> None:
        self.asked.set()
        time.sleep(10)


@pytest.mark.parametrize("mode", [[], ["--direct_running_mode=multi_threading"]])
def test_interrupted_is_one_line_and_the_next_run_goes_on(tmp_path: Path, mode: list[str]) -> None:
    page = tmp_path / "a.html"
    page.write_text(RUSSIAN, "utf8")
    dataset = tmp_path / "set"
    words = ["--input", str(page), "--retries", "0", "--delay_s", "0"]
    Slow.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        command = [sys.executable, "-m", "pipeline", "batch", "--output", str(dataset), *words]
        with subprocess.Popen(
            [*command, "--url", url, "--allow_private_hosts", *mode],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert Slow.asked.wait(60)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        server.shutdown()
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1].startswith("news-ingest: interrupted; ")
    assert "Traceback" not in err
    assert batch(dataset, *words) == 0
    assert len(rows(dataset, "entries")) == 1


def test_a_run_is_named_by_what_stands_and_what_it_does() -> None:
    about = {"sources": ["url:a"], "options": {"timezone": None}}
    first = next_run_id([], about)
    assert first == next_run_id([], about)
    assert first.startswith("000001-")
    second = next_run_id([first], about)
    assert second.startswith("000002-")
    assert second[7:] != first[7:]
    assert next_run_id([], {**about, "sources": ["url:b"]}) != first


def test_the_share_of_failed_pages() -> None:
    assert error_ratio({"counts": {"pages": 4, "pages_failed": 1}}) == 0.25
    assert error_ratio({"counts": {"pages": 0, "pages_failed": 0}}) == 0.0
