"""``batch --dry_run``: what would be fetched, and why."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pipeline.replay import dead_requests, known_pages
from schemas.records import DeadLetter, KnownPage, PageRequest
from transforms.addresses import same_page
from transforms.fetch import is_private_literal, is_url
from transforms.outcomes import utc_now
from transforms.sources import expand_source, label_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.records import Source


def planned_lines(
    sources: list[Source], dataset: str, *, replays: bool, public_only: bool
) -> Iterator[str]:
    """A line for each request that a run would begin with, and one with their number.

    What feeds, sitemaps and live blogs lead to is known only when they are read.

    replays: whether dead letters are asked for again, too.
    public_only: whether private addresses will be refused.
    Raises UsageError if dead letters are to be asked for and there is no such dataset.
    """
    known = known_pages(dataset)
    seen = set[str]()
    counts = Counter[str]()
    for source in sources:
        if source.kind == "warc":
            yield f"archive  {source.locator}  its pages"
            counts["archives"] += 1
            continue
        for found in expand_source(source, utc_now()):
            if isinstance(found, DeadLetter):
                yield f"lost     {found.uri}  {found.code}: {found.detail}"
                counts["lost"] += 1
            elif isinstance(found, PageRequest):
                yield _line(
                    found, f"by {label_of(source)}", known, seen, counts, public_only=public_only
                )
    if replays:
        replay = dead_requests(dataset)
        for request, code in replay.requests:
            yield _line(
                request, f"failed with {code}", known, seen, counts, public_only=public_only
            )
        if replay.elsewhere:
            counts["dead letters whose source must be read anew"] = replay.elsewhere
    total = ", ".join(f"{n:,} {name}" for name, n in sorted(counts.items())) or "nothing"
    yield f"A run would begin with: {total}. Nothing was fetched or written."


def _line(
    request: PageRequest,
    why: str,
    known: dict[str, KnownPage],
    seen: set[str],
    counts: Counter[str],
    *,
    public_only: bool,
) -> str:
    page = same_page(request.uri)
    role = request.role if is_url(request.uri) else "file"
    start = f"{role:7}  {request.uri}  {why}"
    if page in seen:
        counts["named twice"] += 1
        return f"{start}, named twice: fetched once"
    seen.add(page)
    if public_only and role != "file" and is_private_literal(request.uri):
        counts["refused"] += 1
        return f"{start}, refused: no public address (--allow_private_hosts)"
    counts[f"{role}s"] += 1
    if role != "page":
        return start
    if request.uri not in known:
        return f"{start}, new"
    return f"{start}, only if it changed since {known[request.uri].fetched_at:%Y-%m-%dT%H:%M:%SZ}"
