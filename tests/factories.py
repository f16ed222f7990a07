"""Records for tests, each field overridable."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from schemas.ids import content_hash
from schemas.records import DeadLetter, EntryRow, FetchedPage, PageRequest

MORNING = datetime(2026, 5, 12, 8, 30, tzinfo=UTC)
FETCHED_AT = datetime(2026, 5, 12, 20, 0, tzinfo=UTC)


def fetched(
    content: bytes | str,
    *,
    url: str | None = "https://www.lantern-gazette.example/news/1",
    content_type: str | None = "text/html",
    uri: str | None = None,
) -> FetchedPage:
    return FetchedPage(
        request=PageRequest(uri or url or "page.html", "url:test"),
        url=url,
        content=content.encode() if isinstance(content, str) else content,
        content_type=content_type,
        fetched_at=FETCHED_AT,
    )


def row(**overrides: Any) -> EntryRow:
    fields: dict[str, Any] = {
        "entry_id": "e1",
        "revision": 0,
        "page_url": f"https://lantern-gazette.example/live/{overrides.get('entry_id', 'e1')}",
        "entry_url": None,
        "publisher": "lantern-gazette.example",
        "page_title": "Bridge opens - live",
        "headline": "The bridge is open",
        "body": "The first cars crossed the new bridge shortly after eight.",
        "authors": ("Ada Quill",),
        "published_at": MORNING,
        "updated_at": None,
        "time_source": "dom",
        "position": 0,
        "is_live_blog": True,
        "is_key_event": False,
        "language": "en",
        "topic_qcode": "medtop:11000000",
        "topic_source": "article_section",
        "topic_score": 0.95,
        "topic_evidence": "article_section=Politics",
        "tags": (),
        "links": (),
        "images": (),
        "split_by": "dom",
        "content_hash": "",
        "cluster_id": "",
        "fetched_at": FETCHED_AT,
        "run_id": "000001-abcdef01",
        "source": "url:test",
        "date": "",
        "topic": "politics",
    }
    fields |= overrides
    fields["content_hash"] = fields["content_hash"] or content_hash(
        fields["headline"], fields["body"]
    )
    fields["cluster_id"] = fields["cluster_id"] or fields["entry_id"]
    moment = fields["published_at"] or fields["fetched_at"]
    fields["date"] = fields["date"] or moment.date().isoformat()
    return EntryRow(**fields)


def letter(**overrides: Any) -> DeadLetter:
    fields: dict[str, Any] = {
        "code": "http_404",
        "stage": "fetch",
        "uri": "https://lantern-gazette.example/gone",
        "source": "url:test",
        "detail": "the server answered 404",
        "failed_at": FETCHED_AT,
    }
    return DeadLetter(**(fields | overrides))
