"""``stream`` on a cluster's runner: one unbounded pipeline, whose windows are its runs.

What the micro-batches of the local runner do one after the other, each a
pipeline, is here done by one: the same graph, in windows. It asks for all its
sources once a window; what a window finds in the index was written by the
windows before it, so stopping and starting it again needs nothing but the dataset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from apache_beam.options.pipeline_options import DirectOptions, StandardOptions

from pipeline.ingest import Polling
from pipeline.run import begin_manifest, ingest, new_pipeline
from pipeline.runners import run_to_end
from schemas.errors import UsageError
from transforms.addresses import same_page
from transforms.outcomes import utc_now
from transforms.visit import Revisits

if TYPE_CHECKING:
    import argparse

    from apache_beam.options.pipeline_options import PipelineOptions

    from schemas.records import PageRequest


def run(
    options: argparse.Namespace, beam_options: PipelineOptions, named: list[PageRequest]
) -> None:
    """Run until the job is stopped on its cluster, or ``--max_runtime`` is over.

    Raises UsageError for what an unbounded pipeline cannot do, NewsIngestError if
    the job fails.
    """
    if beam_options.view_as(DirectOptions).direct_running_mode == "multi_processing":
        raise UsageError("stream works in one process: leave out --direct_running_mode")
    if any(flag.startswith("--savepoint_path") for flag in options.beam_flags):
        raise UsageError("--savepoint_path: leave it out; where to go on is in the dataset")
    beam_options.view_as(StandardOptions).streaming = True
    since = utc_now()
    ends_at = options.max_runtime and since + options.max_runtime
    polling = Polling(
        since,
        Revisits(frozenset(same_page(request.uri) for request in named), frozenset(), since),
        every_s=max(1, round(options.min_poll_s)),
        ends_s=int(ends_at.timestamp()) if ends_at else None,
    )
    pipeline = new_pipeline(beam_options)
    # The job's name must not depend on when it is started: resumed, it is the same.
    ingest(pipeline, options, begin_manifest(options, []), named, polling)
    run_to_end(pipeline, beam_options)
