"""Pages in the shapes of publishers' templates, written by people who had not seen the splitter.

All of them are invented; ``tests/data/publishers`` holds each with the entries that
a reader finds on it. What a publisher repeats in its metadata only may be there, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from schemas.records import Entry, FetchedPage, PageRequest
from transforms.extract import extract_page
from transforms.liveblog.split import split_with

PAGES = Path(__file__).parent / "data/publishers"
NAMES = sorted(path.stem for path in PAGES.glob("*.html"))


def words(text: str | None) -> list[str]:
    return re.findall(r"\w+", (text or "").casefold())


def split(markup: str, about: dict[str, Any], *, use_hints: bool = True) -> list[Entry]:
    fetched = FetchedPage(
        request=PageRequest(uri=about["url"], source="input:test", page_url=about["url"]),
        url=about["url"],
        content=markup.encode(),
        content_type="text/html",
        fetched_at=datetime.fromisoformat(about["fetched_at"]),
    )
    done = split_with(extract_page(fetched), timezone=about["timezone"], use_hints=use_hints)
    return list(done.entries) if done.is_live_blog else []


def read(name: str) -> tuple[str, dict[str, Any]]:
    return (
        (PAGES / f"{name}.html").read_text("utf8"),
        json.loads((PAGES / f"{name}.json").read_text("utf8")),
    )


def without_json_ld(markup: str) -> str:
    return re.sub(
        r"<script[^>]*ld\+json[^>]*>.*?</script>", "", markup, flags=re.DOTALL | re.IGNORECASE
    )


def with_hashed_classes(markup: str) -> str:
    def hashed(match: re.Match[str]) -> str:
        names = (match[1] or match[2] or "").split()
        return f' class="{" ".join(f"c{crc32(name.encode()):x}" for name in names)}"'

    return re.sub(r"""\sclass=(?:"([^"]*)"|'([^']*)')""", hashed, markup)


def with_boxes_of_one_kind(markup: str) -> str:
    return re.sub(r"<(/?)(?:article|section|aside|header|main|figure)(?=[\s>])", r"<\1div", markup)


def without_machine_times(markup: str) -> str:
    opened = re.sub(r"<time\b[^>]*>", "<span>", markup)
    return opened.replace("</time>", "</span>")


@pytest.mark.parametrize("use_hints", [True, False], ids=["hints", "plain"])
@pytest.mark.parametrize("name", NAMES)
def test_what_a_reader_finds_is_what_comes_out(name: str, use_hints: bool) -> None:
    markup, about = read(name)
    declared = [words(body) for body in about["only_declared"]]
    found = [
        (
            entry.published_at and entry.published_at.replace(second=0, microsecond=0).isoformat(),
            words(entry.headline),
            set(entry.authors),
            words(entry.body),
        )
        for entry in split(markup, about, use_hints=use_hints)
        if not (entry.split_by == "json_ld" and words(entry.body) in declared)
    ]
    wanted = [
        (
            datetime.fromisoformat(entry["published"]).replace(second=0).isoformat(),
            words(entry["headline"]),
            set(entry["authors"]),
            words(entry["body"]),
        )
        for entry in about["entries"]
    ]
    assert found == wanted


@pytest.mark.parametrize(
    ("changes", "least"),
    [
        ([without_json_ld], 0.98),
        ([with_hashed_classes], 0.95),
        ([with_boxes_of_one_kind], 0.98),
        ([without_json_ld, with_hashed_classes, without_machine_times], 0.92),
    ],
    ids=["no json-ld", "hashed classes", "only div", "neither names nor machine values"],
)
def test_entries_are_found_without_what_markup_says_of_them(
    changes: list[Callable[[str], str]], least: float
) -> None:
    shares = []
    for name in NAMES:
        markup, about = read(name)
        for change in changes:
            markup = change(markup)
        found = [words(entry.headline) + words(entry.body) for entry in split(markup, about)]
        wanted = [words(entry["headline"]) + words(entry["body"]) for entry in about["entries"]]
        shares.append(sum(one in found for one in wanted) / len(wanted))
    assert sum(shares) / len(shares) >= least


@pytest.mark.parametrize("use_hints", [True, False], ids=["hints", "plain"])
@pytest.mark.parametrize("line", (PAGES / "articles/INDEX.tsv").read_text("utf8").splitlines())
def test_what_only_looks_like_a_live_blog_is_one_entry(line: str, use_hints: bool) -> None:
    file, url, timezone, *_ = line.split("\t")
    fetched = FetchedPage(
        request=PageRequest(uri=url, source="input:test", page_url=url),
        url=url,
        content=(PAGES / "articles" / file).read_bytes(),
        content_type="text/html",
        fetched_at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    done = split_with(extract_page(fetched), timezone=timezone, use_hints=use_hints)
    assert (done.is_live_blog, len(done.entries)) == (False, 1)
