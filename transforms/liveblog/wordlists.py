"""Words: sets of them written as text, and the blanks between them."""

from __future__ import annotations

import re

_DIVIDER = re.compile(r"\s[|•·—–-]\s|\s?[|•·]\s?")


def words(text: str) -> frozenset[str]:
    """The words of a text that white space separates."""
    return frozenset(text.split())


def line_parts(line: str) -> list[str]:
    """The parts of a line that bars, dots or dashes divide: "12:05 | Jane Doe"."""
    return [part for part in _DIVIDER.split(line) if part]


def one_line(text: str) -> str:
    """The text with each run of white space as one blank, none at its ends."""
    # All white space but the blank counts as not printable
    if "  " not in text and text.isprintable():
        return text.strip(" ")
    return " ".join(text.split())
