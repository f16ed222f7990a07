"""THE graph: from sources to a committed run. Batch and stream both run it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import apache_beam as beam

from schemas.counts import COUNTED
from schemas.records import DEDUP_WINDOW_DAYS, Source
from transforms.archives import ReadArchives
from transforms.crawl import FetchPages
from transforms.dedup.stage import Deduplicate, DeduplicateDeadLetters
from transforms.index import ReadKnownDeadLetters, ReadKnownPages
from transforms.outcomes import Moments
from transforms.sources import ReadSources
from transforms.stages import ReadRows
from transforms.topics import BY_LEXICON
from transforms.write import WriteDataset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from apache_beam.pvalue import PCollection

    from schemas.records import (
        DeadLetter,
        EntryRow,
        KnownPage,
        PageRequest,
        Publisher,
        Reading,
        Visit,
    )
    from transforms.fetch import FetchLimits
    from transforms.topics import ByText
    from transforms.visit import Politeness, Revisits


class Ingested(NamedTuple):
    """What comes out of Ingest: one manifest, and what to plan the next run by."""

    manifest: PCollection[dict[str, Any]]
    visits: PCollection[Visit]
    readings: PCollection[Reading]
    lost: PCollection[DeadLetter]


@dataclass(frozen=True)
class Polling:
    """How a run of a stream differs from one of its own.

    since: when the stream began; the latency of entries published later is told.
    revisits: which of the pages that feeds and sitemaps lead to are asked for again.
    every_s: of an unbounded pipeline, whose runs are its windows: the least time
        between two, and the length of a window; None where each is a pipeline.
    ends_s: when that is over, in seconds since 1970; None for never.
    """

    since: datetime
    revisits: Revisits
    every_s: int | None = None
    ends_s: int | None = None


@dataclass
class Ingest(beam.PTransform[Any, Any]):
    """Sources -> pages -> entries -> a committed run of the dataset.

    An element is all that one run asks for. A bounded pipeline has one; an
    unbounded one has one in each window, and every window is a run.

    dataset: the root folder; manifest: what is known of the run before it
    starts, at least ``run_id``; timezone: IANA name for clocks that name none;
    since: sitemap items that were last changed before it are left out;
    domains: those whose pages are taken from archives, empty for all;
    publishers: what the user knows of them.
    by_text: the topic of pages that declare none.
    dedup_window_days, near_duplicates: as ``Deduplicate`` has them.
    polling: of a stream, which commits nothing where nothing is new.
    """

    dataset: str
    manifest: dict[str, Any]
    limits: FetchLimits
    politeness: Politeness
    timezone: str | None = None
    since: datetime | None = None
    domains: frozenset[str] = frozenset()
    publishers: tuple[Publisher, ...] = ()
    by_text: ByText = BY_LEXICON
    polling: Polling | None = None
    dedup_window_days: int = DEDUP_WINDOW_DAYS
    near_duplicates: bool = True

    def expand(self, starts: PCollection[list[Source | PageRequest]]) -> Ingested:
        """The sources may be requests already."""
        sources = starts | "Sources" >> beam.FlatMap(list) | beam.Reshuffle()
        run_id = self.manifest["run_id"]
        read = sources | "NotArchives" >> beam.Filter(_is_no_archive) | ReadSources()
        archived = (
            sources
            | "Archives" >> beam.Filter(lambda source: not _is_no_archive(source))
            | beam.Map(lambda source: source.locator)
            | ReadArchives(self.domains, self.limits.page_bytes_max)
        )
        known_pages = starts | ReadKnownPages(self.dataset)
        asked = {"requests": read.requests, "known": known_pages}
        revisits = self.polling.revisits if self.polling else None
        has_book = bool(self.polling and self.polling.every_s is None)
        fetch = FetchPages(self.limits, self.politeness, self.since, self.publishers, revisits)
        fetched = asked | fetch
        parts = [
            pages | f"Pages{n}" >> ReadRows(run_id, self.timezone, self.publishers, self.by_text)
            for n, pages in enumerate((*fetched.pages, archived.pages))
        ]
        readings = tuple(part.readings for part in parts) | "Readings" >> beam.Flatten()
        dedup = Deduplicate(self.dataset, self.dedup_window_days, self.near_duplicates)
        kept = {"rows": tuple(part.rows for part in parts), "starts": starts} | dedup
        lost = (
            read.dead,
            archived.dead,
            fetched.dead,
            *(part.dead for part in parts),
        ) | "Lost" >> beam.Flatten()
        known_lost = starts | ReadKnownDeadLetters(self.dataset)
        letters = {"letters": lost, "known": known_lost} | DeduplicateDeadLetters()
        counts = (
            starts | "CountFromZero" >> beam.FlatMap(_zero_counts),
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
        manifest = {
            "entries": kept.entries,
            "duplicates": kept.duplicates,
            "known": kept.known,
            "boilerplate": kept.boilerplate,
            "pages": readings | "NewPages" >> beam.FlatMap(_new_pages, has_book),
            "dead_letters": letters.letters,
            "counts": counts,
            "moments": kept.entries | "Moments" >> beam.FlatMap(_moments, self.polling),
        } | WriteDataset(self.dataset, self.manifest, even_empty=not has_book)
        return Ingested(manifest, fetched.visits, readings, lost)


def _is_no_archive(source: Source | PageRequest) -> bool:
    return not (isinstance(source, Source) and source.kind == "warc")


def _zero_counts(_: Any) -> list[tuple[str, int]]:
    return [(name, 0) for name in COUNTED]


def _new_pages(reading: Reading, has_book: bool) -> Iterator[KnownPage]:
    """What the index does not know yet; a stream's book has what it asks again with."""
    page, known = reading.page, reading.known
    if known and has_book:
        page = replace(page, etag=known.etag, last_modified=known.last_modified)
    if known is None or page != replace(known, fetched_at=page.fetched_at):
        yield page


def _moments(row: EntryRow, polling: Polling | None) -> Iterator[Moments]:
    if polling and row.published_at and row.published_at >= polling.since and not row.revision:
        yield Moments(row.published_at, row.fetched_at)


def _lost_counts(letter: DeadLetter) -> list[tuple[str, int]]:
    return [("pages", 1), ("pages_failed", 1), (f"failed_{letter.code}", 1)]


def _entry_counts(row: EntryRow) -> list[tuple[str, int]]:
    kind = "revisions" if row.revision else "new_entries"
    return [("entries", 1), (kind, 1), (f"topic_{row.topic}", 1)]
