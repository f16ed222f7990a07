"""A text classifier that was learnt from a dataset: what it is, where it is kept, how it is used.

A linear model over weighted words and pairs of words (``pipeline.topics``
trains it). It is kept as data, an ``.npz`` of numpy arrays without any object,
and used without the library that trained it.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from schemas.topics import QCODES
from transforms.topic_text import TextTopic, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT = "news-ingest-topics/1"

_ARRAYS = {"format": "U", "version": "U", "labels": "U", "vocabulary": "U", "idf": "f",
           "weights": "f", "intercept": "f"}  # fmt: skip
"""What a file holds: each array's name and kind."""

_SHOWN = 5


@dataclass(frozen=True, eq=False)
class TopicModel:
    """Labels, terms and weights.

    version: what the model is known by in manifests.
    labels: L topic slugs. vocabulary: T terms, a word or two apart by a blank.
    idf: shape (T,), how much a term counts for being rare. weights: shape
    (L, T), what it says for each label. intercept: shape (L,).
    """

    version: str
    labels: tuple[str, ...]
    vocabulary: tuple[str, ...]
    idf: np.ndarray[Any, np.dtype[np.float32]]
    weights: np.ndarray[Any, np.dtype[np.float32]]
    intercept: np.ndarray[Any, np.dtype[np.float32]]

    @cached_property
    def _index(self) -> dict[str, int]:
        return {term: n for n, term in enumerate(self.vocabulary)}

    def topic(self, title: str | None, texts: Iterable[str]) -> TextTopic | None:
        """What title and texts are about; None if they hold no term at all.

        score: the probability that the model gives it.
        """
        index = self._index
        counts = Counter(n for t in terms_of(title, texts) if (n := index.get(t)) is not None)
        if not counts:
            return None
        at = np.fromiter(counts, np.int64, len(counts))
        often = np.fromiter(counts.values(), np.float64, len(counts))
        values = (1 + np.log(often)) * self.idf[at]
        values /= np.sqrt(values @ values)
        scores = self.weights[:, at] @ values + self.intercept
        odds = np.exp(scores - scores.max())
        best = int(scores.argmax())
        spoke = self.weights[best, at] * values
        strongest = sorted(range(len(at)), key=lambda n: (-spoke[n], int(at[n])))[:_SHOWN]
        terms = tuple(self.vocabulary[at[n]] for n in strongest if spoke[n] > 0)
        return TextTopic(self.labels[best], float(odds[best] / odds.sum()), terms)


def terms_of(title: str | None, texts: Iterable[str]) -> list[str]:
    """The words and pairs of words that the model may know, in the order of the text."""
    words = words_of("\n".join((title or "", *texts)))
    return words + [f"{one} {two}" for one, two in pairwise(words)]


def write_model(model: TopicModel, file: IO[bytes]) -> None:
    """Keep it as arrays."""
    np.savez_compressed(
        file,
        format=np.array(FORMAT),
        version=np.array(model.version),
        labels=np.array(model.labels),
        vocabulary=np.array(model.vocabulary),
        idf=model.idf,
        weights=model.weights,
        intercept=model.intercept,
    )


def read_model(path: str) -> TopicModel:
    """The model of a file; raises OSError or ValueError, in one line, for anything else."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in _ARRAYS}
    except (zipfile.BadZipFile, KeyError, EOFError, TypeError, AttributeError) as error:
        raise ValueError("it is another kind of file, or a part of one") from error
    if any(array.dtype.kind != _ARRAYS[name] for name, array in arrays.items()):
        raise ValueError("it holds other data")
    if str(arrays["format"]) != FORMAT:
        raise ValueError(f"its format is {str(arrays['format'])[:40]!r}, not {FORMAT!r}")
    labels = tuple(arrays["labels"].ravel().tolist())
    vocabulary = tuple(arrays["vocabulary"].ravel().tolist())
    size = {"idf": (len(vocabulary),), "weights": (len(labels), len(vocabulary)),
            "intercept": (len(labels),)}  # fmt: skip
    if not labels or not set(labels) <= QCODES.keys():
        raise ValueError("its labels are no topics")
    for name, shape in size.items():
        if arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
            raise ValueError(f"its {name} do not fit its labels and terms")
    return TopicModel(
        str(arrays["version"]),
        labels,
        vocabulary,
        arrays["idf"].astype(np.float32),
        arrays["weights"].astype(np.float32),
        arrays["intercept"].astype(np.float32),
    )
