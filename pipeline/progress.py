"""Progress of a run: one live line on a terminal, plain lines when piped."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections import Counter, deque
from typing import TYPE_CHECKING

from tqdm import tqdm

from transforms.counters import progress

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIVE_EVERY_S = 0.2
_PLAIN_EVERY_S = 10.0
_RATE_OVER_S = 30.0

_PAGES_DONE = ("pages fetched", "pages not modified")
_FIRST_SHOWN = (*_PAGES_DONE, "pages failed", "entries found", "duplicates")


@contextlib.contextmanager
def show_progress(*, counted: bool = True) -> Iterator[None]:
    """Show the counts of this process on stderr while the block runs.

    counted: whether the work is done in this process; else it cannot be seen,
    and that is said instead.
    """
    progress.reset()
    display = _Display(counted=counted)
    done = threading.Event()
    show = _live if sys.stderr.isatty() else _plain
    thread = threading.Thread(target=show, args=(done, display), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        print(display.plain_line(), file=sys.stderr)


def progress_line(counts: Counter[str], waiting: int, pages_per_s: float) -> str:
    """The counts, what waits, how fast it goes, and how long what waits will take.

    The time left is that of the requests known by now: a feed may bring more, and
    a host with a long delay may take longer than the others.
    """
    others = sorted(counts.keys() - set(_FIRST_SHOWN))
    parts = [f"{counts[name]:,} {name}" for name in (*_FIRST_SHOWN, *others) if counts[name]]
    if waiting > 0:
        parts.append(f"{waiting:,} waiting")
        if pages_per_s:
            parts.append(f"{pages_per_s:,.1f} pages/s, about {_span(waiting / pages_per_s)} left")
    return ", ".join(parts) or "starting"


class _Display:
    """What to say at any moment; the rate is that of the last half minute."""

    def __init__(self, *, counted: bool) -> None:
        self._counted = counted
        self._started_s = time.monotonic()
        self._past: deque[tuple[float, int]] = deque([(self._started_s, 0)])

    def line(self) -> str:
        if not self._counted:
            return "running in other processes: no live counts"
        counts, waiting = progress.snapshot()
        return progress_line(counts, waiting, self._pages_per_s(counts))

    def plain_line(self) -> str:
        return f"{time.monotonic() - self._started_s:6.1f} s  {self.line()}"

    def _pages_per_s(self, counts: Counter[str]) -> float:
        pages_done = sum(counts[name] for name in _PAGES_DONE)
        now_s = time.monotonic()
        self._past.append((now_s, pages_done))
        while len(self._past) > 2 and now_s - self._past[1][0] > _RATE_OVER_S:
            self._past.popleft()
        past_s, past_pages = self._past[0]
        return (pages_done - past_pages) / max(now_s - past_s, _LIVE_EVERY_S)


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def _plain(done: threading.Event, display: _Display) -> None:
    while not done.wait(_PLAIN_EVERY_S):
        print(display.plain_line(), file=sys.stderr)


def _live(done: threading.Event, display: _Display) -> None:
    with tqdm(bar_format="{elapsed}  {desc}", leave=False, dynamic_ncols=True) as bar:
        while not done.wait(_LIVE_EVERY_S):
            bar.set_description_str(display.line())
