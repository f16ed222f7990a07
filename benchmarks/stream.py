"""Streaming: memory, CPU and latency, cycle after cycle, over live blogs that grow.

    python -m benchmarks.stream [--cycles 200] [--blogs 3] [--entries 300] [--every_s 1]

A server of its own process answers on 127.0.0.1 with a feed and live blogs,
each as long as it says and one entry longer after every so many seconds. The cycles of one
stream follow each other without a pause, so that an hour of polling passes in
minutes. Shown every tenth of the way: resident memory after a collection, the
CPU time a cycle took, how many Parquet files there are, and how old an entry
was when its row was committed.
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

_SENTENCE = "Boat {n} of line {blog} left the quay with {n} passengers, the harbour office said. "


def _blog(blog: int, entries: int, every_s: float, began_at: datetime) -> str:
    grown = int((datetime.now(UTC) - began_at).total_seconds() / every_s)
    updates = [
        {
            "@type": "BlogPosting",
            "@id": f"#post-{n}",
            "headline": f"Update {n} of line {blog}",
            "datePublished": (began_at + timedelta(seconds=n * every_s)).isoformat(),
            "articleBody": _SENTENCE.format(n=n, blog=blog) * 5,
        }
        for n in range(grown, -entries, -1)
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


def _resident_mb() -> float:
    """Of this process, after a collection."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("utf8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


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
            p50 = statistics.median([one["p50"] for one in latencies]) if latencies else 0.0
            p95 = max([one["p95"] for one in latencies], default=0.0)
            print(
                f"{number:6} {_resident_mb():12.1f} {used_s:12.2f} {threading.active_count():8} "
                f"{sum(1 for _ in dataset.rglob('*.parquet')):6} {rows:7} {p50:9.1f} {p95:7.1f}",
                flush=True,
            )
            latencies.clear()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--blogs", type=int, default=3)
    parser.add_argument("--entries", type=int, default=300)
    parser.add_argument("--every_s", type=float, default=1.0)
    options = parser.parse_args()
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    with (
        tempfile.TemporaryDirectory() as folder,
        _site(options.blogs, options.entries, options.every_s) as url,
    ):
        dataset = Path(folder) / "set"
        words = ["stream", "--feed", f"{url}/feed", "--output", str(dataset)]
        words += ["--allow_private_hosts", "--delay_s", "0"]
        command = parse(words)
        named = [one for source in sources_of(command) for one in named_requests(source)]
        growth = f"one more every {options.every_s:g} s"
        print(f"{options.blogs} live blogs of {options.entries} entries, {growth}")
        with prepare(command) as beam_options:
            _cycles(Stream(command, beam_options, named), dataset, options.cycles)


if __name__ == "__main__":
    main()
