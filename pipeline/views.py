"""A dataset as DuckDB views: what is committed can be read, and nothing else."""

from __future__ import annotations

import contextlib
import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from pipeline.dataset import read_manifests
from schemas.arrow import DEAD_LETTERS, DUPLICATES, ENTRIES
from schemas.counts import COUNTED
from schemas.errors import DatasetError, UsageError
from transforms.manifests import committed_files

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOURCES = {
    "entries": "FROM folders.entries",
    "revisions": "FROM folders.entries UNION ALL BY NAME FROM folders.revisions",
    "entries_latest": "FROM revisions "
    "QUALIFY revision = max(revision) OVER (PARTITION BY entry_id)",
    "duplicates": "FROM folders.duplicates",
    "dead_letters": "FROM folders.dead_letters",
}
VIEWS = ("entries_latest", "entries", "revisions", "duplicates", "dead_letters", "runs")
"""What a query may read: ``entries`` are the rows of that folder, one for each text of an
entry; ``revisions`` those and what compaction set aside; ``entries_latest`` only the
latest text of each; ``runs`` one row for each manifest."""

_DATE = pa.field("date", pa.date32())
_TOPIC = pa.field("topic", pa.string())
_PARQUET = {
    "entries": pa.schema([*ENTRIES, _DATE, _TOPIC]),
    "revisions": pa.schema([*ENTRIES, _DATE, _TOPIC]),
    "duplicates": pa.schema([*DUPLICATES, _DATE, _TOPIC]),
    "dead_letters": pa.schema([*DEAD_LETTERS, _DATE]),
}
"""The folders of the dataset and what their files hold, partitions included."""

_TIMESTAMP = pa.timestamp("us", tz="UTC")
_RUNS = pa.schema(
    [
        ("run_id", pa.string()),
        ("started_at", _TIMESTAMP),
        ("finished_at", _TIMESTAMP),
        *((name, pa.int64()) for name in COUNTED),
        ("counts", pa.map_(pa.string(), pa.int64())),
        ("sources", pa.list_(pa.string())),
    ]
)
_LOCKED = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
}


@contextlib.contextmanager
def open_views(dataset: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the VIEWS of a local dataset, in UTC.

    Only files that a manifest names can be read, nothing can be attached,
    installed or reached over the network, and none of this can be undone.

    Raises UsageError if there is no dataset, DatasetError if it is damaged.
    """
    if "://" in dataset:
        raise UsageError(
            f"DATASET {dataset}: must be a folder on this machine; copy it, "
            "or read its Parquet files with an engine that knows the storage"
        )
    manifests = read_manifests(dataset)
    files = {folder: _committed(dataset, manifests, folder) for folder in _PARQUET}
    with tempfile.TemporaryDirectory() as spill:
        connection = duckdb.connect(config={"temp_directory": spill, **_LOCKED})
        try:
            _make_views(connection, files, _runs_table(manifests))
            yield connection
        except duckdb.IOException as error:
            raise DatasetError(f"{dataset} cannot be read: {one_line(error)}") from error
        finally:
            connection.close()


def one_line(error: duckdb.Error) -> str:
    """What DuckDB complains of, without its kind and without the query."""
    said = str(error).partition("\n\nLINE")[0]
    return " ".join(said.partition("Error: ")[2].split() or said.split())


def _committed(dataset: str, manifests: list[dict[str, Any]], folder: str) -> list[str]:
    finals = committed_files(manifests)
    root = Path(dataset).resolve()
    paths = [root / final for final in finals if final.startswith(f"{folder}/")]
    if lost := next((path for path in paths if not path.is_file()), None):
        raise DatasetError(f"{lost} is missing: restore it from a backup")
    return [str(path) for path in paths]


def _make_views(
    connection: duckdb.DuckDBPyConnection, files: dict[str, list[str]], runs: pa.Table
) -> None:
    connection.execute("SET TimeZone = 'UTC'")
    connection.from_arrow(runs).create("runs")
    connection.execute("CREATE SCHEMA empty; CREATE SCHEMA folders")
    for folder, schema in _PARQUET.items():
        connection.from_arrow(schema.empty_table()).create(f"empty.{folder}")
    paths = [path for paths in files.values() for path in paths]
    connection.execute(f"SET allowed_paths = {_sql_list(paths)}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    for folder in _PARQUET:
        connection.execute(f"CREATE VIEW folders.{folder} AS {_select(folder, files[folder])}")
    for view, source in _SOURCES.items():
        connection.execute(f"CREATE VIEW {view} AS {source}")


def _select(folder: str, paths: list[str]) -> str:
    """The rows of a folder, also of older files, which may lack a column of today."""
    if not paths:
        return f"FROM empty.{folder}"
    types = {"date": "DATE", "topic": "VARCHAR"}
    here = {name: types[name] for name in types if name in _PARQUET[folder].names}
    return (
        f"FROM empty.{folder} UNION ALL BY NAME "
        f"FROM read_parquet({_sql_list(paths)}, union_by_name = true, "
        f"hive_partitioning = true, hive_types = {here})"
    )


def _runs_table(manifests: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist([_run(manifest) for manifest in manifests], schema=_RUNS)


def _run(manifest: dict[str, Any]) -> dict[str, Any]:
    counts = manifest.get("counts", {})
    return {
        "run_id": manifest["run_id"],
        **{name: _moment(manifest.get(name)) for name in ("started_at", "finished_at")},
        **{name: counts.get(name, 0) for name in COUNTED},
        "counts": list(counts.items()),
        "sources": manifest.get("sources", []),
    }


def _moment(iso: str | None) -> datetime | None:
    return datetime.fromisoformat(iso) if iso else None


def _sql_list(texts: list[str]) -> str:
    return "[" + ", ".join("'" + text.replace("'", "''") + "'" for text in texts) + "]"
