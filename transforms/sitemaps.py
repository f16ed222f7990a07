"""Sitemaps: the pages and the further sitemaps that one names. No Beam here."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from lxml import etree

from schemas.errors import SourceError
from schemas.records import DiscoveredPage
from transforms.addresses import page_address

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESSES_MAX = 50_000
"""In one sitemap. Source: https://www.sitemaps.org/protocol.html"""

_BARE_AMPERSAND = re.compile(rb"&(?!#?\w{1,32};)")
_MOMENT = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:[T ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,12}))?)?"
    r" ?(?P<zone>Z|[+-]\d\d:?\d\d)?)?)?)?",
    re.ASCII | re.IGNORECASE,
)
_WESTERNMOST_ZONE = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What one sitemap names, in its own order.

    children: addresses of the sitemaps that an index names.
    too_old: pages and children that were last changed before ``since``.
    invalid: pages and children without an http(s) address, and one for a file
        that breaks off.
    over: pages and children past the first 50,000, which are not read.
    """

    children: tuple[str, ...]
    pages: tuple[DiscoveredPage, ...]
    too_old: int
    invalid: int
    over: int


def read_sitemap(content: bytes, url: str, since: datetime | None = None) -> Sitemap:
    """A sitemap index, a sitemap with or without the news extension, or a list of addresses.

    content: the body, decompressed. url: where it came from.
    since: drops what has a date and only earlier ones. A day, a month or a year
        counts until its end, without a zone until its end in the westernmost one.

    A file that breaks off is read up to there, a bare ampersand taken as one.

    Raises SourceError sitemap_broken when it is no sitemap, or declares entities.
    Source: https://www.sitemaps.org/protocol.html,
    https://developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap
    """
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] in {b"<", b"\xff", b"\xfe", b"\0"}:
        _refuse_declarations(content)
        found = _parsed(start, url, since)
        mended = _BARE_AMPERSAND.sub(b"&amp;", start) if found.broken else start
        if mended != start:
            found = _parsed(mended, url, since)
        if found.broken and not found.read:
            raise SourceError("sitemap_broken", found.broken)
        found.invalid += bool(found.broken)
    else:
        found = _listed(start, url)
    return Sitemap(
        tuple(dict.fromkeys(found.children)),
        tuple(found.pages),
        found.too_old,
        found.invalid,
        max(found.read - ADDRESSES_MAX, 0),
    )


@dataclass(slots=True)
class _Found:
    url: str
    since: datetime | None = None
    children: list[str] = field(default_factory=list)
    pages: list[DiscoveredPage] = field(default_factory=list)
    too_old: int = 0
    invalid: int = 0
    read: int = 0
    broken: str | None = None

    def take(self, element: Any) -> None:
        """One ``<url>`` or ``<sitemap>``."""
        self.read += 1
        if self.read > ADDRESSES_MAX:
            return
        texts = dict(_texts(element))
        address = _address(texts.get("loc"), self.url)
        moments = [
            moment
            for name in ("lastmod", "publication_date")
            if (moment := read_moment(texts.get(name, "")))
        ]
        if address is None:
            self.invalid += 1
        elif self.since and moments and max(last for _, last in moments) < self.since:
            self.too_old += 1
        elif _name(element) == "sitemap":
            self.children.append(address)
        else:
            words = (" ".join(word.split()) for word in texts.get("keywords", "").split(","))
            self.pages.append(
                DiscoveredPage(
                    url=address,
                    title=" ".join(texts.get("title", "").split()) or None,
                    changed_at=moments[0][0] if moments else None,
                    categories=tuple(dict.fromkeys(word for word in words if word)),
                    language=texts.get("language") or None,
                )
            )


def _parsed(content: bytes, url: str, since: datetime | None) -> _Found:
    """What an XML sitemap names, up to where it breaks.

    Raises SourceError when the document is something else.
    """
    found = _Found(url, since)
    events = etree.iterparse(
        io.BytesIO(content),
        events=("end",),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        for _, element in events:
            parent = element.getparent()
            if parent is None:
                _check_root(element)
            elif parent.getparent() is None:
                _check_root(parent)
                if _name(element) in {"url", "sitemap"}:
                    found.take(element)
                element.clear(keep_tail=False)
                while element.getprevious() is not None:  # so that memory does not grow
                    del parent[0]
    except etree.XMLSyntaxError as error:
        found.broken = str(error)
    return found


def _listed(content: bytes, url: str) -> _Found:
    """A sitemap of plain text, one address a line."""
    found = _Found(url)
    for line in content.split(b"\n"):
        if not line.strip():
            continue
        found.read += 1
        if found.read > ADDRESSES_MAX:
            continue
        address = page_address(line.decode("utf-8", "replace"))
        if address is None:
            found.invalid += 1
        else:
            found.pages.append(DiscoveredPage(address, None, None, ()))
    if not found.pages:
        raise SourceError("sitemap_broken", "neither XML nor a list of addresses")
    return found


def _refuse_declarations(content: bytes) -> None:
    plain = content.replace(b"\0", b"").lower()  # UTF-16 and UTF-32 hide ASCII between NULs
    doctype = plain.find(b"<!doctype")
    if (
        doctype >= 0
        and max(plain.find(b"<!entity", doctype), plain.find(b"<!attlist", doctype)) > 0
    ):
        raise SourceError("sitemap_broken", "it declares entities or attributes of its own")


def _check_root(root: Any) -> None:
    name = _name(root)
    if name in {"rss", "feed", "RDF"}:
        raise SourceError("sitemap_broken", "a feed, not a sitemap (--feed)")
    if name not in {"urlset", "sitemapindex"}:
        raise SourceError("sitemap_broken", f"its root is {name!r}, not urlset or sitemapindex")


def _name(element: Any) -> str:
    return _split_name(element)[1]


def _split_name(element: Any) -> tuple[str, str]:
    """Namespace and local name; a prefix that nobody declared stands for its namespace."""
    prefix, _, name = element.tag.rpartition("}")
    unbound, _, name = name.rpartition(":")
    return prefix or unbound, name


def _texts(element: Any) -> Iterator[tuple[str, str]]:
    """The protocol's own children by local name, and those of the news extension.

    Images and videos have a loc and a title too, so only these count.
    """
    own, _ = _split_name(element)
    for child in element.iterchildren("{*}*"):
        namespace, name = _split_name(child)
        if namespace == own and name in {"loc", "lastmod"}:
            yield name, _text(child)
        elif name == "news":
            for part in child.iterchildren("{*}*"):
                yield _name(part), _text(part)
                if _name(part) == "publication":
                    yield from (
                        ("language", _text(one)) for one in part.iterchildren("{*}language")
                    )


def _text(element: Any) -> str:
    # An element inside, such as an entity that is not resolved, would cut the text short.
    return "" if len(element) else (element.text or "").strip()


def _address(text: str | None, url: str) -> str | None:
    """The protocol wants absolute addresses; of others only those from the root are clear."""
    return page_address(text, url if text and text.startswith("/") else None)


def read_moment(text: str) -> tuple[datetime, datetime] | None:
    """The first and the last moment in UTC that a W3C date or time can mean; None if it is none.

    The first takes UTC where no zone is named, the last the westernmost zone.
    Source: https://www.w3.org/TR/NOTE-datetime
    """
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day = int(match["year"]), int(match["month"] or 1), int(match["day"] or 1)
    try:
        first = datetime(
            year,
            month,
            day,
            int(match["hour"] or 0),
            int(match["minute"] or 0),
            min(int(match["second"] or 0), 59),  # 60 is a leap second
            int((match["fraction"] or "")[:6].ljust(6, "0")),
            _zone(match["zone"]),
        ).astimezone(UTC)
        if match["hour"]:
            last = first
        elif match["day"]:
            last = first + timedelta(days=1)
        elif match["month"]:
            last = first.replace(year=year + month // 12, month=month % 12 + 1)
        else:
            last = first.replace(year=year + 1)
        return first, last if match["zone"] else last + _WESTERNMOST_ZONE
    except (ValueError, OverflowError):
        return None


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text.startswith("-") else offset)
