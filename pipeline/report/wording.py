"""How the report words what the dataset holds, and how it shows a change of text."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import takewhile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

WORDS_COMPARED_MAX = 600
"""Of what is left between the common beginning and end; comparing is quadratic."""

_WORDS_AROUND = 12
_WEB_ADDRESS = re.compile(r"https?://[^\s/?#]+[^\s\x00-\x1f]*", re.IGNORECASE)
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def text_changes(before: str, after: str) -> list[tuple[str, str]]:
    """What became of a text, word by word: pairs of same, insert, delete or gap, and words.

    A gap stands for words that are the same, or that were too many to compare;
    it says how many.
    """
    old, new = _words(before), _words(after)
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    old_mid, new_mid = old[head : len(old) - tail], new[head : len(new) - tail]
    left_out = max(len(old_mid), len(new_mid)) - WORDS_COMPARED_MAX
    old_mid, new_mid = old_mid[:WORDS_COMPARED_MAX], new_mid[:WORDS_COMPARED_MAX]
    parts = [("same", new[:head])]
    for kind, a, b, c, d in SequenceMatcher(None, old_mid, new_mid).get_opcodes():
        if kind == "equal":
            parts.append(("same", new_mid[c:d]))
        else:
            parts += [("delete", old_mid[a:b]), ("insert", new_mid[c:d])]
    if left_out > 0:
        parts.append(("gap", [f"{left_out:,} more words not compared"]))
    parts.append(("same", new[len(new) - tail :]))
    return _shortened([(kind, words) for kind, words in parts if words])


def _shortened(parts: list[tuple[str, list[str]]]) -> list[tuple[str, str]]:
    """Only so many of the words that stayed the same as it takes to find one's way."""
    shown: list[tuple[str, str]] = []
    for n, (kind, words) in enumerate(parts):
        before = _WORDS_AROUND if n else 0
        after = _WORDS_AROUND if n < len(parts) - 1 else 0
        left_out = len(words) - before - after
        if kind != "same" or left_out < _WORDS_AROUND:
            shown.append((kind, _joined(words)))
            continue
        if before:
            shown.append(("same", _joined(words[:before])))
        shown.append(("gap", f"{left_out:,} words"))
        if after:
            shown.append(("same", _joined(words[-after:])))
    return shown


def _words(text: str) -> list[str]:
    return re.findall(r"\n\n|\S+", text)


def _joined(words: list[str]) -> str:
    return re.sub(r" ?\n\n ?", "\n\n", " ".join(words))


def _common(a: list[str], b: list[str]) -> int:
    pairs = zip(a, b, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def clip(text: str | None, most: int) -> str:
    """A text of at most so many characters, on one paragraph's worth of lines."""
    visible = _UNSEEN.sub(" ", text or "")
    return visible if len(visible) <= most else visible[: most - 1].rstrip() + "…"


def is_web_address(text: str | None) -> bool:
    """Whether a text may stand in a link."""
    return bool(text and _WEB_ADDRESS.fullmatch(text))


def day(value: date | None) -> str:
    """12 May 2026."""
    return f"{value.day} {value:%B %Y}" if value else "unknown"


def moment(value: datetime | None) -> str:
    """12 May 2026, 08:30."""
    return f"{value.day} {value:%b %Y, %H:%M}" if value else "time unknown"


def span(seconds: float | None) -> str:
    """A length of time in the one unit that says most: 45 s, 12 min, 3.5 h, 2 d."""
    if seconds is None:
        return "–"
    sign, size = ("−" if seconds < 0 else ""), abs(seconds)
    for limit, unit_s, unit in ((60, 1, "s"), (3600, 60, "min"), (36 * 3600, 3600, "h")):
        if size < limit:
            return f"{sign}{_short(size / unit_s)} {unit}"
    return f"{sign}{_short(size / 86400)} d"


def _short(n: float) -> str:
    return f"{n:.1f}".removesuffix(".0") if n < 10 else f"{n:,.0f}"


def topic_name(slug: str) -> str:
    """economy-business-and-finance -> Economy business and finance."""
    return slug.replace("-", " ").capitalize()


FILTERS: dict[str, Callable[..., Any]] = {
    "clip": clip,
    "is_web_address": is_web_address,
    "day": day,
    "moment": moment,
    "span": span,
    "topic_name": topic_name,
    "number": lambda n: f"{n:,}",
    "iso": lambda value: value.isoformat().replace("+00:00", "Z"),
}
"""What the template calls by these names."""
