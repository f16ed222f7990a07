"""Documents: rows as they are compared, many at once, as Arrow record batches."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import xxhash

from transforms.dedup.identity import row_ref
from transforms.dedup.signature import SKETCH_BITS, Ragged, sketches

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from schemas.records import KnownEntry

NEW, REVISION, REVISION_OF_REMOVED, REVISION_OF_KEPT, KNOWN = range(5)
"""The standing of a document: a new entry; a revision of an entry that is new in
this run, that an earlier run removed, that it kept; a row of an earlier run.
The last two are never removed."""

UNKNOWN_TIME = np.iinfo(np.int64).min

DOCUMENTS = pa.schema(
    [
        ("ref", pa.uint64()),
        ("entry_id", pa.string()),
        ("cluster_id", pa.string()),
        ("standing", pa.uint8()),
        ("rank", pa.uint64()),
        ("time_us", pa.int64()),
        ("day", pa.int32()),
        ("text_key", pa.uint64()),
        ("text_hash", pa.uint64()),
        ("page_key", pa.uint64()),
        ("shingles", pa.binary()),
        ("numbers", pa.binary()),
        ("names", pa.binary()),
    ]
)
"""time_us since 1970, UNKNOWN_TIME for none; day: of the partition, from year 1;
text_key: 0 for a row without words; the last three: 32-bit hashes, ascending."""

_NUMBERS = ("ref", "rank", "time_us", "day", "text_key", "text_hash", "page_key")
BRIEFS = pa.schema(
    [
        *(DOCUMENTS.field(name) for name in _NUMBERS),
        ("size", pa.uint32()),
        ("sketch", pa.binary(SKETCH_BITS // 8)),
        ("keys", pa.binary()),
    ]
)
"""What documents are found by, and what tells that two cannot be alike.

size: how many shingles; sketch: as ``sketches`` gives it; keys: 64 bits each."""


def documents(known: Sequence[KnownEntry], standing: Sequence[int]) -> pa.RecordBatch:
    """Records as a batch."""
    columns: list[Any] = [
        [row_ref(k.entry_id, k.revision) for k in known],
        [k.entry_id for k in known],
        [k.cluster_id for k in known],
        list(standing),
        [k.rank for k in known],
        [time_us(k) for k in known],
        [day_of(k.date) for k in known],
        [key_of(k.text_key) for k in known],
        [k.text_hash for k in known],
        [k.page_key for k in known],
        [k.shingles for k in known],
        [k.numbers for k in known],
        [k.names for k in known],
    ]
    arrays = [pa.array(c, field.type) for c, field in zip(columns, DOCUMENTS, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=DOCUMENTS)


def briefs(documents: pa.RecordBatch) -> pa.RecordBatch:
    """Documents in brief, without their keys."""
    shingles = ragged(documents.column("shingles"), np.uint32)
    columns = [
        *documents.select(_NUMBERS).columns,
        pa.array(np.diff(shingles.ends, prepend=0), pa.uint32()),
        pa.FixedSizeBinaryArray.from_buffers(
            BRIEFS.field("sketch").type, len(documents), [None, pa.py_buffer(sketches(shingles))]
        ),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema(list(BRIEFS)[:-1]))


def with_keys(briefs: pa.RecordBatch, keys: Ragged) -> pa.RecordBatch:
    """As BRIEFS has them; keys: a list each."""
    return briefs.append_column(BRIEFS.field("keys"), pa.array(keys.packed(), pa.binary()))


def time_us(known: KnownEntry) -> int:
    """Microseconds since 1970; UNKNOWN_TIME where the time is not known."""
    if known.published_at is None or not known.is_time_known:
        return UNKNOWN_TIME
    return int(known.published_at.timestamp() * 1_000_000)


def day_of(date_: str) -> int:
    """The number of a partition's day."""
    return date.fromisoformat(date_).toordinal()


def key_of(text_key: str | None) -> int:
    """The exact text as 64 bits; 0 for none."""
    return xxhash.xxh3_64_intdigest(text_key.encode()) | 1 if text_key else 0


def to_bytes(batch: pa.RecordBatch) -> bytes:
    """An Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return bytes(sink.getvalue())


def from_bytes(blocks: Iterable[bytes], schema: pa.Schema = DOCUMENTS) -> pa.RecordBatch:
    """The batches of several streams as one; none gives an empty one."""
    batches = [batch for block in blocks for batch in pa.ipc.open_stream(block)]
    return pa.concat_batches(batches) if batches else pa.RecordBatch.from_pylist([], schema)


def ragged(column: pa.Array, dtype: type[np.generic]) -> Ragged:
    """A column of binary as lists of numbers, without a copy."""
    offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset :][: len(column) + 1]
    if not len(column):
        return Ragged(np.zeros(0, dtype), np.zeros(0, np.int64))
    data = column.buffers()[2]
    values = np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8)
    size = np.dtype(dtype).itemsize
    part = values[offsets[0] : offsets[-1]].view(dtype)
    return Ragged(part, (offsets[1:].astype(np.int64) - offsets[0]) // size)


def numbers_of(batch: pa.RecordBatch, name: str) -> NDArray[Any]:
    """A column of numbers."""
    column: NDArray[Any] = batch.column(name).to_numpy(zero_copy_only=False)
    return column


def sketches_of(briefs: pa.RecordBatch) -> NDArray[np.uint64]:
    """A row of 64-bit numbers each."""
    column = briefs.column("sketch")
    words = np.frombuffer(column.buffers()[1], np.uint64).reshape(-1, SKETCH_BITS // 64)
    return words[column.offset : column.offset + len(column)]


def places_of(batch: pa.RecordBatch, refs: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Where the documents that are called so stand; each must be there."""
    known = numbers_of(batch, "ref")
    order = np.argsort(known)
    found: NDArray[np.int64] = order[np.searchsorted(known[order], refs)]
    return found
