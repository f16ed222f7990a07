"""Runners: Beam's options from what the user typed, and a run to its end on any of them."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import re
import socket
import sys
import tempfile
from typing import TYPE_CHECKING

import apache_beam as beam
import grpc  # type: ignore[import-untyped]
from apache_beam.options.pipeline_options import (
    DirectOptions,
    PipelineOptions,
    PortableOptions,
    StandardOptions,
)
from apache_beam.runners.runner import PipelineRunner, create_runner

from schemas.errors import DatasetError, NewsIngestError, UsageError
from transforms import storage

if TYPE_CHECKING:
    from collections.abc import Iterator

_IN_PROCESS_RUNNERS = re.compile(
    r"(?:.*\.)?(?:FnApi|Direct|BundleBasedDirect)(?:Runner)?", re.IGNORECASE
)
_LOG_LEVEL = "--default_sdk_harness_log_level"
_WHOLE_BUNDLES = "--finish_bundle_before_checkpointing"
"""Without it Beam's runner for Flink sends on, after a checkpoint, what it held during it:
too late for its window, and lost."""

_ENDPOINT_TIMEOUT_S = 5.0
_LOCAL_RUNNERS = re.compile(
    r"(?:.*\.)?(?:FnApi|Direct|BundleBasedDirect|Prism)Runner", re.IGNORECASE
)


def to_beam_options(runner: str, flags: list[str]) -> PipelineOptions:
    """Beam's options from what the user typed.

    Options that Beam does not know are an error on a local runner; a portable
    runner may know more, so there they are passed on.

    Raises UsageError.
    """
    # Workers in processes of their own would tell of every step they take.
    # WARN is a level to Python and to the job servers, which are in Java; WARNING is not.
    quiet = [] if any(_LOG_LEVEL in flag for flag in flags) else [f"{_LOG_LEVEL}=WARN"]
    if "Flink" in runner and _WHOLE_BUNDLES not in flags:
        quiet.append(_WHOLE_BUNDLES)
    complaint = io.StringIO()
    logging.disable(logging.WARNING)
    # Of unknown options we tell ourselves.
    logging.getLogger("apache_beam.options.pipeline_options").setLevel(logging.ERROR)
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
    if options.view_as(DirectOptions).direct_running_mode == "multi_processing":
        _check_interpreter()
    try:
        beam.Pipeline(options=options)  # it knows which options contradict one another
    except (ValueError, ImportError) as error:
        raise UsageError(f"{storage.reason(error)} (an option of Apache Beam)") from error
    return options


def _check_interpreter() -> None:
    """Raises UsageError where Beam could not start workers and would wait for ever.

    It hands the interpreter's path to a shell without quotes.
    """
    if re.search(r"\s", sys.executable):
        raise UsageError(
            "--direct_running_mode=multi_processing does not work from a path with spaces, "
            f"such as {sys.executable}: use multi_threading, or move the folder"
        )


def runs_here(options: PipelineOptions) -> bool:
    """Whether the workers are threads of this process."""
    runner = options.view_as(StandardOptions).runner
    mode = options.view_as(DirectOptions).direct_running_mode
    return bool(_IN_PROCESS_RUNNERS.fullmatch(runner)) and mode != "multi_processing"


def run_to_end(pipeline: beam.Pipeline, options: PipelineOptions) -> None:
    """Run to the end; raises NewsIngestError if a runner elsewhere does not do it.

    In this process a failure is a bug, and its traceback is wanted.
    """
    try:
        with _quiet_processes(), _quiet_steps():
            pipeline.run().wait_until_finish()
    except DatasetError as error:  # Beam adds the name of the step
        raise DatasetError(str(error).partition(" [while running")[0]) from error
    except (RuntimeError, OSError, grpc.RpcError, grpc.FutureTimeoutError) as error:
        if "KeyboardInterrupt" in str(error):  # Beam makes it an error of the step it hit
            raise KeyboardInterrupt from error
        if runs_here(options):
            raise
        runner = options.view_as(StandardOptions).runner
        reason = storage.reason(error) or type(error).__name__
        raise NewsIngestError(f"--runner {runner}: {reason}") from error


@contextlib.contextmanager
def _quiet_steps() -> Iterator[None]:
    """Keep Beam from logging, with its traceback, what ends as one line."""

    def is_unexpected(record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], NewsIngestError))

    logger = logging.getLogger("apache_beam.runners.common")
    logger.addFilter(is_unexpected)
    try:
        yield
    finally:
        logger.removeFilter(is_unexpected)


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


def check_endpoint(options: PipelineOptions) -> None:
    """Raises NewsIngestError if nobody answers at the job endpoint; Beam would ask for minutes."""
    endpoint = options.view_as(PortableOptions).job_endpoint
    if not (match := re.fullmatch(r"\[?([^\]/]+)\]?:(\d+)", endpoint or "")):
        return
    try:
        socket.create_connection((match[1], int(match[2])), timeout=_ENDPOINT_TIMEOUT_S).close()
    except (OSError, OverflowError) as error:
        raise NewsIngestError(f"--job_endpoint {endpoint}: {error}; is it running?") from error
