"""Sources: turn what the user named into page requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import apache_beam as beam
from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems
from apache_beam.pvalue import TaggedOutput

from schemas.errors import SourceError
from schemas.records import DeadLetter, PageRequest, Source
from transforms.outcomes import DEAD, dead_letter, utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from apache_beam.pvalue import PCollection


def expand_source(source: Source, failed_at: datetime) -> Iterator[PageRequest | DeadLetter]:
    """The pages a source names, files sorted by path.

    What leads nowhere is a dead letter in its place: the whole source, or one
    line of a list, after which the other lines still count.
    """

    def dead(error: SourceError, uri: str) -> DeadLetter:
        return dead_letter(error, uri=uri, source=source.label, failed_at=failed_at)

    try:
        if source.kind == "input":
            for path in _matching_files(source.locator):
                yield PageRequest(uri=path, source=source.label)
            return
        role: Literal["page", "feed", "sitemap"] = "page"
        if source.kind == "feed" or source.kind == "sitemap":  # noqa: PLR1714 - narrows the type
            role = source.kind
        for url in _lines(source.locator) if source.kind == "urls" else [source.locator]:
            try:
                yield PageRequest(uri=_checked_url(url), source=source.label, role=role)
            except SourceError as error:
                yield dead(error, url)
    except SourceError as error:
        yield dead(error, source.locator)


def _matching_files(pattern: str) -> list[str]:
    try:
        if FileSystems.exists(pattern):
            below = FileSystems.match([FileSystems.join(pattern, "**")])[0].metadata_list
            files = [file.path for file in below] if below else [pattern]
        else:
            files = [file.path for file in FileSystems.match([pattern])[0].metadata_list]
    except (BeamIOError, ValueError) as error:
        raise SourceError("input_not_found", f"{pattern}: {error}") from error
    if not files:
        raise SourceError("input_not_found", f"{pattern} matches no file")
    return sorted(files)


def _lines(path: str) -> list[str]:
    try:
        with FileSystems.open(path) as file:
            text = file.read().decode("utf-8-sig")
    except (BeamIOError, OSError, ValueError) as error:
        raise SourceError("url_list_unreadable", f"{path}: {error}") from error
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or any(character.isspace() for character in url):
        raise SourceError("url_invalid", f"{url} is no http(s) address")
    return url


def _expand(source: Source) -> Iterator[Any]:
    for found in expand_source(source, utc_now()):
        yield TaggedOutput(DEAD, found) if isinstance(found, DeadLetter) else found


@dataclass
class ReadSources(beam.PTransform[Any, Any]):
    """Sources -> page requests, and dead letters for those that lead nowhere."""

    def expand(self, sources: PCollection[Source]) -> Any:
        """Outputs: ``requests`` and ``dead``."""
        return sources | beam.FlatMap(_expand).with_outputs(DEAD, main="requests")
