"""Take a page apart: gather candidates, join them, judge each field, write entries."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from schemas.errors import SplitError
from schemas.ids import entry_id, normalise_text
from schemas.records import Entry, Page, SplitPage
from transforms.liveblog.article import as_article
from transforms.liveblog.choose import Judged, judge, prose_chars
from transforms.liveblog.clocks import PageTimes, Settled, day_of_url, moment_of, settle
from transforms.liveblog.groups import (
    Extent,
    Group,
    declared_groups,
    groups_of,
    item_groups,
    repeated_texts,
    text_lengths,
    timed_marks,
)
from transforms.liveblog.hints import ENTRY_SELECTORS
from transforms.liveblog.join import (
    Joined,
    authors_of,
    body_of,
    declares_each_author,
    headline_of,
    join,
    share_known,
)
from transforms.liveblog.json_ld import Declared, read_json_ld
from transforms.liveblog.live import says_live, title_says_live
from transforms.liveblog.marks import DayMark, Mark, below_head, clusters, find_marks
from transforms.liveblog.outline import Outline, outline
from transforms.liveblog.pieces import opens_related
from transforms.liveblog.plain import read_plain
from transforms.liveblog.reading import leave_out_masthead, read_extent, take_openings
from transforms.liveblog.state import read_state
from transforms.liveblog.tickers import widget_named
from transforms.liveblog.times import Stamp, zone_named
from transforms.markup import parse_html

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from selectolax.lexbor import LexborHTMLParser

    from transforms.liveblog.candidate import Candidate

_COUNT = re.compile(r"(?<!\d)\d{1,4}$")
_COUNT_CHARS = 5

MIN_ENTRIES = 2
"""One timed paragraph is no live blog, unless the page declares the entry itself."""


MIN_KNOWN_SHARE = 0.3
"""How much of the shorter list, shown or declared, must stand in the other."""

MAX_CARDS_SHARE = 0.3
"""More links to other stories than this are what the list is made of."""

MAX_DAY_NODES = 4
"""An element of so few holds the day and nothing else."""

MAX_DAY_GAP_CHARS = 40
"""A share bar may stand between an entry and the day below it."""

MIN_ARTICLE_CHARS = 2500
"""A page that calls itself a live blog and says less holds no article beside its widget."""


def split_page(page: Page, *, timezone: str | None = None) -> SplitPage:
    """Split a page into its entries.

    page: HTML or plain text. timezone: IANA name for clocks that name none.
    Any other page gives exactly one entry, ``is_live_blog`` False.
    Raises SplitError: ``no_text`` where there is nothing to keep,
    ``script_ticker`` where the entries are loaded by script; and ExtractError
    where the markup is nested too deep to parse.
    """
    return split_with(page, timezone=timezone, use_hints=True)


def split_with(page: Page, *, timezone: str | None, use_hints: bool) -> SplitPage:
    """``split_page`` with the hints for named platforms switched on or off."""
    zone = zone_named(timezone)
    if page.media == "text":
        return _split_text(page, zone)
    tree = parse_html(page.markup)
    declared = read_json_ld(page.markup)
    if declared.is_guide and not declared.is_live:
        return as_article(page)
    named = _named_entries(tree, use_hints=use_hints)
    live = 2 if declared.is_live or named else int(says_live(page.page_url, page.title, tree))
    body = outline(tree)
    shown, stamps = _shown_entries(body, page, declared.candidates, named, live=live)
    declared.stamps += stamps
    joined = join(shown, declared.candidates)
    if _are_told_by_distance(joined):
        # "2 hours ago" dates an entry no better than the fetch; the page's script may know more
        joined = [entry for entry in join(shown, read_state(tree)) if entry.shown is not None]
    if len(joined) >= (1 if declared.candidates else MIN_ENTRIES):
        return _live_blog(page, joined, declared, zone)
    if live:
        joined = join([], read_state(tree))
        if joined:
            return _live_blog(page, joined, declared, zone)
        totals = text_lengths(body)
        widget = widget_named(tree)
        if widget is None and declared.is_live and totals[-1] < MIN_ARTICLE_CHARS:
            widget = "a widget that the page does not name"
        if widget is not None and prose_chars(body, totals, len(body)) < MIN_ARTICLE_CHARS:
            raise SplitError("script_ticker", f"the entries are loaded by script: {widget}")
    return as_article(page)


def _are_told_by_distance(joined: list[Joined]) -> bool:
    """Whether all that is known of when most entries were written is how long ago."""
    far = [
        entry
        for entry in joined
        if entry.declared is None
        and entry.shown is not None
        and entry.shown.published is None
        and entry.shown.shown is not None
        and entry.shown.shown.ago is not None
    ]
    return 2 * len(far) > len(joined)


def _split_text(page: Page, zone: tzinfo | None) -> SplitPage:
    text = page.markup.decode()
    found = read_plain(text)
    first_line = text.strip().split("\n", 1)[0][:300]
    bylined = sum(bool(c.authors) for c in found) >= 0.6 * len(found) > 0
    if len(found) >= 3 and (bylined or title_says_live(page.page_url, page.title or first_line)):
        return _live_blog(page, join(found, []), Declared(), zone)
    return as_article(page)


def _named_entries(tree: LexborHTMLParser, *, use_hints: bool) -> dict[int, str]:
    """The elements that microdata or a known platform's template calls entries, with their tags."""
    found = tree.css('[itemprop~="liveBlogUpdate"]')
    if not found and use_hints:
        found = tree.css(",".join(ENTRY_SELECTORS))
    return {node.mem_id: node.tag or "" for node in found} if len(found) > 1 else {}


def _shown_entries(
    body: Outline, page: Page, declared: list[Candidate], named: dict[int, str], *, live: int
) -> tuple[list[Candidate], list[Stamp]]:
    """The entries that the page shows, the best of all groups, and the dates above them."""
    totals = text_lengths(body)
    marks, days = find_marks(body)
    groups: list[Group] = []
    timed = timed_marks(body, marks, totals)
    published = [mark for mark in marks if not mark.is_update]
    for cluster in clusters(body, below_head(body, published, totals)):
        groups += groups_of(body, cluster, totals, timed, days)
    if named:
        groups += declared_groups(body, named)
    best = _best(body, groups, page, totals, declared, live=live)
    if best is None and live and len(published) < len(marks):
        # Entries that tell nothing but when they were last changed
        for cluster in clusters(body, [mark for mark in marks if mark.is_update]):
            groups += groups_of(body, cluster, totals, timed, days)
        best = _best(body, groups, page, totals, declared, live=live)
    if best is None and live:
        best = _best(body, item_groups(body), page, totals, declared, live=live)
    if best is None:
        return [], []
    _give_days(body, best.group, best.candidates, days)
    return best.candidates, _page_stamps(best.group, marks, days)


def _best(
    body: Outline,
    groups: list[Group],
    page: Page,
    totals: list[int],
    declared: list[Candidate],
    *,
    live: int,
) -> Judged | None:
    """The group that splits most text most evenly, of those that pass for a live blog.

    Where the page declares its entries, a group that shares no words with them
    is another list.
    """
    host = urlsplit(page.page_url).netloc if page.page_url.startswith("http") else ""
    for group in sorted(groups, key=lambda g: g.weight(totals), reverse=True):
        group.extents = [e for e in group.extents if not opens_related(body, *e.span)]
        template = repeated_texts(body, group.extents)
        read = [(e, read_extent(body, e, page.page_url, template)) for e in group.extents]
        kept = _without_cards([(e, c) for e, c in read if _says_something(c, host)])
        if len(kept) < MIN_ENTRIES:
            continue
        group.extents = [e for e, _ in kept]
        candidates = [c for _, c in kept]
        take_openings(candidates)
        leave_out_masthead(candidates)
        judged = judge(body, group, candidates, page_url=page.page_url, live=live, totals=totals)
        if judged.score < 1:
            continue
        tells_texts = len(declared) > 2 and any(c.paragraphs for c in declared)
        if tells_texts and share_known(judged.candidates, declared) < MIN_KNOWN_SHARE:
            continue
        return judged
    return None


def _without_cards(read: list[tuple[Extent, Candidate]]) -> list[tuple[Extent, Candidate]]:
    """Without the few links to other stories: bare ones, at the end also those with a heading."""
    least = (1 - MAX_CARDS_SHARE) * len(read)
    said = [(e, c) for e, c in read if not c.is_card or c.headline]
    said = said if len(said) >= least else read
    end = len(said)
    while end and (said[end - 1][1].is_card or not _has_body(said[end - 1][1])):
        end -= 1
    return said[:end] if end >= least else said


def _has_body(candidate: Candidate) -> bool:
    return bool(candidate.paragraphs or candidate.images or candidate.links)


def _says_something(candidate: Candidate, host: str) -> bool:
    """Whether an entry holds text, a picture, or a post or film from elsewhere."""
    return bool(candidate.paragraphs or candidate.headline or candidate.images) or any(
        not host or host not in link for link in candidate.links
    )


def _give_days(
    body: Outline, group: Group, candidates: list[Candidate], days: list[DayMark]
) -> None:
    """Give each entry the day heading above it, or below it where headings follow their entries."""
    starts = [extent.span[0] for extent in group.extents]
    first, last = group.extents[0].box, group.extents[-1].box
    outside = []
    for day in days:
        extent = group.extents[max(0, bisect_right(starts, day.index) - 1)]
        if extent.is_flat or not extent.span[0] < day.index < extent.span[1]:
            outside.append(day)
    tell_days = any(c.shown is not None and c.shown.day is not None for c in candidates)
    before = [
        day for day in outside if day.index < first and not tell_days and _heads(body, day, first)
    ]
    between = [day for day in outside if day.index > first]
    heads = before[-1:] + between
    after = [day for day in between if day.index > last]
    follows = not before and bool(after) and _stands_below(body, after[0], group.extents[-1])
    places = [day.index for day in heads]
    for extent, candidate in zip(group.extents, candidates, strict=True):
        place = bisect_right(places, extent.box) - (0 if follows else 1)
        if candidate.day is None and 0 <= place < len(heads):
            candidate.day = heads[place].stamp


def _heads(body: Outline, day: DayMark, first: int) -> bool:
    """Whether a day stands over the list itself and not in the head of the page."""
    home = body.parents[day.index]
    while home > 0 and body.ends[home] - home <= MAX_DAY_NODES:
        home = body.parents[home]
    return body.ends[home] > first and home > 0 and body.tags[home] not in {"body", "main"}


def _stands_below(body: Outline, day: DayMark, last: Extent) -> bool:
    """Whether a day closes the list itself; other lists below it have dates of their own."""
    between = body.texts[last.span[1] : day.index]
    return sum(map(len, between)) <= MAX_DAY_GAP_CHARS


def _page_stamps(group: Group, marks: list[Mark], days: list[DayMark]) -> list[Stamp]:
    """The dates that stand above the list, in the head of the page."""
    first = group.extents[0].box
    above = [m.published or m.shown for m in marks if m.index < first]
    above += [day.stamp for day in days if day.index < first]
    return [stamp for stamp in above if stamp is not None]


def _live_blog(
    page: Page, joined: list[Joined], declared: Declared, zone: tzinfo | None
) -> SplitPage:
    settled = settle(joined, _page_times(page, declared, zone))
    own_ids = _own_ids(joined)
    titles = {t.casefold() for t in (page.title, declared.headline) if t}
    shown = [entry.shown for entry in joined if entry.shown is not None]
    shown_headlines = bool(shown) and sum(c.headline is not None for c in shown) >= 0.3 * len(shown)
    shown_authors = bool(shown) and sum(bool(c.authors) for c in shown) >= 0.3 * len(shown)
    tells_each = declares_each_author(joined)
    entries: list[Entry] = []
    ids: set[str] = set()
    for entry, times, own_id in zip(joined, settled, own_ids, strict=True):
        body = body_of(entry)
        headline = headline_of(entry, body, shown_headlines=shown_headlines, page_titles=titles)
        authors = authors_of(
            entry, shown_authors=shown_authors and not tells_each, staff=declared.authors
        )
        made = _entry(
            page,
            entry,
            times,
            own_id=own_id,
            headline=headline,
            body=body,
            authors=authors,
            position=len(entries),
        )
        if made.entry_id in ids:
            continue
        ids.add(made.entry_id)
        entries.append(made)
    return SplitPage(page=page, is_live_blog=True, entries=tuple(entries))


def _own_ids(joined: list[Joined]) -> list[str | None]:
    """What the publisher calls each entry: its id, else its permalink.

    Ids that only count places (post-1, post-2 ...) move with every new entry
    and are none.
    """
    found: list[str | None] = []
    for entry in joined:
        one, other = entry.any, entry.declared
        if other is None or other is one:
            found.append(one.own_id or one.url)
        else:
            found.append(one.own_id or other.own_id or one.url or other.url)
    counted: dict[int, int] = {}
    for n, own in enumerate(found):
        count = _COUNT.search(own[-_COUNT_CHARS:]) if own and own[-1].isdigit() else None
        if count is not None:
            counted[int(count[0])] = n
    if len(counted) > 1 and max(counted) - min(counted) < len(found) and min(counted) <= 1:
        for n in counted.values():
            found[n] = None
    return found


def _page_times(page: Page, declared: Declared, zone: tzinfo | None) -> PageTimes:
    moments = [m for m in (moment_of(s, zone) for s in declared.stamps) if m is not None]
    moments += [m for m in (page.published_at, page.updated_at) if m is not None]
    offsets = [s for s in declared.stamps if s.zone is not None and s.instant is not None]
    local = [s for s in offsets if s.zone is not None and s.zone.utcoffset(None)]
    if zone is None and local:
        zone = local[0].zone
    checked: list[datetime] = [s.instant for s in local if s.instant is not None]
    days = (s.day for s in declared.stamps if s.day and not s.tells_clock)
    return PageTimes(
        zone=zone,
        latest=page.updated_at or (max(moments) if moments else None),
        earliest=page.published_at or (min(moments) if moments else None),
        checked=max(checked) if checked else page.fetched_at,
        named_day=day_of_url(page.page_url) or next(iter(days), None),
        fetched_at=page.fetched_at,
    )


def _entry(
    page: Page,
    entry: Joined,
    times: Settled,
    *,
    own_id: str | None,
    headline: str | None,
    body: list[str],
    authors: tuple[str, ...],
    position: int,
) -> Entry:
    one, other = entry.any, entry.declared
    if other is None or other is one:
        url, is_key_event, split_by = one.url, one.is_key_event, str(one.evidence)
        links, images = one.links, one.images
    else:
        url = one.url or other.url
        is_key_event = one.is_key_event or other.is_key_event
        split_by = "+".join(dict.fromkeys((one.evidence, other.evidence)))
        links = tuple(dict.fromkeys(one.links + other.links))
        images = tuple(dict.fromkeys(one.images + other.images))
    if own_id is None:
        moment = times.published_at.isoformat() if times.published_at else ""
        own_id = f"{moment}\x1f{normalise_text(headline or ' '.join(body))[:200]}"
    return Entry(
        entry_id=entry_id(page.page_url, own_id),
        headline=headline,
        body="\n\n".join(body),
        authors=authors,
        published_at=times.published_at,
        updated_at=times.updated_at,
        time_source=times.source,
        entry_url=url,
        position=position,
        is_key_event=is_key_event,
        split_by=split_by,
        links=links,
        images=images,
    )
