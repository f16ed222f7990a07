"""Damaged index files: one line with the path, whoever reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from schemas.errors import DatasetError
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
