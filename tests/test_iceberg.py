"""The Iceberg table holds what is committed, as snapshots over the same files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.__main__ import main
from pipeline.dataset import open_dataset
from pipeline.iceberg import _table, register
from tests.datasets import add_run
from tests.factories import row

pytest.importorskip("pyiceberg", reason="the extra [iceberg] is not installed")


def ids(dataset: Path, **scan: object) -> list[str]:
    return sorted(_table(str(dataset)).scan(**scan).to_arrow()["entry_id"].to_pylist())


def test_runs_and_compactions_are_snapshots(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = tmp_path / "set"
    sport = row(entry_id="e2", topic="sport", topic_qcode="medtop:15000000")
    add_run(dataset, [row(), sport])
    assert main(["iceberg", str(dataset)]) == 0
    assert "2 files added, 0 removed" in capsys.readouterr().out
    assert ids(dataset) == ["e1", "e2"]
    first = _table(str(dataset)).current_snapshot().snapshot_id
    assert register(str(dataset)) == (0, 0)
    add_run(dataset, [row(entry_id="e3")])
    assert register(str(dataset)) == (1, 0)
    assert ids(dataset) == ["e1", "e2", "e3"]
    assert ids(dataset, snapshot_id=first) == ["e1", "e2"]
    tasks = _table(str(dataset)).scan(row_filter="topic_qcode = 'medtop:15000000'").plan_files()
    assert [("topic=sport" in task.file.file_path) for task in tasks] == [True]
    assert main(["compact", str(dataset)]) == 0
    assert register(str(dataset)) == (1, 2)
    assert ids(dataset) == sorted(open_dataset(str(dataset)).to_table()["entry_id"].to_pylist())
    assert main(["check", str(dataset)]) == 0
