"""The real pages of the shared folder, by its own scorer; skipped where the folder is absent."""

from __future__ import annotations

import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from schemas.records import FetchedPage, PageRequest
from tests.factories import FETCHED_AT, row
from transforms.dedup import deduplicate
from transforms.extract import extract_page
from transforms.liveblog.split import split_with

SHARED = Path(__file__).resolve().parents[2] / "shared/liveblogs"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/liveblogs is absent")


def rows(path: Path) -> list[list[str]]:
    if not path.exists():
        return []
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]


def load_scorer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("score_split", SHARED / "score_split.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def split(path: Path, url: str, zone: str | None, *, use_hints: bool = True):  # type: ignore[no-untyped-def]
    fetched = FetchedPage(
        request=PageRequest(uri=str(path), source="input:test", page_url=url or None),
        url=url or None,
        content=path.read_bytes(),
        content_type="text/plain" if path.suffix == ".txt" else None,
        fetched_at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    return split_with(extract_page(fetched), timezone=zone, use_hints=use_hints)


@pytest.mark.parametrize("use_hints", [True, False], ids=["hints", "plain"])
def test_scores_on_the_shared_pages(use_hints: bool) -> None:
    scorer = load_scorer()
    results = {}
    for file, url, zone, *_ in rows(SHARED / "INDEX.tsv"):
        found = split(SHARED / "pages" / file, url, zone, use_hints=use_hints)
        predicted = [
            {
                "headline": e.headline,
                "body": e.body,
                "authors": list(e.authors),
                "published_at": e.published_at.isoformat() if e.published_at else None,
            }
            for e in found.entries
        ]
        name = file.rsplit(".", 1)[0]
        reference = json.loads((SHARED / "reference" / f"{name}.entries.json").read_text("utf-8"))
        results[name], _ = scorer.score(reference, predicted)
        if name.startswith("seed/"):
            assert len(predicted) == 10
            assert all(
                results[name][c] == 1
                for c in ("precision", "recall", "f1", "headline", "author", "time")
            )
            assert results[name]["body"] >= 0.99
    assert min(r["f1"] for r in results.values()) >= 0.95
    for column, least in (
        ("f1", 0.98),
        ("time", 0.97),
        ("headline", 0.97),
        ("author", 0.97),
        ("body", 0.97),
    ):
        values = [r[column] for r in results.values() if r[column] is not None]
        assert sum(values) / len(values) >= least, column


@pytest.mark.parametrize(("file", "url"), [row[:2] for row in rows(SHARED / "negatives/INDEX.tsv")])
def test_no_shared_article_is_taken_for_a_live_blog(file: str, url: str) -> None:
    found = split(SHARED / "negatives" / file, url, "Europe/London")
    assert not found.is_live_blog
    assert len(found.entries) == 1


@pytest.mark.parametrize("copy_is_first", [False, True], ids=["original first", "copy first"])
def test_the_reposted_seed_is_a_copy_of_its_original_entry_by_entry(*, copy_is_first: bool) -> None:
    (path,) = (SHARED / "pages/seed").glob("*.txt")
    found = split(path, "", "Europe/London")
    named = SHARED / f"reference/seed/{path.stem}.entries.json"
    entries = json.loads(named.read_text("utf-8"))["entries"]
    original = [
        row(
            entry_id=f"o{n}",
            entry_url=f"https://lantern-gazette.example/live/1#{n}",
            headline=one["headline"],
            body=one["body"],
            published_at=datetime.fromisoformat(one["published"]),
            fetched_at=FETCHED_AT,
        )
        for n, one in enumerate(entries)
    ]
    reposted = [
        row(
            entry_id=f"c{n}",
            publisher="copies.example",
            headline=one.headline,
            body=f"(Video) What happened in part {n}\n\n{one.body}\n\nSign up to our free emails",
            published_at=one.published_at,
            fetched_at=FETCHED_AT,
        )
        for n, one in enumerate(found.entries)
    ]
    outcome = deduplicate([*reposted, *original] if copy_is_first else [*original, *reposted])
    assert {one.row.entry_id: one.duplicate_of for one in outcome.duplicates} == {
        f"c{n}": f"o{n}" for n in range(10)
    }
    assert [one.entry_id for one in sorted(outcome.entries, key=lambda one: one.entry_id)] == [
        f"o{n}" for n in range(10)
    ]
