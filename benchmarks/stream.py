"""Streaming: memory, CPU and latency, cycle after cycle, over live blogs that grow.

    python -m benchmarks.stream [--cycles 200] [--blogs 3] [--entries 300] [--every_s 1]
    python -m benchmarks.stream --minutes 80 [--poll_s 5] [--blogs 1] [--entries 20] [--every_s 10]

A server of its own process answers on 127.0.0.1 with a feed and live blogs,
each as long as it says and one entry longer after every so many seconds. The cycles of one
stream follow each other without a pause, so that an hour of polling passes in
minutes. Shown every tenth of the way: resident memory after a collection, the
CPU time a cycle took, how many Parquet files there are, and how old an entry
was when its row was committed.

With ``--minutes`` the command itself runs for so long, in a process of its own and at
its own pace; shown every ten minutes is what its resident memory was, read every second.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import logging
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

logging.disable(logging.WARNING)  # Beam warns on import of what nobody here uses
from pipeline.options import parse  # noqa: E402
from pipeline.run import prepare, sources_of  # noqa: E402
from pipeline.stream import Stream, named_requests  # noqa: E402

logging.disable(logging.NOTSET)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

_ROOT = Path(__file__).resolve().parent.parent
_SHOWN_EVERY_S = 600.0

_SENTENCE = "Boat {n} of line {blog} left the quay with {n} passengers, the harbour office said. "


def _blog(blog: int, entries: int, every_s: float, began_at: datetime) -> str:
    grown = int((datetime.now(UTC) - began_at).total_seconds() / every_s)
    updates = [
        {
            "@type": "BlogPosting",
            "@id": f"#post-{n}",
            "headline": f"Update {n} of line {blog}",
            "datePublished": (began_at + timedelta(seconds=(n - entries) * every_s)).isoformat(),
            "articleBody": _SENTENCE.format(n=n, blog=blog) * 5,
        }
        for n in range(entries + grown, 0, -1)
    ]
    name = f"Line {blog} - live"
    about = json.dumps({"@type": "LiveBlogPosting", "headline": name, "liveBlogUpdate": updates})
    return (
        f"<html lang=en><head><title>{name}</title>"
        f'<script type="application/ld+json">{about}</script></head><body><h1>{name}</h1></body>'
    )


def _serve(blogs: int, entries: int, every_s: float, told: Connection) -> None:
    began_at = datetime.now(UTC)

    class Site(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            body = ""
            if self.path == "/feed":
                links = (f"http://{self.headers['Host']}/live/{n}" for n in range(blogs))
                items = "".join(f"<item><link>{link}</link></item>" for link in links)
                body = f"<rss version='2.0'><channel>{items}</channel></rss>"
            elif self.path.startswith("/live/"):
                body = _blog(int(self.path.rpartition("/")[2]), entries, every_s, began_at)
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            with contextlib.suppress(BrokenPipeError):
                self.wfile.write(body.encode())

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        told.send(server.server_port)
        server.serve_forever()


@contextmanager
def _site(blogs: int, entries: int, every_s: float) -> Iterator[str]:
    """The address of a server in a process of its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=_serve, args=(blogs, entries, every_s, there), daemon=True)
    server.start()
    yield f"http://127.0.0.1:{here.recv()}"
    server.terminate()


def _resident_mb(process: int | str = "self") -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text("utf8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _cpu_s(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text("utf8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _cycles(stream: Stream, dataset: Path, cycles: int) -> None:
    head = "cycle", "resident MB", "CPU s/cycle", "threads", "files", "rows", "latency p50/p95 s"
    print("{:>6} {:>12} {:>12} {:>8} {:>6} {:>7} {:>18}".format(*head))
    now, rows, latencies, mark_s = datetime.now(UTC), 0, list[Any](), time.process_time()
    shown_every = max(1, cycles // 10)
    for number in range(1, cycles + 1):
        now += timedelta(minutes=20)  # everything is due, and nothing is silent
        manifest = stream.cycle(now)
        rows += manifest["counts"]["entries"]
        latencies += [manifest["latency_s"]["from_published"]] if "latency_s" in manifest else []
        if number == 1 or number % shown_every == 0:
            used_s = (time.process_time() - mark_s) / (1 if number == 1 else shown_every)
            mark_s = time.process_time()
            gc.collect()
            p50 = statistics.median([one["p50"] for one in latencies]) if latencies else 0.0
            p95 = max([one["p95"] for one in latencies], default=0.0)
            print(
                f"{number:6} {_resident_mb():12.1f} {used_s:12.2f} {threading.active_count():8} "
                f"{sum(1 for _ in dataset.rglob('*.parquet')):6} {rows:7} {p50:9.1f} {p95:7.1f}",
                flush=True,
            )
            latencies.clear()


def _watch(words: list[str], dataset: Path, minutes: float) -> None:
    """Let the command run at its own pace, and look at its memory."""
    head = "minutes", "MB min", "median", "max", "cycles", "CPU s/cycle", "files"
    print("{:>7} {:>8} {:>8} {:>8} {:>7} {:>12} {:>6}".format(*head))
    command = [sys.executable, "-m", "pipeline", *words, "--max_runtime", f"{minutes * 60:.0f}s"]
    told = dataset.with_name("told.txt")
    with told.open("wb") as out, subprocess.Popen(command, cwd=_ROOT, stdout=out) as process:
        began_s, used_s, cycles, sizes = time.monotonic(), 0.0, 0, list[float]()
        shown = 1
        while process.poll() is None:
            time.sleep(1)
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                sizes.append(_resident_mb(process.pid))
            past_s = time.monotonic() - began_s
            if past_s < min(shown * _SHOWN_EVERY_S, minutes * 60 - 5) or len(sizes) < 2:
                continue
            cpu_s, done = _cpu_s(process.pid), told.read_text("utf8").count("  cycle ")
            print(
                f"{past_s / 60:7.0f} {min(sizes):8.1f} {statistics.median(sizes):8.1f} "
                f"{max(sizes):8.1f} {done:7} {(cpu_s - used_s) / max(1, done - cycles):12.2f} "
                f"{sum(1 for _ in dataset.rglob('*.parquet')):6}",
                flush=True,
            )
            shown, used_s, cycles = shown + 1, cpu_s, done
            sizes.clear()
            if past_s >= minutes * 60 - 5:
                break
    print(told.read_text("utf8").strip().rpartition("\n")[2])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--blogs", type=int, default=3)
    parser.add_argument("--entries", type=int, default=300)
    parser.add_argument("--every_s", type=float, default=1.0)
    parser.add_argument("--minutes", type=float, help="of the command itself")
    parser.add_argument("--poll_s", type=float, default=5.0, help="with --minutes")
    options = parser.parse_args()
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    with (
        tempfile.TemporaryDirectory() as folder,
        _site(options.blogs, options.entries, options.every_s) as url,
    ):
        dataset = Path(folder) / "set"
        words = ["stream", "--feed", f"{url}/feed", "--output", str(dataset)]
        words += ["--allow_private_hosts", "--delay_s", "0"]
        if options.minutes:
            words += ["--min_poll_s", f"{options.poll_s:g}", "--max_poll_s", f"{options.poll_s:g}"]
        command = parse(words)
        named = [one for source in sources_of(command) for one in named_requests(source)]
        growth = f"one more every {options.every_s:g} s"
        print(f"{options.blogs} live blogs of {options.entries} entries, {growth}", flush=True)
        if options.minutes:
            _watch(words, dataset, options.minutes)
            return
        with prepare(command) as beam_options:
            _cycles(Stream(command, beam_options, named), dataset, options.cycles)


if __name__ == "__main__":
    main()
