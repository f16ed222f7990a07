"""Commit a run so that a kill at any moment loses and doubles nothing.

1. Stage: files wait under ``_staging/<run_id>/`` where no reader looks.
2. Intent: ``_runs/<run_id>.intent.json`` lists every staged file with its final
   name, rows, bytes and hash.
3. Carry out: each file moves to its final name.
4. Manifest: ``_runs/<run_id>.json``; then the intent and the staging go.

Every start calls ``claim`` and ``recover`` first: a folder that is no dataset is
refused; staging without an intent is thrown away, for nobody saw it; an intent
without a manifest is carried out to the end. Only what is named by a run id is
ours: whatever else lies about is neither read nor deleted.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from typing import Any

from schemas.errors import DatasetError, UsageError
from transforms import storage

RUNS = "_runs"
STAGING = "_staging"
MARKER = "_dataset.json"
"""Written before anything else, so that a killed first run is known as ours."""

_ABOUT = {"format": "news-ingest dataset", "version": 1}
_RUN_ID = r"(\d{6,})-[0-9a-f]{8}"


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


def claim(dataset: str) -> None:
    """Make sure that a folder is ours to write to: a dataset, or absent, or empty.

    Raises UsageError if it is neither or cannot be written to, DatasetError if
    it was written by a version that this one does not know.
    """
    try:
        storage.check_scheme(dataset)
        about = _about(dataset)
        if about is None and not _has_run(dataset) and not _is_empty(dataset):
            raise UsageError(
                f"--output {dataset}: holds files but no dataset; name a new or empty folder"
            )
        if about and about.get("version") != _ABOUT["version"]:
            raise DatasetError(
                f"{dataset} is a dataset of version {about.get('version')}, "
                f"this is for version {_ABOUT['version']}: use the news-ingest that wrote it"
            )
        # Also where it is already: whether one may write shows before the first fetch.
        storage.write_json(storage.join(dataset, MARKER), _ABOUT)
    except (OSError, ValueError) as error:
        raise UsageError(f"--output {dataset}: {storage.reason(error)}") from error


def commit_run(dataset: str, manifest: dict[str, Any], files: list[StagedFile]) -> dict[str, Any]:
    """Make the staged files of a run visible and write its manifest, last.

    manifest: at least ``run_id``; ``files`` is added. Returns it as written.

    A runner may repeat what it was not told is done. The first intent stands:
    whatever came of the repetition, which may have read the index of its own
    run, is thrown away.
    """
    run_id = manifest["run_id"]
    if storage.exists(storage.join(dataset, manifest_path(run_id))):
        storage.delete_tree(storage.join(dataset, STAGING, run_id))
        return _read_run(dataset, manifest_path(run_id))
    if storage.exists(storage.join(dataset, _intent_path(run_id))):
        return _carry_out(dataset, _read_run(dataset, _intent_path(run_id)))
    ordered = sorted(files, key=lambda file: file.final)
    intent = {"manifest": manifest, "files": [asdict(file) for file in ordered]}
    storage.write_json(storage.join(dataset, _intent_path(run_id)), intent)
    return _carry_out(dataset, intent)


def recover(dataset: str) -> list[str]:
    """Finish or undo what earlier runs left behind; the ids of runs finished now.

    Raises DatasetError if an intent cannot be carried out.
    """
    finished = []
    for run_id in _run_ids(dataset, ".intent.json"):
        _carry_out(dataset, _read_run(dataset, _intent_path(run_id)))
        finished.append(run_id)
    staged = (
        path.rpartition(f"/{STAGING}/")[2].partition("/")[0]
        for path in storage.files_below(dataset, f"{STAGING}/**")
    )
    for name in set(staged):
        if re.fullmatch(_RUN_ID, name):
            storage.delete_tree(storage.join(dataset, STAGING, name))
    _tidy_staging(dataset)
    return finished


def committed_run_ids(dataset: str) -> list[str]:
    """The runs that have a manifest, in the order they were made."""
    return _run_ids(dataset, ".json")


def sha256_of(path: str) -> tuple[str, int]:
    """The hash of a file in hex, and its size in bytes."""
    digest, size = hashlib.sha256(), 0
    with storage.open_read(path) as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _about(dataset: str) -> dict[str, Any] | None:
    """What the marker says; None where there is none of ours."""
    path = storage.join(dataset, MARKER)
    if not storage.exists(path):
        return None
    try:
        about = storage.read_json(path)
    except ValueError:
        return None
    ours = isinstance(about, dict) and about.get("format") == _ABOUT["format"]
    return about if ours else None


def _has_run(dataset: str) -> bool:
    """Whether there is a run of a dataset that was begun before there were markers."""
    for path in [
        *(manifest_path(run_id) for run_id in _run_ids(dataset, ".json")),
        *(_intent_path(run_id) for run_id in _run_ids(dataset, ".intent.json")),
    ]:
        run = _read_run(dataset, path)
        about = run.get("manifest", run)
        if isinstance(about, dict) and path.startswith(f"{RUNS}/{about.get('run_id')}."):
            return True
    return False


def _is_empty(dataset: str) -> bool:
    """Whether there is nothing yet, but perhaps a marker that was being written."""
    begun = storage.temporary(storage.join(dataset, MARKER))
    return all(path == begun for path in storage.first_files_below(dataset, 2))


def _run_ids(dataset: str, ending: str) -> list[str]:
    """The runs that have a file of such a name in ``_runs``, by number."""
    names = (path.rpartition("/")[2] for path in storage.files_below(dataset, f"{RUNS}/*{ending}"))
    found = (re.fullmatch(f"({_RUN_ID}){re.escape(ending)}", name) for name in names)
    return [run[1] for run in sorted(filter(None, found), key=lambda run: (int(run[2]), run[1]))]


def _read_run(dataset: str, path: str) -> dict[str, Any]:
    """A manifest or an intent; raises DatasetError if it is damaged."""
    try:
        run = storage.read_json(storage.join(dataset, path))
    except ValueError as error:
        raise DatasetError(
            f"{storage.join(dataset, path)} is damaged ({error}): restore it from a backup"
        ) from error
    return run if isinstance(run, dict) else {}


def _tidy_staging(dataset: str) -> None:
    if not storage.files_below(dataset, f"{STAGING}/**"):
        storage.delete_tree(storage.join(dataset, STAGING))


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
    _tidy_staging(dataset)
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
