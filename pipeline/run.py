"""One run of the Ingest graph: what ``batch`` does once, and ``stream`` again and again."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import sys
from typing import TYPE_CHECKING, Any

from schemas.arrow import SCHEMA_VERSION
from schemas.records import SOURCE_KINDS, Publisher, Source

logging.disable(logging.WARNING)  # Beam warns on import of what nobody here uses
import apache_beam as beam  # noqa: E402

logging.disable(logging.NOTSET)

from apache_beam.io.filesystems import FileSystems  # noqa: E402

from pipeline.ingest import Ingest, Ingested, Polling  # noqa: E402
from pipeline.options import fetch_limits, politeness  # noqa: E402
from pipeline.runners import check_endpoint, to_beam_options  # noqa: E402
from transforms.commit import claim, next_run_id, recover  # noqa: E402
from transforms.lock import dataset_lock  # noqa: E402
from transforms.outcomes import utc_now  # noqa: E402
from transforms.sources import label_of  # noqa: E402

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from apache_beam.options.pipeline_options import PipelineOptions

    from schemas.records import PageRequest


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
        for run_id in recover(options.output):
            print(f"Run {run_id} had been interrupted: it is complete now.", file=sys.stderr)
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
            **dataclasses.asdict(fetch_limits(options)),
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
    sources = pipeline | "Sources" >> beam.Create(list(asked))
    done: Ingested = sources | "Ingest" >> Ingest(
        options.output,
        manifest,
        fetch_limits(options),
        politeness(options),
        timezone=options.timezone,
        since=options.since,
        domains=frozenset(getattr(options, "domain", ())),
        publishers=publishers,
        polling=polling,
    )
    return done
