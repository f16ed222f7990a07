"""Read one entry off the page: time, headline, author and body, each by its place."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from transforms.liveblog.candidate import Candidate
from transforms.liveblog.groups import own_id
from transforms.liveblog.permalinks import settle_names
from transforms.liveblog.pieces import Harvest, cut, read_box
from transforms.liveblog.roles import Roles

if TYPE_CHECKING:
    from transforms.liveblog.groups import Extent
    from transforms.liveblog.outline import Outline

MIN_OPENINGS = 3
MIN_SIGNED = 4
MASTHEAD_SHARE = 0.7


def read_extent(
    page: Outline, extent: Extent, page_url: str, template: frozenset[str] = frozenset()
) -> Candidate:
    """The candidate that one extent holds; template: texts that are no entry's own."""
    harvest = Harvest()
    read_box(page.attributes(extent.box), harvest)
    start, end = extent.span
    cut(page, start, end, harvest, template)
    candidate = Candidate("flat" if extent.is_flat else "dom")
    candidate.own_id = own_id(page, extent.box)
    Roles(harvest, extent).give(candidate)
    _settle_times(extent, harvest, candidate)
    settle_names(page, extent, harvest, candidate, page_url)
    candidate.is_key_event = harvest.is_key_event
    candidate.is_pinned = harvest.is_pinned
    return candidate


def _settle_times(extent: Extent, harvest: Harvest, candidate: Candidate) -> None:
    """The time that found the entry first, then what else it shows, then bare attributes."""
    mark = extent.mark
    candidate.published = next(iter(harvest.machine), None)
    if mark is not None:
        candidate.published = mark.published or candidate.published
        candidate.shown = mark.shown
    is_told = mark is not None and mark.published is not None and mark.published.tells_clock
    if candidate.shown is None or not (candidate.shown.tells_clock or is_told):
        candidate.shown = next((s for s in harvest.shown if s.tells_clock), candidate.shown)
    elif candidate.shown.day is None and candidate.shown.clock is not None:
        fuller = (s for s in harvest.shown if s.day and s.clock == candidate.shown.clock)
        candidate.shown = next(fuller, candidate.shown)
    candidate.updated = next(iter(harvest.updates), None)
    candidate.day = harvest.day
    if candidate.published is not None:
        return
    weak = harvest.box_machine + harvest.updates
    if candidate.shown and candidate.shown.tells_clock:
        candidate.published = next(iter(harvest.box_machine), None)
    else:
        if harvest.updates_are_shown:
            weak.insert(0, harvest.updates[0])
        candidate.published = next(iter(weak), None)
        candidate.is_weakly_timed = True


def take_openings(candidates: list[Candidate]) -> None:
    """Make headlines of the bold sentences that open most entries; of a few they are emphasis."""
    opened = [c for c in candidates if c.opening is not None]
    if len(opened) < MIN_OPENINGS or 2 * len(opened) < sum(not c.headline for c in candidates):
        return
    for candidate in opened:
        head = candidate.opening or ""
        candidate.headline = head.removesuffix(".")
        candidate.paragraphs[0] = candidate.paragraphs[0].removeprefix(head).strip()


def leave_out_masthead(candidates: list[Candidate]) -> None:
    """Take off the name that stands behind nearly all others and never alone: the publisher's."""
    signed = [c for c in candidates if c.authors]
    if len(signed) < MIN_SIGNED:
        return
    last = Counter(c.authors[-1] for c in signed if len(c.authors) > 1)
    alone = {c.authors[0] for c in signed if len(c.authors) == 1}
    for name, count in last.most_common(1):
        if count >= MASTHEAD_SHARE * len(signed) and name not in alone:
            for candidate in signed:
                candidate.authors = tuple(one for one in candidate.authors if one != name)
