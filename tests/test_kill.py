"""Killed again and again: nothing lost, nothing doubled, nothing left behind.

    KILLS=20 pytest -n0 -s tests/test_kill.py

is the long form, at random moments and over some thousand entries; without it a small run
is killed once while it stages and once while it commits.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.corpus import ZONE, write_pages
from pipeline.dataset import open_dataset
from transforms.check import Fault, find_faults
from transforms.commit import recover
from transforms.manifests import MARKER

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
KILLS = int(os.environ.get("KILLS", "2"))
LONG = KILLS > 2
PAGES = 240 if LONG else 40
MOMENTS = ("_staging/*", "_runs/*")
VARYING = {"run_id", "failed_at"}
"""A run that was killed after its commit has a successor; a failure has its own moment."""


def start(dataset: Path, pages: Path) -> subprocess.Popen[bytes]:
    words = ["--input", str(pages), "--timezone", ZONE, "--output", str(dataset)]
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", "batch", *words, "--max_error_ratio", "1"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def run_to_end(dataset: Path, pages: Path) -> float:
    """Seconds."""
    started_s = time.monotonic()
    with start(dataset, pages) as process:
        _, err = process.communicate()
    assert process.returncode == 0, err.decode()
    return time.monotonic() - started_s


def run_and_kill(dataset: Path, pages: Path, after: str, delay_s: float) -> bool:
    """Whether it was killed, so long after a file like this was first there; "" is at once."""
    with start(dataset, pages) as process:
        while after and process.poll() is None and not any(dataset.glob(after)):
            time.sleep(0.002)
        deadline_s = time.monotonic() + delay_s
        while process.poll() is None and time.monotonic() < deadline_s:
            time.sleep(0.001)
        process.kill()
        process.communicate()
    return process.returncode == -9


def rows(dataset: Path) -> dict[str, list[Any]]:
    return {
        table: sorted(
            (
                [value for name, value in one.items() if name not in VARYING]
                for one in open_dataset(str(dataset), table).to_table().to_pylist()
            ),
            key=repr,
        )
        for table in ("entries", "duplicates", "dead_letters")
    }


def files(dataset: Path) -> list[str]:
    """All that is there but the manifests, without the runs' own names."""
    return sorted(
        path.relative_to(dataset).as_posix().partition("part-")[0]
        for path in dataset.rglob("*")
        if path.is_file() and path.parent.name != "_runs"
    )


def killed_at(dataset: Path, pages: Path, after: str, delay_s: float) -> bool:
    """Kill one run; what it leaves is sound, and a repair makes a copy of it whole."""
    was_killed = run_and_kill(dataset, pages, after, delay_s)
    if dataset.exists():
        assert [fault for fault in faults(dataset) if fault.kind != "unfinished"] == []
        copy = dataset.with_name("copy")
        shutil.copytree(dataset, copy)
        recover(str(copy))
        assert faults(copy) == []
        shutil.rmtree(copy)
    return was_killed


def faults(dataset: Path) -> list[Fault]:
    """But for the marker, which is the very first that a run writes."""
    return [fault for fault in find_faults(str(dataset)) if fault.path != MARKER]


def moments(took_s: float) -> Iterator[tuple[str, float]]:
    if not LONG:
        yield from ((pattern, 0.0) for pattern in MOMENTS)
        return
    rng = random.Random(KILLS)
    for _ in range(KILLS // 4):
        yield "", rng.uniform(0, took_s)
        yield "_staging/*", rng.uniform(0, took_s / 10)  # where it matters most


def test_killed_again_and_again_it_ends_as_if_undisturbed(tmp_path: Path) -> None:
    pages, undisturbed, dataset = (tmp_path / name for name in ("pages", "whole", "killed"))
    killed = 0
    for count in (PAGES, PAGES * 5 // 4) if LONG else (PAGES,):
        write_pages(pages, count)
        for page in pages.rglob("*"):
            os.utime(page, (1_780_000_000, 1_780_000_000))
        took_s = run_to_end(undisturbed, pages)
        before = tmp_path / "before"
        if dataset.exists():
            shutil.copytree(dataset, before)
        for after, wait_s in moments(took_s):
            delay_s = wait_s
            while not killed_at(dataset, pages, after, delay_s):
                delay_s /= 2  # it had ended: from the start again, and sooner
                shutil.rmtree(dataset)
                if before.exists():
                    shutil.copytree(before, dataset)
            killed += 1
        run_to_end(dataset, pages)
        assert list(find_faults(str(dataset))) == []
        assert rows(dataset) == rows(undisturbed)
        assert files(dataset) == files(undisturbed)
    print(f"{killed} runs killed, {sum(map(len, rows(dataset).values()))} rows in the end")
    assert killed == KILLS
