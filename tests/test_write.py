from __future__ import annotations

from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms.combiners import ToList

from schemas.records import DuplicateRow
from tests.factories import MORNING, letter, row
from transforms import write
from transforms.tables import TABLES
from transforms.write import (
    Row,
    WriteBatches,
    dead_letter_row,
    duplicate_row,
    entry_row,
    known_dead_letter_row,
    to_batch,
)

RUN = "000001-abcdef01"


def back(name: str, values: Row) -> dict[str, Any]:
    (one,) = to_batch(TABLES[name].batch_schema, [values]).to_pylist()
    return dict(one)


def test_an_entry_has_every_column_and_its_partition() -> None:
    one = row(tags=("bridge",), links=("https://a.example/",), published_at=None)
    written = back("entries", entry_row(one))
    expected = {name: getattr(one, name) for name in TABLES["entries"].batch_schema.names}
    expected |= {name: list(expected[name]) for name in ("authors", "tags", "links", "images")}
    assert written.pop("topic_score") == pytest.approx(expected.pop("topic_score"))
    assert written == expected
    assert (written["date"], written["topic"]) == ("2026-05-12", "politics")


def test_a_duplicate_names_what_it_duplicates() -> None:
    written = back("duplicates", duplicate_row(DuplicateRow(row(), "e0", "exact", 1.0)))
    removed = ("duplicate_of", "duplicate_kind", "duplicate_score", "date", "topic")
    assert [written[name] for name in removed] == ["e0", "exact", 1.0, "2026-05-12", "politics"]


def test_a_dead_letter_is_written_and_remembered() -> None:
    written = back("dead_letters", dead_letter_row(letter(), RUN))
    assert (written["code"], written["run_id"], written["date"]) == ("http_404", RUN, "2026-05-12")
    known = back("known_dead_letters", known_dead_letter_row(letter()))
    assert known == {"dead_letter_id": written["dead_letter_id"], "date": "2026-05-12"}


def batches_of(first: int, partitions: int) -> Any:
    """A hundred entries in batches of ten, spread over so many days."""
    for start in range(first, first + 100, 10):
        rows = [
            row(entry_id=f"e{n}", date=f"2026-{n % partitions // 28 + 1:02}-{n % 28 + 1:02}")
            for n in range(start, start + 10)
        ]
        yield to_batch(TABLES["entries"].batch_schema, [entry_row(one) for one in rows])


@pytest.mark.parametrize("spill_bytes", [1, 1 << 30], ids=["many spills", "one spill"])
def test_rows_of_many_partitions_arrive_whole_however_they_are_spilled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spill_bytes: int
) -> None:
    monkeypatch.setattr(write, "SPILL_BYTES", spill_bytes)
    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as pipeline:
        entries = (
            pipeline
            | beam.Create(range(0, 1000, 100))
            | beam.FlatMap(batches_of, 300)
        )  # fmt: skip
        counts = pipeline | "Counts" >> beam.Create([("entries", 1000)])
        _ = {"entries": entries, "counts": counts} | WriteBatches(str(tmp_path), {"run_id": RUN})
    found = ds.dataset(tmp_path / "entries", partitioning="hive").to_table()
    assert sorted(found["entry_id"].to_pylist()) == sorted(f"e{n}" for n in range(1000))
    for one in found.select(["entry_id", "date"]).to_pylist():
        n = int(one["entry_id"][1:])
        assert one["date"] == f"2026-{n % 300 // 28 + 1:02}-{n % 28 + 1:02}"
    assert not (tmp_path / "_staging").exists()


def test_windows_are_kept_apart(tmp_path: Path) -> None:
    from apache_beam.transforms.window import FixedWindows, TimestampedValue

    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as pipeline:
        moments = [TimestampedValue(n, MORNING.timestamp() + 60 * n) for n in range(4)]
        windowed = pipeline | beam.Create(moments) | beam.WindowInto(FixedWindows(120))
        files = (
            windowed
            | beam.Map(lambda n: row(entry_id=f"e{n}"))
            | beam.ParDo(write._BatchRows("entries", entry_row))
            | beam.ParDo(write._SpillBatches(str(tmp_path), RUN, "entries"))
            | beam.GroupByKey()
            | beam.ParDo(write._MergeChunks(str(tmp_path), RUN))
            | beam.Map(lambda file: (file.rows, None))
        )
        _ = files | ToList().without_defaults() | beam.Map(_take_down, str(tmp_path))
    assert sorted(p.read_text() for p in tmp_path.glob("*.txt")) == ["[(2, None)]"] * 2


def _take_down(found: list[Any], folder: str) -> None:
    import uuid

    (Path(folder) / f"{uuid.uuid4()}.txt").write_text(repr(found))


def test_no_rows_no_files(tmp_path: Path) -> None:
    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as pipeline:
        entries = pipeline | "None" >> beam.Create([], reshuffle=False)
        counts = pipeline | "Counts" >> beam.Create([("entries", 0)])
        _ = {"entries": entries, "counts": counts} | WriteBatches(str(tmp_path), {"run_id": RUN})
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [f"{RUN}.json"]


def test_files_are_what_they_say(tmp_path: Path) -> None:
    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as pipeline:
        entries = pipeline | beam.Create([0]) | beam.FlatMap(batches_of, 1)
        counts = pipeline | "Counts" >> beam.Create([("entries", 100)])
        _ = {"entries": entries, "counts": counts} | WriteBatches(str(tmp_path), {"run_id": RUN})
    paths = list(tmp_path.rglob("*.parquet"))
    assert len(paths) == 28
    for path in paths:
        metadata = pq.read_metadata(path)
        group = metadata.row_group(0)
        assert [one.column_index for one in group.sorting_columns] == [9, 0, 1]
        assert group.column(0).has_offset_index
        assert group.column(0).compression == "ZSTD"
        assert metadata.metadata[b"news_ingest.schema_version"] == b"1"
