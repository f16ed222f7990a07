"""The whole of ``batch`` on a generated corpus, and what Beam costs.

    python -m benchmarks.end_to_end [--pages 1000,10000,50000] [--seed 1] [--no_plain]

For each size: ``batch`` in a process of its own over a folder of the corpus and
some addresses that a loopback server answers with 404; then the same functions
in a plain loop, also in a process of its own. CPU seconds are of the whole
process without its imports. What was written is compared with what was made.

The shares of time are samples of what the busy threads are in, ten milliseconds
apart; ``beam`` is whatever happens between our functions.
"""

from __future__ import annotations

import argparse
import http.server
import json
import logging
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.dataset as ds

logging.disable(logging.WARNING)
from benchmarks.corpus import ZONE, make_pages, write_pages  # noqa: E402
from pipeline.__main__ import main as news_ingest  # noqa: E402
from schemas.errors import PageError  # noqa: E402
from schemas.records import EntryRow, PageRequest  # noqa: E402
from transforms.commit import commit_run  # noqa: E402
from transforms.dedup import deduplicate  # noqa: E402
from transforms.extract import extract_page  # noqa: E402
from transforms.fetch import FetchLimits, open_local_file, read_page_file  # noqa: E402
from transforms.liveblog import split_page  # noqa: E402
from transforms.tables import TABLES, Chunk, Partition, merge_chunks, spill  # noqa: E402
from transforms.topics import entry_rows  # noqa: E402
from transforms.write import Row, duplicate_row, entry_row, known_entry_row, to_batch  # noqa: E402

logging.disable(logging.NOTSET)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_ROOT = Path(__file__).resolve().parent.parent
_RUN_ID = "000001-00000000"
_SAMPLE_S = 0.01
_IDLE = ("threading.py", "queue.py", "selectors.py", "_channel.py", "thread.py", "socket.py")
_STAGES = {
    "liveblog": "split",
    "markup": "extract",
    "storage": "write",
    "commit": "write",
    "tables": "write",
}


class Sampler(threading.Thread):
    """Counts which stage the busy threads of this process are in."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: Counter[str] = Counter()
        self._over = threading.Event()

    def run(self) -> None:
        """Look until stopped."""
        while not self._over.wait(_SAMPLE_S):
            for thread, frame in sys._current_frames().items():  # noqa: SLF001
                if thread != self.ident and not frame.f_code.co_filename.endswith(_IDLE):
                    self.seen[stage_of(frame)] += 1

    def stop(self) -> Counter[str]:
        """What was seen."""
        self._over.set()
        self.join()
        return self.seen


def stage_of(frame: FrameType | None) -> str:
    """The stage whose function is innermost, ``beam`` where that is Beam's own."""
    innermost = ""
    while frame is not None:
        path = frame.f_code.co_filename
        if frame.f_code.co_name == "older_requests":
            return "look for older entries"
        if not innermost and "/apache_beam/" in path:
            innermost = "beam"
        if not innermost and path.startswith(str(_ROOT / "transforms")):
            name = Path(path).relative_to(_ROOT / "transforms").parts[0].removesuffix(".py")
            innermost = _STAGES.get(name, name)
        frame = frame.f_back
    return innermost or "else"


# ---------------------------------------------------------------- in a process of its own


def _batch(pages: Path, dataset: Path, addresses: Path) -> None:
    code = news_ingest([
        "batch", "--input", str(pages), "--urls", str(addresses), "--output", str(dataset),
        "--timezone", ZONE, "--delay_s", "0", "--retries", "0", "--allow_private_hosts",
    ])  # fmt: skip
    if code:
        raise SystemExit(code)


def _plain_loop(pages: Path, dataset: Path) -> None:
    """What ``batch`` does to the files, with nothing but lists and dicts between."""
    found = deduplicate(_plain_rows(pages))
    tables: dict[str, list[Row]] = {
        "entries": [entry_row(row) for row in found.entries],
        "duplicates": [duplicate_row(row) for row in found.duplicates],
        "known_entries": [known_entry_row(known) for known in found.known],
    }
    chunks: dict[tuple[str, str], list[Chunk]] = {}
    for name, rows in tables.items():
        batches = [to_batch(TABLES[name].batch_schema, rows)] if rows else []
        for place, chunk in spill(str(dataset), _RUN_ID, name, batches):
            chunks.setdefault(place, []).append(chunk)
    files = [
        file
        for place, parts in chunks.items()
        for file in merge_chunks(str(dataset), _RUN_ID, Partition(*place), parts)
    ]
    commit_run(str(dataset), {"run_id": _RUN_ID}, files)


def _plain_rows(pages: Path) -> Iterator[EntryRow]:
    limits = FetchLimits()
    for path in sorted(p for p in pages.rglob("*") if p.is_file()):
        request = PageRequest(str(path), "input:plain")
        try:
            fetched = read_page_file(request, open_file=open_local_file, limits=limits)
            page = extract_page(fetched, timezone=ZONE)
            split = split_page(page, timezone=ZONE)
        except PageError:
            continue
        yield from entry_rows(split, _RUN_ID)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _measured(kind: str, pages: Path, dataset: Path, addresses: Path) -> None:
    """Do the work and print what it took, as JSON on the last line."""
    sampler = Sampler()
    sampler.start()
    started_s, started_cpu_s = time.perf_counter(), _cpu_s()
    if kind == "batch":
        _batch(pages, dataset, addresses)
    else:
        _plain_loop(pages, dataset)
    took = {
        "wall_s": time.perf_counter() - started_s,
        "cpu_s": _cpu_s() - started_cpu_s,
        "seen": sampler.stop(),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(took))


# ---------------------------------------------------------------- the comparison


class _NotFound(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def _child(kind: str, pages: Path, dataset: Path, addresses: Path) -> dict[str, Any]:
    words = [kind, str(pages), str(dataset), str(addresses)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.end_to_end", "--child", *words],
        capture_output=True, text=True, check=False, cwd=_ROOT,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{kind} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    took: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return took


def _compare(dataset: Path, count: int, seed: int) -> str:
    """The share of what was made that is in the dataset, as an entry or a duplicate."""
    columns = ["page_url", "body", "headline", "published_at", "authors"]
    written: dict[tuple[str, str], dict[str, Any]] = {}
    for table in ("entries", "duplicates"):
        if (dataset / table).is_dir():
            rows = ds.dataset(dataset / table, partitioning="hive").to_table(columns).to_pylist()
            written |= {(row["page_url"], row["body"]): row for row in rows}
    made = right = 0
    lost: Counter[str] = Counter()
    for page in make_pages(count, seed):
        for item in page.items:
            row = written.pop((page.url, "\n\n".join(item.paragraphs)), None)
            same = row is not None and row["published_at"] == item.at.astimezone(UTC)
            made += 1
            right += same
            if not same:
                lost[f"{page.shape}"] += 1
    shapes = ", ".join(f"{shape} {n}" for shape, n in lost.most_common(5))
    return (f"  {right:,} of {made:,} entries with their text and time; {len(written):,} that "
            f"nobody made{f'; not right: {shapes}' if lost else ''}")  # fmt: skip


def _index_size(dataset: Path) -> str:
    """What later runs must know, for each row that was written."""
    sizes = [path.stat().st_size for path in (dataset / "_index").rglob("*.parquet")]
    rows = sum(int(ds.dataset(dataset / name).count_rows()) for name in ("entries", "duplicates"))
    return f"  index: {sum(sizes) / rows:,.0f} bytes a row in {len(sizes):,} files"


def _run(folder: Path, count: int, seed: int, *, plain: bool) -> None:
    pages, addresses = folder / "pages", folder / "addresses.txt"
    made = write_pages(pages, count, seed)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _NotFound)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    gone = [f"http://127.0.0.1:{server.server_port}/gone/{n}\n" for n in range(count // 100)]
    addresses.write_text("".join(gone), "utf8")
    print(f"{count:,} pages of {made['bytes'] / made['pages'] / 1000:.0f} kB on average, "
          f"{made['live_blog']:,} live blogs, {made['entries']:,} entries, "
          f"{made['copy'] + made['near_copy']:,} copies, {made['failure']:,} broken, "
          f"and {len(gone):,} addresses that answer 404")  # fmt: skip
    took = {"batch": _child("batch", pages, folder / "dataset", addresses)}
    server.shutdown()
    if plain:
        took["plain loop"] = _child("plain", pages, folder / "plain", addresses)
    for name, one in took.items():
        print(f"  {name:11}{one['wall_s']:8.1f} s {one['cpu_s']:8.1f} s CPU "
              f"{count / one['cpu_s']:8.0f} pages/s {made['entries'] / one['cpu_s']:8.0f} entries/s"
              f" {one['peak_mb']:8.0f} MB")  # fmt: skip
    if plain:
        print(f"  Beam costs {took['batch']['cpu_s'] / took['plain loop']['cpu_s']:.2f} x the loop")
    for name, one in took.items():
        total = sum(one["seen"].values())
        shares = sorted(one["seen"].items(), key=lambda pair: -pair[1])
        print(f"  {name}: " + ", ".join(f"{stage} {n / total:.0%}" for stage, n in shares[:12]))
    print(_compare(folder / "dataset", count, seed))
    print(_index_size(folder / "dataset"))
    sys.stdout.flush()


def main() -> None:
    """Print what each size took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--pages", default="1000,10000")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no_plain", action="store_true", help="leave the plain loop out")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        kind, *paths = options.child
        _measured(kind, *map(Path, paths))
        return
    print(f"Python {sys.version.split()[0]}, {datetime.now(UTC):%Y-%m-%d}")
    for size in options.pages.split(","):
        with tempfile.TemporaryDirectory() as folder:
            _run(Path(folder), int(size), options.seed, plain=not options.no_plain)


if __name__ == "__main__":
    main()
