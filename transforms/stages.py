"""The stages a page goes through, as PTransforms: fetch, extract, split, topic.

Their work is in pure modules without Beam (``fetch``, ``extract``, ``liveblog``,
``topics``), because ``split`` uses them and importing Beam takes three seconds.
From the fetch to the rows all four run fused: no page travels between workers.
"""

from __future__ import annotations

import queue
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import apache_beam as beam
from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.pvalue import TaggedOutput
from apache_beam.utils.windowed_value import WindowedValue

from schemas.errors import PageError
from schemas.records import DeadLetter, EntryRow, FetchedPage, Page, PageRequest, SplitPage
from transforms.extract import extract_page
from transforms.fetch import FetchLimits, fetch_page, is_url, new_session, read_page_file
from transforms.liveblog import split_page
from transforms.outcomes import COUNTS, DEAD, dead_letter, progress, utc_now
from transforms.topics import entry_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from apache_beam.pvalue import PCollection
    from requests import Session

_HOST_SHARDS = 64
_FETCH_THREADS = 64
_WAITING_PAGES_MAX = 64  # fetched and not yet split: bounds the memory of a worker


@dataclass
class FetchPages(beam.PTransform[Any, Any]):
    """Page requests -> fetched pages.

    All requests of a host meet at one key and are fetched one after the other
    there, many hosts at once, so that whatever is promised to a host holds
    across all workers. The same address asked for twice is fetched once and
    counted as ``requests_repeated``.
    """

    limits: FetchLimits = field(default_factory=FetchLimits)

    def expand(self, requests: PCollection[PageRequest]) -> Any:
        """Outputs: ``pages``, ``dead`` and ``counts``."""
        return (
            requests
            | "KeyByHost" >> beam.Map(lambda request: (_host_shard(request.uri), request))
            | "GroupHosts" >> beam.GroupByKey()
            | "Fetch"
            >> beam.ParDo(_FetchHosts(self.limits)).with_outputs(DEAD, COUNTS, main="pages")
        )


def _host(uri: str) -> str:
    """What politeness is owed to; files share their folder, as nobody minds."""
    return (urlsplit(uri).hostname or "") if is_url(uri) else uri.rpartition("/")[0]


def _host_shard(uri: str) -> int:
    return zlib.crc32(_host(uri).encode()) % _HOST_SHARDS


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


class _FetchHosts(beam.DoFn):
    """Hosts are handed to a pool of threads; pages are passed on as they come.

    Results wait in a bounded queue, so that threads stop when the stages behind
    cannot keep up.
    """

    def __init__(self, limits: FetchLimits) -> None:
        self._limits = limits

    def setup(self) -> None:
        self._pool = ThreadPoolExecutor(_FETCH_THREADS, thread_name_prefix="fetch")

    def teardown(self) -> None:
        self._pool.shutdown()

    def start_bundle(self) -> None:
        self._results: queue.Queue[Any] = queue.Queue(_WAITING_PAGES_MAX)
        self._hosts: list[Future[None]] = []

    def process(
        self,
        shard: tuple[int, Iterable[PageRequest]],
        timestamp: Any = beam.DoFn.TimestampParam,
        window: Any = beam.DoFn.WindowParam,
    ) -> Iterator[Any]:
        by_host: dict[str, dict[str, PageRequest]] = {}
        repeated = 0
        for request in sorted(shard[1], key=lambda request: (request.uri, request.source)):
            same = by_host.setdefault(_host(request.uri), {})
            repeated += request.uri in same
            same.setdefault(request.uri, request)
        if repeated:
            yield TaggedOutput(COUNTS, ("requests_repeated", repeated))
        for requests in by_host.values():
            self._hosts.append(
                self._pool.submit(self._fetch_host, list(requests.values()), timestamp, window)
            )
        while not self._results.empty():
            yield self._results.get()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        while not all(host.done() for host in self._hosts):
            try:
                yield self._results.get(timeout=0.05)
            except queue.Empty:
                continue
        while not self._results.empty():
            yield self._results.get()
        for host in self._hosts:
            host.result()

    def _fetch_host(self, requests: list[PageRequest], timestamp: Any, window: Any) -> None:
        with new_session(self._limits) as session:
            for request in requests:
                found = self._fetch(request, session)
                output = WindowedValue(found, timestamp, (window,))
                dead = isinstance(found, DeadLetter)
                self._results.put(TaggedOutput(DEAD, output) if dead else output)

    def _fetch(self, request: PageRequest, session: Session) -> FetchedPage | DeadLetter:
        try:
            if is_url(request.uri):
                page = fetch_page(request, session=session, limits=self._limits)
            else:
                page = read_page_file(request, open_file=open_any_file, limits=self._limits)
        except PageError as error:
            return dead_letter(error, uri=request.uri, source=request.source, failed_at=utc_now())
        progress.add("pages fetched")
        return page


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
        """Outputs: ``splits``, ``dead`` and ``counts``."""
        split = beam.ParDo(_SplitPage(self.timezone))
        return pages | split.with_outputs(DEAD, COUNTS, main="splits")


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
