from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from schemas.arrow import DEAD_LETTERS, DUPLICATES, ENTRIES
from schemas.records import DuplicateRow
from tests.factories import MORNING, letter, row
from transforms import write
from transforms.commit import StagedFile, staging_path
from transforms.write import (
    TABLES,
    Chunk,
    Partition,
    dead_letter_rows,
    duplicate_row,
    entry_row,
    merge_chunks,
    to_arrow,
    write_parquet,
)

RUN = "000001-ab"
ROWS = [
    row(entry_id=f"e{n}", published_at=MORNING + timedelta(minutes=(n * 7) % 10), position=n)
    for n in range(10)
]


def test_an_entry_goes_to_its_day_and_topic_with_every_column(tmp_path: Path) -> None:
    one = row(tags=("bridge",), links=("https://a.example/",), published_at=None)
    partition, values = entry_row(one)
    assert partition == Partition("entries", "entries/date=2026-05-12/topic=politics")
    write_parquet(str(tmp_path / "a.parquet"), to_arrow(TABLES["entries"], [values]))
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.schema.equals(ENTRIES, check_metadata=True)
    (back,) = table.to_pylist()
    expected = {name: getattr(one, name) for name in ENTRIES.names}
    expected |= {name: list(expected[name]) for name in ("authors", "tags", "links", "images")}
    assert back.pop("topic_score") == pytest.approx(expected.pop("topic_score"))
    assert back == expected


def test_a_duplicate_names_what_it_duplicates() -> None:
    partition, values = duplicate_row(DuplicateRow(row(), "e0", "exact", 1.0))
    assert partition == Partition("duplicates", "duplicates/date=2026-05-12/topic=politics")
    (back,) = to_arrow(TABLES["duplicates"], [values]).to_pylist()
    assert list(back) == DUPLICATES.names
    assert (back["duplicate_of"], back["duplicate_kind"], back["duplicate_score"]) == (
        "e0",
        "exact",
        1.0,
    )


def test_a_dead_letter_is_written_and_remembered() -> None:
    (partition, values), (index, known) = dead_letter_rows(letter(), RUN)
    assert partition == Partition("dead_letters", "dead_letters/date=2026-05-12")
    back = dict(zip(DEAD_LETTERS.names, values, strict=True))
    assert (back["code"], back["run_id"]) == ("http_404", RUN)
    assert (index.table, known) == ("known_dead_letters", (back["dead_letter_id"],))


def staged(dataset: Path, chunks: list[list[int]]) -> list[StagedFile]:
    partition = entry_row(ROWS[0])[0]
    waiting = []
    for name, numbers in enumerate(chunks):
        path = staging_path(RUN, f"{partition.folder}/{name}.chunk")
        rows = [entry_row(ROWS[n])[1] for n in numbers]
        write_parquet(str(dataset / path), to_arrow(TABLES["entries"], rows))
        waiting.append(Chunk(path, len(rows)))
    return list(merge_chunks(str(dataset), RUN, partition, waiting))


def test_the_same_rows_give_the_same_bytes_however_they_were_chunked(tmp_path: Path) -> None:
    (whole,) = staged(tmp_path / "one", [list(range(10))])
    (merged,) = staged(tmp_path / "three", [[9, 0], [3, 1, 2, 8], [7, 4, 5, 6]])
    assert (whole.sha256, whole.rows, whole.final) == (merged.sha256, 10, merged.final)
    assert whole.final == "entries/date=2026-05-12/topic=politics/part-000001-ab-00000.parquet"
    times = pq.read_table(tmp_path / "three" / merged.staged)["published_at"].to_pylist()
    assert times == sorted(times)


def test_a_large_partition_becomes_several_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "ROWS_PER_FILE_MAX", 4)
    files = staged(tmp_path, [list(range(10))])
    assert [file.rows for file in files] == [4, 4, 2]
    assert [file.final[-13:] for file in files] == [f"0000{n}.parquet" for n in range(3)]
