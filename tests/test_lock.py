"""One writer at a time, and none that is gone is waited for."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.__main__ import main
from schemas.errors import DatasetError, UsageError
from transforms import lock
from transforms.lock import LOCK, STALE_S, dataset_lock

ROOT = Path(__file__).parent.parent


def test_a_second_writer_is_told_who_writes(tmp_path: Path) -> None:
    with dataset_lock(str(tmp_path / "set"), "batch"):
        about = json.loads((tmp_path / "set" / LOCK).read_text())
        assert about["pid"] == os.getpid()
        with pytest.raises(DatasetError) as caught, dataset_lock(str(tmp_path / "set"), "compact"):
            pass
        assert str(caught.value) == (
            f"{tmp_path / 'set'} is in use: batch by process {os.getpid()} on {about['host']} "
            f"since {about['since']}; start again when it is done"
        )
        assert [path.name for path in (tmp_path / "set").iterdir()] == [LOCK]
    assert list((tmp_path / "set").iterdir()) == []
    with dataset_lock(str(tmp_path / "set"), "compact"):
        pass


def test_batch_says_so_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "a.txt"
    page.write_text("The ferry runs again.")
    with dataset_lock(str(tmp_path / "set"), "stream"):
        assert main(["batch", "--input", str(page), "--output", str(tmp_path / "set")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"news-ingest: {tmp_path / 'set'} is in use: stream by process ")


HOLD = """
import sys, time
from transforms.lock import dataset_lock
with dataset_lock(sys.argv[1], "batch"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_killed_writer_blocks_nobody_on_its_machine(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(DatasetError, match=f"process {process.pid} on"):
            dataset_lock(str(tmp_path), "batch").__enter__()
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (tmp_path / LOCK).exists()
    with dataset_lock(str(tmp_path), "batch"):
        assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", ['{"host": "elsewhere", "pid": 1, "command": "batch", "since": "x"}', "{"]
)
def test_a_writer_elsewhere_counts_as_gone_when_it_has_been_silent(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / LOCK
    path.write_text(content)
    with pytest.raises(DatasetError, match="or when it has been silent for 300 s"):
        dataset_lock(str(tmp_path), "batch").__enter__()
    assert path.read_text() == content
    os.utime(path, (0, time.time() - STALE_S - 1))
    with dataset_lock(str(tmp_path), "batch"):
        assert json.loads(path.read_text())["pid"] == os.getpid()


def test_a_clock_that_was_set_takes_no_lock_from_a_writer_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / LOCK
    path.write_text('{"host": "elsewhere", "pid": 1, "command": "batch", "since": "x"}')
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 10_000_000)
    with pytest.raises(DatasetError, match="elsewhere"):
        dataset_lock(str(tmp_path), "batch").__enter__()
    ahead_s = real() + 10_000_000
    os.utime(path, (ahead_s, ahead_s))
    with pytest.raises(DatasetError, match=f"if it is gone, delete {path}: a clock was set back"):
        dataset_lock(str(tmp_path), "batch").__enter__()


@pytest.mark.parametrize("handler", [signal.default_int_handler, signal.SIG_IGN])
def test_the_heart_beats_and_a_lost_lock_ends_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, handler: Any
) -> None:
    monkeypatch.setattr(lock, "HEARTBEAT_S", 0.02)
    path = tmp_path / LOCK

    def work() -> None:
        with dataset_lock(str(tmp_path), "batch"):
            os.utime(path, (0, 0))
            while path.stat().st_mtime == 0:
                time.sleep(0.01)
            (tmp_path / "theirs").write_text("{}")
            (tmp_path / "theirs").replace(path)
            time.sleep(10)

    before = signal.signal(signal.SIGINT, handler)
    try:
        with pytest.raises(DatasetError, match="taken over by another writer"):
            work()
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert path.read_text() == "{}"


def _try(folder: str, started: float, results: multiprocessing.Queue[str]) -> None:
    time.sleep(max(0, started - time.time()))
    try:
        with dataset_lock(folder, "batch"):
            time.sleep(0.5)
            results.put("held")
    except DatasetError:
        results.put("refused")


@pytest.mark.parametrize("stale", [False, True], ids=["none", "one that is gone"])
def test_of_many_at_once_one_gets_it(tmp_path: Path, stale: bool) -> None:
    if stale:
        (tmp_path / LOCK).write_text("{")
        os.utime(tmp_path / LOCK, (0, 0))
    context = multiprocessing.get_context("fork")
    results: multiprocessing.Queue[str] = context.Queue()
    at = time.time() + 0.2
    tries = [context.Process(target=_try, args=(str(tmp_path), at, results)) for _ in range(8)]
    for one in tries:
        one.start()
    found = sorted(results.get(timeout=60) for _ in tries)
    for one in tries:
        one.join()
    assert found == ["held"] + ["refused"] * 7


def test_a_folder_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds files but no dataset"):
        dataset_lock(str(tmp_path), "batch").__enter__()
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_whoever_is_alone_may_say_so(tmp_path: Path) -> None:
    with dataset_lock(str(tmp_path), "batch", sole_writer=True):
        assert list(tmp_path.iterdir()) == []
