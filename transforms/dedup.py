"""Deduplicate: what is new, what is a revision, what repeats another entry.

Identity comes first: the same entry id with other text is the entry's next
revision, never a question of likeness. Then rows with the same normalised text
are exact duplicates; one survives by a total order that does not depend on
arrival, workers or shards. Earlier runs take part through the dataset's index.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from schemas.records import DuplicateRow, EntryRow, KnownEntry
from schemas.topics import QCODES
from transforms.counters import progress
from transforms.outcomes import COUNTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from apache_beam.pvalue import PCollection

SHORT_TEXT_TOKENS = 6
"""Below this many words ("GOAL!", "Full time") the same text is the same news
only when it also has the same publication minute."""

_Keyed = tuple[str, "dict[str, Iterable[Any]]"]
_FAR_FUTURE = datetime.max.replace(tzinfo=UTC)


class DedupOutputs(NamedTuple):
    """What comes out of Deduplicate.

    known: one KnownEntry for every entry and duplicate, for the index.
    counts: ``(name, n)`` pairs.
    """

    entries: PCollection[EntryRow]
    duplicates: PCollection[DuplicateRow]
    known: PCollection[KnownEntry]
    counts: PCollection[tuple[str, int]]


def text_key(row: EntryRow) -> str | None:
    """Rows with the same key tell the same; None for a row without words."""
    words = len((row.headline or "").split()) + len(row.body.split())
    if not words:
        return None
    if words >= SHORT_TEXT_TOKENS:
        return row.content_hash
    minute = row.published_at.strftime("%Y-%m-%dT%H:%M") if row.published_at else "unknown"
    return f"{row.content_hash}@{minute}"


def identify(sightings: Iterable[EntryRow], known: Iterable[KnownEntry]) -> Iterator[EntryRow]:
    """The sightings of one entry id that say something new, as revisions.

    The first text ever seen is revision 0. A text that any revision already
    had says nothing new and is dropped. A revision keeps the publication time,
    topic and cluster that the entry began with, so that it stays in its
    partition; when its publisher gives no other time of change, it was updated
    when it was fetched.
    """
    earlier = sorted(known, key=lambda k: k.revision)
    texts = {k.content_hash for k in earlier}
    revision = earlier[-1].revision + 1 if earlier else 0
    first = earlier[0] if earlier else None
    for row in sorted(sightings, key=_sighting_order):
        if row.content_hash in texts:
            continue
        texts.add(row.content_hash)
        if first is None:
            first = known_entry(row)
            yield row
        else:
            yield _revised(row, revision, first)
        revision += 1


def _sighting_order(row: EntryRow) -> tuple[Any, ...]:
    changed_at = row.updated_at or row.fetched_at
    return (row.fetched_at, changed_at, row.position, row.content_hash, row.page_url, row.source)


def _revised(row: EntryRow, revision: int, first: KnownEntry) -> EntryRow:
    return dataclasses.replace(
        row,
        revision=revision,
        published_at=first.published_at,
        updated_at=row.updated_at or row.fetched_at,
        cluster_id=first.cluster_id,
        date=first.date,
        **({} if row.topic == first.topic else _topic_of_first(first)),
    )


def _topic_of_first(first: KnownEntry) -> dict[str, Any]:
    return {
        "topic": first.topic,
        "topic_qcode": QCODES.get(first.topic),
        "topic_source": "revision",
        "topic_evidence": "the topic of revision 0",
    }


def settle_duplicates(
    rows: Iterable[EntryRow], known: Iterable[KnownEntry]
) -> Iterator[EntryRow | DuplicateRow]:
    """Rows of one text key: the survivor, and the others as its duplicates.

    An entry of an earlier run always survives. A revision is never removed.
    No rows give nothing.
    """
    rows = sorted(rows, key=survivor_order)
    if not rows:
        return
    kept = sorted((k for k in known if k.duplicate_of is None), key=lambda k: k.entry_id)
    if kept:
        survivor_id, cluster_id = kept[0].entry_id, kept[0].cluster_id
    else:
        survivor_id, cluster_id = rows[0].entry_id, rows[0].cluster_id
    for row in rows:
        if row.revision or row.entry_id == survivor_id:
            yield row
        else:
            copy = dataclasses.replace(row, cluster_id=cluster_id)
            yield DuplicateRow(copy, survivor_id, "exact", 1.0)


def survivor_order(row: EntryRow) -> tuple[Any, ...]:
    """Who survives among equals: published first, to the minute; with a
    permalink of its own, which a re-posted copy lacks; the longer; and then by
    address and id, so that the order is total.
    """
    published_at = row.published_at or _FAR_FUTURE
    minute = published_at.replace(second=0, microsecond=0)
    has_no_permalink = row.entry_url is None
    return (minute, has_no_permalink, -len(row.body), published_at, row.page_url, row.entry_id)


def known_entry(row: EntryRow, duplicate_of: str | None = None) -> KnownEntry:
    """What later runs must know of a row."""
    return KnownEntry(
        entry_id=row.entry_id,
        revision=row.revision,
        content_hash=row.content_hash,
        text_key=text_key(row),
        cluster_id=row.cluster_id,
        duplicate_of=duplicate_of,
        published_at=row.published_at,
        date=row.date,
        topic=row.topic,
    )


def _identify(keyed: _Keyed) -> Iterator[Any]:
    _, group = keyed
    sightings = list(group["rows"])
    news = list(identify(sightings, group["known"]))
    if len(news) < len(sightings):
        yield TaggedOutput(COUNTS, ("unchanged", len(sightings) - len(news)))
    yield from news


def _settle(keyed: _Keyed) -> Iterator[Any]:
    _, group = keyed
    for row in settle_duplicates(group["rows"], group["known"]):
        if isinstance(row, DuplicateRow):
            progress.add("duplicates")
            yield TaggedOutput("duplicates", row)
            yield TaggedOutput("known", known_entry(row.row, row.duplicate_of))
        else:
            yield row
            yield TaggedOutput("known", known_entry(row))


@dataclass
class Deduplicate(beam.PTransform[Any, Any]):
    """Rows -> entries to keep (new ones and revisions) and duplicates, whole.

    Takes ``{"rows": EntryRow..., "known": KnownEntry...}``, the latter from the
    index of earlier runs. Every row comes out once, or is counted as
    ``unchanged``.
    """

    def expand(self, inputs: dict[str, PCollection[Any]]) -> DedupOutputs:
        """Joins twice: by entry id, then by text."""
        rows, known = inputs["rows"], inputs["known"]
        identified = (
            {
                "rows": rows | "KeyRowsById" >> beam.Map(lambda row: (row.entry_id, row)),
                "known": known | "KeyKnownById" >> beam.Map(lambda k: (k.entry_id, k)),
            }
            | "JoinById" >> beam.CoGroupByKey()
            | "Identify" >> beam.FlatMap(_identify).with_outputs(COUNTS, main="rows")
        )
        settled = (
            {
                "rows": identified.rows | "KeyRowsByText" >> beam.Map(_by_text),
                "known": known
                | "WithText" >> beam.Filter(lambda k: k.text_key is not None)
                | "KeyKnownByText" >> beam.Map(lambda k: (k.text_key, k)),
            }
            | "JoinByText" >> beam.CoGroupByKey()
            | "Settle" >> beam.FlatMap(_settle).with_outputs("duplicates", "known", main="rows")
        )
        return DedupOutputs(settled.rows, settled.duplicates, settled.known, identified[COUNTS])


def _by_text(row: EntryRow) -> tuple[str, EntryRow]:
    return text_key(row) or f"id:{row.entry_id}", row


def _new_dead_letters(keyed: _Keyed) -> Iterator[Any]:
    _, group = keyed
    letters = sorted(group["letters"], key=lambda letter: (letter.failed_at, letter.source))
    if letters and not list(group["known"]):
        yield letters.pop(0)
    if letters:
        yield TaggedOutput(COUNTS, ("dead_letters_repeated", len(letters)))


@dataclass
class DeduplicateDeadLetters(beam.PTransform[Any, Any]):
    """Dead letters -> those that no earlier run of the day has written.

    Takes ``{"letters": DeadLetter..., "known": dead letter ids of the index}``.
    """

    def expand(self, inputs: dict[str, PCollection[Any]]) -> Any:
        """Outputs: ``letters`` and ``counts`` (``dead_letters_repeated``)."""
        letters, known = inputs["letters"], inputs["known"]
        return (
            {
                "letters": letters | "KeyLetters" >> beam.Map(lambda d: (d.dead_letter_id, d)),
                "known": known | "KeyKnown" >> beam.Map(lambda known_id: (known_id, None)),
            }
            | "JoinLetters" >> beam.CoGroupByKey()
            | "New" >> beam.FlatMap(_new_dead_letters).with_outputs(COUNTS, main="letters")
        )
