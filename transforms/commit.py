"""Commit a run so that a kill at any moment loses and doubles nothing.

1. Stage: files wait under ``_staging/<run_id>/`` where no reader looks.
2. Intent: ``_runs/<run_id>.intent.json`` lists every staged file with its final
   name, rows, bytes and hash.
3. Carry out: each file moves to its final name.
4. Manifest: ``_runs/<run_id>.json``; then the intent and the staging go.

Every start calls ``recover`` first: staging without an intent is thrown away,
for nobody saw it; an intent without a manifest is carried out to the end.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

from schemas.errors import DatasetError
from transforms import storage

RUNS = "_runs"
STAGING = "_staging"


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A finished file on its way to its final name; paths below the dataset.

    table: entries, duplicates, dead_letters, or an index table.
    sha256: of the bytes, in hex.
    """

    table: str
    staged: str
    final: str
    rows: int
    size_bytes: int
    sha256: str


def staging_path(run_id: str, name: str) -> str:
    """Where a run may put a file that nobody must see yet."""
    return f"{STAGING}/{run_id}/{name}"


def manifest_path(run_id: str) -> str:
    """The manifest of a run, below the dataset."""
    return f"{RUNS}/{run_id}.json"


def commit_run(dataset: str, manifest: dict[str, Any], files: list[StagedFile]) -> dict[str, Any]:
    """Make the staged files of a run visible and write its manifest, last.

    manifest: at least ``run_id``; ``files`` is added. Returns it as written.
    """
    run_id = manifest["run_id"]
    ordered = sorted(files, key=lambda file: file.final)
    intent = {"manifest": manifest, "files": [asdict(file) for file in ordered]}
    storage.write_json(storage.join(dataset, _intent_path(run_id)), intent)
    return _carry_out(dataset, intent)


def recover(dataset: str) -> list[str]:
    """Finish or undo what earlier runs left behind; the ids of runs finished now.

    Raises DatasetError if an intent cannot be carried out.
    """
    finished = []
    for path in storage.files_below(dataset, f"{RUNS}/*.intent.json"):
        intent = storage.read_json(path)
        _carry_out(dataset, intent)
        finished.append(str(intent["manifest"]["run_id"]))
    storage.delete_tree(storage.join(dataset, STAGING))
    return finished


def committed_run_ids(dataset: str) -> list[str]:
    """The runs that have a manifest, in the order they were made."""
    paths = storage.files_below(dataset, f"{RUNS}/*.json")
    names = (path.rpartition("/")[2].removesuffix(".json") for path in paths)
    return sorted(name for name in names if not name.endswith((".intent", ".tmp")))


def sha256_of(path: str) -> tuple[str, int]:
    """The hash of a file in hex, and its size in bytes."""
    digest, size = hashlib.sha256(), 0
    with storage.open_read(path) as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _intent_path(run_id: str) -> str:
    return f"{RUNS}/{run_id}.intent.json"


def _carry_out(dataset: str, intent: dict[str, Any]) -> dict[str, Any]:
    run_id = intent["manifest"]["run_id"]
    for file in intent["files"]:
        _publish(dataset, run_id, file)
    published = [{k: v for k, v in file.items() if k != "staged"} for file in intent["files"]]
    manifest = {**intent["manifest"], "files": published}
    storage.write_json(storage.join(dataset, manifest_path(run_id)), manifest)
    storage.delete([storage.join(dataset, _intent_path(run_id))])
    storage.delete_tree(storage.join(dataset, STAGING, run_id))
    if not storage.files_below(dataset, f"{STAGING}/**"):
        storage.delete_tree(storage.join(dataset, STAGING))
    return manifest


def _publish(dataset: str, run_id: str, file: dict[str, Any]) -> None:
    staged, final = (storage.join(dataset, file[name]) for name in ("staged", "final"))
    if storage.exists(staged):
        storage.move(staged, final)
    elif not storage.exists(final) or sha256_of(final)[0] != file["sha256"]:
        raise DatasetError(
            f"{final}, promised by run {run_id}, is neither staged nor whole: "
            "restore it from a backup, or start a new dataset"
        )
