"""Archives: the pages in WARC and WET files, one record after the other.

fastwarc reads the records; it stops for good at the first that is broken. So
every stretch between two broken places is read by an iterator of its own, and
the next one starts where a record, or a gzip member with one, begins again.
"""

from __future__ import annotations

import io
import re
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import apache_beam as beam
from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems
from apache_beam.pvalue import TaggedOutput
from fastwarc.stream_io import BrotliReader, GzipReader, ZstdReader
from fastwarc.warc import ArchiveIterator

from schemas.errors import PageError, SourceError, page_too_large
from schemas.records import DeadLetter, FetchedPage, PageRequest
from transforms import storage
from transforms.counters import progress
from transforms.markup import parse_iso_time
from transforms.outcomes import COUNTS, DEAD, dead_letter, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from apache_beam.pvalue import PCollection
    from fastwarc.warc import WarcRecord

PAGE_BYTES_MAX = 16 * 1024 * 1024

_GZIP_MAGIC = b"\x1f\x8b\x08"
_PLAIN_START = re.compile(rb"WARC/\d\.\d\r?\n[A-Za-z-]+:")
_HEAD_BYTES_MAX = 64 * 1024
_WINDOW_BYTES = 1024 * 1024
_PREFIX_BYTES = 4 * 1024
_GAPS_MAX = 1000
_LENGTH = re.compile(r"\s*\d{1,18}\s*", re.ASCII)  # what is none or longer, fastwarc takes for 0
_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})\b")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_CHUNK_HEAD = re.compile(rb"(?:\r?\n)?([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
_PAGE_TYPE = re.compile(r"\s*(?:text/html|application/xhtml\+xml|text/plain)\b|\s*$", re.IGNORECASE)
_DECODERS = {"gzip": GzipReader, "x-gzip": GzipReader, "br": BrotliReader, "zstd": ZstdReader}
_ENCODINGS_MAX = 4


def read_archive(
    stream: IO[bytes],
    archive: str,
    source: str,
    domains: frozenset[str] = frozenset(),
    *,
    page_bytes_max: int = PAGE_BYTES_MAX,
    now: Callable[[], datetime] = utc_now,
) -> Iterator[FetchedPage | DeadLetter | tuple[str, int]]:
    """The pages of one WARC or WET, gzipped or not, in its own order and constant memory.

    stream: seekable, at its start. archive: its path. source: the provenance of
        its pages. domains: registered domains, lower case; empty means all.

    Pages are HTML or plain text that a server answered with 200 to an http(s)
    request (response records), and the texts of a WET (conversion records).
    ``fetched_at`` is the time of the capture. Transfer and content encodings
    are undone, also where an archive has already done so and left the headers.

    Dead letters: archive_record_broken for a place that holds no readable
    record or page, page_too_large, and archive_broken, after which nothing
    more of this archive is read. At the end come counts, where archive_records
    = archive_pages + archive_failed + each archive_skipped_...: kind (requests,
    metadata, resources, robots.txt, other schemes), revisit, status, type,
    domain. archive_truncated counts pages kept that the crawler cut short.

    Source: https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/
    """
    counts = Counter[str]()
    try:
        for record in _records(stream, domains, page_bytes_max + _HEAD_BYTES_MAX):
            counts["archive_records"] += 1
            try:
                found = _page(record, source, page_bytes_max)
            except PageError as error:
                counts["archive_failed"] += 1
                uri = record.uri or f"{archive}#byte={record.position}"
                yield dead_letter(error, uri=uri, source=source, failed_at=now())
                continue
            if isinstance(found, FetchedPage):
                counts["archive_pages"] += 1
                counts["archive_truncated"] += record.truncated
                yield found
            else:
                counts[f"archive_skipped_{found}"] += 1
    except SourceError as error:
        yield dead_letter(error, uri=archive, source=source, failed_at=now())
    yield from sorted((name, n) for name, n in counts.items() if n)


@dataclass(frozen=True, slots=True)
class _Record:
    """A record, or a place where none can be read.

    position: of the record, or of the gzip member it is in, in bytes.
    skipped: why it is no page, None if it may be one.
    broken: why it cannot be read, None if it can.
    block: all of it, or its head where ``whole`` is False.
    member: where the gzip member begins that it ends in; None in plain text.
    """

    position: int
    kind: str = ""
    uri: str = ""
    date: str | None = None
    content_type: str | None = None
    truncated: bool = False
    skipped: str | None = None
    broken: str | None = None
    block: bytes = b""
    size_bytes: int = 0
    member: int | None = None

    @property
    def whole(self) -> bool:
        return len(self.block) == self.size_bytes


def _page(record: _Record, source: str, page_bytes_max: int) -> FetchedPage | str:
    """The page in a record, or why it is none.

    Raises SourceError archive_record_broken, FetchError page_too_large.
    """
    if record.broken:
        raise SourceError("archive_record_broken", record.broken)
    if record.skipped:
        return record.skipped
    headers, content = {"content-type": record.content_type or ""}, record.block
    if record.kind == "response":
        status, headers, content = _response(record.block)
        if status != b"200":
            return "status"
    content_type = headers.get("content-type")
    if not _PAGE_TYPE.match(content_type or ""):
        return "type"
    if not record.whole:
        raise page_too_large(page_bytes_max)
    fetched_at = parse_iso_time(record.date, None)
    if fetched_at is None:
        raise SourceError("archive_record_broken", f"WARC-Date is {record.date!r}")
    content = _decoded(content, headers, page_bytes_max)
    if len(content) > page_bytes_max:
        raise page_too_large(page_bytes_max)
    return FetchedPage(
        request=PageRequest(record.uri, source, role="archive"),
        url=record.uri,
        content=content,
        content_type=content_type,
        fetched_at=fetched_at,
    )


def _response(block: bytes) -> tuple[bytes, dict[str, str], bytes]:
    """Status, the first of each header by lower-case name, and body of an HTTP response."""
    status = _STATUS_LINE.match(block)
    end = _HEAD_END.search(block)
    if not (status and end):
        raise SourceError("archive_record_broken", "no HTTP response in a response record")
    headers: dict[str, str] = {}
    for line in block[: end.start()].decode("latin-1").splitlines()[1:]:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), value.strip())
    return status[1], headers, block[end.end() :]


def _decoded(content: bytes, headers: dict[str, str], bytes_max: int) -> bytes:
    """Undo transfer and content encodings, each up to a byte over the limit."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        content = _dechunked(content)
    encodings = headers.get("content-encoding", "").lower().split(",")
    for encoding in reversed(encodings[:_ENCODINGS_MAX]):
        content = _unpacked(content, encoding.strip(), bytes_max)
    return content


def _unpacked(content: bytes, encoding: str, bytes_max: int) -> bytes:
    """Undo one content encoding.

    What is not encoded after all stays as it is: crawlers keep the header of
    an encoding that they have undone.
    """
    try:
        if encoding == "deflate":
            return _inflated(content, bytes_max + 1)
        decoder = _DECODERS.get(encoding)
        return _read_all(decoder(io.BytesIO(content)), bytes_max + 1) if decoder else content
    except (OSError, zlib.error) as error:
        if _is_text(content):
            return content
        raise SourceError("archive_record_broken", f"{encoding}: {error}") from error


def _is_text(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return content.lstrip().startswith(b"<")
    return True


def _inflated(content: bytes, bytes_max: int) -> bytes:
    """What servers call deflate: zlib, as the standard says, or the bare data within it."""
    try:
        return zlib.decompressobj().decompress(content, bytes_max)
    except zlib.error:
        return zlib.decompressobj(wbits=-15).decompress(content, bytes_max)


def _dechunked(content: bytes) -> bytes:
    """The data of HTTP/1.1 chunks, as far as they go."""
    chunks: list[bytes] = []
    at = 0
    while match := _CHUNK_HEAD.match(content, at):
        at = match.end() + int(match[1], 16)
        if at == match.end():
            return b"".join(chunks)
        chunks.append(content[match.end() : at])
    if chunks and at < len(content.rstrip(b"\r\n")):
        raise SourceError("archive_record_broken", f"no chunk begins at byte {at} of the body")
    return b"".join(chunks) if chunks else content


def _records(stream: IO[bytes], domains: frozenset[str], block_bytes_max: int) -> Iterator[_Record]:
    """Every record of an archive, and every place where none can be read.

    Raises SourceError archive_broken when nothing in it is a record, when the
    stream itself fails, or when too many places are broken.
    """
    start: int | None = 0
    seen = gaps = 0
    packed = _at(stream, 0, len(_GZIP_MAGIC)) == _GZIP_MAGIC
    while start is not None:
        stretch = _Stretch(stream, start, packed)
        for record in stretch.records(domains, block_bytes_max):
            seen += 1
            gaps += record.broken is not None
            if gaps > _GAPS_MAX:
                raise SourceError(
                    "archive_broken", f"gave up at byte {record.position}: {gaps} broken places"
                )
            if seen == 1 and not record.kind and stretch.next_start is None:
                raise SourceError("archive_broken", f"no WARC or WET: {record.broken}")
            yield record
        start = stretch.next_start
    if not seen:
        raise SourceError("archive_broken", "it holds no record")


class _Source:
    """What fastwarc reads from; keeps the stream's own failures apart from broken data."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.failure: OSError | None = None

    def read(self, size_bytes: int = -1) -> bytes:
        try:
            return self._stream.read(size_bytes)
        except OSError as error:
            self.failure = error
            raise

    def tell(self) -> int:
        return self._stream.tell()


class _Stretch:
    """The records from one place on until one is broken.

    next_start: where to read on after that; None at the end of the archive.
    """

    def __init__(self, stream: IO[bytes], start: int, packed: bool) -> None:
        self._stream = stream
        self._start = start
        self._packed = packed
        self.next_start: int | None = None

    def records(self, domains: frozenset[str], block_bytes_max: int) -> Iterator[_Record]:
        """A record is held back until the next begins: only that shows that its length was true."""
        _at(self._stream, self._start, 0)
        source = _Source(self._stream)
        reader: Any = source
        if self._packed:
            reader = GzipReader(reader)
        held: _Record | None = None
        failure: str | None = None
        try:
            for record in ArchiveIterator(reader, parse_http=False, stream_detect=False):
                if held:
                    yield held
                held = _read(record, domains, block_bytes_max, reader if self._packed else None)
                if held.broken:
                    break
        except OSError as error:
            failure = str(error)
        if source.failure:
            if held and not held.broken:
                yield held
            raise SourceError("archive_broken", str(source.failure))
        if failure is not None:
            yield from self._resume(held, failure)
        elif held:
            yield self._last(held)

    def _last(self, held: _Record) -> _Record:
        """The record at which reading ended, as broken if it is."""
        if held.broken:
            self.next_start = self._find(held.position + 1)
        elif self._end(held) is None:  # fastwarc takes the end of the file for that of a member
            return _Record(held.position, kind=held.kind, uri=held.uri, broken="it is cut off")
        return held

    def _resume(self, held: _Record | None, error: str) -> Iterator[_Record]:
        """Tell whether the record before a failure or what follows it is broken."""
        position = held.position if held else self._start
        following = self.next_start = self._find(position + 1)
        end = self._end(held) if held else position
        if held and (end is None or (following is not None and following < end)):
            yield _Record(position, kind=held.kind, uri=held.uri, broken=f"not as it says: {error}")
            return
        if held:
            yield held
        # Between a record and the next there is nothing in gzip, two line ends in plain text;
        # whether the next is whole shows when reading starts there.
        between_bytes = 0 if self._packed else len(b"\r\n\r\n")
        if not held or following is None or following > (end or 0) + between_bytes:
            yield _Record(end or 0, broken=error)

    def _end(self, record: _Record) -> int | None:
        """Where a record ends; None if that is not where it says, or its gzip member is broken."""
        if record.member is None:
            head = _at(self._stream, record.position, _HEAD_BYTES_MAX)
            end = record.position + head.find(b"\r\n\r\n") + 4 + record.size_bytes
            follows = _at(self._stream, end, 4)
            return end if follows in {b"\r\n\r\n", b"WARC", b"\r\n", b""} else None
        if record.member == record.position:
            return self._member_end(record.position)
        # It reached into another member, or is one of several in its own.
        return max(record.member + 1, record.position)

    def _member_end(self, position: int) -> int | None:
        inflater = zlib.decompressobj(wbits=31)
        while window := _at(self._stream, position, _HEAD_BYTES_MAX):
            position += len(window)
            try:
                while window and not inflater.eof:
                    inflater.decompress(window, _WINDOW_BYTES)
                    window = inflater.unconsumed_tail
            except zlib.error:
                return None
            if inflater.eof:
                return position - len(inflater.unused_data)
        return None

    def _find(self, position: int) -> int | None:
        """The first place from a position on where a record begins."""
        while window := _at(self._stream, position, _WINDOW_BYTES + _PREFIX_BYTES):
            for at in self._candidates(window):
                if at < _WINDOW_BYTES:
                    return position + at
            position += _WINDOW_BYTES
        return None

    def _candidates(self, window: bytes) -> Iterator[int]:
        if not self._packed:
            yield from (match.start() for match in _PLAIN_START.finditer(window))
            return
        at = window.find(_GZIP_MAGIC)
        while at >= 0:
            if _begins_record(window[at : at + _PREFIX_BYTES]):
                yield at
            at = window.find(_GZIP_MAGIC, at + 1)


def _begins_record(member: bytes) -> bool:
    try:
        return zlib.decompressobj(wbits=31).decompress(member, 5) == b"WARC/"
    except zlib.error:
        return False


def _read(
    record: WarcRecord, domains: frozenset[str], block_bytes_max: int, unpacker: Any
) -> _Record:
    """Read a record to its end; its block is kept only where it may be a page."""
    headers = record.headers
    kind = (headers.get("WARC-Type") or "").lower()
    uri = (headers.get("WARC-Target-URI") or "").strip().removeprefix("<").removesuffix(">")
    skipped = _skipped(kind, uri, domains)
    size_bytes = record.content_length
    block, broken = b"", None
    try:
        if not _LENGTH.fullmatch(headers.get("Content-Length") or ""):
            broken = f"Content-Length is {headers.get('Content-Length')!r}"
        elif skipped is None:
            kept = size_bytes if size_bytes <= block_bytes_max else _HEAD_BYTES_MAX
            block = _read_all(record.reader, kept)
        if not broken and len(block) + record.consume() < size_bytes:
            broken = f"it ends before its {size_bytes} bytes are complete"
    except OSError as error:
        broken = str(error)
    return _Record(
        position=record.stream_pos,
        kind=kind,
        uri=uri,
        date=headers.get("WARC-Date"),
        content_type=headers.get("Content-Type"),
        truncated="WARC-Truncated" in headers,
        skipped=skipped,
        broken=broken,
        block=block,
        size_bytes=size_bytes,
        member=unpacker.frame_start_position() if unpacker else None,
    )


def _skipped(kind: str, uri: str, domains: frozenset[str]) -> str | None:
    if kind == "revisit":
        return "revisit"
    if kind not in {"response", "conversion"}:
        return "kind"
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
    except ValueError:
        return "kind"
    if parts.scheme not in {"http", "https"} or not host or parts.path == "/robots.txt":
        return "kind"
    labels = host.split(".")
    if domains and not any(".".join(labels[n:]) in domains for n in range(len(labels))):
        return "domain"
    return None


def _read_all(reader: Any, size_bytes: int) -> bytes:
    """As many bytes as there are, up to a limit; fastwarc gives them in pieces."""
    pieces: list[bytes] = []
    while size_bytes > 0 and (piece := reader.read(min(size_bytes, _WINDOW_BYTES))):
        pieces.append(piece)
        size_bytes -= len(piece)
    return b"".join(pieces)


def _at(stream: IO[bytes], position: int, size_bytes: int) -> bytes:
    try:
        stream.seek(position)
        return stream.read(size_bytes)
    except OSError as error:
        raise SourceError("archive_broken", str(error)) from error


def _matching(pattern: str) -> Iterator[Any]:
    """The archives that a pattern matches, each with the provenance of its pages."""
    source = f"warc:{pattern}"
    try:
        files = FileSystems.match([pattern])[0].metadata_list
    except (BeamIOError, ValueError) as error:
        yield _dead(SourceError("input_not_found", f"{pattern}: {error}"), pattern, source)
        return
    if not files:
        yield _dead(SourceError("input_not_found", f"{pattern} matches no file"), pattern, source)
    yield from ((path, source) for path in sorted(str(file.path) for file in files))


class _ReadArchive(beam.DoFn):
    def __init__(self, domains: frozenset[str], page_bytes_max: int) -> None:
        self._domains = domains
        self._page_bytes_max = page_bytes_max

    def process(self, archive: tuple[str, str]) -> Iterator[Any]:
        path, source = archive
        try:
            stream = storage.open_read(path)
        except (BeamIOError, OSError) as error:
            yield _dead(SourceError("archive_broken", str(error)), path, source)
            return
        with stream:
            for found in read_archive(
                stream, path, source, self._domains, page_bytes_max=self._page_bytes_max
            ):
                if isinstance(found, FetchedPage):
                    progress.add("pages fetched")
                    yield found
                else:
                    progress.add("pages failed", int(isinstance(found, DeadLetter)))
                    yield TaggedOutput(DEAD if isinstance(found, DeadLetter) else COUNTS, found)


@dataclass
class ReadArchives(beam.PTransform[Any, Any]):
    """Paths or patterns of WARC and WET files -> their pages, one archive at a time per worker.

    domains: registered domains whose pages are read; empty means all.
    """

    domains: frozenset[str] = frozenset()
    page_bytes_max: int = PAGE_BYTES_MAX

    def expand(self, patterns: PCollection[str]) -> Any:
        """Outputs: ``pages``, ``dead`` and ``counts``."""
        matched = patterns | beam.FlatMap(_matching).with_outputs(DEAD, main="archives")
        read = (
            matched.archives
            | beam.Reshuffle()
            | beam.ParDo(
                _ReadArchive(
                    frozenset(domain.lower() for domain in self.domains), self.page_bytes_max
                )
            ).with_outputs(DEAD, COUNTS, main="pages")
        )
        dead = (matched[DEAD], read[DEAD]) | beam.Flatten()
        return ArchivesRead(read.pages, dead, read[COUNTS])


class ArchivesRead(NamedTuple):
    """The outputs of ``ReadArchives``."""

    pages: Any
    dead: Any
    counts: Any


def _dead(error: SourceError, uri: str, source: str) -> TaggedOutput[str, DeadLetter]:
    return TaggedOutput(DEAD, dead_letter(error, uri=uri, source=source, failed_at=utc_now()))
