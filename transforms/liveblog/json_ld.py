"""schema.org LiveBlogPosting in JSON-LD, as publishers really write it.

Format: https://schema.org/LiveBlogPosting, https://schema.org/liveBlogUpdate
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from transforms.liveblog.authors import names_of
from transforms.liveblog.bodies import paragraphs_of
from transforms.liveblog.candidate import Candidate
from transforms.liveblog.times import Stamp, read_expression, read_lead, read_machine
from transforms.liveblog.wordlists import one_line
from transforms.markup import (
    json_ld_nodes,
    json_ld_texts,
    without_comments,
    without_lone_surrogates,
)

_EPOCHS_END = 10**13  # thirteen digits are milliseconds; infinite and endless numbers are none
_UPDATES_KEY = re.compile(r'"liveBlogUpdates?"\s*:\s*\[?\s*')
_BETWEEN = re.compile(r"\s*,?\s*")


@dataclass(slots=True)
class Declared:
    """What the JSON-LD of a page declares.

    is_live: a LiveBlogPosting stands there, with or without updates.
    is_guide: it is a recipe or the like, whose minutes are none of an event.
    headline: of the page as a whole.
    stamps: page-level dates, which know the zone.
    """

    is_live: bool = False
    is_guide: bool = False
    headline: str | None = None
    authors: tuple[str, ...] = ()
    stamps: list[Stamp] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)


def read_json_ld(markup: bytes) -> Declared:
    """Every LiveBlogPosting of the page, at top level, in ``@graph`` or nested.

    Broken JSON is mended where it can be (comments, raw newlines, trailing
    commas); from a truncated list the whole updates are kept.
    """
    declared = Declared()
    _read_values(list(json_ld_nodes(markup)), declared)
    if not declared.is_live:
        for text in json_ld_texts(markup):
            if "liveBlogUpdate" in text:
                declared.is_live = True
                for update in _whole_updates(text):
                    _add(update, declared)
    _reject_page_level(declared)
    return declared


def _read_values(waiting: list[Any], declared: Declared) -> None:
    waiting.reverse()
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(reversed(value))
        elif isinstance(value, dict):
            kinds = value.get("@type")
            kinds = kinds if isinstance(kinds, list) else [kinds]
            updates = value.get("liveBlogUpdate", value.get("liveBlogUpdates"))
            if "LiveBlogPosting" in kinds or updates:
                _read_posting(value, updates, declared)
                continue
            declared.is_guide |= "Recipe" in kinds or "HowTo" in kinds
            _take_dates(value, ("dateModified", "datePublished"), declared)
            waiting.extend(v for v in reversed(list(value.values())) if isinstance(v, dict | list))


def _take_dates(value: dict[str, Any], keys: tuple[str, ...], declared: Declared) -> None:
    stamps = (_stamp(value.get(key)) for key in keys)
    declared.stamps += [stamp for stamp in stamps if stamp is not None]


def _read_posting(value: dict[str, Any], updates: Any, declared: Declared) -> None:
    declared.is_live = True
    headline = value.get("headline") or value.get("name")
    if isinstance(headline, str) and declared.headline is None:
        declared.headline = _one_line(headline)
    declared.authors = declared.authors or names_of(value.get("author"))
    _take_dates(value, ("dateModified", "datePublished", "coverageStartTime"), declared)
    for update in updates if isinstance(updates, list) else [updates]:
        if isinstance(update, dict):
            nested = update.get("item")
            _add(
                nested if isinstance(nested, dict) and "articleBody" not in update else update,
                declared,
            )


def _whole_updates(text: str) -> list[dict[str, Any]]:
    """The updates of a list that is cut off or broken further on."""
    found: list[dict[str, Any]] = []
    decoder = json.JSONDecoder(strict=False)
    text = without_comments(without_lone_surrogates(text))
    for match in _UPDATES_KEY.finditer(text):
        at = match.end()
        while at < len(text) and text[at] == "{":
            try:
                value, at = decoder.raw_decode(text, at)
            except (ValueError, RecursionError):
                at = _next_update(text, at + 1)
                if at < 0:
                    break
                continue
            found.append(value)
            between = _BETWEEN.match(text, at)
            at = between.end() if between else len(text)
        if found:
            break
    return found


_UPDATE_START = re.compile(
    r'\{\s*"@type"\s*:\s*"(?:BlogPosting|NewsArticle|Article|LiveBlogUpdate)"'
)


def _next_update(text: str, at: int) -> int:
    match = _UPDATE_START.search(text, at)
    return match.start() if match else -1


def _one_line(text: str) -> str | None:
    if "<" not in text and "&" not in text:
        return one_line(text) or None
    lines, _, _ = paragraphs_of(text)
    return " ".join(lines) or None


def _stamp(value: Any) -> Stamp | None:
    if type(value) is not str:
        if isinstance(value, dict):
            value = value.get("@value")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            value = str(int(value)) if 0 < value < _EPOCHS_END else None
    if not isinstance(value, str) or not value:
        return None
    return read_machine(value) or read_expression(value)


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    if isinstance(value, list):
        return "\n".join(part for part in value if isinstance(part, str))
    if isinstance(value, dict):
        value = value.get("@value") or value.get("text")
    return value if isinstance(value, str) else ""


def _add(update: dict[str, Any], declared: Declared) -> None:
    candidate = Candidate("json_ld")
    body, links, inner_headline = paragraphs_of(
        _text(update.get("articleBody")) or _text(update.get("text"))
    )
    if not body:
        described, more, _ = paragraphs_of(_text(update.get("description")))
        body, links = described, links + more
    candidate.paragraphs = body
    headline = _text(update.get("headline")) or _text(update.get("name"))
    candidate.headline = (_one_line(headline) if headline else None) or inner_headline
    candidate.published = _stamp(update.get("datePublished")) or _stamp(update.get("dateCreated"))
    candidate.updated = _stamp(update.get("dateModified"))
    candidate.authors = names_of(update.get("author"))
    if links:
        candidate.links = tuple(dict.fromkeys([one for one in links if one.startswith("http")]))
    pictures = update.get("image")
    if pictures:
        candidate.images = tuple(dict.fromkeys(_images(pictures)))
    _name(update, candidate)
    if not body and candidate.headline is None and not candidate.images and not candidate.links:
        return
    declared.candidates.append(candidate)


def _images(value: Any) -> list[str]:
    found: list[str] = []
    for item in value if isinstance(value, list) else [value]:
        source = item.get("url") or item.get("contentUrl") if isinstance(item, dict) else item
        if isinstance(source, str) and source.startswith("http"):
            found.append(source)
    return found


def _name(update: dict[str, Any], candidate: Candidate) -> None:
    for key in ("url", "@id", "identifier", "mainEntityOfPage"):
        value = update.get(key)
        if isinstance(value, dict):
            value = value.get("@id") or value.get("value")
        if not isinstance(value, str) or not value or len(value) > 2000:
            continue
        if not value.startswith(("http:", "https:")):
            candidate.names.add(value.lstrip("#"))
            continue
        address, _, fragment = value.partition("#")
        if fragment:
            candidate.names.add(unquote(fragment) if "%" in fragment else fragment)
        if candidate.url is None and key in {"url", "@id"}:
            candidate.url = value
        if key == "url":
            slug = address.partition("?")[0].rstrip("/").rpartition("/")[2]
            if slug:
                candidate.names.add(slug)


def _reject_page_level(declared: Declared) -> None:
    """Drop from the updates what belongs to the page: one id, headline or time for all."""
    updates = declared.candidates
    shared = _repeated([name for c in updates for name in c.names])
    urls = _repeated([c.url for c in updates if c.url is not None])
    for c in updates:
        if not shared.isdisjoint(c.names):
            c.names -= shared
        if c.url in urls:
            c.url = None
        _clean_headline(c, declared.headline)
    if len(updates) > 2:
        _reject_shared(updates)


def _repeated(values: list[str]) -> set[str]:
    return {value for value, count in Counter(values).items() if count > 1}


def _reject_shared(updates: list[Candidate]) -> None:
    pictures = Counter([image for c in updates for image in c.images])
    headlines = Counter([c.headline for c in updates])
    first = updates[0]
    one_time = all(c.published == first.published for c in updates)
    one_update = all(c.updated == first.updated for c in updates)
    # Several names, always the same: the whole staff, not who wrote the entry
    one_staff = len(first.authors) > 1 and all(c.authors == first.authors for c in updates)
    for c in updates:
        if c.images:
            c.images = tuple([i for i in c.images if pictures[i] <= len(updates) // 2])
        if headlines[c.headline] > max(2, len(updates) // 3):
            c.headline = None
        c.published = None if one_time else c.published
        c.updated = None if one_update else c.updated
        c.authors = () if one_staff else c.authors


def _clean_headline(candidate: Candidate, page_headline: str | None) -> None:
    """Strip a leading clock; drop the page's headline and the body's first words."""
    headline = candidate.headline
    if headline is None:
        return
    lead = read_lead(headline)
    if lead is not None and lead[1] and lead[2]:
        candidate.shown = candidate.shown or lead[0]
        headline = lead[1]
    if headline == page_headline:
        candidate.headline = None
        return
    candidate.headline = headline
