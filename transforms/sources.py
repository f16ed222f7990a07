"""Sources: turn what the user named into page requests."""

from __future__ import annotations

import gzip
import os
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

import apache_beam as beam
from apache_beam.io.filesystem import FileSystem
from apache_beam.pvalue import TaggedOutput

from schemas.errors import SourceError
from schemas.records import DeadLetter, PageRequest, Source
from transforms import storage
from transforms.outcomes import COUNTS, DEAD, dead_letter, utc_now

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from apache_beam.pvalue import PCollection

_PAGE_NAME = re.compile(r"[^.].*\.(?:html?|txt)(?:\.gz)?", re.IGNORECASE | re.DOTALL)
_GZIP_MAGIC = b"\x1f\x8b"


class Count(NamedTuple):
    """How many of something a source holds."""

    name: str
    n: int


def expand_source(
    source: Source, failed_at: datetime
) -> Iterator[PageRequest | DeadLetter | Count]:
    """The pages a source names, files sorted by path.

    What leads nowhere is a dead letter in its place: the whole source, or one
    line of a list or file of a folder, after which the others still count. Of a
    folder only visible pages are taken; the rest is counted (``files_ignored``).
    """
    for found in _look_up(source):
        if isinstance(found, _Lost):
            error = SourceError(found.error.code, _storable(found.error.detail))
            uri, label = _storable(found.uri), label_of(source)
            yield dead_letter(error, uri=uri, source=label, failed_at=failed_at)
        else:
            yield found


class _Lost(NamedTuple):
    uri: str
    error: SourceError


def _look_up(source: Source) -> Iterator[PageRequest | Count | _Lost]:
    try:
        yield from _files(source) if source.kind == "input" else _addresses(source)
    except SourceError as error:
        yield _Lost(source.locator, error)


def _files(source: Source) -> Iterator[PageRequest | Count | _Lost]:
    found = _find_files(source.locator)
    for path in sorted(found.paths):
        # Parquet and JSON hold nothing but UTF-8: its rows could not name it.
        if _storable(path) == path:
            yield PageRequest(path, label_of(source))
        else:
            detail = "the file's name is no UTF-8: rename the file"
            yield _Lost(path, SourceError("input_not_found", detail))
    for failure in found.unlisted:
        detail = f"cannot be listed: {failure.strerror}"
        yield _Lost(str(failure.filename), SourceError("input_not_found", detail))
    if found.ignored:
        yield Count("files_ignored", found.ignored)


def _addresses(source: Source) -> Iterator[PageRequest | _Lost]:
    role: Literal["page", "feed", "sitemap"] = "page"
    if source.kind == "feed" or source.kind == "sitemap":  # noqa: PLR1714 - narrows the type
        role = source.kind
    for url in _lines(source.locator) if source.kind == "urls" else [source.locator]:
        try:
            yield PageRequest(_checked_url(url), label_of(source), role=role)
        except SourceError as error:
            yield _Lost(_without_credentials(url), error)


def label_of(source: Source) -> str:
    """What rows and manifests say of a source: its label, without user and password.

    Bytes that are no UTF-8, as file names may hold, are escaped.
    """
    hidden = source
    if source.kind in {"url", "feed", "sitemap"}:
        hidden = Source(source.kind, _without_credentials(source.locator))
    return _storable(hidden.label)


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _without_credentials(url: str) -> str:
    return re.sub(r"(^|//)[^/?#]*@", r"\1***@", url)


class _Found(NamedTuple):
    """Files; how many others there were, and the folders that could not be looked into."""

    paths: list[str]
    ignored: int
    unlisted: list[OSError]


def _find_files(pattern: str) -> _Found:
    """The files that a pattern means: a file, all pages below a folder, or what matches."""
    try:
        found = _find_local(pattern) if "://" not in pattern else _find_remote(pattern)
    except (OSError, ValueError) as error:
        raise SourceError("input_not_found", f"{pattern}: {storage.reason(error)}") from error
    if found.ignored and not found.paths:
        detail = f"{pattern} holds {found.ignored} files, but no .html, .htm or .txt"
        raise SourceError("input_not_found", detail)
    if not found.paths and not found.unlisted:
        raise SourceError("input_not_found", f"{pattern} matches no file")
    return found


def _find_local(pattern: str) -> _Found:
    # Beam finds no bare name, no folder called [1], and passes over broken links.
    if os.path.isdir(pattern):  # noqa: PTH112 - a Path would respell it
        paths, unlisted = _walk(pattern)
        return _pages_below(pattern, paths)._replace(unlisted=unlisted)
    if os.path.lexists(pattern):
        return _Found([pattern], 0, [])
    fixed = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    if fixed == pattern:
        return _Found([], 0, [])
    paths, unlisted = _walk(os.path.dirname(fixed))  # noqa: PTH120 - as above
    matches = re.compile(FileSystem.translate_pattern(pattern)).match
    return _Found([path for path in paths if matches(path)], 0, unlisted)


def _walk(folder: str) -> tuple[list[str], list[OSError]]:
    """All files below a folder, spelt as it is spelt, "" for the current one."""
    paths: list[str] = []
    unlisted: list[OSError] = []

    def keep(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            unlisted.append(error)

    for place, _, names in os.walk(folder or ".", onerror=keep):
        below = place if folder else place.removeprefix(".").removeprefix("/")
        paths += [os.path.join(below, name) for name in names]  # noqa: PTH118 - as above
    return paths, unlisted


def _find_remote(pattern: str) -> _Found:
    storage.check_scheme(pattern)
    found = storage.files_matching(pattern)
    if found:
        return _Found(found, 0, [])
    return _pages_below(pattern, storage.files_matching(f"{pattern.rstrip('/')}/**"))


def _pages_below(folder: str, paths: Iterable[str]) -> _Found:
    found = _Found([], 0, [])
    for path in paths:
        *folders, name = path.removeprefix(folder).strip("/").split("/")
        if _PAGE_NAME.fullmatch(name) and not any(one.startswith(".") for one in folders):
            found.paths.append(path)
        else:
            found = found._replace(ignored=found.ignored + 1)
    return found


def _lines(path: str) -> list[str]:
    """The addresses of a list; Beam itself would end quietly where a .gz breaks off."""
    try:
        with storage.open_read(path) as file:
            content = file.read()
        if content.startswith(_GZIP_MAGIC):
            content = gzip.decompress(content)
        text = content.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise SourceError("url_list_unreadable", f"{path}: {storage.reason(error)}") from error
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _checked_url(url: str) -> str:
    shown = _storable(_without_credentials(url))
    try:
        parts = urlsplit(url)
        if "@" in parts.netloc:
            detail = f"{shown}: user and password are never sent: leave them out of the address"
            raise SourceError("url_invalid", detail)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or shown != url or any(character.isspace() for character in url):
        raise SourceError("url_invalid", f"{shown} is no http(s) address")
    return url


def _expand(source: Source | PageRequest) -> Iterator[Any]:
    if isinstance(source, PageRequest):
        yield source
        return
    for found in expand_source(source, utc_now()):
        if isinstance(found, DeadLetter):
            yield TaggedOutput(DEAD, found)
        elif isinstance(found, Count):
            yield TaggedOutput(COUNTS, tuple(found))
        else:
            yield found


@dataclass
class ReadSources(beam.PTransform[Any, Any]):
    """Sources -> page requests, and dead letters for those that lead nowhere.

    A request among the sources passes as it is.
    """

    def expand(self, sources: PCollection[Source | PageRequest]) -> Any:
        """Outputs: ``requests``, ``dead`` and ``counts``."""
        return sources | beam.FlatMap(_expand).with_outputs(DEAD, COUNTS, main="requests")
