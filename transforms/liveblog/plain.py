"""Entries out of plain text: scraped copies and WET records, marked by bylines and clocks."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from transforms.liveblog.authors import is_byline, is_name, names_in
from transforms.liveblog.bodies import is_noise
from transforms.liveblog.candidate import Candidate
from transforms.liveblog.times import Stamp, read_day, read_expression, read_lead, read_tail

MAX_HEADLINE_WORDS = 32

_BULLET = re.compile(r"^[•·*‣▪–-]\s")
_SENTENCE_END = re.compile(r"[.!?…:;][\"”’»')\]]*$|[\"”»]$")
_BLANK = re.compile(r"\n[ \t\r]*\n")


@dataclass(slots=True)
class _Mark:
    """A block that carries a time: alone, after a name, or before a headline."""

    block: int
    stamp: Stamp
    names: tuple[str, ...]
    rest: str
    is_lead: bool


def blocks_of(text: str) -> list[str]:
    """Paragraphs of a text: by blank lines, or by lines where it has no blank ones."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    blocks = [block.strip() for block in _BLANK.split(text)]
    if sum(bool(block) for block in blocks) < 4 and text.count("\n") > 8:
        return [line.strip() for line in text.split("\n") if line.strip()]
    result: list[str] = []
    for block in blocks:
        lines = [" ".join(line.split()) for line in block.split("\n")]
        run: list[str] = []
        for line in lines:
            if line and (_is_mark_line(line) or _BULLET.match(line)):
                if run:
                    result.append(" ".join(run))
                    run = []
                result.append(line)
            elif line:
                run.append(line)
        if run:
            result.append(" ".join(run))
    return result


def _is_mark_line(line: str) -> bool:
    if len(line) > 150 or not any(c.isdigit() for c in line):
        return False
    tail = read_tail(line)
    if tail is not None and len(tail[0].split()) <= 6:
        return True
    stamp = read_expression(line)
    if stamp is not None and (stamp.tells_clock or read_day(line) is not None):
        return True
    lead = read_lead(line)
    return lead is not None and lead[2]


def read_plain(text: str) -> list[Candidate]:
    """The entries of a plain text, in its order; none if no times mark them.

    Entries end with a byline and time, or begin with one. Drops prompts,
    "(Video)" lines, cards repeated before a byline, and what stands before the
    first entry and after the last.
    """
    blocks = blocks_of(text)
    marks, days = _marks(blocks)
    if len(marks) < 2:
        return []
    leads = [mark for mark in marks if mark.is_lead]
    others = [mark for mark in marks if not mark.is_lead]
    if len(leads) >= len(others):
        return _leading(blocks, leads, days)
    if _trails(blocks, others):
        return _trailing(blocks, others)
    return _leading(blocks, others, days)


def _marks(blocks: list[str]) -> tuple[list[_Mark], dict[int, Stamp]]:
    marks: list[_Mark] = []
    days: dict[int, Stamp] = {}
    for n, block in enumerate(blocks):
        if not any(c.isdigit() for c in block[:150]):
            continue
        stamp = read_expression(block)
        if stamp is not None:
            if stamp.tells_clock and not stamp.is_update:
                marks.append(_Mark(n, stamp, (), "", is_lead=False))
            elif stamp.day or stamp.month_day:
                days[n] = stamp
            continue
        tail = read_tail(block)
        if tail is not None:
            names = names_in(tail[0])
            if names or not tail[0]:
                marks.append(_Mark(n, tail[1], names, "", is_lead=False))
                continue
        lead = read_lead(block)
        if lead is not None and lead[2] and lead[0].tells_clock:
            marks.append(_Mark(n, lead[0], (), lead[1], is_lead=True))
    return marks, days


def _trails(blocks: list[str], marks: list[_Mark]) -> bool:
    """Whether marks close their entries: prose before the first, none after the last."""
    gaps = [b.block - a.block for a, b in itertools.pairwise(marks)]
    usual = sorted(gaps)[len(gaps) // 2]
    before = sum(
        _is_prose(block) for block in blocks[max(0, marks[0].block - usual) : marks[0].block]
    )
    after = sum(
        _is_prose(block) for block in blocks[marks[-1].block + 1 : marks[-1].block + 1 + usual]
    )
    if any(mark.names for mark in marks):
        headed = sum(
            mark.block + 1 < len(blocks) and not _is_prose(blocks[mark.block + 1])
            for mark in marks[:-1]
        )
        return before > 0 and (headed >= 0.5 * (len(marks) - 1) or after == 0)
    return before > 0 and after == 0


def _is_prose(block: str) -> bool:
    return bool(_SENTENCE_END.search(block)) and len(block.split()) > 5 and not is_noise(block)


def _is_whole(block: str) -> bool:
    """Whether a block ends as sentences and list items do; a card's line does not."""
    return bool(_SENTENCE_END.search(block) or _BULLET.match(block))


def _is_headline(block: str) -> bool:
    return (
        2 <= len(block.split()) <= MAX_HEADLINE_WORDS
        and not _BULLET.match(block)
        and not is_noise(block)
        and not is_byline(block)
        and not (block.endswith((".", ":", ";", ",")) and not block.endswith("..."))
    )


def _trailing(blocks: list[str], marks: list[_Mark]) -> list[Candidate]:
    found: list[Candidate] = []
    start = None
    for mark in marks:
        run = [b for b in blocks[start or 0 : mark.block] if not is_noise(b)]
        while len(run) > 1 and not _is_whole(run[-1]) and any(map(_is_prose, run[:-1])):
            run.pop()
        if start is None:
            run = _last_entry(run)
        start = mark.block + 1
        headline = None
        if (
            len(run) > 1
            and _is_headline(run[0])
            and not (_is_prose(run[0]) and len(run[0].split()) > 25)
        ):
            headline = run.pop(0)
        if not run and headline is None:
            continue
        found.append(
            Candidate(
                "text", headline=headline, paragraphs=run, authors=mark.names, shown=mark.stamp
            )
        )
    return found


def _last_entry(run: list[str]) -> list[str]:
    """The last headline with its prose out of everything before the first byline."""
    for n in range(len(run) - 2, -1, -1):
        if _is_headline(run[n]) and not _SENTENCE_END.search(run[n]) and _is_prose(run[n + 1]):
            return run[n:]
    return run[-1:]


def _leading(blocks: list[str], marks: list[_Mark], days: dict[int, Stamp]) -> list[Candidate]:
    found: list[Candidate] = []
    headed = not marks[0].is_lead and sum(
        _stands_over(blocks, mark.block) for mark in marks
    ) >= 0.8 * len(marks)
    for n, mark in enumerate(marks):
        is_last = n + 1 == len(marks)
        end = len(blocks) if is_last else marks[n + 1].block - (1 if headed else 0)
        run = _run(blocks, mark.block + 1, end, days, is_last=is_last)
        candidate = Candidate("text", authors=mark.names, shown=mark.stamp)
        candidate.day = next((days[d] for d in sorted(days, reverse=True) if d < mark.block), None)
        candidate.headline = blocks[mark.block - 1] if headed else None
        if mark.rest and run and _is_headline(mark.rest):
            candidate.headline = mark.rest
        elif mark.rest:
            run.insert(0, mark.rest)
        elif candidate.headline is None and len(run) > 1 and _is_headline(run[0]):
            candidate.headline = run.pop(0)
        for place in (0, -1):
            if run and _is_byline(run[place], alone=len(run) == 1):
                candidate.authors += names_in(run.pop(place))
        candidate.paragraphs = run
        if candidate.headline or run:
            found.append(candidate)
    return found


def _run(
    blocks: list[str], start: int, end: int, days: dict[int, Stamp], *, is_last: bool
) -> list[str]:
    """The blocks of one entry; the last one ends where its prose does."""
    run: list[str] = []
    for at in range(start, end):
        block = blocks[at]
        if at in days:
            break
        if is_noise(block):
            if is_last and run:
                break
            continue
        if is_last and any(map(_is_prose, run)) and not (_is_whole(block) or is_byline(block)):
            break
        run.append(block)
    return run


def _stands_over(blocks: list[str], block: int) -> bool:
    """Whether a headline stands directly over a block."""
    if not block:
        return False
    above = blocks[block - 1]
    return _is_headline(above) and not _SENTENCE_END.search(above)


def _is_byline(block: str, *, alone: bool) -> bool:
    return len(block) < 80 and (is_byline(block) or (not alone and is_name(block)))
