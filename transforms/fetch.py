"""Fetch: get the bytes of one page, from the web or from a file.

No Beam here, so that ``split`` starts at once; ``transforms.stages.FetchPages``
runs this for many hosts at a time.

Pages are hostile: the size is bounded on the wire and after decompression,
the time as a whole, redirects in number, and addresses that are not public are
refused after the name was resolved, at the first request and at every redirect.
"""

from __future__ import annotations

import gzip
import io
import ipaddress
import os
import re
import socket
import ssl
import stat
import threading
import time
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import IO, TYPE_CHECKING, Any, Protocol
from urllib.parse import urldefrag, urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.cookies import extract_cookies_to_jar
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.connection import create_connection
from urllib3.util.ssl_ import create_urllib3_context

from schemas.errors import FetchError, page_too_large
from schemas.records import FetchedPage, NotModified, PageRequest, Redirected
from transforms.outcomes import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEFAULT_USER_AGENT = "news-ingest/0.1 (no contact given: set --user_agent)"
_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK_BYTES = 64 * 1024
_REDIRECTS_MAX = 10
# NAT64 (RFC 6052, RFC 8215), IPv4-compatible and IPv4-translated (RFC 4291, RFC 2765).
_IPV4_INSIDE = [
    ipaddress.IPv6Network(network)
    for network in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")
]
_POOL = re.compile(r"^\w+\(host=[^()]*\): ")
_OWN_STATUS_CODES = {401, 403, 404, 410, 429}


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """How far a fetch may go.

    timeout_s: for one request as a whole, from the connection to the last byte.
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


def host_of(url: str) -> str:
    """Whom politeness is owed to: the host's name, with or without ``www.``."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


def is_url(uri: str) -> bool:
    """Whether a page is to be had from the web rather than from a file."""
    return uri.startswith(("http://", "https://"))


def fetch_page(
    request: PageRequest,
    *,
    session: requests.Session,
    limits: FetchLimits,
    now: Callable[[], datetime] = utc_now,
) -> FetchedPage | NotModified | Redirected:
    """Make one GET request; the session comes from ``new_session``.

    It is conditional where an earlier run has left something to ask with. A
    redirect is not followed: asking again is up to the caller, who may owe the
    host a delay, or robots.txt a look.

    Raises FetchError for whatever keeps the page from being had.
    """
    try:
        with _deadline(limits.timeout_s), _send(session, request, limits.timeout_s) as response:
            target = session.get_redirect_target(response)
            if target is not None:
                return Redirected(_redirected(request, target))
            if response.status_code == 304 and request.known:
                return NotModified(request)
            _check_status(response, now)
            chunks = response.raw.stream(_CHUNK_BYTES, decode_content=False)
            body = b"".join(_within(chunks, limits.page_bytes_max))
            return FetchedPage(
                request=request,
                url=request.address,
                content=_decompressed(
                    body, response.headers.get("Content-Encoding"), limits.page_bytes_max
                ),
                content_type=response.headers.get("Content-Type"),
                fetched_at=now(),
                etag=response.headers.get("ETag"),
                last_modified=response.headers.get("Last-Modified"),
            )
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise _as_fetch_error(error) from error
    except UnicodeError as error:  # what the codecs say of an odd Location or host name
        code = "http_unexpected" if isinstance(error, UnicodeDecodeError) else "host_unknown"
        raise FetchError(code, f"{request.address}: {error}") from error


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
        raise FetchError("file_unreadable", error.strerror or str(error)) from error
    if len(content) > limits.page_bytes_max:
        raise page_too_large(limits.page_bytes_max)
    return FetchedPage(
        request=request,
        url=request.page_url,
        content=_gunzipped(content, limits.page_bytes_max),
        content_type="text/plain" if _is_text_name(request.uri) else None,
        fetched_at=datetime.fromtimestamp(modified_at_s, UTC),
    )


def open_local_file(path: str) -> tuple[IO[bytes], float]:
    """``OpenFile`` for the local disk."""
    status = os.stat(path)  # noqa: PTH116 - the path may hold bytes that are no text
    if not stat.S_ISREG(status.st_mode):
        raise OSError(f"{path} is no regular file")
    return open(path, "rb"), status.st_mtime  # noqa: PTH123 - the caller closes it


def new_session(limits: FetchLimits) -> requests.Session:
    """A session for one host at a time; it checks every address it connects to.

    Of the environment only REQUESTS_CA_BUNDLE counts: a proxy would connect
    where we must not, and .netrc holds passwords that are nobody's to send.
    """
    session = requests.Session()
    session.trust_env = False
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    session.headers["User-Agent"] = limits.user_agent
    session.headers["Accept-Encoding"] = "gzip, deflate"
    adapter = _Adapter(allow_private_hosts=limits.allow_private_hosts)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _send(session: requests.Session, request: PageRequest, timeout_s: float) -> requests.Response:
    """One request, no redirect followed.

    Session.send would read the body of a redirect whole, however long it is
    and however long that takes, even when told not to follow.
    """
    known = request.known
    conditions = {
        "If-None-Match": known.etag if known else None,
        "If-Modified-Since": known.last_modified if known else None,
    }
    get = requests.Request("GET", request.address, headers=conditions)
    prepared = session.prepare_request(get)
    response = session.get_adapter(request.address).send(
        prepared, stream=True, timeout=timeout_s, verify=session.verify or True
    )
    extract_cookies_to_jar(session.cookies, prepared, response.raw)
    return response


def _redirected(request: PageRequest, target: str) -> PageRequest:
    try:
        found = urldefrag(urljoin(request.address, target)).url
        known_user = urlsplit(found).username
    except ValueError as error:
        raise FetchError("http_unexpected", f"redirected to {target}: {error}") from error
    if not is_url(found) or known_user is not None:
        raise FetchError("http_unexpected", "redirected to what is no http(s) address of a page")
    if request.redirects >= _REDIRECTS_MAX:
        raise FetchError("too_many_redirects", f"over {_REDIRECTS_MAX}, the last to {found}")
    return replace(request, redirected_to=found, redirects=request.redirects + 1)


def _is_text_name(path: str) -> bool:
    return path.lower().removesuffix(".gz").endswith(".txt")


def _check_status(response: requests.Response, now: Callable[[], datetime]) -> None:
    status = response.status_code
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
    error = FetchError(code, f"the server answered {status}")
    error.retry_after_s = _retry_after_s(response.headers.get("Retry-After"), now())
    raise error


def _retry_after_s(value: str | None, now: datetime) -> float | None:
    """Seconds to wait, from either form of Retry-After; None if it is neither.

    Source: RFC 9110, section 10.2.3.
    """
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value).astimezone(UTC) - now).total_seconds())
    except (ValueError, OverflowError):
        return None


def _within(chunks: Iterator[bytes], bytes_max: int) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > bytes_max:
            raise page_too_large(bytes_max)
        yield chunk


def _decompressed(body: bytes, encoding: str | None, bytes_max: int) -> bytes:
    """A body by its Content-Encoding, and gunzipped if it is a gzip file itself."""
    encodings = [name.strip().lower() for name in (encoding or "").split(",")]
    for name in reversed([name for name in encodings if name not in {"", "identity"}]):
        if name == "deflate":
            body = _inflated(body, bytes_max)
        elif name not in {"gzip", "x-gzip"}:
            raise FetchError("gzip_broken", f"Content-Encoding {name[:40]} was not asked for")
        elif not body.startswith(_GZIP_MAGIC):
            raise FetchError("gzip_broken", "the body is not the gzip that it says it is")
        else:
            body = _gunzipped(body, bytes_max)
    return _gunzipped(body, bytes_max)


def _inflated(body: bytes, bytes_max: int) -> bytes:
    """Deflate with the zlib header that the RFC wants, or without, as some servers send it."""
    for window_bits in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        inflater = zlib.decompressobj(window_bits)
        try:
            plain = inflater.decompress(body, bytes_max + 1)
        except zlib.error:
            continue
        if len(plain) > bytes_max:
            raise page_too_large(bytes_max)
        if inflater.eof:
            return plain
    raise FetchError("gzip_broken", "the body is not the deflate that it says it is")


def _gunzipped(content: bytes, bytes_max: int) -> bytes:
    """What a gzip file holds, all its members; anything else as it is."""
    if not content.startswith(_GZIP_MAGIC):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            plain = file.read(bytes_max + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise FetchError("gzip_broken", str(error)) from error
    if len(plain) > bytes_max:
        raise page_too_large(bytes_max)
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
    ]
    for kinds, code in codes:
        for cause in chain:
            if isinstance(cause, kinds):
                return FetchError(code, _in_words(cause, chain))
    return FetchError("connection_failed", _in_words(error, chain))


def _in_words(error: BaseException, chain: list[BaseException]) -> str:
    """What the system says of it, else the library, without the name of its pool."""
    said = (cause.strerror for cause in chain if isinstance(cause, OSError) and cause.strerror)
    return next(said, None) or _POOL.sub("", str(error))


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


def is_private_literal(url: str) -> bool:
    """Whether a URL names its host by a private address; tells without asking anybody."""
    host = urlsplit(url).hostname or ""
    try:
        found = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return False  # a name
    return not all(_is_public(_ip(address)) for *_, address in found)


def _ip(address: tuple[Any, ...]) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(str(address[0]).partition("%")[0])


def _addresses(host: str, port: int, *, public_only: bool) -> list[tuple[Any, ...]]:
    """The socket addresses of a host.

    Raises FetchError address_refused if only public ones are wanted and any is
    not: one bad answer among good ones is what a rebinding attack looks like.
    """
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    for *_, address in found:
        ip = _ip(address)
        if public_only and not _is_public(ip):
            raise FetchError(
                "address_refused",
                f"{host} is at {ip}, not a public address (--allow_private_hosts)",
            )
    return [address for *_, address in found]


def _is_public(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether the address, and any IPv4 address that it stands for, is public."""
    if ip.is_multicast or not ip.is_global:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return True
    if ip.is_site_local:
        return False
    inner = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
    if any(ip in network for network in _IPV4_INSIDE):
        inner.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return all(_is_public(address) for address in inner if address)


class _Turn(threading.local):
    """When the request that this thread is making must be over, in monotonic seconds."""

    deadline_s: float | None = None


_turn = _Turn()


@contextmanager
def _deadline(timeout_s: float) -> Iterator[None]:
    """Every read of this thread's sockets ends when the block's time is over."""
    _turn.deadline_s = time.monotonic() + timeout_s
    try:
        yield
    finally:
        _turn.deadline_s = None


def _left_s() -> float | None:
    if _turn.deadline_s is None:
        return None
    left_s = _turn.deadline_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError("not complete within --timeout_s")
    return left_s


# requests' timeout is for each read: a server that drips a byte a second would
# never run into it, neither in the headers nor in the body.
class _DeadlineSocket(socket.socket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(_left_s())
        return super().recv_into(*args, **kwargs)


class _DeadlineSSLSocket(ssl.SSLSocket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(_left_s())
        return super().recv_into(*args, **kwargs)


class _Connecting:
    """Connects to the very address that was checked, so that no second lookup can differ."""

    allow_private_hosts = False
    host: str
    port: int
    source_address: Any
    socket_options: Any

    def _new_conn(self) -> socket.socket:
        failure: OSError | None = None
        for address in _addresses(self.host, self.port, public_only=not self.allow_private_hosts):
            try:
                plain = create_connection(
                    (str(address[0]), self.port),
                    _left_s(),
                    source_address=self.source_address,
                    socket_options=self.socket_options,
                )
            except OSError as error:
                failure = error
            else:
                return _DeadlineSocket(fileno=plain.detach())
        raise failure or OSError(f"{self.host} has no address")


class _HTTPConnection(_Connecting, HTTPConnection):
    pass


class _HTTPSConnection(_Connecting, HTTPSConnection):
    pass


class _PrivateHTTPConnection(_HTTPConnection):
    allow_private_hosts = True


class _PrivateHTTPSConnection(_HTTPSConnection):
    allow_private_hosts = True


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class _PrivateHTTPPool(HTTPConnectionPool):
    ConnectionCls = _PrivateHTTPConnection


class _PrivateHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PrivateHTTPSConnection


class _Adapter(HTTPAdapter):
    def __init__(self, *, allow_private_hosts: bool) -> None:
        private = (_PrivateHTTPPool, _PrivateHTTPSPool)
        self._pools = private if allow_private_hosts else (_HTTPPool, _HTTPSPool)
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        context = create_urllib3_context()
        context.sslsocket_class = _DeadlineSSLSocket
        super().init_poolmanager(*args, ssl_context=context, **kwargs)
        http, https = self._pools
        self.poolmanager.pool_classes_by_scheme = {"http": http, "https": https}
