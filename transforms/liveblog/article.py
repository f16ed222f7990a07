"""An ordinary article as its single entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trafilatura

from schemas.errors import SplitError
from schemas.ids import entry_id, normalise_text
from schemas.records import Entry, Page, SplitPage, TimeSource
from transforms.liveblog.bodies import is_noise
from transforms.liveblog.plain import blocks_of
from transforms.markup import parse_html

if TYPE_CHECKING:
    from collections.abc import Iterator

_DOCTYPE_CHARS = 50
"""Where trafilatura looks for the word html before it doubts that a fragment is a document."""
_MAX_HEADER_CLIMB = 6
MAX_HEAD_PARAGRAPHS = 3
"""A headline, a standfirst, and one more."""


def as_article(page: Page) -> SplitPage:
    """The page as one entry: text by trafilatura, author and times from its metadata.

    Raises SplitError ``no_text`` if there is no text to keep.
    """
    if page.media == "text":
        paragraphs = [block for block in blocks_of(page.markup.decode()) if not is_noise(block)]
    else:
        paragraphs = _without_head(page, _paragraphs(page))
    if not paragraphs:
        raise SplitError("no_text", "neither entries nor an article")
    time_source: TimeSource | None = "page" if page.published_at is not None else None
    entry = Entry(
        entry_id=entry_id(page.page_url, "article"),
        headline=page.title,
        body="\n\n".join(paragraphs),
        authors=page.authors,
        published_at=page.published_at,
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


def _without_head(page: Page, paragraphs: list[str]) -> list[str]:
    """The story without the headline and standfirst that stand over it."""
    heads = {normalise_text(text) for text in _heads(page)}
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
