"""What every stage shares: dead letters, and counts that the manifest adds up.

A stage that loses a page emits a DeadLetter on its ``dead`` output; a stage
that drops anything else emits ``(name, n)`` on its ``counts`` output. Counts go
through the graph, so that a retried bundle cannot count twice; ``progress`` is
only for the eyes of whoever waits at a terminal.
"""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from schemas.records import DeadLetter

if TYPE_CHECKING:
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


class Progress:
    """Counters of this process, safe to bump from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, name: str, n: int = 1) -> None:
        """Count n more of name."""
        with self._lock:
            self._counts[name] += n

    def snapshot(self) -> Counter[str]:
        """The counts so far."""
        with self._lock:
            return self._counts.copy()

    def reset(self) -> None:
        """Start again from zero, for the next run in this process."""
        with self._lock:
            self._counts.clear()


progress = Progress()
