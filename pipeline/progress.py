"""Progress of a run: one live line on a terminal, plain lines when piped."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING

from tqdm import tqdm

from transforms.outcomes import progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LIVE_EVERY_S = 0.2
_PLAIN_EVERY_S = 10.0


@contextlib.contextmanager
def show_progress(*, counted: bool = True) -> Iterator[None]:
    """Show the counts of this process on stderr while the block runs.

    counted: whether the work is done in this process; else it cannot be seen,
    and that is said instead.
    """
    progress.reset()
    started_s = time.monotonic()
    done = threading.Event()
    live = sys.stderr.isatty()
    counts = _counts if counted else lambda: "running in other processes: no live counts"
    show = _live if live else _plain
    thread = threading.Thread(target=show, args=(done, started_s, counts), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        _print_plain(started_s, counts)


def _counts() -> str:
    counts = sorted(progress.snapshot().items())
    return ", ".join(f"{n:,} {name}" for name, n in counts) or "starting"


def _print_plain(started_s: float, counts: Callable[[], str]) -> None:
    print(f"{time.monotonic() - started_s:6.1f} s  {counts()}", file=sys.stderr)


def _plain(done: threading.Event, started_s: float, counts: Callable[[], str]) -> None:
    while not done.wait(_PLAIN_EVERY_S):
        _print_plain(started_s, counts)


def _live(done: threading.Event, _started_s: float, counts: Callable[[], str]) -> None:
    with tqdm(bar_format="{elapsed}  {desc}", leave=False) as bar:
        while not done.wait(_LIVE_EVERY_S):
            bar.set_description_str(counts())
