"""The bundled sample site, served on the loopback interface only.

Each page lies under the name of its invented publisher, such as
``http://127.0.0.1:18765/harbour-post.example/...``; its canonical link names
the publisher's own address. Publishers, people, places and events are invented.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from socketserver import TCPServer
from threading import Thread
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_PORT = 18765
"""The same port each time, so that a page has one address from run to run."""

SAMPLE_TIMEZONE = "Europe/Paris"
"""The zone of every clock on the site that names none."""

_HOST = "127.0.0.1"
_HTML = "text/html; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"

_FILES: dict[str, tuple[str, str]] = {
    "/harbour-post.example/politics/live/2026/04/21/sound-crossing-bill-final-vote": (
        "harbour_post_live.html",
        _HTML,
    ),
    # No charset here: only the page's own meta element declares it.
    "/kaltenauer-bote.example/wirtschaft/giesserei-brennfels-rettung-liveticker-77100.html": (
        "kaltenauer_bote_ticker.html",
        "text/html",
    ),
    "/courrier-aubrelle.example/sport/cyclisme/boucle-aubrelle-2026-le-week-end-en-direct": (
        "courrier_aubrelle_direct.html",
        _HTML,
    ),
    "/meridian-notebook.example/science/2026/04/lake-ambry-dust-diary": (
        "meridian_notebook_article.html",
        _HTML,
    ),
    "/tidewater-ledger.example/business/2026/05/12/bakers-cooperative-buys-mill": (
        "tidewater_ledger_article.html",
        _HTML,
    ),
    "/relay-digest.example/posts/sound-crossing-bill-final-vote-live-2026.txt": (
        "relay_digest_copy.txt",
        _TEXT,
    ),
    # The first bytes of a picture under the header of a page.
    "/corvane-radio.example/news/fog-over-the-skerries.html": (
        "corvane_radio_broken.html",
        _HTML,
    ),
}
"""Path of a page -> its file in ``pages``, its Content-Type."""

_MISSING_PATH = "/harbour-post.example/politics/live/2026/03/30/budget-debate"


@dataclass(frozen=True, slots=True)
class SampleSite:
    """The running site.

    base_url: without a trailing slash.
    page_urls: every page, then one that answers 404.
    """

    base_url: str
    page_urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Document:
    content: bytes
    content_type: str
    etag: str


def _load_documents() -> dict[str, _Document]:
    folder = resources.files("pipeline.sample_site") / "pages"
    documents = {}
    for path, (name, content_type) in {**_FILES, "/robots.txt": ("robots.txt", _TEXT)}.items():
        content = (folder / name).read_bytes()
        etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        documents[path] = _Document(content, content_type, etag)
    return documents


class _Handler(BaseHTTPRequestHandler):
    server_version = "news-ingest-sample"
    timeout = 10.0  # seconds: a client that sends nothing must not keep its thread
    documents: ClassVar[dict[str, _Document]] = {}

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        document = self.documents.get(self.path)
        if document is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        if self.headers.get("If-None-Match") == document.etag:
            self.send_response(HTTPStatus.NOT_MODIFIED)
            self.send_header("ETag", document.etag)
            self.end_headers()
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", document.content_type)
        self.send_header("Content-Length", str(len(document.content)))
        self.send_header("ETag", document.etag)
        self.end_headers()
        if with_body:
            self.wfile.write(document.content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent: the progress line has standard error to itself."""


class _LoopbackServer(ThreadingHTTPServer):
    def server_bind(self) -> None:
        # HTTPServer would look up the host's full name, which hangs without DNS.
        TCPServer.server_bind(self)
        self.server_name = _HOST
        self.server_port = self.server_address[1]


def _bind(port: int, handler: type[_Handler]) -> _LoopbackServer:
    try:
        return _LoopbackServer((_HOST, port), handler)
    except OSError:
        if port == 0:
            raise
        return _LoopbackServer((_HOST, 0), handler)


@contextmanager
def serve_sample_site(port: int = DEFAULT_PORT) -> Iterator[SampleSite]:
    """Serve the site from a daemon thread until the block is left.

    port: taken if it is free, else any free port; 0 for any free port.
    Only known paths are answered; no path is ever built from a request.
    """
    handler = type("_SampleSiteHandler", (_Handler,), {"documents": _load_documents()})
    server = _bind(port, handler)
    thread = Thread(
        target=server.serve_forever,
        kwargs={"poll_interval": 0.05},  # seconds: how long leaving the block may take
        name="sample-site",
        daemon=True,
    )
    thread.start()
    base_url = f"http://{_HOST}:{server.server_port}"
    try:
        yield SampleSite(base_url, tuple(base_url + path for path in (*_FILES, _MISSING_PATH)))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
