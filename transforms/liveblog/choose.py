"""Which group of repeating parts is the live blog, and whether any is."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from transforms.liveblog.groups import COMMENT_CONTEXT
from transforms.liveblog.outline import HEADINGS, Outline

if TYPE_CHECKING:
    from transforms.liveblog.candidate import Candidate
    from transforms.liveblog.groups import Extent, Group

_LIVE_CLIMB = 3
_LIVE_CONTEXT = re.compile(r"live-?(?:blog|ticker|feed|post|entry|update)", re.IGNORECASE)
_STORY_SLUG = re.compile(r"\d|-.*-")
_PRESSED = frozenset(["a", "button"])
_ASIDE_CONTEXT = frozenset(["aside", "nav", "footer", "form"])
_REPLY = re.compile(
    r"^(?:reply|répondre|antworten|responder|rispondi|reageren|beantwoorden|odpowiedz|"
    r"report abuse)\b",
    re.IGNORECASE,
)


TEASER_WORDS = (60, 35, 35)
"""Shorter texts whose headlines lead to other pages are teasers; by how live the page is."""
MEAN_WORD_CHARS = 6
MIN_PARAGRAPH_CHARS = 80


@dataclass(slots=True)
class Judged:
    """A group, read, and how sure it is to be the live blog."""

    group: Group
    candidates: list[Candidate]
    words: int
    score: float


def judge(
    page: Outline,
    group: Group,
    candidates: list[Candidate],
    *,
    page_url: str,
    live: int,
    totals: list[int],
) -> Judged:
    """Weigh one group.

    live: 0 no sign that the page is live, 1 its title or address say so, 2 it
    declares a LiveBlogPosting.
    A score of 1 and more is a live blog.
    """
    live = live or int(_in_live_context(page, group))
    count = len(candidates)
    words = [c.words for c in candidates]
    total = sum(words)
    score = 0.0
    clocks = [_minutes(c) for c in candidates]
    timed = sum(c is not None for c in clocks) / count
    are_headed = 2 * sum(c.headline is not None for c in candidates) >= count
    played = sum(bool(c.shown and c.shown.minute) for c in candidates) / count
    relative = sum(c.shown is not None and c.shown.ago is not None for c in candidates) / count
    if max(timed, played, relative) < 0.5 and live < 2:
        return Judged(group, candidates, total, -1)
    if _in_comments(page, group) or (_replies(page, group) and not (live and are_headed)):
        return Judged(group, candidates, total, -1)
    typical = median(words)
    bodies = sum(bool(c.paragraphs) for c in candidates) / count
    if typical < 4 or bodies < 0.4:
        return Judged(group, candidates, total, -1)
    if typical < TEASER_WORDS[live] and _links_away(page, group, page_url, is_live=live > 0) > 0.6:
        return Judged(group, candidates, total, -1)
    score += 0.3 if count >= 5 else 0.15 if count >= 3 else 0.0
    score += 0.3 if typical >= 25 else 0.15 if typical >= 10 else 0.0
    score += 0.4 * timed + 0.3 * played + 0.1 * relative
    times = [clock for clock in clocks if clock is not None]
    score += 0.35 if _falling(times) else 0.0
    score += 0.2 if _dense(times) else -0.4
    if _words_before(page, group, totals) > (0.4, 1.5, 4.0)[live] * total:
        return Judged(group, candidates, total, -1)
    share = total * MEAN_WORD_CHARS / max(1, totals[-1])
    score += 0.25 if share > 0.35 else 0.0 if share > 0.2 else (-0.6, -0.6, -0.3)[live]
    score += (-0.5 if share > 0.5 else -0.8, 0.3, 0.6)[live]
    return Judged(group, candidates, total, score)


def _words_before(page: Outline, group: Group, totals: list[int]) -> float:
    """Words of the paragraphs above the group: the article that a list of others follows."""
    return prose_chars(page, totals, group.extents[0].span[0]) / MEAN_WORD_CHARS


def prose_chars(page: Outline, totals: list[int], end: int) -> int:
    """How much stands in paragraphs of a sentence and more, up to an index.

    totals: of ``text_lengths``.
    """
    chars = 0
    for i in [i for i, tag in enumerate(page.tags[:end]) if tag == "p"]:
        size = totals[page.ends[i]] - totals[i]
        if size >= MIN_PARAGRAPH_CHARS and page.ends[i] <= end:
            chars += size
    return chars


def _minutes(candidate: Candidate) -> float | None:
    stamp = (
        candidate.published
        if candidate.published and candidate.published.tells_clock
        else candidate.shown
    )
    if stamp is None:
        return None
    if stamp.instant is not None:
        return stamp.instant.timestamp() / 60
    if stamp.clock is not None:
        day = stamp.day.toordinal() * 1440 if stamp.day else 0
        return day + stamp.clock.hour * 60 + stamp.clock.minute
    return None


def _falling(times: list[float]) -> bool:
    """Whether times run newest first; a clock that starts anew at midnight counts as falling."""
    if len(times) < 3:
        return False
    falls = sum(b <= a or (b - a > 240 and b < 1440) for a, b in itertools.pairwise(times))
    return falls >= 0.8 * (len(times) - 1) and len(set(times)) > 1


def _dense(times: list[float]) -> bool:
    """Whether entries follow each other within hours, not days."""
    gaps = [abs(b - a) for a, b in itertools.pairwise(times)]
    return not gaps or median(gaps) <= 6 * 60


def _in_live_context(page: Outline, group: Group) -> bool:
    """Whether the markup calls the list, or its entries, a live blog."""
    at = group.extents[0].box
    for _ in range(_LIVE_CLIMB):
        if at < 0 or page.tags[at] in {"body", "main", *_ASIDE_CONTEXT}:
            return False
        attributes = page.attributes(at)
        if _LIVE_CONTEXT.search(f"{page.tags[at]} {attributes.get('class', '')}"):
            return True
        at = page.parents[at]
    return False


def _in_comments(page: Outline, group: Group) -> bool:
    at = group.extents[0].box
    for _ in range(6):
        if at < 0:
            return False
        attributes = page.attributes(at)
        if page.tags[at] in _ASIDE_CONTEXT:
            return True
        said = " ".join(attributes.get(name, "") for name in ("class", "id", "itemprop"))
        if page.tags[at] not in {"body", "html", "main"} and COMMENT_CONTEXT.search(said):
            return True
        at = page.parents[at]
    return False


def _replies(page: Outline, group: Group) -> bool:
    hits = 0
    for extent in group.extents[:12]:
        start, end = extent.span
        hits += any(
            _REPLY.match(page.text_of(i))
            for i, tag in enumerate(page.tags[start : min(end, start + 400)], start)
            if tag in _PRESSED and page.ends[i] - i < 6
        )
    return hits >= 0.5 * min(len(group.extents), 12)


def _links_away(page: Outline, group: Group, page_url: str, *, is_live: bool) -> float:
    """Share of entries whose headline, or whole box, is a link to another page."""
    slug = page_url.partition("?")[0].rstrip("/").rpartition("/")[2]
    is_story = _STORY_SLUG.search(slug) or (is_live and "live" not in slug)
    own = f"/{slug}/" if slug and is_story else None
    hits = sum(
        _leads_away(page, *extent.span, own, _permalink(page, extent)) for extent in group.extents
    )
    return hits / len(group.extents)


def _permalink(page: Outline, extent: Extent) -> str | None:
    """What the entry's time links to."""
    at = extent.mark.index if extent.mark is not None else -1
    for _ in range(3):
        if at <= extent.span[0]:
            break
        if page.tags[at] == "a":
            return page.attributes(at).get("href")
        at = page.parents[at]
    return None


def _leads_away(
    page: Outline, start: int, end: int, own: str | None, permalink: str | None
) -> bool:
    """Whether the first heading of a range, or all of it, is a link to another page.

    own: the folder of the page's own address, what lies below it are its entries;
        None where that is no story's but a section's, with stories below it.
    permalink: what the time links to; a headline that does, too, is the entry's.
    """
    heading = next(
        (i for i in range(start, min(end, start + 120)) if page.tags[i] in HEADINGS), None
    )
    if heading is None:
        first = next((i for i in range(start, min(end, start + 12)) if page.tags[i] == "a"), None)
        return first is not None and page.ends[first] >= end - 2 and _is_away(page, first, own)
    around = [heading]
    for _ in range(4):
        if around[-1] <= start:
            break
        around.append(page.parents[around[-1]])
    inside = range(heading, min(page.ends[heading], heading + 8))
    links = [i for i in (*around, *inside) if i >= 0 and page.tags[i] == "a"]
    return any(
        _is_away(page, i, own) and page.attributes(i).get("href") != permalink for i in links
    )


def _is_away(page: Outline, index: int, own: str | None) -> bool:
    href = page.attributes(index).get("href", "")
    if not href or href.startswith(("?", "javascript:", "mailto:")) or "#" in href:
        return False
    return own is None or own not in href
