"""Small datasets for tests, written by the code that writes them in a run."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.counts import COUNTED
from transforms.commit import StagedFile, claim, commit_run, committed_run_ids, sha256_of
from transforms.write import (
    TABLES,
    Partition,
    Row,
    dead_letter_rows,
    duplicate_row,
    entry_row,
    to_arrow,
    write_parquet,
)

if TYPE_CHECKING:
    from schemas.records import DeadLetter, DuplicateRow, EntryRow


def add_run(
    root: Path,
    entries: list[EntryRow] | None = None,
    duplicates: list[DuplicateRow] | None = None,
    letters: list[DeadLetter] | None = None,
    **counts: int,
) -> str:
    """Commit one run of these rows; its id."""
    claim(str(root))
    run_id = f"{len(committed_run_ids(str(root))) + 1:06d}-abcdef01"
    parts: dict[Partition, list[Row]] = defaultdict(list)
    pairs = [entry_row(entry) for entry in entries or []]
    pairs += [duplicate_row(duplicate) for duplicate in duplicates or []]
    pairs += [pair for letter in letters or [] for pair in dead_letter_rows(letter, run_id)]
    for partition, row in pairs:
        parts[partition].append(row)
    manifest: dict[str, Any] = {
        "run_id": run_id,
        "started_at": "2026-05-12T20:00:00+00:00",
        "finished_at": "2026-05-12T20:00:30+00:00",
        "sources": ["url:test"],
        "counts": {**dict.fromkeys(COUNTED, 0), **counts},
    }
    staged = [_staged(root, run_id, partition, rows) for partition, rows in parts.items()]
    commit_run(str(root), manifest, staged)
    return run_id


def _staged(root: Path, run_id: str, partition: Partition, rows: list[Row]) -> StagedFile:
    name = f"{partition.folder}/part-{run_id}-00000.parquet"
    path = f"{root}/_staging/{run_id}/{name}"
    write_parquet(path, to_arrow(TABLES[partition.table], rows))
    sha256, size_bytes = sha256_of(path)
    staged = f"_staging/{run_id}/{name}"
    return StagedFile(partition.table, staged, name, len(rows), size_bytes, sha256)
