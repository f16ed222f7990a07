"""Deduplicate, as PTransforms: the pure functions of this package over shards.

Rows travel three times: to the other sightings of their entry, to wait for their
publishers' boilerplate, and to what was decided of them. In between only numbers
do. All travel many at once, in blocks by shard, because Beam takes longer over an
element than these functions over a row; all that belongs to an entry is in one
shard. Joins are on bytes of our own, because Beam would pickle what a CoGroupByKey
brings together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.pvalue import AsIter, TaggedOutput
from apache_beam.utils.windowed_value import WindowedValue

from schemas.records import DEDUP_WINDOW_DAYS, DuplicateRow, EntryRow, KnownEntry
from transforms import storage
from transforms.counters import progress
from transforms.dedup.boilerplate import SENTENCE, learn_boilerplate
from transforms.dedup.candidates import PAIR, POSTING, candidates, known_pairs, postings
from transforms.dedup.documents import DOCUMENTS, from_bytes, numbers_of, to_bytes
from transforms.dedup.identity import row_ref
from transforms.dedup.settle import Decision, settle
from transforms.dedup.sign import (
    Sighted,
    SignedRow,
    carry_out,
    documents_of,
    sentences_of,
    sighted,
    sign,
)
from transforms.dedup.signature import Ragged
from transforms.dedup.verify import Edge, verify
from transforms.index import (
    KNOWN_BOILERPLATE,
    KNOWN_ENTRIES,
    KnownFile,
    KnownFiles,
    date_of,
    days_around,
    find_known,
    read_known_boilerplate,
)
from transforms.outcomes import COUNTS
from transforms.transport import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from apache_beam.pvalue import PCollection
    from numpy.typing import NDArray

SHARDS = 32
"""How many parts the work is cut into. No outcome depends on it."""

_BLOCK_ROWS = 200
"""So many rows of a shard are one element on their way to it."""

_BATCH = 1_000
"""So many entries are signed at once."""

_PAIRS_AT_ONCE = 20_000
_BYTES_AT_ONCE = 16 << 20

_ROUTED = DOCUMENTS.append(pa.field("beside", pa.uint64()))
"""Documents on their way to those they are to be compared with."""

_Keyed = tuple[Any, "Iterable[bytes]"]


class DedupOutputs(NamedTuple):
    """What comes out of Deduplicate.

    known: one KnownEntry for every entry and duplicate, for the index.
    boilerplate: keys of sentences that were learnt now, for the index.
    counts: ``(name, n)`` pairs.
    """

    entries: PCollection[EntryRow]
    duplicates: PCollection[DuplicateRow]
    known: PCollection[KnownEntry]
    boilerplate: PCollection[int]
    counts: PCollection[tuple[str, int]]


def _tagged(tag: bytes, packed: Iterable[bytes]) -> list[bytes]:
    return [one[1:] for one in packed if one[:1] == tag]


def _shard_of(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """By the upper bits: those of a ref are the same for all revisions of an entry."""
    shard: NDArray[np.uint64] = (values >> np.uint64(48)) % np.uint64(SHARDS)
    return shard


def _shards(values: NDArray[np.uint64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Each shard that has any of the values, and their places."""
    shard = _shard_of(values)
    order = np.argsort(shard, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(shard[order])) + 1):
        if len(part):
            yield int(shard[part[0]]), part


def _shard_of_entry(entry_id: str) -> int:
    return (row_ref(entry_id, 0) >> 48) % SHARDS


class _PackRows(beam.DoFn):
    """Rows to blocks for the shards of their entries; ``ids``: of each block."""

    def __init__(self) -> None:
        self._rows: dict[tuple[Any, int], list[EntryRow]] = {}

    def start_bundle(self) -> None:
        self._rows = {}

    def process(self, row: EntryRow, window: Any = beam.DoFn.WindowParam) -> Iterator[Any]:
        shard = _shard_of_entry(row.entry_id)
        rows = self._rows.setdefault((window, shard), [])
        rows.append(row)
        if len(rows) >= _BLOCK_ROWS:
            del self._rows[window, shard]
            yield shard, b"r" + pack(rows)
            yield TaggedOutput("ids", _ids(rows))

    def finish_bundle(self) -> Iterator[Any]:
        for (window, shard), rows in self._rows.items():
            at = window.max_timestamp()
            yield WindowedValue((shard, b"r" + pack(rows)), at, (window,))
            yield TaggedOutput("ids", WindowedValue(_ids(rows), at, (window,)))


def _ids(rows: list[EntryRow]) -> bytes:
    return pack(sorted({row.entry_id for row in rows}))


class _FindKnown(beam.DoFn):
    """Index files to what they know of the ids of this run."""

    def __init__(self) -> None:
        self._ids: dict[Any, pa.Array] = {}

    def start_bundle(self) -> None:
        self._ids = {}

    def process(
        self, path: str, ids: Iterable[bytes], window: Any = beam.DoFn.WindowParam
    ) -> Iterator[tuple[int, bytes]]:
        if window not in self._ids:
            wanted = {entry_id for packed in ids for entry_id in unpack(list[str], packed)}
            self._ids[window] = pa.array(sorted(wanted), pa.string())
        found: dict[int, list[KnownEntry]] = {}
        for known in find_known(path, self._ids[window]):
            found.setdefault(_shard_of_entry(known.entry_id), []).append(known)
        for shard, lines in found.items():
            yield shard, b"k" + pack(lines)


def _sight(keyed: _Keyed) -> Iterator[Any]:
    by_id: dict[str, tuple[list[EntryRow], list[KnownEntry]]] = {}
    packed = list(keyed[1])
    for block in _tagged(b"r", packed):
        for row in unpack(list[EntryRow], block):
            by_id.setdefault(row.entry_id, ([], []))[0].append(row)
    for block in _tagged(b"k", packed):
        for known in unpack(list[KnownEntry], block):
            by_id[known.entry_id][1].append(known)
    batch: list[Sighted] = []
    unchanged = 0
    for rows, lines in by_id.values():
        found = sighted(rows, lines)
        unchanged += len(rows)
        if found:
            unchanged -= len(found.rows)
            batch.append(found)
            if len(batch) >= _BATCH:
                yield pack(batch)
                batch = []
    if batch:
        yield pack(batch)
    if unchanged:
        yield TaggedOutput(COUNTS, ("unchanged", unchanged))


def _sentences(block: bytes) -> Iterator[tuple[int, bytes]]:
    found, publishers = sentences_of(unpack(list[Sighted], block))
    for shard, places in _shards(publishers):
        yield shard, found[places].tobytes()


def _learn(keyed: _Keyed) -> Iterator[bytes]:
    found = learn_boilerplate(_joined(keyed[1], SENTENCE))
    if len(found):
        yield found.tobytes()


def _joined(blocks: Iterable[bytes], dtype: Any) -> NDArray[Any]:
    return np.frombuffer(b"".join(blocks), dtype)


def _new_boilerplate(learnt: bytes, known: Iterable[bytes]) -> list[int]:
    fresh = np.setdiff1d(_joined([learnt], np.uint64), _joined(known, np.uint64))
    return [int(key) for key in fresh]


def _sign(
    block: bytes, learnt: Iterable[bytes], known: Iterable[bytes], near: bool
) -> Iterator[Any]:
    batch = unpack(list[Sighted], block)
    boilerplate = np.unique(_joined([*learnt, *known], np.uint64))
    signed = sign(batch, boilerplate, near=near)
    unchanged = sum(len(one.rows) for one in batch) - len(signed)
    if unchanged:
        yield TaggedOutput(COUNTS, ("unchanged", unchanged))
    if not signed:
        return
    batch_, keys = documents_of([one.known for one in signed], [one.standing for one in signed])
    shard = int(_shard_of(numbers_of(batch_, "ref")[:1])[0])
    yield shard, b"s" + pack(signed)
    yield TaggedOutput("documents", (shard, b"d" + to_bytes(batch_)))
    found = postings(batch_, keys)
    for shard, places in _shards(found["key"]):
        yield TaggedOutput("postings", (shard, found[places].tobytes()))


def _find_candidates(keyed: _Keyed, window_days: int) -> Iterator[Any]:
    found = candidates(_joined(keyed[1], POSTING), window_days)
    if found.large_buckets:
        yield TaggedOutput(COUNTS, ("dedup_large_buckets", found.large_buckets))
    for shard, places in _shards(found.pairs["a"]):
        yield shard, b"p" + found.pairs[places].tobytes()


def _route(keyed: _Keyed) -> Iterator[tuple[int, bytes]]:
    """Send a copy of each document of a pair to where the other one is."""
    packed = list(keyed[1])
    pairs = np.unique(_joined(_tagged(b"p", packed), PAIR))
    if len(pairs):
        batch = from_bytes(_tagged(b"d", packed))
        places = _places(batch, pairs["a"])
        yield from _routed(batch, places, pairs["b"])


def _places(batch: pa.RecordBatch, refs: NDArray[np.uint64]) -> NDArray[np.int64]:
    known = numbers_of(batch, "ref")
    order = np.argsort(known)
    found: NDArray[np.int64] = order[np.searchsorted(known[order], refs)]
    return found


def _routed(
    batch: pa.RecordBatch, places: NDArray[np.int64], beside: NDArray[np.uint64]
) -> Iterator[tuple[int, bytes]]:
    for shard, part in _shards(beside):
        for begin in range(0, len(part), _PAIRS_AT_ONCE):
            some = part[begin : begin + _PAIRS_AT_ONCE]
            columns = [*batch.take(pa.array(places[some])).columns, pa.array(beside[some])]
            routed = pa.RecordBatch.from_arrays(columns, schema=_ROUTED)
            yield shard, b"r" + to_bytes(routed)


class _Probe(beam.DoFn):
    """Index files to those of their documents that share a key with new ones."""

    def __init__(self, window_days: int) -> None:
        self._window_days = window_days

    def start_bundle(self) -> None:
        self._new: dict[Any, tuple[NDArray[np.void], set[int]]] = {}

    def process(
        self,
        path: str,
        blocks: Iterable[tuple[int, bytes]],
        window: Any = beam.DoFn.WindowParam,
    ) -> Iterator[Any]:
        if window not in self._new:
            found = _joined((block for _, block in blocks), POSTING)[["key", "day", "ref"]]
            days = days_around(np.unique(found["day"]).tolist(), self._window_days)
            self._new[window] = found[np.argsort(found["key"])], days
        new, days = self._new[window]
        day = date_of(path)
        if not len(new) or (day and day.toordinal() not in days):
            return
        with (
            storage.reading(path),
            storage.open_read(path) as opened,
            pq.ParquetFile(opened) as parquet,
        ):
            file = KnownFile(parquet)
            for group in file.groups():
                known = file.keys(group)
                pairs = known_pairs(new, Ragged(known.values, known.ends), known.ranks)
                if pairs.large_buckets:
                    yield TaggedOutput(COUNTS, ("dedup_large_buckets", pairs.large_buckets))
                if len(pairs.places):
                    rows, places = np.unique(pairs.places, return_inverse=True)
                    batch, _ = documents_of(file.rows(group, rows))
                    yield from _routed(batch, places, pairs.beside)


def _verify(keyed: _Keyed, window_days: int) -> Iterator[tuple[None, bytes]]:
    packed = list(keyed[1])
    blocks = _tagged(b"r", packed)
    if not blocks:
        return
    batch = from_bytes(_tagged(b"d", packed))
    for some in _at_once(blocks):
        routed = from_bytes(some)
        beside = batch.take(pa.array(_places(batch, numbers_of(routed, "beside"))))
        edges = list(verify(routed, beside, window_days))
        if edges:
            yield None, pack(edges)


def _at_once(blocks: list[bytes]) -> Iterator[list[bytes]]:
    """Blocks in groups of no more than _BYTES_AT_ONCE and one block."""
    some: list[bytes] = []
    size_bytes = 0
    for block in blocks:
        some.append(block)
        size_bytes += len(block)
        if size_bytes >= _BYTES_AT_ONCE:
            yield some
            some, size_bytes = [], 0
    if some:
        yield some


def _settle(keyed: _Keyed, window_days: int) -> Iterator[tuple[int, bytes]]:
    edges = (edge for block in keyed[1] for edge in unpack(list[Edge], block))
    decisions = settle(edges, window_days)
    refs = np.array([decision.ref for decision in decisions], np.uint64)
    for shard, places in _shards(refs):
        yield shard, b"d" + pack([decisions[place] for place in places.tolist()])


def _carry_out(keyed: _Keyed) -> Iterator[Any]:
    packed = list(keyed[1])
    decisions = {
        decision.ref: decision
        for block in _tagged(b"d", packed)
        for decision in unpack(list[Decision], block)
    }
    for block in _tagged(b"s", packed):
        for one in unpack(list[SignedRow], block):
            ref = row_ref(one.row.entry_id, one.row.revision)
            written, known = carry_out(one, decisions.get(ref))
            yield TaggedOutput("known", known)
            if isinstance(written, DuplicateRow):
                progress.add("duplicates")
                yield TaggedOutput("duplicates", written)
            else:
                yield written


@dataclass
class Deduplicate(beam.PTransform[Any, Any]):
    """Rows -> entries to keep (new ones and revisions) and duplicates, whole.

    Takes ``{"rows": EntryRow..., "starts": one element for each run}``.

    dataset: whose index is held against the rows. window_days: how far apart two
    rows may be published that tell the same. near: whether edited copies are
    looked for, too. Every row comes out once, or is counted as ``unchanged``;
    ``dedup_large_buckets`` counts keys that too many documents share for all of
    them to be compared.
    """

    dataset: str
    window_days: int = DEDUP_WINDOW_DAYS
    near: bool = True

    def expand(self, inputs: dict[str, PCollection[Any]]) -> DedupOutputs:
        """Identity, boilerplate, signatures, candidates, verification, clusters."""
        rows, starts = inputs["rows"], inputs["starts"]
        files = starts | KnownFiles(self.dataset, KNOWN_ENTRIES)
        seen = self._see(rows, files)
        learnt, known = self._learn_boilerplate(seen.sighted, starts)
        boilerplate = (AsIter(learnt), AsIter(known))
        signed = seen.sighted | "Sign" >> beam.FlatMap(_sign, *boilerplate, self.near).with_outputs(
            "postings", "documents", COUNTS, main="rows"
        )
        found = (
            signed.postings
            | "GroupPostings" >> beam.GroupByKey()
            | "FindCandidates"
            >> beam.FlatMap(_find_candidates, self.window_days).with_outputs(COUNTS, main="pairs")
        )
        probed = files | "ProbeIndex" >> beam.ParDo(
            _Probe(self.window_days), AsIter(signed.postings)
        ).with_outputs(COUNTS, main="routed")
        routed = (
            (signed.documents, found.pairs)
            | "DocumentsAndPairs" >> beam.Flatten()
            | "JoinFirst" >> beam.GroupByKey()
            | "Route" >> beam.FlatMap(_route)
        )
        decisions = (
            (signed.documents, routed, probed.routed)
            | "DocumentsAndRouted" >> beam.Flatten()
            | "JoinSecond" >> beam.GroupByKey()
            | "Verify" >> beam.FlatMap(_verify, self.window_days)
            | "GatherEdges" >> beam.GroupByKey()
            | "Settle" >> beam.FlatMap(_settle, self.window_days)
        )
        settled = (
            (signed.rows, decisions)
            | "RowsAndDecisions" >> beam.Flatten()
            | "JoinDecisions" >> beam.GroupByKey()
            | "CarryOut"
            >> beam.FlatMap(_carry_out).with_outputs("duplicates", "known", main="rows")
        )
        counts = (
            seen[COUNTS],
            signed[COUNTS],
            found[COUNTS],
            probed[COUNTS],
        ) | "DedupCounts" >> beam.Flatten()
        # Outputs with tags have no type hints; without them Beam would pickle.
        settled.rows.element_type = EntryRow
        settled.duplicates.element_type = DuplicateRow
        settled.known.element_type = KnownEntry
        fresh = learnt | "NewBoilerplate" >> beam.FlatMap(_new_boilerplate, AsIter(known))
        return DedupOutputs(settled.rows, settled.duplicates, settled.known, fresh, counts)

    def _see(self, rows: PCollection[EntryRow], files: PCollection[str]) -> Any:
        """What may be new of each entry, with what is known of it: ``sighted``, ``counts``."""
        packed = rows | "PackRows" >> beam.ParDo(_PackRows()).with_outputs("ids", main="blocks")
        known = files | "FindKnown" >> beam.ParDo(_FindKnown(), AsIter(packed.ids))
        return (
            (packed.blocks, known)
            | "RowsAndKnown" >> beam.Flatten()
            | "JoinByEntry" >> beam.GroupByKey()
            | "See" >> beam.FlatMap(_sight).with_outputs(COUNTS, main="sighted")
        )

    def _learn_boilerplate(
        self, seen: PCollection[bytes], starts: PCollection[Any]
    ) -> tuple[PCollection[bytes], PCollection[bytes]]:
        """What this run learns, and what earlier runs have learnt."""
        learnt = (
            seen
            | "DescribeSentences" >> beam.FlatMap(_sentences)
            | "GroupPublishers" >> beam.GroupByKey()
            | "Learn" >> beam.FlatMap(_learn)
        )
        known = (
            starts
            | "BoilerplateFiles" >> KnownFiles(self.dataset, KNOWN_BOILERPLATE)
            | beam.Map(read_known_boilerplate)
        )
        return learnt, known


def _new_dead_letters(keyed: tuple[str, dict[str, Iterable[Any]]]) -> Iterator[Any]:
    _, group = keyed
    letters = sorted(group["letters"], key=lambda letter: (letter.failed_at, letter.source))
    if letters and not list(group["known"]):
        yield letters.pop(0)
    if letters:
        yield TaggedOutput(COUNTS, ("dead_letters_repeated", len(letters)))


@dataclass
class DeduplicateDeadLetters(beam.PTransform[Any, Any]):
    """Dead letters -> those that no earlier run of the day has written.

    Takes ``{"letters": DeadLetter..., "known": dead letter ids of the index}``.
    """

    def expand(self, inputs: dict[str, PCollection[Any]]) -> Any:
        """Outputs: ``letters`` and ``counts`` (``dead_letters_repeated``)."""
        letters, known = inputs["letters"], inputs["known"]
        return (
            {
                "letters": letters | "KeyLetters" >> beam.Map(lambda d: (d.dead_letter_id, d)),
                "known": known | "KeyKnown" >> beam.Map(lambda known_id: (known_id, None)),
            }
            | "JoinLetters" >> beam.CoGroupByKey()
            | "New" >> beam.FlatMap(_new_dead_letters).with_outputs(COUNTS, main="letters")
        )
