from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.dataset import read_manifests
from pipeline.views import VIEWS, open_views
from schemas.errors import DatasetError, UsageError
from schemas.records import DuplicateRow
from tests.datasets import add_run
from tests.factories import letter, row


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    root = tmp_path / "a 'set'"
    copy = row(entry_id="e2", publisher="relay.example")
    add_run(
        root,
        [row(), row(entry_id="e3", topic="sport")],
        [DuplicateRow(copy, "e1", "exact", 1)],
        pages=3,
    )
    add_run(root, [row(revision=1, body="The bridge is closed again.")], letters=[letter()])
    return root


def answer(dataset: Path, sql: str) -> list[tuple[object, ...]]:
    with open_views(str(dataset)) as connection:
        return connection.execute(sql).fetchall()


def test_the_views_of_two_runs(dataset: Path) -> None:
    counts = {view: answer(dataset, f"SELECT count(*) FROM {view}")[0][0] for view in VIEWS}
    assert counts == {
        "entries_latest": 2, "entries": 3, "revisions": 3, "duplicates": 1, "dead_letters": 1,
        "runs": 2,
    }  # fmt: skip
    latest = "SELECT entry_id, revision, topic, date::VARCHAR FROM entries_latest ORDER BY ALL"
    assert answer(dataset, latest) == [
        ("e1", 1, "politics", "2026-05-12"),
        ("e3", 0, "sport", "2026-05-12"),
    ]
    runs = "SELECT run_id, pages, counts['pages'], sources, finished_at - started_at FROM runs"
    first = answer(dataset, runs)[0]
    assert first[:4] == ("000001-abcdef01", 3, 3, ["url:test"])
    assert str(first[4]) == "0:00:30"


def test_what_compaction_sets_aside_is_read_with_the_rest(dataset: Path) -> None:
    (old,) = (dataset / "entries").glob("*/topic=politics/part-000001-*.parquet")
    aside = dataset / "revisions" / old.relative_to(dataset / "entries")
    aside.parent.mkdir(parents=True)
    old.rename(aside)
    path = dataset / "_runs/000001-abcdef01.json"
    path.write_text(
        path.read_text().replace(
            "entries/date=2026-05-12/topic=politics", "revisions/date=2026-05-12/topic=politics"
        )
    )
    assert answer(dataset, "SELECT count(*) FROM entries") == [(2,)]
    assert answer(dataset, "SELECT count(*), max(revision) FROM revisions") == [(3, 1)]
    assert answer(dataset, "SELECT count(*) FROM entries_latest") == [(2,)]


def test_a_file_of_an_older_schema_lacks_a_column(dataset: Path) -> None:
    (file,) = (dataset / "dead_letters").rglob("*.parquet")
    pq.write_table(pq.read_table(file, partitioning=None).drop_columns(["detail"]), file)
    assert answer(dataset, "SELECT code, detail FROM dead_letters") == [("http_404", None)]


def test_only_what_is_committed_is_read(dataset: Path) -> None:
    (dataset / "_runs/000002-abcdef01.json").unlink()
    assert answer(dataset, "SELECT count(*) FROM entries") == [(2,)]


def test_a_dataset_of_nothing_has_every_column(tmp_path: Path) -> None:
    add_run(tmp_path / "set")
    for view in VIEWS[:-1]:
        assert answer(tmp_path / "set", f"SELECT run_id, date FROM {view}") == []
    assert answer(tmp_path / "set", "SELECT entries FROM runs") == [(0,)]


def test_nothing_else_can_be_reached(dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    mine = pa.table({"a": [1]})
    for sql in (
        f"FROM '{tmp_path}/secret.csv'",
        f"FROM read_text('{tmp_path}/secret.csv')",
        f"FROM glob('{tmp_path}/*')",
        "FROM mine",
        "FROM 'https://lantern-gazette.example/a.parquet'",
        f"COPY entries TO '{tmp_path}/out.csv'",
        f"ATTACH '{tmp_path}/x.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
    ):
        with pytest.raises(duckdb.Error):
            answer(dataset, sql)
    assert mine.num_rows == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a 'set'", "secret.csv"]


def test_what_is_no_dataset(tmp_path: Path) -> None:
    for place in (str(tmp_path), str(tmp_path / "none"), "gs://bucket/set"):
        with pytest.raises(UsageError, match=place), open_views(place):
            pass


@pytest.mark.parametrize("damage", ["{", "[]", '"x"', json.dumps({"run_id": "000001-abcdef01"})])
def test_a_damaged_manifest_is_named(dataset: Path, damage: str) -> None:
    path = dataset / "_runs/000001-abcdef01.json"
    path.write_text(damage)
    with pytest.raises(DatasetError, match=r"000001-abcdef01\.json is damaged"):
        read_manifests(str(dataset))


def test_a_file_that_is_gone_is_named(dataset: Path) -> None:
    (file,) = (dataset / "dead_letters").rglob("*.parquet")
    file.unlink()
    with pytest.raises(DatasetError, match=file.name):
        answer(dataset, "SELECT 1")
