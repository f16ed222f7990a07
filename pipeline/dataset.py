"""Reading a dataset from Python, whole runs only. No Beam."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from pyarrow import fs

from schemas.arrow import DEAD_LETTERS, DUPLICATES, ENTRIES
from schemas.errors import DatasetError, UsageError
from transforms.manifests import (
    MARKER,
    RUNS,
    check_about,
    check_run,
    committed_files,
    manifest_path,
    run_ids,
)

_TEXT = pa.string()
_SCHEMAS = {
    "entries": ENTRIES.append(pa.field("date", _TEXT)).append(pa.field("topic", _TEXT)),
    "revisions": ENTRIES.append(pa.field("date", _TEXT)).append(pa.field("topic", _TEXT)),
    "duplicates": DUPLICATES.append(pa.field("date", _TEXT)).append(pa.field("topic", _TEXT)),
    "dead_letters": DEAD_LETTERS.append(pa.field("date", _TEXT)),
}


def open_dataset(path: str, table: str = "entries") -> ds.Dataset:
    """The committed files of a table as a pyarrow dataset, as they are now.

    path: a local folder, or an address that pyarrow knows, such as s3:// or gs://.
    table: ``entries``, ``revisions`` (earlier texts that a compaction has set
    aside), ``duplicates`` or ``dead_letters``.

    What it shows is the state after some run, never half of one. Filters on
    ``date`` and ``topic`` leave out whole files; columns that an earlier
    version did not write are null. A compaction deletes the files that it replaces, so
    a read that began before it may raise FileNotFoundError: open the dataset again.

    Raises UsageError if there is no such dataset or table, DatasetError if it
    is damaged or was written by a later version.
    """
    if table not in _SCHEMAS:
        raise UsageError(f"no table is named {table!r}; name one of {', '.join(_SCHEMAS)}")
    system, root = _filesystem(path)
    schema = _SCHEMAS[table]
    finals = [
        final for final, file in committed_files(read_manifests(path)).items()
        if file["table"] == table
    ]  # fmt: skip
    return ds.FileSystemDataset.from_paths(
        [f"{root}/{final}" for final in finals],
        schema=schema,
        format=ds.ParquetFileFormat(),
        filesystem=system,
        partitions=[_partition(final) for final in finals],
        root_partition=ds.scalar(True),
    )


def read_manifests(path: str) -> list[dict[str, Any]]:
    """What each committed run of a dataset wrote of itself, in the order of the runs.

    Raises UsageError if there is no such dataset, DatasetError if it is damaged
    or was written by a later version.
    """
    system, root = _filesystem(path)
    found = fs.FileSelector(f"{root}/{RUNS}", allow_not_found=True)
    runs = run_ids(info.path for info in system.get_file_info(found))
    marker = f"{root}/{MARKER}"
    if system.get_file_info(marker).type == fs.FileType.File:
        check_about(path, _read_json(system, marker))
    elif not runs:
        raise UsageError(f"DATASET {path}: holds no dataset; name what batch wrote to")
    return [_read_manifest(system, f"{root}/{manifest_path(run_id)}") for run_id in runs]


def _filesystem(path: str) -> tuple[fs.FileSystem, str]:
    try:
        if "://" not in path:
            return fs.LocalFileSystem(), path.rstrip("/")
        system, root = fs.FileSystem.from_uri(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise UsageError(f"{path}: {error}") from error
    return system, root.rstrip("/")


def _read_json(system: fs.FileSystem, path: str) -> dict[str, Any]:
    try:
        with system.open_input_stream(path) as file:
            return dict(json.loads(file.read()))
    except (ValueError, TypeError) as error:
        raise DatasetError(f"{path} is damaged ({error}): restore it from a backup") from error


def _read_manifest(system: fs.FileSystem, path: str) -> dict[str, Any]:
    try:
        return check_run(_read_json(system, path), PurePosixPath(path).stem)
    except ValueError as error:
        raise DatasetError(f"{path} is damaged ({error}): restore it from a backup") from error


def _partition(final: str) -> pc.Expression:
    """What all rows of a file have in common, by its folders."""
    folders = (folder.partition("=") for folder in final.split("/")[1:-1])
    known = [ds.field(name) == value for name, _, value in folders]
    everything = known[0]
    for one in known[1:]:
        everything &= one
    return everything
