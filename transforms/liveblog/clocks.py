"""When each entry was published: every source of times is judged over the whole page.

What readers see is the publication time. Machine-readable values supply the
seconds, the day and the zone, after they have been checked against it.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from transforms.liveblog.times import Stamp, at

if TYPE_CHECKING:
    from schemas.records import TimeSource
    from transforms.liveblog.candidate import Candidate
    from transforms.liveblog.join import Joined

_NEW_DAY_MIN = 240
"""A clock that jumps this far against the order belongs to another day."""
_TOLERANCE = timedelta(minutes=15)
_MAX_OFF_MIN = 2
"""A machine's moment may be so far from the clock shown and still be the same one."""
_MIN_SEEN_SHARE = 0.15
"""A source of fewer entries says nothing of how far it is off in general."""
_DAY_MIN = 24 * 60
_URL_DAY = re.compile(
    r"(?<!\d)(20[0-3]\d)[/_-]?(0[1-9]|1[0-2]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[/_-]?(0[1-9]|[12]\d|3[01])(?!\d)",
    re.IGNORECASE,
)
_URL_MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec"


@dataclass(frozen=True, slots=True)
class PageTimes:
    """What the page as a whole says about time.

    zone: for clocks that name none; None if nobody knows it.
    latest: when the page was last changed, the best that is known.
    earliest: when it was first published.
    checked: moments written with a zone of their own, that no entry can be after.
    named_day: the day in the page's address, or in its head.
    """

    zone: tzinfo | None
    latest: datetime | None
    earliest: datetime | None
    checked: datetime | None
    named_day: date | None
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """The times of one entry and what decided."""

    published_at: datetime | None
    updated_at: datetime | None
    source: TimeSource | None


@dataclass(slots=True)
class _Row:
    """One entry's sources side by side."""

    dom: datetime | None = None
    declared: datetime | None = None
    clock: time | None = None
    zone: tzinfo | None = None
    day: date | None = None
    month_day: tuple[int, int] | None = None
    shown: Stamp | None = None
    declared_by: TimeSource = "json_ld"
    shown_by: TimeSource = "dom"
    result: datetime | None = None
    source: TimeSource | None = None


def day_of_url(url: str) -> date | None:
    """The day that stands in an address such as ``/2023/may/15/`` or ``-2024-07-18``."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    match = _URL_DAY.search(path)
    if not match:
        return None
    named = _URL_MONTHS.find(match[2].lower())
    month = int(match[2]) if match[2].isdigit() else named // 3 + 1
    try:
        return date(int(match[1]), month, int(match[3]))
    except ValueError:
        return None


def settle(entries: list[Joined], page: PageTimes) -> list[Settled]:
    """The times of all entries, in their order; None where no evidence gives a day."""
    rows = [_row(entry, page.zone) for entry in entries]
    _reject_shared(rows)
    for entry, row in zip(entries, rows, strict=True):
        if entry.shown is not None and entry.shown.is_weakly_timed and row.declared is not None:
            row.dom = row.clock = None
    _cross_check(rows, page)
    _from_clocks(rows, page)
    for row in rows:
        if row.result is None and row.clock is None:
            _fall_back(row)
        if (
            row.result is None
            and row.shown is not None
            and row.shown.ago is not None
            and not row.shown.tells_clock
        ):
            row.result, row.source = page.fetched_at - row.shown.ago, "fetch"
    return [_settled(entry, row, page.zone) for entry, row in zip(entries, rows, strict=True)]


def _row(entry: Joined, zone: tzinfo | None) -> _Row:
    row = _Row()
    if entry.shown is not None:
        row.dom = moment_of(entry.shown.published, zone)
        row.shown_by = "text" if entry.shown.evidence in {"flat", "text"} else "dom"
        if entry.shown.evidence == "microdata" and row.dom is not None:
            row.declared, row.dom, row.declared_by = row.dom, None, "microdata"
        _read_shown(row, entry.shown)
    if entry.declared is not None:
        declared = moment_of(entry.declared.published, zone)
        if declared is not None and row.declared is None:
            row.declared, row.declared_by = declared, "json_ld"
            if entry.declared.evidence == "state":
                row.declared_by = "page"
        if row.clock is None and entry.shown is None:
            _read_shown(row, entry.declared)
    return row


def _read_shown(row: _Row, candidate: Candidate) -> None:
    stamp = candidate.shown
    if stamp is None and candidate.published is not None and candidate.published.instant is None:
        stamp = candidate.published
    row.shown = stamp
    if stamp is None:
        return
    row.day, row.month_day = stamp.day, stamp.month_day
    if stamp.clock is not None:
        row.clock, row.zone = stamp.clock, stamp.zone
    elif stamp.instant is not None:
        row.dom = row.dom or stamp.instant
    if row.day is None and row.month_day is None and candidate.day is not None:
        row.day, row.month_day = candidate.day.day, candidate.day.month_day


def moment_of(stamp: Stamp | None, zone: tzinfo | None) -> datetime | None:
    """The moment that a stamp and a zone for bare clocks settle, if they do."""
    if stamp is None:
        return None
    if stamp.instant is not None:
        return stamp.instant
    own = stamp.zone or zone
    if stamp.day is not None and stamp.clock is not None and own is not None:
        return at(stamp.day, stamp.clock, own)
    return None


def _reject_shared(rows: list[_Row]) -> None:
    """A source that gives all entries one time gives the page's."""
    if len(rows) < 3:
        return
    for name in ("dom", "declared"):
        values = [getattr(row, name) for row in rows if getattr(row, name) is not None]
        if len(values) > 2 and len(set(values)) == 1:
            for row in rows:
                setattr(row, name, None)


def _minutes(moment: datetime, zone: tzinfo) -> int:
    local = moment.astimezone(zone)
    return local.hour * 60 + local.minute


def _apart(one: int, other: int) -> int:
    """Signed distance of two clocks in minutes, the shorter way round."""
    return (one - other + _DAY_MIN // 2) % _DAY_MIN - _DAY_MIN // 2


def _offset_of(rows: list[_Row], name: str, zone: tzinfo | None) -> tuple[int | None, int]:
    """How far a source runs ahead of the clocks shown, where most agree; and of how many."""
    gaps: Counter[int] = Counter()
    for row in rows:
        moment = getattr(row, name)
        own = row.zone or zone or UTC
        if moment is not None and row.clock is not None:
            gap = _apart(_minutes(moment, own), _clock_min(row))
            gaps[5 * round(gap / 5) if abs(gap) > 2 else 0] += 1
    compared = gaps.total()
    if not compared:
        return None, 0
    gap, count = gaps.most_common(1)[0]
    return (gap if count >= 0.6 * compared else None), compared


def _cross_check(rows: list[_Row], page: PageTimes) -> None:
    """Let each machine-readable source stand, fall or be shifted."""
    gaps = {name: _offset_of(rows, name, page.zone) for name in ("dom", "declared")}
    order = ["dom", "declared"]
    if not any(seen for _, seen in gaps.values()):
        order = _without_clocks(rows, page)
    elif gaps["dom"][1] and gaps["dom"][0] != 0 and gaps["declared"][0] == 0:
        order.reverse()
    for name in order:
        gap, seen = gaps[name]
        if not seen:
            gap = 0
        elif gap is None or gap % 15 or _is_local_under_z(rows, name, gap, page):
            continue  # it tells another time than readers see, such as the last edit
        elif gap and seen < _MIN_SEEN_SHARE * len(rows):
            continue  # the moment of something within an entry
        off_min = [_off_min(row, name, gap, page) for row in rows]
        slack_min = _slack_min(off_min)
        for row, off in zip(rows, off_min, strict=True):
            _take(row, name, off, slack_min)


def _off_min(row: _Row, name: str, gap: int, page: PageTimes) -> int | None:
    """How many minutes a source is ahead of the clock shown beyond its ``gap``."""
    moment: datetime | None = getattr(row, name)
    if moment is None or row.clock is None:
        return None
    return _apart(_minutes(moment, row.zone or page.zone or UTC), _clock_min(row)) - gap


def _slack_min(off_min: list[int | None]) -> int:
    """How far a source may be off the clocks: not at all, where nearly all are to the minute."""
    exact, known = off_min.count(0), len(off_min) - off_min.count(None)
    return 0 if exact > 2 and exact >= 0.6 * known else _MAX_OFF_MIN


def _take(row: _Row, name: str, off_min: int | None, slack_min: int) -> None:
    """Settle one entry by a source that is so far off the clock shown, None where none is."""
    moment: datetime | None = getattr(row, name)
    if row.result is not None or moment is None:
        return
    row.result, row.source = moment, "dom" if name == "dom" else row.declared_by
    if off_min is not None and abs(off_min) > slack_min:
        # Readers see another time than the machine's: theirs, on the machine's day
        moment -= timedelta(minutes=off_min)
        row.result, row.source = moment.replace(second=0, microsecond=0), row.shown_by


def _without_clocks(rows: list[_Row], page: PageTimes) -> list[str]:
    """Which machine source to trust where readers see no clock at all."""
    gaps = Counter(
        round((row.dom - row.declared).total_seconds() / 60)
        for row in rows
        if row.dom and row.declared
    )
    if gaps:
        gap, count = gaps.most_common(1)[0]
        if gap and gap % 15 == 0 and count >= 0.6 * gaps.total():
            latest = max(row.declared for row in rows if row.declared)
            if page.checked is None or latest <= page.checked + _TOLERANCE:
                return ["declared", "dom"]
    return ["dom", "declared"]


def _is_local_under_z(rows: list[_Row], name: str, gap: int, page: PageTimes) -> bool:
    """Whether a source writes local time as if it were UTC.

    Then its newest entry lies after the page itself, or its oldest before the page
    began, and would not without the gap; or readers see the same digits with another
    zone behind them.
    """
    if gap and _shows_other_zone(rows, name):
        return True
    if not gap or page.checked is None or (page.zone is None and not any(r.zone for r in rows)):
        return False
    moments: list[datetime] = [m for m in (getattr(row, name) for row in rows) if m is not None]
    limit, ahead = page.checked + _TOLERANCE, timedelta(minutes=gap)
    if max(moments) > limit >= max(moments) - ahead:
        return True
    begins = page.earliest - _TOLERANCE if page.earliest is not None else None
    return begins is not None and min(moments) < begins <= min(moments) - ahead


def _shows_other_zone(rows: list[_Row], name: str) -> bool:
    """Whether clocks that name their zone repeat the digits that a source calls UTC."""
    seen = [(getattr(row, name), row) for row in rows if row.zone is not None and row.clock]
    told = [(moment, row) for moment, row in seen if moment is not None]
    same = sum(abs(_apart(_minutes(moment, UTC), _clock_min(row))) <= 2 for moment, row in told)
    return len(told) >= 3 and same >= 0.8 * len(told)


def _fall_back(row: _Row) -> None:
    """With no clock to check against, a machine value stands as it is."""
    if row.dom is not None:
        row.result, row.source = row.dom, "dom"
    elif row.declared is not None:
        row.result, row.source = row.declared, row.declared_by


def _from_clocks(rows: list[_Row], page: PageTimes) -> None:
    """Resolve the clocks left over by day heading, neighbours and the page's dates."""
    for row in rows:
        if row.result is not None or row.clock is None:
            continue
        zone = row.zone or page.zone
        if zone is None:
            _fall_back(row)
            continue
        day = row.day or _with_year(row.month_day, rows, page, zone)
        if day is None:
            near = row.dom or row.declared
            if near is not None:
                day = _nearest_day(near, row.clock, zone)
        if day is not None:
            row.result, row.source = at(day, row.clock, zone), row.shown_by
    _roll(rows, page)


def _with_year(
    month_day: tuple[int, int] | None, rows: list[_Row], page: PageTimes, zone: tzinfo
) -> date | None:
    """A day without its year, in the year that brings it nearest to what is known of the page."""
    if month_day is None:
        return None
    known = page.latest or page.earliest or next((row.result for row in rows if row.result), None)
    near = known.astimezone(zone).date() if known is not None else page.named_day
    if near is None:
        return None
    options = []
    for year in (near.year - 1, near.year, near.year + 1):
        try:
            options.append(date(year, *month_day))
        except ValueError:
            continue
    return min(options, key=lambda day: abs((day - near).days)) if options else None


def _nearest_day(near: datetime, clock: time, zone: tzinfo) -> date:
    local = near.astimezone(zone)
    off = _apart(clock.hour * 60 + clock.minute, local.hour * 60 + local.minute)
    return (local + timedelta(minutes=off)).date()


def _roll(rows: list[_Row], page: PageTimes) -> None:
    """Give days to bare clocks by their order, from the newest known moment backwards."""
    places = [n for n, row in enumerate(rows) if row.clock is not None and (row.zone or page.zone)]
    if not any(rows[n].result is None for n in places):
        return
    updates = [n for n in places if _tells_update(rows[n])]
    if len(updates) < len(places):
        places = [n for n in places if not _tells_update(rows[n])]
    told = {n for n in places if rows[n].result is not None and rows[n].day is not None}
    if page.latest is not None and len(told) < _MIN_SEEN_SHARE * len(places):
        places = [n for n in places if n not in told]  # the day of something among the entries
    clocks = {n: _clock_min(rows[n]) for n in places}
    newest_first = _runs_newest_first([clocks[n] for n in places])
    order = places if newest_first else places[::-1]
    days_back = _days_back(order, clocks, page)
    anchor = _anchor_day(order, days_back, rows, page)
    if anchor is None:
        return
    for n in order:
        row = rows[n]
        zone = row.zone or page.zone
        if n in told and row.day is not None:
            anchor = row.day + timedelta(days=days_back[n])
        if row.result is None and row.clock is not None and zone is not None:
            try:
                day = anchor - timedelta(days=days_back[n])
            except OverflowError:
                continue
            row.result, row.source = at(day, row.clock, zone), row.shown_by
    _date_updates([n for n in updates if n not in days_back], rows, page)


def _tells_update(row: _Row) -> bool:
    return row.shown is not None and row.shown.is_update


def _date_updates(places: list[int], rows: list[_Row], page: PageTimes) -> None:
    """Give the entries that tell only when they were changed the day nearest to a neighbour's."""
    for n in places:
        row = rows[n]
        zone = row.zone or page.zone
        near = next((r.result for r in (*rows[n + 1 :], *rows[:n][::-1]) if r.result), None)
        if row.result is None and row.clock is not None and zone is not None and near is not None:
            row.result = at(_nearest_day(near, row.clock, zone), row.clock, zone)
            row.source = row.shown_by


def _clock_min(row: _Row) -> int:
    return row.clock.hour * 60 + row.clock.minute if row.clock is not None else 0


def _runs_newest_first(clocks: list[int]) -> bool:
    steps = [b - a for a, b in itertools.pairwise(clocks) if a != b]
    falls = sum((step < 0 and step > -_DAY_MIN // 2) or step >= _DAY_MIN // 2 for step in steps)
    return falls * 2 >= len(steps)


def _days_back(order: list[int], clocks: dict[int, int], page: PageTimes) -> dict[int, int]:
    """Days between the newest entry and each one, counted at the jumps over midnight."""
    back = 0
    found: dict[int, int] = {}
    previous: int | None = None
    if (
        len(order) > 2
        and clocks[order[1]] - clocks[order[0]] >= _NEW_DAY_MIN
        and _is_pinned_first(order, clocks, page)
    ):
        found[order[0]] = 0
        order = order[1:]
    for n in order:
        if previous is not None and clocks[n] - clocks[previous] >= _NEW_DAY_MIN:
            back += 1
        found[n] = back
        previous = n
    return found


def _is_pinned_first(order: list[int], clocks: dict[int, int], page: PageTimes) -> bool:
    """Whether the first entry only stands on top: the page's last change fits the second one."""
    if page.latest is None or page.zone is None:
        return False
    last = _minutes(page.latest, page.zone)
    return 0 <= _apart(last, clocks[order[1]]) <= 120 and _apart(last, clocks[order[0]]) > 240


def _anchor_day(
    order: list[int], days_back: dict[int, int], rows: list[_Row], page: PageTimes
) -> date | None:
    """The day of the newest entry: by days of entries or, where hardly any has one, the page's."""
    dated = [
        (row.result.astimezone(zone).date() + timedelta(days=days_back[n]))
        for n, row, zone in ((n, rows[n], rows[n].zone or page.zone) for n in order)
        if row.result is not None and zone is not None
    ]
    if dated and (len(dated) >= _MIN_SEEN_SHARE * len(order) or page.latest is None):
        return dated[0]
    of_page = _anchor_of_page(order, days_back, rows, page)
    return of_page if of_page is not None or not dated else dated[0]


def _anchor_of_page(
    order: list[int], days_back: dict[int, int], rows: list[_Row], page: PageTimes
) -> date | None:
    """The day on which the newest entry stands just before the page's last change.

    Where the oldest one would then stand before the page itself, the last
    change that is known of may be an early one: the oldest entry follows the first
    publication instead, if it follows it more closely.
    """
    newest, oldest = rows[order[0]], rows[order[-1]]
    zone = newest.zone or page.zone
    if zone is None or newest.clock is None or oldest.clock is None:
        return None
    span = timedelta(days=days_back[order[-1]])
    if page.latest is None or page.earliest is None:
        return page.named_day + span if page.named_day is not None else None
    last = page.latest.astimezone(zone)
    day = last.date()
    if datetime.combine(day, newest.clock, zone) > last + _TOLERANCE:
        day -= timedelta(days=1)
    first = page.earliest.astimezone(zone)
    if datetime.combine(day - span, oldest.clock, zone) >= first - _TOLERANCE:
        return day
    start = first.date()
    if datetime.combine(start, oldest.clock, zone) < first - _TOLERANCE:
        start += timedelta(days=1)
    after_first = datetime.combine(start, oldest.clock, zone) - first
    before_last = last - datetime.combine(day, newest.clock, zone)
    newest_then = datetime.combine(start + span, newest.clock, zone)
    if after_first < before_last and newest_then <= page.fetched_at + _TOLERANCE:
        return start + span
    return day


def _settled(entry: Joined, row: _Row, zone: tzinfo | None) -> Settled:
    updated: datetime | None = None
    for candidate in (entry.shown, entry.declared):
        if candidate is None or updated is not None:
            continue
        stamp = candidate.updated
        moment = moment_of(stamp, zone)
        if (
            moment is None
            and stamp is not None
            and stamp.clock is not None
            and row.result is not None
        ):
            own = stamp.zone or zone
            if own is not None:
                moment = at(_nearest_day(row.result, stamp.clock, own), stamp.clock, own)
        updated = moment
    if updated is not None and row.result is not None and updated < row.result:
        updated = None
    return Settled(row.result, updated, row.source if row.result is not None else None)
