"""``query``: one SELECT over a dataset, as a table, CSV, JSON lines or Parquet. No Beam."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import re
import shutil
import sys
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq

from pipeline.files import whole_file
from pipeline.views import VIEWS, one_line, open_views
from schemas.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

FORMATS = ("table", "csv", "json", "parquet")

_ROWS_SHOWN_MAX = 40
_ROWS_PER_BATCH = 10_000
_WIDTH_IF_PIPED = 160
_UNSEEN = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What may steer a terminal or turn its text round; DuckDB itself shows the rest as escapes."""


def run(options: argparse.Namespace) -> int:
    """Print the answer, or write it to a file.

    Raises UsageError for what is no SELECT, or none that can be answered.
    """
    form = options.format or _format_of(options.output)
    if form == "parquet" and not options.output:
        raise UsageError("--format parquet: is no text; add --output FILE")
    with open_views(options.dataset) as connection:
        try:
            _give(select(connection, options.sql), form, options.output)
        except duckdb.Error as error:
            unknown = isinstance(error, duckdb.CatalogException)
            hint = f" (views: {', '.join(VIEWS)})" if unknown else ""
            raise UsageError(f"SQL: {one_line(error)}{hint}") from error
    return 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gives, computed when it is read."""

    connection: duckdb.DuckDBPyConnection
    sql: str

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """The rows as Python values."""
        cursor = self.connection.execute(self.sql)
        while rows := cursor.fetchmany(_ROWS_PER_BATCH):
            yield from rows

    def columns(self) -> list[str]:
        """The names of the columns."""
        return self.relation().columns

    def relation(self) -> duckdb.DuckDBPyRelation:
        """The same for DuckDB's own printing and for Arrow."""
        return self.connection.sql(self.sql)


def select(connection: duckdb.DuckDBPyConnection, sql: str) -> Answer:
    """The answer to one statement that only reads; raises UsageError if it is another."""
    statements = duckdb.extract_statements(sql)
    if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
        raise UsageError("SQL: give one SELECT; a dataset can be read only")
    return Answer(connection, sql)


def _format_of(output: str | None) -> str:
    """What the ending of a file means, a table if nothing."""
    ending = Path(output or "").suffix.lstrip(".")
    return {"jsonl": "json", "ndjson": "json"}.get(ending, ending if ending in FORMATS else "table")


def _give(answer: Answer, form: str, output: str | None) -> None:
    if form == "parquet":
        with whole_file(str(output)) as file:
            _write_parquet(answer, file)
        return
    lines = {"table": table_lines, "csv": csv_lines, "json": json_lines}[form](answer)
    if output is None:
        sys.stdout.writelines(f"{line}\n" for line in lines)
        return
    with whole_file(output) as file:
        file.writelines(f"{line}\n".encode() for line in lines)


def table_lines(answer: Answer) -> Iterator[str]:
    """As wide as the terminal; the last line says how much of how much is shown."""
    width = shutil.get_terminal_size((_WIDTH_IF_PIPED, 0)).columns
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        answer.relation().show(max_width=width, max_rows=_ROWS_SHOWN_MAX)
    for line in shown.getvalue().rstrip().splitlines():
        yield _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", line)


def csv_lines(answer: Answer) -> Iterator[str]:
    """RFC 4180 with a head; nulls empty, times in ISO 8601 UTC, lists and maps as JSON."""
    yield _csv_line(answer.columns())
    for row in answer.rows():
        yield _csv_line([_csv_cell(plain(value)) for value in row])


def json_lines(answer: Answer) -> Iterator[str]:
    """One object a row, times in ISO 8601 UTC."""
    names = _distinct(answer.columns())
    for row in answer.rows():
        fields = zip(names, map(plain, row), strict=True)
        yield json.dumps(dict(fields), ensure_ascii=False)


def plain(value: Any) -> Any:
    """What JSON has for a value of DuckDB; no number where there is none."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(plain(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat().replace("+00:00", "Z")
    return value.hex() if isinstance(value, bytes) else str(value)


def _csv_cell(value: Any) -> Any:
    return (
        value if isinstance(value, str) or value is None else json.dumps(value, ensure_ascii=False)
    )


def _csv_line(cells: list[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


def _distinct(columns: list[str]) -> list[str]:
    twice = next((name for n, name in enumerate(columns) if name in columns[:n]), None)
    if twice is not None:
        raise UsageError(f"SQL: two columns are called {twice!r}; name one with AS")
    return columns


def _write_parquet(answer: Answer, file: IO[bytes]) -> None:
    _distinct(answer.columns())
    reader = answer.relation().to_arrow_reader(_ROWS_PER_BATCH)
    with pq.ParquetWriter(file, reader.schema, compression="zstd") as parquet:
        for batch in reader:
            parquet.write_batch(batch)
