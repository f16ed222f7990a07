"""``batch``: one bounded run, from sources to a committed run of the dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.progress import show_progress
from pipeline.run import begin_manifest, ingest, new_pipeline, prepare, sources_of
from pipeline.runners import run_to_end, runs_here
from pipeline.summary import print_summary
from schemas.errors import DatasetError
from transforms import storage
from transforms.commit import committed_run_ids
from transforms.manifests import manifest_path

if TYPE_CHECKING:
    import argparse

    from apache_beam.options.pipeline_options import PipelineOptions


def run(options: argparse.Namespace) -> int:
    """Run, print the summary, and say by the exit code how it went.

    Raises UsageError for options that neither we nor Beam know, and for an
    output that is not ours to write to; DatasetError if the run did not commit.
    """
    with prepare(options) as beam_options:
        manifest = run_once(options, beam_options)
    print_summary(manifest, options.output)
    return 3 if error_ratio(manifest) > options.max_error_ratio else 0


def run_once(options: argparse.Namespace, beam_options: PipelineOptions) -> dict[str, Any]:
    """Run the graph over all sources; the manifest as it was written."""
    manifest = begin_manifest(options, committed_run_ids(options.output))
    pipeline = new_pipeline(beam_options)
    ingest(pipeline, options, manifest, sources_of(options))
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


def error_ratio(manifest: dict[str, Any]) -> float:
    """The share of the pages that failed, 0..1."""
    counts = manifest["counts"]
    return counts["pages_failed"] / counts["pages"] if counts["pages"] else 0.0
