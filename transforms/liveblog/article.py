"""An ordinary article as its single entry."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trafilatura

from schemas.errors import SplitError
from schemas.ids import entry_id, normalise_text
from schemas.records import Entry, Page, SplitPage, TimeSource
from transforms.liveblog.authors import is_byline, names_in
from transforms.liveblog.bodies import is_noise
from transforms.liveblog.plain import blocks_of
from transforms.liveblog.times import zone_named
from transforms.liveblog.wordlists import one_line
from transforms.markup import parse_html, parse_iso_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from selectolax.lexbor import LexborNode

_DOCTYPE_CHARS = 50
"""Where trafilatura looks for the word html before it doubts that a fragment is a document."""
_MAX_HEADER_CLIMB = 6
_MAX_TOLD_CLIMB = 4
"""So far above the heading who wrote and when is looked for."""
_MAX_TOLD_NODES = 40
_MIN_PROSE_CHARS = 120
_MAX_PROSE_ABOVE = 1
"""So many paragraphs, a standfirst, may stand above the byline."""
_BYLINES = '[rel~="author"],[itemprop~="author"],[class*="byline"],[class*="author"]'
_TITLE_TAIL = re.compile(r"\s[|–—-]\s[^|]{1,60}")
"""What a page's title adds to its heading: the publisher."""
MAX_HEAD_PARAGRAPHS = 3
"""A headline, a standfirst, and one more."""


def as_article(page: Page) -> SplitPage:
    """The page as one entry: text by trafilatura, author and times from its metadata.

    Where the metadata names neither, the byline and the ``time`` element beside the
    heading do.

    Raises SplitError ``no_text`` if there is no text to keep.
    """
    if page.media == "text":
        paragraphs = [block for block in blocks_of(page.markup.decode()) if not is_noise(block)]
        told = _Told()
    else:
        told = _told_beside_heading(page)
        paragraphs = _without_head(page, told, _paragraphs(page))
    if not paragraphs:
        raise SplitError("no_text", "neither entries nor an article")
    time_source: TimeSource | None = "page" if page.published_at is not None else None
    published_at = page.published_at
    if published_at is None and told.published_at is not None:
        published_at, time_source = told.published_at, "dom"
    entry = Entry(
        entry_id=entry_id(page.page_url, "article"),
        headline=told.heading or page.title,
        body="\n\n".join(paragraphs),
        authors=page.authors or told.authors,
        published_at=published_at,
        updated_at=page.updated_at,
        time_source=time_source,
        entry_url=page.page_url if page.page_url.startswith("http") else None,
        position=0,
        is_key_event=False,
        split_by="article",
        tags=page.tags,
    )
    return SplitPage(page=page, is_live_blog=False, entries=(entry,))


def _paragraphs(page: Page) -> list[str]:
    markup = page.markup.decode()
    text = trafilatura.extract(markup, include_comments=False, url=page.page_url)
    if text is None and "html" not in markup[:_DOCTYPE_CHARS].lower():
        # It refuses documents that leave out <html>, as HTML5 allows
        whole = parse_html(page.markup).html
        text = trafilatura.extract(whole, include_comments=False, url=page.page_url)
    return [line.strip() for line in (text or "").split("\n") if line.strip()]


@dataclass(slots=True)
class _Told:
    """What stands beside the heading; lines: of which the story is none.

    heading: where the page's title is the same with the publisher behind it.
    """

    heading: str | None = None
    authors: tuple[str, ...] = ()
    published_at: datetime | None = None
    lines: list[str] = field(default_factory=list)


def _told_beside_heading(page: Page) -> _Told:
    told = _Told()
    heading = parse_html(page.markup).css_first("h1")
    if heading is None:
        return told
    said = one_line(heading.text())
    title = page.title or ""
    if said and title.startswith(said) and _TITLE_TAIL.fullmatch(title[len(said) :]):
        told.heading = said
    above = heading.parent
    for _ in range(_MAX_TOLD_CLIMB):
        if above is None or above.tag in {"body", "html"}:
            break
        _take_told(above, zone_named(page.timezone), told)
        if told.authors and told.published_at:
            break
        above = above.parent
    return told


def _take_told(box: LexborNode, zone: tzinfo | None, told: _Told) -> None:
    """Take the first byline and time of an element that stand above its story."""
    prose = 0
    for node in box.css(f"time,p,{_BYLINES}")[:_MAX_TOLD_NODES]:
        text = one_line(node.text())
        if node.tag == "time":
            moment = parse_iso_time(node.attributes.get("datetime"), zone)
            told.published_at = told.published_at or moment
            told.lines.append(text)
        elif node.tag == "p" and len(text) >= _MIN_PROSE_CHARS:
            prose += 1
            if prose > _MAX_PROSE_ABOVE:
                return
        elif not told.authors and (is_byline(text) or node.css_matches(_BYLINES)):
            told.authors = names_in(text)
            told.lines.append(text)


def _without_head(page: Page, told: _Told, paragraphs: list[str]) -> list[str]:
    """The story without the headline, standfirst, byline and time that stand over it."""
    heads = {normalise_text(text) for text in (*_heads(page), *told.lines)}
    known = [normalise_text(paragraph) in heads for paragraph in paragraphs]
    if sum(known) > MAX_HEAD_PARAGRAPHS:
        return paragraphs  # the header holds the story
    return paragraphs[known.index(False) :] if False in known else paragraphs


def _heads(page: Page) -> Iterator[str]:
    """The page's title and main heading, and what stands with them in the same header.

    A paragraph behind the heading is the story's, also where the page's
    description repeats it.
    """
    if page.title:
        yield page.title
    heading = parse_html(page.markup).css_first("h1")
    if heading is None:
        return
    yield heading.text()
    above = heading.parent
    for _ in range(_MAX_HEADER_CLIMB):
        if above is None:
            return
        if above.tag in {"header", "hgroup"}:
            for part in above.css("p,h2,h3,div"):
                yield part.text()
            return
        above = above.parent
