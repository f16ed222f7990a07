"""One run of the Ingest graph: what ``batch`` does once, and ``stream`` again and again."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.transforms.combiners import ToList

from pipeline.ingest import Ingest, Ingested, Polling
from pipeline.options import by_text, fetch_limits, politeness
from pipeline.runners import check_endpoint, run_to_end, to_beam_options
from pipeline.schedule import plain, reading_from, visit_from
from schemas.arrow import SCHEMA_VERSION
from schemas.errors import DatasetError
from schemas.records import SOURCE_KINDS, Publisher, Source
from transforms import storage
from transforms.commit import claim, next_run_id, recover
from transforms.index import check_index
from transforms.lock import dataset_lock
from transforms.outcomes import utc_now
from transforms.polls import Poll
from transforms.sources import label_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from apache_beam.options.pipeline_options import PipelineOptions

    from schemas.records import PageRequest, Reading, Visit
    from transforms.visit import Revisits


@contextlib.contextmanager
def prepare(options: argparse.Namespace) -> Iterator[PipelineOptions]:
    """Beam's options, while the dataset is ready for runs and nobody else writes to it.

    Raises UsageError for options that neither we nor Beam know, and for an
    output that is not ours to write to; DatasetError if it is in use.
    """
    beam_options = to_beam_options(options.runner, options.beam_flags)
    check_endpoint(beam_options)
    FileSystems.set_options(beam_options)  # s3:// and others read theirs from there
    with dataset_lock(options.output, options.command, sole_writer=options.sole_writer):
        claim(options.output)
        with storage.writing(options.output):
            finished = recover(options.output)
        for run_id in finished:
            print(f"Run {run_id} had been interrupted: it is complete now.", file=sys.stderr)
        check_index(options.output)
        yield beam_options


def sources_of(options: argparse.Namespace) -> list[Source]:
    """The sources that the options name, those of ``sources.yaml`` last."""
    sources = [
        Source(kind, locator) for kind in SOURCE_KINDS for locator in getattr(options, kind, ())
    ]
    for publisher in options.sources or ():
        sources += [Source("feed", url) for url in publisher.feeds]
        sources += [Source("sitemap", url) for url in publisher.sitemaps]
        sources += [Source("url", url) for url in publisher.urls]
    return sources


def begin_manifest(options: argparse.Namespace, earlier: list[str]) -> dict[str, Any]:
    """What is known of a run before it starts; earlier: the ids of the runs before it."""
    about_run = {
        "sources": [label_of(source) for source in sources_of(options)],
        "options": {
            "timezone": options.timezone,
            "dedup_window_days": options.dedup_window_days,
            "near_duplicates": options.near_duplicates,
            **dataclasses.asdict(fetch_limits(options)),
            "topic_min_score": options.topic_min_score,
            "topic_model": options.topic_model and options.topic_model.version,
        },
        "schema_version": SCHEMA_VERSION,
    }
    return {
        "run_id": next_run_id(earlier, about_run),
        "started_at": utc_now().isoformat(timespec="seconds"),
        **about_run,
    }


def new_pipeline(beam_options: PipelineOptions) -> beam.Pipeline:
    """A pipeline to put the graph into."""
    return beam.Pipeline(options=beam_options)


def ingest(
    pipeline: beam.Pipeline,
    options: argparse.Namespace,
    manifest: dict[str, Any],
    asked: Iterable[Source | PageRequest],
    polling: Polling | None = None,
) -> Ingested:
    """Put the graph into a pipeline, with the options of the command."""
    publishers: tuple[Publisher, ...] = options.sources or ()
    start: beam.PTransform[Any, Any] = beam.Create([list(asked)])
    if polling and polling.every_s:
        run_id = manifest["run_id"]
        start = Poll(list(asked), options.output, run_id, polling.every_s, polling.ends_s)
    starts = pipeline | "Start" >> start
    done: Ingested = starts | "Ingest" >> Ingest(
        options.output,
        manifest,
        fetch_limits(options),
        politeness(options),
        timezone=options.timezone,
        since=options.since,
        domains=frozenset(getattr(options, "domain", ())),
        publishers=publishers,
        by_text=by_text(options),
        polling=polling,
        dedup_window_days=options.dedup_window_days,
        near_duplicates=options.near_duplicates == "on",
    )
    return done


class Cycle(NamedTuple):
    """What a run of a stream came to; lost: the codes of dead letters, by address.

    The manifest is told also where nothing was new, and so nothing committed.
    """

    manifest: dict[str, Any]
    visits: list[Visit]
    readings: list[Reading]
    lost: dict[str, str]


def run_cycle(
    options: argparse.Namespace,
    beam_options: PipelineOptions,
    manifest: dict[str, Any],
    due: Iterable[PageRequest],
    *,
    since: datetime,
    revisits: Revisits,
) -> Cycle:
    """Run the graph over what is due, on workers that share this machine's disk.

    since, revisits: as in ``Polling``.

    Raises DatasetError if the runner does not carry the run to its end.
    """
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.json"
        pipeline = beam.Pipeline(options=beam_options)
        _tell(ingest(pipeline, options, manifest, due, Polling(since, revisits)), str(told))
        run_to_end(pipeline, beam_options)
        if not told.exists():
            raise DatasetError("the runner ended without telling what the cycle came to")
        by_name: dict[str, list[Any]] = {"manifest": [], "visits": [], "readings": [], "lost": []}
        for name, value in json.loads(told.read_text("utf8")):
            by_name[name].append(value)
    return Cycle(
        by_name["manifest"][0],
        [visit_from(visit) for visit in by_name["visits"]],
        [reading_from(reading) for reading in by_name["readings"]],
        dict(by_name["lost"]),
    )


def _tell(done: Ingested, path: str) -> None:
    """Have a run write what it came to; a pipeline gives nothing back itself."""
    told = (
        done.manifest | "TellManifest" >> beam.Map(lambda manifest: ("manifest", manifest)),
        done.visits | "TellVisits" >> beam.Map(lambda visit: ("visits", plain(visit))),
        done.readings | "TellReadings" >> beam.Map(lambda one: ("readings", plain(one))),
        done.lost | "TellLost" >> beam.Map(lambda dead: ("lost", (dead.uri, dead.code))),
    ) | "Told" >> beam.Flatten()
    _ = told | "AllTold" >> ToList() | "WriteTold" >> beam.Map(_write, path)


def _write(told: list[tuple[str, Any]], path: str) -> None:
    Path(path).write_text(json.dumps(told), "utf8")
