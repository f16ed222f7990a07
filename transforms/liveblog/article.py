"""An ordinary article as its single entry."""

from __future__ import annotations

import trafilatura

from schemas.errors import SplitError
from schemas.ids import entry_id
from schemas.records import Entry, Page, SplitPage, TimeSource
from transforms.liveblog.bodies import is_noise
from transforms.liveblog.plain import blocks_of


def as_article(page: Page) -> SplitPage:
    """The page as one entry: text by trafilatura, author and times from its metadata.

    Raises SplitError ``no_text`` if there is no text to keep.
    """
    if page.media == "text":
        paragraphs = [block for block in blocks_of(page.markup) if not is_noise(block)]
    else:
        text = trafilatura.extract(page.markup, include_comments=False, url=page.page_url)
        paragraphs = [line.strip() for line in (text or "").split("\n") if line.strip()]
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
