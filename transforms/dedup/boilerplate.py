"""Boilerplate: the sentences that a publisher puts under everything.

They are learnt, not listed: a sentence that one publisher repeats in four
stories that are otherwise different. Copies of one story repeat all of its
sentences, so it is the rest of each text that tells stories apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from transforms.dedup.signature import (
    Ragged,
    Texts,
    minhashes,
    sentence_keys,
    sequence_hashes,
    shingle_hashes,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.dedup.signature import U64

STORIES_MIN = 4
"""A sentence in so many different stories of a publisher is boilerplate."""

_SKETCH_ROWS = 8
_SAME_STORY_ROWS = 3
"""Two rests that agree in so many rows of their sketches are one story."""

_REST_SHARE_MIN = 1 / 3
"""A text with less of its own than this is a copy, and tells no new story."""

_STORIES_COMPARED_MAX = 32
"""Four of these are found, or there are none: those with the lowest hashes."""

SENTENCE = np.dtype(
    [
        ("key", np.uint64),
        ("document", np.uint64),
        ("words", np.uint32),
        ("sketch", np.uint32, _SKETCH_ROWS),
    ]
)
"""One sentence of one document, as its publisher said it."""


def describe_sentences(
    texts: Texts, publishers: U64, documents: U64
) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    """A SENTENCE for each, and the text it stands in.

    publishers, documents: a number a text; copies of a document have one number.
    """
    keys, where = sentence_keys(texts, publishers)
    found = np.zeros(len(keys), SENTENCE)
    found["key"], found["document"] = keys, documents[where]
    found["words"] = np.bincount(texts.sentence, minlength=len(keys))
    words, sentence = texts.words, texts.sentence
    found["sketch"] = 0xFFFFFFFF
    if len(words) > 2:
        within = sentence[:-2] == sentence[2:]
        ends = np.cumsum(np.bincount(sentence[:-2][within], minlength=len(keys)))
        shingles = Ragged(shingle_hashes(words)[within], ends)
        found["sketch"] = minhashes(shingles, _SKETCH_ROWS).T
    short = found["words"] < 3
    if short.any():
        whole = sequence_hashes(words, sentence)[short].astype(np.uint32)
        rows = Ragged(whole, np.arange(1, len(whole) + 1))
        found["sketch"][short] = minhashes(rows, _SKETCH_ROWS).T
    return found, where


def learn_boilerplate(sentences: NDArray[np.void]) -> U64:
    """The keys of boilerplate, ascending; the order of the sentences is all one.

    sentences: SENTENCE, all of each publisher that is among them.
    """
    if not len(sentences):
        return np.zeros(0, np.uint64)
    order = np.lexsort((sentences["document"], sentences["key"]))
    sentences = sentences[order]
    key, document = sentences["key"], sentences["document"]
    again = np.zeros(len(key), bool)
    again[1:] = (key[1:] == key[:-1]) & (document[1:] == document[:-1])
    sentences = sentences[~again]
    key = sentences["key"]
    starts = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
    documents_of = np.diff(np.append(starts, len(key)))
    repeated = np.repeat(documents_of >= STORIES_MIN, documents_of)
    if not repeated.any():
        return np.zeros(0, np.uint64)
    documents, sketches = _rests(sentences, repeated)
    found = []
    for start, count in zip(starts, documents_of, strict=True):
        if count >= STORIES_MIN:
            telling = sentences["document"][start : start + count]  # ascending
            place = np.searchsorted(documents, telling[np.isin(telling, documents)])
            place = place[:_STORIES_COMPARED_MAX]
            if _stories(sketches[place]) >= STORIES_MIN:
                found.append(key[start])
    return np.array(found, np.uint64)


def _rests(
    sentences: NDArray[np.void], repeated: NDArray[np.bool_]
) -> tuple[U64, NDArray[np.uint32]]:
    """The documents with enough of their own, ascending, and the sketches of that."""
    order = np.argsort(sentences["document"], kind="stable")
    document, repeated = sentences["document"][order], repeated[order]
    starts = np.flatnonzero(np.concatenate(([True], document[1:] != document[:-1])))
    words = sentences["words"][order].astype(np.int64)
    all_words = np.add.reduceat(words, starts)
    own_words = np.add.reduceat(np.where(repeated, 0, words), starts)
    sketch = np.where(repeated[:, None], np.uint32(0xFFFFFFFF), sentences["sketch"][order])
    enough = own_words >= _REST_SHARE_MIN * all_words
    return document[starts][enough], np.minimum.reduceat(sketch, starts, axis=0)[enough]


def _stories(sketches: NDArray[np.uint32]) -> int:
    """How many of the rests differ, when those that are alike are put together."""
    same = (sketches[:, None, :] == sketches[None, :, :]).sum(axis=2) >= _SAME_STORY_ROWS
    group = np.arange(len(sketches))
    for one in range(len(sketches)):
        alike = np.unique(group[same[one]])
        group[np.isin(group, alike)] = alike.min() if len(alike) else one
    return len(np.unique(group))
