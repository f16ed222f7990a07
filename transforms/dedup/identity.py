"""Identity: which sightings of an entry say something new, and who survives."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import xxhash

from schemas.records import EntryRow, KnownEntry
from schemas.topics import QCODES
from transforms.dedup.signature import SHORT_WORDS, SIG_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_AGENCIES = frozenset(
    (
        "aap.com.au", "afp.com", "ansa.it", "anp.nl", "apa.at", "apnews.com", "belga.be", "dpa.com",
        "efe.com", "interfax.ru", "keystone-sda.ch", "kyodonews.net", "lusa.pt", "news.cn",
        "pa.media", "ptinews.com", "reuters.com", "tass.com", "upi.com", "xinhuanet.com",
        "yna.co.kr",
    )
)  # fmt: skip
"""News agencies: what they and others publish on one day is theirs."""

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_AHEAD_MAX = timedelta(days=1)
_MINUTES_A_DAY = 24 * 60


def text_key(row: EntryRow) -> str | None:
    """Rows with the same key tell the same; None for a row without words.

    Below SHORT_WORDS ("GOAL!", "Full time") the same text is the same news
    only when it also has the same publication minute.
    """
    words = sum(len((text or "").split(None, SHORT_WORDS)) for text in (row.headline, row.body))
    if not words:
        return None
    if words >= SHORT_WORDS:
        return row.content_hash
    minute = row.published_at.strftime("%Y-%m-%dT%H:%M") if row.published_at else "unknown"
    return f"{row.content_hash}@{minute}"


def is_time_known(row: EntryRow) -> bool:
    """Whether a row has a time of publication, and one that can be."""
    at = row.published_at
    if at is None or row.time_source == "fetch":
        return False
    return _EARLIEST <= at <= row.fetched_at + _AHEAD_MAX


def survivor_rank(row: EntryRow) -> int:
    """Who survives among those that tell the same: the lowest rank, 56 bits.

    The earlier day; an entry before a revision; a news agency; the earlier
    minute; one with a permalink of its own, which a re-posted copy lacks; the
    longer. Days come first, so that runs in the order of days choose alike.
    Equal ranks are told apart by ``row_ref``.
    """
    known = row.published_at if is_time_known(row) else None
    day = date.fromisoformat(row.date) if known else row.fetched_at
    rank = day.toordinal() << 1 | (row.revision > 0)
    rank = rank << 1 | (row.publisher not in _AGENCIES)
    rank = rank << 11 | (known.hour * 60 + known.minute if known else _MINUTES_A_DAY)
    rank = rank << 1 | (row.entry_url is None)
    return rank << 20 | max(0, (1 << 20) - 1 - len(row.body))


def row_ref(entry_id: str, revision: int) -> int:
    """64 bits for a row: what it is called while it is compared.

    The upper 16 are the entry's, so that its revisions go the same way.
    """
    entry = entry_id.encode("utf-8", "surrogatepass")
    of_entry, of_row = (xxhash.xxh3_64_intdigest(entry, seed) for seed in (0, revision + 1))
    return of_entry >> 48 << 48 | of_row >> 16


def new_texts(sightings: Iterable[EntryRow], known: Iterable[KnownEntry]) -> list[EntryRow]:
    """The sightings of one entry id whose exact text is not known, in order, each text once."""
    seen = {k.content_hash for k in known}
    fresh = []
    for row in sorted(sightings, key=_sighting_order):
        if row.content_hash not in seen:
            seen.add(row.content_hash)
            fresh.append(row)
    return fresh


def identify(
    rows: Sequence[EntryRow], text_hashes: Sequence[int], known: Iterable[KnownEntry]
) -> Iterator[tuple[int, EntryRow]]:
    """What ``new_texts`` gave of one entry id, as revisions, with its place in rows.

    text_hashes: of each row, without boilerplate; 0 for a short text.

    The first text ever seen is revision 0. A text that any revision already
    had, but for boilerplate, says nothing new and is dropped. A revision keeps
    the publication time, topic and cluster that the entry began with, so that
    it stays in its partition; when its publisher gives no other time of
    change, it was updated when it was fetched.
    """
    earlier = sorted(known, key=lambda k: k.revision)
    texts = {k.text_hash for k in earlier} - {0}
    revision = earlier[-1].revision + 1 if earlier else 0
    first: EntryRow | KnownEntry | None = earlier[0] if earlier else None
    for place, (row, text_hash) in enumerate(zip(rows, text_hashes, strict=True)):
        if text_hash in texts:
            continue
        if text_hash:
            texts.add(text_hash)
        if first is None:
            first = row
            yield place, row
        else:
            yield place, _revised(row, revision, first)
        revision += 1


def _sighting_order(row: EntryRow) -> tuple[Any, ...]:
    changed_at = row.updated_at or row.fetched_at
    return (row.fetched_at, changed_at, row.position, row.content_hash, row.page_url, row.source)


def _revised(row: EntryRow, revision: int, first: EntryRow | KnownEntry) -> EntryRow:
    return dataclasses.replace(
        row,
        revision=revision,
        published_at=first.published_at,
        updated_at=row.updated_at or row.fetched_at,
        cluster_id=first.cluster_id,
        date=first.date,
        **({} if row.topic == first.topic else _topic_of_first(first)),
    )


def _topic_of_first(first: EntryRow | KnownEntry) -> dict[str, Any]:
    return {
        "topic": first.topic,
        "topic_qcode": QCODES.get(first.topic),
        "topic_source": "revision",
        "topic_evidence": "the topic of revision 0",
    }


def known_entry(row: EntryRow) -> KnownEntry:
    """What later runs must know of a row, but for its signature."""
    return KnownEntry(
        entry_id=row.entry_id,
        revision=row.revision,
        content_hash=row.content_hash,
        text_key=text_key(row),
        cluster_id=row.cluster_id,
        duplicate_of=None,
        published_at=row.published_at,
        date=row.date,
        topic=row.topic,
        is_time_known=is_time_known(row),
        rank=survivor_rank(row),
        page_key=xxhash.xxh3_64_intdigest(row.page_url.encode("utf-8", "surrogatepass")),
        sig_version=SIG_VERSION,
    )
