"""Poll: the next window begins when the run of the one before is committed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.sdf_utils import RestrictionTrackerView, ThreadsafeRestrictionTracker
from apache_beam.transforms.window import GlobalWindow, IntervalWindow, TimestampedValue

from pipeline.ingest import Polling
from pipeline.options import parse
from pipeline.run import begin_manifest, ingest
from transforms.commit import commit_run, run_in
from transforms.outcomes import utc_now
from transforms.polls import _Asked, _Poll, _Seconds
from transforms.visit import Revisits

RUN = "000001-abcdef01"
EVERY_S = 10


class Job:
    """A job whose clock a test sets; each step is what a runner does between two waits."""

    def __init__(self, dataset: Path, monkeypatch: pytest.MonkeyPatch, ends_s: int) -> None:
        self._poll = _Poll(str(dataset), RUN, EVERY_S)
        self._asked = _Asked(["a page"], ends_s)
        self._left = _Seconds().initial_restriction(self._asked)
        self._monkeypatch = monkeypatch
        self.watermark = ManualWatermarkEstimator(None)
        self.is_over = False
        self.waits_s = 0

    def step(self, now_s: int) -> list[TimestampedValue[Any]]:
        self._monkeypatch.setattr(time, "time", lambda: now_s + 0.5)
        tracker = ThreadsafeRestrictionTracker(_Seconds().create_tracker(self._left))
        view = RestrictionTrackerView(tracker)
        asked = list(self._poll.process(self._asked, view, self.watermark))
        deferred = tracker.deferred_status()
        self.is_over = deferred is None
        if deferred:
            self._left, wait = deferred
            self.waits_s = wait.micros // 1_000_000
        return asked


def commit(dataset: Path, begin_s: int) -> None:
    run_id = run_in(RUN, IntervalWindow(begin_s, begin_s + EVERY_S))
    commit_run(str(dataset), {"run_id": run_id}, [])


def test_a_window_waits_for_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job(tmp_path, monkeypatch, ends_s=1 << 40)
    (first,) = job.step(1003)
    assert first.value == ["a page"]
    assert first.timestamp == 1003
    assert job.watermark.current_watermark() == 1010  # its window is closed
    assert job.waits_s == EVERY_S
    assert job.step(1013) == []  # not committed
    assert job.waits_s == 1
    assert job.step(1030) == []
    commit(tmp_path, 1000)
    (second,) = job.step(1031)
    assert second.timestamp == 1031
    commit(tmp_path, 1030)
    assert job.step(1038) == []  # not time yet
    assert job.waits_s == 3
    (third,) = job.step(1041)
    assert third.timestamp == 1041
    assert not job.is_over


def test_a_job_that_is_started_again_leaves_a_window_that_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(tmp_path, 1000)
    job = Job(tmp_path, monkeypatch, ends_s=1 << 40)
    assert job.step(1007) == []
    assert job.waits_s == 3
    (asked,) = job.step(1010)
    assert asked.timestamp == 1010


def test_a_job_ends_when_its_time_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job(tmp_path, monkeypatch, ends_s=1010)
    assert len(job.step(1003)) == 1
    assert job.waits_s == 7
    commit(tmp_path, 1000)
    assert job.step(1010) == []
    assert job.is_over


def test_the_run_of_a_window_is_named_by_the_window_and_its_job() -> None:
    assert run_in(RUN, GlobalWindow()) == RUN
    assert run_in(RUN, IntervalWindow(1795383650, 1795383660)) == "1795383650-abcdef01"


def test_nothing_in_the_unbounded_graph_waits_for_a_side_input(tmp_path: Path) -> None:
    options = parse(["stream", "--url", "https://a.example/", "--output", str(tmp_path)])
    pipeline = beam.Pipeline("FnApiRunner")
    polling = Polling(utc_now(), Revisits(frozenset(), frozenset(), utc_now()), every_s=EVERY_S)
    ingest(pipeline, options, begin_manifest(options, []), [], polling)
    transforms = pipeline.to_runner_api().components.transforms.values()
    steps = {
        one.unique_name: beam_runner_api_pb2.ParDoPayload.FromString(one.spec.payload)
        for one in transforms
        if one.spec.urn == common_urns.primitives.PAR_DO.urn
    }
    assert len(steps) > 50
    assert [name for name, step in steps.items() if step.side_inputs] == []
