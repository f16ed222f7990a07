"""Reading back: whole runs only, and only the files that are asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from pipeline.dataset import open_dataset
from schemas.arrow import ENTRIES
from schemas.errors import DatasetError, UsageError
from schemas.records import DuplicateRow
from tests.datasets import add_run
from tests.factories import letter, row

ROOT = Path(__file__).parent.parent


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Six entries of two days and three topics, and one row of the other tables."""
    root = tmp_path / "set"
    rows = [
        row(entry_id=f"{date}-{topic}", date=date, topic=topic)
        for date in ("2026-05-11", "2026-05-12")
        for topic in ("sport", "politics", "weather")
    ]
    add_run(root, rows, [DuplicateRow(row(entry_id="copy"), "e1", "exact", 1)], [letter()])
    return root


def test_a_table_is_its_committed_files(dataset: Path) -> None:
    (dataset / "entries/date=2026-05-12/topic=sport/stray.parquet").write_bytes(b"no Parquet")
    entries = open_dataset(str(dataset))
    assert entries.schema.names == [*ENTRIES.names, "date", "topic"]
    assert entries.count_rows() == 6
    assert {(one["entry_id"], f"{one['date']}-{one['topic']}") for one in
            entries.to_table(columns=["entry_id", "date", "topic"]).to_pylist()} == {
        (name, name) for name in entries.to_table()["entry_id"].to_pylist()
    }  # fmt: skip
    counts = {table: open_dataset(str(dataset), table).count_rows()
              for table in ("revisions", "duplicates", "dead_letters")}  # fmt: skip
    assert counts == {"revisions": 0, "duplicates": 1, "dead_letters": 1}


def test_filters_leave_out_files(dataset: Path) -> None:
    here = (ds.field("date") == "2026-05-12") & (ds.field("topic") == "sport")
    (fragment,) = open_dataset(str(dataset)).get_fragments(here)
    assert "date=2026-05-12/topic=sport" in fragment.path
    for path in (dataset / "entries").rglob("*.parquet"):
        if str(path) != fragment.path:
            path.write_bytes(b"not to be read")
    glob = f"{dataset}/entries/*/*/*.parquet"
    assert open_dataset(str(dataset)).to_table(filter=here)["entry_id"].to_pylist() == [
        "2026-05-12-sport"
    ]
    plain = ds.dataset(
        dataset / "entries", partitioning="hive", schema=open_dataset(str(dataset)).schema
    )
    assert plain.to_table(filter=here).num_rows == 1
    empty = pl.from_arrow(ENTRIES.empty_table())
    assert isinstance(empty, pl.DataFrame)
    lazy = pl.scan_parquet(glob, hive_partitioning=True, schema=empty.schema)
    found = lazy.filter((pl.col("date") == pl.date(2026, 5, 12)) & (pl.col("topic") == "sport"))
    assert found.collect()["entry_id"].to_list() == ["2026-05-12-sport"]
    frame = pd.read_parquet(fragment.path.rpartition("/")[0], filters=[("revision", "=", 0)])
    assert frame["entry_id"].tolist() == ["2026-05-12-sport"]


def test_duckdb_reads_no_more_files_than_it_must(dataset: Path) -> None:
    query = f"""EXPLAIN ANALYZE SELECT entry_id
        FROM read_parquet('{dataset}/entries/*/*/*.parquet', hive_partitioning = true)
        WHERE date = '2026-05-12' AND topic = 'sport'"""
    (plan,) = [text for _, text in duckdb.connect().execute(query).fetchall()]
    assert "Scanning Files: 1/6" in plan or "Total Files Read: 1" in plan, plan
    frame = pd.read_parquet(dataset / "entries", filters=[("topic", "=", "sport")])
    assert sorted(frame["entry_id"]) == ["2026-05-11-sport", "2026-05-12-sport"]


def test_beam_is_not_needed(dataset: Path) -> None:
    script = f"""if True:
        import sys
        from pipeline.dataset import open_dataset
        assert open_dataset({str(dataset)!r}).count_rows() == 6
        assert 'apache_beam' not in sys.modules"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


def test_files_of_an_earlier_schema_have_nulls(dataset: Path) -> None:
    (path,) = (dataset / "entries/date=2026-05-12/topic=sport").iterdir()
    with path.open("rb") as file:
        older = pq.read_table(file).drop_columns(["cluster_id", "source"])
    pq.write_table(older, path)
    table = open_dataset(str(dataset)).to_table(filter=ds.field("entry_id") == "2026-05-12-sport")
    assert table.select(["headline", "cluster_id", "source"]).to_pylist() == [
        {"headline": "The bridge is open", "cluster_id": None, "source": None}
    ]


def test_a_later_schema_is_refused_in_one_line(dataset: Path) -> None:
    marker = dataset / "_dataset.json"
    marker.write_text(json.dumps({**json.loads(marker.read_text()), "schema_version": "99"}))
    with pytest.raises(DatasetError, match="has schema version 99, this knows up to"):
        open_dataset(str(dataset))


@pytest.mark.parametrize(
    ("path", "table", "error", "words"),
    [
        ("set", "rows", UsageError, "no table is named 'rows'"),
        ("nothing", "entries", UsageError, "holds no dataset"),
        ("ftp://host/set", "entries", UsageError, "ftp://host/set: "),
    ],
)
def test_what_cannot_be_opened_is_said(
    dataset: Path, path: str, table: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        open_dataset(path if "://" in path else str(dataset.parent / path), table)


def test_a_damaged_manifest_is_said(dataset: Path) -> None:
    (path,) = (dataset / "_runs").iterdir()
    path.write_text("{")
    with pytest.raises(DatasetError, match="damaged"):
        open_dataset(str(dataset))
