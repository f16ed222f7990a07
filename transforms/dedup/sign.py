"""Sign: from sightings to signed rows, many at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import xxhash

from schemas.records import DuplicateRow, EntryRow, KnownEntry
from transforms.dedup import signature
from transforms.dedup.boilerplate import describe_sentences
from transforms.dedup.documents import (
    KNOWN,
    NEW,
    REVISION,
    REVISION_OF_KEPT,
    REVISION_OF_REMOVED,
    documents,
    key_of,
)
from transforms.dedup.identity import identify, known_entry, new_texts
from transforms.dedup.words import read_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from transforms.dedup.settle import Decision


@dataclass(frozen=True, slots=True)
class Sighted:
    """What was seen of one entry: texts that are new, and what is known of it.

    words: of each row, as ``read_words`` gives them.
    """

    rows: tuple[EntryRow, ...]
    words: tuple[bytes, ...]
    known: tuple[KnownEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedRow:
    """A row that is new or a revision, and what later runs must know of it.

    standing: as ``documents`` has it.
    """

    row: EntryRow
    known: KnownEntry
    standing: int


def sighted(rows: Sequence[EntryRow], known: Sequence[KnownEntry]) -> Sighted | None:
    """The sightings of one entry that may say something new; None if none does."""
    fresh = new_texts(rows, known)
    words = (read_words(row.headline, row.body).tobytes() for row in fresh)
    return Sighted(tuple(fresh), tuple(words), tuple(known)) if fresh else None


def sentences_of(batch: Sequence[Sighted]) -> tuple[NDArray[np.void], NDArray[np.uint64]]:
    """The sentences of many entries, to learn boilerplate from, and their publishers."""
    rows = [row for one in batch for row in one.rows]
    texts = _flat(batch)
    publishers = _publishers(rows)
    ids = [row.entry_id.encode("utf-8", "surrogatepass") for row in rows]
    entries = np.array([xxhash.xxh3_64_intdigest(entry_id) for entry_id in ids], np.uint64)
    found, where = describe_sentences(texts, publishers, entries)
    return found, publishers[where]


def sign(
    batch: Sequence[Sighted], boilerplate: NDArray[np.uint64], *, near: bool
) -> list[SignedRow]:
    """What is new of many entries, signed; near: whether by more than the exact text.

    boilerplate: what is known of their publishers, ascending.
    """
    rows = [row for one in batch for row in one.rows]
    texts = signature.without_boilerplate(_flat(batch), _publishers(rows), boilerplate)
    text_hashes = signature.text_hashes(texts)
    hashes = text_hashes.tolist()
    found: list[tuple[int, EntryRow, int]] = []
    begin = 0
    for one in batch:
        end = begin + len(one.rows)
        for place, row in identify(one.rows, hashes[begin:end], one.known):
            found.append((begin + place, row, _standing(row, one.known)))
        begin = end
    lines = [(place, known_entry(row)) for place, row, _ in found]
    known = _signed(lines, texts, text_hashes, near=near)
    return [
        SignedRow(row, line, standing)
        for (_, row, standing), line in zip(found, known, strict=True)
    ]


def sign_again(batch: Sequence[Sighted], boilerplate: NDArray[np.uint64]) -> list[KnownEntry]:
    """What later runs must know of rows that are written already, as they stand."""
    rows = [row for one in batch for row in one.rows]
    texts = signature.without_boilerplate(_flat(batch), _publishers(rows), boilerplate)
    lines = list(enumerate(map(known_entry, rows)))
    return _signed(lines, texts, signature.text_hashes(texts), near=True)


def _flat(batch: Sequence[Sighted]) -> signature.Texts:
    return signature.flatten(
        [np.frombuffer(words, np.uint64) for one in batch for words in one.words]
    )


def _signed(
    known: Sequence[tuple[int, KnownEntry]],
    texts: signature.Texts,
    text_hashes: NDArray[np.uint64],
    *,
    near: bool,
) -> list[KnownEntry]:
    """Records with the signatures of their texts; each comes with its text's number."""
    hashes = text_hashes.tolist()
    names = ("keys", "shingles", "numbers", "names") if near else ()
    signed = signature.sign(texts, text_hashes) if near else None
    parts = {name: getattr(signed, name).packed() for name in names}
    done = []
    for place, one in known:
        keys = {key_of(one.text_key), hashes[place]} - {0}
        own = {name: lists[place] for name, lists in parts.items()}
        own["keys"] = np.array(sorted(keys), np.uint64).tobytes() + own.get("keys", b"")
        done.append(replace(one, text_hash=hashes[place], **own))
    return done


def _publishers(rows: Sequence[EntryRow]) -> NDArray[np.uint64]:
    keys = {name: signature.publisher_key(name) for name in {row.publisher for row in rows}}
    return np.array([keys[row.publisher] for row in rows], np.uint64)


def _standing(row: EntryRow, known: Sequence[KnownEntry]) -> int:
    if not row.revision:
        return NEW
    if not known:
        return REVISION
    kept = any(k.duplicate_of is None for k in known)
    return REVISION_OF_KEPT if kept else REVISION_OF_REMOVED


def documents_of(
    known: Sequence[KnownEntry], standing: Sequence[int] | None = None
) -> tuple[pa.RecordBatch, signature.Ragged]:
    """Records as documents, and the keys of each; without standing they are KNOWN."""
    keys = [np.frombuffer(one.keys, np.uint64) for one in known]
    ends = np.cumsum([len(one) for one in keys], dtype=np.int64)
    ragged = signature.Ragged(np.concatenate([np.zeros(0, np.uint64), *keys]), ends)
    return documents(known, standing or [KNOWN] * len(known)), ragged


def carry_out(
    signed: SignedRow, decision: Decision | None
) -> tuple[EntryRow | DuplicateRow, KnownEntry]:
    """The row as it is written, and what later runs must know of it."""
    if decision is None:
        return signed.row, signed.known
    row = replace(signed.row, cluster_id=decision.cluster_id)
    known = replace(signed.known, cluster_id=decision.cluster_id, alias_of=decision.alias_of)
    if decision.duplicate_of is None or decision.kind is None:
        return row, known
    duplicate = DuplicateRow(row, decision.duplicate_of, decision.kind, decision.score)
    return duplicate, removed(known, decision.duplicate_of)


def removed(known: KnownEntry, duplicate_of: str) -> KnownEntry:
    """The record of a row that was removed: never compared again, it needs no signature."""
    return replace(known, duplicate_of=duplicate_of, keys=b"", shingles=b"", numbers=b"", names=b"")
