from __future__ import annotations

import sys
import time

import pytest

from pipeline import progress as shown
from transforms.outcomes import progress


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
    assert lines[-1].endswith(" s  3 entries found, 1,200 pages fetched")


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
