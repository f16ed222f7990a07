"""``reindex DATASET``: what later runs must know of entries, from the entries themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.upkeep import opened_for_upkeep
from transforms.reindex import rebuild_index

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Rebuild, and say of how many rows; raises as ``opened_for_upkeep``."""
    with opened_for_upkeep(options) as dataset:
        manifest = rebuild_index(dataset)
    rows = sum(file["rows"] for file in manifest["files"] if file["table"] == "known_entries")
    print(f"Run {manifest['run_id']}: the index of {dataset} knows {rows:,} rows.")
    return 0
