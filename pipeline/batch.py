"""``batch``: one bounded run, from sources to a committed run of the dataset."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from pipeline.dry_run import planned_lines
from pipeline.progress import show_progress
from pipeline.replay import dead_requests
from pipeline.run import begin_manifest, ingest, new_pipeline, prepare, sources_of
from pipeline.runners import run_to_end, runs_here, to_beam_options
from pipeline.summary import print_summary
from schemas.errors import DatasetError, NewsIngestError
from transforms import storage
from transforms.commit import committed_run_ids
from transforms.manifests import manifest_path

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from apache_beam.options.pipeline_options import PipelineOptions

    from schemas.records import PageRequest, Source


def run(options: argparse.Namespace) -> int:
    """Run, print the summary, and say by the exit code how it went.

    Raises UsageError for options that neither we nor Beam know, and for an
    output that is not ours to write to; DatasetError if the run did not commit.
    """
    if options.dry_run:
        to_beam_options(options.runner, options.beam_flags)  # what is wrong there is told, too
        replays = options.retry_dead_letters
        for line in planned_lines(
            sources_of(options),
            options.output,
            replays=replays,
            public_only=not options.allow_private_hosts,
        ):
            print(line)
        return 0
    with prepare(options) as beam_options:
        manifest = run_once(options, beam_options)
    print_summary(manifest, options.output)
    if options.summary_json:
        _write_summary(options.summary_json, manifest)
    if error_ratio(manifest) <= options.max_error_ratio:
        return 0
    counts = manifest["counts"]
    print(
        f"news-ingest: {counts['pages_failed']:,} of {counts['pages']:,} pages failed, more than "
        f"--max_error_ratio {options.max_error_ratio:g} allows",
        file=sys.stderr,
    )
    return 3


def run_once(options: argparse.Namespace, beam_options: PipelineOptions) -> dict[str, Any]:
    """Run the graph over all sources; the manifest as it was written."""
    manifest = begin_manifest(options, committed_run_ids(options.output))
    pipeline = new_pipeline(beam_options)
    asked: list[Source | PageRequest] = [*sources_of(options)]
    if options.retry_dead_letters:
        replay = dead_requests(options.output)
        asked += [request for request, _ in replay.requests]
        manifest["retried"] = len(replay.requests)
    ingest(pipeline, options, manifest, asked)
    with show_progress(counted=runs_here(beam_options)):
        run_to_end(pipeline, beam_options)
    path = storage.join(options.output, manifest_path(manifest["run_id"]))
    if not storage.exists(path):
        raise DatasetError(
            f"the runner ended without writing {path}, so nothing can be said of the run: "
            "start it again, it goes on where this one stopped"
        )
    written: dict[str, Any] = storage.read_json(path)
    return written


def _write_summary(file: Path, manifest: dict[str, Any]) -> None:
    try:
        file.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", "utf8")
    except OSError as error:
        raise NewsIngestError(
            f"--summary_json {file}: {error.strerror}; the run itself is complete"
        ) from error


def error_ratio(manifest: dict[str, Any]) -> float:
    """The share of the pages that failed, 0..1."""
    counts = manifest["counts"]
    return counts["pages_failed"] / counts["pages"] if counts["pages"] else 0.0
