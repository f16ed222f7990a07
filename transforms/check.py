"""Check: whether a dataset is what its manifests say, and what is wrong where it is not."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.arrow import SCHEMA_VERSION
from schemas.errors import DatasetError
from schemas.topics import QCODES
from transforms import storage
from transforms.commit import read_manifests, unfinished_runs
from transforms.index import is_of_another_version
from transforms.manifests import (
    MARKER,
    RUNS,
    STAGING,
    committed_files,
    is_torn,
    manifest_path,
)
from transforms.tables import TABLES, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

QUARANTINE = "_quarantine"
"""Where a repair moves what does not belong to the dataset; nothing there is ever read."""

_OURS = ("_lock.", f"{QUARANTINE}/", "_iceberg/")
_SHOWN_MAX = 20
"""Of rows with the same fault so many are named; how many more there are is said."""

_HELD = ("entries", "revisions", "duplicates")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    kind: ``unfinished`` (a run that was interrupted), ``stray`` (a file that no
        manifest names), ``index`` (it disagrees with the rows), ``damage`` (anything else).
    path: below the dataset; empty for the dataset as a whole.
    said: what is wrong, on one line.
    """

    kind: Literal["unfinished", "stray", "index", "damage"]
    path: str
    said: str

    def __str__(self) -> str:
        return f"{self.path}: {self.said}" if self.path else self.said


def find_faults(dataset: str) -> Iterator[Fault]:
    """Everything that is wrong with a dataset, file by file and then as a whole.

    One file is held at a time; keys of rows are compared on disk.
    """
    if not storage.exists(storage.join(dataset, MARKER)):
        yield Fault("damage", MARKER, "is missing")
    try:
        unfinished = unfinished_runs(dataset)
        manifests = read_manifests(dataset)
        files = committed_files(manifests)
    except (DatasetError, KeyError, TypeError) as error:
        yield Fault("damage", "", f"a manifest cannot be read: {error}")
        return
    for run_id in unfinished:
        yield Fault("unfinished", "", f"run {run_id} was interrupted while it was committed")
    yield from _strays(dataset, manifests, files, unfinished)
    if unfinished:  # its files are here and there: first things first
        return
    for manifest in manifests:
        yield from _wrong_counts(manifest)
    with _keys() as keys:
        damaged = False
        for final in sorted(files):
            for fault in _check_file(dataset, files[final], keys):
                damaged = True
                yield fault
        if damaged:
            return
        knows_all = not any(map(is_of_another_version, files))
        if not knows_all:
            yield Fault("index", "", "the index is of another version: see reindex")
        yield from _check_keys(keys, with_index=knows_all)


def _strays(
    dataset: str,
    manifests: list[dict[str, Any]],
    files: dict[str, Any],
    unfinished: dict[str, dict[str, Any]],
) -> Iterator[Fault]:
    expected = {MARKER, *files, *(manifest_path(run["run_id"]) for run in manifests)}
    for run_id, intent in unfinished.items():
        expected |= {file[name] for file in intent["files"] for name in ("staged", "final")}
        expected |= {f"{RUNS}/{run_id}.intent.json", *intent["manifest"].get("removed", ())}
    start = len(storage.join(dataset, ""))
    staged = 0
    for path in storage.files_below(dataset, "**"):
        name = path[start:]
        if name in expected or name.startswith(_OURS) or _is_note(name):
            continue
        if name.startswith(f"{STAGING}/"):
            staged += 1
        elif is_torn(name.removeprefix(f"{RUNS}/")):
            yield Fault("unfinished", name, "was being written when its run was interrupted")
        else:
            yield Fault("stray", name, "belongs to no run")
    if staged:
        yield Fault("unfinished", STAGING, f"{staged} files of a run that was interrupted")


def _is_note(name: str) -> bool:
    """What a command notes for itself beside the index; only Parquet is read as rows."""
    return name.startswith("_index/") and name.endswith((".json", ".json.tmp"))


def _wrong_counts(manifest: dict[str, Any]) -> Iterator[Fault]:
    """What a run counted, against the rows of the files that it named."""
    for table in ("entries", "duplicates", "dead_letters"):
        rows = sum(file["rows"] for file in manifest["files"] if file["table"] == table)
        counted = manifest.get("counts", {}).get(table, rows)
        if "removed" not in manifest and counted != rows:
            said = f"counts {counted} {table}, its files hold {rows}"
            yield Fault("damage", manifest_path(manifest["run_id"]), said)


def _check_file(
    dataset: str, file: dict[str, Any], keys: duckdb.DuckDBPyConnection
) -> Iterator[Fault]:
    final = file["final"]
    try:
        with storage.open_read(storage.join(dataset, final)) as opened:
            content = opened.read()
    except OSError as error:
        lost = not storage.exists(storage.join(dataset, final))
        yield Fault("damage", final, "is missing" if lost else storage.reason(error))
        return
    if len(content) != file["size_bytes"]:
        said = f"has {len(content)} bytes, its run wrote {file['size_bytes']}"
        yield Fault("damage", final, said)
    elif hashlib.sha256(content).hexdigest() != file["sha256"]:
        yield Fault("damage", final, "has other bytes than its run wrote")
    try:
        rows = pq.read_table(pa.BufferReader(content), page_checksum_verification=True)
    except storage.UNREADABLE as error:
        yield Fault("damage", final, f"is no whole Parquet file: {storage.reason(error)}")
        return
    if len(rows) != file["rows"]:
        yield Fault("damage", final, f"has {len(rows)} rows, its run wrote {file['rows']}")
    if file["table"] not in TABLES or is_of_another_version(final):
        return
    table = TABLES[file["table"]]
    if wrong := list(_wrong_columns(table, rows.schema)):
        yield Fault("damage", final, f"is not of the schema: {'; '.join(wrong)}")
        return
    for said in _wrong_partition(file["table"], final, rows):
        yield Fault("damage", final, said)
    _note_keys(keys, file["table"], rows)


def _wrong_columns(table: Table, schema: pa.Schema) -> Iterator[str]:
    """How a file's columns differ; those of an earlier schema version may be fewer."""
    metadata = schema.metadata or {}
    version = int(metadata.get(b"news_ingest.schema_version", b"0"))
    if not 1 <= version <= int(SCHEMA_VERSION):
        yield f"schema version {version or 'unknown'}"
    for field in table.schema:
        if field.name not in schema.names:
            if version >= int(SCHEMA_VERSION):
                yield f"no column {field.name}"
        elif schema.field(field.name).type != field.type:
            yield f"{field.name} is {schema.field(field.name).type}, not {field.type}"
    for name in schema.names:
        if name not in table.schema.names:
            yield f"column {name} is unknown"
    known = [name for name in table.schema.names if name in schema.names]
    if known != [name for name in schema.names if name in known]:
        yield "columns in another order"


def _wrong_partition(name: str, final: str, rows: pa.Table) -> Iterator[str]:
    """Rows that do not belong where their folder says."""
    values = dict(folder.split("=", 1) for folder in final.split("/")[:-1] if "=" in folder)
    if name in _HELD:
        day = rows["published_at"].cast(pa.date32()).cast(pa.string())
        first_seen = rows["fetched_at"].cast(pa.date32()).cast(pa.string())
        unknown = pc.and_(pc.is_null(day), pc.equal(rows["revision"], 0))
        day = pc.if_else(unknown, first_seen, day)
        qcode = QCODES.get(values["topic"])
        topic = pc.is_null(rows["topic_qcode"]) if qcode is None else pc.equal(
            rows["topic_qcode"], qcode
        )  # fmt: skip
        if n := len(rows) - (pc.sum(pc.fill_null(topic, False)).as_py() or 0):
            yield f"{n} rows are of another topic than {values['topic']}"
    elif name == "dead_letters":
        day = rows["failed_at"].cast(pa.date32()).cast(pa.string())
    elif name == "known_entries":
        day = rows["date"]
    else:
        return
    if n := pc.sum(pc.not_equal(day, values["date"])).as_py():
        yield f"{n} rows are of another day than {values['date']}"


@contextlib.contextmanager
def _keys() -> Iterator[duckdb.DuckDBPyConnection]:
    """A place on disk for the keys of all rows."""
    with tempfile.TemporaryDirectory() as folder:
        keys = duckdb.connect(f"{folder}/keys.duckdb")
        keys.execute("SET memory_limit = '1GB'")
        entry = "entry_id VARCHAR, revision INTEGER, content_hash VARCHAR"
        keys.execute(f"CREATE TABLE held ({entry}, place VARCHAR)")
        keys.execute(f"CREATE TABLE known ({entry})")
        keys.execute("CREATE TABLE letters (dead_letter_id VARCHAR)")
        keys.execute("CREATE TABLE known_letters (dead_letter_id VARCHAR)")
        try:
            yield keys
        finally:
            keys.close()


def _note_keys(keys: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    of_entry = ["entry_id", "revision", "content_hash"]
    if name in _HELD:
        place = pa.array([name] * len(rows), pa.string())
        keys.from_arrow(rows.select(of_entry).append_column("place", place)).insert_into("held")
    elif name == "known_entries":
        keys.from_arrow(rows.select(of_entry)).insert_into("known")
    elif name in ("dead_letters", "known_dead_letters"):
        table = "letters" if name == "dead_letters" else "known_letters"
        keys.from_arrow(rows.select(["dead_letter_id"])).insert_into(table)


_QUERIES: tuple[tuple[Literal["damage", "index"], str, str], ...] = (
    (
        "damage",
        "entry {} revision {} is there {} times: {}",
        """SELECT entry_id, revision, count(*), string_agg(place, ', ' ORDER BY place)
        FROM held GROUP BY ALL HAVING count(*) > 1""",
    ),
    (
        "damage",
        "dead letter {} is there {} times",
        "SELECT dead_letter_id, count(*) FROM letters GROUP BY ALL HAVING count(*) > 1",
    ),
    (
        "index",
        "entry {} revision {} is not in the index",
        """SELECT entry_id, revision
        FROM held ANTI JOIN known USING (entry_id, revision, content_hash)""",
    ),
    (
        "index",
        "the index knows entry {} revision {}, which is nowhere",
        """SELECT entry_id, revision
        FROM known ANTI JOIN held USING (entry_id, revision, content_hash)""",
    ),
    (
        "index",
        "dead letter {} is not in the index",
        "FROM letters ANTI JOIN known_letters USING (dead_letter_id)",
    ),
    (
        "index",
        "the index knows dead letter {}, which is nowhere",
        "FROM known_letters ANTI JOIN letters USING (dead_letter_id)",
    ),
)
"""Kind of fault, what is said of a row, and the rows with it."""


def _check_keys(keys: duckdb.DuckDBPyConnection, *, with_index: bool) -> Iterator[Fault]:
    """Rows that are there twice, and what the index does not know, or knows in vain."""
    for kind, said, query in _QUERIES:
        if kind == "index" and not with_index:
            continue
        found = keys.sql(query)
        shown = found.order("ALL").limit(_SHOWN_MAX).fetchall()
        for row in shown:
            yield Fault(kind, "", said.format(*row))
        if len(shown) == _SHOWN_MAX and (more := len(found) - _SHOWN_MAX):
            yield Fault(kind, "", f"{more} more like it: {said.format(*'....')}")
