"""Deduplicate, as PTransforms: the pure functions of this package over shards.

Rows travel three times: to the other sightings of their entry, to wait for their
publishers' boilerplate, and to what was decided of them. In between only numbers
do, and a document travels to another only if both in brief do not tell already
that they are not alike. All travel many at once, in blocks by shard, because Beam
takes longer over an element than these functions over a row; all that belongs to
an entry is in one shard. Blocks are compressed, because a local runner holds
several copies of whatever waits in a join. Joins are on bytes of our own, because
Beam would pickle what a CoGroupByKey brings together.

There are no side inputs: what all shards must know is sent to each of them, and
waits in the join. A window of an unbounded pipeline would wait for a side input
that has nothing for it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.pvalue import TaggedOutput
from apache_beam.utils.windowed_value import WindowedValue

from schemas.records import DEDUP_WINDOW_DAYS, DuplicateRow, EntryRow, KnownEntry
from transforms import storage
from transforms.counters import progress
from transforms.dedup.boilerplate import SENTENCE, learn_boilerplate
from transforms.dedup.candidates import PAIR, candidates, known_pairs, postings
from transforms.dedup.documents import (
    BRIEFS,
    DOCUMENTS,
    briefs,
    from_bytes,
    numbers_of,
    places_of,
    ragged,
    to_bytes,
    with_keys,
)
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
from transforms.dedup.verify import Edge, sift, verify
from transforms.index import (
    KNOWN_BOILERPLATE,
    KNOWN_ENTRIES,
    KnownFiles,
    date_of,
    days_around,
    find_known,
    known_file,
    read_known_boilerplate,
)
from transforms.outcomes import COUNTS
from transforms.transport import pack_many, unpack_many

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from apache_beam.pvalue import PCollection
    from numpy.typing import NDArray

SHARDS = 32
"""How many parts the work is cut into. No outcome depends on it."""

_PARTS = 8
"""How many parts the index is read in, and keys are compared in. All ids go to each
of the former, and nearly all documents in brief to each of the latter, so they are few."""

_BLOCK_ROWS = 200
"""So many rows of a shard are one element on their way to it."""

_BATCH = 1_000
"""So many entries are signed at once."""

_PAIRS_AT_ONCE = 20_000
_BYTES_AT_ONCE = 16 << 20

_ROUTED = DOCUMENTS.append(pa.field("beside", pa.uint64()))
"""Documents on their way to those they are to be compared with."""

_KEY_OF_REF = np.dtype([("key", np.uint64), ("ref", np.uint64)])

_PROBES = pa.schema([("ref", pa.uint64()), ("day", pa.int32()), ("keys", pa.binary())])
"""Documents on their way to parts of the index; keys: 64 bits each."""

_Keyed = tuple[int, "Iterable[bytes]"]


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


def _to_each(block: bytes, keys: int) -> Iterator[tuple[int, bytes]]:
    for key in range(keys):
        yield key, block


def _shard_of(values: NDArray[np.uint64], shards: int) -> NDArray[np.uint64]:
    """By the upper bits: those of a ref are the same for all revisions of an entry."""
    shard: NDArray[np.uint64] = (values >> np.uint64(48)) % np.uint64(shards)
    return shard


def _shards(values: NDArray[np.uint64], shards: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Each shard that has any of the values, and their places."""
    shard = _shard_of(values, shards)
    order = np.argsort(shard, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(shard[order])) + 1):
        if len(part):
            yield int(shard[part[0]]), part


def _shard_of_entry(entry_id: str) -> int:
    return (row_ref(entry_id, 0) >> 48) % SHARDS


class _PackRows(beam.DoFn):
    """Rows to blocks for the shards of their entries; ``ids`` of each block to all parts."""

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
            yield shard, b"r" + pack_many(rows)
            for of_part in _to_each(_ids(rows), _PARTS):
                yield TaggedOutput("ids", of_part)

    def finish_bundle(self) -> Iterator[Any]:
        for (window, shard), rows in self._rows.items():
            at = window.max_timestamp()
            yield WindowedValue((shard, b"r" + pack_many(rows)), at, (window,))
            for of_part in _to_each(_ids(rows), _PARTS):
                yield TaggedOutput("ids", WindowedValue(of_part, at, (window,)))


def _ids(rows: list[EntryRow]) -> bytes:
    return b"i" + pack_many(sorted({row.entry_id for row in rows}))


def _list_index(_start: Any, dataset: str) -> dict[int, list[str]]:
    """The files of known entries, by the part they are in."""
    parts: dict[int, list[str]] = {}
    for path in storage.files_below(dataset, f"{KNOWN_ENTRIES}/**.parquet"):
        parts.setdefault(zlib.crc32(path.encode()) % _PARTS, []).append(path)
    return parts


def _files(parts: dict[int, list[str]]) -> Iterator[tuple[int, bytes]]:
    for part, paths in parts.items():
        yield part, b"f" + pack_many(paths)


def _parts(parts: dict[int, list[str]]) -> Iterator[tuple[int, bytes]]:
    yield from _to_each(b"f" + pack_many(sorted(parts)), SHARDS)


def _paths(packed: Iterable[bytes]) -> list[str]:
    return [path for block in _tagged(b"f", packed) for path in unpack_many(str, block)]


def _find_known(keyed: _Keyed) -> Iterator[tuple[int, bytes]]:
    """What a part of the index knows of the ids of this run."""
    packed = list(keyed[1])
    ids = {one for block in _tagged(b"i", packed) for one in unpack_many(str, block)}
    wanted = pa.array(sorted(ids), pa.string())
    found: dict[int, list[KnownEntry]] = {}
    for path in _paths(packed) if ids else ():
        for known in find_known(path, wanted):
            found.setdefault(_shard_of_entry(known.entry_id), []).append(known)
    for shard, lines in found.items():
        yield shard, b"k" + pack_many(lines)


def _sight(keyed: _Keyed) -> Iterator[Any]:
    by_id: dict[str, tuple[list[EntryRow], list[KnownEntry]]] = {}
    packed = list(keyed[1])
    for block in _tagged(b"r", packed):
        for row in unpack_many(EntryRow, block):
            by_id.setdefault(row.entry_id, ([], []))[0].append(row)
    for block in _tagged(b"k", packed):
        for known in unpack_many(KnownEntry, block):
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
                yield keyed[0], b"e" + pack_many(batch)
                batch = []
    if batch:
        yield keyed[0], b"e" + pack_many(batch)
    if unchanged:
        yield TaggedOutput(COUNTS, ("unchanged", unchanged))


def _sentences(keyed: tuple[int, bytes]) -> Iterator[tuple[int, bytes]]:
    found, publishers = sentences_of(unpack_many(Sighted, keyed[1][1:]))
    for shard, places in _shards(publishers, SHARDS):
        yield shard, b"s" + found[places].tobytes()


def _known_boilerplate(keyed: tuple[None, Iterable[bytes]]) -> Iterator[tuple[int, bytes]]:
    yield from _to_each(b"k" + np.unique(_joined(keyed[1], np.uint64)).tobytes(), SHARDS)


def _learn(keyed: _Keyed) -> Iterator[Any]:
    """Keys that are new; ``boilerplate``: all that stand in these texts, to each shard."""
    packed = list(keyed[1])
    found = _joined(_tagged(b"s", packed), SENTENCE)
    if not len(found):
        return
    known = _joined(_tagged(b"k", packed), np.uint64)
    learnt = learn_boilerplate(found)
    yield from np.setdiff1d(learnt, known).tolist()
    boilerplate = np.union1d(learnt, np.intersect1d(known, found["key"]))
    if len(boilerplate):
        for of_shard in _to_each(b"b" + boilerplate.tobytes(), SHARDS):
            yield TaggedOutput("boilerplate", of_shard)


def _joined(blocks: Iterable[bytes], dtype: Any) -> NDArray[Any]:
    return np.frombuffer(b"".join(blocks), dtype)


def _sign(keyed: _Keyed, near: bool) -> Iterator[Any]:
    packed = list(keyed[1])
    boilerplate = np.unique(_joined(_tagged(b"b", packed), np.uint64))
    parts = [part for block in _tagged(b"f", packed) for part in unpack_many(int, block)]
    for block in _tagged(b"e", packed):
        yield from _sign_batch(unpack_many(Sighted, block), boilerplate, parts, near)


def _sign_batch(
    batch: list[Sighted], boilerplate: NDArray[np.uint64], parts: list[int], near: bool
) -> Iterator[Any]:
    signed = sign(batch, boilerplate, near=near)
    unchanged = sum(len(one.rows) for one in batch) - len(signed)
    if unchanged:
        yield TaggedOutput(COUNTS, ("unchanged", unchanged))
    if not signed:
        return
    batch_, keys = documents_of([one.known for one in signed], [one.standing for one in signed])
    shard = int(_shard_of(numbers_of(batch_, "ref")[:1], SHARDS)[0])
    yield shard, b"s" + pack_many(signed)
    yield TaggedOutput("documents", (shard, b"d" + to_bytes(batch_)))
    for of_part in _briefs_by_part(batch_, keys):
        yield TaggedOutput("briefs", of_part)
    own_keys = pa.array([one.known.keys for one in signed], pa.binary())
    columns = [batch_.column("ref"), batch_.column("day"), own_keys]
    probes = b"p" + to_bytes(pa.RecordBatch.from_arrays(columns, schema=_PROBES))
    for part in parts:
        yield TaggedOutput("probes", (part, probes))


def _briefs_by_part(batch: pa.RecordBatch, keys: Ragged) -> Iterator[tuple[int, bytes]]:
    """To each part the documents that have keys there, with those keys."""
    in_brief = briefs(batch)
    values = keys.values.astype(np.uint64, copy=False)
    owner = np.repeat(np.arange(len(batch)), np.diff(keys.ends, prepend=0))
    for part, places in _shards(values, _PARTS):
        rows, counts = np.unique(owner[places], return_counts=True)
        of_part = Ragged(values[places], np.cumsum(counts))
        yield part, to_bytes(with_keys(in_brief.take(pa.array(rows)), of_part))


def _find_candidates(keyed: _Keyed, window_days: int) -> Iterator[Any]:
    in_brief = from_bytes(keyed[1], BRIEFS)
    found = candidates(postings(in_brief), window_days)
    if found.large_buckets:
        yield TaggedOutput(COUNTS, ("dedup_large_buckets", found.large_buckets))
    pairs = sift(found.pairs, in_brief, window_days)
    for shard, places in _shards(pairs["a"], SHARDS):
        yield shard, b"p" + pairs[places].tobytes()


def _route(keyed: _Keyed) -> Iterator[tuple[int, bytes]]:
    """Send on all documents, and a copy of the first of each pair to where the other one is."""
    packed = list(keyed[1])
    yield from ((keyed[0], block) for block in packed if block[:1] == b"d")
    pairs = np.unique(_joined(_tagged(b"p", packed), PAIR))
    if len(pairs):
        batch = from_bytes(_tagged(b"d", packed))
        places = places_of(batch, pairs["a"])
        yield from _routed(batch, places, pairs["b"])


def _routed(
    batch: pa.RecordBatch, places: NDArray[np.int64], beside: NDArray[np.uint64]
) -> Iterator[tuple[int, bytes]]:
    for shard, part in _shards(beside, SHARDS):
        for begin in range(0, len(part), _PAIRS_AT_ONCE):
            some = part[begin : begin + _PAIRS_AT_ONCE]
            columns = [*batch.take(pa.array(places[some])).columns, pa.array(beside[some])]
            routed = pa.RecordBatch.from_arrays(columns, schema=_ROUTED)
            yield shard, b"r" + to_bytes(routed)


def _probe(keyed: _Keyed, window_days: int) -> Iterator[Any]:
    """Those documents of a part of the index that share a key with new ones."""
    packed = list(keyed[1])
    probes = from_bytes(_tagged(b"p", packed), _PROBES)
    if not len(probes):
        return
    days = days_around(np.unique(numbers_of(probes, "day")).tolist(), window_days)
    new = _by_key(probes)
    for path in _paths(packed):
        day = date_of(path)
        if day is None or day.toordinal() in days:
            yield from _probe_file(path, new)


def _by_key(probes: pa.RecordBatch) -> NDArray[np.void]:
    keys = ragged(probes.column("keys"), np.uint64)
    order = np.argsort(keys.values)
    found = np.zeros(len(order), _KEY_OF_REF)
    found["key"] = keys.values[order]
    found["ref"] = np.repeat(numbers_of(probes, "ref"), np.diff(keys.ends, prepend=0))[order]
    return found


def _probe_file(path: str, new: NDArray[np.void]) -> Iterator[Any]:
    with known_file(path) as file:
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
        beside = batch.take(pa.array(places_of(batch, numbers_of(routed, "beside"))))
        edges = list(verify(routed, beside, window_days))
        if edges:
            yield None, pack_many(edges)


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
    edges = (edge for block in keyed[1] for edge in unpack_many(Edge, block))
    decisions = settle(edges, window_days)
    refs = np.array([decision.ref for decision in decisions], np.uint64)
    for shard, places in _shards(refs, SHARDS):
        yield shard, b"d" + pack_many([decisions[place] for place in places.tolist()])


def _carry_out(keyed: _Keyed) -> Iterator[Any]:
    packed = list(keyed[1])
    decisions = {
        decision.ref: decision
        for block in _tagged(b"d", packed)
        for decision in unpack_many(Decision, block)
    }
    for block in _tagged(b"s", packed):
        for one in unpack_many(SignedRow, block):
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

    Takes ``{"rows": (EntryRow..., ...), "starts": one element for each run}``: several
    PCollections of rows, which are packed before they are flattened, because a local
    runner holds in memory what is flattened.

    dataset: whose index is held against the rows. window_days: how far apart two
    rows may be published that tell the same. near: whether edited copies are
    looked for, too. Every row comes out once, or is counted as ``unchanged``;
    ``dedup_large_buckets`` counts keys that too many documents share for all of
    them to be compared.
    """

    dataset: str
    window_days: int = DEDUP_WINDOW_DAYS
    near: bool = True

    def expand(self, inputs: dict[str, Any]) -> DedupOutputs:
        """Identity, boilerplate, signatures, candidates, verification, clusters."""
        rows, starts = inputs["rows"], inputs["starts"]
        parts = starts | "ListIndex" >> beam.Map(_list_index, self.dataset)
        files = parts | "FilesByPart" >> beam.FlatMap(_files)
        seen = self._see(rows, files)
        learnt = self._learn_boilerplate(seen.sighted, starts)
        to_sign = (seen.sighted, learnt.boilerplate, parts | "PartsToAll" >> beam.FlatMap(_parts))
        signed = (
            to_sign
            | "SightedAndBoilerplate" >> beam.Flatten()
            | "JoinToSign" >> beam.GroupByKey()
            | "Sign"
            >> beam.FlatMap(_sign, self.near).with_outputs(
                "briefs", "documents", "probes", COUNTS, main="rows"
            )
        )
        found = (
            signed.briefs
            | "GroupBriefs" >> beam.GroupByKey()
            | "FindCandidates"
            >> beam.FlatMap(_find_candidates, self.window_days).with_outputs(COUNTS, main="pairs")
        )
        probed = (
            (files, signed.probes)
            | "FilesAndProbes" >> beam.Flatten()
            | "JoinByPart" >> beam.GroupByKey()
            | "ProbeIndex"
            >> beam.FlatMap(_probe, self.window_days).with_outputs(COUNTS, main="routed")
        )
        routed = (
            (signed.documents, found.pairs)
            | "DocumentsAndPairs" >> beam.Flatten()
            | "JoinFirst" >> beam.GroupByKey()
            | "Route" >> beam.FlatMap(_route)
        )
        decisions = (
            (routed, probed.routed)
            | "RoutedAndProbed" >> beam.Flatten()
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
        return DedupOutputs(settled.rows, settled.duplicates, settled.known, learnt.fresh, counts)

    def _see(
        self, rows: tuple[PCollection[EntryRow], ...], files: PCollection[tuple[int, bytes]]
    ) -> Any:
        """What may be new of each entry, with what is known of it: ``sighted``, ``counts``."""
        packed = [
            part | f"PackRows{n}" >> beam.ParDo(_PackRows()).with_outputs("ids", main="blocks")
            for n, part in enumerate(rows)
        ]
        known = (
            (files, *(part.ids for part in packed))
            | "FilesAndIds" >> beam.Flatten()
            | "JoinIds" >> beam.GroupByKey()
            | "FindKnown" >> beam.FlatMap(_find_known)
        )
        return (
            (*(part.blocks for part in packed), known)
            | "RowsAndKnown" >> beam.Flatten()
            | "JoinByEntry" >> beam.GroupByKey()
            | "See" >> beam.FlatMap(_sight).with_outputs(COUNTS, main="sighted")
        )

    def _learn_boilerplate(
        self, seen: PCollection[tuple[int, bytes]], starts: PCollection[Any]
    ) -> Any:
        """What is learnt now, and all that this run must leave out: ``fresh``, ``boilerplate``."""
        known = (
            starts
            | "BoilerplateFiles" >> KnownFiles(self.dataset, KNOWN_BOILERPLATE)
            | beam.Map(lambda path: (None, read_known_boilerplate(path)))
            | "GatherBoilerplate" >> beam.GroupByKey()
            | "BoilerplateToAll" >> beam.FlatMap(_known_boilerplate)
        )
        sentences = seen | "DescribeSentences" >> beam.FlatMap(_sentences)
        return (
            (sentences, known)
            | "SentencesAndKnown" >> beam.Flatten()
            | "GroupPublishers" >> beam.GroupByKey()
            | "Learn" >> beam.FlatMap(_learn).with_outputs("boilerplate", main="fresh")
        )


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
