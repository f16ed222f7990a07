"""Candidates: the pairs of documents that share a key, and are worth a comparison.

A posting says that a document has a key. Documents are spread over shards by
key, so that all postings of a key meet in one place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from transforms.dedup.documents import numbers_of, ragged

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from transforms.dedup.signature import Ragged

    U64 = NDArray[np.uint64]

NEAR_DAYS = 3
"""An edited copy is published within so many days: 72 hours, before or after."""

BUCKET_MAX = 20
"""Of a key that more documents share, each is compared with the best few only."""

BEST_FEW = 3

ALIKE, SAME_WORDS, SAME_TEXT = range(3)

POSTING = np.dtype(
    [
        ("key", np.uint64),
        ("kind", np.uint8),
        ("day", np.int32),
        ("rank", np.uint64),
        ("ref", np.uint64),
        ("text_hash", np.uint64),
    ]
)
"""kind: ALIKE for a key of the signature, SAME_WORDS for the words compared,
SAME_TEXT for the exact text. The rest is the document's."""

PAIR = np.dtype([("a", np.uint64), ("b", np.uint64)])


def postings(briefs: pa.RecordBatch) -> NDArray[np.void]:
    """All postings of documents, as BRIEFS has them."""
    keys = ragged(briefs.column("keys"), np.uint64)
    owner = np.repeat(np.arange(len(keys.ends)), np.diff(keys.ends, prepend=0))
    found = np.zeros(len(owner), POSTING)
    found["key"] = keys.values
    for name in ("day", "rank", "ref", "text_hash"):
        found[name] = numbers_of(briefs, name)[owner]
    found["kind"][found["key"] == found["text_hash"]] = SAME_WORDS
    found["kind"][found["key"] == numbers_of(briefs, "text_key")[owner]] = SAME_TEXT
    return found


class Candidates(NamedTuple):
    """pairs: PAIR, each once, a before b. large_buckets: not compared in full."""

    pairs: NDArray[np.void]
    large_buckets: int


def candidates(found: NDArray[np.void], window_days: int) -> Candidates:
    """The pairs among documents; found: all postings of each key among them.

    The order of the postings is all one. Of documents of one day with the same
    words the best one alone looks for others that are alike; the others of the
    same words, and those of the same text, are paired with their best one; with that
    of their day, too, for the best of all may prove to be too long ago.
    """
    alike = _best_of_each_text(found[found["kind"] == ALIKE])
    pairs, large = _pairs_of_buckets(alike)
    for kind, days in (
        (SAME_WORDS, 0),
        (SAME_WORDS, min(NEAR_DAYS, window_days)),
        (SAME_TEXT, window_days),
    ):
        pairs.append(_with_best(found[found["kind"] == kind], days))
    return Candidates(unique_pairs(np.concatenate(pairs)), large)


def unique_pairs(pairs: NDArray[np.void]) -> NDArray[np.void]:
    """Each pair once, the lower ref first, in ascending order."""
    a = np.minimum(pairs["a"], pairs["b"])
    b = np.maximum(pairs["a"], pairs["b"])
    order = np.lexsort((b, a))
    a, b = a[order], b[order]
    keep = a != b
    keep[1:] &= (a[1:] != a[:-1]) | (b[1:] != b[:-1])
    return _pairs(a[keep], b[keep])


def _pairs(a: U64, b: U64) -> NDArray[np.void]:
    pairs = np.zeros(len(a), PAIR)
    pairs["a"], pairs["b"] = a, b
    return pairs


def _best_of_each_text(found: NDArray[np.void]) -> NDArray[np.void]:
    """One posting for each key, text and day, in the order of survivors within each key."""
    found = found[_in_shared_bucket(found["key"])]
    order = np.lexsort(
        (found["ref"], found["rank"], found["day"], found["text_hash"], found["key"])
    )
    found = found[order]
    again = np.zeros(len(found), bool)
    again[1:] = np.logical_and.reduce(
        [found[name][1:] == found[name][:-1] for name in ("key", "text_hash", "day")]
    )
    found = found[~again]
    return found[np.lexsort((found["ref"], found["rank"], found["key"]))]


def _in_shared_bucket(keys: U64) -> NDArray[np.bool_]:
    """Which keys occur more than once: most do not, and need not be sorted further."""
    order = np.argsort(keys)
    ordered = keys[order]
    same = ordered[1:] == ordered[:-1]
    shared = np.zeros(len(keys), bool)
    shared[order[1:][same]] = True
    shared[order[:-1][same]] = True
    return shared


def _buckets(keys: U64) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))[: len(keys)])
    return starts, np.diff(np.append(starts, len(keys)))


def _pairs_of_buckets(found: NDArray[np.void]) -> tuple[list[NDArray[np.void]], int]:
    starts, sizes = _buckets(found["key"])
    ref = found["ref"]
    pairs = []
    for size in np.unique(sizes[(sizes > 1) & (sizes <= BUCKET_MAX)]):
        bucket = ref[starts[sizes == size][:, None] + np.arange(size)]
        first, second = np.triu_indices(size, 1)
        pairs.append(_pairs(bucket[:, first].ravel(), bucket[:, second].ravel()))
    large = np.flatnonzero(sizes > BUCKET_MAX)
    for bucket in large:
        members = ref[starts[bucket] : starts[bucket] + sizes[bucket]]
        pairs += [_pairs(np.full(len(members), best), members) for best in members[:BEST_FEW]]
    return pairs, len(large)


def _with_best(found: NDArray[np.void], days: int) -> NDArray[np.void]:
    """Each document with the best of its key that is no more than so many days before."""
    found = found[_in_shared_bucket(found["key"])]
    found = found[np.lexsort((found["ref"], found["rank"], found["key"]))]
    ref, day = found["ref"], found["day"].tolist()
    starts, sizes = _buckets(found["key"])
    best = np.repeat(starts, sizes)
    for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
        if day[start + size - 1] - day[start] > days:  # ranks begin with the day
            leader = start
            for place in range(start, start + size):
                if day[place] - day[leader] > days:
                    leader = place
                best[place] = leader
    return _pairs(ref[best], ref)


class KnownPairs(NamedTuple):
    """places: of documents in an index file; beside: the ref of a new one for each.

    large_buckets: not compared in full.
    """

    places: NDArray[np.int64]
    beside: U64
    large_buckets: int


def known_pairs(new: NDArray[np.void], keys: Ragged, ranks: U64) -> KnownPairs:
    """Which documents of an index file share a key with new ones.

    new: postings, ascending by key. keys: of the file's documents, a list each;
    ranks: theirs; of a large bucket the best few are compared.
    """
    values = np.asarray(keys.values)
    hit = np.flatnonzero(_member(values, new["key"]))
    owner = np.searchsorted(keys.ends, hit, "right")
    order = np.lexsort((ranks[owner], values[hit]))
    hit, owner = hit[order], owner[order]
    starts, sizes = _buckets(values[hit])
    place = np.arange(len(hit)) - np.repeat(starts, sizes)
    large = sizes > BUCKET_MAX
    keep = ~np.repeat(large, sizes) | (place < BEST_FEW)
    hit, owner = hit[keep], owner[keep]
    begin = np.searchsorted(new["key"], values[hit], "left")
    count = np.searchsorted(new["key"], values[hit], "right") - begin
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    beside = new["ref"][np.repeat(begin, count) + within]
    places = np.repeat(owner, count)
    order = np.lexsort((beside, places))
    places, beside = places[order], beside[order]
    first = np.ones(len(places), bool)
    first[1:] = (places[1:] != places[:-1]) | (beside[1:] != beside[:-1])
    return KnownPairs(places[first], beside[first], int(np.count_nonzero(large)))


_FILTER_BITS = 24


def _member(values: U64, sorted_keys: U64) -> NDArray[np.bool_]:
    """Which values are among the keys: a bitmap of their upper bits says no to most."""
    if not len(sorted_keys) or not len(values):
        return np.zeros(len(values), bool)
    shift = np.uint64(64 - _FILTER_BITS)
    bitmap = np.zeros(1 << _FILTER_BITS, bool)
    bitmap[(sorted_keys >> shift).astype(np.int64)] = True
    maybe = np.flatnonzero(bitmap[(values >> shift).astype(np.int64)])
    place = np.minimum(np.searchsorted(sorted_keys, values[maybe]), len(sorted_keys) - 1)
    found = np.zeros(len(values), bool)
    found[maybe[sorted_keys[place] == values[maybe]]] = True
    return found
