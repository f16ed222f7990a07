"""``compact``: merges small files and sets earlier revisions aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.upkeep import opened_for_upkeep
from transforms.compact import compact

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Compact, and say what came of it in one line.

    Raises as ``opened_for_upkeep``, and DatasetError if a file of it cannot be read.
    """
    with opened_for_upkeep(options) as dataset:
        manifest = compact(dataset)
    if manifest is None:
        print(f"{dataset}: nothing to compact.")
        return 0
    before, after = len(manifest["removed"]), len(manifest["files"])
    moved = manifest["counts"]["revisions_set_aside"]
    print(
        f"Run {manifest['run_id']} -> {dataset}: {before:,} files became {after:,}; "
        f"{moved:,} earlier revisions moved to revisions/"
    )
    return 0
