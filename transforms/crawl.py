"""Crawl: from page requests to fetched pages, politely, on many workers.

What happens at one host is in ``visit``, one request in ``fetch``. Here hosts
are handed out: all requests of a host meet at one key, so that whatever is
promised to it holds across all workers.
"""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import apache_beam as beam
from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.pvalue import TaggedOutput
from apache_beam.utils.windowed_value import WindowedValue

from schemas.errors import FetchError, PageError, SourceError
from schemas.ids import stable_id
from schemas.records import (
    DeadLetter,
    DiscoveredPage,
    Entry,
    FetchedPage,
    KnownPage,
    NotModified,
    PageRequest,
    Publisher,
    Redirected,
    Visit,
)
from transforms.addresses import same_page
from transforms.counters import progress
from transforms.extract import extract_page, in_utf8, registered_domain
from transforms.feeds import read_feed
from transforms.fetch import FetchLimits, host_of, is_url, open_local_file, read_page_file
from transforms.liveblog import split_page
from transforms.older import older_pages
from transforms.outcomes import COUNTS, DEAD, dead_letter, utc_now
from transforms.robots import RecentRobots
from transforms.sitemaps import read_sitemap
from transforms.visit import Failed, HostPool, HostVisit, Politeness, Revisits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from apache_beam.pvalue import PCollection

    from transforms.visit import Outcome

ROUNDS = 3
"""A request may lead from host to host so often, its first one included."""

SITEMAP_DEPTH_MAX = 4

_CLOCKS_DIFFER_BY = timedelta(minutes=15)  # a publisher's and ours
_HOST_SHARDS = 64
_FETCH_THREADS = 64
_WAITING_PAGES_MAX = 64  # fetched and not yet split: bounds the memory of a worker


_recent = RecentRobots()  # a stream comes again, in the same process


class FetchOutputs(NamedTuple):
    """What comes out of FetchPages; counts holds ``(name, n)`` pairs.

    pages: of each round. They must not be flattened while they are pages:
    between stages a runner keeps them all, and they are large.
    visits: one for each request that was made.
    """

    pages: tuple[PCollection[FetchedPage], ...]
    visits: PCollection[Visit]
    dead: PCollection[DeadLetter]
    counts: PCollection[tuple[str, int]]


@dataclass
class FetchPages(beam.PTransform[Any, Any]):
    """Page requests -> fetched pages.

    Takes ``{"requests": PageRequest..., "known": KnownPage...}``, the latter
    from the index of earlier runs. Feeds, sitemaps and live blogs with older
    entries lead to more requests. The same address is fetched once
    (``requests_repeated``); a page that has not changed is only counted
    (``not_modified``).

    What leads to another host, by redirect or link, is asked in a second round
    at that host's key, and once more in a third.

    since: sitemap items that were last changed before it are left out (``too_old``).
    publishers: those whose hosts want a delay of their own.
    revisits: which pages are asked for again (the others: ``not_asked_again``); None for all.
    """

    limits: FetchLimits = field(default_factory=FetchLimits)
    politeness: Politeness = field(default_factory=Politeness)
    since: datetime | None = None
    publishers: tuple[Publisher, ...] = ()
    revisits: Revisits | None = None

    def expand(self, asked: dict[str, PCollection[Any]]) -> FetchOutputs:
        """Every request comes out once, as a page, a dead letter or a count."""
        known = asked["known"] | "KeyKnown" >> beam.Map(lambda known: (_shard(known.uri), known))
        waiting, rounds = asked["requests"], []
        for number in range(1, ROUNDS + 1):
            fetch = _FetchHosts(self, number)
            requests = waiting | f"KeyRequests{number}" >> beam.Map(
                lambda request: (_shard(request.address), request)
            )
            rounds.append(
                {"requests": requests, "known": known}
                | f"Hosts{number}" >> beam.CoGroupByKey()
                | f"Fetch{number}"
                >> beam.ParDo(fetch).with_outputs(DEAD, COUNTS, "elsewhere", "visits", main="pages")
            )
            waiting = rounds[-1].elsewhere
        return FetchOutputs(
            tuple(found.pages for found in rounds),
            tuple(found.visits for found in rounds) | "Visits" >> beam.Flatten(),
            tuple(found.dead for found in rounds) | "Dead" >> beam.Flatten(),
            tuple(found.counts for found in rounds) | "Counts" >> beam.Flatten(),
        )


def _shard(address: str) -> int:
    return zlib.crc32(_host_or_folder(address).encode()) % _HOST_SHARDS


def _host_or_folder(address: str) -> str:
    return host_of(address) if is_url(address) else address.rpartition("/")[0]


class Found(NamedTuple):
    """Where a page leads: more requests, and what was left out, by name."""

    requests: list[PageRequest]
    counts: dict[str, int]


def discover(fetched: FetchedPage, url: str, since: datetime | None) -> Found:
    """The pages that a feed or a sitemap points at.

    Raises SourceError when it is neither.
    """
    request = fetched.request
    if request.role == "feed":
        feed = read_feed(fetched.content, url, fetched.content_type)
        return Found([_page(request, page) for page in feed.pages], {"links_invalid": feed.dropped})
    sitemap = read_sitemap(fetched.content, url, since)
    counts = {
        "links_invalid": sitemap.invalid,
        "too_old": sitemap.too_old,
        "sitemap_over_limit": sitemap.over,
    }
    requests = [_page(request, page) for page in sitemap.pages]
    if request.depth < SITEMAP_DEPTH_MAX:
        requests += [
            PageRequest(child, request.source, role="sitemap", depth=request.depth + 1)
            for child in sitemap.children
        ]
    else:
        counts["sitemap_too_deep"] = len(sitemap.children)
    return Found(requests, counts)


def _page(request: PageRequest, page: DiscoveredPage) -> PageRequest:
    return PageRequest(
        page.url,
        request.source,
        categories=page.categories,
        changed_at=page.changed_at,
        published_at=page.published_at,
    )


def older_requests(
    fetched: FetchedPage, url: str, seen_at: datetime | None = None
) -> list[PageRequest]:
    """The further pages of a live blog; none for any other page.

    seen_at: when all of it was read before; none are needed where the page
        shows, newest first, all that has come since.
    """
    request = fetched.request
    try:
        addresses = older_pages(in_utf8(fetched.content, fetched.content_type), url)
        if not addresses:
            return []
        page = extract_page(fetched)
        split = split_page(page)
        if not (request.continues or split.is_live_blog):
            return []
        if seen_at and _reaches_back_to(seen_at - _CLOCKS_DIFFER_BY, split.entries):
            return []
    except PageError:  # the stages that follow make it a dead letter
        return []
    return [
        PageRequest(address, request.source, continues=page.page_url, categories=request.categories)
        for address in addresses
    ]


def _reaches_back_to(moment: datetime, entries: tuple[Entry, ...]) -> bool:
    times = [entry.published_at for entry in entries if entry.published_at]
    return bool(times) and times[-1] < moment and times[-1] <= times[0]


def open_any_file(path: str) -> tuple[IO[bytes], float]:
    """``OpenFile`` for every filesystem Beam knows.

    Raises OSError if it cannot be opened.
    """
    if "://" not in path:
        return open_local_file(path)
    try:
        metadata = FileSystems.get_filesystem(path).metadata(path)
        stream = FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    except BeamIOError as error:
        raise OSError(str(error)) from error
    return stream, metadata.last_updated_in_seconds


class _FolderVisit:
    """Reads the files of a folder, one a step; a ``Visit``."""

    def __init__(self, requests: Iterable[PageRequest], limits: FetchLimits) -> None:
        self._waiting = list(requests)
        self._limits = limits

    @property
    def over(self) -> bool:
        return not self._waiting

    def step(self) -> tuple[list[Outcome], float]:
        request = self._waiting.pop()
        found: Outcome
        try:
            found = read_page_file(request, open_file=open_any_file, limits=self._limits)
        except FetchError as error:
            found = Failed(request, error)
        return [found], 0.0


class _FetchHosts(beam.DoFn):
    """Visits the hosts of a bundle, many at once; pages are passed on as they come.

    number: of the round. A host may have been asked in the round before, so
    that from the second round on the first request waits, too.
    """

    def __init__(self, fetch: FetchPages, number: int) -> None:
        self._limits = fetch.limits
        self._politeness = fetch.politeness
        self._since = fetch.since
        self._revisits = fetch.revisits
        self._delays_s = {
            one.domain: one.delay_s for one in fetch.publishers if one.delay_s is not None
        }
        self._number = number

    def start_bundle(self) -> None:
        self._pool = HostPool(_FETCH_THREADS, _WAITING_PAGES_MAX)
        self._visits: dict[str, HostVisit] = {}
        self._known: dict[str, KnownPage] = {}
        self._asked: set[str] = set()
        self._blog_pages: Counter[str] = Counter()
        self._counts: dict[Any, Counter[str]] = {}

    def process(
        self,
        shard: tuple[int, dict[str, Iterable[Any]]],
        timestamp: Any = beam.DoFn.TimestampParam,
        window: Any = beam.DoFn.WindowParam,
    ) -> Iterator[Any]:
        context = (timestamp, window)
        _, group = shard
        for known in sorted(group["known"], key=lambda known: known.fetched_at):
            self._known[same_page(known.uri)] = known
        by_host: dict[str, list[PageRequest]] = {}
        for request in sorted(group["requests"], key=lambda request: (request.uri, request.source)):
            by_host.setdefault(_host_or_folder(request.address), []).append(request)
        for host, requests in by_host.items():
            if is_url(requests[0].address):
                self._ask(host, requests, context, is_first=self._number == 1)
            else:
                self._read(requests, context)
        for outcome, context in self._pool.arrived():
            yield from self._outputs(outcome, context)

    def finish_bundle(self) -> Iterator[Any]:
        try:
            for outcome, context in self._pool.drain():
                yield from self._outputs(outcome, context)
        finally:
            self._pool.close()
        for context, counts in self._counts.items():
            for count in counts.items():
                yield TaggedOutput(COUNTS, _windowed(count, context))

    def _count(self, context: Any, counts: dict[str, int]) -> None:
        self._counts.setdefault(context, Counter()).update({k: n for k, n in counts.items() if n})

    def _read(self, requests: list[PageRequest], context: Any) -> None:
        new = list({request.uri: request for request in reversed(requests)}.values())
        self._count(context, {"requests_repeated": len(requests) - len(new)})
        progress.wait_for(len(new))
        self._pool.add(_FolderVisit(new, self._limits), context)

    def _ask(
        self, host: str, requests: list[PageRequest], context: Any, *, is_first: bool = False
    ) -> None:
        """Have a host asked, once for each address; at once if it is the first time."""
        new, held = [], 0
        for request in requests:
            page = same_page(request.address)
            if page in self._asked:
                continue
            known = request.known
            if known is None and request.role == "page":
                known = self._known.get(same_page(request.uri))
            if self._revisits and not self._revisits.want(request, known):
                held += 1
            else:
                self._asked.add(page)
                new.append(replace(request, known=known))
        repeated = len(requests) - len(new) - held
        self._count(context, {"requests_repeated": repeated, "not_asked_again": held})
        if not new:
            return
        progress.wait_for(len(new))
        domain = registered_domain(new[0].address) or host
        delay_s = self._delays_s.get(domain, self._politeness.delay_s)
        if host in self._visits:
            self._visits[host].extend(new)
        else:
            politeness = replace(self._politeness, delay_s=delay_s)
            recent = _recent if self._revisits else None
            self._visits[host] = HostVisit(new, self._limits, politeness, recent=recent)
        self._pool.add(self._visits[host], context, 0.0 if is_first else delay_s)

    def _outputs(self, outcome: Outcome, context: Any) -> Iterator[Any]:
        progress.wait_for(-1)
        if isinstance(outcome, Redirected):
            if self._number < ROUNDS:
                yield TaggedOutput("elsewhere", _windowed(outcome.request, context))
                return
            detail = f"from host to host, the last to {outcome.request.address}"
            outcome = Failed(outcome.request, FetchError("too_many_redirects", detail))
        self._count(context, {f"{outcome.request.role}s_asked": 1})
        visit = self._visit(outcome)
        if isinstance(outcome, FetchedPage) and outcome.request.role != "page":
            progress.add(f"{outcome.request.role}s read")
            yield from self._discover(outcome, visit, context)
            return
        yield TaggedOutput("visits", _windowed(visit, context))
        if isinstance(outcome, NotModified):
            progress.add(f"{outcome.request.role}s not modified")
            if outcome.request.role == "page":
                self._count(context, {"pages": 1, "not_modified": 1})
        elif isinstance(outcome, Failed):
            progress.add("pages failed")
            yield _dead(outcome.error, outcome.request, context)
        else:
            progress.add("pages fetched")
            self._follow(outcome, context)
            yield _windowed(outcome, context)

    def _visit(self, outcome: FetchedPage | NotModified | Failed) -> Visit:
        request = outcome.request
        host = self._visits.get(host_of(request.address)) if is_url(request.address) else None
        visit = Visit(
            request,
            delay_s=host.delay_s if host else 0.0,
            visited_at=utc_now(),
            not_modified=isinstance(outcome, NotModified),
        )
        if isinstance(outcome, FetchedPage):
            visit = replace(visit, etag=outcome.etag, last_modified=outcome.last_modified)
        return visit

    def _follow(self, fetched: FetchedPage, context: Any) -> None:
        """Ask for the older entries of a live blog, as far as they may be followed."""
        if not is_url(fetched.request.uri) or not fetched.url:
            return
        known = fetched.request.known if self._revisits else None
        found = [
            request
            for request in older_requests(fetched, fetched.url, known.fetched_at if known else None)
            if same_page(request.address) not in self._asked
        ]
        if not found:
            return
        blog = str(found[0].continues)
        room = max(0, self._politeness.pages_per_blog_max - 1 - self._blog_pages[blog])
        self._blog_pages[blog] += len(found[:room])
        self._ask(host_of(fetched.url), found[:room], context)
        self._asked.update(same_page(request.address) for request in found[room:])
        self._count(context, {"older_pages_left": len(found[room:])})

    def _discover(self, fetched: FetchedPage, visit: Visit, context: Any) -> Iterator[Any]:
        """Ask for what a feed or a sitemap points at, here or in the next round."""
        url = fetched.url or fetched.request.address
        try:
            found = discover(fetched, url, self._since)
        except SourceError as error:
            yield TaggedOutput("visits", _windowed(visit, context))
            yield _dead(error, fetched.request, context)
            return
        digest = stable_id("addresses", *sorted({request.uri for request in found.requests}))
        yield TaggedOutput("visits", _windowed(replace(visit, digest=digest), context))
        here = [request for request in found.requests if host_of(request.uri) == host_of(url)]
        self._ask(host_of(url), here, context)
        there = [request for request in found.requests if host_of(request.uri) != host_of(url)]
        if self._number == ROUNDS:
            detail = "a feed or sitemap that was itself led to from host to host"
            for request in there:
                yield _dead(FetchError("too_many_redirects", detail), request, context)
        else:
            for request in there:
                yield TaggedOutput("elsewhere", _windowed(request, context))
        self._count(context, found.counts)


def _windowed(value: Any, context: Any) -> WindowedValue:
    timestamp, window = context
    return WindowedValue(value, timestamp, (window,))


def _dead(error: PageError, request: PageRequest, context: Any) -> Any:
    letter = dead_letter(error, uri=request.uri, source=request.source, failed_at=utc_now())
    return TaggedOutput(DEAD, _windowed(letter, context))
