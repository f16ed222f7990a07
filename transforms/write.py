"""Write: rows to Parquet files by partition, committed as one run.

Rows are buffered by partition and staged in sorted chunks; the chunks of a
partition become one file; one commit makes all files of the run visible.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.utils.windowed_value import WindowedValue

from schemas import arrow
from transforms import storage
from transforms.commit import StagedFile, commit_run, sha256_of, staging_path
from transforms.index import KNOWN_DEAD_LETTERS, KNOWN_ENTRIES, KNOWN_PAGES
from transforms.outcomes import Moments, latency_s, utc_now

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from apache_beam.pvalue import PCollection

    from schemas.records import DeadLetter, DuplicateRow, EntryRow, KnownEntry, KnownPage

BUFFERED_ROWS_MAX = 50_000
"""A worker holds no more rows than this; the fullest partition is staged first."""

ROWS_PER_FILE_MAX = 1_000_000
ROWS_PER_GROUP = 50_000


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the dataset.

    folder: below the dataset, without the partitions.
    sort_by: the order of rows within a file, so that a repeated run writes the
        same bytes and readers can skip row groups.
    """

    folder: str
    schema: pa.Schema
    sort_by: tuple[str, ...]


TABLES = {
    "entries": Table("entries", arrow.ENTRIES, ("published_at", "entry_id", "revision")),
    "duplicates": Table("duplicates", arrow.DUPLICATES, ("published_at", "entry_id", "revision")),
    "dead_letters": Table("dead_letters", arrow.DEAD_LETTERS, ("failed_at", "dead_letter_id")),
    "known_entries": Table(KNOWN_ENTRIES, arrow.KNOWN_ENTRIES, ("entry_id", "revision")),
    "known_pages": Table(KNOWN_PAGES, arrow.KNOWN_PAGES, ("uri", "fetched_at")),
    "known_dead_letters": Table(KNOWN_DEAD_LETTERS, arrow.KNOWN_DEAD_LETTERS, ("dead_letter_id",)),
}


class Partition(NamedTuple):
    """Where a row goes: a table, and a folder below the dataset."""

    table: str
    folder: str


Row = tuple[Any, ...]
"""The values of a row in the order of its table's schema."""


def entry_row(entry: EntryRow) -> tuple[Partition, Row]:
    """An entry's place and values."""
    folder = f"entries/date={entry.date}/topic={entry.topic}"
    return Partition("entries", folder), _values(entry, arrow.ENTRIES.names)


def duplicate_row(duplicate: DuplicateRow) -> tuple[Partition, Row]:
    """A duplicate's place and values: the whole entry and what it duplicates."""
    row = duplicate.row
    removed = (duplicate.duplicate_of, duplicate.duplicate_kind, duplicate.duplicate_score)
    folder = f"duplicates/date={row.date}/topic={row.topic}"
    return Partition("duplicates", folder), _values(row, arrow.ENTRIES.names) + removed


def dead_letter_rows(letter: DeadLetter, run_id: str) -> Iterator[tuple[Partition, Row]]:
    """A dead letter's place and values, and its line in the index."""
    *names, _ = arrow.DEAD_LETTERS.names
    values = (*_values(letter, names), run_id)
    yield Partition("dead_letters", f"dead_letters/date={letter.date}"), values
    known = Partition("known_dead_letters", f"{KNOWN_DEAD_LETTERS}/date={letter.date}")
    yield known, (letter.dead_letter_id,)


def known_entry_row(known: KnownEntry) -> tuple[Partition, Row]:
    """The line of an entry or duplicate in the index."""
    folder = f"{KNOWN_ENTRIES}/date={known.date}"
    return Partition("known_entries", folder), _values(known, arrow.KNOWN_ENTRIES.names)


def known_page_row(known: KnownPage) -> tuple[Partition, Row]:
    """The line of a page in the index."""
    folder = f"{KNOWN_PAGES}/date={known.date}"
    return Partition("known_pages", folder), _values(known, arrow.KNOWN_PAGES.names)


def _values(record: Any, names: Iterable[str]) -> Row:
    return tuple(getattr(record, name) for name in names)


def to_arrow(table: Table, rows: list[Row]) -> pa.Table:
    """Rows as a sorted Arrow table of the contract's schema."""
    columns = [
        pa.array(column, type=field.type)
        for column, field in zip(zip(*rows, strict=True), table.schema, strict=True)
    ]
    return _sorted(table, pa.Table.from_arrays(columns, schema=table.schema))


def _sorted(table: Table, data: pa.Table) -> pa.Table:
    return data.sort_by([(name, "ascending") for name in table.sort_by])


def write_parquet(path: str, data: pa.Table) -> None:
    """One Parquet file: zstd, row groups sized for scans, statistics for skipping."""
    with storage.open_write(path) as file:
        pq.write_table(data, file, compression="zstd", row_group_size=ROWS_PER_GROUP)


class Chunk(NamedTuple):
    """A staged, sorted part of a partition."""

    path: str
    rows: int


def merge_chunks(
    dataset: str, run_id: str, partition: Partition, chunks: Iterable[Chunk]
) -> Iterator[StagedFile]:
    """The final files of a partition, still staged; one chunk is taken as it is."""
    table = TABLES[partition.table]
    waiting = sorted(chunks)
    if len(waiting) == 1 and waiting[0].rows <= ROWS_PER_FILE_MAX:
        yield _staged(dataset, run_id, partition, 0, waiting[0])
        return
    data = _sorted(table, pa.concat_tables(_read(dataset, chunk.path) for chunk in waiting))
    for shard, start in enumerate(range(0, len(data), ROWS_PER_FILE_MAX)):
        part = data.slice(start, ROWS_PER_FILE_MAX)
        path = staging_path(run_id, f"{partition.folder}/{shard:05d}.merged")
        write_parquet(storage.join(dataset, path), part)
        yield _staged(dataset, run_id, partition, shard, Chunk(path, len(part)))


def _read(dataset: str, path: str) -> pa.Table:
    with storage.open_read(storage.join(dataset, path)) as file:
        return pq.read_table(file)


def _staged(
    dataset: str, run_id: str, partition: Partition, shard: int, chunk: Chunk
) -> StagedFile:
    sha256, size_bytes = sha256_of(storage.join(dataset, chunk.path))
    return StagedFile(
        table=partition.table,
        staged=chunk.path,
        final=f"{partition.folder}/part-{run_id}-{shard:05d}.parquet",
        rows=chunk.rows,
        size_bytes=size_bytes,
        sha256=sha256,
    )


class _StageRows(beam.DoFn):
    """Buffers rows by partition and window; stages them when there are too many."""

    def __init__(self, dataset: str, run_id: str) -> None:
        self._dataset = dataset
        self._run_id = run_id

    def start_bundle(self) -> None:
        self._buffers: dict[tuple[Any, Partition], list[Row]] = {}
        self._buffered = 0

    def process(
        self, row: tuple[Partition, Row], window: Any = beam.DoFn.WindowParam
    ) -> Iterator[WindowedValue]:
        self._buffers.setdefault((window, row[0]), []).append(row[1])
        self._buffered += 1
        if self._buffered >= BUFFERED_ROWS_MAX:
            fullest = max(self._buffers, key=lambda key: len(self._buffers[key]))
            yield self._stage(*fullest)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for window, partition in list(self._buffers):
            yield self._stage(window, partition)

    def _stage(self, window: Any, partition: Partition) -> WindowedValue:
        rows = self._buffers.pop((window, partition))
        self._buffered -= len(rows)
        path = staging_path(self._run_id, f"{partition.folder}/{uuid.uuid4().hex}.chunk")
        write_parquet(storage.join(self._dataset, path), to_arrow(TABLES[partition.table], rows))
        staged = (tuple(partition), (path, len(rows)))
        return WindowedValue(staged, window.max_timestamp(), (window,))


class _MergeChunks(beam.DoFn):
    def __init__(self, dataset: str, run_id: str) -> None:
        self._dataset = dataset
        self._run_id = run_id

    def process(
        self, staged: tuple[tuple[str, str], Iterable[tuple[str, int]]]
    ) -> Iterator[StagedFile]:
        partition = Partition(*staged[0])
        chunks = [Chunk(*chunk) for chunk in staged[1]]
        yield from merge_chunks(self._dataset, self._run_id, partition, chunks)


class _CommitRun(beam.DoFn):
    def __init__(self, dataset: str, manifest: dict[str, Any], *, even_empty: bool) -> None:
        self._dataset = dataset
        self._manifest = manifest
        self._even_empty = even_empty

    def process(self, run: tuple[None, Iterable[Any]]) -> Iterator[dict[str, Any]]:
        files: list[StagedFile] = []
        counts: dict[str, int] = {}
        moments: list[Moments] = []
        for part in run[1]:
            if isinstance(part, StagedFile):
                files.append(part)
            elif isinstance(part, Moments):
                moments.append(part)
            else:
                counts[part[0]] = part[1]
        finished_at = utc_now()
        manifest = {
            **self._manifest,
            "counts": counts,
            "finished_at": finished_at.isoformat(timespec="seconds"),
        }
        if moments:
            manifest["latency_s"] = latency_s(moments, finished_at)
        if files or self._even_empty:
            yield commit_run(self._dataset, manifest, files)
        else:
            yield {**manifest, "files": []}


@dataclass
class WriteDataset(beam.PTransform[Any, Any]):
    """The outcomes of a run -> its files, committed; the manifest comes out.

    Takes a dict of PCollections: ``entries``, ``duplicates``, ``known`` (of
    entries and duplicates), ``pages`` (for the index), ``dead_letters`` and
    ``counts`` (``(name, n)`` pairs, never empty, or nothing is committed), and
    ``moments`` of the entries whose latency is to be told.

    even_empty: whether a run without files is committed, too.
    """

    dataset: str
    manifest: dict[str, Any]
    even_empty: bool = True

    def expand(self, outcomes: dict[str, PCollection[Any]]) -> Any:
        """One manifest, as written."""
        run_id = self.manifest["run_id"]
        commit = _CommitRun(self.dataset, self.manifest, even_empty=self.even_empty)
        rows = (
            outcomes["entries"] | "EntryRows" >> beam.Map(entry_row),
            outcomes["duplicates"] | "DuplicateRows" >> beam.Map(duplicate_row),
            outcomes["known"] | "KnownRows" >> beam.Map(known_entry_row),
            outcomes["pages"] | "PageRows" >> beam.Map(known_page_row),
            outcomes["dead_letters"] | "DeadLetterRows" >> beam.FlatMap(dead_letter_rows, run_id),
        )
        files = (
            rows
            | "Rows" >> beam.Flatten()
            | "Stage" >> beam.ParDo(_StageRows(self.dataset, run_id))
            | "GroupPartitions" >> beam.GroupByKey()
            | "Merge" >> beam.ParDo(_MergeChunks(self.dataset, run_id))
        )
        counts = outcomes["counts"] | "AddUp" >> beam.CombinePerKey(sum)
        return (
            (files, counts, outcomes["moments"])
            | "Parts" >> beam.Flatten()
            | "ForOneCommit" >> beam.Map(lambda part: (None, part))
            | "GatherRun" >> beam.GroupByKey()
            | "Commit" >> beam.ParDo(commit)
        )
