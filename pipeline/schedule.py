"""When to ask again: each feed, sitemap and live blog at its own pace. No Beam here.

What a visit came to decides when the next one is due: sooner while there is
something new, later while there is not, never sooner than the host wants. The
book of all polls is plain data, and the time is whatever the caller says.
"""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from schemas.records import KnownPage, PageRequest, Reading, Visit
from transforms.addresses import same_page
from transforms.fetch import host_of
from transforms.visit import RETRIED, WAIT_MAX_S, Revisits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FIRST_INTERVAL_S = 60.0
FASTER, SLOWER, AFTER_FAILURE = 0.5, 1.5, 2.0
"""What an interval is multiplied by after something new, nothing new, or a failure."""

JITTER = 0.1
"""A poll waits up to this share longer, each its own, so that they do not fall into step."""

FOUND_LIST_MAX_S = 24 * 3600.0
"""A sitemap that only another one names, such as last year's, may become so slow."""

ENDED_FOR = timedelta(hours=1)
"""A live blog is over when its declared end and its last news are so long ago."""

_TRANSIENT = RETRIED | {"host_rested", "robots_unavailable", "crawl_delay_too_long"}
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Pace:
    """Between which bounds polls go, and after which silence a live blog is over.

    min_s: between two visits to the same address; its host may want more.
    """

    min_s: float
    max_s: float
    idle: timedelta


@dataclass(frozen=True, slots=True)
class Poll:
    """One address that is asked for again and again.

    request: from the second visit on its ``known`` is what to ask with.
    due_at: None when it is over; it is remembered, so as not to be taken for new.
    changed_at: when something new was last seen; after the first visit the time
        of the newest entry, before it when it was taken up.
    digest: of what it held then. ends_at: as the page says.
    """

    request: PageRequest
    due_at: datetime | None
    changed_at: datetime
    interval_s: float = FIRST_INTERVAL_S
    digest: str | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """What a host wants between two requests, and until when it is left alone."""

    delay_s: float
    free_at: datetime


def plan(
    earlier: Poll,
    visit: Visit,
    reading: Reading | None,
    code: str | None,
    *,
    is_named: bool,
    pace: Pace,
) -> Poll | None:
    """What becomes of a poll after a visit; None if there is nothing to remember.

    An article is read once. A live blog goes on until its coverage has ended or
    it is silent; feeds and sitemaps go on for ever. What fails is asked again
    ever later, a page that never could be had only if that may change.

    reading: of the page, if it was fetched and could be split. code: of the
    dead letter, None if there was none. is_named: whether the user gave it.
    """
    if code:
        return _after_failure(earlier, visit, code, is_named=is_named, pace=pace)
    if visit.request.role == "page":
        return _after_page(earlier, visit, reading, is_named=is_named, pace=pace)
    poll = replace(earlier, request=_with_known(visit, is_live_blog=False))
    max_s = pace.max_s if is_named else FOUND_LIST_MAX_S
    return _paced(poll, visit, visit.digest, visit.visited_at, replace(pace, max_s=max_s))


def _after_failure(earlier: Poll, visit: Visit, code: str, *, is_named: bool, pace: Pace) -> Poll:
    request = visit.request
    hopeless = code not in _TRANSIENT and earlier.digest is None and not is_named
    silent = visit.visited_at >= earlier.changed_at + pace.idle
    lasting = is_named and request.role != "page"
    request = replace(request, redirected_to=None, redirects=0)
    if (hopeless or silent) and not lasting:
        return replace(earlier, request=request, due_at=None)
    return _due(replace(earlier, request=request), visit, AFTER_FAILURE, pace)


def _after_page(
    earlier: Poll, visit: Visit, reading: Reading | None, *, is_named: bool, pace: Pace
) -> Poll | None:
    if visit.request.continues:  # asked for by itself only because it had failed
        return None
    known, now = visit.request.known, visit.visited_at
    is_live_blog = reading.page.is_live_blog if reading else bool(known and known.is_live_blog)
    poll = replace(earlier, request=_with_known(visit, is_live_blog=is_live_blog))
    if not is_live_blog:
        return replace(poll, due_at=None) if is_named else None
    if reading:
        poll = replace(poll, ends_at=reading.ends_at)
        poll = _paced(poll, visit, reading.digest, reading.newest_at or now, pace)
    else:
        poll = _paced(poll, visit, None, now, pace)
    ended = poll.ends_at and now >= max(poll.ends_at, poll.changed_at) + ENDED_FOR
    silent = now >= poll.changed_at + pace.idle
    return replace(poll, due_at=None) if ended or silent else poll


def _paced(poll: Poll, visit: Visit, digest: str | None, newest_at: datetime, pace: Pace) -> Poll:
    """Faster if there is something new; no digest means that there is not."""
    if digest is None or digest == poll.digest:
        return _due(poll, visit, SLOWER, pace)
    if poll.digest is None:
        return _due(replace(poll, digest=digest, changed_at=newest_at), visit, 1.0, pace)
    changed = replace(poll, digest=digest, changed_at=visit.visited_at)
    return _due(changed, visit, FASTER, pace)


def _due(poll: Poll, visit: Visit, factor: float, pace: Pace) -> Poll:
    least_s = max(pace.min_s, visit.delay_s)
    interval_s = max(least_s, min(poll.interval_s * factor, pace.max_s))
    seed = f"{poll.request.uri} {visit.visited_at.isoformat()}"
    jitter = JITTER * zlib.crc32(seed.encode()) / 2**32
    due_at = visit.visited_at + timedelta(seconds=interval_s * (1 + jitter))
    return replace(poll, interval_s=interval_s, due_at=due_at)


def _with_known(visit: Visit, *, is_live_blog: bool) -> PageRequest:
    """The request for the next time."""
    request = replace(visit.request, redirected_to=None, redirects=0)
    if visit.not_modified and request.known:
        return replace(request, known=replace(request.known, fetched_at=visit.visited_at))
    known = KnownPage(request.uri, visit.etag, visit.last_modified, is_live_blog, visit.visited_at)
    return replace(request, known=known)


@dataclass(slots=True)
class Book:
    """All polls by ``same_page``, and their hosts by ``host_of``."""

    polls: dict[str, Poll] = field(default_factory=dict)
    hosts: dict[str, Host] = field(default_factory=dict)

    def begin(self, named: Iterable[PageRequest], now: datetime) -> None:
        """Take up what the user names, due at once, and forget what other sources led to.

        What the book knows already goes on where it was; that was in the future
        if the clock has been set back since.
        """
        wanted = {same_page(request.uri): request for request in named}
        labels = {request.source for request in wanted.values()}
        self.polls = {
            page: poll for page, poll in self.polls.items() if poll.request.source in labels
        }
        for page, request in wanted.items():
            self.polls.setdefault(page, Poll(request, now, now))
        self.follow(timedelta(), now)

    def follow(self, ahead: timedelta, now: datetime) -> None:
        """Follow a clock that was set, ahead of where it would be, and shows now.

        What is planned moves with it, so that nothing is asked for too soon; and
        nothing waits longer than its interval, or had news in the future.
        """
        for page, poll in self.polls.items():
            wait = timedelta(seconds=poll.interval_s * (1 + JITTER))
            due_at = poll.due_at and min(poll.due_at + ahead, now + wait)
            changed_at = min(poll.changed_at + ahead, now)
            self.polls[page] = replace(poll, due_at=due_at, changed_at=changed_at)
        for name, host in self.hosts.items():
            free_at = min(host.free_at + ahead, now + timedelta(seconds=host.delay_s))
            self.hosts[name] = replace(host, free_at=free_at)

    def due(self, now: datetime) -> list[PageRequest]:
        """What is to be asked for now, first what has waited longest.

        Of a host slower than ``WAIT_MAX_S`` one page only.
        """
        found, slow_hosts = [], set[str]()
        waiting = [(poll.due_at, page) for page, poll in self.polls.items() if poll.due_at]
        for _, page in sorted(waiting):
            poll = self.polls[page]
            request, due_at = poll.request, self._due_at(poll)
            name = host_of(request.uri)
            if due_at is None or due_at > now or name in slow_hosts:
                continue
            if name in self.hosts and self.hosts[name].delay_s > WAIT_MAX_S:
                slow_hosts.add(name)
            found.append(request)
        return found

    def next_due_at(self) -> datetime | None:
        """When there is something to ask for; None when everything is over."""
        return min(filter(None, map(self._due_at, self.polls.values())), default=None)

    def revisits(self, due: Iterable[PageRequest], now: datetime, pace: Pace) -> Revisits:
        """What may be asked for of the pages that feeds and sitemaps lead to."""
        asked = frozenset(same_page(request.uri) for request in due)
        return Revisits(asked, frozenset(self.polls) - asked, now - pace.idle)

    def learn(
        self,
        visits: Iterable[Visit],
        readings: Iterable[Reading],
        lost: Mapping[str, str],
        *,
        named: frozenset[str],
        pace: Pace,
        now: datetime,
    ) -> None:
        """Plan the next visits by what the last ones came to.

        lost: the code of each dead letter, by address. named: what the user
            gave, by ``same_page``; it is never forgotten while it is given.
        """
        read = {reading.page.uri: reading for reading in readings}
        for visit in visits:
            uri, host = visit.request.uri, host_of(visit.request.address)
            page = same_page(uri)
            earlier = self.polls.pop(page, None)
            earlier = earlier or Poll(visit.request, visit.visited_at, visit.visited_at)
            poll = plan(
                earlier, visit, read.get(uri), lost.get(uri), is_named=page in named, pace=pace
            )
            if poll:
                self.polls[page] = poll
            free_at = visit.visited_at + timedelta(seconds=visit.delay_s)
            if host not in self.hosts or self.hosts[host].free_at < free_at:
                self.hosts[host] = Host(visit.delay_s, free_at)
        self.polls = {
            page: poll
            for page, poll in self.polls.items()
            if poll.due_at or page in named or _last_seen_at(poll) >= now - pace.idle
        }
        hosts = {host_of(poll.request.uri) for poll in self.polls.values()}
        self.hosts = {name: host for name, host in self.hosts.items() if name in hosts}

    def _due_at(self, poll: Poll) -> datetime | None:
        host = self.hosts.get(host_of(poll.request.uri))
        return max(poll.due_at, host.free_at) if poll.due_at and host else poll.due_at


def _last_seen_at(poll: Poll) -> datetime:
    return poll.request.known.fetched_at if poll.request.known else poll.changed_at


def to_json(book: Book) -> dict[str, Any]:
    """The book as plain values; ``from_json`` gives it back."""
    return {
        "format": _FORMAT,
        "polls": [plain(poll) for _, poll in sorted(book.polls.items())],
        "hosts": {name: plain(host) for name, host in book.hosts.items()},
    }


def from_json(value: Any) -> Book:
    """Raises ValueError if it is no book of this format."""
    try:
        if value["format"] != _FORMAT:
            raise ValueError(f"its format is {value['format']}, not {_FORMAT}")
        polls = [_poll(fields) for fields in value["polls"]]
        hosts = {
            name: Host(host["delay_s"], datetime.fromisoformat(host["free_at"]))
            for name, host in value["hosts"].items()
        }
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    return Book({same_page(poll.request.uri): poll for poll in polls}, hosts)


def plain(record: Poll | Host | Visit | Reading) -> dict[str, Any]:
    """A record as JSON can hold it."""
    return {name: _plain(value) for name, value in asdict(record).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value.isoformat() if isinstance(value, datetime) else value


def _poll(fields: dict[str, Any]) -> Poll:
    times = _moments(fields, "due_at", "changed_at", "ends_at")
    return Poll(**{**times, "request": _request(fields["request"])})


def _request(fields: dict[str, Any]) -> PageRequest:
    changes = {"known": _known(fields["known"]), "categories": tuple(fields["categories"])}
    fields = {"published_at": None, **fields}  # earlier versions knew none
    return PageRequest(**{**_moments(fields, "changed_at", "published_at"), **changes})


def _known(fields: dict[str, Any] | None) -> KnownPage | None:
    return KnownPage(**_moments(fields, "fetched_at")) if fields else None


def _moments(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    times = {name: fields[name] and datetime.fromisoformat(fields[name]) for name in names}
    return {**fields, **times}


def visit_from(fields: dict[str, Any]) -> Visit:
    """The visit whose ``plain`` form it is."""
    return Visit(**{**_moments(fields, "visited_at"), "request": _request(fields["request"])})


def reading_from(fields: dict[str, Any]) -> Reading:
    """The reading whose ``plain`` form it is."""
    pages = {"page": _known(fields["page"]), "known": _known(fields["known"])}
    return Reading(**{**_moments(fields, "newest_at", "ends_at"), **pages})
