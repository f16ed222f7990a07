"""Small datasets for tests, written by the code that writes them in a run."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.counts import COUNTED
from transforms.commit import claim, commit_run, committed_run_ids
from transforms.dedup.identity import known_entry
from transforms.tables import TABLES, Chunk, Partition, merge_chunks, spill
from transforms.write import (
    Row,
    dead_letter_row,
    duplicate_row,
    entry_row,
    known_dead_letter_row,
    known_entry_row,
    to_batch,
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
    known = [known_entry(entry) for entry in entries or []]
    known += [
        replace(known_entry(copy.row), duplicate_of=copy.duplicate_of) for copy in duplicates or []
    ]
    rows: dict[str, list[Row]] = {
        "entries": [entry_row(entry) for entry in entries or []],
        "duplicates": [duplicate_row(duplicate) for duplicate in duplicates or []],
        "known_entries": [known_entry_row(one) for one in known],
        "dead_letters": [dead_letter_row(letter, run_id) for letter in letters or []],
        "known_dead_letters": [known_dead_letter_row(letter) for letter in letters or []],
    }
    parts: dict[tuple[str, str], list[Chunk]] = defaultdict(list)
    for name, values in rows.items():
        batches = [to_batch(TABLES[name].batch_schema, values)] if values else []
        for partition, chunk in spill(str(root), run_id, name, batches):
            parts[partition].append(chunk)
    written = {name: len(values) for name, values in rows.items() if not name.startswith("known")}
    manifest: dict[str, Any] = {
        "run_id": run_id,
        "started_at": "2026-05-12T20:00:00+00:00",
        "finished_at": "2026-05-12T20:00:30+00:00",
        "sources": ["url:test"],
        "counts": {**dict.fromkeys(COUNTED, 0), **written, **counts},
    }
    staged = [
        file
        for partition, chunks in parts.items()
        for file in merge_chunks(str(root), run_id, Partition(*partition), chunks)
    ]
    commit_run(str(root), manifest, staged)
    return run_id
