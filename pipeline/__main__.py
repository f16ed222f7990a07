"""``news-ingest COMMAND ...``: dispatch, and the exit codes of the contract."""

from __future__ import annotations

import importlib
import io
import logging
import os
import signal
import sys
import threading
from typing import NoReturn

from pipeline.options import parse
from schemas.errors import NewsIngestError, UsageError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code.

    0 done, 1 failed, 2 wrong usage, 3 done but too many pages failed, 130
    interrupted. A bug is none of these: it ends with its traceback.
    """
    _make_printable()
    main_thread = threading.current_thread() is threading.main_thread()
    if main_thread and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # What it cannot read is a dead letter of ours; it need not be said twice.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    try:
        options = parse(sys.argv[1:] if arguments is None else arguments)
        logging.getLogger().setLevel(options.log_level.upper())
        # A command is imported only when it is run: Beam takes three seconds,
        # and ``split`` does without.
        logging.disable(logging.WARNING)  # on import it warns of what nobody here uses
        command = importlib.import_module(f"pipeline.{options.command}")
        logging.disable(logging.NOTSET)
        return int(command.run(options))
    except BrokenPipeError:  # whoever read our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print(
            "news-ingest: interrupted; nothing is half done, the next run goes on",
            file=sys.stderr,
        )
        return 130
    except UsageError as error:
        print(f"news-ingest: {error}", file=sys.stderr)
        return 2
    except NewsIngestError as error:
        print(f"news-ingest: {error}", file=sys.stderr)
        return 1


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    logging.disable(logging.CRITICAL)  # each of Beam's steps would tell of it, with a traceback
    raise KeyboardInterrupt


def _make_printable() -> None:
    """Let stdout take any text: what reads a pipe gets UTF-8, a terminal what it can show."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        encoding = None if sys.stdout.isatty() else "utf-8"
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
