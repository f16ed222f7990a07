"""``batch``: one bounded run, from sources to a committed run of the dataset."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import logging
import os
import re
import socket
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from schemas.arrow import SCHEMA_VERSION
from schemas.errors import DatasetError, NewsIngestError, UsageError
from schemas.ids import stable_id
from schemas.records import SOURCE_KINDS, Publisher, Source

logging.disable(logging.WARNING)  # Beam warns on import of what nobody here uses
import apache_beam as beam  # noqa: E402
import grpc  # type: ignore[import-untyped]  # noqa: E402
from apache_beam.io.filesystems import FileSystems  # noqa: E402
from apache_beam.options.pipeline_options import (  # noqa: E402
    DirectOptions,
    PipelineOptions,
    PortableOptions,
    StandardOptions,
)
from apache_beam.runners.runner import PipelineRunner, create_runner  # noqa: E402

logging.disable(logging.NOTSET)

from pipeline.ingest import Ingest  # noqa: E402
from pipeline.options import fetch_limits, politeness  # noqa: E402
from pipeline.progress import show_progress  # noqa: E402
from pipeline.summary import print_summary  # noqa: E402
from transforms import storage  # noqa: E402
from transforms.commit import claim, committed_run_ids, manifest_path, recover  # noqa: E402
from transforms.outcomes import utc_now  # noqa: E402
from transforms.sources import label_of  # noqa: E402

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_IN_PROCESS_RUNNERS = re.compile(
    r"(?:.*\.)?(?:FnApi|Direct|BundleBasedDirect)(?:Runner)?", re.IGNORECASE
)
_LOG_LEVEL = "--default_sdk_harness_log_level"
_ENDPOINT_TIMEOUT_S = 5.0
_LOCAL_RUNNERS = re.compile(
    r"(?:.*\.)?(?:FnApi|Direct|BundleBasedDirect|Prism)Runner", re.IGNORECASE
)


def run(options: argparse.Namespace) -> int:
    """Run, print the summary, and say by the exit code how it went.

    Raises UsageError for options that neither we nor Beam know, and for an
    output that is not ours to write to; DatasetError if the run did not commit.
    """
    beam_options = to_beam_options(options.runner, options.beam_flags)
    _check_endpoint(beam_options)
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
    with show_progress(counted=_runs_here(beam_options)):
        _run(pipeline, beam_options)
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
    failed = counts.get("pages_failed", 0)
    pages = failed + counts["pages_split"] + counts.get("not_modified", 0)
    return failed / pages if pages else 0.0


def to_beam_options(runner: str, flags: list[str]) -> PipelineOptions:
    """Beam's options from what the user typed.

    Options that Beam does not know are an error on a local runner; a portable
    runner may know more, so there they are passed on.

    Raises UsageError.
    """
    # Workers in processes of their own would tell of every step they take.
    quiet = [] if any(_LOG_LEVEL in flag for flag in flags) else [f"{_LOG_LEVEL}=WARNING"]
    complaint = io.StringIO()
    logging.disable(logging.WARNING)  # of unknown options we tell ourselves
    try:
        with contextlib.redirect_stderr(complaint):
            options = PipelineOptions([f"--runner={runner}", *quiet, *flags])
            known = options.get_all_options()
            unknown = options.get_all_options(retain_unknown_options=True).keys() - known.keys()
    except SystemExit as error:
        reason = complaint.getvalue().strip().rpartition("error: ")[2]
        raise UsageError(f"{reason} (an option of Apache Beam)") from error
    finally:
        logging.disable(logging.NOTSET)
    try:
        fits = isinstance(create_runner(runner), PipelineRunner)
    except (ValueError, ImportError, AttributeError, TypeError) as error:
        raise UsageError(f"--runner {runner}: {storage.reason(error)}") from error
    if not fits:
        raise UsageError(f"--runner {runner}: is no runner of Apache Beam")
    if unknown and _LOCAL_RUNNERS.fullmatch(runner):
        raise UsageError(f"unknown option --{min(unknown)} (see news-ingest batch --help)")
    stray = [
        word
        for before, word in zip(["", *flags], flags, strict=False)
        if not word.startswith("-") and (not before.startswith("-") or "=" in before)
    ]
    if stray:
        raise UsageError(f"{stray[0]!r} belongs to no option (see news-ingest batch --help)")
    try:
        beam.Pipeline(options=options)  # it knows which options contradict one another
    except (ValueError, ImportError) as error:
        raise UsageError(f"{storage.reason(error)} (an option of Apache Beam)") from error
    return options


def _runs_here(options: PipelineOptions) -> bool:
    """Whether the workers are threads of this process."""
    runner = options.view_as(StandardOptions).runner
    mode = options.view_as(DirectOptions).direct_running_mode
    return bool(_IN_PROCESS_RUNNERS.fullmatch(runner)) and mode != "multi_processing"


def _run(pipeline: beam.Pipeline, options: PipelineOptions) -> None:
    """Run to the end; raises NewsIngestError if a runner elsewhere does not do it.

    In this process a failure is a bug, and its traceback is wanted.
    """
    try:
        with _quiet_processes():
            pipeline.run().wait_until_finish()
    except (RuntimeError, OSError, grpc.RpcError, grpc.FutureTimeoutError) as error:
        if "KeyboardInterrupt" in str(error):  # Beam makes it an error of the step it hit
            raise KeyboardInterrupt from error
        if _runs_here(options):
            raise
        runner = options.view_as(StandardOptions).runner
        reason = storage.reason(error) or type(error).__name__
        raise NewsIngestError(f"--runner {runner}: {reason}") from error


@contextlib.contextmanager
def _quiet_processes() -> Iterator[None]:
    """Have workers that are processes of their own tell of errors only.

    Beam hands them no options, but they look into a file that the environment names.
    """
    levels = {
        _LOG_LEVEL.lstrip("-"): "ERROR",
        "sdk_harness_log_level_overrides": {"trafilatura": "CRITICAL"},
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(levels, file)
        file.flush()
        os.environ.setdefault("PIPELINE_OPTIONS_FILE", file.name)
        try:
            yield
        finally:
            if os.environ["PIPELINE_OPTIONS_FILE"] == file.name:
                del os.environ["PIPELINE_OPTIONS_FILE"]


def _check_endpoint(options: PipelineOptions) -> None:
    """Raises NewsIngestError if nobody answers at the job endpoint; Beam would ask for minutes."""
    endpoint = options.view_as(PortableOptions).job_endpoint
    if not (match := re.fullmatch(r"\[?([^\]/]+)\]?:(\d+)", endpoint or "")):
        return
    try:
        socket.create_connection((match[1], int(match[2])), timeout=_ENDPOINT_TIMEOUT_S).close()
    except (OSError, OverflowError) as error:
        raise NewsIngestError(f"--job_endpoint {endpoint}: {error}; is it running?") from error
