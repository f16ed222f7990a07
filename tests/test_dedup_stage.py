"""Deduplicate in a pipeline: the same outcome as in memory, whatever the shards."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apache_beam as beam
import numpy as np
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from pipeline.__main__ import main
from schemas.arrow import KNOWN_ENTRIES
from tests.factories import FETCHED_AT, MORNING, row
from tests.news_texts import BOILERPLATE, EDITS, STORIES
from transforms.commit import claim, committed_run_ids
from transforms.dedup import Outcome, deduplicate, stage
from transforms.dedup.stage import Deduplicate
from transforms.index import INDEX, check_index
from transforms.reindex import rebuild_index
from transforms.write import WriteDataset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.records import EntryRow


def some_news() -> list[EntryRow]:
    """Stories over three days, each with its edited copies and a line that one site repeats."""
    r = random.Random(41)
    rows = []
    for n, story in enumerate(STORIES):
        at = MORNING + timedelta(hours=6 * n)
        texts = [story, *(edit(story, r) for edit, _ in EDITS.values()), story.upper()]
        for copy, text in enumerate(texts):
            body = f"{text}\n\n{BOILERPLATE[4]}" if copy == 3 else text
            rows.append(
                row(
                    entry_id=f"s{n}c{copy}",
                    headline=None,
                    body=body,
                    publisher=f"p{copy}.example",
                    published_at=at + timedelta(minutes=5 * copy),
                    fetched_at=at + timedelta(hours=1),
                )
            )
    return rows


def run(dataset: Path, rows: Sequence[EntryRow], **options: Any) -> None:
    claim(str(dataset))
    run_id = f"{len(committed_run_ids(str(dataset))) + 1:06d}-00000000"
    with beam.Pipeline("FnApiRunner") as pipeline:
        starts = pipeline | "Start" >> beam.Create([None])
        inputs = {"rows": (pipeline | beam.Create(list(rows)),), "starts": starts}
        found = inputs | Deduplicate(str(dataset), **options)
        nothing = pipeline | "Nothing" >> beam.Create([])
        counts = (found.counts, pipeline | "Zero" >> beam.Create([("entries", 0)]))
        outcomes = {
            "entries": found.entries,
            "duplicates": found.duplicates,
            "known": found.known,
            "boilerplate": found.boilerplate,
            "pages": nothing,
            "dead_letters": nothing,
            "moments": nothing,
            "counts": counts | beam.Flatten(),
        }
        manifest = {"run_id": run_id, "started_at": FETCHED_AT.isoformat()}
        _ = outcomes | WriteDataset(str(dataset), manifest)


def table(dataset: Path, name: str) -> list[dict[str, Any]]:
    if not (dataset / name).exists():
        return []
    rows: list[dict[str, Any]] = (
        ds.dataset(dataset / name, partitioning="hive").to_table().to_pylist()
    )
    return rows


def written(dataset: Path) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """Of each entry its cluster, of each duplicate what it was removed for."""
    kept = {
        (one["entry_id"], one["revision"]): one["cluster_id"] for one in table(dataset, "entries")
    }
    removed = {
        one["entry_id"]: (
            one["duplicate_of"],
            one["duplicate_kind"],
            round(one["duplicate_score"], 3),
            one["cluster_id"],
        )
        for one in table(dataset, "duplicates")
    }
    return kept, removed


def expected(*outcomes: Outcome) -> tuple[dict[Any, Any], dict[Any, Any]]:
    kept = {
        (one.entry_id, one.revision): one.cluster_id
        for outcome in outcomes
        for one in outcome.entries
    }
    removed = {
        one.row.entry_id: (
            one.duplicate_of,
            one.duplicate_kind,
            round(one.duplicate_score, 3),
            one.row.cluster_id,
        )
        for outcome in outcomes
        for one in outcome.duplicates
    }
    return kept, removed


@pytest.mark.parametrize("shards", [1, 2, 8])
def test_the_pipeline_decides_as_the_functions_do(
    shards: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = some_news()
    monkeypatch.setattr(stage, "SHARDS", shards)
    monkeypatch.setattr(stage, "_BATCH", 10 * shards)
    random.Random(shards).shuffle(rows)
    run(tmp_path / "set", rows)
    outcome = deduplicate(rows)
    assert {one.duplicate_kind for one in outcome.duplicates} == {"exact", "near", "contained"}
    assert len(outcome.boilerplate) == 2  # the line, and how the round-ups begin
    assert written(tmp_path / "set") == expected(outcome)
    repeated = pq.read_table(tmp_path / "set" / INDEX / "boilerplate").column("sentence_key")
    assert repeated.to_pylist() == outcome.boilerplate.tolist()


def test_later_runs_know_the_earlier_ones_and_so_does_a_rebuilt_index(tmp_path: Path) -> None:
    rows = some_news()
    dataset = tmp_path / "set"
    second_day = (MORNING + timedelta(days=1)).replace(hour=0, minute=0)
    early = [one for one in rows if one.fetched_at < second_day]
    edited = row(
        entry_id="s0c0", headline=None, body=f"{STORIES[0]} A correction was added later.",
        published_at=MORNING, fetched_at=FETCHED_AT + timedelta(days=2),
    )  # fmt: skip
    late = [one for one in rows if one.fetched_at >= second_day] + [edited]
    run(dataset, early)
    run(dataset, [*late, *early])
    first = deduplicate(early)
    second = deduplicate([*late, *early], first.known, first.boilerplate)
    assert len(second.entries) > 1
    assert written(dataset) == expected(first, second)
    lines = table(dataset, f"{INDEX}/entries")
    removed = [one for one in lines if one["duplicate_of"]]
    assert removed
    assert not any(one["shingles"] for one in removed)

    before = {(one["entry_id"], one["revision"]): one for one in lines}
    for path in (dataset / INDEX).rglob("*.parquet"):
        path.unlink()
    assert main(["reindex", str(dataset)]) == 0
    lines = table(dataset, f"{INDEX}/entries")
    assert {(one["entry_id"], one["revision"]): one for one in lines}.keys() == before.keys()
    assert len(lines) == len(before)
    for one in lines:
        same = before[one["entry_id"], one["revision"]]
        for name in ("content_hash", "text_key", "cluster_id", "duplicate_of", "rank", "date"):
            assert one[name] == same[name], name
        if one["sig_version"] and not one["duplicate_of"]:
            assert np.frombuffer(one["keys"], np.uint64).size >= 2
    files = sorted((dataset / INDEX).rglob("*.parquet"))
    assert pq.read_schema(files[-1]).equals(KNOWN_ENTRIES, check_metadata=True)
    kept = written(dataset)
    run(dataset, rows)
    assert written(dataset) == kept
    manifest = rebuild_index(str(dataset))
    assert len(manifest["removed"]) == len(files)
    assert not any(path.exists() for path in files)


def test_nothing_at_all_is_no_trouble(tmp_path: Path) -> None:
    run(tmp_path / "set", [])
    assert written(tmp_path / "set") == ({}, {})


def test_an_index_that_is_lost_or_of_another_version_is_told_with_its_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset, page = tmp_path / "set", tmp_path / "page.txt"
    page.write_text(STORIES[0])
    run(dataset, [row()])
    words = ["batch", "--input", str(page), "--output", str(dataset)]
    (dataset / INDEX).rename(dataset / "_index/v1")
    assert main(words) == 1
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert "another version" in told
    assert f"news-ingest reindex {dataset}" in told
    (dataset / "_index/v1").rename(tmp_path / "away")
    assert main(words) == 1
    assert "is lost" in capsys.readouterr().err
    assert main(["reindex", str(dataset)]) == 0
    check_index(str(dataset))
    assert main(["reindex", str(tmp_path / "away")]) == 2
