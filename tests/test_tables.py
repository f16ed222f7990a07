"""Rows to files: the same bytes however they came, and bounded pieces."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.arrow import ENTRIES
from tests.factories import MORNING, row
from transforms import tables
from transforms.commit import StagedFile, sha256_of
from transforms.tables import TABLES, Chunk, Partition, merge_chunks, spill
from transforms.write import entry_row, to_batch

RUN = "000001-abcdef01"
PLACE = Partition("entries", "entries/date=2026-05-12/topic=politics")
ROWS = [
    row(entry_id=f"e{n}", published_at=MORNING + timedelta(minutes=(n * 7) % 10), position=n)
    for n in range(10)
]


def batch(numbers: list[int]) -> pa.RecordBatch:
    return to_batch(TABLES["entries"].batch_schema, [entry_row(ROWS[n]) for n in numbers])


def staged(dataset: Path, chunks: list[list[int]]) -> list[StagedFile]:
    spilled = [
        spilled
        for numbers in chunks
        for spilled in spill(str(dataset), RUN, "entries", [batch(numbers)])
    ]
    assert {place for place, _ in spilled} == {PLACE}
    return merge_chunks(str(dataset), RUN, PLACE, [chunk for _, chunk in spilled])


def test_the_same_rows_give_the_same_bytes_however_they_were_spilled(tmp_path: Path) -> None:
    (whole,) = staged(tmp_path / "one", [list(range(10))])
    (merged,) = staged(tmp_path / "three", [[9, 0], [3, 1, 2, 8], [7, 4, 5, 6]])
    assert (whole.sha256, whole.rows, whole.final) == (merged.sha256, 10, merged.final)
    assert whole.final == f"{PLACE.folder}/part-{RUN}-00000.parquet"
    path = tmp_path / "three" / merged.staged
    assert sha256_of(str(path)) == (merged.sha256, merged.size_bytes)
    with path.open("rb") as file:
        written = pq.read_table(file)
    assert written.schema.equals(ENTRIES, check_metadata=True)
    times = written["published_at"].to_pylist()
    assert times == sorted(times)


@pytest.mark.parametrize("spread", [True, False], ids=["over time", "all at one time"])
def test_a_large_partition_is_cut_into_ranges_of_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spread: bool
) -> None:
    if not spread:
        monkeypatch.setattr(
            "tests.test_tables.ROWS",
            [row(entry_id=f"e{n}", published_at=None, date="2026-05-12") for n in range(10)],
        )
    bytes_of_one = batch([0]).nbytes
    monkeypatch.setattr(tables, "FILE_BYTES_MAX", bytes_of_one * 4)
    numbers = list(range(10))
    random.Random(1).shuffle(numbers)
    files = staged(tmp_path, [numbers[:3], numbers[3:]])
    assert [file.rows for file in files] == [4, 3, 3]
    assert [file.final[-13:] for file in files] == [f"0000{n}.parquet" for n in range(3)]
    keys = []
    for file in files:
        with (tmp_path / file.staged).open("rb") as opened:
            part = pq.read_table(opened).select(["published_at", "entry_id"]).to_pylist()
        keys += [(one["published_at"] or 0, one["entry_id"]) for one in part]
    assert keys == sorted(keys)
    assert len(set(keys)) == 10


def test_ten_thousand_partitions_take_one_spilled_file(tmp_path: Path) -> None:
    rows = [
        row(entry_id=f"e{n}", date=f"{2000 + n // 336}-{n // 28 % 12 + 1:02}-{n % 28 + 1:02}")
        for n in range(10_000)
    ]
    whole = to_batch(TABLES["entries"].batch_schema, [entry_row(one) for one in rows])
    spilled = spill(str(tmp_path), RUN, "entries", [whole])
    assert len({place for place, _ in spilled}) == 10_000
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
    for place, chunk in (spilled[0], spilled[-1]):
        (file,) = merge_chunks(str(tmp_path), RUN, Partition(*place), [chunk])
        assert file.rows == 1


def test_many_small_chunks_become_one_file(tmp_path: Path) -> None:
    chunks: list[Chunk] = []
    for n in range(300):
        one = to_batch(TABLES["entries"].batch_schema, [entry_row(row(entry_id=f"e{n}"))])
        chunks += [chunk for _, chunk in spill(str(tmp_path), RUN, "entries", [one])]
    (file,) = merge_chunks(str(tmp_path), RUN, PLACE, chunks)
    assert file.rows == 300


@pytest.mark.parametrize("value", ["..", "a/b", "", "a=b", "Über", "a b", ".hidden"])
def test_a_partition_is_named_by_dates_and_slugs_only(tmp_path: Path, value: str) -> None:
    one = to_batch(TABLES["entries"].batch_schema, [entry_row(row(topic=value))])
    with pytest.raises(ValueError, match="cannot name a partition"):
        spill(str(tmp_path), RUN, "entries", [one])
