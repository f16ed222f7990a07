"""What goes wrong around a dataset is said clearly, and what was there before still reads."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.__main__ import main
from pipeline.dataset import open_dataset
from tests.datasets import add_run
from tests.factories import row
from transforms.check import find_faults

ROOT = Path(__file__).parent.parent


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    add_run(tmp_path / "set", [row()])
    return tmp_path / "set"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    text = " ".join(f"The ferry number {n} runs again." for n in range(2000))
    path.write_text(f"<html lang=en><title>Ferry</title><h1>Ferry</h1><p>{text}</p>")
    return path


def batch(dataset: Path, page: Path, file_bytes_max: int) -> subprocess.CompletedProcess[str]:
    """A run on a machine where no file can be larger, as if the disk were full."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes_max, file_bytes_max))

    words = ["--input", str(page), "--output", str(dataset)]
    # Coverage could not write its file either, and would say so.
    unmeasured = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    return subprocess.run(
        [sys.executable, "-m", "pipeline", "batch", *words],
        cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=limit, env=unmeasured,
    )  # fmt: skip


def test_a_full_disk_is_said_and_the_next_run_goes_on(dataset: Path, page: Path) -> None:
    done = batch(dataset, page, 3000)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("news-ingest: ")]
    assert "File too large" in line
    assert str(dataset) in line
    assert "Traceback" not in done.stderr
    assert open_dataset(str(dataset)).to_table()["entry_id"].to_pylist() == ["e1"]
    assert main(["batch", "--input", str(page), "--output", str(dataset)]) == 0
    assert open_dataset(str(dataset)).count_rows() == 2
    assert list(find_faults(str(dataset))) == []


def test_a_folder_that_cannot_be_written_to(
    dataset: Path, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = open_dataset(str(dataset)).to_table()
    os.utime(page, (1_780_000_000, 1_780_000_000))
    obstacle = dataset / "entries/date=2026-05-28"
    obstacle.write_text("a file where a folder is needed")
    for _ in range(2):  # while it commits, and when the next run wants to complete it
        assert main(["batch", "--input", str(page), "--output", str(dataset)]) == 1
        err = capsys.readouterr().err
        assert err.splitlines()[-1].startswith(f"news-ingest: {dataset} cannot be written to: ")
        assert "Traceback" not in err
        assert open_dataset(str(dataset)).to_table().equals(before)
    obstacle.unlink()
    assert main(["check", str(dataset), "--repair"]) == 0
    assert open_dataset(str(dataset)).count_rows() == 2


def test_a_foreign_file_in_a_partition_is_neither_read_nor_deleted(
    dataset: Path, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = dataset / "entries/date=2026-05-12/topic=politics/mine.parquet"
    mine.write_text("mine")
    add_run(dataset, [row(entry_id="e2")])
    assert main(["compact", str(dataset)]) == 0
    assert mine.read_text() == "mine"
    assert open_dataset(str(dataset)).count_rows() == 2
    assert main(["check", str(dataset)]) == 1
    assert "mine.parquet: belongs to no run" in capsys.readouterr().out


def test_a_truncated_index_file_is_said(
    dataset: Path, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (index,) = (dataset / "_index/v2/entries").rglob("*.parquet")
    index.write_bytes(index.read_bytes()[:500])
    assert main(["batch", "--input", str(page), "--output", str(dataset)]) == 1
    err = capsys.readouterr().err
    line = err.splitlines()[-1]
    assert line.startswith("news-ingest: ")
    assert index.name in line
    assert "check" in line
    assert open_dataset(str(dataset)).count_rows() == 1
