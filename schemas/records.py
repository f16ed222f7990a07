"""The frozen records that travel between stages, in the order a page meets them.

Publisher -> DiscoveredPage -> PageRequest -> FetchedPage -> Page
-> SplitPage (Page + Entry...) -> EntryRow,
with a DeadLetter instead wherever a page or an entry is lost on the way.

All datetimes are aware and in UTC. All text is plain text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - read by whoever decodes records
from typing import Literal, get_args

from schemas.ids import stable_id

TimeSource = Literal["dom", "json_ld", "microdata", "text", "page", "fetch"]
"""Where an entry's published_at came from, as the contract lists it."""


SourceKind = Literal["input", "url", "urls", "feed", "sitemap", "warc"]
SOURCE_KINDS: tuple[SourceKind, ...] = get_args(SourceKind)


@dataclass(frozen=True, slots=True)
class Source:
    """One source as the user named it.

    kind: ``input`` (a file, folder or pattern), ``url``, ``urls`` (a file of
        addresses, one a line, ``#`` for comments), ``feed`` or ``sitemap``
        (addresses, too), or ``warc`` (an archive or a pattern of them).
    """

    kind: SourceKind
    locator: str

    @property
    def label(self) -> str:
        """The provenance that its rows carry."""
        return f"{self.kind}:{self.locator}"


@dataclass(frozen=True, slots=True)
class KnownPage:
    """What an earlier run learnt of a page.

    etag, last_modified: what the server gave to ask again with, as it gave them.
    is_live_blog: whether the page is worth coming back to.
    """

    uri: str
    etag: str | None
    last_modified: str | None
    is_live_blog: bool
    fetched_at: datetime

    @property
    def date(self) -> str:
        """The partition: YYYY-MM-DD of the fetch in UTC."""
        return self.fetched_at.date().isoformat()


@dataclass(frozen=True, slots=True)
class Publisher:
    """What ``sources.yaml`` says of one publisher.

    domain: the registered domain, lower case; its pages are known by it.
    feeds, sitemaps, urls: absolute http(s) addresses.
    timezone: IANA name for clocks that name no zone; language: BCP 47.
    delay_s: between two requests to one of its hosts, None for the run's own.
    topic: the slug of everything it publishes, None if that varies.
    topics: pairs of a section or a part of an address, and the slug it means.
    """

    name: str
    domain: str
    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    timezone: str | None = None
    language: str | None = None
    delay_s: float | None = None
    topic: str | None = None
    topics: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One page that a source asks for.

    uri: an http(s) URL, or the path of a file as the source named it.
    role: what it is asked for as; a feed or a sitemap leads to pages, an
        archive has it already.
    depth: how many sitemaps led to it.
    source: provenance as ``kind:locator``, such as ``input:pages/*.html``.
    page_url: the page's public address where the caller knows it better than
        the file does (``split PAGE --url URL``).
    known: what an earlier run learnt of it, None at the first visit.
    changed_at: when it changed, as the feed or sitemap that named it says.
    published_at: when it was published, as the feed that named it says.
    redirected_to: where to ask instead of at uri, None before any redirect.
    redirects: how many redirects led there.
    continues: the page_url of the live blog whose older entries it holds.
    categories: what the feed or sitemap that named it says it is about.
    """

    uri: str
    source: str
    page_url: str | None = None
    known: KnownPage | None = None
    redirected_to: str | None = None
    redirects: int = 0
    continues: str | None = None
    categories: tuple[str, ...] = ()
    changed_at: datetime | None = None
    published_at: datetime | None = None
    role: Literal["page", "feed", "sitemap", "archive"] = "page"
    depth: int = 0

    @property
    def address(self) -> str:
        """Where to ask."""
        return self.redirected_to or self.uri


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """The bytes of one page, as they came.

    url: the address after redirects; None for a file of unknown address.
    content: the body, decompressed, within the size limit.
    content_type: the Content-Type header, None where there is none.
    fetched_at: when the bytes were received; for a file its modification time.
    etag, last_modified: what to ask the server with next time, None if nothing.
    """

    request: PageRequest
    url: str | None
    content: bytes
    content_type: str | None
    fetched_at: datetime
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class NotModified:
    """A page that has not changed since an earlier run: nothing to parse."""

    request: PageRequest


@dataclass(frozen=True, slots=True)
class Redirected:
    """A page that is elsewhere: the request, with where to ask next."""

    request: PageRequest


@dataclass(frozen=True, slots=True)
class Visit:
    """What asking for a page, a feed or a sitemap came to; also when it failed.

    request: as it was asked for. delay_s: what its host wants between two
        requests. not_modified: it has not changed since ``request.known``.
    etag, last_modified: what to ask with next time, None if nothing is known.
    digest: of the addresses that a feed or a sitemap names; None for a page.
    """

    request: PageRequest
    delay_s: float
    visited_at: datetime
    not_modified: bool = False
    etag: str | None = None
    last_modified: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a page of the web was found to be: what to know when it is asked for again.

    known: what was known before, None at the first visit.
    digest: of its entries; the same digest means that nothing is new.
    newest_at: the latest time of an entry, not after the fetch; None if unknown.
    ends_at: when the coverage ends, as the page says.
    """

    page: KnownPage
    known: KnownPage | None
    digest: str
    newest_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class DiscoveredPage:
    """One page that a feed or a sitemap points at.

    url: absolute http(s), without fragment and tracking, fit to be fetched.
    changed_at: when the page was last changed, else when it was published; the
        first moment it can mean where only a day, a month or a year is given.
    categories: sections, keywords or tags, as they were written.
    language: as a news sitemap names it, None elsewhere.
    published_at: as a feed names it, None elsewhere.
    """

    url: str
    title: str | None
    changed_at: datetime | None
    categories: tuple[str, ...]
    language: str | None = None
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeclaredTopic:
    """One hint about its topic that a page gives of itself.

    source: article_section, meta_section, url_path, breadcrumb, feed_category
        or keywords; publisher where ``sources.yaml`` says it.
    value: the hint as the page wrote it, such as "Football"; of a publisher
        the slug of the topic itself.
    """

    source: str
    value: str


@dataclass(frozen=True, slots=True)
class Page:
    """A decoded page and what it says of itself.

    uri: the page as its source named it.
    page_url: the canonical URL; for a file of unknown address its file URI.
    publisher: the registered domain of page_url, None for a file without one.
    media: "html" when markup is HTML, "text" when it is plain text.
    markup: the whole document, in UTF-8.
    language: BCP 47, None if unknown.
    authors, published_at, updated_at: of the page as a whole.
    declared_topics: strongest evidence first.
    etag, last_modified: what to ask the server with next time, None if nothing.
    known: what an earlier run learnt of the page.
    timezone: IANA name for clocks that name no zone, None if nobody told.
    is_asked_again: whether later runs may ask for it at the same address.
    ends_at: when a live blog says that its coverage ends.
    """

    uri: str
    page_url: str
    publisher: str | None
    media: Literal["html", "text"]
    markup: bytes
    title: str | None
    language: str | None
    authors: tuple[str, ...]
    published_at: datetime | None
    updated_at: datetime | None
    declared_topics: tuple[DeclaredTopic, ...]
    tags: tuple[str, ...]
    fetched_at: datetime
    source: str
    etag: str | None = None
    last_modified: str | None = None
    known: KnownPage | None = None
    timezone: str | None = None
    is_asked_again: bool = False
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a live blog, or an ordinary article as its single entry.

    body: plain text, paragraphs separated by a blank line; may be empty when
        the entry is only a picture or an embedded post.
    entry_url: permalink, None where the page gives none.
    position: place on the page, 0 = first shown.
    split_by: the strategy that found it, such as ``json_ld`` or ``dom``.
    """

    entry_id: str
    headline: str | None
    body: str
    authors: tuple[str, ...]
    published_at: datetime | None
    updated_at: datetime | None
    time_source: TimeSource | None
    entry_url: str | None
    position: int
    is_key_event: bool
    split_by: str
    tags: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SplitPage:
    """A page taken apart: its entries in the order they are shown."""

    page: Page
    is_live_blog: bool
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class TopicChoice:
    """The topic of a page and why.

    topic: a slug of ``schemas.topics``; qcode is None when unclassified.
    source: the kind of evidence that decided, None when unclassified.
    score: 0..1, how sure.
    evidence: the very value or terms that decided.
    """

    topic: str
    qcode: str | None
    source: str | None
    score: float
    evidence: str | None


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One row of ``entries/``: the columns of the contract, in their order,
    then the two partitions.

    date: YYYY-MM-DD of publication in UTC, of the fetch where unknown; a
        revision keeps the date of revision 0.
    """

    entry_id: str
    revision: int
    page_url: str
    entry_url: str | None
    publisher: str | None
    page_title: str | None
    headline: str | None
    body: str
    authors: tuple[str, ...]
    published_at: datetime | None
    updated_at: datetime | None
    time_source: TimeSource | None
    position: int
    is_live_blog: bool
    is_key_event: bool
    language: str | None
    topic_qcode: str | None
    topic_source: str | None
    topic_score: float
    topic_evidence: str | None
    tags: tuple[str, ...]
    links: tuple[str, ...]
    images: tuple[str, ...]
    split_by: str
    content_hash: str
    cluster_id: str
    fetched_at: datetime
    run_id: str
    source: str
    date: str
    topic: str


DEDUP_WINDOW_DAYS = 7
"""How far apart two rows are published at most that tell the same, if nobody says otherwise."""

DuplicateKind = Literal["exact", "near", "contained"]


@dataclass(frozen=True, slots=True)
class DuplicateRow:
    """A row removed as a duplicate, whole, and what it duplicates.

    duplicate_of: entry_id of the survivor.
    duplicate_kind: ``exact`` (the same text), ``near`` (an edited copy), or
        ``contained`` (stands whole within the survivor).
    duplicate_score: 0..1, 1 for an exact copy; the shingles shared, of both
        texts together if ``near``, of the removed one if ``contained``.
    """

    row: EntryRow
    duplicate_of: str
    duplicate_kind: DuplicateKind
    duplicate_score: float


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """What later runs must know of a row of ``entries`` or ``duplicates``.

    text_key: rows with the same key tell the same; None for one without words.
    duplicate_of: None when the row itself was kept.
    alias_of: a cluster that proved to be the same as cluster_id, None as a rule.
    is_time_known: whether published_at is known and plausible.
    rank: place in the order of survivors, the lower the better.
    page_key: of page_url, 64 bits; entries of one page are no edited copies.
    text_hash: of the words compared, 0 for a text too short for more than text_key.
    keys, shingles, numbers, names: the signature, little-endian 64-bit (keys)
        and 32-bit hashes; empty where near-duplicates were not looked for.
    sig_version: of the signature.
    """

    entry_id: str
    revision: int
    content_hash: str
    text_key: str | None
    cluster_id: str
    duplicate_of: str | None
    published_at: datetime | None
    date: str
    topic: str
    alias_of: str | None = None
    is_time_known: bool = False
    rank: int = 0
    page_key: int = 0
    text_hash: int = 0
    keys: bytes = b""
    shingles: bytes = b""
    numbers: bytes = b""
    names: bytes = b""
    sig_version: int = 0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What failed, where, why and from which input.

    code: a short stable code of ``schemas.errors``.
    stage: the stage that gave up: sources, fetch, extract or split.
    uri: the page as its source named it.
    detail: one line for a person, never needed to tell cases apart.
    """

    code: str
    stage: str
    uri: str
    source: str
    detail: str
    failed_at: datetime
    page_url: str | None = None

    @property
    def dead_letter_id(self) -> str:
        """One page failing for one reason on one day is one fact."""
        return stable_id("dead_letter", self.code, self.uri, self.date)

    @property
    def date(self) -> str:
        """The partition: YYYY-MM-DD of the failure in UTC."""
        return self.failed_at.date().isoformat()
