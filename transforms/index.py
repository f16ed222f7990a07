"""Index: what earlier runs have written, read back as far as a run needs it.

It is read in columns: of every entry its id; of the days that can match the keys
of signatures; the rest only of entries that are asked for.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas import arrow
from schemas.errors import DatasetError
from schemas.records import KnownEntry, KnownPage
from transforms import storage
from transforms.outcomes import utc_now

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from apache_beam.pvalue import PCollection
    from numpy.typing import NDArray

INDEX = "_index/v2"
"""To be raised with the schema of any table of the index, and with SIG_VERSION."""

KNOWN_ENTRIES = f"{INDEX}/entries"
KNOWN_BOILERPLATE = f"{INDEX}/boilerplate"
KNOWN_DEAD_LETTERS = f"{INDEX}/dead_letters"
KNOWN_PAGES = f"{INDEX}/pages"

PAGES_DAYS = 30
"""A page that was not asked for in so many days is asked for whole."""

_LETTERS_DAYS = 2  # a run may cross midnight

_IDENTITY = [
    "entry_id", "revision", "content_hash", "text_key", "cluster_id", "duplicate_of",
    "published_at", "date", "topic", "text_hash",
]  # fmt: skip
"""Of a known entry, what its next sighting is held against."""


def check_index(dataset: str) -> None:
    """Make sure that the index is there and of this version.

    Raises DatasetError, which names the command that rebuilds it.
    """
    remedy = f"rebuild it with: news-ingest reindex {dataset}"
    start = len(storage.join(dataset, ""))
    for path in storage.files_below(dataset, "_index/**.parquet"):
        if is_of_another_version(path[start:]):
            raise DatasetError(f"{dataset} has an index of another version; {remedy}")
    has_entries = storage.first_files_below(storage.join(dataset, "entries"), 1)
    if has_entries and not storage.first_files_below(storage.join(dataset, KNOWN_ENTRIES), 1):
        raise DatasetError(f"the index of {dataset} is lost; {remedy}")


def is_of_another_version(name: str) -> bool:
    """Whether a file, by its path below the dataset, is of an index that is read no more."""
    return name.startswith("_index/") and not name.startswith(f"{INDEX}/")


def date_of(path: str) -> date | None:
    """The day of a partition's file."""
    found = re.search(r"/date=(\d{4}-\d\d-\d\d)/", path)
    return date.fromisoformat(found[1]) if found else None


def find_known(path: str, ids: pa.Array) -> Iterator[KnownEntry]:
    """The rows of an index file of entries that have one of the ids, without signatures."""
    with _opened(path, arrow.KNOWN_ENTRIES, _IDENTITY) as parquet:
        for group in range(parquet.num_row_groups):
            column = parquet.read_row_group(group, columns=["entry_id"]).column(0)
            places = pc.indices_nonzero(pc.is_in(column, ids))
            if len(places):
                rows = parquet.read_row_group(group, columns=_IDENTITY).take(places)
                for row in rows.to_pylist():
                    yield KnownEntry(**row)


class KnownKeys(NamedTuple):
    """The keys of a row group: those of row n are ``values[ends[n-1]:ends[n]]``."""

    values: NDArray[np.uint64]
    ends: NDArray[np.int64]
    ranks: NDArray[np.uint64]


class KnownFile:
    """An index file of entries, open, one row group at a time."""

    def __init__(self, parquet: pq.ParquetFile) -> None:
        self._parquet = parquet

    def groups(self) -> range:
        """The numbers of its row groups."""
        return range(self._parquet.num_row_groups)

    def keys(self, group: int) -> KnownKeys:
        """The keys of a row group; a row that was removed has none."""
        rows = self._parquet.read_row_group(group, columns=["keys", "rank"]).combine_chunks()
        column = rows.column("keys").chunk(0)
        offsets = np.frombuffer(column.buffers()[1], np.int32)[: len(column) + 1]
        values = np.frombuffer(column.buffers()[2] or b"", np.uint64)
        ends = offsets[1:].astype(np.int64) // 8
        return KnownKeys(values, ends, rows.column("rank").to_numpy())

    def rows(self, group: int, places: NDArray[np.int64]) -> list[KnownEntry]:
        """The rows at places of a row group, but for their keys."""
        columns = [name for name in self._parquet.schema_arrow.names if name != "keys"]
        rows = self._parquet.read_row_group(group, columns=columns).take(pa.array(places))
        return [KnownEntry(**row) for row in rows.to_pylist()]


@contextlib.contextmanager
def known_file(path: str) -> Iterator[KnownFile]:
    """An index file of entries; raises DatasetError if it is damaged or another's."""
    with _opened(path, arrow.KNOWN_ENTRIES, [*_IDENTITY, "rank", "keys"]) as parquet:
        yield KnownFile(parquet)


def read_known_pages(path: str) -> Iterator[KnownPage]:
    """The rows of one index file of pages."""
    for row in _rows(path, arrow.KNOWN_PAGES):
        yield KnownPage(**row)


def read_known_dead_letters(path: str) -> Iterator[str]:
    """The ids in one index file of dead letters."""
    for row in _rows(path, arrow.KNOWN_DEAD_LETTERS):
        yield str(row["dead_letter_id"])


def read_known_boilerplate(path: str) -> bytes:
    """The keys in one index file of boilerplate, 64 bits each."""
    schema = arrow.KNOWN_BOILERPLATE
    with _opened(path, schema, schema.names) as parquet:
        keys: NDArray[np.uint64] = parquet.read(columns=schema.names).column(0).to_numpy()
    return keys.tobytes()


def _rows(path: str, schema: pa.Schema) -> Iterator[dict[str, Any]]:
    with _opened(path, schema, schema.names) as parquet:
        for batch in parquet.iter_batches(columns=schema.names):
            yield from batch.to_pylist()


@contextlib.contextmanager
def _opened(path: str, schema: pa.Schema, columns: list[str]) -> Iterator[pq.ParquetFile]:
    """An index file that has these columns; raises DatasetError if it is damaged or another's."""
    with (
        storage.reading(path),
        storage.open_read(path) as file,
        pq.ParquetFile(file, page_checksum_verification=True) as parquet,
    ):
        found = parquet.schema_arrow
        for name in columns:
            if name not in found.names or found.field(name).type != schema.field(name).type:
                raise DatasetError(f"{path} has no column {name} as an index file has; see check")
        yield parquet


def days_around(days: Collection[int], window_days: int) -> set[int]:
    """All days no further than the window from one of them."""
    return {day + step for day in days for step in range(-window_days, window_days + 1)}


@dataclass
class KnownFiles(beam.PTransform[Any, Any]):
    """The files of a table of the index, by their paths.

    days: only those of so many days up to today; None for all.
    """

    dataset: str
    folder: str
    days: int | None = None

    def expand(self, starts: PCollection[Any]) -> Any:
        """One path an element, once for each start of a run."""
        return (
            starts
            | beam.Map(lambda _: self.dataset)
            | beam.FlatMap(_files, self.folder, self.days)
            | beam.Reshuffle()
        )


def _files(dataset: str, folder: str, days: int | None) -> list[str]:
    paths = storage.files_below(dataset, f"{folder}/**.parquet")
    if days is None:
        return paths
    first = utc_now().date() - timedelta(days=days)
    return [path for path in paths if (date_of(path) or first) >= first]


@dataclass
class ReadKnownDeadLetters(beam.PTransform[Any, Any]):
    """The index of a dataset -> the ids of the dead letters of yesterday and today."""

    dataset: str

    def expand(self, starts: PCollection[Any]) -> Any:
        """One element per row of ``dead_letters``."""
        files = KnownFiles(self.dataset, KNOWN_DEAD_LETTERS, _LETTERS_DAYS)
        return starts | files | beam.FlatMap(read_known_dead_letters)


@dataclass
class ReadKnownPages(beam.PTransform[Any, Any]):
    """The index of a dataset -> what the runs of the last PAGES_DAYS learnt of its pages."""

    dataset: str

    def expand(self, starts: PCollection[Any]) -> Any:
        """KnownPage; several for a page that changed, the latest counts."""
        files = KnownFiles(self.dataset, KNOWN_PAGES, PAGES_DAYS)
        return starts | files | beam.FlatMap(read_known_pages)
