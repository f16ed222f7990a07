"""Manifests: what a dataset consists of, by what its runs wrote of themselves.

Knows no filesystem and no Beam, for readers that have one of their own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from schemas.arrow import SCHEMA_VERSION
from schemas.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterable

RUNS = "_runs"
STAGING = "_staging"
MARKER = "_dataset.json"
"""Written before anything else, so that a killed first run is known as ours."""

FORMAT = "news-ingest dataset"
VERSION = 1
RUN_ID = r"(\d{6,})-[0-9a-f]{8}"
_TORN = re.compile(rf"_{RUN_ID}(\.intent)?\.json\.tmp|_{re.escape(MARKER)}\.tmp")
_PATH_BELOW = re.compile(r"(?!.*\.\.)[\w=.-]+(?:/[\w=.-]+)*", re.ASCII)


def manifest_path(run_id: str) -> str:
    """The manifest of a run, below the dataset."""
    return f"{RUNS}/{run_id}.json"


def intent_path(run_id: str) -> str:
    """The intent of a run that is being committed, below the dataset."""
    return f"{RUNS}/{run_id}.intent.json"


def is_torn(name: str) -> bool:
    """Whether a file of this name is what a kill left of a manifest, an intent or the marker."""
    return bool(_TORN.fullmatch(name))


def run_ids(paths: Iterable[str], ending: str = ".json") -> list[str]:
    """The runs that have a file of such a name among the paths, by number."""
    names = (path.replace("\\", "/").rpartition("/")[2] for path in paths)
    found = (re.fullmatch(f"({RUN_ID}){re.escape(ending)}", name) for name in names)
    return [run[1] for run in sorted(filter(None, found), key=lambda run: (int(run[2]), run[1]))]


def check_run(run: Any, run_id: str, *, is_intent: bool = False) -> dict[str, Any]:
    """A manifest or an intent, once it is sure that it is one of that run.

    Raises ValueError if it is damaged, or names a path that leaves the dataset:
    files are moved and deleted by what it says.
    """
    about = run.get("manifest") if is_intent and isinstance(run, dict) else run
    if not isinstance(about, dict) or about.get("run_id") != run_id:
        raise ValueError(f"it does not say that it is of run {run_id}")
    names = ("final", "sha256", "staged") if is_intent else ("final", "sha256")
    files, removed = run.get("files"), about.get("removed", [])
    lists = isinstance(files, list) and isinstance(removed, list)
    if not lists or not all(isinstance(file, dict) for file in files):
        raise ValueError("it has no list of files")
    paths = [*removed, *(file.get(name) for file in files for name in names)]
    for path in paths:
        if not isinstance(path, str) or not _PATH_BELOW.fullmatch(path):
            raise ValueError(f"it names {path!r}, which is no path below a dataset")
    return dict(run)


def committed_files(manifests: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The files that the dataset consists of, by their path below it.

    Each with its table, rows, size_bytes, sha256 and the run_id that wrote it.
    What a compaction has removed is not among them; names never come twice.
    """
    files: dict[str, dict[str, Any]] = {}
    removed: set[str] = set()
    for manifest in manifests:
        for file in manifest["files"]:
            files[file["final"]] = {**file, "run_id": manifest["run_id"]}
        removed.update(manifest.get("removed", ()))
    return {final: file for final, file in files.items() if final not in removed}


def check_about(dataset: str, about: dict[str, Any]) -> None:
    """Raises DatasetError if a dataset was written by a version that this one does not know.

    about: what its marker says. Earlier versions of the schema are known: they
    lack columns, which read as null.
    """
    version, schema_version = about.get("version"), about.get("schema_version", "1")
    if version != VERSION:
        raise DatasetError(
            f"{dataset} is a dataset of version {version}, "
            f"this is for version {VERSION}: use the news-ingest that wrote it"
        )
    if int(schema_version) > int(SCHEMA_VERSION):
        raise DatasetError(
            f"{dataset} has schema version {schema_version}, this knows up to "
            f"{SCHEMA_VERSION}: use the news-ingest that wrote it, or a later one"
        )
