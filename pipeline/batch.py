"""``batch``: one bounded run, from sources to a committed run of the dataset."""

from __future__ import annotations

import dataclasses
import logging
import sys
from typing import TYPE_CHECKING, Any

from schemas.arrow import SCHEMA_VERSION
from schemas.errors import DatasetError
from schemas.ids import stable_id
from schemas.records import SOURCE_KINDS, Publisher, Source

logging.disable(logging.WARNING)  # Beam warns on import of what nobody here uses
import apache_beam as beam  # noqa: E402

logging.disable(logging.NOTSET)

from apache_beam.io.filesystems import FileSystems  # noqa: E402

from pipeline.ingest import Ingest  # noqa: E402
from pipeline.options import fetch_limits, politeness  # noqa: E402
from pipeline.progress import show_progress  # noqa: E402
from pipeline.runners import check_endpoint, run_to_end, runs_here, to_beam_options  # noqa: E402
from pipeline.summary import print_summary  # noqa: E402
from transforms import storage  # noqa: E402
from transforms.commit import claim, committed_run_ids, manifest_path, recover  # noqa: E402
from transforms.outcomes import utc_now  # noqa: E402
from transforms.sources import label_of  # noqa: E402

if TYPE_CHECKING:
    import argparse

    from apache_beam.options.pipeline_options import PipelineOptions


def run(options: argparse.Namespace) -> int:
    """Run, print the summary, and say by the exit code how it went.

    Raises UsageError for options that neither we nor Beam know, and for an
    output that is not ours to write to; DatasetError if the run did not commit.
    """
    beam_options = to_beam_options(options.runner, options.beam_flags)
    check_endpoint(beam_options)
    FileSystems.set_options(beam_options)  # s3:// and others read theirs from there
    claim(options.output)
    for run_id in recover(options.output):
        print(f"Run {run_id} had been interrupted: it is complete now.", file=sys.stderr)
    manifest = ingest(options, beam_options)
    print_summary(manifest, options.output)
    return 3 if error_ratio(manifest) > options.max_error_ratio else 0


def ingest(options: argparse.Namespace, beam_options: PipelineOptions) -> dict[str, Any]:
    """Run the graph once; the manifest as it was written."""
    dataset: str = options.output
    publishers: tuple[Publisher, ...] = options.sources or ()
    sources = [Source(kind, locator) for kind in SOURCE_KINDS for locator in getattr(options, kind)]
    for publisher in publishers:
        sources += [Source("feed", url) for url in publisher.feeds]
        sources += [Source("sitemap", url) for url in publisher.sitemaps]
        sources += [Source("url", url) for url in publisher.urls]
    limits = fetch_limits(options)
    about_run = {
        "sources": [label_of(source) for source in sources],
        "options": {"timezone": options.timezone, **dataclasses.asdict(limits)},
        "schema_version": SCHEMA_VERSION,
    }
    run_id = next_run_id(committed_run_ids(dataset), about_run)
    manifest = {
        "run_id": run_id,
        "started_at": utc_now().isoformat(timespec="seconds"),
        **about_run,
    }
    pipeline = beam.Pipeline(options=beam_options)
    _ = (
        pipeline
        | "Sources" >> beam.Create(sources)
        | "Ingest"
        >> Ingest(
            dataset,
            manifest,
            limits,
            politeness(options),
            timezone=options.timezone,
            since=options.since,
            domains=frozenset(options.domain),
            publishers=publishers,
        )
    )
    with show_progress(counted=runs_here(beam_options)):
        run_to_end(pipeline, beam_options)
    path = storage.join(dataset, manifest_path(run_id))
    if not storage.exists(path):
        raise DatasetError(
            f"the runner ended without writing {path}, so nothing can be said of the run: "
            "start it again, it goes on where this one stopped"
        )
    written: dict[str, Any] = storage.read_json(path)
    return written


def next_run_id(earlier: list[str], about_run: dict[str, Any]) -> str:
    """The id follows from the dataset so far and what the run works on.

    A run that was killed before its commit gets the same id, and so the same
    file names, when it is started again.
    """
    last = earlier[-1] if earlier else "000000"
    number = int(last.partition("-")[0]) + 1
    return f"{number:06d}-{stable_id('run', last, repr(sorted(about_run.items())))[:8]}"


def error_ratio(manifest: dict[str, Any]) -> float:
    """The share of the pages that failed, 0..1."""
    counts = manifest["counts"]
    return counts["pages_failed"] / counts["pages"] if counts["pages"] else 0.0
