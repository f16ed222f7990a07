"""``check``: verifies a dataset; ``--repair`` mends what needs no guessing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.upkeep import opened_for_upkeep
from transforms import storage
from transforms.check import QUARANTINE, Fault, find_faults
from transforms.commit import check_is_dataset, claim
from transforms.lock import check_is_free
from transforms.manifests import MARKER
from transforms.reindex import rebuild_index

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable


def run(options: argparse.Namespace) -> int:
    """Name each fault on a line of its own; 1 if there is any, 0 with one line if not.

    Raises UsageError if there is no dataset, DatasetError if it is in use.
    """
    dataset: str = options.dataset
    if options.repair:
        with opened_for_upkeep(options):
            repair(dataset)
            return _tell(dataset, find_faults(dataset))
    check_is_dataset(dataset)
    check_is_free(dataset)
    return _tell(dataset, find_faults(dataset))


def repair(dataset: str) -> None:
    """Move strays to where nobody reads, and rebuild an index that disagrees with sound rows.

    The dataset must be recovered, and locked by the caller. Says each step in
    one line. What is lost or damaged stays as it is.
    """
    faults = list(find_faults(dataset))
    for fault in faults:
        if fault.path == MARKER:
            claim(dataset, "DATASET")
            print(f"mended: {MARKER} is there again")
        elif fault.kind == "stray":
            aside = storage.join(dataset, QUARANTINE, fault.path)
            storage.move(storage.join(dataset, fault.path), aside)
            print(f"mended: {fault.path} belonged to no run, it is in {QUARANTINE} now")
    kinds = {fault.kind for fault in faults if fault.path != MARKER}
    if "index" in kinds and "damage" not in kinds:
        rebuild_index(dataset)
        print("mended: the index is made anew from the rows")


def _tell(dataset: str, faults: Iterable[Fault]) -> int:
    n = 0
    for n, fault in enumerate(faults, 1):  # noqa: B007
        print(fault)
    if not n:
        print(f"{dataset}: nothing is wrong.")
    return 1 if n else 0
