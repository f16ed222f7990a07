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
"""Blocks nested deeper than this are an attack, not a page (real pages: under 40).

An HTML5 parser walks up the open blocks at each new one, so that depth costs
quadratic time: 80,000 nested <div> took 14 s.
"""

_TAGS_HARMLESS = 10_000  # with fewer tags than this even the worst nesting parses in 0.2 s
_BLOCK_TAG = re.compile(
    r"<(/?)(?:address|article|aside|blockquote|center|details|dialog|dir|div|dl|fieldset|"
    r"figcaption|figure|footer|form|header|hgroup|listing|main|menu|nav|ol|pre|"
    r"search|section|summary|table|ul)(?=[\s>/])",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[)|(?:-->|//\s*\]\]>|\]\]>)\s*$")
_TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")


@lru_cache(maxsize=1)
def parse_html(markup: str) -> LexborHTMLParser:
    """The HTML5 tree of a document; the last one is kept for the next stage.

    The tree is shared: callers read it and never change it.

    Raises ExtractError page_too_deep where parsing would take quadratic time.
    """
    if markup.count("<") > _TAGS_HARMLESS and _depth(markup) > DEPTH_MAX:
        raise ExtractError("page_too_deep", f"blocks are nested more than {DEPTH_MAX} deep")
    return LexborHTMLParser(markup)


def _depth(markup: str) -> int:
    depth = deepest = 0
    for tag in _BLOCK_TAG.finditer(markup):
        depth += -1 if tag[1] else 1
        deepest = max(deepest, depth)
        depth = max(depth, 0)
    return deepest


@lru_cache(maxsize=1)
def json_ld_nodes(markup: str) -> tuple[dict[str, Any], ...]:
    """The top-level JSON-LD objects of a page, ``@graph`` and arrays unfolded.

    Scripts that are no JSON even after the usual mistakes are mended (comment
    marks, raw newlines, trailing commas) are left out.
    """
    nodes: list[dict[str, Any]] = []
    for script in parse_html(markup).css('script[type*="ld+json"]'):
        waiting = [_lenient_json(script.text())]
        while waiting:
            value = waiting.pop(0)
            if isinstance(value, list):
                waiting[:0] = value
            elif isinstance(value, dict):
                graph = value.get("@graph")
                if isinstance(graph, list):
                    waiting[:0] = graph
                if graph is None or "@type" in value:
                    nodes.append(value)
    return tuple(nodes)


def _lenient_json(text: str) -> Any:
    for candidate in _candidates(text):
        try:
            return json.loads(candidate, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


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
