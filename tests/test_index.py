"""Damaged index files: one line with the path, whoever reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from schemas.errors import DatasetError
from tests.datasets import add_run
from tests.factories import letter, row
from transforms.index import (
    find_known,
    read_known_boilerplate,
    read_known_dead_letters,
    read_known_pages,
)

READERS: dict[str, Callable[[str], Any]] = {
    "entries": lambda path: list(find_known(path, pa.array(["e1"]))),
    "pages": lambda path: list(read_known_pages(path)),
    "dead_letters": lambda path: list(read_known_dead_letters(path)),
    "boilerplate": read_known_boilerplate,
}


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"\xff" * 40 + b"PAR1", b"words"])
@pytest.mark.parametrize("table", READERS)
def test_a_damaged_file_is_said(table: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "part-1.parquet"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"part-1\.parquet cannot be read") as raised:
        READERS[table](str(path))
    assert "\n" not in str(raised.value)


def index_file(tmp_path: Path, table: str) -> Path:
    add_run(tmp_path / "set", [row()], letters=[letter()])
    (path,) = (tmp_path / f"set/_index/v2/{table}").rglob("*.parquet")
    return path


@pytest.mark.parametrize("table", ["entries", "dead_letters"])
def test_no_flipped_byte_is_more_than_a_damaged_file(table: str, tmp_path: Path) -> None:
    """Found by fuzzing: a footer whose names are no text."""
    path = index_file(tmp_path, table)
    content, sound = path.read_bytes(), READERS[table](str(path))
    told, places = 0, range(0, len(content), 5)
    for place in places:
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            assert len(READERS[table](str(path))) <= len(sound)
        except DatasetError:
            told += 1
    assert told > len(places) / 2


def test_a_file_of_another_table_is_said(tmp_path: Path) -> None:
    path = index_file(tmp_path, "dead_letters")
    with pytest.raises(DatasetError, match="has no column entry_id as an index file has"):
        READERS["entries"](str(path))
