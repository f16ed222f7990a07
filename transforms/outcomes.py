"""What every stage shares: dead letters, and counts that the manifest adds up.

A stage that loses a page emits a DeadLetter on its ``dead`` output; a stage
that drops anything else emits ``(name, n)`` on its ``counts`` output. Counts go
through the graph, so that a retried bundle cannot count twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from schemas.records import DeadLetter

if TYPE_CHECKING:
    from datetime import timedelta

    from schemas.errors import PageError

DEAD = "dead"
COUNTS = "counts"


def utc_now() -> datetime:
    """The clock that is used where none is injected."""
    return datetime.now(UTC)


def dead_letter(
    error: PageError, *, uri: str, source: str, failed_at: datetime, page_url: str | None = None
) -> DeadLetter:
    """The row for a lost page; the detail is cut to one line of 500 characters."""
    return DeadLetter(
        code=error.code,
        stage=error.stage,
        uri=uri,
        source=source,
        detail=" ".join(error.detail.split())[:500],
        failed_at=failed_at,
        page_url=page_url,
    )


@dataclass(frozen=True, slots=True)
class Moments:
    """When an entry was published and fetched."""

    published_at: datetime
    fetched_at: datetime


def latency_s(moments: list[Moments], committed_at: datetime) -> dict[str, Any]:
    """How long entries took to their rows: from publication, and from the fetch.

    Of each the median, the 95th percentile and the most, in seconds; what is dated later than
    the commit, because some clock is wrong, took none.
    """
    return {
        "entries": len(moments),
        "from_published": _spread([committed_at - one.published_at for one in moments]),
        "from_fetched": _spread([committed_at - one.fetched_at for one in moments]),
    }


def _spread(spans: list[timedelta]) -> dict[str, float]:
    ordered = sorted(max(0.0, span.total_seconds()) for span in spans)

    def at(share: float) -> float:
        return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 3)

    return {"p50": at(0.5), "p95": at(0.95), "max": at(1.0)}
