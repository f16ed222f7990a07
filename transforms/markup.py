"""One parse of a page, shared by the stages that read it one after the other."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from selectolax.lexbor import LexborHTMLParser

from schemas.errors import ExtractError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DEPTH_MAX = 1_000
"""Elements nested deeper than this are an attack, not a page (real pages: under 40).

An HTML5 parser walks up the open elements at each new block, so that depth
costs quadratic time: 80,000 nested <div> took 14 s.
"""

ATTRIBUTES_MAX = 10_000
"""So many attributes on one element, too: each is compared with all before it."""

NO_ENCODINGS = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape", "utf-7"})
"""Codecs of Python that are no encoding of documents; punycode takes quadratic time."""

_TAGS_HARMLESS = 10_000  # with fewer tags than this even the worst nesting parses in 0.2 s
_TAG_HARMLESS_CHARS = 64 * 1024
_TAG = re.compile(rb"<(/?)([a-z][a-z0-9-]*)", re.IGNORECASE)
_TAG_START = re.compile(rb"<[a-z]", re.IGNORECASE)
_QUOTED = re.compile(rb"\"[^\"]*\"|'[^']*'")
# Elements without content, or whose end tag may be left out.
_NEVER_DEEP = frozenset(
    b"area base br col embed hr img input link meta param source track wbr path circle rect use "
    b"line polygon polyline ellipse stop image html head body p li dt dd option optgroup tr td th "
    b"thead tbody tfoot colgroup caption rt rp".split()
)
_COMMENT = re.compile(r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[)|(?:-->|//\s*\]\]>|\]\]>)\s*$")
_COMMENT_LINE = re.compile(
    r"^[^\S\n]*+(?://[^\n]*|/\*[^*]{0,2000}\*/|<!--[^\n]*|-->|<!\[CDATA\[|//<!\[CDATA\[|\]\]>|//\]\]>)"
    r"[^\S\n]*+$",
    re.MULTILINE,
)
_LONE_SURROGATE = re.compile(
    r"\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|[c-fC-F][0-9a-fA-F]{2}(?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}))"
)
_TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")


@dataclass(slots=True)
class _Parsed:
    """The last page, with what was read from it so far."""

    markup: bytes
    tree: LexborHTMLParser
    json_ld: tuple[str, ...] | None = None
    nodes: tuple[dict[str, Any], ...] | None = None


_last = _Parsed(b"", LexborHTMLParser(b""))


def parse_html(markup: bytes) -> LexborHTMLParser:
    """The HTML5 tree of a document in UTF-8; the last one is kept for the next stage.

    The tree is shared: callers read it and never change it.

    Raises ExtractError page_too_complex where parsing would take quadratic time.
    """
    return _parsed(markup).tree


def _parsed(markup: bytes) -> _Parsed:
    global _last  # noqa: PLW0603 - one slot; compared, not hashed: a hash reads the whole page
    last = _last
    if last.markup is markup or last.markup == markup:
        return last
    # numpy counts a byte several times as fast as bytes.count
    tags = np.count_nonzero(np.frombuffer(markup, np.uint8) == ord("<"))
    if tags > _TAGS_HARMLESS and _depth(markup) > DEPTH_MAX:
        detail = f"elements are nested more than {DEPTH_MAX} deep"
        raise ExtractError("page_too_complex", detail)
    if _attributes(markup) > ATTRIBUTES_MAX:
        detail = f"an element has more than {ATTRIBUTES_MAX} attributes"
        raise ExtractError("page_too_complex", detail)
    _last = last = _Parsed(markup, LexborHTMLParser(markup))
    return last


def _depth(markup: bytes) -> int:
    depth = deepest = 0
    for tag in _TAG.finditer(markup):
        closes, name = tag.groups()
        if name in _NEVER_DEEP or (not name.islower() and name.lower() in _NEVER_DEEP):
            continue
        if closes:
            depth -= depth > 0
        else:
            depth += 1
            if depth > deepest:
                deepest = depth
                if deepest > DEPTH_MAX:
                    break
    return deepest


def _attributes(markup: bytes) -> int:
    """The most attributes of any element whose tag is long enough to matter.

    Looks backwards from one harmless length to the next, so that it reads little of a page.
    """
    most = 0
    at, size = 0, len(markup)
    while at + _TAG_HARMLESS_CHARS < size:
        closes = markup.rfind(b">", at, at + _TAG_HARMLESS_CHARS)
        if closes < 0:
            closes = markup.find(b">", at + _TAG_HARMLESS_CHARS)
            closes = size if closes < 0 else closes
            start = _TAG_START.search(markup, at, closes)
            if start:
                most = max(most, len(_QUOTED.sub(b"", markup[start.start() : closes]).split()))
        at = closes + 1
    return most


def json_ld_texts(markup: bytes) -> tuple[str, ...]:
    """What stands in the JSON-LD scripts of a page."""
    page = _parsed(markup)
    if page.json_ld is None:
        scripts = page.tree.css('script[type*="ld+json"]')
        page.json_ld = tuple(script.text() for script in scripts)
    return page.json_ld


def json_ld_nodes(markup: bytes) -> tuple[dict[str, Any], ...]:
    """The top-level JSON-LD objects of a page, ``@graph`` and arrays unfolded.

    Scripts that are no JSON even after the usual mistakes are mended (comment
    marks, raw newlines, trailing commas) are left out.
    """
    page = _parsed(markup)
    if page.nodes is None:
        page.nodes = tuple(_unfolded(map(lenient_json, json_ld_texts(markup))))
    return page.nodes


def _unfolded(values: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for one in values:
        waiting = [one]
        while waiting:
            value = waiting.pop()
            if isinstance(value, list):
                waiting += reversed(value)
            elif isinstance(value, dict):
                graph = value.get("@graph")
                if isinstance(graph, list):
                    waiting += reversed(graph)
                if graph is None or "@type" in value:
                    yield value


def lenient_json(text: str) -> Any:
    """JSON as publishers write it; None if it is none even after mending.

    Halves of surrogate pairs, which no file can hold, become U+FFFD.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass  # too strict, or rightly so; halves of pairs it refuses
    for candidate in _candidates(without_lone_surrogates(text)):
        try:
            return json.loads(candidate, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def without_lone_surrogates(text: str) -> str:
    """JSON text whose escapes name no half of a pair; a half becomes U+FFFD."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return _LONE_SURROGATE.sub(r"\\ufffd", text)


def without_comments(text: str) -> str:
    """JSON text without the lines that are comments, which JSON does not know."""
    return _COMMENT_LINE.sub("", text)


def _candidates(text: str) -> Iterator[str]:
    yield text
    bare = _COMMENT.sub("", _COMMENT.sub("", text)).strip().rstrip(";")
    yield bare
    yield _TRAILING_COMMA.sub("", bare)
    without = without_comments(text).strip().rstrip(";")
    if without != bare:
        yield _TRAILING_COMMA.sub("", without)


def json_ld_types(node: dict[str, Any]) -> frozenset[str]:
    """The ``@type`` of a node as a set, without any namespace."""
    declared = node.get("@type")
    types = declared if isinstance(declared, list) else [declared]
    return frozenset(str(one).rpartition("/")[2] for one in types if one)


def parse_iso_time(text: object, zone: tzinfo | None) -> datetime | None:
    """ISO 8601 text in UTC; None when it is none, or names no zone and none is given."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if found.tzinfo is None:
        if zone is None or len(text.strip()) <= 10:
            return None
        found = found.replace(tzinfo=zone)
    try:
        return found.astimezone(UTC)
    except OverflowError:
        return None
