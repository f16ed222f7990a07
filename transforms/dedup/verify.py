"""Verify: whether two documents tell the same, by what they have in common."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.records import DuplicateKind  # noqa: TC001 - read by whoever decodes records
from transforms.dedup.candidates import NEAR_DAYS
from transforms.dedup.documents import (
    BRIEFS,
    UNKNOWN_TIME,
    numbers_of,
    places_of,
    ragged,
    sketches_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from transforms.dedup.signature import Ragged

JACCARD_MIN = 0.35
CONTAINMENT_MIN = 0.8
CONTAINED_SHINGLES_MIN = 6
"""Below that a text stands in others by chance."""

NUMBERS_SHARED_MIN = 0.6
NAMES_SHARED_MIN = 0.5
"""Of the numbers and names of the smaller text: templates differ in nothing else."""

CONTAINER_SHARE_MIN = 0.2
"""A text of which so much stands in an earlier one belongs to its cluster."""

_PAIRS_AT_ONCE = 10_000
"""So many are sifted at a time: the briefs of both documents are copied for it."""

_NEAR_US = NEAR_DAYS * 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class Node:
    """A document as it is settled; see ``DOCUMENTS`` for the fields."""

    ref: int
    entry_id: str
    cluster_id: str
    standing: int
    rank: int
    day: int
    time_us: int

    def near_in_time(self, other: Node) -> bool:
        """Whether they are within 72 hours of each other, or one's time is not known."""
        unknown = UNKNOWN_TIME in (self.time_us, other.time_us)
        return unknown or abs(self.time_us - other.time_us) <= _NEAR_US


@dataclass(frozen=True, slots=True)
class Edge:
    """Two documents that tell the same.

    score: as ``DuplicateRow`` has it. share_a, share_b: of the shingles of each,
    how many the other has.
    """

    a: Node
    b: Node
    kind: DuplicateKind
    score: float
    share_a: float
    share_b: float

    def other(self, node: Node) -> Node:
        """The one beside node."""
        return self.b if self.a.ref == node.ref else self.a

    def share(self, node: Node) -> float:
        """Of node's own shingles."""
        return self.share_a if self.a.ref == node.ref else self.share_b

    def is_container(self, node: Node) -> bool:
        """Whether the other stands within node, and node says much more."""
        return self.kind == "contained" and self.share(node) < self.share(self.other(node))


def sift(pairs: NDArray[np.void], briefs: pa.RecordBatch, window_days: int) -> NDArray[np.void]:
    """The pairs that ``verify`` may find to hold, without those that it cannot.

    briefs: of all documents of the pairs, as BRIEFS has them.
    """
    numbers = briefs.select(BRIEFS.names[:-1])  # without keys
    a, b = (places_of(briefs, pairs[name]) for name in ("a", "b"))
    may_hold = [
        _may_hold(numbers.take(pa.array(a[some])), numbers.take(pa.array(b[some])), window_days)
        for some in (slice(n, n + _PAIRS_AT_ONCE) for n in range(0, len(pairs), _PAIRS_AT_ONCE))
    ]
    sifted: NDArray[np.void] = pairs[np.concatenate([np.zeros(0, bool), *may_hold])]
    return sifted


def _may_hold(a: pa.RecordBatch, b: pa.RecordBatch, window_days: int) -> NDArray[np.bool_]:
    """By what they share at most: a bit of one sketch alone is a shingle that the other lacks."""
    exact, same_words, may_be_alike = _by_numbers(a, b, window_days)
    first, second = sketches_of(a), sketches_of(b)
    sizes_a, sizes_b = (numbers_of(batch, "size").astype(np.int64) for batch in (a, b))
    shared_max = np.minimum(
        sizes_a - np.bitwise_count(first & ~second).sum(axis=1, dtype=np.int64),
        sizes_b - np.bitwise_count(second & ~first).sum(axis=1, dtype=np.int64),
    )
    near, contained = _likeness(shared_max, sizes_a, sizes_b)[:2]
    return exact | same_words | may_be_alike & (near | contained)


def verify(a: pa.RecordBatch, b: pa.RecordBatch, window_days: int) -> Iterator[Edge]:
    """The pairs that hold; row n of a beside row n of b, both DOCUMENTS.

    Never a pair of one entry. Edited copies must be published within 72 hours of
    each other, where both times are known, and all within window_days. What one page
    tells in two entries is two pieces of news, unless in the very same words.
    """
    if not len(a):
        return
    apart = pc.not_equal(a.column("entry_id"), b.column("entry_id")).to_numpy(zero_copy_only=False)
    exact, same_words, may_be_alike = _by_numbers(a, b, window_days)
    shared, sizes_a, sizes_b = _shared(a, b, "shingles")
    near, contained, jaccard = _likeness(shared, sizes_a, sizes_b)
    a_is_smaller = sizes_a < sizes_b
    told = _agree(a, b, "numbers", NUMBERS_SHARED_MIN, a_is_smaller) & _agree(
        a, b, "names", NAMES_SHARED_MIN, a_is_smaller
    )
    alike = may_be_alike & (near | contained) & told
    shares = [shared / np.maximum(sizes, 1) for sizes in (sizes_a, sizes_b)]
    hold = np.flatnonzero(apart & (exact | same_words | alike))
    nodes_of = zip(_nodes(a, hold), _nodes(b, hold), strict=True)
    for n, nodes in zip(hold.tolist(), nodes_of, strict=True):
        told_by = [round(float(share[n]), 4) for share in shares]
        if exact[n]:
            yield Edge(*nodes, "exact", 1.0, 1.0, 1.0)
        elif same_words[n]:
            yield Edge(*nodes, "near", 1.0, 1.0, 1.0)
        elif near[n]:
            yield Edge(*nodes, "near", round(float(jaccard[n]), 4), *told_by)
        else:
            yield Edge(*nodes, "contained", max(told_by), *told_by)


def _by_numbers(
    a: pa.RecordBatch, b: pa.RecordBatch, window_days: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Which pairs have the same text, which the same words, which may be edited copies."""
    in_window = np.abs(numbers_of(a, "day") - numbers_of(b, "day")) <= window_days
    text_keys = numbers_of(a, "text_key")
    exact = in_window & (text_keys != 0) & (text_keys == numbers_of(b, "text_key"))
    near_in_time = in_window & _near_in_time(a, b)
    words = numbers_of(a, "text_hash")
    same_words = near_in_time & (words != 0) & (words == numbers_of(b, "text_hash"))
    two_pages = numbers_of(a, "page_key") != numbers_of(b, "page_key")
    return exact, same_words, near_in_time & two_pages


def _likeness(
    shared: NDArray[np.int64], sizes_a: NDArray[np.int64], sizes_b: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
    """Which pairs share enough to be near, which that one contains the other; their Jaccard."""
    smaller = np.minimum(sizes_a, sizes_b)
    jaccard = shared / np.maximum(sizes_a + sizes_b - shared, 1)
    containment = shared / np.maximum(smaller, 1)
    contained = (containment >= CONTAINMENT_MIN) & (smaller >= CONTAINED_SHINGLES_MIN)
    return jaccard >= JACCARD_MIN, contained, jaccard


def _near_in_time(a: pa.RecordBatch, b: pa.RecordBatch) -> NDArray[np.bool_]:
    first, second = numbers_of(a, "time_us"), numbers_of(b, "time_us")
    unknown = (first == UNKNOWN_TIME) | (second == UNKNOWN_TIME)
    known_and_near: NDArray[np.bool_] = unknown | (np.abs(first - second) <= _NEAR_US)
    return known_and_near


def _shared(
    a: pa.RecordBatch, b: pa.RecordBatch, name: str
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """How many hashes each pair has in common, and how many each of it has."""
    first, second = (ragged(batch.column(name), np.uint32) for batch in (a, b))
    keyed = np.concatenate((_by_pair(first), _by_pair(second)))
    keyed.sort()
    both = keyed[1:][keyed[1:] == keyed[:-1]]
    shared = np.bincount((both >> np.uint64(32)).astype(np.int64), minlength=len(a))
    return shared, np.diff(first.ends, prepend=0), np.diff(second.ends, prepend=0)


def _by_pair(lists: Ragged) -> NDArray[np.uint64]:
    pair = np.repeat(np.arange(len(lists.ends), dtype=np.uint64), np.diff(lists.ends, prepend=0))
    keyed: NDArray[np.uint64] = pair << np.uint64(32) | lists.values.astype(np.uint64)
    return keyed


def _agree(
    a: pa.RecordBatch,
    b: pa.RecordBatch,
    name: str,
    share_min: float,
    a_is_smaller: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Whether the smaller text's hashes are in the larger, or the larger has no others."""
    shared, sizes_a, sizes_b = _shared(a, b, name)
    of_smaller = np.where(a_is_smaller, sizes_a, sizes_b)
    of_larger = np.where(a_is_smaller, sizes_b, sizes_a)
    agree: NDArray[np.bool_] = (shared >= share_min * of_smaller) | (shared == of_larger)
    return agree


def _nodes(batch: pa.RecordBatch, places: NDArray[np.int64]) -> Iterator[Node]:
    columns = batch.select(list(Node.__dataclass_fields__)).take(pa.array(places)).to_pydict()
    return itertools.starmap(Node, zip(*columns.values(), strict=True))
