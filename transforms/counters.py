"""Counters for whoever waits or watches: shown at a terminal, and kept by Beam as metrics.

They are bumped where the work is done, also by a bundle that fails and is repeated:
what a run did is told by the manifest, whose counts go through the graph.
"""

from __future__ import annotations

import threading
from collections import Counter
from functools import cache

from apache_beam.metrics.metric import Metrics

NAMESPACE = "news_ingest"
"""Of the metrics; their names are those of the counters with underscores."""


class Progress:
    """Counters of this process, safe to bump from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._waiting = 0

    def add(self, name: str, n: int = 1) -> None:
        """Count n more of name, here and, within a step of a pipeline, as a metric of Beam."""
        with self._lock:
            self._counts[name] += n
        _metric(name.replace(" ", "_")).inc(n)

    def wait_for(self, n: int) -> None:
        """So many more requests are to be made, or fewer if n is negative."""
        with self._lock:
            self._waiting += n

    def snapshot(self) -> tuple[Counter[str], int]:
        """The counts so far, and how many requests wait."""
        with self._lock:
            return self._counts.copy(), self._waiting

    def reset(self) -> None:
        """Start again from zero, for the next run in this process."""
        with self._lock:
            self._counts.clear()
            self._waiting = 0


def publish_counts(counts: dict[str, int]) -> None:
    """The counts of a manifest as metrics, ``manifest_`` before their names."""
    for name, n in counts.items():
        _metric(f"manifest_{name}").inc(n)


@cache
def _metric(name: str) -> Metrics.DelegatingCounter:
    return Metrics.counter(NAMESPACE, name)


progress = Progress()
