"""A run is committed whole, whatever moment it is killed at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import DatasetError, UsageError
from transforms import storage
from transforms.commit import (
    StagedFile,
    claim,
    commit_run,
    committed_run_ids,
    read_manifests,
    recover,
    sha256_of,
    staging_path,
)
from transforms.manifests import MARKER, committed_files

RUN = "000001-abcdef01"


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


@contextmanager
def killed_at(step: int, monkeypatch: pytest.MonkeyPatch, *, after: bool = False) -> Iterator[None]:
    """Raises Killed at the change of that number to the dataset, or right after it."""
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
        yield


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(14))
def test_killed_at_any_step_the_next_start_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, after: bool
) -> None:
    whole = committed(tmp_path / "undisturbed")
    dataset = tmp_path / "killed"
    files = stage(dataset)
    with killed_at(step, monkeypatch, after=after):
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
        assert tree(dataset) == {}


@pytest.mark.parametrize("step", range(16))
def test_a_replacement_is_seen_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """What the manifests name is there at every moment, and old files never outlive new ones."""
    committed(tmp_path)
    first = read_manifests(str(tmp_path))
    old = sorted(committed_files(first))
    run_id = "000002-abcdef02"
    staged = tmp_path / staging_path(run_id, "one.file")
    staged.parent.mkdir(parents=True)
    staged.write_bytes(b"all rows")
    final = f"entries/date=2026-05-10/part-{run_id}-00000.parquet"
    sha256, size_bytes = sha256_of(str(staged))
    new = StagedFile("entries", staged_name(staged, tmp_path), final, 3, size_bytes, sha256)

    with suppress(Killed), killed_at(step, monkeypatch):
        commit_run(str(tmp_path), {"run_id": run_id}, [new], old)
    state = committed_files(read_manifests(str(tmp_path)))
    assert sorted(state) in (old, [final])
    if sorted(state) == old:
        assert all((tmp_path / name).exists() for name in old)
    assert recover(str(tmp_path)) in ([], [run_id])
    state = committed_files(read_manifests(str(tmp_path)))
    assert {name for name in tree(tmp_path) if name.startswith("entries")} == set(state)
    assert sorted(state) == (old if step < 2 else [final])


def staged_name(path: Path, dataset: Path) -> str:
    return path.relative_to(dataset).as_posix()


@pytest.mark.parametrize("step", [4, 12], ids=["in the middle", "done"])
def test_a_commit_that_is_repeated_with_other_files_stands_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """A runner repeats what it was not told is done; it may then have read its own index."""
    whole = committed(tmp_path / "undisturbed")
    dataset = tmp_path / "killed"
    files = stage(dataset)
    done = 0
    real = storage.move

    def move(*paths: Any, **how: Any) -> None:
        nonlocal done
        done += 1
        if done == step:
            raise Killed
        real(*paths, **how)

    with monkeypatch.context() as patch:
        patch.setattr(storage, "move", move)
        manifest = {"run_id": RUN, "counts": {"entries": 3}}
        with pytest.raises(Killed) if step == 4 else nullcontext():
            commit_run(str(dataset), manifest, files)
    again = dataset / staging_path(RUN, "entries/again.chunk")
    again.parent.mkdir(parents=True, exist_ok=True)
    again.write_bytes(b"other rows")
    staged = StagedFile("entries", "entries/again.chunk", "entries/again.parquet", 1, 10, "")
    told = commit_run(str(dataset), {"run_id": RUN, "counts": {"entries": 1}}, [staged])
    assert told["counts"] == {"entries": 3}
    assert tree(dataset) == whole


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


def test_a_new_folder_becomes_a_dataset_and_stays_one(tmp_path: Path) -> None:
    for dataset in (tmp_path / "new", tmp_path / "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        for _ in range(2):
            claim(str(dataset))
            assert list(tree(dataset)) == [MARKER]


@pytest.mark.parametrize(
    "foreign",
    ["notes.txt", "_staging/keep.txt", "_runs/old.json", "deep/er/a.csv", "_dataset.json"],
)
def test_a_folder_of_somebody_else_is_refused_and_unharmed(tmp_path: Path, foreign: str) -> None:
    path = tmp_path / foreign
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('["mine"]')
    with pytest.raises(UsageError, match=r"--output .* new or empty folder"):
        claim(str(tmp_path))
    assert tree(tmp_path) == {foreign: b'["mine"]'}


@pytest.mark.parametrize("step", range(4))
def test_a_first_run_that_was_killed_leaves_a_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    done = 0

    def kill(real: Any) -> Any:
        def call(*args: Any) -> Any:
            nonlocal done
            done += 1
            if done > step:
                raise Killed
            return real(*args)

        return call

    with monkeypatch.context() as patch:
        for name in ("open_write", "move"):
            patch.setattr(storage, name, kill(getattr(storage, name)))
        if step < 2:
            with pytest.raises(Killed):
                claim(str(tmp_path))
        else:
            claim(str(tmp_path))
    stage(tmp_path) if step == 3 else None
    claim(str(tmp_path))
    assert recover(str(tmp_path)) == []
    assert list(tree(tmp_path)) == [MARKER]


def test_a_dataset_from_before_there_were_markers(tmp_path: Path) -> None:
    committed(tmp_path)
    claim(str(tmp_path))
    assert MARKER in tree(tmp_path)


def test_a_dataset_of_a_later_version(tmp_path: Path) -> None:
    later = {"format": "news-ingest dataset", "version": 2}
    storage.write_json(str(tmp_path / MARKER), later)
    with pytest.raises(DatasetError, match="version 2"):
        claim(str(tmp_path))


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("{file}/sub", "Not a directory"),
        ("/proc/x", "No such file"),
        ("{file}-" + "x" * 300, "name too long"),
        ("gs://bucket/set", r"apache-beam\[gcp\]"),
        ("s3://bucket/set", r"apache-beam\[aws\]"),
        ("ftp://host/set", "no filesystem is known for ftp://"),
    ],
)
def test_a_place_that_cannot_be_written_to(tmp_path: Path, output: str, words: str) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(UsageError, match=words) as caught:
        claim(output.format(file=file))
    assert "--output" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "Errno" in str(caught.value) or "://" in str(caught.value)


def test_only_what_is_named_by_a_run_is_ours(tmp_path: Path) -> None:
    committed(tmp_path)
    foreign = ["_runs/notes.json", "_runs/x.intent.json", "_staging/mine/a", "_staging/b"]
    for name in foreign:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("no JSON")
    stage(tmp_path)
    assert recover(str(tmp_path)) == []
    assert committed_run_ids(str(tmp_path)) == [RUN]
    assert {name for name in tree(tmp_path) if name.startswith(("_runs", "_staging"))} == {
        *foreign,
        f"_runs/{RUN}.json",
    }


def test_runs_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    runs = ["999999-00000000", "1000000-00000000", "000002-ffffffff", "000010-00000000"]
    for run_id in runs:
        storage.write_json(str(tmp_path / f"_runs/{run_id}.json"), {"run_id": run_id})
    assert committed_run_ids(str(tmp_path)) == [runs[2], runs[3], runs[0], runs[1]]


def test_a_damaged_intent_is_said(tmp_path: Path) -> None:
    path = tmp_path / f"_runs/{RUN}.intent.json"
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(DatasetError, match="damaged"):
        recover(str(tmp_path))
