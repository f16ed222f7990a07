"""The stages a page goes through, as PTransforms: fetch, extract, split, topic.

Their work is in pure modules without Beam (``fetch``, ``extract``, ``liveblog``,
``topics``), because ``split`` uses them and importing Beam takes three seconds.
From the fetch to the rows all four run fused: no page travels between workers.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import apache_beam as beam
from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.pvalue import TaggedOutput
from apache_beam.utils.windowed_value import WindowedValue

from schemas.errors import FetchError, PageError
from schemas.records import (
    DeadLetter,
    EntryRow,
    FetchedPage,
    KnownPage,
    NotModified,
    Page,
    PageRequest,
    Redirected,
    SplitPage,
)
from transforms.extract import extract_page
from transforms.fetch import FetchLimits, host_of, is_url, read_page_file
from transforms.liveblog import split_page
from transforms.older import older_pages
from transforms.outcomes import COUNTS, DEAD, dead_letter, progress, utc_now
from transforms.topics import entry_rows
from transforms.visit import Failed, HostPool, HostVisit, Politeness

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from apache_beam.pvalue import PCollection

    from transforms.visit import Outcome, Visit

HOSTS_PER_REQUEST_MAX = 3
"""A request may be redirected from host to host so often, the first one included."""

_HOST_SHARDS = 64
_FETCH_THREADS = 64
_WAITING_PAGES_MAX = 64  # fetched and not yet split: bounds the memory of a worker


class FetchOutputs(NamedTuple):
    """What comes out of FetchPages; counts holds ``(name, n)`` pairs."""

    pages: PCollection[FetchedPage]
    dead: PCollection[DeadLetter]
    counts: PCollection[tuple[str, int]]


@dataclass
class FetchPages(beam.PTransform[Any, Any]):
    """Page requests -> fetched pages.

    Takes ``{"requests": PageRequest..., "known": KnownPage...}``, the latter
    from the index of earlier runs. The same address asked for twice is fetched
    once and counted as ``requests_repeated``; a page that has not changed is
    counted as ``not_modified``.

    All requests of a host meet at one key, so that its delay holds across all
    workers. A redirect to another host is asked in a second round, at that
    host's key, and once more in a third.
    """

    limits: FetchLimits = field(default_factory=FetchLimits)
    politeness: Politeness = field(default_factory=Politeness)

    def expand(self, asked: dict[str, PCollection[Any]]) -> FetchOutputs:
        """Every request comes out once, as a page, a dead letter or a count."""
        recalled = (
            {
                "requests": asked["requests"] | "KeyRequests" >> beam.Map(lambda r: (r.uri, r)),
                "known": asked["known"] | "KeyKnown" >> beam.Map(lambda known: (known.uri, known)),
            }
            | "JoinPages" >> beam.CoGroupByKey()
            | "Recall" >> beam.FlatMap(_recall).with_outputs(COUNTS, main="requests")
        )
        waiting, rounds = recalled.requests, []
        for number in range(1, HOSTS_PER_REQUEST_MAX + 1):
            rounds.append(waiting | f"Round{number}" >> self._round(number))
            waiting = rounds[-1].elsewhere
        return FetchOutputs(
            tuple(found.pages for found in rounds) | "Pages" >> beam.Flatten(),
            tuple(found.dead for found in rounds) | "Dead" >> beam.Flatten(),
            (recalled[COUNTS], *(found.counts for found in rounds)) | "Counts" >> beam.Flatten(),
        )

    def _round(self, number: int) -> Any:
        fetch = beam.ParDo(_FetchHosts(self.limits, self.politeness, number))
        return (
            beam.Map(lambda request: (_host_shard(request.address), request))
            | beam.GroupByKey()
            | fetch.with_outputs(DEAD, COUNTS, "elsewhere", main="pages")
        )


def _recall(joined: tuple[str, dict[str, Iterable[Any]]]) -> Iterator[Any]:
    """One request for an address, with what the latest earlier run learnt of it."""
    _, group = joined
    requests = sorted(group["requests"], key=lambda request: str(request.source))
    if not requests:
        return
    known = max(group["known"], key=lambda known: known.fetched_at, default=None)
    yield replace(requests[0], known=known)
    yield TaggedOutput(COUNTS, ("requests", 1))
    if len(requests) > 1:
        yield TaggedOutput(COUNTS, ("requests_repeated", len(requests) - 1))


def _host_shard(address: str) -> int:
    return zlib.crc32(_host_or_folder(address).encode()) % _HOST_SHARDS


def _host_or_folder(address: str) -> str:
    return host_of(address) if is_url(address) else address.rpartition("/")[0]


def open_any_file(path: str) -> tuple[IO[bytes], float]:
    """``OpenFile`` for every filesystem Beam knows.

    Raises OSError if it cannot be opened.
    """
    try:
        metadata = FileSystems.get_filesystem(path).metadata(path)
        stream = FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    except BeamIOError as error:
        raise OSError(str(error)) from error
    return stream, metadata.last_updated_in_seconds


def _older(fetched: FetchedPage, url: str) -> tuple[str, tuple[str, ...]]:
    """A live blog's page_url and the addresses of its further pages; none for other pages."""
    try:
        page = extract_page(fetched)
        addresses = older_pages(page, url)
        if addresses and (fetched.request.continues or split_page(page).is_live_blog):
            return page.page_url, addresses
    except PageError:  # the stages that follow make it a dead letter
        pass
    return "", ()


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

    def __init__(self, limits: FetchLimits, politeness: Politeness, number: int) -> None:
        self._limits = limits
        self._politeness = politeness
        self._number = number

    def start_bundle(self) -> None:
        self._pool = HostPool(_FETCH_THREADS, _WAITING_PAGES_MAX)
        self._visits: dict[str, HostVisit] = {}
        self._seen: dict[str, set[str]] = {}  # by live blog: addresses known
        self._asked: dict[str, int] = {}  # by live blog: pages asked for

    def process(
        self,
        shard: tuple[int, Iterable[PageRequest]],
        timestamp: Any = beam.DoFn.TimestampParam,
        window: Any = beam.DoFn.WindowParam,
    ) -> Iterator[Any]:
        by_host: dict[str, list[PageRequest]] = {}
        for request in sorted(shard[1], key=lambda request: request.uri):
            by_host.setdefault(_host_or_folder(request.address), []).append(request)
        first_wait_s = self._politeness.delay_s if self._number > 1 else 0.0
        for requests in by_host.values():
            visit: Visit
            if is_url(requests[0].address):
                visit = HostVisit(requests, self._limits, self._politeness)
                self._visits[host_of(requests[0].address)] = visit
            else:
                visit = _FolderVisit(requests, self._limits)
            self._pool.add(visit, (timestamp, window), first_wait_s)
        for outcome, context in self._pool.arrived():
            yield from self._outputs(outcome, *context)

    def finish_bundle(self) -> Iterator[Any]:
        try:
            for outcome, context in self._pool.drain():
                yield from self._outputs(outcome, *context)
        finally:
            self._pool.close()

    def _outputs(self, outcome: Outcome, timestamp: Any, window: Any) -> Iterator[Any]:
        def windowed(value: Any) -> WindowedValue:
            return WindowedValue(value, timestamp, (window,))

        if isinstance(outcome, Redirected):
            if self._number < HOSTS_PER_REQUEST_MAX:
                yield TaggedOutput("elsewhere", windowed(outcome.request))
                return
            detail = f"from host to host, the last to {outcome.request.address}"
            outcome = Failed(outcome.request, FetchError("too_many_redirects", detail))
        if isinstance(outcome, NotModified):
            progress.add("pages not modified")
            yield TaggedOutput(COUNTS, windowed(("not_modified", 1)))
        elif isinstance(outcome, Failed):
            progress.add("pages failed")
            request, error = outcome
            letter = dead_letter(error, uri=request.uri, source=request.source, failed_at=utc_now())
            yield TaggedOutput(DEAD, windowed(letter))
        else:
            progress.add("pages fetched")
            for name, n in self._follow(outcome, (timestamp, window)).items():
                yield TaggedOutput(COUNTS, windowed((name, n)))
            yield windowed(outcome)

    def _follow(self, fetched: FetchedPage, context: Any) -> dict[str, int]:
        """Ask for the older entries of a live blog; how many pages more, and how many not."""
        request, url = fetched.request, fetched.url
        if not url or not is_url(request.uri):
            return {}
        blog, addresses = _older(fetched, url)
        seen = self._seen.setdefault(blog, {url})
        new = [address for address in addresses if address not in seen]
        seen.update(new)
        asked = self._asked.setdefault(blog, 1)
        room = max(0, self._politeness.pages_per_blog_max - asked)
        self._asked[blog] += len(new[:room])
        for address in new[:room]:
            older = replace(
                request, uri=address, known=None, redirected_to=None, redirects=0, continues=blog
            )
            visit = self._visits[host_of(url)]
            visit.extend([older])
            self._pool.add(visit, context, self._politeness.delay_s)
        return {
            name: n
            for name, n in (("requests", len(new[:room])), ("older_pages_left", len(new[room:])))
            if n
        }


class _ExtractPage(beam.DoFn):
    def __init__(self, timezone: str | None) -> None:
        self._timezone = timezone

    def process(self, fetched: FetchedPage) -> Iterator[Any]:
        zone = ZoneInfo(self._timezone) if self._timezone else None
        try:
            yield extract_page(fetched, zone=zone)
        except PageError as error:
            yield _lost(error, fetched.request.uri, fetched.request.source, fetched.url)


@dataclass
class ExtractPages(beam.PTransform[Any, Any]):
    """Fetched pages -> decoded pages with what they say of themselves.

    timezone: IANA name for page times that name no zone.
    """

    timezone: str | None = None

    def expand(self, fetched: PCollection[FetchedPage]) -> Any:
        """Outputs: ``pages`` and ``dead``."""
        return fetched | beam.ParDo(_ExtractPage(self.timezone)).with_outputs(DEAD, main="pages")


class _SplitPage(beam.DoFn):
    def __init__(self, timezone: str | None) -> None:
        self._timezone = timezone

    def process(self, page: Page) -> Iterator[Any]:
        try:
            split = split_page(page, timezone=self._timezone)
        except PageError as error:
            yield _lost(error, page.uri, page.source, page.page_url)
            return
        progress.add("entries found", len(split.entries))
        visit = _visited(split)
        if visit:
            yield TaggedOutput("visits", visit)
        yield TaggedOutput(COUNTS, ("pages_split", 1))
        yield TaggedOutput(COUNTS, ("live_blogs", int(split.is_live_blog)))
        yield TaggedOutput(COUNTS, ("entries_found", len(split.entries)))
        yield split


@dataclass
class SplitLiveBlogs(beam.PTransform[Any, Any]):
    """Pages -> their entries in the order shown; an article is its only entry.

    timezone: IANA name for clocks that name no zone.
    """

    timezone: str | None = None

    def expand(self, pages: PCollection[Page]) -> Any:
        """Outputs: ``splits``, ``visits`` (KnownPage for the index), ``dead``, ``counts``."""
        split = beam.ParDo(_SplitPage(self.timezone))
        return pages | split.with_outputs(DEAD, COUNTS, "visits", main="splits")


def _visited(split: SplitPage) -> KnownPage | None:
    """What later runs must know of a page from the web; None if they know it already."""
    page = split.page
    if not is_url(page.uri) or page.continues:
        return None
    visit = KnownPage(page.uri, page.etag, page.last_modified, split.is_live_blog, page.fetched_at)
    if page.known and visit == replace(page.known, fetched_at=page.fetched_at):
        return None
    return visit


@dataclass
class AssignTopics(beam.PTransform[Any, Any]):
    """Split pages -> dataset rows, each with its page's topic and why."""

    run_id: str

    def expand(self, splits: PCollection[SplitPage]) -> Any:
        """One row per entry."""
        return splits | beam.FlatMap(entry_rows, self.run_id).with_output_types(EntryRow)


def _lost(
    error: PageError, uri: str, source: str, page_url: str | None
) -> TaggedOutput[str, DeadLetter]:
    letter = dead_letter(error, uri=uri, source=source, failed_at=utc_now(), page_url=page_url)
    return TaggedOutput(DEAD, letter)
