"""Feeds: the pages that an RSS, Atom or JSON feed points at. No Beam here."""

from __future__ import annotations

import html
import io
import json
import re
from calendar import timegm
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

import feedparser
from w3lib.encoding import http_content_type_encoding, read_bom, resolve_encoding
from w3lib.html import remove_tags

from schemas.errors import SourceError
from schemas.records import DiscoveredPage
from transforms.addresses import page_address
from transforms.markup import NO_ENCODINGS, parse_iso_time

if TYPE_CHECKING:
    from collections.abc import Iterator

_DECLARATION = re.compile(r"\s*<\?xml\b[^>]{0,500}\?>")
_DECLARED_ENCODING = re.compile(rb"^\s*<\?xml\b[^>]{0,400}?\bencoding\s*=\s*[\"']([\w.:-]{1,40})")
_DEPTH_MAX = 200
_LOOSE_CHARS_MAX = 1024 * 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What feedparser's date handlers and its parser for broken markup are seen to let out.
_FEEDPARSER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Feed:
    """What a feed points at, in its own order.

    dropped: items that lead to no http(s) page.
    """

    pages: tuple[DiscoveredPage, ...]
    dropped: int


def read_feed(content: bytes, url: str, content_type: str | None) -> Feed:
    """The pages of an RSS 0.9x, 1.0 or 2.0, Atom 0.3 or 1.0, or JSON Feed 1 or 1.1.

    content: the body, decompressed. url: where it came from, for relative links.

    A feed that is not well-formed is read as far as it goes, up to 2**20
    characters; more is refused, because reading on takes feedparser seconds a
    megabyte. The address that a feed proxy stands in for comes before the proxy's.

    Raises SourceError feed_broken when it is no feed, is nested beyond reason,
    or declares entities: what they blow up to has no bound.
    Source: https://www.rssboard.org/rss-specification, https://www.rfc-editor.org/rfc/rfc4287,
    https://www.jsonfeed.org/version/1.1/
    """
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        found = list(_json_pages(content, url))
    else:
        found = list(_xml_pages(_document(content, content_type), url))
    pages = tuple(page for page in found if page)
    return Feed(pages, len(found) - len(pages))


def _json_pages(content: bytes, url: str) -> Iterator[DiscoveredPage | None]:
    try:
        feed = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SourceError("feed_broken", f"no JSON: {error}") from error
    items = feed.get("items")
    if "jsonfeed.org/version/1" not in str(feed.get("version")) or not isinstance(items, list):
        raise SourceError("feed_broken", "JSON, but no JSON Feed of version 1 or 1.1")
    for item in items:
        fields = item if isinstance(item, dict) else {}
        tags = fields.get("tags")
        yield _page(
            page_address(fields.get("url"), url) or page_address(_absolute(fields.get("id"))),
            fields.get("title"),
            parse_iso_time(fields.get("date_modified"), UTC),
            parse_iso_time(fields.get("date_published"), UTC),
            tags if isinstance(tags, list) else [],
        )


def _absolute(value: object) -> str | None:
    """An id that is an address; a bare word would resolve against the feed's own."""
    return value if isinstance(value, str) and "://" in value else None


def _xml_pages(document: str, url: str) -> Iterator[DiscoveredPage | None]:
    _refuse_bombs(document)
    try:
        feed = feedparser.parse(
            # A stream: feedparser would open bytes that name a file.
            io.BytesIO(document.encode("utf-8", "replace")),
            response_headers={
                "content-location": url,
                "content-type": "application/xml; charset=utf-8",
            },
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except _FEEDPARSER_ERRORS as error:
        raise SourceError("feed_broken", f"{type(error).__name__}: {error}") from error
    if not feed.get("version") and not feed.entries:
        raise SourceError("feed_broken", "neither RSS nor Atom nor JSON Feed")
    for item in feed.entries:
        found = [item.get("feedburner_origlink"), item.get("link"), _absolute(item.get("id"))]
        yield _page(
            next((address for link in found if (address := page_address(link, url))), None),
            _plain(item),
            _moment(item, "updated_parsed"),
            _moment(item, "published_parsed"),
            [tag.get("label") or tag.get("term") for tag in item.get("tags", ())],
        )


def _page(
    address: str | None,
    title: object,
    changed_at: datetime | None,
    published_at: datetime | None,
    categories: list[Any],
) -> DiscoveredPage | None:
    if address is None:
        return None
    words = (_tidy(category) for category in categories)
    return DiscoveredPage(
        address,
        _tidy(title),
        changed_at or published_at,
        tuple(dict.fromkeys(word for word in words if word)),
        published_at=published_at,
    )


def _tidy(text: object) -> str | None:
    """White space collapsed; lone surrogates, which no file can hold, replaced."""
    if not isinstance(text, str):
        return None
    return " ".join(text.split()).encode("utf-8", "replace").decode() or None


def _plain(item: Any) -> str | None:
    title = item.get("title")
    if title and item.get("title_detail", {}).get("type") != "text/plain":
        return html.unescape(remove_tags(title))
    return title if isinstance(title, str) else None


def _moment(item: Any, name: str) -> datetime | None:
    if name not in item:  # get() would fall back from updated to published, with a warning
        return None
    try:
        return _EPOCH + timedelta(seconds=timegm(item[name])) if item[name] else None
    except (ValueError, OverflowError):
        return None


def _document(content: bytes, content_type: str | None) -> str:
    """The text of an XML document, without its XML declaration.

    By byte order mark, Content-Type header, XML declaration; UTF-8, else
    windows-1252, where these are missing or wrong.
    """
    bom_encoding, bom = read_bom(content)
    declared = _DECLARED_ENCODING.match(content)
    names = [
        bom_encoding,
        http_content_type_encoding(content_type),
        resolve_encoding(declared[1].decode()) if declared else None,
        "utf-8",
    ]
    for name in names:
        if name and name.replace("_", "-") not in NO_ENCODINGS:
            try:
                text = content[len(bom or b"") :].decode(name)
            except (ValueError, LookupError):
                continue
            return _DECLARATION.sub("", text, count=1)
    return _DECLARATION.sub("", content.decode("windows-1252", "replace"), count=1)


def _refuse_bombs(document: str) -> None:
    """Refuse what takes a parser more time or memory than its size suggests."""
    lower = document.lower()
    doctype = lower.find("<!doctype")
    if doctype >= 0 and (
        lower.find("<!entity", doctype) >= 0 or lower.find("<!attlist", doctype) >= 0
    ):
        raise SourceError("feed_broken", "it declares entities or default attributes of its own")
    depth = depth_max = 0

    def opened(*_: object) -> None:
        nonlocal depth, depth_max
        depth += 1
        depth_max = max(depth, depth_max)

    def closed(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    try:
        parser.Parse(document.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        if len(document) > _LOOSE_CHARS_MAX:
            raise SourceError("feed_broken", f"large and not well-formed: {error}") from error
    if depth_max > _DEPTH_MAX:
        raise SourceError("feed_broken", f"elements nested deeper than {_DEPTH_MAX}")
