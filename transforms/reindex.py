"""Reindex: what later runs must know, from the rows that are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.arrow import ENTRIES, SCHEMA_VERSION
from schemas.counts import COUNTED
from schemas.records import EntryRow, KnownEntry
from transforms import storage
from transforms.commit import commit_run, committed_run_ids, next_run_id, read_manifests
from transforms.dedup.boilerplate import learn_boilerplate
from transforms.dedup.sign import Sighted, removed, sentences_of, sign_again
from transforms.dedup.words import read_words
from transforms.index import KNOWN_PAGES, date_of
from transforms.manifests import committed_files
from transforms.outcomes import utc_now
from transforms.tables import TABLES, Partition, stage_file
from transforms.write import known_boilerplate_row, known_entry_row, to_batch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from transforms.commit import StagedFile
    from transforms.write import Row

_BATCH = 1_000


def rebuild_index(dataset: str) -> dict[str, Any]:
    """Replace the index by one made from the rows; the manifest.

    A run of its own, whose manifest names the files of the old index as
    ``removed``. The dataset must be recovered, and locked by the caller.
    """
    about_run = {"sources": [], "options": {"reindex": True}, "schema_version": SCHEMA_VERSION}
    run_id = next_run_id(committed_run_ids(dataset), about_run)
    now = utc_now().isoformat(timespec="seconds")
    manifest = {
        "run_id": run_id,
        "started_at": now,
        "finished_at": now,
        **about_run,
        "counts": dict.fromkeys(COUNTED, 0),
    }
    present = storage.files_below(dataset, "_index/**.parquet")
    below = {path[len(storage.join(dataset, "")) :] for path in present}
    old = filter(_is_replaced, below | committed_files(read_manifests(dataset)).keys())
    return commit_run(dataset, manifest, stage_index(dataset, run_id), list(old))


def _is_replaced(path: str) -> bool:
    """Every file of the index, but for pages, which are in no row, of this version."""
    return path.startswith("_index/") and not path.startswith(f"{KNOWN_PAGES}/")


def stage_index(dataset: str, run_id: str) -> list[StagedFile]:
    """The index of entries, boilerplate and dead letters, one file a day each, staged for a run.

    One day's rows are held at a time. Boilerplate is learnt from the earlier
    days first, as it was when the rows came.
    """
    by_date: dict[str, dict[str, list[str]]] = {}
    for table in ("entries", "revisions", "duplicates"):
        for path in storage.files_below(dataset, f"{table}/**.parquet"):
            if day := date_of(path):
                tables = by_date.setdefault(day.isoformat(), {})
                tables.setdefault(table, []).append(path)
    staged: list[StagedFile] = []
    boilerplate = np.zeros(0, np.uint64)
    for date, tables in sorted(by_date.items()):
        kept = [one for name in ("entries", "revisions") for one, _ in _seen(tables.get(name, []))]
        gone = list(_seen(tables.get("duplicates", [])))
        learnt = _learn([*kept, *(one for one, _ in gone)])
        fresh = np.setdiff1d(learnt, boilerplate)
        boilerplate = np.union1d(boilerplate, learnt)
        known = _sign(kept, boilerplate)
        known += [
            removed(one, survivor)
            for one, (_, survivor) in zip(
                _sign([one for one, _ in gone], boilerplate), gone, strict=True
            )
        ]
        lines = [known_entry_row(one) for one in known]
        staged += _stage(dataset, run_id, "known_entries", date, lines)
        lines = [known_boilerplate_row(int(key), date) for key in fresh]
        staged += _stage(dataset, run_id, "known_boilerplate", date, lines)
    return staged + _dead_letters(dataset, run_id)


def _dead_letters(dataset: str, run_id: str) -> list[StagedFile]:
    by_date: dict[str, list[Row]] = {}
    for path in storage.files_below(dataset, "dead_letters/**.parquet"):
        if day := date_of(path):
            with storage.open_read(path) as file:
                ids = pq.read_table(file, columns=["dead_letter_id"]).column(0).to_pylist()
            lines = by_date.setdefault(day.isoformat(), [])
            lines += [(dead_letter_id, day.isoformat()) for dead_letter_id in ids]
    return [
        file
        for date, lines in sorted(by_date.items())
        for file in _stage(dataset, run_id, "known_dead_letters", date, lines)
    ]


def _seen(paths: Sequence[str]) -> Iterator[tuple[Sighted, str]]:
    """The rows of files of one day, and what each is a duplicate of."""
    for path in paths:
        topic = path.partition("/topic=")[2].partition("/")[0]
        day = date_of(path)
        with storage.open_read(path) as file, pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(_BATCH):
                for values in batch.to_pylist():
                    fields: dict[str, Any] = {
                        name: tuple(values[name] or ()) if pa.types.is_list(kind) else values[name]
                        for name, kind in zip(ENTRIES.names, ENTRIES.types, strict=True)
                    }
                    row = EntryRow(**fields, date=day.isoformat() if day else "", topic=topic)
                    words = read_words(row.headline, row.body).tobytes()
                    yield Sighted((row,), (words,)), values.get("duplicate_of") or ""


def _learn(seen: Sequence[Sighted]) -> NDArray[np.uint64]:
    found = [sentences_of(batch)[0] for batch in _batches(seen)]
    return learn_boilerplate(np.concatenate(found))


def _sign(seen: Sequence[Sighted], boilerplate: NDArray[np.uint64]) -> list[KnownEntry]:
    return [known for batch in _batches(seen) for known in sign_again(batch, boilerplate)]


def _batches(seen: Sequence[Sighted]) -> list[Sequence[Sighted]]:
    return [seen[begin : begin + _BATCH] for begin in range(0, len(seen), _BATCH)]


def _stage(
    dataset: str, run_id: str, name: str, date: str, rows: list[Row]
) -> Iterator[StagedFile]:
    if rows:
        table = TABLES[name]
        data = pa.Table.from_batches([to_batch(table.batch_schema, rows)])
        partition = Partition(name, table.folder_of([date]))
        yield stage_file(dataset, run_id, partition, 0, data.select(table.schema.names))
