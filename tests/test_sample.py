from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.__main__ import main
from pipeline.sample import tree_lines


def test_the_main_job_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = tmp_path / "set"
    assert main(["sample", "--output", str(dataset)]) == 0
    first = capsys.readouterr()
    assert "Sample site at http://127.0.0.1:" in first.out
    assert "Run 000001-" in first.out
    assert "topic politics" in first.out
    assert "  entries/\n    date=2026-" in first.out
    assert "FROM read_parquet" in first.out
    assert "entries found" in first.err
    before = [line for line in tree_lines(dataset) if ".parquet" in line]
    assert main(["sample", "--output", str(dataset)]) == 0
    assert "Nothing new" in capsys.readouterr().out
    assert [line for line in tree_lines(dataset) if ".parquet" in line] == before


def test_a_tree_names_each_folder_once(tmp_path: Path) -> None:
    for name in ("a/x.txt", "a/b/y.txt", "a/b/z.txt", "c.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1234")
    assert tree_lines(tmp_path) == [
        f"{tmp_path}/",
        "  a/",
        "    b/",
        "      y.txt  4 bytes",
        "      z.txt  4 bytes",
        "    x.txt  4 bytes",
        "  c.txt  4 bytes",
    ]
