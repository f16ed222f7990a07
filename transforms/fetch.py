"""Fetch: get the bytes of one page, from the web or from a file.

No Beam here, so that ``split`` starts at once; ``transforms.stages.FetchPages``
runs this for many hosts at a time.

Pages are hostile: the size is bounded on the wire and after decompression,
the time as a whole, redirects in number, and addresses that are not public are
refused after the name was resolved, at the first request and at every redirect.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import time
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, Protocol
from urllib.parse import urldefrag, urljoin

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.cookies import extract_cookies_to_jar
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from schemas.errors import FetchError
from schemas.records import FetchedPage, PageRequest
from transforms.outcomes import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEFAULT_USER_AGENT = "news-ingest/0.1 (no contact given: set --user_agent)"
_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK_BYTES = 64 * 1024
_REDIRECTS_MAX = 10
_OWN_STATUS_CODES = {401, 403, 404, 410, 429}


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """How far a fetch may go.

    timeout_s: for one request as a whole, redirects and body included.
    page_bytes_max: on the wire, and again after decompression.
    allow_private_hosts: also fetch from private, loopback and link-local
        addresses; only for one's own machines.
    """

    timeout_s: float = 30.0
    page_bytes_max: int = 16 * 1024 * 1024
    user_agent: str = DEFAULT_USER_AGENT
    allow_private_hosts: bool = False


class OpenFile(Protocol):
    """Opens a file by its path: the stream, and its modification time in epoch seconds."""

    def __call__(self, path: str) -> tuple[IO[bytes], float]:
        """Raises OSError if there is no such file or it cannot be read."""
        ...


def is_url(uri: str) -> bool:
    """Whether a page is to be had from the web rather than from a file."""
    return uri.startswith(("http://", "https://"))


def fetch_page(
    request: PageRequest,
    *,
    session: requests.Session,
    limits: FetchLimits,
    now: Callable[[], datetime] = utc_now,
    monotonic_s: Callable[[], float] = time.monotonic,
) -> FetchedPage:
    """GET one page; the session comes from ``new_session``.

    Raises FetchError for whatever keeps the page from being had.
    """
    deadline_s = monotonic_s() + limits.timeout_s
    url = request.uri
    try:
        for _ in range(_REDIRECTS_MAX + 1):
            left_s = max(deadline_s - monotonic_s(), 0.001)
            with _send(session, url, left_s) as response:
                target = session.get_redirect_target(response)
                if target is None:
                    _check_status(response.status_code)
                    chunks = _body_chunks(response.raw, deadline_s, monotonic_s)
                    return FetchedPage(
                        request=request,
                        url=url,
                        content=_gunzipped(
                            b"".join(_within(chunks, limits.page_bytes_max)), limits.page_bytes_max
                        ),
                        content_type=response.headers.get("Content-Type"),
                        fetched_at=now(),
                    )
                url = _redirected(url, target)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise _as_fetch_error(error) from error
    raise FetchError("too_many_redirects", f"more than {_REDIRECTS_MAX}, the last to {url}")


def read_page_file(
    request: PageRequest, *, open_file: OpenFile, limits: FetchLimits
) -> FetchedPage:
    """Read one page from a file, gunzipped if it is gzip.

    Raises FetchError if it cannot be opened, read or decompressed, or is too large.
    """
    try:
        stream, modified_at_s = open_file(request.uri)
        with stream:
            content = stream.read(limits.page_bytes_max + 1)
    except OSError as error:
        raise FetchError("file_unreadable", f"{request.uri}: {error}") from error
    if len(content) > limits.page_bytes_max:
        raise _too_large(limits.page_bytes_max)
    return FetchedPage(
        request=request,
        url=request.page_url,
        content=_gunzipped(content, limits.page_bytes_max),
        content_type="text/plain" if _is_text_name(request.uri) else None,
        fetched_at=datetime.fromtimestamp(modified_at_s, UTC),
    )


def open_local_file(path: str) -> tuple[IO[bytes], float]:
    """``OpenFile`` for the local disk."""
    stream = open(path, "rb")  # noqa: SIM115, PTH123 - the caller closes it
    return stream, os.fstat(stream.fileno()).st_mtime


def new_session(limits: FetchLimits) -> requests.Session:
    """A session for one host at a time; it checks every address it connects to."""
    session = requests.Session()
    session.headers["User-Agent"] = limits.user_agent
    adapter = HTTPAdapter() if limits.allow_private_hosts else _PublicOnlyAdapter()
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _send(session: requests.Session, url: str, timeout_s: float) -> requests.Response:
    """One request, no redirect followed.

    Session.send would read the body of a redirect whole, however long it is
    and however long that takes, even when told not to follow.
    """
    prepared = session.prepare_request(requests.Request("GET", url))
    settings: Any = session.merge_environment_settings(url, {}, True, None, None)
    response = session.get_adapter(url).send(prepared, timeout=timeout_s, **settings)
    extract_cookies_to_jar(session.cookies, prepared, response.raw)
    return response


def _redirected(url: str, target: str) -> str:
    try:
        found = urldefrag(urljoin(url, target)).url
    except ValueError as error:
        raise FetchError("http_unexpected", f"redirected to {target}: {error}") from error
    if not is_url(found):
        raise FetchError("http_unexpected", f"redirected to {found}")
    return found


def _is_text_name(path: str) -> bool:
    return path.lower().removesuffix(".gz").endswith(".txt")


def _check_status(status: int) -> None:
    if status == 200:
        return
    if status in _OWN_STATUS_CODES:
        code = f"http_{status}"
    elif 400 <= status < 500:
        code = "http_4xx"
    elif status >= 500:
        code = "http_5xx"
    else:
        code = "http_unexpected"
    raise FetchError(code, f"the server answered {status}")


def _body_chunks(
    raw: urllib3.HTTPResponse, deadline_s: float, monotonic_s: Callable[[], float]
) -> Iterator[bytes]:
    # read1 gives what has arrived; read would wait for a full chunk, and a
    # server that drips a byte a second would hold it for as long as it likes.
    while chunk := raw.read1(_CHUNK_BYTES, decode_content=True):
        if monotonic_s() > deadline_s:
            raise FetchError("timeout", "the body was not complete within --timeout_s")
        yield chunk


def _within(chunks: Iterator[bytes], bytes_max: int) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > bytes_max:
            raise _too_large(bytes_max)
        yield chunk


def _too_large(bytes_max: int) -> FetchError:
    return FetchError("page_too_large", f"over --max_page_bytes {bytes_max}")


def _gunzipped(content: bytes, bytes_max: int) -> bytes:
    if not content.startswith(_GZIP_MAGIC):
        return content
    plain = b""
    while content:  # a gzip file may hold several members, one after the other
        inflater = zlib.decompressobj(wbits=31)
        try:
            plain += inflater.decompress(content, bytes_max + 1 - len(plain))
        except zlib.error as error:
            raise FetchError("gzip_broken", str(error)) from error
        if len(plain) > bytes_max:
            raise _too_large(bytes_max)
        if not inflater.eof:
            raise FetchError("gzip_broken", "the data ends too early")
        content = inflater.unused_data.lstrip(b"\0")
    return plain


def _as_fetch_error(error: Exception) -> FetchError:
    """The code for what requests, urllib3 or the socket raised."""
    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, FetchError):
            return cause
    codes: list[tuple[type[Exception] | tuple[type[Exception], ...], str]] = [
        ((requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL), "http_unexpected"),
        (urllib3.exceptions.NameResolutionError, "host_unknown"),
        (socket.gaierror, "host_unknown"),
        (urllib3.exceptions.NewConnectionError, "connection_failed"),
        ((requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError), "timeout"),
        ((requests.exceptions.ContentDecodingError, urllib3.exceptions.DecodeError), "gzip_broken"),
    ]
    for kinds, code in codes:
        for cause in chain:
            if isinstance(cause, kinds):
                return FetchError(code, str(cause))
    return FetchError("connection_failed", str(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what is behind it: requests and urllib3 nest by attribute and by args."""
    waiting, seen = [error], set[int]()
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        behind: list[Any] = [getattr(cause, "reason", None), cause.__cause__, *cause.args]
        waiting += [one for one in behind if isinstance(one, BaseException)]


def _public_addresses(host: str, port: int) -> list[tuple[Any, ...]]:
    """The socket addresses of a host.

    Raises FetchError address_refused if any of them is not public: one bad
    answer among good ones is what a rebinding attack looks like.
    """
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    for *_, address in found:
        ip = ipaddress.ip_address(str(address[0]).partition("%")[0])
        if not _is_public(ip):
            raise FetchError(
                "address_refused",
                f"{host} is at {ip}, not a public address (--allow_private_hosts)",
            )
    return [address for *_, address in found]


def _is_public(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return ip.is_global and not ip.is_multicast


class _PublicOnly:
    """Connects to the very address that was checked, so that no second lookup can differ."""

    host: str
    port: int
    timeout: Any
    source_address: Any
    socket_options: Any

    def _new_conn(self) -> socket.socket:
        failure: OSError | None = None
        for address in _public_addresses(self.host, self.port):
            try:
                return urllib3.util.connection.create_connection(
                    (str(address[0]), self.port),
                    self.timeout,
                    source_address=self.source_address,
                    socket_options=self.socket_options,
                )
            except OSError as error:
                failure = error
        raise failure or OSError(f"{self.host} has no address")


class _PublicOnlyHTTPConnection(_PublicOnly, HTTPConnection):
    pass


class _PublicOnlyHTTPSConnection(_PublicOnly, HTTPSConnection):
    pass


class _PublicOnlyHTTPPool(HTTPConnectionPool):
    ConnectionCls = _PublicOnlyHTTPConnection


class _PublicOnlyHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicOnlyHTTPSConnection


class _PublicOnlyAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _PublicOnlyHTTPPool,
            "https": _PublicOnlyHTTPSPool,
        }
