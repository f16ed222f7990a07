"""``reindex DATASET``: what later runs must know of entries, from the entries themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.errors import UsageError
from transforms.commit import claim, committed_run_ids, recover
from transforms.lock import dataset_lock
from transforms.reindex import rebuild_index

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Rebuild, and say of how many rows."""
    dataset, named = options.dataset, "DATASET"
    if not committed_run_ids(dataset):
        raise UsageError(f"{named} {dataset}: holds no run of a dataset; name the folder of one")
    with dataset_lock(dataset, options.command, named=named, sole_writer=options.sole_writer):
        claim(dataset, named)
        recover(dataset)
        manifest = rebuild_index(dataset)
    rows = sum(file["rows"] for file in manifest["files"] if file["table"] == "known_entries")
    print(f"Run {manifest['run_id']}: the index of {dataset} knows {rows:,} rows.")
    return 0
