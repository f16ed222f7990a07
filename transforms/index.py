"""Index: what earlier runs have written, read back before a run adds to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import apache_beam as beam
import pyarrow.parquet as pq

from schemas.records import KnownEntry, KnownPage
from transforms import storage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apache_beam.pvalue import PCollection

INDEX = "_index/v1"
KNOWN_ENTRIES = f"{INDEX}/entries"
KNOWN_DEAD_LETTERS = f"{INDEX}/dead_letters"
KNOWN_PAGES = f"{INDEX}/pages"


def read_known_entries(path: str) -> Iterator[KnownEntry]:
    """The rows of one index file of entries and duplicates."""
    for row in _rows(path):
        yield KnownEntry(**row)


def read_known_dead_letters(path: str) -> Iterator[str]:
    """The ids in one index file of dead letters."""
    for row in _rows(path):
        yield str(row["dead_letter_id"])


def read_known_pages(path: str) -> Iterator[KnownPage]:
    """The rows of one index file of pages."""
    for row in _rows(path):
        yield KnownPage(**row)


def _rows(path: str) -> Iterator[dict[str, Any]]:
    with (
        storage.reading(path),
        storage.open_read(path) as file,
        pq.ParquetFile(file) as parquet,
    ):
        for batch in parquet.iter_batches():
            yield from batch.to_pylist()


@dataclass
class ReadKnownEntries(beam.PTransform[Any, Any]):
    """The index of a dataset -> a KnownEntry for every row it holds."""

    dataset: str

    def expand(self, starts: PCollection[Any]) -> Any:
        """One element per row of ``entries`` and ``duplicates``."""
        return starts | _Files(self.dataset, KNOWN_ENTRIES) | beam.FlatMap(read_known_entries)


@dataclass
class ReadKnownDeadLetters(beam.PTransform[Any, Any]):
    """The index of a dataset -> the ids of its dead letters."""

    dataset: str

    def expand(self, starts: PCollection[Any]) -> Any:
        """One element per row of ``dead_letters``."""
        return (
            starts
            | _Files(self.dataset, KNOWN_DEAD_LETTERS)
            | beam.FlatMap(read_known_dead_letters)
        )


@dataclass
class ReadKnownPages(beam.PTransform[Any, Any]):
    """The index of a dataset -> what each run learnt of its pages."""

    dataset: str

    def expand(self, starts: PCollection[Any]) -> Any:
        """KnownPage; several for a page that changed, the latest counts."""
        return starts | _Files(self.dataset, KNOWN_PAGES) | beam.FlatMap(read_known_pages)


@dataclass
class _Files(beam.PTransform[Any, Any]):
    """Read once for each start of a run."""

    dataset: str
    folder: str

    def expand(self, starts: PCollection[Any]) -> Any:
        return (
            starts
            | beam.Map(lambda _: self.dataset)
            | beam.FlatMap(storage.files_below, f"{self.folder}/**.parquet")
            | beam.Reshuffle()
        )
