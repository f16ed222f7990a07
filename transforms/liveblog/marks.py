"""Where a page shows times, and which of them stand in the same role."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from heapq import nlargest
from itertools import accumulate
from typing import Literal

from transforms.liveblog.authors import names_somebody, only_names_in
from transforms.liveblog.outline import BLOCKS, HEADINGS, TEXT, Outline
from transforms.liveblog.pieces import read_time_text, read_time_value
from transforms.liveblog.times import (
    MAX_EXPRESSION_CHARS,
    MAX_SPOKEN_AGO_CHARS,
    Stamp,
    read_closing_clock,
    read_day,
    read_expression,
    read_expressions,
    read_lead,
    read_machine,
    read_spoken_ago,
    read_tail,
)
from transforms.liveblog.wordlists import line_parts, one_line

Form = Literal["time", "whole", "lead", "tail", "item"]

_DIGIT = re.compile(r"\d")
_CLOCK_INSIDE = re.compile(r"\d[:.h]\d\d\D")
_BARE_HOUR = re.compile(r"\d{1,2}\s?h")
"""An hour of the day, or how many hours ago; a machine's value beside it decides."""
_FIRST_DIGIT = re.compile(r"\d[^\0]*")
"""With what follows it in the same of several texts, which NULs divide."""
_EMPHASIS = frozenset(["strong", "b"])
_MIN_DIGIT_HEAD = 24
MAX_LEAD_NODES = 200
"""How much of a block is read for the line that its clock opens."""
MAX_CLUSTERS = 64
"""So many roles of times are looked into, the largest ones; real pages have under ten."""
_MAX_HEAD_CLIMB = 3
_MAX_HEAD_TIMES = 2
"""When a page was published, and when it was last changed."""
_MAX_LINE_NODES = 16
_MAX_INLINE_DEPTH = 16
"""How far a text is looked for its block; keeps hostile nesting linear."""


@dataclass(slots=True)
class Mark:
    """One place that shows a time.

    index: the element that is the time (form time, whole) or holds it.
    form: time a ``time`` element; whole an element that is only a time; lead
        or tail a block that opens or closes with one; item none, only an id.
    rest: what else a lead or tail block says.
    """

    index: int
    form: Form
    published: Stamp | None = None
    shown: Stamp | None = None
    rest: str = ""

    @property
    def is_update(self) -> bool:
        """Whether it tells when something was changed, not when it was published."""
        stamp = self.shown or self.published
        return stamp is not None and stamp.is_update

    @property
    def tells_time(self) -> bool:
        """Whether it tells the time of day, how long ago, or the minute of play."""
        return any(
            stamp is not None
            and (stamp.tells_clock or stamp.ago is not None or stamp.minute is not None)
            for stamp in (self.shown, self.published)
        )


@dataclass(slots=True)
class DayMark:
    """A block that names a calendar day and nothing else."""

    index: int
    stamp: Stamp


def find_marks(page: Outline) -> tuple[list[Mark], list[DayMark]]:
    """Every mark and every day heading, in document order."""
    marks: list[Mark] = []
    days: list[DayMark] = []
    places = _with_digits(page) + _spoken(page)
    times = [i for i, tag in enumerate(page.tags) if tag == "time"] if "time" in page.tags else []
    skip_until = 0
    for i in sorted(places + times):
        if i < skip_until:
            continue
        if page.tags[i] == TEXT:
            _mark_text(page, i, marks, days)
        else:
            marks.append(_time_mark(page, i))
            skip_until = page.ends[i]
    return marks, days


def _with_digits(page: Outline) -> list[int]:
    """The texts that may hold a clock, found in one search over all of them."""
    texts = page.texts
    heads = [
        text if len(text) <= MAX_EXPRESSION_CHARS else _edges(text)
        for text in [texts[i] for i in page.said]
    ]
    lines = "\0".join(heads)
    starts = list(accumulate(map(len, heads), lambda at, size: at + size + 1, initial=0))
    return [
        page.said[bisect_right(starts, found.start()) - 1] for found in _FIRST_DIGIT.finditer(lines)
    ]


def _spoken(page: Outline) -> list[int]:
    """The short texts that tell without a figure how long ago."""
    texts = page.texts
    short = [i for i in page.said if len(texts[i]) <= MAX_SPOKEN_AGO_CHARS]
    return [i for i in short if read_spoken_ago(texts[i]) is not None]


def _edges(text: str) -> str:
    """The parts of a long text that may hold a clock: its first words, and its last ones."""
    text = text.strip()
    return text[:_MIN_DIGIT_HEAD] + text[-_MIN_DIGIT_HEAD:]


def _mark_text(page: Outline, index: int, marks: list[Mark], days: list[DayMark]) -> None:
    """The marks of a text that holds a digit."""
    text = page.texts[index].strip()
    if len(text) < 2:
        return
    stamp = read_expression(text) or _time_before_names(text)
    if stamp is None:
        if _DIGIT.search(text[:_MIN_DIGIT_HEAD]):
            opened = _opens_block(page, index)
            if opened is not None:
                _lead_of_block(page, opened[0], marks)
        tail = read_tail(text)
        if tail is not None:
            marks.append(Mark(_block_of(page, index), "tail", shown=tail[1], rest=tail[0]))
            return
        closing = read_closing_clock(text)
        if closing is not None and (closing[2] or names_somebody(closing[0])):
            marks.append(Mark(_block_of(page, index), "whole", shown=closing[1]))
    elif stamp.tells_clock or stamp.ago is not None or stamp.minute is not None:
        opened = _opens_block(page, index)
        if opened is not None and opened[1] and opened[0] != page.parents[index]:
            _lead_of_block(page, opened[0], marks)
        stamp = _in_its_line(page, index, stamp)
        marks.append(_whole_mark(page, page.parents[index], text, stamp))
    else:
        block = _block_of(page, index)
        day = read_day(page.text_of(block)) if page.ends[block] - block < 8 else None
        if day is not None and not (days and days[-1].index == block):
            days.append(DayMark(block, day))


def _in_its_line(page: Outline, index: int, shown: Stamp) -> Stamp:
    """What the whole line says where a text tells the clock and another one its half or zone."""
    block = _block_of(page, index)
    end = page.ends[block]
    if shown.clock is None or end - block > _MAX_LINE_NODES:
        return shown
    if not BLOCKS.isdisjoint(page.tags[block + 1 : end]):
        return shown
    whole = read_expression(one_line(" ".join(page.texts[block + 1 : end])))
    if whole is None or whole.clock is None or whole.is_update != shown.is_update:
        return shown
    is_same = (whole.clock.hour - shown.clock.hour) % 12 == 0
    return whole if is_same and whole.clock.minute == shown.clock.minute else shown


def _time_before_names(text: str) -> Stamp | None:
    """The moment of a line that goes on with nothing but who wrote, or when it was updated."""
    if len(text) > MAX_EXPRESSION_CHARS or not _CLOCK_INSIDE.search(text):
        return None
    told = read_expressions(text)
    if told:
        return next((stamp for stamp in told if not stamp.is_update), None)
    parts = line_parts(text)
    if len(parts) < 2 or not all(map(only_names_in, parts[1:])):
        return None
    stamp = read_expression(parts[0])
    return stamp if stamp is not None and stamp.day and stamp.tells_clock else None


def _time_mark(page: Outline, index: int) -> Mark:
    published = read_time_value(page.attributes(index))
    shown = read_time_text(page, index)
    if published is not None and _BARE_HOUR.fullmatch(page.text_of(index)):
        shown = published
    return Mark(index, "time", published=published, shown=shown)


def _whole_mark(page: Outline, index: int, text: str, shown: Stamp) -> Mark:
    """A time that any element shows; its title may say the moment in full."""
    title = page.attributes(index).get("title", "")
    told = (read_machine(title) or read_expression(title)) if title else None
    if told is None or not told.tells_clock:
        return Mark(index, "whole", shown=shown)
    if shown.ago is not None or _BARE_HOUR.fullmatch(text):
        shown = told
    return Mark(index, "whole", published=told, shown=shown)


def _block_of(page: Outline, index: int) -> int:
    at = page.parents[index]
    for _ in range(_MAX_INLINE_DEPTH):
        if page.tags[at] in BLOCKS or page.parents[at] < 0:
            break
        at = page.parents[at]
    return at


def _opens_block(page: Outline, index: int) -> tuple[int, bool] | None:
    """The block whose first text this is, and whether more text follows in it."""
    block = _block_of(page, index)
    if index - block > _MAX_INLINE_DEPTH:
        return None
    for i in range(block + 1, index):
        if page.tags[i] == TEXT and page.texts[i].strip(" \n\t\r+|•·-–"):
            return None
    follows = any(
        page.tags[i] == TEXT and page.texts[i].strip()
        for i in range(index + 1, min(page.ends[block], index + 12))
    )
    return block, follows


def _lead_of_block(page: Outline, block: int, marks: list[Mark]) -> None:
    if marks and marks[-1].index == block:
        return
    tag = page.tags[block]
    end = min(page.ends[block], block + MAX_LEAD_NODES)
    inner = next((i for i in range(block + 1, end) if page.tags[i] in BLOCKS), end)
    line = page.text(block, inner)
    if inner < end and read_expression(line) is not None:
        return  # it stands alone above the blocks
    lead = read_lead(line)
    if lead is None:
        return
    stamp, rest, set_apart = lead
    strong = tag in HEADINGS or any(
        page.tags[i] in _EMPHASIS for i in range(block + 1, min(inner, block + 4))
    )
    if set_apart or strong or tag in {"dt", "summary"}:
        marks.append(Mark(block, "lead", shown=stamp, rest=rest))


def below_head(page: Outline, marks: list[Mark], totals: list[int]) -> list[Mark]:
    """The marks without those that stand with the page's only main heading, apart from the rest.

    totals: of ``text_lengths``.
    """
    if page.tags.count("h1") != 1:
        return marks
    at = page.tags.index("h1")
    for _ in range(_MAX_HEAD_CLIMB):
        at = page.parents[at]
        if at < 0:
            break
        outside = [m for m in marks if not at <= m.index < page.ends[at]]
        if len(outside) < len(marks):
            chars = totals[page.ends[at]] - totals[at]
            is_head = len(marks) - len(outside) <= _MAX_HEAD_TIMES and chars < totals[-1] / 4
            return outside if is_head else marks
    return marks


def clusters(page: Outline, marks: list[Mark]) -> list[list[Mark]]:
    """Marks in the same role: same form, element, class and near ancestors.

    Of more roles than ``MAX_CLUSTERS`` those of most marks: each is looked for among
    all that stands round it, so that any number of them would cost quadratic time.
    """
    found: dict[tuple[str, ...], list[Mark]] = defaultdict(list)
    coarse: dict[tuple[str, ...], list[Mark]] = defaultdict(list)
    tags, parents = page.tags, page.parents
    for mark in marks:
        parent = parents[mark.index]
        above = parents[parent] if parent >= 0 else -1
        path = (tags[parent] if parent >= 0 else "", tags[above] if above >= 0 else "")
        shape = (mark.form, tags[mark.index])
        styled = page.attributes(mark.index).get("class", "")
        found[(*shape, styled, *path)].append(mark)
        coarse[(*shape, *path)].append(mark)
    result = _largest([cluster for cluster in found.values() if len(cluster) > 1])
    result += [
        cluster
        for cluster in _largest([cluster for cluster in coarse.values() if len(cluster) > 2])
        if not any(_adds_strays(cluster, other) for other in result)
    ]
    return result


def _largest(found: list[list[Mark]]) -> list[list[Mark]]:
    """The clusters of most marks, in the order of the page."""
    most = nlargest(MAX_CLUSTERS, range(len(found)), key=lambda n: len(found[n]))
    return [found[n] for n in sorted(most)]


def _adds_strays(coarse: list[Mark], fine: list[Mark]) -> bool:
    """Whether marks of any class are those of one class, and at most a few elsewhere."""
    if len(fine) < 0.75 * len(coarse):
        return False
    first, last = fine[0].index, fine[-1].index
    return sum(first <= mark.index <= last for mark in coarse) == len(fine)
