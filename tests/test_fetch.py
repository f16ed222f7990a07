"""Fetching from real servers on loopback, and from files."""

from __future__ import annotations

import gzip
import ipaddress
import os
import socket
import ssl
import struct
import threading
import time
import zlib
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
import trustme

from schemas.errors import FetchError
from schemas.records import FetchedPage, KnownPage, NotModified, PageRequest, Redirected
from tests.factories import FETCHED_AT
from transforms.fetch import (
    FetchLimits,
    _is_public,
    fetch_page,
    new_session,
    open_local_file,
    read_page_file,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GERMAN = (
    "<html lang=de><head><title>Fähren</title></head><body><article><h1>Fähren</h1><p>Größere "
    "Fähren fahren später, erklärte die Hafenbehörde, weil am Kai für die Überfahrt noch geprüft "
    "wird, ob die Brücke hält.</p></article></body></html>"
)
LAST_MODIFIED = "Tue, 12 May 2026 08:00:00 GMT"
PAGE = b"<html><body><p>Ferry traffic resumes at noon.</p></body></html>"


class Site(BaseHTTPRequestHandler):
    """Each path misbehaves in its own way."""

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        with suppress(ConnectionError):  # the other side may hang up
            self.misbehave()

    def misbehave(self) -> None:
        path = self.path.split("?")[0].strip("/")
        if path == "robots.txt":
            self.answer(404)
        elif path.isdigit():
            self.answer(int(path), b"x" * 10)
        elif path == "page":
            self.answer(200, PAGE, Content_Type="text/html; charset=utf-8")
        elif path == "agent":
            self.answer(200, self.headers["User-Agent"].encode())
        elif path == "gzipped":
            self.answer(200, gzip.compress(PAGE), Content_Encoding="gzip")
        elif path == "deflate-broken":
            self.answer(200, b"\x1f\x8bnot gzip", Content_Encoding="gzip")
        elif path == "bomb":
            self.answer(200, gzip.compress(bytes(3_000_000)), Content_Encoding="gzip")
        elif path == "large":
            self.answer(200, bytes(2_000_000))
        elif path == "moved":
            self.answer(302, b"y" * 100, Location="/page#top")
        elif path == "moved-endlessly":
            self.send_response(302)
            self.send_header("Location", "/page")
            self.end_headers()
            while not stop.wait(0.01):
                self.wfile.write(bytes(1000))
        elif path == "set-cookie":
            self.answer(302, Location="/cookie", Set_Cookie="seen=yes")
        elif path == "cookie":
            self.answer(200, self.headers.get("Cookie", "none").encode())
        elif path == "round":
            self.answer(302, Location="/round")
        elif path == "inwards":
            port = self.server.server_port  # type: ignore[attr-defined]
            self.answer(302, Location=f"http://127.0.0.1:{port}/page")
        elif path.startswith("port-"):
            host = self.headers["Host"].partition(":")[0]
            self.answer(302, Location=f"http://{host}:{path[5:]}/page")
        elif path == "etag":
            if self.headers.get("If-None-Match") == '"v1"':
                self.answer(304)
            else:
                self.answer(200, PAGE, ETag='"v1"', Last_Modified=LAST_MODIFIED)
        elif path == "dated":
            same = self.headers.get("If-Modified-Since") == LAST_MODIFIED
            self.answer(304 if same else 200, b"" if same else PAGE, Last_Modified=LAST_MODIFIED)
        elif path == "wait":
            self.answer(429, Retry_After="7")
        elif path == "wait-until":
            self.answer(503, Retry_After="Tue, 12 May 2026 20:01:30 GMT")
        elif path == "header-drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not stop.wait(0.05):
                self.wfile.write(b"z")
                self.wfile.flush()
        elif path == "gzip-cut":
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(gzip.compress(PAGE)[:40])
        elif path in {"deflate", "raw-deflate"}:
            body = zlib.compress(PAGE)
            self.answer(200, body if path == "deflate" else body[2:-4], Content_Encoding="deflate")
        elif path == "brotli":
            self.answer(200, PAGE, Content_Encoding="br")
        elif path == "odd-address":
            self.answer(302, Location="/caf\xe9")
        elif path == "far-host":
            self.answer(302, Location="http://a..b/")
        elif path == "with-password":
            self.answer(302, Location="http://me:secret@localhost/")
        elif path == "continue":
            while not stop.wait(0.02):
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                self.wfile.flush()
        elif path == "trailers":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
            while not stop.wait(0.02):
                self.wfile.write(b"X-More: yes\r\n")
                self.wfile.flush()
        elif path == "reset":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"half")
            self.wfile.flush()
            at_once = struct.pack("ii", 1, 0)  # linger for no time: the close is a reset
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            self.connection.close()
        elif path in {"flaky", "busy"}:
            asked.append(path)
            if asked.count(path) > 1:
                self.answer(200, PAGE, Content_Type="text/html")
            elif path == "flaky":
                self.answer(503)
            else:
                self.answer(429, Retry_After="1")
        elif path == "wrong-charset":
            self.answer(
                200,
                GERMAN.encode("cp1252"),
                Content_Type="text/html; charset=utf-8",
            )
        elif path == "endless":
            self.send_response(200)
            self.end_headers()
            while not stop.wait(0.001):
                self.wfile.write(bytes(100_000))
        elif path == "broken-address":
            self.answer(302, Location="http://[broken")
        elif path == "elsewhere":
            self.answer(301, Location="ftp://lantern-gazette.example/")
        elif path == "short":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"too little")
        elif path == "drip":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            while not stop.wait(0.05):
                self.wfile.write(b"z")
                self.wfile.flush()


stop = threading.Event()
asked: list[str] = []


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with serving() as address:
        yield address
        stop.set()


def ask(url: str, known: KnownPage | None = None, **limits: object) -> FetchedPage | NotModified:
    allowed = FetchLimits(**({"allow_private_hosts": True, "timeout_s": 5.0} | limits))  # type: ignore[arg-type]
    request = PageRequest(url, "url:test", known=known)
    with new_session(allowed) as session:
        while True:
            found = fetch_page(request, session=session, limits=allowed, now=lambda: FETCHED_AT)
            if not isinstance(found, Redirected):
                return found
            request = found.request


def get(url: str, **limits: object) -> FetchedPage:
    page = ask(url, **limits)  # type: ignore[arg-type]
    assert isinstance(page, FetchedPage)
    return page


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(FetchError) as caught:
        call()
    return caught.value.code


def test_a_page_as_it_came(site: str) -> None:
    page = get(f"{site}/page")
    assert page.content == PAGE
    assert page.content_type == "text/html; charset=utf-8"
    assert (page.url, page.fetched_at) == (f"{site}/page", FETCHED_AT)


def test_redirects_are_followed_and_the_last_address_counts(site: str) -> None:
    page = get(f"{site}/moved")
    assert (page.url, page.content) == (f"{site}/page", PAGE)


def test_the_body_of_a_redirect_is_not_waited_for(site: str) -> None:
    assert get(f"{site}/moved-endlessly").content == PAGE


def test_cookies_are_kept_over_redirects(site: str) -> None:
    assert get(f"{site}/set-cookie").content == b"seen=yes"


def test_the_user_agent_names_us(site: str) -> None:
    assert get(f"{site}/agent", user_agent="paper-boy/1").content == b"paper-boy/1"


@pytest.mark.parametrize("path", ["gzipped", "deflate", "raw-deflate"])
def test_a_compressed_body_is_decompressed(site: str, path: str) -> None:
    assert get(f"{site}/{path}").content == PAGE


def test_a_proxy_of_the_environment_does_not_count(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert get(f"{site}/page").content == PAGE


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("404", "http_404"),
        ("410", "http_410"),
        ("401", "http_401"),
        ("403", "http_403"),
        ("429", "http_429"),
        ("418", "http_4xx"),
        ("500", "http_5xx"),
        ("503", "http_5xx"),
        ("204", "http_unexpected"),
        ("304", "http_unexpected"),
        ("elsewhere", "http_unexpected"),
        ("broken-address", "http_unexpected"),
        ("round", "too_many_redirects"),
        ("deflate-broken", "gzip_broken"),
        ("short", "connection_failed"),
        ("reset", "connection_failed"),
        ("gzip-cut", "gzip_broken"),
        ("brotli", "gzip_broken"),
        ("odd-address", "http_unexpected"),
        ("with-password", "http_unexpected"),
        ("far-host", "host_unknown"),
    ],
)
def test_what_goes_wrong_has_its_code(site: str, path: str, code: str) -> None:
    assert code_of(lambda: get(f"{site}/{path}")) == code


@pytest.mark.parametrize("path", ["large", "bomb", "endless"])
def test_no_page_is_larger_than_the_limit(site: str, path: str) -> None:
    assert code_of(lambda: get(f"{site}/{path}", page_bytes_max=1_000_000)) == "page_too_large"


@pytest.mark.parametrize("path", ["drip", "header-drip", "continue", "trailers"])
def test_a_server_that_drips_is_left_at_the_deadline(site: str, path: str) -> None:
    started_s = time.monotonic()
    assert code_of(lambda: get(f"{site}/{path}", timeout_s=0.3)) == "timeout"
    assert time.monotonic() - started_s < 2


def test_what_a_page_is_asked_again_with(site: str) -> None:
    page = get(f"{site}/etag")
    assert (page.etag, page.last_modified) == ('"v1"', LAST_MODIFIED)


@pytest.mark.parametrize(
    ("path", "etag", "last_modified", "outcome"),
    [
        ("etag", '"v1"', None, NotModified),
        ("etag", '"v0"', None, FetchedPage),
        ("dated", None, LAST_MODIFIED, NotModified),
        ("dated", None, "Mon, 11 May 2026 08:00:00 GMT", FetchedPage),
    ],
)
def test_a_page_is_only_sent_when_it_changed(
    site: str, path: str, etag: str | None, last_modified: str | None, outcome: type
) -> None:
    url = f"{site}/{path}"
    known = KnownPage(url, etag, last_modified, is_live_blog=True, fetched_at=FETCHED_AT)
    found = ask(url, known)
    assert isinstance(found, outcome)
    assert found.request.known == known


@pytest.mark.parametrize(("path", "wait_s"), [("wait", 7.0), ("wait-until", 90.0), ("404", None)])
def test_how_long_a_server_wants_to_be_left_alone(
    site: str, path: str, wait_s: float | None
) -> None:
    with pytest.raises(FetchError) as caught:
        get(f"{site}/{path}")
    assert caught.value.retry_after_s == wait_s


def test_a_redirect_is_not_followed_but_told(site: str) -> None:
    limits = FetchLimits(allow_private_hosts=True)
    request = PageRequest(f"{site}/moved", "url:test")
    with new_session(limits) as session:
        found = fetch_page(request, session=session, limits=limits)
    assert isinstance(found, Redirected)
    assert (found.request.uri, found.request.address) == (f"{site}/moved", f"{site}/page")
    assert found.request.redirects == 1


def test_a_certificate_is_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with serving(context) as address:
        secure = address.replace("http://127.0.0.1", "https://localhost")
        assert code_of(lambda: get(f"{secure}/page")) == "connection_failed"
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        assert get(f"{secure}/page").content == PAGE
        for path in ("drip", "header-drip"):
            assert code_of(lambda: get(f"{secure}/{path}", timeout_s=0.4)) == "timeout"  # noqa: B023
        plain = address.replace("127.0.0.1", "localhost")
        assert code_of(lambda: get(f"{plain}/page", timeout_s=0.5)) in {
            "connection_failed",
            "timeout",
        }


def test_a_server_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert code_of(lambda: get(f"http://127.0.0.1:{port}/", timeout_s=0.2)) == "timeout"


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert code_of(lambda: get(f"http://127.0.0.1:{port}/")) == "connection_failed"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f::1", True),
        ("64:ff9b::5db8:d70e", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b:1::7f00:1", False),
        ("::7f00:1", False),
        ("2002:7f00:1::1", False),
        ("::ffff:0:7f00:1", False),
        ("fec0::1", False),
        ("100.64.0.1", False),
    ],
)
def test_what_is_public(address: str, public: bool) -> None:
    assert _is_public(ipaddress.ip_address(address)) == public


@pytest.mark.parametrize("url", ["http://a..b/", "http://" + "a" * 64 + ".example/"])
@pytest.mark.parametrize("allow_private_hosts", [True, False])
def test_a_name_that_cannot_be(url: str, allow_private_hosts: bool) -> None:
    code = code_of(lambda: get(url, allow_private_hosts=allow_private_hosts))
    assert code in {"host_unknown", "http_unexpected", "connection_failed"}


@pytest.mark.parametrize("allow_private_hosts", [True, False])
def test_a_name_that_does_not_resolve(allow_private_hosts: bool) -> None:
    code = code_of(lambda: get("http://nobody.invalid/", allow_private_hosts=allow_private_hosts))
    assert code == "host_unknown"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "10.1.2.3", "192.168.0.1", "169.254.169.254", "0.0.0.0",
     "[::ffff:127.0.0.1]", "[fe80::1]", "224.0.0.1"],
)  # fmt: skip
def test_addresses_that_are_not_public_are_refused(host: str) -> None:
    assert code_of(lambda: get(f"http://{host}:9/", allow_private_hosts=False)) == "address_refused"


def test_a_redirect_to_a_private_address_is_refused(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name means a public address at first, and a private one at the redirect.

    Only what counts as public is pretended.
    """
    real, asked = socket.getaddrinfo, list[int]()

    def remember(host: str, port: int, *args: object, **kwargs: object) -> object:
        asked.append(port)
        return real(host, port, *args, **kwargs)  # type: ignore[arg-type]

    first = int(site.rpartition(":")[2])
    monkeypatch.setattr(socket, "getaddrinfo", remember)
    monkeypatch.setattr("transforms.fetch._is_public", lambda _: asked[-1] == first)
    assert get(f"{site}/page", allow_private_hosts=False).content == PAGE
    with serving() as inner:
        inwards = f"{site}/port-{inner.rpartition(':')[2]}"
        assert code_of(lambda: get(inwards, allow_private_hosts=False)) == "address_refused"


def read(path: Path, bytes_max: int = 1_000_000, page_url: str | None = None) -> FetchedPage:
    return read_page_file(
        PageRequest(str(path), "input:test", page_url),
        open_file=open_local_file,
        limits=FetchLimits(page_bytes_max=bytes_max),
    )


def test_a_file_and_its_time(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(PAGE)
    page = read(path, page_url="https://a.example/1")
    assert (page.content, page.url, page.content_type) == (PAGE, "https://a.example/1", None)
    assert page.fetched_at == datetime.fromtimestamp(path.stat().st_mtime, UTC)


@pytest.mark.parametrize(
    "content",
    [gzip.compress(PAGE), gzip.compress(PAGE[:20]) + gzip.compress(PAGE[20:]),
     gzip.compress(PAGE) + bytes(512)],
    ids=["gzip", "two members", "padded"],
)  # fmt: skip
def test_a_gzip_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "page.txt.gz"
    path.write_bytes(content)
    page = read(path)
    assert (page.content, page.content_type) == (PAGE, "text/plain")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (gzip.compress(PAGE)[:-9], "gzip_broken"),
        (gzip.compress(PAGE) + b"rubbish", "gzip_broken"),
        (b"\x1f\x8b" + zlib.compress(PAGE), "gzip_broken"),
        (gzip.compress(bytes(2_000_000)), "page_too_large"),
        (bytes(1_000_001), "page_too_large"),
    ],
)
def test_a_file_that_is_no_page(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "page.html.gz"
    path.write_bytes(content)
    assert code_of(lambda: read(path)) == code


def test_many_members_take_no_long(tmp_path: Path) -> None:
    path = tmp_path / "page.html.gz"
    path.write_bytes(gzip.compress(b"") * 20_000 + gzip.compress(PAGE))
    assert read(path).content == PAGE


def test_a_pipe_is_no_page(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "page.html")
    assert code_of(lambda: read(tmp_path / "page.html")) == "file_unreadable"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert code_of(lambda: read(tmp_path / "missing.html")) == "file_unreadable"
    assert code_of(lambda: read(tmp_path)) == "file_unreadable"
