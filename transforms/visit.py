"""Visit: be polite to each host, and to many hosts at once.

No Beam here. A host is asked one thing at a time: its robots.txt first, then
page after page, with the delay between them that it or the user wants. What is
worth retrying is retried later; a host that keeps failing is rested. A thread
never sleeps for a host: it turns to the next one that is ready.
"""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from schemas.errors import FetchError
from schemas.records import FetchedPage, KnownPage, NotModified, PageRequest, Redirected
from transforms.addresses import same_page
from transforms.fetch import FetchLimits, fetch_page, host_of, new_session
from transforms.robots import RecentRobots, Robots, read_robots, robots_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

RETRIED = frozenset({"connection_failed", "timeout", "host_unknown", "http_429", "http_5xx"})
"""What may be better next time."""

FAILURES_BEFORE_REST = 6
"""After so many failed requests in a row, retries included, a host is rested."""

WAIT_MAX_S = 60.0
"""A host that wants more time than this between requests is left to a later run."""

LIST_BYTES_MAX = 50 * 1024 * 1024
"""As long as a sitemap may be, https://www.sitemaps.org/protocol.html; for feeds, too."""

_BACKOFF_S = 1.0
_LOOK_EVERY_S = 0.05
_ROBOTS_HOPS_MAX = 5  # RFC 9309, 2.3.1.2


@dataclass(frozen=True)
class Politeness:
    """How hosts are treated.

    delay_s: between the end of one request to a host and the start of the next.
    retries: how often a request is repeated that may go better next time.
    pages_per_blog_max: the first page of a live blog and those of its older
        entries; the pages beyond are counted.
    """

    delay_s: float = 1.0
    retries: int = 2
    pages_per_blog_max: int = 10


@dataclass(frozen=True)
class Revisits:
    """Which pages are asked for again when a feed or a sitemap leads to them.

    due: those whose time has come. held: those that have a time of their own.
    live_since: of the others that an earlier run has seen only live blogs, if
        they changed since. All addresses as ``same_page`` gives them.
    """

    due: frozenset[str]
    held: frozenset[str]
    live_since: datetime

    def want(self, request: PageRequest, known: KnownPage | None) -> bool:
        """Whether to ask; known: what the index says of it."""
        page = same_page(request.uri)
        if page in self.due or (known is None and page not in self.held):
            return True
        if known is None or page in self.held or not known.is_live_blog:
            return False
        return (request.changed_at or known.fetched_at) >= self.live_since


class Failed(NamedTuple):
    """A request that came to nothing."""

    request: PageRequest
    error: FetchError


Outcome = FetchedPage | NotModified | Redirected | Failed
"""What becomes of a request, exactly one of these; Redirected: to another host."""


class HostVisit:
    """All requests to one host, asked one after the other, by one thread at a time.

    requests: at least one; all of one host by ``host_of``.
    fetch: ``fetch_page`` or what stands in for it. jitter: gives 0..1.
    recent: robots.txt of earlier visits, which need not be asked for again.
    """

    def __init__(
        self,
        requests: Iterable[PageRequest],
        limits: FetchLimits,
        politeness: Politeness,
        *,
        fetch: Callable[..., FetchedPage | NotModified | Redirected] = fetch_page,
        jitter: Callable[[], float] = random.random,
        recent: RecentRobots | None = None,
    ) -> None:
        self._waiting = deque(requests)
        self._host = host_of(self._waiting[0].address)
        self._limits = limits
        self._politeness = politeness
        self._fetch = fetch
        self._jitter = jitter
        self._recent = recent or RecentRobots()
        self._session = new_session(limits)
        self._robots: dict[str, Robots] = {}
        self._outcomes: list[Outcome] = []
        self._retried = 0
        self._failures = 0

    @property
    def over(self) -> bool:
        """Whether there is nothing more to ask."""
        return not self._waiting

    @property
    def delay_s(self) -> float:
        """What the host wants between two requests, as far as it has been asked."""
        agent = self._limits.user_agent
        asked = [robots.crawl_delay_s(agent) for robots in list(self._robots.values())]
        return max(self._politeness.delay_s, *asked, 0.0)

    def step(self) -> tuple[list[Outcome], float]:
        """Make at most one request; not when it is over.

        Returns the outcomes it led to, and after how many seconds the next
        request may be made.
        """
        request = self._waiting[0]
        origin = _origin(request.address)
        if origin not in self._robots and (recent := self._recent.get(origin)):
            self._robots[origin] = recent
        if origin in self._robots:
            wait_s = self._ask(request, self._robots[origin])
        else:
            wait_s = self._ask_robots(origin)
        if not self._waiting:
            self._session.close()
        outcomes, self._outcomes = self._outcomes, []
        return outcomes, wait_s

    def extend(self, requests: Iterable[PageRequest]) -> None:
        """More pages of the same host, to be asked for after the others."""
        self._waiting.extend(requests)

    def _ask(self, request: PageRequest, robots: Robots) -> float:
        """Ask for the first page in the queue; the seconds to wait afterwards."""
        agent = self._limits.user_agent
        delay_s = max(self._politeness.delay_s, robots.crawl_delay_s(agent))
        try:
            robots.check(request.address, agent)
        except FetchError as error:
            self._conclude(Failed(request, error))
            return 0.0
        try:
            found = self._fetch(request, session=self._session, limits=self._limits_of(request))
        except FetchError as error:
            retry_after_s = self._retry_after_s(error)
            if retry_after_s is None:
                self._conclude(Failed(request, error))
                self._rest_if_failing(error)
            return max(delay_s, retry_after_s or 0.0)
        self._failures = 0
        self._conclude(found)
        if delay_s > WAIT_MAX_S:
            detail = f"robots.txt asks for {delay_s:g} s between pages"
            self._rest(FetchError("crawl_delay_too_long", detail))
        return delay_s

    def _limits_of(self, request: PageRequest) -> FetchLimits:
        """A list of pages may be longer than a page."""
        if request.role == "page":
            return self._limits
        bytes_max = max(self._limits.page_bytes_max, LIST_BYTES_MAX)
        return replace(self._limits, page_bytes_max=bytes_max)

    def _ask_robots(self, origin: str) -> float:
        """Ask for an origin's robots.txt; the seconds to wait afterwards."""
        try:
            self._robots[origin] = read_robots(self._robots_txt(origin))
        except FetchError as error:
            retry_after_s = self._retry_after_s(error)
            if retry_after_s is not None:
                return max(self._politeness.delay_s, retry_after_s)
            self._robots[origin] = robots_after(error)
            self._rest_if_failing(error)
        self._recent.keep(origin, self._robots[origin])
        self._retried = 0
        return self._politeness.delay_s

    def _robots_txt(self, origin: str) -> bytes:
        request = PageRequest(f"{origin}/robots.txt", "robots")
        for _ in range(_ROBOTS_HOPS_MAX + 1):
            found = self._fetch(request, session=self._session, limits=self._limits)
            if isinstance(found, FetchedPage):
                return found.content
            request = found.request
        raise FetchError("too_many_redirects", f"more than {_ROBOTS_HOPS_MAX}")

    def _conclude(self, outcome: Outcome) -> None:
        """The first request in the queue is done with; within the host it is asked again."""
        self._waiting.popleft()
        self._retried = 0
        if isinstance(outcome, Redirected) and host_of(outcome.request.address) == self._host:
            self._waiting.appendleft(outcome.request)
        else:
            self._outcomes.append(outcome)

    def _retry_after_s(self, error: FetchError) -> float | None:
        """Seconds until the request is worth repeating, None if it never is."""
        if error.code not in RETRIED:
            self._failures = 0
            return None
        self._failures += 1
        asked_s = error.retry_after_s or 0.0
        if asked_s > WAIT_MAX_S or self._retried >= self._politeness.retries:
            return None
        self._retried += 1
        backoff_s: float = _BACKOFF_S * 2 ** (self._retried - 1) * (0.5 + self._jitter())
        return max(asked_s, backoff_s)

    def _rest_if_failing(self, error: FetchError) -> None:
        asked_s = error.retry_after_s or 0.0
        if asked_s > WAIT_MAX_S:
            self._rest(FetchError("host_rested", f"it asks to be left alone for {asked_s:g} s"))
        elif self._failures >= FAILURES_BEFORE_REST:
            detail = f"{self._failures} requests in a row failed, the last with {error}"
            self._rest(FetchError("host_rested", detail))

    def _rest(self, reason: FetchError) -> None:
        """Leave the host alone for the rest of the run."""
        self._outcomes += [Failed(request, reason) for request in self._waiting]
        self._waiting.clear()


def _origin(url: str) -> str:
    """Scheme, host and port: what one robots.txt speaks for."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


class Visit(Protocol):
    """What a pool can do a step of at a time, as ``HostVisit.step``."""

    @property
    def over(self) -> bool:
        """Whether there is no further step."""
        ...

    def step(self) -> tuple[list[Outcome], float]:
        """Outcomes, and the seconds until the next step."""
        ...


class HostPool:
    """Threads that visit many hosts at once.

    Outcomes wait in a bounded queue, so that fetching stops while whoever takes
    them cannot keep up. A bug in a thread is raised by ``drain``.
    """

    def __init__(self, threads: int, waiting_max: int) -> None:
        self._threads_max = threads
        self._threads: list[threading.Thread] = []
        self._ready: list[tuple[float, int, Visit, Any]] = []
        self._order = itertools.count()
        self._under_way: set[Visit] = set()
        self._busy = 0
        self._change = threading.Condition()
        self._closed = False
        self._bug: BaseException | None = None
        self._outcomes: Queue[tuple[Outcome, Any]] = Queue(waiting_max)

    def add(self, visit: Visit, context: Any, wait_s: float = 0.0) -> None:
        """Begin a visit after so many seconds, or again one that was over.

        A visit that is under way goes on as it is; one that has nothing to ask
        is not begun. context comes back with each outcome.
        """
        with self._change:
            if visit in self._under_way or visit.over:
                return
            self._under_way.add(visit)
            self._push(wait_s, visit, context)
            if len(self._threads) < self._threads_max:
                thread = threading.Thread(target=self._work, name="fetch", daemon=True)
                self._threads.append(thread)
                thread.start()

    def arrived(self) -> Iterator[tuple[Outcome, Any]]:
        """The outcomes that are there, without waiting."""
        while not self._outcomes.empty():
            yield self._outcomes.get()

    def drain(self) -> Iterator[tuple[Outcome, Any]]:
        """All outcomes until every visit is over; raises what went wrong in a thread."""
        while True:
            with self._change:
                over = not self._ready and not self._busy
            try:
                outcome = self._outcomes.get(block=not over, timeout=_LOOK_EVERY_S)
            except Empty:
                if self._bug:
                    raise self._bug from None
                if over:
                    return
            else:
                yield outcome  # whoever takes it may add more visits

    def close(self) -> None:
        """End the threads; what is under way is given up."""
        with self._change:
            self._closed = True
            self._change.notify_all()

    def _push(self, wait_s: float, visit: Visit, context: Any) -> None:
        ready_at_s = time.monotonic() + wait_s
        heapq.heappush(self._ready, (ready_at_s, next(self._order), visit, context))
        self._change.notify()

    def _next(self) -> tuple[Visit, Any] | None:
        with self._change:
            while not self._closed:
                now_s = time.monotonic()
                if self._ready and self._ready[0][0] <= now_s:
                    *_, visit, context = heapq.heappop(self._ready)
                    self._busy += 1
                    return visit, context
                self._change.wait(self._ready[0][0] - now_s if self._ready else None)
        return None

    def _work(self) -> None:
        while next_visit := self._next():
            visit, context = next_visit
            wait_s = 0.0
            try:
                outcomes, wait_s = visit.step()
                for outcome in outcomes:
                    self._hand_over(outcome, context)
            except BaseException as error:  # noqa: BLE001 - drain raises it
                self._bug = error
            with self._change:
                self._busy -= 1
                if visit.over or self._bug:
                    self._under_way.discard(visit)
                else:
                    self._push(wait_s, visit, context)

    def _hand_over(self, outcome: Outcome, context: Any) -> None:
        while not self._closed:
            try:
                self._outcomes.put((outcome, context), timeout=_LOOK_EVERY_S)
            except Full:
                continue
            return
