"""Deduplicate, as PTransforms: the pure functions of this package over shards.

Rows travel three times: to the other sightings of their entry, to wait for their
publishers' boilerplate, and to what was decided of them. In between only numbers
do, many documents at once. Joins are on bytes of our own, because Beam would
pickle what a CoGroupByKey brings together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.pvalue import AsIter, TaggedOutput

from schemas.records import DEDUP_WINDOW_DAYS, DuplicateRow, EntryRow, KnownEntry
from transforms import storage
from transforms.counters import progress
from transforms.dedup.boilerplate import SENTENCE, learn_boilerplate
from transforms.dedup.candidates import PAIR, POSTING, candidates, known_pairs, postings
from transforms.dedup.documents import DOCUMENTS, from_bytes, numbers_of, to_bytes
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

_BATCH = 1_000
"""So many entries are signed at once."""

_PAIRS_AT_ONCE = 20_000

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


def _ref_key(ref: int) -> bytes:
    return ref.to_bytes(8, "little")  # more than Beam's coder of integers takes


def _shards(values: NDArray[np.uint64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Each shard that has any of the values, and their places."""
    shard = (values >> np.uint64(32)) % np.uint64(SHARDS)
    order = np.argsort(shard, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(shard[order])) + 1):
        if len(part):
            yield int(shard[part[0]]), part


def _by_id(row: EntryRow) -> tuple[str, bytes]:
    return row.entry_id, b"r" + pack(row)


def _ids(rows: list[tuple[str, bytes]]) -> bytes:
    return pack(sorted({entry_id for entry_id, _ in rows}))


class _FindKnown(beam.DoFn):
    """Index files to what they know of the ids of this run."""

    def __init__(self) -> None:
        self._ids: dict[Any, pa.Array] = {}

    def start_bundle(self) -> None:
        self._ids = {}

    def process(
        self, path: str, ids: Iterable[bytes], window: Any = beam.DoFn.WindowParam
    ) -> Iterator[tuple[str, bytes]]:
        if window not in self._ids:
            wanted = {entry_id for packed in ids for entry_id in unpack(list[str], packed)}
            self._ids[window] = pa.array(sorted(wanted), pa.string())
        for known in find_known(path, self._ids[window]):
            yield known.entry_id, b"k" + pack(known)


def _sight(keyed: _Keyed) -> Iterator[Any]:
    packed = list(keyed[1])
    rows = [unpack(EntryRow, one) for one in _tagged(b"r", packed)]
    found = sighted(rows, [unpack(KnownEntry, one) for one in _tagged(b"k", packed)])
    fresh = len(found.rows) if found else 0
    if fresh < len(rows):
        yield TaggedOutput(COUNTS, ("unchanged", len(rows) - fresh))
    if found:
        yield pack(found)


def _unpack_sighted(packed: bytes) -> Sighted:
    return unpack(Sighted, packed)


def _sentences(batch: list[Sighted]) -> Iterator[tuple[int, bytes]]:
    found, publishers = sentences_of(batch)
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
    batch: list[Sighted], learnt: Iterable[bytes], known: Iterable[bytes], near: bool
) -> Iterator[Any]:
    boilerplate = np.unique(_joined([*learnt, *known], np.uint64))
    signed = sign(batch, boilerplate, near=near)
    unchanged = sum(len(one.rows) for one in batch) - len(signed)
    if unchanged:
        yield TaggedOutput(COUNTS, ("unchanged", unchanged))
    if not signed:
        return
    batch_, keys = documents_of([one.known for one in signed], [one.standing for one in signed])
    refs = numbers_of(batch_, "ref")
    for one, ref in zip(signed, refs.tolist(), strict=True):
        yield _ref_key(ref), b"s" + pack(one)
    found = postings(batch_, keys)
    for shard, places in _shards(found["key"]):
        yield TaggedOutput("postings", (shard, found[places].tobytes()))
    for shard, places in _shards(refs):
        yield TaggedOutput("documents", (shard, b"d" + to_bytes(batch_.take(pa.array(places)))))


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
    batch = None
    for block in _tagged(b"r", packed):
        if batch is None:
            batch = from_bytes(_tagged(b"d", packed))
        routed = from_bytes([block])
        beside = batch.take(pa.array(_places(batch, numbers_of(routed, "beside"))))
        edges = list(verify(routed, beside, window_days))
        if edges:
            yield None, pack(edges)


def _settle(keyed: _Keyed, window_days: int) -> Iterator[tuple[bytes, bytes]]:
    edges = (edge for block in keyed[1] for edge in unpack(list[Edge], block))
    for decision in settle(edges, window_days):
        yield _ref_key(decision.ref), b"d" + pack(decision)


def _carry_out(keyed: _Keyed) -> Iterator[Any]:
    packed = list(keyed[1])
    decisions = [unpack(Decision, one) for one in _tagged(b"d", packed)]
    for one in _tagged(b"s", packed):
        written, known = carry_out(unpack(SignedRow, one), decisions[0] if decisions else None)
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
        signed = (
            seen.sighted
            | "UnpackToSign" >> beam.Map(_unpack_sighted)
            | "BatchToSign" >> beam.BatchElements(_BATCH, _BATCH)
            | "Sign"
            >> beam.FlatMap(_sign, *boilerplate, self.near).with_outputs(
                "postings", "documents", COUNTS, main="rows"
            )
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
        packed = rows | "KeyRowsById" >> beam.Map(_by_id).with_output_types(tuple[str, bytes])
        ids = packed | "BatchIds" >> beam.BatchElements(_BATCH, _BATCH) | beam.Map(_ids)
        known = files | "FindKnown" >> beam.ParDo(_FindKnown(), AsIter(ids)).with_output_types(
            tuple[str, bytes]
        )
        return (
            (packed, known)
            | "RowsAndKnown" >> beam.Flatten()
            | "JoinById" >> beam.GroupByKey()
            | "See" >> beam.FlatMap(_sight).with_outputs(COUNTS, main="sighted")
        )

    def _learn_boilerplate(
        self, seen: PCollection[bytes], starts: PCollection[Any]
    ) -> tuple[PCollection[bytes], PCollection[bytes]]:
        """What this run learns, and what earlier runs have learnt."""
        learnt = (
            seen
            | "UnpackToLearn" >> beam.Map(_unpack_sighted)
            | "BatchToLearn" >> beam.BatchElements(_BATCH, _BATCH)
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
