"""``stream``: polls its sources, each at its own pace; every cycle is a run of its own.

A cycle asks for what is due, in one bounded run of the Ingest graph that is
committed whole. When each address is due again is in ``pipeline.schedule``; the
book of it is saved after the commit, so that a stream that was killed goes on
where it was: at worst it asks once more than it had to.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipeline import unbounded
from pipeline.run import begin_manifest, prepare, run_cycle, sources_of
from pipeline.runners import runs_here
from pipeline.schedule import Book, Pace, from_json, to_json
from schemas.errors import DatasetError, UsageError
from schemas.records import DeadLetter, PageRequest
from transforms import storage
from transforms.addresses import same_page
from transforms.commit import committed_run_ids
from transforms.index import INDEX
from transforms.outcomes import utc_now
from transforms.sources import expand_source, label_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from apache_beam.options.pipeline_options import PipelineOptions

    from schemas.records import Source, Visit

_CLOCK_WAS_SET = timedelta(seconds=1)
"""Less is no more than the slewing of a clock that is kept right."""

BOOK = f"{INDEX}/polls.json"
"""When each address is due again, and what to ask with."""


def run(options: argparse.Namespace) -> int:
    """Poll until stopped, until ``--max_runtime`` is over, or nothing is left to poll.

    On a runner elsewhere all of it is one job, see ``pipeline.unbounded``.

    SIGINT and SIGTERM let the cycle under way finish; a second SIGINT does not.

    Raises UsageError for what cannot be polled, and whatever a run raises.
    """
    named = [request for source in sources_of(options) for request in named_requests(source)]
    stop = threading.Event()
    with prepare(options) as beam_options, stopped_by_signals(stop):
        if runs_here(beam_options):
            Stream(options, beam_options, named).run(stop)
        else:
            unbounded.run(options, beam_options, named)
    return 0


def named_requests(source: Source) -> Iterator[PageRequest]:
    """What a source names, to be polled.

    Raises UsageError for an address that is none, or a list that cannot be
    read: a stream would carry the mistake along for ever.
    """
    for found in expand_source(source, utc_now()):
        if isinstance(found, DeadLetter):
            name = label_of(source).removeprefix(f"{source.kind}:")
            raise UsageError(f"--{source.kind} {name}: {found.detail}")
        if isinstance(found, PageRequest):
            yield found


class Stream:
    """The cycles of one stream.

    now: the clock, which somebody may set meanwhile; elapsed_s: one that only runs.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        beam_options: PipelineOptions,
        named: list[PageRequest],
        *,
        now: Callable[[], datetime] = utc_now,
        elapsed_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._beam_options = beam_options
        self._named = frozenset(same_page(request.uri) for request in named)
        self._pace = Pace(
            options.min_poll_s, options.max_poll_s, timedelta(hours=options.idle_hours)
        )
        self._now = now
        self._elapsed_s = elapsed_s
        self._book = read_book(options.output)
        self._since = self._seen_at = now()
        self._seen_s = elapsed_s()
        self._book.begin(named, self._since)
        self._runs = committed_run_ids(options.output)[-1:]

    def run(self, stop: threading.Event) -> None:
        """Cycle after cycle, with a line for each on stdout, until stop is set."""
        span: timedelta | None = self._options.max_runtime
        ends_s = self._elapsed_s() + span.total_seconds() if span else math.inf
        cycles = entries = 0
        reason = "stopped"
        while not stop.is_set():
            now, now_s = self._look(), self._elapsed_s()
            if now_s >= ends_s:
                reason = "--max_runtime is over"
                break
            due_at = self._book.next_due_at()
            if due_at is None:
                reason = "nothing is left to poll"
                break
            if due_at > now:
                stop.wait(min((due_at - now).total_seconds(), ends_s - now_s))
                continue
            cycles += 1
            manifest = self.cycle(now)
            entries += manifest["counts"]["entries"]
            took_s = self._elapsed_s() - now_s
            _say(cycle_line(cycles, manifest, took_s, self._now(), self._book.next_due_at()))
        written = f"{entries:,} {'entry' if entries == 1 else 'entries'} written"
        _say(f"{reason}: {cycles:,} {'cycle' if cycles == 1 else 'cycles'}, {written}")

    def cycle(self, now: datetime) -> dict[str, Any]:
        """Ask for what is due, commit what is new, plan what is next; the manifest."""
        began_s = self._elapsed_s()
        due = self._book.due(now)
        manifest = {**begin_manifest(self._options, self._runs), "polled": len(due)}
        cycle = run_cycle(
            self._options,
            self._beam_options,
            manifest,
            due,
            since=self._since,
            revisits=self._book.revisits(due, now, self._pace),
        )
        if cycle.manifest["files"]:
            self._runs = [manifest["run_id"]]
        ended_at = self._look()
        began_at = ended_at - timedelta(seconds=self._elapsed_s() - began_s)
        self._book.learn(
            [_between(began_at, visit, ended_at) for visit in cycle.visits],
            cycle.readings,
            cycle.lost,
            named=self._named,
            pace=self._pace,
            now=ended_at,
        )
        storage.write_json(storage.join(self._options.output, BOOK), to_json(self._book))
        return cycle.manifest

    def _look(self) -> datetime:
        """The time; where the clock was set since the last look, the plans follow it."""
        now, now_s = self._now(), self._elapsed_s()
        ahead = now - self._seen_at - timedelta(seconds=now_s - self._seen_s)
        if abs(ahead) >= _CLOCK_WAS_SET:
            self._book.follow(ahead, now)
            self._since += ahead
            self._seen_at, self._seen_s = now, now_s
        return now


def _between(began_at: datetime, visit: Visit, ended_at: datetime) -> Visit:
    """A visit of a cycle, by the clock at its end, whatever that showed meanwhile."""
    return replace(visit, visited_at=min(max(visit.visited_at, began_at), ended_at))


def read_book(dataset: str) -> Book:
    """The book that an earlier stream left, or a new one.

    Raises DatasetError if it is damaged.
    """
    path = storage.join(dataset, BOOK)
    if not storage.exists(path):
        return Book()
    try:
        return from_json(storage.read_json(path))
    except ValueError as error:
        raise DatasetError(
            f"{path} is damaged ({error}): delete it, and the stream starts with its sources anew"
        ) from error


def cycle_line(
    number: int,
    manifest: dict[str, Any],
    took_s: float,
    ended_at: datetime,
    next_due_at: datetime | None,
) -> str:
    """What a cycle did, on one line."""
    counts = manifest["counts"]
    parts = [f"{manifest['polled']:,} polled"]
    parts += [
        f"{counts[name]:,} {label}"
        for name, label in (
            ("pages_split", "pages read"),
            ("not_modified", "not modified"),
            ("pages_failed", "failed"),
            ("new_entries", "new entries"),
            ("revisions", "revisions"),
            ("duplicates", "duplicates"),
        )
        if counts[name]
    ]
    if not manifest["files"]:
        parts.append("nothing new")
    if "latency_s" in manifest:
        spread = manifest["latency_s"]["from_published"]
        parts.append(f"latency {spread['p50']:.1f} s (p95 {spread['p95']:.1f} s)")
    parts.append(f"took {took_s:.1f} s")
    if next_due_at:
        wait_s = math.ceil(max(0.0, (next_due_at - ended_at).total_seconds()))
        parts.append(f"next in {wait_s} s")
    return f"{ended_at:%Y-%m-%dT%H:%M:%SZ}  cycle {number:,}: {', '.join(parts)}"


def _say(line: str) -> None:
    print(line, flush=True)


@contextmanager
def stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """Have SIGTERM and the first SIGINT set stop; the next SIGINT interrupts as ever."""
    interrupt = signal.getsignal(signal.SIGINT)

    def ask(number: int, _frame: object) -> None:
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, interrupt)
        stop.set()
        os.write(2, b"news-ingest: finishing the cycle\n")  # print is not safe in a handler

    terminate = signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, interrupt)
        signal.signal(signal.SIGTERM, terminate)
