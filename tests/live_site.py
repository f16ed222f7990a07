"""A site on loopback that changes while it is read, and remembers who asked for what."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from schemas.ids import stable_id


class Asked(NamedTuple):
    path: str
    status: int
    at_s: float


class LiveSite:
    """Serves ``pages`` (by path) with ETags; what is missing is a 404."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.asked: list[Asked] = []
        self.base_url = ""

    def times(self, path: str) -> list[float]:
        return [one.at_s for one in self.asked if one.path == path]

    def statuses(self, path: str) -> list[int]:
        return [one.status for one in self.asked if one.path == path]

    def feed(self, *paths: str) -> str:
        items = "".join(
            f"<item><title>x</title><link>{self.base_url}{path}</link></item>" for path in paths
        )
        return f"<rss version='2.0'><channel><title>N</title>{items}</channel></rss>"


@contextmanager
def serve_live_site() -> Iterator[LiveSite]:
    site = LiveSite()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            body = site.pages.get(self.path)
            etag = f'"{stable_id(body or "")}"'
            same = self.headers.get("If-None-Match") == etag
            status = 404 if body is None else 304 if same else 200
            site.asked.append(Asked(self.path, status, time.monotonic()))
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            if body is not None:
                self.send_header("ETag", etag)
            self.end_headers()
            if status == 200:
                self.wfile.write((body or "").encode())

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.base_url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield site
        server.shutdown()


ARTICLE = """<html lang=en><head><title>Report {name}</title></head><body><article><h1>Report {name}
</h1><p>The harbour office published report {name} on Tuesday, after a long debate about the
quay, the cranes and the price of a berth in winter.</p></article></body></html>"""

OTHER_ARTICLE = """<html lang=en><head><title>Herring</title></head><body><article><h1>Herring is back
</h1><p>Fishermen landed forty crates of herring before breakfast, more than in any week since the
old cannery closed, and gave the first of them to the school.</p></article></body></html>"""


def live_page(
    moments: list[datetime], *, name: str = "ferry", ends_at: datetime | None = None
) -> str:
    """A live blog with an entry published at each moment, newest first."""
    updates = [
        {
            "@type": "BlogPosting",
            "@id": f"#post-{n}",
            "headline": f"Update {n} of the {name}",
            "datePublished": moment.isoformat(),
            "articleBody": f"Boat {n} of the {name} line left the quay with {n * 7} passengers "
            "on board, the harbour office said.",
        }
        for n, moment in enumerate(moments)
    ]
    blog: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "LiveBlogPosting",
        "headline": f"The {name} strike - live",
        "liveBlogUpdate": updates[::-1],
    }
    if ends_at:
        blog["coverageStartTime"] = (ends_at - timedelta(hours=9)).isoformat()
        blog["coverageEndTime"] = ends_at.isoformat()
    return (
        f"<html lang=en><head><title>The {name} strike - live</title>"
        f'<script type="application/ld+json">{json.dumps(blog)}</script></head>'
        f"<body><h1>The {name} strike - live</h1></body></html>"
    )


def ago(**span: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(**span)
