"""THE graph: from sources to a committed run. Batch and stream both run it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import apache_beam as beam

from schemas.counts import COUNTED
from transforms.archives import ReadArchives
from transforms.crawl import FetchPages
from transforms.dedup import Deduplicate, DeduplicateDeadLetters
from transforms.index import ReadKnownDeadLetters, ReadKnownEntries, ReadKnownPages
from transforms.sources import ReadSources
from transforms.stages import ReadRows
from transforms.write import WriteDataset

if TYPE_CHECKING:
    from datetime import datetime

    from apache_beam.pvalue import PCollection

    from schemas.records import DeadLetter, EntryRow, Publisher, Source
    from transforms.fetch import FetchLimits
    from transforms.visit import Politeness


@dataclass
class Ingest(beam.PTransform[Any, Any]):
    """Sources -> pages -> entries -> a committed run of the dataset.

    dataset: the root folder; manifest: what is known of the run before it
    starts, at least ``run_id``; timezone: IANA name for clocks that name none;
    since: sitemap items that were last changed before it are left out;
    domains: those whose pages are taken from archives, empty for all;
    publishers: what the user knows of them.
    """

    dataset: str
    manifest: dict[str, Any]
    limits: FetchLimits
    politeness: Politeness
    timezone: str | None = None
    since: datetime | None = None
    domains: frozenset[str] = frozenset()
    publishers: tuple[Publisher, ...] = ()

    def expand(self, sources: PCollection[Source]) -> Any:
        """One element: the manifest as written."""
        begin = sources.pipeline
        run_id = self.manifest["run_id"]
        read = sources | "NotArchives" >> beam.Filter(_is_no_archive) | ReadSources()
        archived = (
            sources
            | "Archives" >> beam.Filter(lambda source: not _is_no_archive(source))
            | beam.Map(lambda source: source.locator)
            | ReadArchives(self.domains, self.limits.page_bytes_max)
        )
        known_pages = begin | ReadKnownPages(self.dataset)
        asked = {"requests": read.requests, "known": known_pages}
        fetched = asked | FetchPages(self.limits, self.politeness, self.since, self.publishers)
        parts = [
            pages | f"Pages{n}" >> ReadRows(run_id, self.timezone, self.publishers)
            for n, pages in enumerate((*fetched.pages, archived.pages))
        ]
        rows = tuple(part.rows for part in parts) | "Rows" >> beam.Flatten()
        visits = tuple(part.visits for part in parts) | "Visits" >> beam.Flatten()
        known = begin | ReadKnownEntries(self.dataset)
        kept = {"rows": rows, "known": known} | Deduplicate()
        lost = (
            read.dead,
            archived.dead,
            fetched.dead,
            *(part.dead for part in parts),
        ) | "Lost" >> beam.Flatten()
        known_lost = begin | ReadKnownDeadLetters(self.dataset)
        letters = {"letters": lost, "known": known_lost} | DeduplicateDeadLetters()
        counts = (
            begin | "CountFromZero" >> beam.Create([(name, 0) for name in COUNTED]),
            read.counts,
            fetched.counts,
            archived.counts,
            *(part.counts for part in parts),
            kept.counts,
            letters.counts,
            lost | "CountLost" >> beam.FlatMap(_lost_counts),
            kept.entries | "CountEntries" >> beam.FlatMap(_entry_counts),
            kept.duplicates | "CountDuplicates" >> beam.Map(lambda _: ("duplicates", 1)),
            letters.letters | "CountLetters" >> beam.Map(lambda _: ("dead_letters", 1)),
        ) | "Counts" >> beam.Flatten()
        return {
            "entries": kept.entries,
            "duplicates": kept.duplicates,
            "known": kept.known,
            "pages": visits,
            "dead_letters": letters.letters,
            "counts": counts,
        } | WriteDataset(self.dataset, self.manifest)


def _is_no_archive(source: Source) -> bool:
    return source.kind != "warc"


def _lost_counts(letter: DeadLetter) -> list[tuple[str, int]]:
    return [("pages", 1), ("pages_failed", 1), (f"failed_{letter.code}", 1)]


def _entry_counts(row: EntryRow) -> list[tuple[str, int]]:
    kind = "revisions" if row.revision else "new_entries"
    return [("entries", 1), (kind, 1), (f"topic_{row.topic}", 1)]
