"""Topics from text: how often the lexicon is right, how sure it must be, and pages a second.

    python -m benchmarks.topics [FILE] [--language en] [--rounds 5] [--errors]

FILE: labelled texts, by default our own, ``tests/data/topics/texts.txt``, where
each topic is a section and each line a language, a style, a title and a text.
``tests/data/topics/kinds.txt`` holds harder ones, in the manner of a news agency, of a
broadcaster's pages, of a portal's teasers and of African papers; a section there may name
several topics, apart by commas, each of which is right.
Every second of our own was held back while the lexicon was written, but none of the
harder ones to the end; both halves are shown. Then the curve: at a topic_min_score, how
many texts get a topic and how many of those the right one. Speed is CPU time on one core,
for those texts and for pages as long as an article made of them.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import NamedTuple

from transforms.topic_text import TextTopic, text_topic, words_of
from transforms.topics import DEFAULT_MIN_SCORE

_TEXTS = Path(__file__).resolve().parent.parent / "tests/data/topics/texts.txt"
_SCORES = (0.0, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
_PARTS_OF_AN_ARTICLE = 20


class Labelled(NamedTuple):
    """A text and what it is about: any of its topics is right."""

    topics: tuple[str, ...]
    language: str
    style: str
    title: str
    text: str
    is_held_back: bool

    @property
    def topic(self) -> str:
        """The first of its topics."""
        return self.topics[0]


def labelled_texts(path: Path = _TEXTS) -> list[Labelled]:
    """The texts of a file in its order."""
    texts: list[Labelled] = []
    topics: tuple[str, ...] = ()
    for line in path.read_text("utf8").splitlines():
        if line.startswith("["):
            topics = tuple(line.strip("[]").split(", "))
        elif line:
            about, title, text = (part.strip() for part in line.split("|", 2))
            language, style = about.split()
            texts.append(Labelled(topics, language, style, title, text, len(texts) % 2 == 1))
    return texts


def judged(texts: list[Labelled]) -> list[TextTopic | None]:
    """What the lexicon makes of each."""
    return [text_topic(one.title, [one.text], one.language) for one in texts]


def accuracy_and_coverage(
    texts: list[Labelled], found: list[TextTopic | None], min_score: float = 0.0
) -> tuple[float, float]:
    """The share of right topics among those given, and the share that is given one."""
    given = [
        topic.slug in one.topics
        for one, topic in zip(texts, found, strict=True)
        if topic and topic.score >= min_score
    ]
    return sum(given) / max(1, len(given)), len(given) / len(texts)


def _table(title: str, groups: dict[str, list[Labelled]]) -> None:
    print(f"{title:44} texts  right  sure  right if sure")
    for name, texts in groups.items():
        found = judged(texts)
        right = accuracy_and_coverage(texts, found)
        sure = accuracy_and_coverage(texts, found, DEFAULT_MIN_SCORE)
        of_all = right[0] * right[1]  # a text without any term is not right either
        print(f"  {name:42} {len(texts):5} {of_all:6.2f} {sure[1]:5.2f} {sure[0]:14.2f}")


def _curve(texts: list[Labelled]) -> None:
    found = judged(texts)
    print("topic_min_score  coverage  accuracy")
    for score in _SCORES:
        accuracy, coverage = accuracy_and_coverage(texts, found, score)
        default = "  (default)" if score == DEFAULT_MIN_SCORE else ""
        print(f"  {score:13g} {coverage:9.2f} {accuracy:9.3f}{default}")


def _speed(name: str, pages: list[Labelled], rounds: int) -> None:
    judged(pages)
    best = min(_timed(pages) for _ in range(rounds))
    size = sum(len(words_of(f"{page.title} {page.text}")) for page in pages) / len(pages)
    print(f"  {name:10} {len(pages) / best:10,.0f} pages/s, {size:.0f} words each")


def _timed(pages: list[Labelled]) -> float:
    start = time.process_time()
    judged(pages)
    return time.process_time() - start


def _articles(texts: list[Labelled]) -> list[Labelled]:
    """Pages of many texts each, of one language."""
    step = _PARTS_OF_AN_ARTICLE
    return [
        one._replace(text="\n\n".join(part.text for part in texts[n : n + step]))
        for n, one in enumerate(texts[: len(texts) - step])
    ]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("file", nargs="?", type=Path, default=_TEXTS)
    parser.add_argument("--language", help="only texts of this language")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--errors", action="store_true", help="show what was not right")
    options = parser.parse_args()
    texts = [
        one for one in labelled_texts(options.file) if options.language in (None, one.language)
    ]
    if not texts:
        parser.error("no text of that language")
    held = [one for one in texts if one.is_held_back]
    _table("half", {"seen": [t for t in texts if not t.is_held_back], "held back": held})
    for title in ("language", "style", "topic"):
        names = dict.fromkeys(getattr(one, title) for one in texts)
        _table(
            title, {name: [one for one in texts if getattr(one, title) == name] for name in names}
        )
    print("held back:")
    _curve(held or texts)
    print("CPU time, one core")
    _speed("short", texts, options.rounds)
    _speed("articles", _articles([one for one in texts if one.language == "en"] or texts),
           options.rounds)  # fmt: skip
    if options.errors:
        for one, found in zip(texts, judged(texts), strict=True):
            if found is None or found.slug not in one.topics:
                print(f"  {one.topic} <- {found} {one.title}")


if __name__ == "__main__":
    main()
