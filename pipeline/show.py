"""``show``: one page's entries as a person would read them. No Beam, no dataset."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

from pipeline.options import fetch_limits
from pipeline.split import split_request
from schemas.records import PageRequest

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from schemas.records import Entry, SplitPage

_WIDTH_MAX = 88
_WIDTH_MIN = 24
_INDENT = 7
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What could steer the terminal, or turn its text round."""

_BOLD, _DIM, _KEY, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[1;33m", "\x1b[0m"


def run(options: argparse.Namespace) -> int:
    """Print the page; raises PageError if there is nothing to be had."""
    request = PageRequest(options.page, f"show:{options.page}", page_url=options.url)
    split = split_request(request, fetch_limits(options), options.timezone)
    # https://no-color.org
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    width = shutil.get_terminal_size((_WIDTH_MAX, 0)).columns
    for line in page_lines(split, width=width, coloured=coloured):
        sys.stdout.write(line + "\n")
    return 0


def page_lines(split: SplitPage, *, width: int, coloured: bool = False) -> Iterator[str]:
    """The page's title and its entries in the order shown, times in UTC.

    width: of the terminal, in characters; lines are wrapped to it.
    """
    paint = _painted if coloured else _unpainted
    page = split.page
    width = max(_WIDTH_MIN, min(width, _WIDTH_MAX))
    for line in _wrapped(page.title or page.page_url, width):
        yield paint(_BOLD, line)
    kind = "live blog" if split.is_live_blog else "article"
    n = len(split.entries)
    about = f"{page.publisher or page.uri}, {kind}, {n:,} {'entry' if n == 1 else 'entries'}, UTC"
    for line in _wrapped(about, width):
        yield paint(_DIM, line)
    day = None
    for entry in split.entries:
        moment = entry.published_at
        if moment and moment.date() != day:
            day = moment.date()
            yield ""
            yield paint(_DIM, f"{moment:%A} {moment.day} {moment:%B %Y}")
        yield ""
        yield from _entry_lines(entry, width - _INDENT, paint)


def _entry_lines(entry: Entry, width: int, paint: Callable[[str, str], str]) -> Iterator[str]:
    clock = f"{entry.published_at:%H:%M}" if entry.published_at else "--:--"
    mark = "*" if entry.is_key_event else " "
    style = _KEY if entry.is_key_event else _BOLD
    lines = [paint(style, line) for line in _wrapped(entry.headline or "", width)]
    lines += [paint(_DIM, line) for line in _wrapped(_byline(entry), width)]
    for n, paragraph in enumerate(entry.body.split("\n\n")):
        lines += [""] if n else []
        lines += _wrapped(paragraph, width)
    for n, line in enumerate(lines or [""]):
        margin = paint(style, clock) + mark + " " if n == 0 else " " * _INDENT
        yield (margin + line).rstrip()


def _byline(entry: Entry) -> str:
    parts = ["Key event"] if entry.is_key_event else []
    parts += ["by " + ", ".join(entry.authors)] if entry.authors else []
    return ", ".join(parts)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(_UNSEEN.sub(" ", text), width)


def _painted(style: str, text: str) -> str:
    return f"{style}{text}{_PLAIN}" if text else ""


def _unpainted(_style: str, text: str) -> str:
    return text
