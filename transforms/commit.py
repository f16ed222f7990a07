"""Commit a run so that a kill at any moment loses and doubles nothing.

1. Stage: files wait under ``_staging/<run_id>/`` where no reader looks.
2. Intent: ``_runs/<run_id>.intent.json`` lists every staged file with its final
   name, rows, bytes and hash.
3. Carry out: each file moves to its final name.
4. Manifest: ``_runs/<run_id>.json``. From here on, readers of the manifests see the
   run. Then the files go that a compaction has replaced, the staging, and the intent.

Every start calls ``claim`` and ``recover`` first: a folder that is no dataset is
refused; staging without an intent is thrown away, for nobody saw it; an intent
is carried out to the end. Only what is named by a run id is
ours: whatever else lies about is neither read nor deleted.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from apache_beam.transforms.window import GlobalWindow

from schemas.arrow import SCHEMA_VERSION
from schemas.errors import DatasetError, UsageError
from schemas.ids import stable_id
from transforms import storage
from transforms.manifests import (
    FORMAT,
    MARKER,
    RUN_ID,
    RUNS,
    STAGING,
    VERSION,
    check_about,
    check_run,
    intent_path,
    is_torn,
    manifest_path,
    run_ids,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


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


def run_in(run_id: str, window: Any) -> str:
    """The run that a window is: the whole of a bounded pipeline, else one of its own.

    Its number is when the window begins, in seconds since 1970; its job is that
    of the run id. So a job that is stopped and resumed names it the same again.
    """
    if isinstance(window, GlobalWindow):
        return run_id
    return f"{window.start.micros // 1_000_000}-{run_id.rpartition('-')[2]}"


def examine(dataset: str, named: str = "--output") -> None:
    """Make sure that a folder may become ours: a dataset, or absent, or empty.

    named: the option that the user typed, for the message. Writes nothing.
    Raises UsageError if it is neither or cannot be read, DatasetError if it was
    written by a version that this one does not know.
    """
    try:
        storage.check_scheme(dataset)
        about = _about(dataset)
        if about is None and not _has_run(dataset) and not _is_empty(dataset):
            raise UsageError(
                f"{named} {dataset}: holds files but no dataset; name a new or empty folder"
            )
        if about:
            check_about(dataset, about)
    except (OSError, ValueError) as error:
        raise UsageError(f"{named} {dataset}: {storage.reason(error)}") from error


def check_is_dataset(dataset: str) -> None:
    """Raises UsageError if DATASET is not one yet, and as ``examine``."""
    examine(dataset, "DATASET")
    if _about(dataset) is None and not _has_run(dataset):
        raise UsageError(f"DATASET {dataset}: holds no dataset; name what batch wrote to")


def claim(dataset: str, named: str = "--output") -> None:
    """Make a folder ours; raises as ``examine``, and UsageError if nothing can be written."""
    examine(dataset, named)
    try:
        # Also where it is already: whether one may write shows before the first fetch.
        about = {"format": FORMAT, "version": VERSION, "schema_version": SCHEMA_VERSION}
        storage.write_json(storage.join(dataset, MARKER), about)
    except (OSError, ValueError) as error:
        raise UsageError(f"{named} {dataset}: {storage.reason(error)}") from error


def commit_run(
    dataset: str, manifest: dict[str, Any], files: list[StagedFile], removed: Iterable[str] = ()
) -> dict[str, Any]:
    """Make the staged files of a run visible and write its manifest.

    manifest: at least ``run_id``; ``files`` is added, and ``removed`` if it is not
    empty: the files that these replace. Returns it as written.

    A runner may repeat what it was not told is done. The first intent stands:
    whatever came of the repetition, which may have read the index of its own
    run, is thrown away.
    """
    run_id = manifest["run_id"]
    if storage.exists(storage.join(dataset, intent_path(run_id))):
        return _carry_out(dataset, _read_run(dataset, intent_path(run_id)))
    if storage.exists(storage.join(dataset, manifest_path(run_id))):
        storage.delete_tree(storage.join(dataset, STAGING, run_id))
        return _read_run(dataset, manifest_path(run_id))
    ordered = sorted(files, key=lambda file: file.final)
    replaced = {"removed": sorted(removed)} if removed else {}
    intent = {"manifest": {**manifest, **replaced}, "files": [asdict(file) for file in ordered]}
    storage.write_json(storage.join(dataset, intent_path(run_id)), intent)
    return _carry_out(dataset, intent)


def recover(dataset: str) -> list[str]:
    """Finish or undo what earlier runs left behind; the ids of runs finished now.

    Raises DatasetError if an intent cannot be carried out.
    """
    finished = []
    for run_id in _run_ids(dataset, ".intent.json"):
        _carry_out(dataset, _read_run(dataset, intent_path(run_id)))
        finished.append(run_id)
    for pattern in (f"{RUNS}/_*.tmp", "_*.tmp"):
        torn = storage.files_below(dataset, pattern)
        storage.delete([path for path in torn if is_torn(path.rpartition("/")[2])])
    staged = (
        path.rpartition(f"/{STAGING}/")[2].partition("/")[0]
        for path in storage.files_below(dataset, f"{STAGING}/**")
    )
    for name in set(staged):
        if re.fullmatch(RUN_ID, name):
            storage.delete_tree(storage.join(dataset, STAGING, name))
    _tidy_staging(dataset)
    return finished


def committed_run_ids(dataset: str) -> list[str]:
    """The runs that have a manifest, in the order they were made."""
    return _run_ids(dataset, ".json")


def next_run_id(earlier: list[str], about_run: dict[str, Any]) -> str:
    """The id follows from the dataset so far and what the run works on.

    A run that was killed before its commit gets the same id, and so the same
    file names, when it is started again.
    """
    last = earlier[-1] if earlier else "000000"
    number = int(last.partition("-")[0]) + 1
    return f"{number:06d}-{stable_id('run', last, repr(sorted(about_run.items())))[:8]}"


def read_manifests(dataset: str) -> list[dict[str, Any]]:
    """What each committed run wrote of itself, in their order.

    Raises DatasetError if one is damaged.
    """
    return [_read_run(dataset, manifest_path(run_id)) for run_id in committed_run_ids(dataset)]


def unfinished_runs(dataset: str) -> dict[str, dict[str, Any]]:
    """The intents of runs that were killed while they were committed, by run id."""
    return {
        run_id: _read_run(dataset, intent_path(run_id))
        for run_id in _run_ids(dataset, ".intent.json")
    }


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
    ours = isinstance(about, dict) and about.get("format") == FORMAT
    return about if ours else None


def _has_run(dataset: str) -> bool:
    """Whether there is a run of a dataset that was begun before there were markers."""
    for path in [
        *(manifest_path(run_id) for run_id in _run_ids(dataset, ".json")),
        *(intent_path(run_id) for run_id in _run_ids(dataset, ".intent.json")),
    ]:
        try:
            _read_run(dataset, path)
        except DatasetError:  # a file of that name may be anybody's
            continue
        return True
    return False


def _is_empty(dataset: str) -> bool:
    """Whether there is nothing yet, but perhaps a marker that was being written, or a lock."""
    begun = storage.temporary(storage.join(dataset, MARKER))
    lock = storage.join(dataset, "_lock.")
    found = storage.first_files_below(dataset, 5)
    return all(path == begun or path.startswith(lock) for path in found)


def _run_ids(dataset: str, ending: str) -> list[str]:
    """The runs that have a file of such a name in ``_runs``, by number."""
    return run_ids(storage.files_below(dataset, f"{RUNS}/*{ending}"), ending)


def _read_run(dataset: str, path: str) -> dict[str, Any]:
    """A manifest or an intent; raises DatasetError if it is damaged."""
    try:
        run_id, _, ending = path.rpartition("/")[2].partition(".")
        run = storage.read_json(storage.join(dataset, path))
        return check_run(run, run_id, is_intent=ending == "intent.json")
    except ValueError as error:
        raise DatasetError(
            f"{storage.join(dataset, path)} is damaged ({error}): restore it from a backup"
        ) from error


def _tidy_staging(dataset: str) -> None:
    if not storage.files_below(dataset, f"{STAGING}/**"):
        storage.delete_tree(storage.join(dataset, STAGING))


def _carry_out(dataset: str, intent: dict[str, Any]) -> dict[str, Any]:
    run_id = intent["manifest"]["run_id"]
    for file in intent["files"]:
        _publish(dataset, run_id, file)
    published = [{k: v for k, v in file.items() if k != "staged"} for file in intent["files"]]
    manifest = {**intent["manifest"], "files": published}
    storage.write_json(storage.join(dataset, manifest_path(run_id)), manifest)
    storage.delete([storage.join(dataset, final) for final in manifest.get("removed", ())])
    storage.delete_tree(storage.join(dataset, STAGING, run_id))
    _tidy_staging(dataset)
    storage.delete([storage.join(dataset, intent_path(run_id))])
    return manifest


def _publish(dataset: str, run_id: str, file: dict[str, Any]) -> None:
    staged, final = (storage.join(dataset, file[name]) for name in ("staged", "final"))
    if storage.exists(staged):
        storage.move(staged, final, verify=lambda: sha256_of(final)[0] == file["sha256"])
    elif not storage.exists(final) or sha256_of(final)[0] != file["sha256"]:
        raise DatasetError(
            f"{final}, promised by run {run_id}, is neither staged nor whole: "
            "restore it from a backup, or start a new dataset"
        )
