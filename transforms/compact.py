"""Compact: the small files of a partition become one, and earlier revisions move aside.

A compaction is a run of its own: its files are staged, one intent names them and the files
that they replace, one manifest makes them count. No more than one partition's keys
and one file's rows are held at a time.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.arrow import SCHEMA_VERSION
from schemas.errors import DatasetError
from transforms import storage
from transforms.commit import StagedFile, commit_run, next_run_id, read_manifests
from transforms.manifests import committed_files
from transforms.outcomes import utc_now
from transforms.tables import (
    SPILL_BYTES,
    TABLES,
    Chunk,
    Partition,
    conform,
    merge_chunks,
    spill_rows,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SMALL_BYTES = 32 << 20
"""A file below this is merged with the others of its partition, unless one run wrote them all."""

_ROWS_AT_ONCE = 20_000

_File = dict[str, Any]


def compact(dataset: str) -> dict[str, Any] | None:
    """Merge what is small and move earlier revisions to ``revisions``; the manifest, as written.

    None if there is nothing to do. The caller holds the dataset's lock and has
    recovered it. Raises DatasetError if a file cannot be read: nothing is changed then.
    """
    manifests = read_manifests(dataset)
    started_at = utc_now()
    partitions: dict[Partition, list[_File]] = defaultdict(list)
    for final, file in committed_files(manifests).items():
        if file["table"] in TABLES:
            partitions[Partition(file["table"], final.rpartition("/")[0])].append(file)
    about = {"command": "compact", "schema_version": SCHEMA_VERSION, "sources": []}
    run_id = next_run_id([manifest["run_id"] for manifest in manifests], about)
    run = _Compaction(dataset, run_id)
    for partition in sorted(partitions, key=lambda place: (place.table != "entries", place)):
        run.compact_partition(partition, partitions[partition])
    for partition in sorted(run.set_aside):  # where no revision had been set aside before
        run.compact_partition(partition, [])
    if not run.removed:
        return None
    manifest = {
        "run_id": run_id,
        "started_at": started_at.isoformat(timespec="seconds"),
        "finished_at": utc_now().isoformat(timespec="seconds"),
        **about,
        "counts": {"files_merged": len(run.removed), "revisions_set_aside": run.rows_set_aside},
    }
    return commit_run(dataset, manifest, run.staged, run.removed)


class _Compaction:
    """What one compaction has staged so far, and what that replaces."""

    def __init__(self, dataset: str, run_id: str) -> None:
        self._dataset = dataset
        self._run_id = run_id
        self.staged: list[StagedFile] = []
        self.removed: list[str] = []
        self.set_aside: dict[Partition, list[Chunk]] = {}
        self.rows_set_aside = 0

    def compact_partition(self, partition: Partition, files: list[_File]) -> None:
        """Stage what replaces some of these files, if any is to be replaced."""
        waiting = self.set_aside.pop(partition, [])
        latest = self._latest(files) if partition.table == "entries" else None
        chosen = _small(files, at_least=1 if waiting else 2)
        if latest is not None:
            chosen |= {file["final"] for file in files if self._has_earlier(file, latest)}
        if not chosen and not waiting:
            return
        kept, earlier = list(waiting), list[Chunk]()
        held: list[pa.Table] = []
        for file in files:
            if file["final"] not in chosen:
                continue
            for rows in self._rows(file):
                held.append(rows)
                if sum(one.nbytes for one in held) >= SPILL_BYTES:
                    self._spill(partition, held, latest, kept, earlier)
                    held = []
        self._spill(partition, held, latest, kept, earlier)
        if earlier:
            aside = Partition("revisions", partition.folder.replace("entries/", "revisions/", 1))
            self.set_aside[aside] = earlier
        self.removed += sorted(chosen)
        if kept:
            self.staged += merge_chunks(self._dataset, self._run_id, partition, kept)
            paths = {storage.join(self._dataset, chunk.path) for chunk in kept}
            storage.delete(sorted(paths))

    def _spill(
        self,
        partition: Partition,
        held: list[pa.Table],
        latest: pa.Table | None,
        kept: list[Chunk],
        earlier: list[Chunk],
    ) -> None:
        if not held:
            return
        rows = pa.concat_tables(held)
        if latest is not None:
            is_latest = _is_latest(rows, latest)
            past = rows.filter(pc.invert(is_latest))
            self.rows_set_aside += len(past)
            earlier += spill_rows(self._dataset, self._run_id, "revisions", past)
            rows = rows.filter(is_latest)
        kept += spill_rows(self._dataset, self._run_id, partition.table, rows)

    def _latest(self, files: list[_File]) -> pa.Table | None:
        """The latest revision of each entry of a partition; None if none was ever revised."""
        if not any(self._is_revised(file) for file in files):
            return None
        keys = pa.concat_tables(
            rows for file in files for rows in self._rows(file, ["entry_id", "revision"])
        )
        return keys.group_by("entry_id").aggregate([("revision", "max")])

    def _is_revised(self, file: _File) -> bool:
        with _opened(self._path(file)) as parquet:
            column = TABLES["entries"].schema.names.index("revision")
            groups = (parquet.metadata.row_group(n) for n in range(parquet.num_row_groups))
            return any(
                not (found := group.column(column).statistics) or found.max > 0 for group in groups
            )

    def _has_earlier(self, file: _File, latest: pa.Table) -> bool:
        return any(
            not pc.all(_is_latest(rows, latest)).as_py()
            for rows in self._rows(file, ["entry_id", "revision"])
        )

    def _rows(self, file: _File, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """A file's rows, some at a time; with all columns, in the schema of today."""
        read = 0
        with _opened(self._path(file)) as parquet:
            for batch in parquet.iter_batches(_ROWS_AT_ONCE, columns=columns):
                rows = pa.Table.from_batches([batch])
                read += len(rows)
                yield rows if columns else conform(TABLES[file["table"]], rows)
        if read != file["rows"]:
            raise DatasetError(
                f"{self._path(file)} has {read} rows, its run wrote {file['rows']}; see check"
            )

    def _path(self, file: _File) -> str:
        return storage.join(self._dataset, file["final"])


@contextlib.contextmanager
def _opened(path: str) -> Iterator[pq.ParquetFile]:
    with (
        storage.reading(path),
        storage.open_read(path) as file,
        pq.ParquetFile(file, page_checksum_verification=True) as parquet,
    ):
        yield parquet


def _small(files: Iterable[_File], at_least: int) -> set[str]:
    """The small files, if they are of so many runs: what one run wrote is as good as can be."""
    small = [file for file in files if file["size_bytes"] < SMALL_BYTES]
    runs = {file["run_id"] for file in small}
    return {file["final"] for file in small} if len(runs) >= at_least else set()


def _is_latest(rows: pa.Table, latest: pa.Table) -> pa.ChunkedArray:
    place = pc.index_in(rows["entry_id"], latest["entry_id"])
    return pc.equal(rows["revision"], latest["revision_max"].take(place))
