"""Signature: what a text leaves behind to be found and compared by, in batches.

Everything here works on many texts at once, as flat numpy arrays: the words of
all texts one after the other, and where each text ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from transforms.dedup.words import CAPITAL, END, HEADLINE_END, NO_WORD, NUMBER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    U64 = NDArray[np.uint64]
    U32 = NDArray[np.uint32]

SIG_VERSION = 1
"""Of everything that is stored: words, shingles, permutations and keys. To be
raised with any change of them; an index of another version is rebuilt."""

SHORT_WORDS = 6
"""Texts of fewer words are compared exactly only."""

BANDS = 42
BAND_ROWS = 3
PERMUTATIONS = BANDS * BAND_ROWS

KEY_SENTENCE_WORDS = 8
"""A sentence of so many words is a key: who quotes it is found by it."""

LEAD_WORDS = 10
"""The first words of the body are a key: a lead is found by it, cut anywhere."""

SKETCH_BITS = 1024
"""Bits of a sketch: of most texts of news, some 200 shingles, four in five stay free."""

_PUBLISHERS_MAX = 20_000
"""Publishers whose number a worker remembers."""

_GOLDEN = 0x9E3779B97F4A7C15


def _mixed(x: U64) -> U64:
    """A permutation of 64 bits that spreads every bit over all others.

    The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom
    number generators, OOPSLA 2014).
    """
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _constants(n: int, seed: int) -> U64:
    """n frozen constants: the SplitMix64 sequence from seed."""
    steps = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
    return _mixed(steps + np.uint64(seed))


_MULTIPLY = (_constants(PERMUTATIONS, 1) >> np.uint64(32)).astype(np.uint32) | np.uint32(1)
_ADD = (_constants(PERMUTATIONS, 2) >> np.uint64(32)).astype(np.uint32)
_BAND_SALTS = _constants(BANDS, 3)
_PLACES = _constants(1 << 16, 4)
"""One a place in a sentence or text, so that the order of words counts."""
_SENTENCE_SALT, _LEAD_SALT, _PUBLISHER_SALT = _constants(3, 5)


class Texts(NamedTuple):
    """Many texts, flat.

    words: a 32-bit hash a word. text, sentence: for each word the number of its
    text and of its sentence, both counted over all texts. kinds: 1 a number,
    2 a name, 0 any other. in_headline: whether it stands there. n: of texts.
    """

    words: U32
    text: NDArray[np.int64]
    sentence: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    in_headline: NDArray[np.bool_]
    n: int


def flatten(texts: Sequence[U64]) -> Texts:
    """What ``read_words`` gave of many texts, as one."""
    values = np.concatenate([np.zeros(0, np.uint64), *texts])
    text = np.repeat(np.arange(len(texts)), [len(words) for words in texts])
    is_word = (values & NO_WORD) == 0
    begins = np.ones(len(values), bool)
    begins[1:] = ((values[:-1] & END) != 0) | (text[1:] != text[:-1])
    headline_ends = np.flatnonzero(values & HEADLINE_END)
    ends_at = np.zeros(len(texts), np.int64)
    ends_at[text[headline_ends]] = headline_ends
    in_headline = np.arange(len(values)) < ends_at[text]
    sentence = np.cumsum(begins)
    capital = (values & CAPITAL) != 0
    shouted = 2 * np.bincount(text[capital], minlength=len(texts)) > np.bincount(
        text[is_word], minlength=len(texts)
    )
    name = capital & ~begins & ~in_headline & ~shouted[text]
    kinds = ((values & NUMBER) != 0).astype(np.uint8) + np.uint8(2) * name
    return Texts(
        values[is_word].astype(np.uint32),
        text[is_word],
        _numbered(sentence[is_word]),
        kinds[is_word],
        in_headline[is_word],
        len(texts),
    )


def _numbered(sorted_: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same groups, counted from zero without gaps."""
    if not len(sorted_):
        return sorted_
    return np.concatenate(([0], np.cumsum(sorted_[1:] != sorted_[:-1])))


def _starts(group: NDArray[Any]) -> NDArray[np.int64]:
    """Where each run of equal numbers begins."""
    return np.flatnonzero(np.concatenate(([True], group[1:] != group[:-1]))[: len(group)])


def sequence_hashes(words: U32, group: NDArray[np.int64]) -> U64:
    """One hash a group of consecutive words; their order counts."""
    if not len(words):
        return np.zeros(0, np.uint64)
    starts = _starts(group)
    place = np.arange(len(words)) - np.repeat(starts, np.diff(np.append(starts, len(words))))
    salted = _mixed(words.astype(np.uint64) ^ _PLACES[place & 0xFFFF])
    return _mixed(np.add.reduceat(salted, starts))


def shingle_hashes(words: U32) -> U32:
    """The hash of the word and the two after it, for all words but the last two."""
    a, b, c = (words[n : len(words) - 2 + n].astype(np.uint64) for n in range(3))
    mixed = _mixed((a << np.uint64(32) | b) + c * np.uint64(_GOLDEN))
    return (mixed >> np.uint64(32)).astype(np.uint32)


class Ragged(NamedTuple):
    """A list of values a text: those of text n are ``values[ends[n-1]:ends[n]]``."""

    values: NDArray[np.generic]
    ends: NDArray[np.int64]

    def packed(self) -> list[bytes]:
        """The values of each text as bytes."""
        size = self.values.itemsize
        every, ends = self.values.tobytes(), (self.ends * size).tolist()
        return [every[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


def _unique(values: U32, text: NDArray[np.int64], n: int) -> Ragged:
    """The distinct values of each text, ascending."""
    keyed = np.sort(text.astype(np.uint64) << np.uint64(32) | values)
    keyed = keyed[_starts(keyed)]  # np.unique takes five times as long
    counts = np.bincount((keyed >> np.uint64(32)).astype(np.int64), minlength=n)
    return Ragged(keyed.astype(np.uint32), np.cumsum(counts))


@dataclass(frozen=True, slots=True)
class Signatures:
    """What is stored of texts, a list a text.

    shingles, numbers, names: distinct 32-bit hashes, ascending.
    keys: 64 bits each; texts that share one may be alike.
    """

    shingles: Ragged
    numbers: Ragged
    names: Ragged
    keys: Ragged


@lru_cache(_PUBLISHERS_MAX)
def publisher_key(publisher: str | None) -> int:
    """The number that a publisher's boilerplate is kept under."""
    encoded = (publisher or "").encode("utf-8", "surrogatepass")
    words = np.frombuffer(encoded.ljust(-(-len(encoded) // 4) * 4, b"\0"), np.uint32)
    return int(sequence_hashes(words, np.zeros(len(words), np.int64))[0]) if len(words) else 0


def sentence_keys(texts: Texts, publishers: U64) -> tuple[U64, NDArray[np.int64]]:
    """Each sentence, as said by its publisher; and the text it stands in."""
    hashes = sequence_hashes(texts.words, texts.sentence)
    where = texts.text[_starts(texts.sentence)] if len(texts.words) else texts.text
    return _mixed(hashes ^ _mixed(publishers[where] ^ _PUBLISHER_SALT)), where


def without_boilerplate(texts: Texts, publishers: U64, boilerplate: U64) -> Texts:
    """The texts without the sentences that their publishers are known to repeat.

    boilerplate: as ``sentence_keys`` gives them, ascending.
    """
    if not len(boilerplate) or not len(texts.words):
        return texts
    keys, _ = sentence_keys(texts, publishers)
    place = np.minimum(np.searchsorted(boilerplate, keys), len(boilerplate) - 1)
    keep = (boilerplate[place] != keys)[texts.sentence]
    return Texts(
        texts.words[keep],
        texts.text[keep],
        _numbered(texts.sentence[keep]),
        texts.kinds[keep],
        texts.in_headline[keep],
        texts.n,
    )


def text_hashes(texts: Texts) -> U64:
    """One hash a text, of all its words; 0 for a text below SHORT_WORDS."""
    counts = np.bincount(texts.text, minlength=texts.n)
    hashes = np.zeros(texts.n, np.uint64)
    hashes[np.flatnonzero(counts)] = sequence_hashes(texts.words, texts.text) | np.uint64(1)
    hashes[counts < SHORT_WORDS] = 0
    return hashes


def sign(texts: Texts, hashes: U64) -> Signatures:
    """The signatures of texts; those below SHORT_WORDS have empty ones.

    hashes: as ``text_hashes`` gives them.
    """
    keep = hashes[texts.text] != 0
    words, text = texts.words[keep], texts.text[keep]
    within = text[: len(text) - 2] == text[2:] if len(text) > 2 else np.zeros(0, bool)
    every = shingle_hashes(words) if len(words) > 2 else np.zeros(0, np.uint32)
    shingles = _unique(every[within], text[: len(text) - 2][within], texts.n)
    is_number, is_name = texts.kinds[keep] == 1, texts.kinds[keep] == 2
    return Signatures(
        shingles,
        _unique(words[is_number], text[is_number], texts.n),
        _unique(words[is_name], text[is_name], texts.n),
        _keys(texts, keep, shingles),
    )


def sketches(shingles: Ragged) -> U64:
    """A row of SKETCH_BITS bits a text: those that the upper bits of its shingles name."""
    n, words = len(shingles.ends), SKETCH_BITS // 64
    found = np.zeros(n * words, np.uint64)
    bit = shingles.values.astype(np.uint64) * np.uint64(SKETCH_BITS) >> np.uint64(32)
    text = np.repeat(np.arange(n), np.diff(shingles.ends, prepend=0))
    word = text * words + (bit >> np.uint64(6)).astype(np.int64)
    starts = _starts(word)  # ascending, as shingles are
    if len(starts):
        bits = np.uint64(1) << (bit & np.uint64(63))
        found[word[starts]] = np.bitwise_or.reduceat(bits, starts)
    return found.reshape(n, words)


_CHUNK = 1 << 14
"""Shingles that stay in the processor's cache while all permutations pass."""


def minhashes(shingles: Ragged, rows: int = PERMUTATIONS) -> U32:
    """The least value of each permutation, a row each, a column a text; all ones for none."""
    counts = np.diff(shingles.ends, prepend=0)
    least = np.full((rows, len(counts)), 0xFFFFFFFF, np.uint32)
    texts = np.flatnonzero(counts)
    ends = np.cumsum(counts[texts])
    values = shingles.values.astype(np.uint32)
    begin = 0
    while begin < len(texts):
        offset = ends[begin - 1] if begin else 0
        stop = max(int(np.searchsorted(ends, offset + _CHUNK, "right")), begin + 1)
        part = values[offset : ends[stop - 1]]
        starts = np.concatenate(([0], ends[begin : stop - 1] - offset))
        found = np.empty((rows, stop - begin), np.uint32)
        permuted = np.empty_like(part)
        for row in range(rows):
            np.multiply(part, _MULTIPLY[row], out=permuted)
            np.add(permuted, _ADD[row], out=permuted)
            np.minimum.reduceat(permuted, starts, out=found[row])
        least[:, texts[begin:stop]] = found
        begin = stop
    return least


def _keys(texts: Texts, keep: NDArray[np.bool_], shingles: Ragged) -> Ragged:
    """The bands of each text that has shingles, its longer sentences and its lead."""
    signed = np.flatnonzero(np.diff(shingles.ends, prepend=0))
    rows = minhashes(shingles)[:, signed].astype(np.uint64).reshape(BANDS, BAND_ROWS, len(signed))
    bands = np.repeat(_BAND_SALTS[:, None], len(signed), axis=1)
    for row in range(BAND_ROWS):
        bands = _mixed(bands * np.uint64(_GOLDEN) + rows[:, row])
    words, sentence, text = texts.words[keep], texts.sentence[keep], texts.text[keep]
    hashes = sequence_hashes(words, sentence)
    starts = _starts(sentence)
    long = np.diff(np.append(starts, len(words))) >= KEY_SENTENCE_WORDS
    leads, lead_text = _leads(words, text, texts.in_headline[keep])
    keys = np.concatenate(
        (bands.T.ravel(), _mixed(hashes[long] ^ _SENTENCE_SALT), _mixed(leads ^ _LEAD_SALT))
    )
    owner = np.concatenate((np.repeat(signed, BANDS), text[starts][long], lead_text))
    order = np.lexsort((keys, owner))
    keys, owner = keys[order], owner[order]
    first = np.ones(len(keys), bool)
    first[1:] = (keys[1:] != keys[:-1]) | (owner[1:] != owner[:-1])
    counts = np.bincount(owner[first], minlength=texts.n)
    return Ragged(keys[first], np.cumsum(counts))


def _leads(
    words: U32, text: NDArray[np.int64], in_headline: NDArray[np.bool_]
) -> tuple[U64, NDArray[np.int64]]:
    """The hash of the first LEAD_WORDS of each body that has so many."""
    words, text = words[~in_headline], text[~in_headline]
    starts = _starts(text)
    enough = np.diff(np.append(starts, len(words))) >= LEAD_WORDS
    starts = starts[enough]
    lead = words[starts[:, None] + np.arange(LEAD_WORDS)]
    group = np.repeat(np.arange(len(starts)), LEAD_WORDS)
    return sequence_hashes(lead.ravel(), group), text[starts]
