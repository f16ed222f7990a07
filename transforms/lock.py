"""Lock: one writer at a time.

``_lock.json`` in the dataset says who writes: it appears whole and exclusively, and its
time of change is the writer's heartbeat. On the writer's own machine the kernel also
holds a lock on it, which ends with the process: a run that was killed blocks nobody
there. A writer elsewhere counts as gone when its heart has not beaten for STALE_S.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import threading
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

from schemas.errors import DatasetError, UsageError
from transforms import storage
from transforms.commit import examine

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK = "_lock.json"
HEARTBEAT_S = 15.0
STALE_S = 300.0
_ASK_AGAIN_S = 1.0


@contextlib.contextmanager
def dataset_lock(
    dataset: str, command: str, *, named: str = "--output", sole_writer: bool = False
) -> Iterator[None]:
    """Keep every other writer out of a dataset while the block runs.

    command: what is being done, for whoever finds the dataset in use; named: the option that
    the user typed; sole_writer: the user sees to it that nobody else writes, so nothing is
    locked. It must be said where files cannot be made exclusively, such as on object stores.

    Raises UsageError if the folder is no dataset's or cannot be written to, or
    for want of sole_writer; DatasetError if the dataset is in use, or if another
    writer took it because our heart had stopped.
    """
    examine(dataset, named)
    if sole_writer:
        yield
        return
    if not storage.is_local(dataset):
        raise UsageError(
            f"{named} {dataset}: cannot be locked there; see to it that "
            "nothing else writes to it, and say so with --sole_writer"
        )
    path = Path(dataset, LOCK)
    try:
        file = _acquire(path, command)
    except OSError as error:
        raise UsageError(f"{named} {dataset}: {error}") from error
    heart = _Heart(path, file)
    heart.start()
    try:
        with _can_be_interrupted(heart):
            yield
    except KeyboardInterrupt as error:
        if heart.lost:
            raise DatasetError(
                f"{dataset} was taken over by another writer, because this one had not been heard "
                "of: nothing is half done, start it again"
            ) from error
        raise
    finally:
        heart.stop()


@contextlib.contextmanager
def _can_be_interrupted(heart: _Heart) -> Iterator[None]:
    """Have the heart's interrupt end the work also in a shell's background job.

    Such a job is started with SIGINT ignored, so that Ctrl-C does not reach it;
    it still does not.
    """
    is_ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if not is_ignored or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupted(*_: object) -> None:
        if heart.lost:
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def check_is_free(dataset: str) -> None:
    """Raises DatasetError if somebody writes to a local dataset; elsewhere nobody can tell."""
    path = Path(dataset, LOCK)
    if storage.is_local(dataset):
        with contextlib.suppress(FileNotFoundError), path.open("rb") as theirs:
            _check_is_stale(theirs, path, time.time())


def _acquire(path: Path, command: str) -> IO[bytes]:
    """The lock, made whole and held; raises DatasetError if somebody else has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {
        "command": command,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    beside = path.with_name(f"{path.stem}.{uuid.uuid4().hex}.tmp")
    mine = beside.open("xb")
    try:
        mine.write(json.dumps(about).encode())
        mine.flush()
        _hold(mine)
        now_s = os.fstat(mine.fileno()).st_mtime  # by the clock that their heart beats by
        while True:
            with contextlib.suppress(FileExistsError):
                os.link(beside, path)
                return mine
            with contextlib.suppress(FileNotFoundError), path.open("rb") as theirs:
                _check_is_stale(theirs, path, now_s)
                if _is_at(theirs, path):
                    beside.replace(path)
                    return mine
    except BaseException:
        mine.close()
        raise
    finally:
        beside.unlink(missing_ok=True)


def _hold(file: IO[bytes]) -> bool:
    """Have the kernel lock it; whether nobody else on this machine does."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _check_is_stale(theirs: IO[bytes], path: Path, now_s: float) -> None:
    """Raises DatasetError if the writer that made this lock may still be alive."""
    free = _hold(theirs)
    silent_s = now_s - os.fstat(theirs.fileno()).st_mtime
    try:
        owner = json.loads(theirs.read())
        who = f"{owner['command']} by process {owner['pid']} on {owner['host']}"
        who += f" since {owner['since']}"
        here = owner["host"] == socket.gethostname()
    except (ValueError, KeyError, TypeError):
        who, here = "somebody", False
    if free and (here or silent_s > STALE_S):
        return
    remedy = "start again when it is done"
    if free and silent_s < -STALE_S:
        remedy += f"; if it is gone, delete {path}: a clock was set back, nobody can tell"
    elif free:
        remedy += f", or when it has been silent for {STALE_S:.0f} s (now {max(silent_s, 0):.0f} s)"
    raise DatasetError(f"{path.parent} is in use: {who}; {remedy}")


def _is_at(file: IO[bytes], path: Path) -> bool:
    """Whether the open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


class _Heart(threading.Thread):
    """Touches the lock while we live; ends the main thread's work if the lock is lost."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self.lost = False
        self._path = path
        self._file = file
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(HEARTBEAT_S):
            if not _is_at(self._file, self._path):
                self.lost = True
                for _ in range(2):  # a stream takes the first for a wish to stop in its own time
                    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                    if self._stopped.wait(_ASK_AGAIN_S):
                        return
                return
            os.utime(self._file.fileno())

    def stop(self) -> None:
        """Let go of the lock, if it is still ours."""
        self._stopped.set()
        self.join()
        with self._file:
            if _is_at(self._file, self._path):
                self._path.unlink()
