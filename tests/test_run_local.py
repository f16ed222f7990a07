"""run_local.sh, with a Python that only writes down what it is asked to do."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYTHON = """#!/bin/bash
echo "$PWD: $*" >>"$LOG"
case "$1 $2" in
  "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && touch "$3/pip" ;;
  "-m pip") [ -f "$(dirname "$0")/../pip" ] ;;
esac
"""


class Clone:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / ".ci").mkdir(parents=True)
        for name in ("run_local.sh", "pyproject.toml", ".ci/constraints.txt"):
            shutil.copy(ROOT / name, folder / name)
        self.python = folder.parent / "my python"
        self.python.write_text(PYTHON)
        self.python.chmod(0o755)
        self.log = folder.parent / "log"

    def run(self, *words: str, python: str | None = None) -> subprocess.CompletedProcess[str]:
        self.log.write_text("")
        return subprocess.run(
            [str(self.folder / "run_local.sh"), *words],
            cwd=self.folder.parent,
            env={**os.environ, "PYTHON": python or str(self.python), "LOG": str(self.log)},
            check=False,
            capture_output=True,
            text=True,
        )

    @property
    def asked(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "a clone")


def test_a_path_with_spaces(clone: Clone, tmp_path: Path) -> None:
    for words, last in [
        (["test", "-k", "a b"], f"{clone.folder}: -m pytest --numprocesses auto -k a b"),
        ([], f"{clone.folder}: -P -m pipeline sample"),
        (["split", "a page.html"], f"{tmp_path}: -P -m pipeline split a page.html"),
    ]:
        done = clone.run(*words)
        assert done.returncode == 0, done.stderr
        assert clone.asked[-1] == last
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a clone", "log", "my python"]


def test_it_is_set_up_once_and_again_where_it_was_moved_to(clone: Clone) -> None:
    assert clone.run().returncode == 0
    assert any("pip install" in line for line in clone.asked)
    assert clone.run().returncode == 0
    assert not any("pip install" in line for line in clone.asked)
    clone.folder = clone.folder.rename(clone.folder.with_name("moved"))
    assert clone.run().returncode == 0
    assert any("pip install" in line for line in clone.asked)


def test_a_half_made_environment_is_made_again(clone: Clone) -> None:
    assert clone.run().returncode == 0
    for name in ("pip", ".installed-run"):
        (clone.folder / ".venv" / name).unlink()
    assert clone.run().returncode == 0
    assert any("-m venv" in line for line in clone.asked)


@pytest.mark.parametrize("python", ["/no/such/python", "false"])
def test_a_wrong_python_is_an_error(clone: Clone, python: str) -> None:
    for _ in range(2):
        done = clone.run(python=python)
        assert done.returncode == 1
        assert done.stderr.startswith(f"run_local.sh: PYTHON={python} is no Python 3.11")
        assert clone.run().returncode == 0
