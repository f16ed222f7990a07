"""A run is committed whole, whatever moment it is killed at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import DatasetError
from transforms import storage
from transforms.commit import (
    StagedFile,
    commit_run,
    committed_run_ids,
    recover,
    sha256_of,
    staging_path,
)

RUN = "000001-ab"


class Killed(BaseException):
    """Stands for SIGKILL: nobody catches it."""


def stage(dataset: Path) -> list[StagedFile]:
    files = []
    for n in range(3):
        staged = staging_path(RUN, f"entries/{n}.chunk")
        path = dataset / staged
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"rows %d" % n)
        sha256, size_bytes = sha256_of(str(path))
        final = f"entries/date=2026-05-1{n}/part-{RUN}-00000.parquet"
        files.append(StagedFile("entries", staged, final, n, size_bytes, sha256))
    return files


def tree(dataset: Path) -> dict[str, bytes]:
    return {
        path.relative_to(dataset).as_posix(): path.read_bytes()
        for path in dataset.rglob("*")
        if path.is_file()
    }


def committed(dataset: Path) -> dict[str, bytes]:
    commit_run(str(dataset), {"run_id": RUN, "counts": {"entries": 3}}, stage(dataset))
    return tree(dataset)


def test_a_commit_moves_the_files_and_writes_the_manifest(tmp_path: Path) -> None:
    files = committed(tmp_path)
    assert sorted(files) == [
        f"_runs/{RUN}.json",
        *(f"entries/date=2026-05-1{n}/part-{RUN}-00000.parquet" for n in range(3)),
    ]
    manifest = json.loads(files[f"_runs/{RUN}.json"])
    assert manifest["counts"] == {"entries": 3}
    assert [file["rows"] for file in manifest["files"]] == [0, 1, 2]
    assert {len(file["sha256"]) for file in manifest["files"]} == {64}
    assert committed_run_ids(str(tmp_path)) == [RUN]


CHANGES = ["open_write", "move", "delete"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(12))
def test_killed_at_any_step_the_next_start_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, after: bool
) -> None:
    whole = committed(tmp_path / "undisturbed")
    dataset = tmp_path / "killed"
    files = stage(dataset)
    done = 0

    def killing(real: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal done
            done += 1
            if done > step and not after:
                raise Killed
            result = real(*args, **kwargs)
            if done > step:
                raise Killed
            return result

        return call

    with monkeypatch.context() as patch:
        for name in CHANGES:
            patch.setattr(storage, name, killing(getattr(storage, name)))
        try:
            commit_run(str(dataset), {"run_id": RUN, "counts": {"entries": 3}}, files)
        except Killed:
            intended = (dataset / f"_runs/{RUN}.intent.json").exists()
        else:
            intended = True
    finished = committed_run_ids(str(dataset)) == [RUN]
    recover(str(dataset))
    if intended or finished:
        assert tree(dataset) == whole
    else:
        assert {path for path in tree(dataset) if not path.startswith("_runs/_")} == set()


def test_staging_that_nobody_intended_is_thrown_away(tmp_path: Path) -> None:
    stage(tmp_path)
    assert recover(str(tmp_path)) == []
    assert tree(tmp_path) == {}


def test_nothing_to_recover(tmp_path: Path) -> None:
    whole = committed(tmp_path)
    assert recover(str(tmp_path)) == []
    assert tree(tmp_path) == whole
    assert recover(str(tmp_path / "not-there-yet")) == []


@pytest.mark.parametrize("damage", ["lost", "cut"])
def test_a_promise_that_cannot_be_kept_is_said(tmp_path: Path, damage: str) -> None:
    files = stage(tmp_path)
    intent = {
        "manifest": {"run_id": RUN},
        "files": [{"staged": f.staged, "final": f.final, "sha256": f.sha256} for f in files],
    }
    storage.write_json(str(tmp_path / f"_runs/{RUN}.intent.json"), intent)
    (tmp_path / files[1].staged).unlink()
    if damage == "cut":
        final = tmp_path / files[1].final
        final.parent.mkdir(parents=True)
        final.write_bytes(b"row")
    with pytest.raises(DatasetError, match="neither staged nor whole"):
        recover(str(tmp_path))
