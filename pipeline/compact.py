"""``compact``: merges small files and sets earlier revisions aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transforms import storage
from transforms.commit import check_is_dataset, recover
from transforms.compact import compact
from transforms.lock import dataset_lock

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Compact, and say what came of it in one line.

    Raises UsageError if there is no dataset, DatasetError if it is in use or a
    file of it cannot be read.
    """
    dataset: str = options.dataset
    check_is_dataset(dataset)
    with dataset_lock(dataset, "compact", named="DATASET", sole_writer=options.sole_writer):
        for run_id in recover(dataset):
            print(f"Run {run_id} had been interrupted: it is complete now.")
        with storage.writing(dataset):
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
