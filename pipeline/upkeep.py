"""What compact, reindex and check --repair begin with: a sound dataset, nobody else's."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from transforms import storage
from transforms.commit import check_is_dataset, recover
from transforms.lock import dataset_lock

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator


@contextlib.contextmanager
def opened_for_upkeep(options: argparse.Namespace) -> Iterator[str]:
    """DATASET, locked, with interrupted runs carried to their end; says which in a line each.

    Raises UsageError if there is no dataset, DatasetError if it is in use or
    cannot be written to.
    """
    dataset: str = options.dataset
    check_is_dataset(dataset)
    with (
        dataset_lock(dataset, options.command, named="DATASET", sole_writer=options.sole_writer),
        storage.writing(dataset),
    ):
        for run_id in recover(dataset):
            print(f"Run {run_id} had been interrupted: it is complete now.")
        yield dataset
