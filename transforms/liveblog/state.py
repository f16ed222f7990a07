"""Entries out of the state that a script framework embeds, for what the page does not show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from transforms.liveblog.authors import names_of
from transforms.liveblog.bodies import paragraphs_of
from transforms.liveblog.candidate import Candidate
from transforms.liveblog.times import Stamp, read_machine
from transforms.markup import lenient_json

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

_BODY_KEYS = (
    "articleBody",
    "body",
    "bodyHtml",
    "contentHtml",
    "html",
    "content",
    "text",
    "blocks",
    "paragraphs",
    "description",
)
_LEAF_KEYS = ("children", "content", "text", "value", "html", "blocks", "paragraphs")
_TITLE_KEYS = ("headline", "title", "heading", "name")
_TIME_KEYS = re.compile(
    r"publi|creat|posted|displaydate|firstpub|timestamp|^date(?:time)?$|^time$", re.IGNORECASE
)
_UPDATE_KEYS = re.compile(r"updat|modif", re.IGNORECASE)
_ID_KEYS = ("id", "_id", "uuid", "guid", "postId", "urn", "key")
_AUTHOR_KEYS = ("author", "authors", "byline", "contributors", "creator")
_ASSIGNED = re.compile(
    r"^\s*(?:window|self|globalThis)(?:\.|\[[\"'])[\w$.\"'\]]{1,60}\s*=\s*(?=[{\[])"
)
_TEXT_LEAVES = 300
_MIN_ENTRIES = 3
_MIN_SCRIPT_CHARS = 400


def read_state(tree: LexborHTMLParser) -> list[Candidate]:
    """The longest list of timed texts in any embedded JSON; copies of it count once.

    Reads ``application/json`` scripts and ``window.X = {...}`` assignments.
    """
    best: list[Candidate] = []
    weight = 0
    for script in tree.css("script"):
        attributes = script.attributes
        if attributes.get("src") or "ld+json" in (attributes.get("type") or ""):
            continue
        text = script.text()
        if len(text) < _MIN_SCRIPT_CHARS:
            continue
        start = _ASSIGNED.match(text)
        if start is None and not text.lstrip().startswith(("{", "[")):
            continue
        value = lenient_json((text[start.end() :] if start else text).strip().rstrip(";"))
        for rows in _lists_of_posts(value):
            found = [c for c in map(_candidate, rows) if c is not None]
            size = sum(c.words for c in found)
            if len(found) >= _MIN_ENTRIES and size > weight:
                best, weight = found, size
    return best


def _lists_of_posts(value: Any) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = []
    waiting: list[Any] = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(v for v in reversed(list(value.values())) if isinstance(v, dict | list))
        elif isinstance(value, list):
            rows = [row for row in value if isinstance(row, dict)]
            if len(rows) >= _MIN_ENTRIES and sum(_is_post(row) for row in rows) >= 0.6 * len(rows):
                found.append(rows)
            waiting.extend(v for v in reversed(value) if isinstance(v, dict | list))
    return found


def _is_post(row: dict[str, Any]) -> bool:
    return _time(row, _TIME_KEYS) is not None and any(key in row for key in _BODY_KEYS)


def _time(row: dict[str, Any], keys: re.Pattern[str]) -> Stamp | None:
    for key, value in row.items():
        if keys.search(key) and isinstance(value, str | int) and not isinstance(value, bool):
            stamp = read_machine(str(value))
            if stamp is not None and stamp.tells_clock:
                return stamp
    return None


def _candidate(row: dict[str, Any]) -> Candidate | None:
    stamp = _time(row, _TIME_KEYS)
    body, links, inner = paragraphs_of(
        next((t for t in (_text(row.get(k)) for k in _BODY_KEYS) if t), "")
    )
    title = next(
        (row[k] for k in _TITLE_KEYS if isinstance(row.get(k), str) and row[k].strip()), None
    )
    if stamp is None or not (body or title):
        return None
    candidate = Candidate(
        "state", paragraphs=body, published=stamp, updated=_time(row, _UPDATE_KEYS)
    )
    candidate.headline = " ".join(paragraphs_of(title)[0]) or None if title else inner
    candidate.links = tuple(link for link in links if link.startswith("http"))
    own = next(
        (str(row[k]) for k in _ID_KEYS if isinstance(row.get(k), str | int) and row[k]), None
    )
    candidate.own_id = own
    candidate.names = {own} if own else set()
    candidate.authors = next((n for n in (names_of(row.get(k)) for k in _AUTHOR_KEYS) if n), ())
    return candidate


def _text(value: Any) -> str:
    """A text that may lie in a tree of blocks: its leaves, one per line."""
    if isinstance(value, str):
        return value
    leaves: list[str] = []
    waiting = [value]
    while waiting and len(leaves) < _TEXT_LEAVES:
        value = waiting.pop()
        if isinstance(value, str):
            leaves.append(value)
        elif isinstance(value, list):
            waiting.extend(reversed(value))
        elif isinstance(value, dict):
            waiting.extend(value[k] for k in _LEAF_KEYS if k in value)
    return "\n".join(leaves)
