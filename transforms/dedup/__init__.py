"""Deduplicate: what is new, what is a revision, what repeats another entry.

Identity comes first: the same entry id with other text is the entry's next
revision, never a question of likeness (``identity``). Then, in this order:

- exact: the same text but for case, quotes and white space;
- near: an edited copy on another page; at least a third of all shingles are shared;
- contained: it stands whole within an earlier text; what contains it stays.

words -> signature, boilerplate -> candidates -> verify -> settle are pure and
know nothing of Beam; ``stage`` applies them in a pipeline, and ``deduplicate``
and ``find_duplicates`` here in memory, with the same outcome.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from schemas.ids import content_hash
from schemas.records import (
    DEDUP_WINDOW_DAYS,
    DuplicateKind,
    DuplicateRow,
    EntryRow,
    KnownEntry,
)
from transforms.dedup.boilerplate import learn_boilerplate
from transforms.dedup.candidates import candidates, postings
from transforms.dedup.documents import briefs, places_of, with_keys
from transforms.dedup.identity import row_ref
from transforms.dedup.settle import settle
from transforms.dedup.sign import carry_out, documents_of, sentences_of, sighted, sign
from transforms.dedup.signature import Ragged
from transforms.dedup.verify import sift, verify

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray


_PAIRS_AT_ONCE = 5_000
"""So many are compared at a time: both documents of a pair are copied for it."""


class Outcome(NamedTuple):
    """entries, duplicates: every row once, but for those that say nothing new.
    known: for the index, in the order of rows. boilerplate: all that is known of it.
    """

    entries: list[EntryRow]
    duplicates: list[DuplicateRow]
    known: list[KnownEntry]
    boilerplate: NDArray[np.uint64]


def deduplicate(
    rows: Iterable[EntryRow],
    known: Iterable[KnownEntry] = (),
    boilerplate: Sequence[int] | NDArray[np.uint64] = (),
    *,
    window_days: int = DEDUP_WINDOW_DAYS,
    near: bool = True,
) -> Outcome:
    """The whole of a run's deduplication in memory, without Beam.

    known, boilerplate: what earlier runs gave out. window_days: as
    ``--dedup_window_days``. near: False for exact duplicates only. The order of
    the rows does not matter.
    """
    by_id: dict[str, tuple[list[EntryRow], list[KnownEntry]]] = {}
    for row in rows:
        by_id.setdefault(row.entry_id, ([], []))[0].append(row)
    earlier = list(known)
    for one in earlier:
        if one.entry_id in by_id:
            by_id[one.entry_id][1].append(one)
    batch = [found for group in by_id.values() if (found := sighted(*group))]
    learnt = learn_boilerplate(sentences_of(batch)[0]) if batch else ()
    repeated = np.union1d(np.array(boilerplate, np.uint64), np.array(learnt, np.uint64))
    signed = sign(batch, repeated, near=near)
    new, new_keys = documents_of([one.known for one in signed], [one.standing for one in signed])
    old, old_keys = documents_of([one for one in earlier if one.duplicate_of is None])
    every = pa.concat_batches([new, old])
    keys = Ragged(
        np.concatenate((new_keys.values, old_keys.values)),
        np.concatenate((new_keys.ends, old_keys.ends + len(new_keys.values))),
    )
    in_brief = with_keys(briefs(every), keys)
    pairs = sift(candidates(postings(in_brief), window_days).pairs, in_brief, window_days)
    a, b = (places_of(every, pairs[name]) for name in ("a", "b"))
    parts = (slice(n, n + _PAIRS_AT_ONCE) for n in range(0, len(pairs), _PAIRS_AT_ONCE))
    edges = itertools.chain.from_iterable(
        verify(every.take(pa.array(a[part])), every.take(pa.array(b[part])), window_days)
        for part in parts
    )
    decisions = {decision.ref: decision for decision in settle(edges, window_days)}
    outcome = Outcome([], [], [], repeated)
    for row_signed in signed:
        ref = row_ref(row_signed.row.entry_id, row_signed.row.revision)
        written, line = carry_out(row_signed, decisions.get(ref))
        outcome.known.append(line)
        if isinstance(written, DuplicateRow):
            outcome.duplicates.append(written)
        else:
            outcome.entries.append(written)
    return outcome


@dataclass(frozen=True, slots=True)
class Text:
    """A bare text to be compared; published_at is aware, or None if unknown.

    publisher: whose boilerplate is learnt together; None for unknown.
    """

    text_id: str
    body: str
    headline: str | None = None
    publisher: str | None = None
    published_at: datetime | None = None


class Verdict(NamedTuple):
    """duplicate_of: the text_id of the survivor, None for one that is kept.

    kind, score: as ``duplicates`` has them. cluster_id: texts that tell the same
    share it; a text that merely quotes another stays, in that one's cluster.
    """

    text_id: str
    duplicate_of: str | None
    kind: DuplicateKind | None
    score: float
    cluster_id: str


def find_duplicates(
    texts: Sequence[Text], *, window_days: int = DEDUP_WINDOW_DAYS, near: bool = True
) -> list[Verdict]:
    """What becomes of bare texts, in their order: for whoever has no dataset.

    >>> day = "The ferry to the northern islands is suspended until Monday because of fog."
    >>> texts = [Text("a", day), Text("b", day.upper()), Text("c", "Something else altogether.")]
    >>> [(verdict.text_id, verdict.duplicate_of) for verdict in find_duplicates(texts)]
    [('a', None), ('b', 'a'), ('c', None)]
    """
    # Ties go by row_ref: let its order be that of the text_ids.
    ids = sorted((str(n) for n in range(len(texts))), key=lambda n: row_ref(n, 0))
    named = dict(zip(ids, sorted(text.text_id for text in texts), strict=True))
    id_of = {text_id: entry_id for entry_id, text_id in named.items()}
    rows = [_row(text, id_of[text.text_id]) for text in texts]
    outcome = deduplicate(rows, window_days=window_days, near=near)
    verdicts = {
        row.entry_id: Verdict(named[row.entry_id], None, None, 0.0, named[row.cluster_id])
        for row in outcome.entries
    }
    for removed in outcome.duplicates:
        row = removed.row
        verdicts[row.entry_id] = Verdict(
            named[row.entry_id],
            named[removed.duplicate_of],
            removed.duplicate_kind,
            removed.duplicate_score,
            named[row.cluster_id],
        )
    return [verdicts[row.entry_id] for row in rows]


_FETCHED_AT = datetime(2100, 1, 1, tzinfo=UTC)


def _row(text: Text, entry_id: str) -> EntryRow:
    at = text.published_at
    return EntryRow(
        entry_id=entry_id, revision=0, page_url=text.text_id, entry_url=None,
        publisher=text.publisher, page_title=None, headline=text.headline, body=text.body,
        authors=(), published_at=at, updated_at=None, time_source=None, position=0,
        is_live_blog=False, is_key_event=False, language=None, topic_qcode=None,
        topic_source=None, topic_score=0.0, topic_evidence=None, tags=(), links=(), images=(),
        split_by="", content_hash=content_hash(text.headline, text.body),
        cluster_id=entry_id, fetched_at=at or _FETCHED_AT, run_id="", source="",
        date=(at or _FETCHED_AT).date().isoformat(), topic="",
    )  # fmt: skip
