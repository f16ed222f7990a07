"""Deduplication: signing, whole runs, and runs against a large index.

    python -m benchmarks.dedup [--sign 20000] [--run 100000] [--indexed 1000000]
        [--curve 10000,30000,100000,1000000]

Texts are made up of a vocabulary with the frequencies of ordinary language, about
200 words each; a fifth of the entries are copies of another: exact, with words
changed, with boilerplate added, cut, or quoted. 0 leaves a part out.

- sign: texts a second from raw text to keys on one core, in CPU time; beside it
  the signatures alone by datasketch and rensa, where they are installed, over
  word 3-grams of the same texts and with as many permutations.
- run: entries through Deduplicate and WriteDataset on Beam's in-process runner.
- indexed: a run of 20,000 entries over a dataset whose index has so many.
- curve: the run for each size, and what one entry costs; more than 100,000 come
  as several runs over one dataset, each against the index of those before.

Each run has a process of its own; peak memory is that process's.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import multiprocessing
import random
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions

from schemas.ids import content_hash, stable_id
from schemas.records import EntryRow
from transforms.dedup.sign import Sighted, sighted
from transforms.dedup.sign import sign as sign_entries
from transforms.dedup.signature import PERMUTATIONS, flatten, sign, text_hashes
from transforms.dedup.stage import Deduplicate
from transforms.dedup.words import read_words
from transforms.tables import TABLES, write_parquet
from transforms.write import WriteDataset, known_entry_row, to_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_OPENS_AT = datetime(2026, 5, 1, tzinfo=UTC)
_DAYS = 7
_PUBLISHERS = 200
_WORDS = 200
_COPIES = 0.2
_NEW = 20_000
_RUN_MAX = 100_000
_NO_BOILERPLATE = np.zeros(0, np.uint64)


class Writer:
    """Makes texts; the same seed gives the same."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        letters = random.Random(1)
        self._words = [
            "".join(letters.choices("etaoinshrdlucmfwypvbgk", k=letters.randint(2, 11)))
            for _ in range(40_000)
        ]
        self._weights = list(np.cumsum([1 / (rank + 10) for rank in range(len(self._words))]))

    def text(self) -> str:
        """About _WORDS words in sentences and paragraphs."""
        sentences = []
        left = self._random.randint(_WORDS // 2, _WORDS * 3 // 2)
        while left > 0:
            length = self._random.randint(8, 24)
            words = self._random.choices(self._words, cum_weights=self._weights, k=length)
            words[0] = words[0].title()
            words[length // 2] = words[length // 2].title()
            if self._random.random() < 0.3:
                words[-2] = str(self._random.randint(2, 90_000))
            sentences.append(" ".join(words) + ".")
            left -= length
        return "\n\n".join(" ".join(sentences[n : n + 3]) for n in range(0, len(sentences), 3))

    def edited(self, text: str, other: str) -> str:
        """A copy that is found: one of five edits."""
        words = text.split(" ")
        kind = self._random.randrange(5)
        if kind == 1:
            for place in self._random.sample(range(len(words)), len(words) // 10):
                words[place] = self._random.choice(self._words)
            return " ".join(words)
        if kind == 2:
            return f"{text}\n\nThis page is kept by the friends of the harbour."
        if kind == 3:
            return " ".join(words[: len(words) // 2])
        return f"{text}\n\n{other}" if kind == 4 else text.upper()


def make_rows(count: int, seed: int, run_id: str) -> Iterator[EntryRow]:
    """Entries of a week; of every five one is a copy of one before."""
    writer, pick = Writer(seed), random.Random(seed + 1)
    recent: list[tuple[str, datetime]] = []
    for n in range(count):
        at = _OPENS_AT + timedelta(seconds=n * _DAYS * 86_400 / count)
        text = writer.text()
        if recent and pick.random() < _COPIES:
            text = writer.edited(pick.choice(recent)[0], text)
        else:
            recent = [*recent[-300:], (text, at)]
        yield make_row(f"{seed}-{n}", text, at, f"p{pick.randrange(_PUBLISHERS)}.example", run_id)


def make_row(name: str, text: str, at: datetime, publisher: str, run_id: str) -> EntryRow:
    """One entry."""
    entry_id = stable_id("benchmark", name)
    return EntryRow(
        entry_id=entry_id, revision=0, page_url=f"https://{publisher}/live/{name}",
        entry_url=None, publisher=publisher, page_title="A day at the harbour", headline=None,
        body=text, authors=("Orla Tennick",), published_at=at, updated_at=None,
        time_source="dom", position=0, is_live_blog=True, is_key_event=False, language="en",
        topic_qcode=None, topic_source=None, topic_score=0.0, topic_evidence=None, tags=(),
        links=(), images=(), split_by="dom", content_hash=content_hash(None, text),
        cluster_id=entry_id, fetched_at=at + timedelta(minutes=5), run_id=run_id,
        source="url:benchmark", date=at.date().isoformat(), topic="unclassified",
    )  # fmt: skip


def bench_sign(count: int) -> None:
    """Texts a second on one core."""
    writer = Writer(7)
    texts = [writer.text() for _ in range(count)]

    def ours() -> None:
        for begin in range(0, count, 1_000):
            words = flatten([read_words(None, text) for text in texts[begin : begin + 1_000]])
            sign(words, text_hashes(words))

    words = sum(len(text.split()) for text in texts) / count
    print(f"sign: {count:,} texts of {words:.0f} words, one core, CPU time, best of 3")
    print(f"  {'here: raw text to keys':34} {count / _best(ours):10,.0f} texts/s")
    some = [_shingles(text) for text in texts[:2_000]]
    for name, peer in (("datasketch", _datasketch), ("rensa", _rensa)):
        try:
            module = importlib.import_module(name)
        except ImportError:
            print(f"  {name:34} not installed: pip install 'news-ingest[bench]'")
            continue
        took = _best(lambda peer=peer, module=module: peer(module, some))  # type: ignore[misc]
        shown = f"{name}: given shingles to signature"
        print(f"  {shown:34} {len(some) / took:10,.0f} texts/s")


def _best(work: Callable[[], None]) -> float:
    took = []
    for _ in range(3):
        begin = time.process_time()
        work()
        took.append(time.process_time() - begin)
    return min(took)


def _shingles(text: str) -> list[str]:
    words = text.lower().split()
    return [" ".join(words[n : n + 3]) for n in range(len(words) - 2)]


def _datasketch(module: Any, texts: list[list[str]]) -> None:
    for shingles in texts:
        sketch = module.MinHash(num_perm=PERMUTATIONS)
        sketch.update_batch([shingle.encode() for shingle in shingles])


def _rensa(module: Any, texts: list[list[str]]) -> None:
    for shingles in texts:
        sketch = module.RMinHash(num_perm=PERMUTATIONS, seed=1)
        sketch.update(shingles)
        sketch.digest()


def run(dataset: str, count: int, seed: int, number: int) -> None:
    """Entries from a generator through Deduplicate to a committed run; prints what it took."""
    logging.disable(logging.WARNING)
    run_id = f"{number:06d}-00000000"
    began_at = datetime.now(UTC).isoformat()
    _rows.extend(make_rows(count, seed, run_id))
    before, cpu = time.perf_counter(), time.process_time()
    with beam.Pipeline("FnApiRunner", options=PipelineOptions([])) as pipeline:
        starts = pipeline | beam.Create([None])
        rows = starts | beam.FlatMap(_made)
        found = {"rows": (rows,), "starts": starts} | Deduplicate(dataset)
        _ = (
            {
                "entries": found.entries,
                "duplicates": found.duplicates,
                "known": found.known,
                "boilerplate": found.boilerplate,
                "pages": pipeline | "NoPages" >> beam.Create([]),
                "dead_letters": pipeline | "NoLetters" >> beam.Create([]),
                "moments": pipeline | "NoMoments" >> beam.Create([]),
                "counts": (
                    found.counts,
                    found.entries | "E" >> beam.Map(lambda _: ("entries", 1)),
                    found.duplicates
                    | "D" >> beam.Map(lambda d: (f"duplicates_{d.duplicate_kind}", 1)),
                )
                | beam.Flatten(),
            }
            | WriteDataset(dataset, {"run_id": run_id, "started_at": began_at})
            | beam.Map(lambda manifest: print("   ", dict(sorted(manifest["counts"].items()))))
        )
    wall, cpu = time.perf_counter() - before, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"  {count:9,} entries {wall:7.1f} s wall {cpu:7.1f} s CPU"
        f" {wall / count * 1e6:7.0f} us wall an entry {peak:7,.0f} MB peak",
        flush=True,
    )


_rows: list[EntryRow] = []


def _made(_: None) -> Iterator[EntryRow]:
    yield from _rows


def make_index(dataset: str, count: int, seed: int) -> None:
    """The index of an earlier run with so many entries, as one file a day."""
    table = TABLES["known_entries"]
    by_day: dict[str, list[pa.RecordBatch]] = {}
    batch: list[Sighted] = []

    def flush() -> None:
        signed = sign_entries(batch, _NO_BOILERPLATE, near=True)
        rows: dict[str, list[Any]] = {}
        for one in signed:
            rows.setdefault(one.known.date, []).append(known_entry_row(one.known))
        for day, values in rows.items():
            by_day.setdefault(day, []).append(to_batch(table.batch_schema, values))
        batch.clear()

    for row in make_rows(count, seed, "000001-00000000"):
        batch.append(cast("Sighted", sighted([row], ())))
        if len(batch) == 1_000:
            flush()
    flush()
    for day, batches in by_day.items():
        data = pa.Table.from_batches(batches).select(table.schema.names)
        path = f"{dataset}/{table.folder}/date={day}/part-000001-00000000-00000.parquet"
        Path(path).parent.mkdir(parents=True)
        write_parquet(path, table, data.sort_by("entry_id"))


def _apart(work: Callable[..., None], *arguments: Any) -> None:
    """In a process of its own, for its peak memory."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(process.exitcode)


def main() -> None:
    """Print all parts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--sign", type=int, default=20_000)
    parser.add_argument("--run", type=int, default=100_000)
    parser.add_argument("--new", type=int, default=_NEW)
    parser.add_argument("--indexed", type=int, default=1_000_000)
    parser.add_argument("--curve", default="10000,30000,100000,1000000")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    if options.sign:
        bench_sign(options.sign)
    with tempfile.TemporaryDirectory() as folder:
        if options.run:
            print("run: a fifth are copies, through Beam, written")
            _apart(run, f"{folder}/run", options.run, 11, 1)
        if options.indexed:
            print(f"indexed: {options.new:,} entries against {options.indexed:,} known ones")
            _apart(make_index, f"{folder}/indexed", options.indexed, 13)
            _apart(run, f"{folder}/indexed", options.new, 17, 2)
        sizes = [int(size) for size in options.curve.split(",") if int(size)]
        if sizes:
            print("curve")
        for size in sizes:
            for number, begin in enumerate(range(0, size, _RUN_MAX)):
                entries = min(_RUN_MAX, size - begin)
                _apart(run, f"{folder}/curve-{size}", entries, 19 + 2 * number, 1 + number)


if __name__ == "__main__":
    main()
