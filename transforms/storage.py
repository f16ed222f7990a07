"""Files of a dataset, on any filesystem Beam knows (local, gs://, s3://)."""

from __future__ import annotations

import contextlib
import importlib
import json
from typing import IO, TYPE_CHECKING, Any, cast

import pyarrow as pa
from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.io.localfilesystem import LocalFileSystem

from schemas.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_EXTRAS = {
    "gs": ("gcp", "google.cloud.storage"),
    "s3": ("aws", "boto3"),
    "azfs": ("azure", "azure.storage.blob"),
}
"""By scheme: the extra of apache-beam that is needed, and what it installs."""

UNREADABLE = (OSError, pa.ArrowException, UnicodeDecodeError)
"""What comes of reading a Parquet file that is damaged; the last of a footer with other names."""


def check_scheme(path: str) -> None:
    """Raises ValueError, with the remedy, if there is no such filesystem here."""
    scheme = FileSystems.get_scheme(path)
    if scheme in _EXTRAS:
        extra, client = _EXTRAS[scheme]
        try:
            importlib.import_module(client)
        except ImportError as error:
            remedy = f"{scheme}:// needs more: pip install 'apache-beam[{extra}]'"
            raise ValueError(remedy) from error
    try:
        FileSystems.get_filesystem(path)
    except ValueError as error:
        known = ", ".join(f"{name}://" for name in _EXTRAS)
        remedy = f"no filesystem is known for {scheme}://; name a local path, or one of {known}"
        raise ValueError(remedy) from error


def join(root: str, *parts: str) -> str:
    """A path below root; parts hold forward slashes only."""
    return "/".join([root.rstrip("/") or "/", *parts]) if parts else root


def exists(path: str) -> bool:
    """Whether there is a file, or a local folder."""
    return bool(FileSystems.exists(path))


def files_below(root: str, pattern: str) -> list[str]:
    """The paths below root that match, sorted; ``**`` also crosses folders."""
    try:
        return files_matching(join(root, pattern))
    except BeamIOError:  # no such folder on some filesystems
        return []


def files_matching(pattern: str) -> list[str]:
    """The paths that match, sorted; raises OSError if they cannot be listed."""
    return sorted(str(file.path) for file in FileSystems.match([pattern])[0].metadata_list)


def first_files_below(root: str, n: int) -> list[str]:
    """Up to n paths below root, so that a large folder need not be listed whole.

    Raises OSError if root is a file, or cannot be listed.
    """
    pattern = join(root, "**")
    return [str(file.path) for file in FileSystems.match([pattern], [n])[0].metadata_list]


def open_read(path: str) -> IO[bytes]:
    """The file's bytes as they are, never decompressed."""
    return cast("IO[bytes]", FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED))


def open_write(path: str) -> IO[bytes]:
    """A new file; folders above it are made as needed."""
    return cast(
        "IO[bytes]", FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED)
    )


def is_local(path: str) -> bool:
    """Whether it is on a filesystem of this machine, where renaming is atomic."""
    return isinstance(FileSystems.get_filesystem(path), LocalFileSystem)


def move(source: str, target: str, verify: Callable[[], bool] | None = None) -> None:
    """Rename a file; where that is not atomic, copy it, verify the copy, and delete it.

    verify: whether the target is whole; by its size if nothing better is known.
    Raises OSError if it is not, and the source is still there.
    """
    folder = target.rpartition("/")[0]
    if not FileSystems.exists(folder):
        try:
            FileSystems.mkdirs(folder)
        except BeamIOError:  # made by somebody else meanwhile, or no folders there
            if not FileSystems.exists(folder):
                raise
    if is_local(target):
        FileSystems.rename([source], [target])
        return
    FileSystems.copy([source], [target])
    if not (verify() if verify else size_of(target) == size_of(source)):
        raise OSError(f"{target} is not what was copied to it from {source}")
    FileSystems.delete([source])


def size_of(path: str) -> int:
    """The bytes of a file."""
    return int(FileSystems.match([path])[0].metadata_list[0].size_in_bytes)


def delete(paths: list[str]) -> None:
    """Delete files; those that are not there are as wished."""
    present = [path for path in paths if FileSystems.exists(path)]
    if present:
        FileSystems.delete(present)


def delete_tree(path: str) -> None:
    """Delete a folder and all below it; one that is not there is as wished."""
    delete(files_below(path, "**"))
    delete([path])


def write_json(path: str, value: Any) -> None:
    """Write a JSON file whole: a reader sees all of it or nothing."""
    with open_write(temporary(path)) as file:
        file.write(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True).encode())
    move(temporary(path), path)


def temporary(path: str) -> str:
    """Where a JSON file is until it is whole."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/_{name}.tmp"


def read_json(path: str) -> Any:
    """Raises ValueError if it is no JSON.

    Where renaming is not atomic, a file that is being replaced may be half there;
    then what it is replaced by is whole.
    """
    try:
        return _parsed(path)
    except ValueError:
        if is_local(path) or not exists(temporary(path)):
            raise
        return _parsed(temporary(path))


def _parsed(path: str) -> Any:
    with open_read(path) as file:
        return json.loads(file.read())


@contextlib.contextmanager
def reading(path: str) -> Iterator[None]:
    """Raises DatasetError, one line with the path, if a file of a dataset cannot be read."""
    try:
        yield
    except UNREADABLE as error:
        raise DatasetError(f"{path} cannot be read: {reason(error)}; see check") from error


@contextlib.contextmanager
def writing(dataset: str) -> Iterator[None]:
    """Raises DatasetError, one line, if a dataset cannot be written to: the disk is full, say."""
    try:
        yield
    except OSError as error:
        raise DatasetError(
            f"{dataset} cannot be written to: {reason(error)}; what was there before still is"
        ) from error


def reason(error: Exception) -> str:
    """What the innermost error says, on one line; Beam wraps it twice."""
    while isinstance(error, BeamIOError) and error.exception_details:
        error = next(iter(error.exception_details.values()))
    inner = error.args[0] if error.args else None
    return reason(inner) if isinstance(inner, Exception) else " ".join(str(error).split())
