"""What a text is about: a lexicon of weighted terms, read in one pass.

No model, no download: the terms of each topic are our own and lie beside this
file in ``topic_terms/``, one file per language and ``names.txt`` for what is
called the same in all of them. A file holds a ``[slug]`` per topic and lines of
a weight, 1 (weak) to 5 (decisive), and terms apart by ``;``. A term is one word
or several, without case and accents; a single word may end or begin with ``*``
for any ending or beginning.

No Beam here, so that ``split`` starts at once.
"""

from __future__ import annotations

import math
import re
import unicodedata
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from schemas.topics import QCODES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl")
"""Those with terms of their own; other texts are read with the English ones."""

_TITLE_COUNTS = 2
"""So often counts a term in the title: it was chosen to say what the text is about."""

_STRENGTH = (0.0, 0.3, 0.7, 1.5, 2.0, 3.5)
"""What the weights 1 to 5 of the files are worth."""

_SHOWN = 5

_PRIOR = 4.0
"""Evidence that any text is taken to hold for something else, so that one word is not sure."""

_SLOPE, _LONE_SLOPE = 2.0, 1.1
"""From the margin to the score: a logistic curve through how often a margin was right in texts
of our own, most of them short and hard. What a single term says is right less often."""

_WORD = re.compile(r"\w+")
_ASCII = bytes(ord(c.lower() if c.isalnum() or c == "_" else " ") for c in map(chr, range(128)))
_ASCII += bytes(128)
"""What _WORD finds in a lower-cased text without accents, three times as fast."""
_SIGN = re.compile("[^\\w\x00-\x7f\u0300-\u036f]+")
_TERM_WORD = re.compile(r"[\w*]+")
_ACCENT = re.compile("[\u0300-\u036f]+")
_LEAST_STEM = 3
_LEAST_STAR = 4

_TOPICS = tuple(QCODES)
_OFTEN = (0.0, *(1.0 + math.log(n) for n in range(1, 64)))
_WORDS_KEPT_MAX = 1 << 16

_T = TypeVar("_T")
_Endings = tuple[tuple[str, str], ...]

_ENDINGS: dict[str, _Endings] = {
    "en": (
        ("s", ""), ("es", ""), ("ies", "y"), ("ed", ""), ("d", ""), ("ied", "y"), ("ing", ""),
        ("ing", "e"), ("ers", ""), ("er", ""), ("ly", ""), ("men", "man"),
    ),
    "de": (("n", ""), ("en", ""), ("e", ""), ("er", ""), ("s", ""), ("es", ""), ("em", ""),
           ("ern", ""), ("innen", ""), ("in", "")),
    "fr": (("s", ""), ("x", ""), ("e", ""), ("es", ""), ("aux", "al"), ("ee", "e"), ("ees", "e")),
    "es": (("s", ""), ("es", ""), ("a", "o"), ("as", "o"), ("ces", "z")),
    "it": (("i", "o"), ("e", "a"), ("i", "e"), ("i", "a"), ("a", "o"), ("he", "a")),
    "nl": (("s", ""), ("en", ""), ("n", ""), ("e", "")),
    "pt": (("s", ""), ("es", ""), ("a", "o"), ("as", "o"), ("oes", "ao"), ("ais", "al")),
    "pl": (("y", ""), ("i", ""), ("a", ""), ("u", ""), ("ow", ""), ("om", ""), ("em", ""),
           ("ie", "a"), ("e", "a"), ("e", ""), ("ach", ""), ("ami", "")),
}  # fmt: skip
"""By language: how an inflected word ends, and how the word of the lexicon does."""


class TextTopic(NamedTuple):
    """The likeliest topic of a text.

    score: 0..1, how sure. terms: those that spoke most for it, strongest first.
    """

    slug: str
    score: float
    terms: tuple[str, ...]


class _Node:
    """Where a term may end, and the words by which it may go on.

    speaks: pairs of a topic's number and a weight; empty where no term ends.
    """

    __slots__ = ("speaks", "term", "then")

    def __init__(self) -> None:
        self.term = ""
        self.speaks: tuple[tuple[int, float], ...] = ()
        self.then: dict[str, _Node] = {}


class _Memo(dict[str, _T]):
    """What a function gave for the words of late; a dict, because nothing is faster."""

    def __init__(self, of: Callable[[str], _T]) -> None:
        self._of = of

    def __missing__(self, word: str) -> _T:
        if len(self) >= _WORDS_KEPT_MAX:
            self.clear()
        value = self[word] = self._of(word)
        return value


class Lexicon:
    """The terms of one language, and how its words are folded to them."""

    def __init__(self, terms: dict[str, dict[str, float]], endings: _Endings) -> None:
        """terms: each with its weight by topic; endings: see _ENDINGS."""
        self._heads: dict[str, _Node] = {}
        vocabulary: set[str] = set()
        for term, weights in terms.items():
            first, *rest = term.split()
            vocabulary.update((first, *rest))
            node = self._heads.setdefault(first, _Node())
            for word in rest:
                node = node.then.setdefault(word, _Node())
            node.term = term
            node.speaks = tuple((_TOPICS.index(slug), weight) for slug, weight in weights.items())
        self._vocabulary = vocabulary
        self._starts = {word[:-1] for word in vocabulary if word.endswith("*")}
        self._ends = {word[1:] for word in vocabulary if word.startswith("*")}
        self._endings = endings
        self._folds = _Memo(self._fold)
        self._nodes = _Memo(self._node)

    def count(self, words: list[str]) -> dict[_Node, int]:
        """How often each term is there; where one begins the longest counts, its words no more."""
        counts: dict[_Node, int] = {}
        folds, end = self._folds, len(words)
        free = 0
        for at, first in enumerate(map(self._nodes.__getitem__, words)):
            if first is None or at < free:
                continue
            node = first
            if node.then:
                longest = node
                after = at + 1
                while after < end and (further := node.then.get(folds[words[after]])):
                    node = further
                    after += 1
                    if node.speaks:
                        longest, free = node, after
                if not longest.speaks:
                    continue
                node = longest
            counts[node] = counts.get(node, 0) + 1
        return counts

    def _node(self, word: str) -> _Node | None:
        return self._heads.get(self._fold(word)) or self._heads.get(self._starred(word))

    def _fold(self, word: str) -> str:
        if word in self._vocabulary:
            return word
        for ending, base in self._endings:
            if word.endswith(ending) and len(word) >= _LEAST_STEM + len(ending):
                stem = word[: -len(ending)]
                if stem + base in self._vocabulary:
                    return stem + base
                if not base and stem[-1] == stem[-2] and stem[:-1] in self._vocabulary:
                    return stem[:-1]
        return self._starred(word)

    def _starred(self, word: str) -> str:
        for size in range(len(word), _LEAST_STAR - 1, -1):
            if word[:size] in self._starts:
                return word[:size] + "*"
        for size in range(len(word), _LEAST_STAR - 1, -1):
            if word[-size:] in self._ends:
                return "*" + word[-size:]
        return ""


def text_topic(title: str | None, texts: Iterable[str], language: str | None) -> TextTopic | None:
    """What title and texts are about; None if they hold no term at all.

    language: BCP 47; a text without one, or in one without terms, is read with
    the English terms.
    """
    primary = (language or "en").partition("-")[0].lower()
    lexicon = lexicon_of(primary if primary in LANGUAGES else "en")
    counts = lexicon.count(words_of("\n".join(texts)))
    for node, n in lexicon.count(words_of(title or "")).items():
        counts[node] = counts.get(node, 0) + n * _TITLE_COUNTS
    return _decide(counts) if counts else None


def words_of(text: str) -> list[str]:
    """The words of a text, without case and accents."""
    if not text.isascii():
        text = _SIGN.sub(" ", text)
    if text.isascii():
        return text.encode().translate(_ASCII).decode().split()
    return _WORD.findall(plain_text(text))


def plain_text(text: str) -> str:
    """The text without case and accents."""
    text = text.casefold()
    if text.isascii():
        return text
    return _ACCENT.sub("", unicodedata.normalize("NFKD", text))


def _decide(counts: dict[_Node, int]) -> TextTopic:
    """By what speaks for each topic; a term that is often there says little more than one."""
    totals = [0.0] * len(_TOPICS)
    for node, n in counts.items():
        often = _OFTEN[n] if n < len(_OFTEN) else 1.0 + math.log(n)
        for topic, weight in node.speaks:
            totals[topic] += weight * often
    second, best = sorted(totals)[-2:]
    topic = totals.index(best)
    margin = (best - second) / math.sqrt(best + second + _PRIOR)
    spoke = [
        (-weight * (1.0 + math.log(n)), node.term)
        for node, n in counts.items()
        for its, weight in node.speaks
        if its == topic
    ]
    slope = _SLOPE if len(spoke) > 1 else _LONE_SLOPE
    score = 1 / (1 + math.exp(-slope * margin))
    return TextTopic(_TOPICS[topic], score, tuple(term for _, term in sorted(spoke)[:_SHOWN]))


@lru_cache
def lexicon_of(language: str) -> Lexicon:
    """The terms of a language together with the names."""
    weights: dict[str, dict[str, float]] = {}
    for name in ("names", language):
        text = (files("transforms") / "topic_terms" / f"{name}.txt").read_text("utf8")
        for slug, weight, term in parse_terms(text):
            of_term = weights.setdefault(term, {})
            of_term[slug] = max(of_term.get(slug, 0.0), _STRENGTH[weight])
    return Lexicon(weights, _ENDINGS[language])


def parse_terms(text: str) -> Iterator[tuple[str, int, str]]:
    """The (slug, weight, term) of a file, in its order."""
    slug = ""
    for line in text.splitlines():
        if line.startswith("["):
            slug = line.strip("[]")
        elif line:
            weight, _, terms = line.partition(" ")
            for term in terms.split(";"):
                yield slug, int(weight), " ".join(_TERM_WORD.findall(plain_text(term)))
