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
    from collections.abc import Iterator

_LIVE_EVERY_S = 0.2
_PLAIN_EVERY_S = 10.0


@contextlib.contextmanager
def show_progress() -> Iterator[None]:
    """Show the counts of this process on stderr while the block runs."""
    progress.reset()
    started_s = time.monotonic()
    done = threading.Event()
    live = sys.stderr.isatty()
    thread = threading.Thread(target=_live if live else _plain, args=(done, started_s), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        _print_plain(started_s)


def _counts() -> str:
    return ", ".join(f"{n:,} {name}" for name, n in sorted(progress.snapshot().items()))


def _print_plain(started_s: float) -> None:
    print(f"{time.monotonic() - started_s:6.1f} s  {_counts() or 'starting'}", file=sys.stderr)


def _plain(done: threading.Event, started_s: float) -> None:
    while not done.wait(_PLAIN_EVERY_S):
        _print_plain(started_s)


def _live(done: threading.Event, _started_s: float) -> None:
    with tqdm(bar_format="{elapsed}  {desc}", leave=False) as bar:
        while not done.wait(_LIVE_EVERY_S):
            bar.set_description_str(_counts() or "starting")
