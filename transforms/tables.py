"""Tables: what the dataset holds, and how Arrow batches become its Parquet files.

Rows come in any order and for any number of partitions, and memory stays bounded:
``spill`` writes batches to hidden files, sorted by partition; ``merge_chunks`` reads
back what belongs to one partition and writes its Parquet files, once. A partition
that is too large to be sorted at once is cut by its sort keys first.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import uuid
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas import arrow
from transforms import storage
from transforms.commit import StagedFile, staging_path
from transforms.index import KNOWN_BOILERPLATE, KNOWN_DEAD_LETTERS, KNOWN_ENTRIES, KNOWN_PAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

SPILL_BYTES = 64 << 20
"""So much is held, as Arrow counts it, before it is spilled; spilling takes twice as much again."""

FILE_BYTES_MAX = 128 << 20
"""A partition that takes more than this in memory becomes several files."""

ROWS_PER_GROUP = 50_000

_WRITTEN_BYTES = 1 << 20
"""A file is written so much at a time: Parquet is made of many small pieces."""

_PARTITION_VALUE = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the dataset.

    folder: below the dataset, without the partitions.
    sort_by: the order of rows within a file, so that a repeated run writes the
        same bytes and readers can skip row groups.
    partition_by: the columns that name its folders; in the batches that are
        written, and in the files only if the schema has them.
    repeating: columns whose values repeat, worth a dictionary.
    """

    folder: str
    schema: pa.Schema
    sort_by: tuple[str, ...]
    partition_by: tuple[str, ...] = ("date",)
    repeating: tuple[str, ...] = ()

    @property
    def batch_schema(self) -> pa.Schema:
        """The columns of the files, then those partition columns that are not in them."""
        schema = self.schema
        for name in self.partition_by:
            if name not in schema.names:
                schema = schema.append(pa.field(name, pa.string()))
        return schema

    def folder_of(self, values: Sequence[str]) -> str:
        """The folder of a partition below the dataset.

        Raises ValueError for a value that is no date or slug: it would make a path.
        """
        for value in values:
            if not _PARTITION_VALUE.fullmatch(value):
                raise ValueError(f"{value!r} cannot name a partition of {self.folder}")
        parts = (f"{k}={v}" for k, v in zip(self.partition_by, values, strict=True))
        return "/".join([self.folder, *parts])


_BY_DATE_AND_TOPIC = ("date", "topic")
_IN_TIME = ("published_at", "entry_id", "revision")
_REPEATING = (
    "page_url", "publisher", "page_title", "authors.list.element", "time_source", "language",
    "topic_qcode", "topic_source", "topic_evidence", "tags.list.element", "split_by", "run_id",
    "source",
)  # fmt: skip

TABLES = {
    "entries": Table("entries", arrow.ENTRIES, _IN_TIME, _BY_DATE_AND_TOPIC, _REPEATING),
    "revisions": Table("revisions", arrow.ENTRIES, _IN_TIME, _BY_DATE_AND_TOPIC, _REPEATING),
    "duplicates": Table(
        "duplicates",
        arrow.DUPLICATES,
        _IN_TIME,
        _BY_DATE_AND_TOPIC,
        (*_REPEATING, "duplicate_kind"),
    ),
    "dead_letters": Table(
        "dead_letters",
        arrow.DEAD_LETTERS,
        ("failed_at", "dead_letter_id"),
        repeating=("code", "stage", "source", "run_id"),
    ),
    "known_entries": Table(
        KNOWN_ENTRIES, arrow.KNOWN_ENTRIES, ("entry_id", "revision"), repeating=("date", "topic")
    ),
    "known_boilerplate": Table(KNOWN_BOILERPLATE, arrow.KNOWN_BOILERPLATE, ("sentence_key",)),
    "known_pages": Table(KNOWN_PAGES, arrow.KNOWN_PAGES, ("uri", "fetched_at")),
    "known_dead_letters": Table(KNOWN_DEAD_LETTERS, arrow.KNOWN_DEAD_LETTERS, ("dead_letter_id",)),
}


class Partition(NamedTuple):
    """Where rows go: a table, and a folder below the dataset."""

    table: str
    folder: str


class Chunk(NamedTuple):
    """Rows of one partition in a spilled file.

    path: below the dataset; start, length: the bytes of the Arrow message in it.
    size_bytes: of the rows in memory.
    """

    path: str
    start: int
    length: int
    rows: int
    size_bytes: int


def spill(
    dataset: str, run_id: str, name: str, batches: Sequence[pa.RecordBatch]
) -> list[tuple[tuple[str, str], Chunk]]:
    """Write batches of a table to one hidden file, sorted by partition.

    name: of the table, a key of TABLES; batches have its ``batch_schema``. What
    comes out are pairs that can be grouped by their first, a Partition.
    """
    table = TABLES[name]
    data = pa.Table.from_batches(batches, table.batch_schema).combine_chunks()
    codes = np.zeros(len(data), np.int64)
    folders: list[list[str]] = []
    for column in table.partition_by:
        values = data[column].combine_chunks().dictionary_encode()
        folders.append(values.dictionary.to_pylist())
        codes = codes * len(values.dictionary) + values.indices.to_numpy(zero_copy_only=False)
    rows = data.select(table.schema.names).cast(table.schema)
    parts = []
    for code, chunk in _spill_by(dataset, run_id, name, rows, codes):
        values, left = [], code
        for known in reversed(folders):
            left, index = divmod(left, len(known))
            values.append(known[index])
        parts.append(((name, table.folder_of(values[::-1])), chunk))
    return parts


def spill_rows(dataset: str, run_id: str, name: str, rows: pa.Table) -> list[Chunk]:
    """Write rows of one partition to a hidden file; no rows, no file."""
    return [chunk for _, chunk in _spill_by(dataset, run_id, name, rows, np.zeros(len(rows)))]


def conform(table: Table, rows: pa.Table) -> pa.Table:
    """Rows with the schema of today: what an earlier version did not write is null.

    Raises pa.ArrowInvalid if a column is of another type.
    """
    columns = [
        rows[field.name].cast(field.type)
        if field.name in rows.schema.names
        else pa.nulls(len(rows), field.type)
        for field in table.schema
    ]
    return pa.Table.from_arrays(columns, schema=table.schema)


def _spill_by(
    dataset: str, run_id: str, name: str, rows: pa.Table, codes: NDArray[Any]
) -> Iterator[tuple[int, Chunk]]:
    """One batch in one file for every code, in their order."""
    order = np.argsort(codes, kind="stable")
    if not len(order):
        return
    codes, data = codes[order], rows.take(pa.array(order)).combine_chunks()
    starts = np.flatnonzero(np.diff(codes, prepend=-1)).tolist()
    path = staging_path(run_id, f"{name}/{uuid.uuid4().hex}.chunk")
    chunks, begin = [], 0
    with storage.open_write(storage.join(dataset, path)) as file:
        for start, end in itertools.pairwise([*starts, len(codes)]):
            (part,) = data.slice(start, end - start).to_batches()
            message = part.serialize()
            file.write(message)
            chunk = Chunk(path, begin, len(message), len(part), part.nbytes)
            chunks.append((int(codes[start]), chunk))
            begin += len(message)
    yield from chunks


def merge_chunks(
    dataset: str, run_id: str, partition: Partition, chunks: Iterable[Chunk]
) -> list[StagedFile]:
    """The final files of a partition, still staged; they cover disjoint ranges of its order."""
    waiting = sorted(chunks)
    files = -(-sum(chunk.size_bytes for chunk in waiting) // FILE_BYTES_MAX)
    cut = [waiting] if files <= 1 else _cut(dataset, run_id, partition.table, waiting, files)
    return [
        stage_file(
            dataset,
            run_id,
            partition,
            shard,
            pa.Table.from_batches(_read(dataset, partition.table, part)),
        )
        for shard, part in enumerate(cut)
    ]


def _cut(
    dataset: str, run_id: str, name: str, chunks: list[Chunk], files: int
) -> list[list[Chunk]]:
    """Spill a large partition again, by ranges of its sort keys with equally many rows."""
    table = TABLES[name]
    keys = pa.Table.from_batches(
        batch.select(table.sort_by) for batch in _read(dataset, name, chunks)
    )
    ranks = np.empty(len(keys), np.int64)
    ranks[_order(table, keys).to_numpy()] = np.arange(len(keys))
    ranges = ranks * files // len(keys)
    cut: list[list[Chunk]] = [[] for _ in range(files)]
    start = 0
    for batch in _read(dataset, name, chunks):
        part = ranges[start : start + len(batch)]
        start += len(batch)
        rows = pa.Table.from_batches([batch])
        for number, chunk in _spill_by(dataset, run_id, name, rows, part):
            cut[number].append(chunk)
    return cut


def _read(dataset: str, name: str, chunks: Iterable[Chunk]) -> Iterator[pa.RecordBatch]:
    """The rows of chunks, one after the other."""
    for chunk in chunks:
        with storage.open_read(storage.join(dataset, chunk.path)) as file:
            file.seek(chunk.start)
            message = file.read(chunk.length)
        yield pa.ipc.read_record_batch(pa.py_buffer(message), TABLES[name].schema)


def _order(table: Table, data: pa.Table) -> pa.Array:
    keys = data.select(table.sort_by).combine_chunks()
    return pc.sort_indices(keys, [(name, "ascending") for name in table.sort_by])


def stage_file(
    dataset: str, run_id: str, partition: Partition, shard: int, data: pa.Table
) -> StagedFile:
    """Sort rows and write them as one file of a partition, where nobody sees it yet."""
    table = TABLES[partition.table]
    data = data.combine_chunks()
    data = data.take(_order(table, data))
    staged = staging_path(run_id, f"{partition.folder}/{uuid.uuid4().hex}.file")
    sha256, size_bytes = write_parquet(storage.join(dataset, staged), table, data)
    return StagedFile(
        table=partition.table,
        staged=staged,
        final=f"{partition.folder}/part-{run_id}-{shard:05d}.parquet",
        rows=len(data),
        size_bytes=size_bytes,
        sha256=sha256,
    )


def write_parquet(path: str, table: Table, data: pa.Table) -> tuple[str, int]:
    """One Parquet file of sorted rows; its SHA-256 in hex, and its size in bytes.

    zstd, row groups sized for scans, statistics by column and by page, the
    order of rows declared, so that a reader can skip what it does not need.
    """
    order = [(name, "ascending") for name in table.sort_by]
    with storage.open_write(path) as file:
        hashed = _Hashed(file)
        with pa.output_stream(hashed, buffer_size=_WRITTEN_BYTES) as buffered:
            pq.write_table(
                data,
                buffered,
                compression="zstd",
                row_group_size=ROWS_PER_GROUP,
                use_dictionary=list(table.repeating),
                sorting_columns=pq.SortingColumn.from_ordering(table.schema, order),
                write_page_index=True,
                write_page_checksum=True,
            )
    return hashed.digest.hexdigest(), hashed.size_bytes


class _Hashed:
    """A file that is hashed while it is written, so that it need not be read again."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size_bytes = 0
        self.closed = False

    def write(self, data: Any) -> int:
        """Write and hash."""
        self.digest.update(data)
        self.size_bytes += len(data)
        self._file.write(data)
        return len(data)

    def tell(self) -> int:
        """How much was written."""
        return self.size_bytes

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """The file is closed by whoever opened it."""
        self.closed = True
