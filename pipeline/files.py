"""Files that a command writes for its user."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING

from schemas.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def whole_file(path: str) -> Iterator[IO[bytes]]:
    """A file that appears, or replaces the one before, when the block ends well.

    Raises UsageError if it cannot be made or written.
    """
    beside = Path(path).with_name(f".{Path(path).name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            yield file
        beside.replace(path)
    except OSError as error:
        raise UsageError(f"--output {path}: {error.strerror}; name a file to write") from error
    finally:
        beside.unlink(missing_ok=True)
