from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.metrics.metric import MetricsFilter

from pipeline import progress as shown
from transforms.counters import NAMESPACE, progress
from transforms.write import _CommitRun


def test_piped_progress_is_plain_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shown, "_PLAIN_EVERY_S", 0.05)
    with shown.show_progress():
        progress.add("pages fetched", 1200)
        time.sleep(0.2)
        progress.add("entries found", 3)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith(" s  1,200 pages fetched")
    assert lines[-1].endswith(" s  1,200 pages fetched, 3 entries found")


def test_each_run_counts_from_zero(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        with shown.show_progress():
            progress.add("pages fetched")
    assert capsys.readouterr().err.splitlines()[-1].endswith(" 1 pages fetched")


def test_a_terminal_gets_one_live_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(shown, "_LIVE_EVERY_S", 0.02)
    with shown.show_progress():
        progress.add("pages fetched", 7)
        time.sleep(0.2)
    assert "\r" in capsys.readouterr().err


def test_work_elsewhere_is_not_counted_as_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with shown.show_progress(counted=False):
        pass
    assert "no live counts" in capsys.readouterr().err


def test_what_waits_and_how_long_it_will_take() -> None:
    counts = Counter(
        {"entries found": 3400, "feeds read": 2, "pages fetched": 1200, "pages failed": 2}
    )
    told = "1,200 pages fetched, 2 pages failed, 3,400 entries found, 2 feeds read"
    assert shown.progress_line(counts, 0, 5.0) == told
    assert shown.progress_line(counts, 120, 0.0) == f"{told}, 120 waiting"
    waits = f"{told}, 120 waiting, 4.0 pages/s, about 30 s left"
    assert shown.progress_line(counts, 120, 4.0) == waits
    assert shown.progress_line(counts, 12_000, 4.0).endswith("about 50 min left")
    assert shown.progress_line(counts, 120_000, 4.0).endswith("about 8.3 h left")
    assert shown.progress_line(Counter(), 0, 0.0) == "starting"


def _count(n: int) -> int:
    progress.add("pages fetched", n)
    return n


def counters_of(transform: beam.PTransform[Any, Any], *elements: Any) -> dict[str, int]:
    pipeline = beam.Pipeline("FnApiRunner")
    _ = pipeline | beam.Create(elements) | transform
    result = pipeline.run()
    result.wait_until_finish()
    counters = result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))["counters"]
    return {counter.key.metric.name: counter.committed for counter in counters}


def test_the_same_counters_are_metrics_of_beam() -> None:
    assert counters_of(beam.Map(_count), 3, 4) == {"pages_fetched": 7}


def test_a_commit_tells_the_counts_of_its_manifest(tmp_path: Path) -> None:
    commit = _CommitRun(str(tmp_path), {"run_id": "000001-abcdef01"}, even_empty=True)
    counts = (None, [("pages", 3), ("topic_sport", 2)])
    assert counters_of(beam.ParDo(commit), counts) == {
        "manifest_pages": 3,
        "manifest_topic_sport": 2,
    }
