"""From fetched pages to rows, as PTransforms: extract, split, topic.

Their work is in pure modules without Beam (``extract``, ``liveblog``,
``topics``), because ``split`` uses them and importing Beam takes three seconds.
From the fetch to the rows all run fused: no page travels between workers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from schemas.errors import PageError
from schemas.ids import stable_id
from schemas.records import (
    DeadLetter,
    EntryRow,
    FetchedPage,
    KnownPage,
    Page,
    Publisher,
    Reading,
    SplitPage,
)
from transforms.commit import run_in
from transforms.counters import progress
from transforms.extract import extract_page
from transforms.liveblog import split_page
from transforms.outcomes import COUNTS, DEAD, dead_letter, utc_now
from transforms.topics import BY_LEXICON, ByText, entry_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apache_beam.pvalue import PCollection


class _ExtractPage(beam.DoFn):
    def __init__(self, timezone: str | None, publishers: tuple[Publisher, ...]) -> None:
        self._timezone = timezone
        self._publishers = {publisher.domain: publisher for publisher in publishers}

    def process(self, fetched: FetchedPage) -> Iterator[Any]:
        try:
            yield extract_page(fetched, timezone=self._timezone, publishers=self._publishers)
        except PageError as error:
            yield _lost(error, fetched.request.uri, fetched.request.source, fetched.url)


@dataclass
class ExtractPages(beam.PTransform[Any, Any]):
    """Fetched pages -> decoded pages with what they say of themselves.

    timezone: IANA name for times that name no zone.
    publishers: what the user knows better than their pages.
    """

    timezone: str | None = None
    publishers: tuple[Publisher, ...] = ()

    def expand(self, fetched: PCollection[FetchedPage]) -> Any:
        """Outputs: ``pages`` and ``dead``."""
        extract = beam.ParDo(_ExtractPage(self.timezone, self.publishers))
        return fetched | extract.with_outputs(DEAD, main="pages")


def _split(page: Page) -> Iterator[Any]:
    try:
        split = split_page(page, timezone=page.timezone)
    except PageError as error:
        yield _lost(error, page.uri, page.source, page.page_url)
        return
    progress.add("entries found", len(split.entries))
    if page.is_asked_again:
        yield TaggedOutput("readings", read(split))
    yield TaggedOutput(COUNTS, ("pages", 1))
    yield TaggedOutput(COUNTS, ("pages_split", 1))
    yield TaggedOutput(COUNTS, ("live_blogs", int(split.is_live_blog)))
    yield TaggedOutput(COUNTS, ("entries_found", len(split.entries)))
    yield split


@dataclass
class SplitLiveBlogs(beam.PTransform[Any, Any]):
    """Pages -> their entries in the order shown; an article is its only entry."""

    def expand(self, pages: PCollection[Page]) -> Any:
        """Outputs: ``splits``, ``readings`` (of pages from the web), ``dead``, ``counts``."""
        return pages | beam.FlatMap(_split).with_outputs(DEAD, COUNTS, "readings", main="splits")


def read(split: SplitPage) -> Reading:
    """What to know of a page when it is asked for again."""
    page = split.page
    texts = ((e.entry_id, e.headline or "", e.body) for e in split.entries)
    moments = (m for e in split.entries for m in (e.published_at, e.updated_at) if m)
    return Reading(
        page=KnownPage(
            page.uri, page.etag, page.last_modified, split.is_live_blog, page.fetched_at
        ),
        known=page.known,
        digest=stable_id("entries", *(field for text in texts for field in text)),
        newest_at=max((m for m in moments if m <= page.fetched_at), default=None),
        ends_at=page.ends_at,
    )


@dataclass
class AssignTopics(beam.PTransform[Any, Any]):
    """Split pages -> dataset rows, each with its page's topic and why."""

    run_id: str
    by_text: ByText = BY_LEXICON

    def expand(self, splits: PCollection[SplitPage]) -> Any:
        """One row per entry."""
        rows = beam.FlatMap(_rows, self.run_id, self.by_text)
        return splits | rows.with_output_types(EntryRow)


def _rows(
    split: SplitPage, run_id: str, by_text: ByText, window: Any = beam.DoFn.WindowParam
) -> Iterator[EntryRow]:
    return entry_rows(split, run_in(run_id, window), by_text)


def _lost(
    error: PageError, uri: str, source: str, page_url: str | None
) -> TaggedOutput[str, DeadLetter]:
    progress.add("pages failed")
    letter = dead_letter(error, uri=uri, source=source, failed_at=utc_now(), page_url=page_url)
    return TaggedOutput(DEAD, letter)


class RowsRead(NamedTuple):
    """What comes out of ReadRows.

    readings: of pages from the web. counts: ``(name, n)`` pairs.
    """

    rows: PCollection[EntryRow]
    readings: PCollection[Reading]
    dead: PCollection[DeadLetter]
    counts: PCollection[tuple[str, int]]


@dataclass
class ReadRows(beam.PTransform[Any, Any]):
    """Fetched pages -> dataset rows: extract, split and topic, one after the other.

    Applied to each PCollection of pages by itself, so that pages stay where
    they were fetched; what comes out is small and may be flattened.
    """

    run_id: str
    timezone: str | None = None
    publishers: tuple[Publisher, ...] = ()
    by_text: ByText = BY_LEXICON

    def expand(self, fetched: PCollection[FetchedPage]) -> RowsRead:
        """Every page comes out as its entries or as a dead letter."""
        extracted = fetched | ExtractPages(self.timezone, self.publishers)
        split = extracted.pages | SplitLiveBlogs()
        return RowsRead(
            split.splits | AssignTopics(self.run_id, self.by_text),
            split.readings,
            (extracted.dead, split.dead) | beam.Flatten(),
            split.counts,
        )
