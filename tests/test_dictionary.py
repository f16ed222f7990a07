from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from schemas.arrow import DEAD_LETTERS, DUPLICATES, ENTRIES
from schemas.dictionary import MEANINGS, columns, markdown, tables, type_name


def test_every_column_has_its_meaning_and_no_meaning_is_left_over() -> None:
    assert MEANINGS.keys() == {*DUPLICATES.names, *DEAD_LETTERS.names}
    assert [name for name, meaning in MEANINGS.items() if not meaning or "|" in meaning] == []


def test_types_in_short() -> None:
    types = {type_name(field) for field in ENTRIES}
    assert types == {"string", "int32", "bool", "float", "list<string>", "timestamp[us, UTC]"}


def test_a_table_may_leave_out_the_columns_of_another() -> None:
    first = columns(DUPLICATES, without=ENTRIES)[0]
    assert first == ("duplicate_of", "string", MEANINGS["duplicate_of"])
    assert markdown([first]).splitlines()[2] == f"| {' | '.join(first)} |"


def test_the_command_prints_the_tables() -> None:
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-m", "schemas.dictionary"],
        cwd=root, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert [name for name, rows in tables().items() if markdown(rows) not in done.stdout] == []
