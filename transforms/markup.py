"""One parse of a page, shared by the stages that read it one after the other."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from selectolax.lexbor import LexborHTMLParser

from schemas.errors import ExtractError

if TYPE_CHECKING:
    from collections.abc import Iterator

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
_TAG = re.compile(r"<(/?)([a-z][a-z0-9-]*)", re.IGNORECASE)
_TAG_START = re.compile(r"<[a-z]", re.IGNORECASE)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
# Elements without content, or whose end tag may be left out.
_NEVER_DEEP = frozenset(
    {
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param",
        "source", "track", "wbr", "path", "circle", "rect", "use", "line", "polygon",
        "polyline", "ellipse", "stop", "image", "html", "head", "body", "p", "li", "dt", "dd",
        "option", "optgroup", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup",
        "caption", "rt", "rp",
    }
)  # fmt: skip
_COMMENT = re.compile(r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[)|(?:-->|//\s*\]\]>|\]\]>)\s*$")
_LONE_SURROGATE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")


@lru_cache(maxsize=1)
def parse_html(markup: str) -> LexborHTMLParser:
    """The HTML5 tree of a document; the last one is kept for the next stage.

    The tree is shared: callers read it and never change it.

    Raises ExtractError page_too_complex where parsing would take quadratic time.
    """
    if markup.count("<") > _TAGS_HARMLESS and _depth(markup) > DEPTH_MAX:
        detail = f"elements are nested more than {DEPTH_MAX} deep"
        raise ExtractError("page_too_complex", detail)
    if _attributes(markup) > ATTRIBUTES_MAX:
        detail = f"an element has more than {ATTRIBUTES_MAX} attributes"
        raise ExtractError("page_too_complex", detail)
    return LexborHTMLParser(markup)


def _depth(markup: str) -> int:
    depth = deepest = 0
    for tag in _TAG.finditer(markup):
        if tag[2].lower() not in _NEVER_DEEP:
            depth = max(depth + (-1 if tag[1] else 1), 0)
            deepest = max(deepest, depth)
    return deepest


def _attributes(markup: str) -> int:
    """The most attributes of any element whose tag is long enough to matter."""
    most = 0
    for piece in markup.split(">"):
        if len(piece) > _TAG_HARMLESS_CHARS and (start := _TAG_START.search(piece)):
            most = max(most, len(_QUOTED.sub("", piece[start.start() :]).split()))
    return most


@lru_cache(maxsize=1)
def json_ld_nodes(markup: str) -> tuple[dict[str, Any], ...]:
    """The top-level JSON-LD objects of a page, ``@graph`` and arrays unfolded.

    Scripts that are no JSON even after the usual mistakes are mended (comment
    marks, raw newlines, trailing commas) are left out.
    """
    nodes: list[dict[str, Any]] = []
    for script in parse_html(markup).css('script[type*="ld+json"]'):
        waiting = [lenient_json(script.text())]
        while waiting:
            value = waiting.pop()
            if isinstance(value, list):
                waiting += reversed(value)
            elif isinstance(value, dict):
                graph = value.get("@graph")
                if isinstance(graph, list):
                    waiting += reversed(graph)
                if graph is None or "@type" in value:
                    nodes.append(value)
    return tuple(nodes)


def lenient_json(text: str) -> Any:
    """JSON as publishers write it; None if it is none even after mending.

    Halves of surrogate pairs, which no file can hold, become U+FFFD.
    """
    for candidate in _candidates(without_lone_surrogates(text)):
        try:
            return json.loads(candidate, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def without_lone_surrogates(text: str) -> str:
    """JSON text whose escapes name no half of a pair; a half becomes U+FFFD."""
    return _LONE_SURROGATE.sub(r"\\ufffd", text) if "\\ud" in text.lower() else text


def _candidates(text: str) -> Iterator[str]:
    yield text
    bare = _COMMENT.sub("", _COMMENT.sub("", text)).strip().rstrip(";")
    yield bare
    yield _TRAILING_COMMA.sub("", bare)


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
