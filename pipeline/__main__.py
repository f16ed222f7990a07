"""``news-ingest COMMAND ...``: dispatch, and the exit codes of the contract."""

from __future__ import annotations

import importlib
import logging
import os
import sys

from pipeline.options import parse
from schemas.errors import NewsIngestError, UsageError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code.

    0 done, 1 failed, 2 wrong usage, 3 done but too many pages failed. A bug is
    none of these: it ends with its traceback.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # What it cannot read is a dead letter of ours; it need not be said twice.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    try:
        options = parse(sys.argv[1:] if arguments is None else arguments)
        # A command is imported only when it is run: Beam takes three seconds,
        # and ``split`` does without.
        command = importlib.import_module(f"pipeline.{options.command}")
        return int(command.run(options))
    except BrokenPipeError:  # whoever read our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except UsageError as error:
        print(f"news-ingest: {error}", file=sys.stderr)
        return 2
    except NewsIngestError as error:
        print(f"news-ingest: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
