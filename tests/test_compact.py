"""Fewer files, the same rows, and each entry's latest text in its place."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.__main__ import main
from pipeline.dataset import open_dataset
from schemas.errors import DatasetError
from schemas.records import DuplicateRow
from tests.datasets import add_run
from tests.factories import MORNING, letter, row
from tests.test_commit import Killed, killed_at
from transforms import compact as compaction
from transforms import tables
from transforms.commit import committed_run_ids, recover
from transforms.compact import compact

SPORT = row(entry_id="e2", topic="sport", topic_qcode="medtop:15000000")


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Three runs: entries of two topics, one of which is revised twice."""
    root = tmp_path / "set"
    copy = DuplicateRow(row(entry_id="copy"), "e1", "exact", 1)
    add_run(root, [row(), SPORT], [copy], [letter()])
    later = row(entry_id="e3", published_at=MORNING + timedelta(hours=1))
    add_run(root, [row(revision=1, body="Closed again."), later], letters=[letter(code="timeout")])
    add_run(root, [row(revision=2, body="Open again.")])
    return root


def rows(dataset: Path, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = open_dataset(str(dataset), table).to_table().to_pylist()
    return sorted(found, key=repr)


def files(dataset: Path) -> set[str]:
    return {path.relative_to(dataset).as_posix() for path in dataset.rglob("*.parquet")}


def keys(dataset: Path, table: str) -> list[tuple[str, int]]:
    return [(one["entry_id"], one["revision"]) for one in rows(dataset, table)]


def test_files_are_merged_and_earlier_revisions_set_aside(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    everything = rows(dataset, "entries")
    letters = rows(dataset, "dead_letters")
    assert main(["compact", str(dataset)]) == 0
    assert keys(dataset, "entries") == [("e1", 2), ("e2", 0), ("e3", 0)]
    assert keys(dataset, "revisions") == [("e1", 0), ("e1", 1)]
    both = rows(dataset, "entries") + rows(dataset, "revisions")
    assert sorted(both, key=repr) == everything
    assert rows(dataset, "dead_letters") == letters
    assert files(dataset) == {
        f"{folder}/part-{run}-00000.parquet"
        for folder, run in (
            ("entries/date=2026-05-12/topic=politics", "NEW"),
            ("entries/date=2026-05-12/topic=sport", "000001-abcdef01"),
            ("revisions/date=2026-05-12/topic=politics", "NEW"),
            ("duplicates/date=2026-05-12/topic=politics", "000001-abcdef01"),
            ("dead_letters/date=2026-05-12", "NEW"),
            ("_index/v2/entries/date=2026-05-12", "NEW"),
            ("_index/v2/dead_letters/date=2026-05-12", "NEW"),
        )
        for run in [committed_run_ids(str(dataset))[-1] if run == "NEW" else run]
    }
    (line,) = capsys.readouterr().out.splitlines()
    assert "10 files became 5; 2 earlier revisions moved to revisions/" in line
    assert main(["check", str(dataset)]) == 0


def test_a_second_time_there_is_nothing_to_do(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compact", str(dataset)]) == 0
    before = {path: path.read_bytes() for path in dataset.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert main(["compact", str(dataset)]) == 0
    assert capsys.readouterr().out == f"{dataset}: nothing to compact.\n"
    assert {path: path.read_bytes() for path in dataset.rglob("*") if path.is_file()} == before


def test_revisions_that_come_later_join_those_set_aside(dataset: Path) -> None:
    compact(str(dataset))
    add_run(dataset, [row(revision=3, body="Closed for good.")])
    compact(str(dataset))
    assert keys(dataset, "entries") == [("e1", 3), ("e2", 0), ("e3", 0)]
    assert keys(dataset, "revisions") == [("e1", 0), ("e1", 1), ("e1", 2)]
    assert len(list((dataset / "revisions").rglob("*.parquet"))) == 1
    assert compact(str(dataset)) is None


def test_pieces_are_bounded(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rows(dataset, "entries")
    monkeypatch.setattr(compaction, "SPILL_BYTES", 1)
    monkeypatch.setattr(compaction, "_ROWS_AT_ONCE", 1)
    monkeypatch.setattr(tables, "FILE_BYTES_MAX", 600)
    compact(str(dataset))
    assert len(list((dataset / "entries/date=2026-05-12/topic=politics").iterdir())) == 2
    assert sorted(rows(dataset, "entries") + rows(dataset, "revisions"), key=repr) == whole
    assert compact(str(dataset)) is None


@pytest.mark.parametrize("step", range(0, 45, 4))
def test_killed_at_any_step_readers_see_the_old_or_the_new(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    old = rows(dataset, "entries")

    with suppress(Killed), killed_at(step, monkeypatch):
        compact(str(dataset))
    seen = rows(dataset, "entries")
    assert seen == old or [one["revision"] for one in seen if one["entry_id"] == "e1"] == [2]
    recover(str(dataset))
    assert main(["check", str(dataset)]) == 0
    compact(str(dataset))
    assert sorted(rows(dataset, "entries") + rows(dataset, "revisions"), key=repr) == old
    assert keys(dataset, "revisions") == [("e1", 0), ("e1", 1)]
    assert main(["check", str(dataset)]) == 0


@pytest.mark.parametrize("damage", ["cut", "lost", "rows"])
def test_a_damaged_file_is_said_and_nothing_changes(dataset: Path, damage: str) -> None:
    path = next((dataset / "entries/date=2026-05-12/topic=politics").iterdir())
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "lost":
        path.unlink()
    else:
        add_run(dataset, [row(entry_id=f"x{n}") for n in range(3)])
        path.write_bytes(max(path.parent.iterdir()).read_bytes())
    before = files(dataset)
    with pytest.raises(DatasetError, match="see check"):
        compact(str(dataset))
    assert files(dataset) == before
    assert recover(str(dataset)) == []
    assert not (dataset / "_staging").exists()
