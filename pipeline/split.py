"""``split``: one page's entries as JSON lines. No Beam, no dataset."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline.options import by_text, fetch_limits
from schemas.records import FetchedPage, PageRequest, SplitPage
from transforms.extract import extract_page
from transforms.fetch import fetch_page, is_url, new_session, open_local_file, read_page_file
from transforms.liveblog import split_page
from transforms.topics import page_topic

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from schemas.records import TopicChoice
    from transforms.fetch import FetchLimits


def run(options: argparse.Namespace) -> int:
    """Print the page's entries; raises PageError if there are none to be had."""
    request = PageRequest(options.page, f"split:{options.page}", page_url=options.url)
    split = split_request(request, fetch_limits(options), options.timezone)
    topic = page_topic(split, by_text(options)) if options.topics else None
    for line in json_lines(split, topic):
        sys.stdout.write(line + "\n")
    return 0


def split_request(request: PageRequest, limits: FetchLimits, timezone: str | None) -> SplitPage:
    """Fetch, extract and split one page: the way of ``batch`` without the graph.

    Raises PageError with the code that the dead letter would carry.
    """
    if is_url(request.uri):
        fetched = _fetch(request, limits)
    else:
        fetched = read_page_file(request, open_file=open_local_file, limits=limits)
    return split_page(extract_page(fetched, timezone=timezone), timezone=timezone)


def _fetch(request: PageRequest, limits: FetchLimits) -> FetchedPage:
    with new_session(limits) as session:
        while True:
            found = fetch_page(request, session=session, limits=limits)
            if isinstance(found, FetchedPage):
                return found
            request = found.request


def json_lines(split: SplitPage, topic: TopicChoice | None = None) -> Iterator[str]:
    """One JSON object per entry, times in ISO 8601 UTC, with the page's topic if given."""
    page = split.page
    about_topic = _topic_fields(topic) if topic else {}
    for entry in split.entries:
        fields = asdict(entry)
        url = fields.pop("entry_url") or page.page_url
        about_page = {
            "url": url,
            "page_url": page.page_url,
            "page_title": page.title,
            "publisher": page.publisher,
            "language": page.language,
            "is_live_blog": split.is_live_blog,
        }
        yield json.dumps({**fields, **about_page, **about_topic}, ensure_ascii=False, default=_iso)


def _topic_fields(topic: TopicChoice) -> dict[str, Any]:
    return {
        "topic": topic.topic,
        "topic_qcode": topic.qcode,
        "topic_source": topic.source,
        "topic_score": round(topic.score, 3),
        "topic_evidence": topic.evidence,
    }


def _iso(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    raise TypeError(f"{type(value)} is not JSON")
