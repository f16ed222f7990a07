"""Write: records to Arrow batches to Parquet files by partition, committed as one run."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.utils.windowed_value import WindowedValue

from transforms import storage
from transforms.commit import StagedFile, commit_run, run_in
from transforms.counters import publish_counts
from transforms.outcomes import Moments, latency_s, utc_now
from transforms.tables import (
    FILE_BYTES_MAX,
    SPILL_BYTES,
    TABLES,
    Chunk,
    Partition,
    merge_chunks,
    spill,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from apache_beam.pvalue import PCollection

    from schemas.records import DeadLetter, DuplicateRow, EntryRow, KnownEntry, KnownPage

BATCH_ROWS = 1_000
"""So many records become one Arrow batch; records take much more memory than batches."""

Row = tuple[Any, ...]
"""The values of a row in the order of its table's ``batch_schema``."""

_ENTRY = TABLES["entries"].batch_schema.names
_DEAD_LETTER = TABLES["dead_letters"].batch_schema.names
_KNOWN_ENTRY = TABLES["known_entries"].batch_schema.names
_KNOWN_PAGE = TABLES["known_pages"].batch_schema.names


def entry_row(entry: EntryRow) -> Row:
    """The values of an entry."""
    return _values(entry, _ENTRY)


def duplicate_row(duplicate: DuplicateRow) -> Row:
    """The values of a duplicate: the whole entry and what it duplicates."""
    *values, date, topic = _values(duplicate.row, _ENTRY)
    removed = (duplicate.duplicate_of, duplicate.duplicate_kind, duplicate.duplicate_score)
    return (*values, *removed, date, topic)


def dead_letter_row(letter: DeadLetter, run_id: str) -> Row:
    """The values of a dead letter, which does not know its run."""
    return tuple(run_id if name == "run_id" else getattr(letter, name) for name in _DEAD_LETTER)


def known_entry_row(known: KnownEntry) -> Row:
    """The line of an entry or duplicate in the index."""
    return _values(known, _KNOWN_ENTRY)


def known_boilerplate_row(sentence_key: int, date: str) -> Row:
    """The line of a sentence that a publisher repeats; date: of the run."""
    return sentence_key, date


def known_page_row(known: KnownPage) -> Row:
    """The line of a page in the index."""
    return _values(known, _KNOWN_PAGE)


def known_dead_letter_row(letter: DeadLetter) -> Row:
    """The line of a dead letter in the index."""
    return letter.dead_letter_id, letter.date


def _values(record: Any, names: Iterable[str]) -> Row:
    return tuple(getattr(record, name) for name in names)


def to_batch(schema: pa.Schema, rows: list[Row]) -> pa.RecordBatch:
    """Rows as one Arrow batch."""
    columns = [
        pa.array(column, type=field.type)
        for column, field in zip(zip(*rows, strict=True), schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


class _BatchRows(beam.DoFn):
    """Records of a table to Arrow batches, by window."""

    def __init__(self, name: str, to_row: Callable[..., Row], run_id: str | None = None) -> None:
        self._schema = TABLES[name].batch_schema
        self._to_row = to_row
        self._run_id = run_id

    def start_bundle(self) -> None:
        self._rows: dict[Any, list[Row]] = {}

    def process(self, record: Any, window: Any = beam.DoFn.WindowParam) -> Iterator[pa.RecordBatch]:
        rows = self._rows.setdefault(window, [])
        run = (run_in(self._run_id, window),) if self._run_id else ()
        rows.append(self._to_row(record, *run))
        if len(rows) >= BATCH_ROWS:
            yield to_batch(self._schema, self._rows.pop(window))

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for window, rows in self._rows.items():
            yield _in_window(to_batch(self._schema, rows), window)


class _Threads:
    """The work of one bundle on all cores, bounded by what it holds in memory."""

    def __init__(self, dataset: str) -> None:
        self._dataset = dataset
        self._pool = ThreadPoolExecutor(min(os.cpu_count() or 1, _THREADS_MAX))
        self._running: deque[tuple[Future[Iterable[Any]], Any, int]] = deque()
        self._held_bytes = 0

    def start(
        self, window: Any, size_bytes: int, work: Callable[..., Iterable[Any]], *arguments: Any
    ) -> Iterator[WindowedValue]:
        """Have work done; what comes out are the results of earlier work, each in its window."""
        while self._running and self._held_bytes + size_bytes > _HELD_BYTES_MAX:
            yield from self._first_done()
        self._running.append((self._pool.submit(work, *arguments), window, size_bytes))
        self._held_bytes += size_bytes

    def end(self) -> Iterator[WindowedValue]:
        """The results that are left."""
        while self._running:
            yield from self._first_done()
        self._pool.shutdown()

    def _first_done(self) -> Iterator[WindowedValue]:
        future, window, size_bytes = self._running.popleft()
        with storage.writing(self._dataset):
            results = future.result()
        self._held_bytes -= size_bytes
        for result in results:
            yield _in_window(result, window)


_THREADS_MAX = 4
_HELD_BYTES_MAX = max(2 * SPILL_BYTES, FILE_BYTES_MAX)


class _SpillBatches(beam.DoFn):
    """Holds batches of a table and spills them, by partition, when they are too many."""

    def __init__(self, dataset: str, run_id: str, name: str) -> None:
        self._dataset = dataset
        self._run_id = run_id
        self._name = name

    def start_bundle(self) -> None:
        self._threads = _Threads(self._dataset)
        self._batches: dict[Any, list[pa.RecordBatch]] = {}
        self._held_bytes = 0

    def process(
        self, batch: pa.RecordBatch, window: Any = beam.DoFn.WindowParam
    ) -> Iterator[WindowedValue]:
        self._batches.setdefault(window, []).append(batch)
        self._held_bytes += batch.nbytes
        if self._held_bytes >= SPILL_BYTES:
            yield from self._spill()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        yield from self._spill()
        yield from self._threads.end()

    def _spill(self) -> Iterator[WindowedValue]:
        for window, batches in self._batches.items():
            size_bytes = sum(batch.nbytes for batch in batches)
            run_id = run_in(self._run_id, window)
            yield from self._threads.start(
                window, size_bytes, spill, self._dataset, run_id, self._name, batches
            )
        self._batches, self._held_bytes = {}, 0


class _MergeChunks(beam.DoFn):
    """Partitions, each with its chunks, to their files."""

    def __init__(self, dataset: str, run_id: str) -> None:
        self._dataset = dataset
        self._run_id = run_id

    def start_bundle(self) -> None:
        self._threads = _Threads(self._dataset)

    def process(
        self, spilled: tuple[Partition, Iterable[Chunk]], window: Any = beam.DoFn.WindowParam
    ) -> Iterator[WindowedValue]:
        partition, chunks = Partition(*spilled[0]), [Chunk(*chunk) for chunk in spilled[1]]
        size_bytes = min(sum(chunk.size_bytes for chunk in chunks), FILE_BYTES_MAX)
        run_id = run_in(self._run_id, window)
        yield from self._threads.start(
            window, size_bytes, merge_chunks, self._dataset, run_id, partition, chunks
        )

    def finish_bundle(self) -> Iterator[WindowedValue]:
        yield from self._threads.end()


def _in_window(value: Any, window: Any) -> WindowedValue:
    return WindowedValue(value, window.max_timestamp(), (window,))


class _CommitRun(beam.DoFn):
    def __init__(self, dataset: str, manifest: dict[str, Any], *, even_empty: bool) -> None:
        self._dataset = dataset
        self._manifest = manifest
        self._even_empty = even_empty

    def process(
        self, run: tuple[None, Iterable[Any]], window: Any = beam.DoFn.WindowParam
    ) -> Iterator[dict[str, Any]]:
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
        publish_counts(counts)
        finished_at = utc_now()
        manifest = {
            **self._manifest,
            "run_id": run_in(self._manifest["run_id"], window),
            "counts": counts,
            "finished_at": finished_at.isoformat(timespec="seconds"),
        }
        if moments:
            manifest["latency_s"] = latency_s(moments, finished_at)
        if files or self._even_empty:
            with storage.writing(self._dataset):
                manifest = commit_run(self._dataset, manifest, files)
            yield manifest
        else:
            yield {**manifest, "files": []}


@dataclass
class WriteBatches(beam.PTransform[Any, Any]):
    """Arrow batches of each table -> a committed run; the manifest comes out.

    Takes a dict of PCollections: by name of the table RecordBatches of its
    ``batch_schema``; ``counts`` (``(name, n)`` pairs, never empty, or nothing is
    committed); and, if wished, ``moments`` of the entries whose latency is to be
    told. The tables are not flattened until they are names of files: what is
    flattened, a local runner holds in memory.

    even_empty: whether a run without files is committed, too.
    """

    dataset: str
    manifest: dict[str, Any]
    even_empty: bool = True

    def expand(self, inputs: dict[str, PCollection[Any]]) -> Any:
        """One manifest, as written."""
        run_id = self.manifest["run_id"]
        commit = _CommitRun(self.dataset, self.manifest, even_empty=self.even_empty)
        chunks = tuple(
            batches | f"Spill {name}" >> beam.ParDo(_SpillBatches(self.dataset, run_id, name))
            for name, batches in inputs.items()
            if name in TABLES
        )
        files = (
            chunks
            | "Chunks" >> beam.Flatten()
            | "GroupPartitions" >> beam.GroupByKey()
            | "Merge" >> beam.ParDo(_MergeChunks(self.dataset, run_id))
        )
        counts = inputs["counts"] | "AddUp" >> beam.CombinePerKey(sum)
        moments = [inputs["moments"]] if "moments" in inputs else []
        return (
            (files, counts, *moments)
            | "Parts" >> beam.Flatten()
            | "ForOneCommit" >> beam.Map(lambda part: (None, part))
            | "GatherRun" >> beam.GroupByKey()
            | "Commit" >> beam.ParDo(commit)
        )


@dataclass
class WriteDataset(beam.PTransform[Any, Any]):
    """The outcomes of a run -> its files, committed; the manifest comes out.

    Takes a dict of PCollections: ``entries``, ``duplicates``, ``known`` (of
    entries and duplicates), ``boilerplate`` and ``pages`` (for the index), ``dead_letters`` and
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
        rows: list[tuple[str, str, Callable[..., Row], str | None]] = [
            ("entries", "entries", entry_row, None),
            ("duplicates", "duplicates", duplicate_row, None),
            ("known_entries", "known", known_entry_row, None),
            ("known_boilerplate", "boilerplate", self._boilerplate_row(), None),
            ("known_pages", "pages", known_page_row, None),
            ("dead_letters", "dead_letters", dead_letter_row, run_id),
            ("known_dead_letters", "dead_letters", known_dead_letter_row, None),
        ]
        batches = {
            name: outcomes[source] | f"Batch {name}" >> beam.ParDo(_BatchRows(name, to_row, stamp))
            for name, source, to_row, stamp in rows
        }
        rest = {name: outcomes[name] for name in ("counts", "moments")}
        write = WriteBatches(self.dataset, self.manifest, self.even_empty)
        return {**batches, **rest} | write

    def _boilerplate_row(self) -> Callable[..., Row]:
        return partial(known_boilerplate_row, date=str(self.manifest["started_at"])[:10])
