"""Writing: rows a second into many partitions, and the memory that it takes.

    python -m benchmarks.write [--rows 1000000] [--partitions 300]

The same batches of rows of about 1 kB, side by side and each in a process of its own, all as zstd:
through Beam on the local runner (sorted, hashed and committed, as ``batch`` writes); with
``pyarrow.dataset.write_dataset`` (neither); and with Beam's own sinks: ``WriteToParquetBatched``,
which knows no partitions, and ``fileio.WriteToFiles`` with the partition as its destination, once
as folders (date=.../topic=...) and once as the first part of flat names. Another process only
makes the batches. What is in the files is counted: rows that a sink lost are told.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from schemas.arrow import ENTRIES
from schemas.topics import QCODES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ROWS_PER_BATCH = 10_000
_WORDS = 120
"""A text of so many words is about 0.8 kB, a row with its addresses and ids about 1 kB."""

_TEXTS, _PAGES, _TOPICS = 20_000, 500, 15
_SCHEMA = ENTRIES.append(pa.field("date", pa.string())).append(pa.field("topic", pa.string()))
_START = datetime(2026, 5, 1, tzinfo=UTC)


def make_batches(first: int, last: int, partitions: int) -> Iterator[pa.RecordBatch]:
    """Batches number first to last of entries that look like news, the same every time."""
    random = np.random.default_rng(1)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = np.array(["".join(random.choice(letters, n)) for n in random.integers(2, 12, 8000)])
    chosen = words[random.zipf(1.3, _TEXTS * _WORDS) % len(words)].reshape(_TEXTS, _WORDS)
    texts = [" ".join(text) for text in chosen.tolist()]
    bodies, headlines = pa.array(texts), pa.array([text[:60] for text in texts])
    slugs, qcodes = pa.array(list(QCODES)), pa.array(list(QCODES.values()))
    dates = pa.array([(_START + timedelta(days=n)).date().isoformat() for n in range(partitions)])
    urls = pa.array([f"https://gazette-{n % 40}.example/live/{n}/summit" for n in range(_PAGES)])
    authors = pa.array([[f"Ada Quill {n % 90}"] for n in range(_PAGES)])
    for number in range(first, last):
        random = np.random.default_rng(number)
        text, page, place, second = (
            random.integers(0, most, _ROWS_PER_BATCH)
            for most in (_TEXTS, _PAGES, partitions, 86_400)
        )
        day, topic = place // _TOPICS, pa.array(place % _TOPICS)
        micros = (int(_START.timestamp()) + day * 86_400 + second) * 1_000_000
        published_at = pa.array(micros).cast(pa.timestamp("us", tz="UTC"))
        numbers = pa.array(random.integers(0, 2**62, _ROWS_PER_BATCH)).cast(pa.string())
        ids, url = pc.utf8_lpad(numbers, 32, "0"), urls.take(pa.array(page))
        values = {
            "entry_id": ids,
            "revision": pa.array(np.zeros(_ROWS_PER_BATCH, np.int32)),
            "page_url": url,
            "entry_url": pc.binary_join_element_wise(url, ids, "#"),
            "headline": headlines.take(pa.array(text)),
            "body": bodies.take(pa.array(text)),
            "authors": authors.take(pa.array(page)),
            "published_at": published_at,
            "fetched_at": published_at,
            "topic_qcode": qcodes.take(topic),
            "content_hash": ids,
            "cluster_id": ids,
            "date": dates.take(pa.array(day)),
            "topic": slugs.take(topic),
        }
        columns = [
            values.get(field.name, pa.nulls(_ROWS_PER_BATCH, field.type)) for field in _SCHEMA
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=_SCHEMA)


def _only_make(_folder: str, batches: int, partitions: int) -> None:
    for _ in make_batches(0, batches, partitions):
        pass


def _through_beam(folder: str, batches: int, partitions: int) -> None:
    import apache_beam as beam  # noqa: PLC0415 - the other ways do without
    from apache_beam.options.pipeline_options import PipelineOptions  # noqa: PLC0415

    from transforms.write import WriteBatches  # noqa: PLC0415

    manifest = {"run_id": "000001-00000000"}
    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as pipeline:
        made = pipeline | beam.Create([(0, batches, partitions)]) | beam.FlatMapTuple(make_batches)
        counts = pipeline | "Counts" >> beam.Create([("entries", 1)])
        _ = {"entries": made, "counts": counts} | WriteBatches(folder, manifest)


def _with_pyarrow(folder: str, batches: int, partitions: int) -> None:
    parquet = ds.ParquetFileFormat()
    ds.write_dataset(
        make_batches(0, batches, partitions),
        folder,
        schema=_SCHEMA,
        format=parquet,
        file_options=parquet.make_write_options(compression="zstd"),
        partitioning=ds.partitioning(pa.schema([_SCHEMA.field("date"), _SCHEMA.field("topic")])),
        max_partitions=partitions,
        max_open_files=max(900, partitions),
        min_rows_per_group=10_000,  # its default would make a row group of every batch
        max_rows_per_group=50_000,
    )


def _write_to_parquet(folder: str, batches: int, partitions: int) -> None:
    import apache_beam as beam  # noqa: PLC0415
    from apache_beam.io.parquetio import WriteToParquetBatched  # noqa: PLC0415
    from apache_beam.options.pipeline_options import PipelineOptions  # noqa: PLC0415

    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as pipeline:
        _ = (
            pipeline
            | beam.Create([(0, batches, partitions)])
            | beam.FlatMapTuple(make_batches)
            | beam.Map(lambda batch: pa.Table.from_batches([batch]))
            | WriteToParquetBatched(
                f"{folder}/part", _SCHEMA, codec="zstd", file_name_suffix=".parquet"
            )
        )


def _write_to_files(folder: str, batches: int, partitions: int, separator: str = "/") -> None:
    import apache_beam as beam  # noqa: PLC0415
    from apache_beam.io import fileio  # noqa: PLC0415
    from apache_beam.options.pipeline_options import PipelineOptions  # noqa: PLC0415

    class ParquetSink(fileio.FileSink):  # type: ignore[misc]
        def open(self, fh: Any) -> None:
            self._writer = pq.ParquetWriter(fh, _SCHEMA, compression="zstd")

        def write(self, record: tuple[str, pa.RecordBatch]) -> None:
            self._writer.write_batch(record[1])

        def flush(self) -> None:
            self._writer.close()

    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as pipeline:
        _ = (
            pipeline
            | beam.Create([(0, batches, partitions)])
            | beam.FlatMapTuple(make_batches)
            | beam.FlatMap(_by_partition, separator)
            | fileio.WriteToFiles(
                folder,
                destination=lambda part: part[0],
                sink=lambda _: ParquetSink(),
                file_naming=fileio.destination_prefix_naming(".parquet"),
                shards=1,
            )
        )


def _by_partition(batch: pa.RecordBatch, separator: str) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The rows of each partition of a batch, and the name of the partition."""
    pairs = zip(batch["date"].to_pylist(), batch["topic"].to_pylist(), strict=True)
    places: dict[str, list[int]] = {}
    for n, (date, topic) in enumerate(pairs):
        places.setdefault(f"date={date}{separator}topic={topic}", []).append(n)
    for name, rows in places.items():
        yield name, batch.take(pa.array(rows))


_MAKING, _PYARROW = "making the batches only", "pyarrow.dataset.write_dataset"
_WAYS: dict[str, Callable[[str, int, int], None]] = {
    _MAKING: _only_make,
    "WriteBatches on FnApiRunner": _through_beam,
    _PYARROW: _with_pyarrow,
    "WriteToParquetBatched, one folder": _write_to_parquet,
    "WriteToFiles, nested folders": _write_to_files,
    "WriteToFiles, flat names": partial(_write_to_files, separator="_"),
}


def _measure(way: str, batches: int, partitions: int) -> None:
    """Do it here; print seconds and peak memory as JSON."""
    if way not in (_MAKING, _PYARROW):
        logging.disable(logging.WARNING)
        for name in ("transforms.write", "apache_beam.io.parquetio", "apache_beam.io.fileio"):
            importlib.import_module(name)  # importing is not writing
    with tempfile.TemporaryDirectory() as folder:
        started_s = time.perf_counter()
        _WAYS[way](folder, batches, partitions)
        seconds = time.perf_counter() - started_s
        files = [path for path in Path(folder).rglob("*.parquet") if "_staging" not in path.parts]
        rows = sum(ds.dataset([str(path)]).count_rows() for path in files)
        size_bytes = sum(path.stat().st_size for path in files)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({
        "seconds": seconds, "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_gb": usage.ru_maxrss * 1024 / 1e9,
        "files": len(files), "rows": rows, "size_mb": size_bytes / 1e6,
    }))  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--partitions", type=int, default=300)
    parser.add_argument("--way", choices=list(_WAYS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        _measure(options.way, options.rows // _ROWS_PER_BATCH, options.partitions)
        return
    compare(options.rows, options.partitions)


def compare(rows: int, partitions: int) -> None:
    """Print what each way makes of so many rows, rounded to whole batches."""
    rows = max(1, rows // _ROWS_PER_BATCH) * _ROWS_PER_BATCH
    print(f"write: {rows:,} rows of about 1 kB into {partitions} partitions")
    for way in _WAYS:
        words = ["--rows", str(rows), "--partitions", str(partitions), "--way", way]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.write", *words],
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        got = json.loads(done.stdout)
        lost = 0 if way == _MAKING else rows - got["rows"]
        print(
            f"  {way:34} {got['seconds']:6.1f} s  {rows / got['seconds']:9,.0f} rows/s  "
            f"CPU {got['cpu_s']:6.1f} s  peak {got['peak_gb']:.2f} GB  "
            f"{got['files']} files, {got['rows']:,} rows, {got['size_mb']:,.0f} MB"
            + (f"; {lost:,} rows lost" if lost else ""),
            flush=True,
        )


if __name__ == "__main__":
    main()
