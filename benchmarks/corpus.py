"""A news corpus of any size, of our own making: the same seed gives the same bytes.

    python -m benchmarks.corpus FOLDER [--pages 1000] [--seed 1]

Live blogs in the shapes that the tests know, ordinary articles, articles that
other publishers repeat word for word or edited, and pages that cannot be read.
Each page follows from the seed and its number alone, so that several processes
can each make a part. What a perfect reader finds in a page comes with it.
"""

from __future__ import annotations

import argparse
import gzip
import html
import json
import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tests.test_liveblog_shapes import BYLINED, UNSIGNED, URL, Item, Story, trailing

if TYPE_CHECKING:
    from collections.abc import Iterator

PUBLISHERS = 200
DAYS = 60
ZONE = "Europe/London"
"""Of every clock in the corpus that names none: what to give as ``--timezone``."""

LIVE_SHAPES = {
    name: {**BYLINED, **UNSIGNED, "trailing": trailing}[name]
    for name in (
        "hashed", "nested_wrappers", "wordpress", "sourcefabric", "amp", "microdata",
        "json_ld_graph", "json_ld_truncated_bodies", "key_events_and_pinned", "noisy",
        "custom_elements", "varied_entries", "names_with_roles", "flat_headings", "trailing",
    )
}  # fmt: skip

_KINDS = {"live_blog": 30, "article": 49, "copy": 9, "near_copy": 6, "failure": 6}
"""Of a hundred pages."""

_FAILURES = {
    "gzip_broken": ".html.gz", "page_binary": ".html", "page_empty": ".html",
    "page_too_complex": ".html", "script_ticker": ".html",
}  # fmt: skip
_FIRST_DAY = datetime(2026, 3, 1, tzinfo=UTC)
_SECTIONS = (
    "politics", "business", "sport", "science", "health", "weather", "culture", "education",
    "environment", "crime", "travel", "religion",
)  # fmt: skip
_NAMES = ("Ada", "Tom", "Orla", "Piet", "Marta", "Ivo", "Lena", "Hugh", "Nadia", "Sven", "Rosa")
_SURNAMES = (
    "Quill", "Reddick", "Tennick", "Marlow", "Hesketh", "Varga", "Lindqvist", "Okafor", "Brandt",
    "Sorensen", "Pellow", "Ashdown",
)  # fmt: skip
_SYLLABLES = (
    "bar", "bel", "cor", "dan", "del", "dor", "el", "fen", "gal", "gor", "hal", "hem", "is", "kal",
    "kor", "lan", "len", "lor", "mar", "mel", "min", "mor", "nar", "nol", "or", "pel", "pol", "ran",
    "rel", "ros", "sal", "sel", "sor", "tal", "tem", "tor", "ul", "val", "ven", "wes",
)  # fmt: skip
_SUBJECTS = (
    "the harbour master", "a spokeswoman for the council", "the minister", "the rail operator",
    "an engineer at the dam", "the union", "a witness", "the opposition leader", "the coach",
    "the research team", "a farmer from the valley", "the head teacher", "the museum", "the bank",
    "a rescue worker", "the port authority", "the striker", "the weather service", "the mayor",
    "an analyst", "the shipping line", "the hospital", "a volunteer", "the court", "the airline",
)  # fmt: skip
_VERBS = (
    "confirmed", "denied", "repeated", "announced", "warned", "explained", "noted", "promised",
    "insisted", "wrote", "told reporters", "admitted", "predicted", "suggested", "doubted",
)  # fmt: skip
_OBJECTS = (
    "the new timetable", "repairs to the northern bridge", "the vote on the budget",
    "water levels along the river", "the second half of the season", "talks with the pilots",
    "the price of grain", "results of the trial", "a delay of several weeks", "the old pier",
    "plans for a larger terminal", "the search in the hills", "the lowest turnout in years",
    "a loan to the shipyard", "the missing paintings", "an outbreak in two villages",
    "the appeal by the prosecution", "storm damage to the orchards", "the merger", "the tunnel",
)  # fmt: skip
_CHANGES = (
    "would begin", "could not be settled", "had been brought forward", "cost more than expected",
    "was safe", "needed another round of tests", "would be paid for by the region",
    "had surprised everyone", "must wait", "was nearly complete", "had fallen behind",
    "would be discussed in public", "had been agreed overnight", "was out of the question",
)  # fmt: skip
_WHEN = (
    "by the end of the week", "before the summer", "late in the evening", "after a short break",
    "despite heavy rain", "for the third time this year", "while crowds gathered outside",
    "without naming a date", "at a packed meeting", "to loud applause", "in a brief statement",
    "as the first boats returned", "hours after the alarm", "with nobody hurt",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MadePage:
    """One page of the corpus, and what is in it.

    name: of its file, in a folder of its publisher. url: its canonical address.
    kind: live_blog, article, copy, near_copy or failure; shape: how it is built.
    items: what a perfect reader finds, in the order shown; none in a failure.
    copy_of: the name of the page whose text it repeats.
    dead_letter: the code that a failure ends with.
    """

    name: str
    url: str
    kind: str
    shape: str
    content: bytes
    items: tuple[Item, ...] = ()
    copy_of: str | None = None
    dead_letter: str | None = None


def make_pages(count: int, seed: int = 1, start: int = 0) -> Iterator[MadePage]:
    """The pages numbered ``start`` to ``start + count - 1``."""
    for n in range(start, start + count):
        yield make_page(n, seed)


def make_page(n: int, seed: int = 1) -> MadePage:
    """The page of that number."""
    kind = _kind(n, seed)
    if kind == "live_blog":
        return _live_blog(n, seed)
    if kind == "failure":
        return _failure(n, seed)
    if kind == "article":
        return _article(n, seed, _items(n, seed))
    original = next(m for m in range(n - 1, -1, -1) if _kind(m, seed) == "article")
    items = _items(original, seed)
    if kind == "near_copy":
        items = (_edited(items[0], _random(n, seed, "edit")),)
    return _article(n, seed, items, kind, _name(original, seed))


def write_pages(folder: Path, count: int, seed: int = 1) -> Counter[str]:
    """The corpus as files; what there is of each kind, entries and bytes."""
    made: Counter[str] = Counter()
    for page in make_pages(count, seed):
        path = folder / page.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(page.content)
        made.update({"pages": 1, page.kind: 1, "entries": len(page.items)})
        made["bytes"] += len(page.content)
        if page.dead_letter:
            made[page.dead_letter] += 1
    return made


def _random(n: int, seed: int, purpose: str) -> random.Random:
    return random.Random(f"{seed}/{n}/{purpose}")


def _kind(n: int, seed: int) -> str:
    if n == 0:
        return "article"  # for the first copy to repeat
    return _random(n, seed, "kind").choices([*_KINDS], [*_KINDS.values()])[0]


def _publisher(n: int, seed: int) -> str:
    return f"herald-{_random(n, seed, 'publisher').randrange(PUBLISHERS):03}.example"


def _name(n: int, seed: int, ending: str = ".html") -> str:
    return f"{_publisher(n, seed)}/{n:07}{ending}"


def sentence(rng: random.Random) -> str:
    """Words that nobody wrote before: news is full of names."""
    count = rng.randrange(2, 990)
    subject, verb, thing, change, when = map(
        rng.choice, (_SUBJECTS, _VERBS, _OBJECTS, _CHANGES, _WHEN)
    )
    subject, thing = f"{subject} of {_place(rng)}", f"{thing} at {_place(rng)}"
    forms = (
        f"{subject} {verb} that {thing} {change} {when}.",
        f"{when}, {subject} {verb} that {thing} {change}.",
        f"some {count} people heard how {subject} {verb} that {thing} {change}.",
        f"{thing} {change}, {subject} {verb} {when}, and {count} more were told.",
        f"asked about {thing}, {subject} {verb} that {rng.choice(_OBJECTS)} {change}.",
    )
    text = rng.choice(forms)
    return text[0].upper() + text[1:]


def _place(rng: random.Random) -> str:
    """One of 64,000 names."""
    return "".join(rng.choices(_SYLLABLES, k=3)).capitalize()


def _paragraphs(rng: random.Random, fewest: int, most: int) -> tuple[str, ...]:
    return tuple(
        " ".join(sentence(rng) for _ in range(rng.randint(2, 4)))
        for _ in range(rng.randint(fewest, most))
    )


def _headline(rng: random.Random) -> str:
    text = f"{rng.choice(_SUBJECTS)} and {rng.choice(_OBJECTS)}: what {rng.choice(_VERBS)} means"
    return text[0].upper() + text[1:] + f" for {rng.randrange(2, 990)} towns"


def _author(rng: random.Random) -> str:
    return f"{rng.choice(_NAMES)} {rng.choice(_SURNAMES)}"


def _items(n: int, seed: int) -> tuple[Item, ...]:
    """An article's single item; what its copies repeat."""
    rng = _random(n, seed, "text")
    at = _moment(rng).astimezone(ZoneInfo(ZONE))
    return (Item(_headline(rng), _paragraphs(rng, 6, 20), _author(rng), at),)


def _moment(rng: random.Random) -> datetime:
    return _FIRST_DAY + timedelta(minutes=rng.randrange(DAYS * 24 * 60))


def _edited(item: Item, rng: random.Random) -> Item:
    """The same story as another desk prints it: a word in twelve changed, a line added."""
    paragraphs = []
    for text in item.paragraphs:
        words = text.split(" ")
        for k, word in enumerate(words):
            if word.isalpha() and rng.random() < 1 / 12:
                words[k] = rng.choice(("nearly", "reportedly", "again", "then", "also", "later"))
        paragraphs.append(" ".join(words))
    later = item.at + timedelta(minutes=rng.randrange(5, 600))
    return Item(item.headline, (*paragraphs, sentence(rng)), _author(rng), later)


def _live_blog(n: int, seed: int) -> MadePage:
    rng = _random(n, seed, "live")
    at = _moment(rng)
    items = []
    for _ in range(rng.randint(5, 40)):
        here = at.astimezone(ZoneInfo(ZONE))
        items.append(Item(_headline(rng), _paragraphs(rng, 1, 4), _author(rng), here))
        at -= timedelta(minutes=rng.randint(3, 25))
    shape = rng.choice([*LIVE_SHAPES])
    title = f"{rng.choice(_SUBJECTS).capitalize()}, live: {rng.choice(_OBJECTS)}"
    url = f"https://www.{_publisher(n, seed)}/{rng.choice(_SECTIONS)}/live/{n}"
    story = Story("en", title, ZONE, tuple(items))
    head = (
        f'<link rel="canonical" href="{url}">'
        f'<meta property="article:published_time" content="{items[-1].iso}">'
        f'<meta property="article:modified_time" content="{items[0].iso}">'
    )
    markup = _dressed(LIVE_SHAPES[shape](story).replace(URL, url), _publisher(n, seed), head)
    return MadePage(_name(n, seed), url, "live_blog", shape, markup.encode(), story.items)


def _article(
    n: int, seed: int, items: tuple[Item, ...], kind: str = "article", copy_of: str | None = None
) -> MadePage:
    rng = _random(n, seed, "page")
    item, publisher, section = items[0], _publisher(n, seed), rng.choice(_SECTIONS)
    url = f"https://www.{publisher}/{section}/{item.at:%Y/%m/%d}/story-{n}"
    title = html.escape(item.headline or "", quote=False)
    about = {
        "@context": "https://schema.org", "@type": "NewsArticle", "headline": item.headline,
        "datePublished": item.iso, "author": {"@type": "Person", "name": item.author},
        "articleSection": section,
    }  # fmt: skip
    shape = rng.choice(("json_ld", "meta", "byline"))
    head = f'<link rel="canonical" href="{url}"><meta property="og:title" content="{title}">'
    if shape == "json_ld":
        head += f'<script type="application/ld+json">{json.dumps(about)}</script>'
    else:
        head += (
            f'<meta property="article:published_time" content="{item.iso}">'
            f'<meta name="author" content="{item.author}">'
            f'<meta property="article:section" content="{section}">'
        )
    text = "".join(f"<p>{html.escape(p, quote=False)}</p>" for p in item.paragraphs)
    byline = f'<p class="byline">By {item.author}</p>' if shape == "byline" else ""
    markup = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><main><article><header><h1>{title}</h1>{byline}"
        f'<time datetime="{item.iso}">{item.at:%d %B %Y %H:%M}</time></header>'
        f'<div class="body">{text}</div></article></main></body></html>'
    )
    content = _dressed(markup, publisher, head).encode()
    return MadePage(_name(n, seed), url, kind, shape, content, items, copy_of)


def _failure(n: int, seed: int) -> MadePage:
    code = _random(n, seed, "failure").choice([*_FAILURES])
    content = {
        "gzip_broken": gzip.compress(b"<html><body><p>Cut short.</p>" * 50, mtime=0)[:60],
        "page_binary": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        "page_empty": b" \n",
        "page_too_complex": b"<html><body>" + b"<div>" * 20_000 + b"deep",
        "script_ticker": b"<html><head><title>Live ticker</title></head><body>"
        b'<h1>Live ticker</h1><div data-arena-id="4711"></div></body></html>',
    }[code]
    url = f"https://www.{_publisher(n, seed)}/lost/{n}"
    name = _name(n, seed, _FAILURES[code])
    return MadePage(name, url, "failure", code, content, dead_letter=code)


def _dressed(markup: str, publisher: str, head: str) -> str:
    """The page with what surrounds every page of its publisher: 15 kB of it."""
    style, script, menu = _dress(publisher)
    markup = markup.replace("</head>", f"{head}{style}{script}</head>", 1)
    return markup.replace("</body>", f"{menu}</body>", 1)


@cache
def _dress(publisher: str) -> tuple[str, str, str]:
    rng = random.Random(publisher)
    style = "".join(
        f".c{rng.randrange(10**6)}{{margin:{k}px;color:#{rng.randrange(4096):03x}}}\n"
        for k in range(150)
    )
    settings = {f"key{k}": sentence(rng) for k in range(40)}
    menu = "".join(
        f'<li><a href="/{rng.choice(_SECTIONS)}/{k}"><span>{rng.choice(_OBJECTS)}</span></a></li>'
        for k in range(60)
    )
    return (
        f"<style>{style}</style>",
        f"<script>window.settings={json.dumps(settings)}</script>",
        f"<footer><nav><ul>{menu}</ul></nav><p>© {publisher}. All rights reserved.</p></footer>",
    )


def main() -> None:
    """Write a corpus and say what is in it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for name, count in write_pages(options.folder, options.pages, options.seed).items():
        print(f"  {name:18} {count:12,}")


if __name__ == "__main__":
    main()
