"""What the user types: commands, options, and one clear line when they do not fit.

No Beam here: whatever this parser does not know is handed to Beam.
"""

from __future__ import annotations

import argparse
import os
import re
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from zoneinfo import ZoneInfo

import shtab

from schemas.errors import UsageError
from schemas.records import DEDUP_WINDOW_DAYS, SOURCE_KINDS, Publisher
from transforms.addresses import page_address
from transforms.fetch import DEFAULT_USER_AGENT, FetchLimits, is_url
from transforms.publishers import load_publishers
from transforms.topic_model import TopicModel, read_model
from transforms.topics import DEFAULT_MIN_SCORE, ByText
from transforms.visit import WAIT_MAX_S, Politeness

if TYPE_CHECKING:
    from collections.abc import Callable

LOCAL_RUNNER = "FnApiRunner"
"""Beam's in-process runner; its ``DirectRunner`` would first try a download."""

_TIMEOUT_MAX_S = 3600
_IDLE_HOURS_MAX = 24 * 366
_POLL_MAX_S = 24 * 3600
_RETRIES_MAX = 10  # each waits twice as long as the one before
_PAGES_PER_BLOG_MAX = 10_000
_WINDOW_DAYS_MAX = 3650
_PAGE_BYTES_MAX = 1 << 30  # a page is held in memory

_LOG_LEVELS = ("debug", "info", "warning", "error")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}

_EXAMPLES = {
    "batch": """
  news-ingest batch --input 'pages/*.html' --output dataset
  news-ingest batch --urls addresses.txt --output dataset --timezone Europe/London
  news-ingest batch --sources sources.yaml --output dataset --dry_run
  news-ingest batch --retry_dead_letters --output dataset""",
    "stream": """
  news-ingest stream --sources sources.yaml --output dataset
  news-ingest stream --feed https://news.example/rss --output dataset --max_runtime 12h""",
    "split": """
  news-ingest split https://news.example/live/2026/05/12 --timezone Europe/London
  news-ingest split page.html --url https://news.example/live/2026/05/12""",
    "show": """
  news-ingest show https://news.example/live/2026/05/12""",
    "init": """
  news-ingest init
  news-ingest init publishers/north.yaml""",
    "report": """
  news-ingest report dataset""",
    "query": """
  news-ingest query dataset 'SELECT topic, count(*) AS n FROM entries_latest GROUP BY topic'""",
    "check": """
  news-ingest check dataset""",
    "compact": """
  news-ingest compact dataset""",
    "iceberg": """
  news-ingest iceberg dataset""",
    "reindex": """
  news-ingest reindex dataset""",
    "topics": """
  news-ingest topics train dataset --output topics.json""",
    "sample": """
  news-ingest sample""",
}
"""By command; each of these lines is understood."""


class _Help(argparse.HelpFormatter):
    """Leaves the examples as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith("examples:") else super()._fill_text(text, width, indent)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options; ``beam_flags`` are the words that only Beam may understand.

    Raises UsageError, whose message names the option and the remedy.
    """
    options, unknown = _parser().parse_known_args(arguments)
    options.beam_flags = unknown
    if options.command in {"batch", "stream"}:
        if "--" in arguments:
            raise UsageError("'--' is no option, and every word belongs to one: leave it out")
        if options.command == "stream":
            _check_stream(options)
        kinds = [kind for kind in SOURCE_KINDS if hasattr(options, kind)]
        replays = options.command == "batch" and options.retry_dead_letters
        if not (replays or options.sources or any(getattr(options, kind) for kind in kinds)):
            names = ", ".join(f"--{kind}" for kind in (*kinds, "sources"))
            raise UsageError(f"no input: give at least one of {names}")
    elif unknown:
        kind = "option" if unknown[0].startswith("-") else "word"
        raise UsageError(f"unknown {kind} {unknown[0]} (see news-ingest {options.command} --help)")
    return options


def _check_stream(options: argparse.Namespace) -> None:
    for word in options.beam_flags:
        if word.partition("=")[0] in {"--input", "--warc"}:
            raise UsageError(f"{word}: stream polls addresses only; read files with batch")
    if options.min_poll_s > options.max_poll_s:
        raise UsageError(
            f"--min_poll_s {options.min_poll_s:g} is more than --max_poll_s {options.max_poll_s:g}"
        )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="news-ingest",
        description="Takes live blogs apart and writes Parquet by date and topic.",
        epilog="\n".join(["examples:", *(lines.split("\n")[1] for lines in _EXAMPLES.values())]),
        formatter_class=_Help,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('news-ingest')}")
    shtab.add_argument_to(
        parser, "--print_completion", help="print the completion script of a shell, and stop"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_batch(commands)
    _add_stream(commands)
    _add_split(commands)
    _add_show(commands)
    _add_report(commands)
    _add_topics(commands)
    _add_query(commands)
    _add_check(commands)
    _add_compact(commands)
    _add_iceberg(commands)
    _add_init(commands)
    _add_reindex(commands)
    _add_sample(commands)
    for name, command in commands.choices.items():
        command.formatter_class = _Help
        command.epilog = f"examples:{_EXAMPLES.get(name, '')}"
        command.add_argument(
            "--log_level", choices=_LOG_LEVELS, default="warning",
            help="what is logged to stderr (default: %(default)s)",
        )  # fmt: skip
    return parser


def _add_batch(commands: argparse._SubParsersAction[_Parser]) -> None:
    batch = commands.add_parser(
        "batch",
        help="one bounded run: sources -> dataset",
        description="Reads all sources once and adds what is new to a dataset. "
        "Options of Apache Beam and its runners are passed on as they are.",
        allow_abbrev=False,
    )
    batch.add_argument(
        "--input", action="append", default=[], metavar="PATTERN",
        help="file, folder or pattern of .html, .htm, .txt, also .gz (repeatable)",
    )  # fmt: skip
    batch.add_argument(
        "--warc", action="append", default=[], metavar="PATTERN",
        help="WARC or WET archive, also .gz, or a pattern of them (repeatable)",
    )  # fmt: skip
    batch.add_argument(
        "--domain", action="append", default=[], metavar="DOMAIN",
        help="take only pages of this registered domain from archives (repeatable)",
    )  # fmt: skip
    batch.add_argument(
        "--max_error_ratio", type=_between(0, 1), default=0.5, metavar="RATIO",
        help="exit with 3 if more than this share of the pages failed (default: %(default)s)",
    )  # fmt: skip
    batch.add_argument(
        "--retry_dead_letters", action="store_true",
        help="also ask again for the pages that are dead letters of the dataset",
    )  # fmt: skip
    batch.add_argument(
        "--dry_run", action="store_true",
        help="say what would be fetched and why; fetch and write nothing",
    )  # fmt: skip
    batch.add_argument(
        "--summary_json", type=_new_file, metavar="FILE",
        help="also write the manifest of the run there, as JSON",
    )  # fmt: skip
    _add_crawling(batch)
    _add_writing(batch)
    _add_reading(batch)


def _add_stream(commands: argparse._SubParsersAction[_Parser]) -> None:
    stream = commands.add_parser(
        "stream",
        help="keeps polling its sources, until stopped",
        description="Polls feeds, sitemaps and live blogs, each at its own pace: faster while "
        "it changes, slower when it is quiet. Ctrl-C or SIGTERM finish the cycle under way.",
        allow_abbrev=False,
    )
    stream.add_argument(
        "--max_runtime", type=_span, metavar="SPAN",
        help="stop after so long, such as 90s, 10m or 2h (default: never)",
    )  # fmt: skip
    stream.add_argument(
        "--idle_hours", type=_between(0.001, _IDLE_HOURS_MAX), default=6.0, metavar="HOURS",
        help="a live blog without news for so long is over (default: %(default)g)",
    )  # fmt: skip
    stream.add_argument(
        "--min_poll_s", type=_between(0.001, _POLL_MAX_S), default=15.0, metavar="SECONDS",
        help="the least time between two visits to an address; its host may want more "
        "(default: %(default)g)",
    )  # fmt: skip
    stream.add_argument(
        "--max_poll_s", type=_between(0.001, _POLL_MAX_S), default=900.0, metavar="SECONDS",
        help="the most, for what is quiet (default: %(default)g)",
    )  # fmt: skip
    _add_crawling(stream)
    _add_writing(stream)
    _add_reading(stream)


def _add_crawling(command: argparse.ArgumentParser) -> None:
    """What ``batch`` and ``stream`` both need: addresses, the dataset, how hosts are treated."""
    command.add_argument(
        "--url", action="append", default=[], metavar="URL", help="address of a page (repeatable)"
    )
    command.add_argument(
        "--urls", action="append", default=[], metavar="FILE",
        help="file of addresses, one a line, # for comments (repeatable)",
    )  # fmt: skip
    command.add_argument(
        "--feed", action="append", default=[], metavar="URL",
        help="RSS, Atom or JSON feed whose pages are read (repeatable)",
    )  # fmt: skip
    command.add_argument(
        "--sitemap", action="append", default=[], metavar="URL",
        help="sitemap or sitemap index whose pages are read (repeatable)",
    )  # fmt: skip
    command.add_argument(
        "--sources", type=_publishers, metavar="FILE",
        help="sources.yaml: publishers with feeds, sitemaps, addresses, time zone, topic rules",
    )  # fmt: skip
    command.add_argument(
        "--since", type=_since, metavar="WHEN",
        help="leave out sitemap items last changed before: a date, or a span such as 36h or 7d",
    )  # fmt: skip
    command.add_argument(
        "--output", required=True, type=_dataset, metavar="DATASET", help="folder of the dataset"
    )
    command.add_argument(
        "--runner", default=LOCAL_RUNNER, metavar="RUNNER",
        help="Beam runner (default: %(default)s, in this process)",
    )  # fmt: skip
    command.add_argument(
        "--delay_s", type=_between(0, WAIT_MAX_S), default=Politeness.delay_s, metavar="SECONDS",
        help="between two requests to a host, or what its robots.txt asks for if that is more "
        "(default: %(default)g)",
    )  # fmt: skip
    command.add_argument(
        "--retries", type=_between(0, _RETRIES_MAX, int), default=Politeness.retries, metavar="N",
        help="how often a request is repeated that may go better next time (default: %(default)s)",
    )  # fmt: skip
    command.add_argument(
        "--max_pages_per_blog", type=_between(1, _PAGES_PER_BLOG_MAX, int),
        default=Politeness.pages_per_blog_max, metavar="N",
        help="pages of older entries are followed until a live blog has so many "
        "(default: %(default)s)",
    )  # fmt: skip
    _add_topic_rules(command)
    _add_dedup(command)


def _add_dedup(command: argparse.ArgumentParser) -> None:
    """What every command needs that adds to a dataset."""
    command.add_argument(
        "--dedup_window_days", type=_between(0, _WINDOW_DAYS_MAX, int), metavar="DAYS",
        default=DEDUP_WINDOW_DAYS,
        help="entries published further apart are never duplicates (default: %(default)s)",
    )  # fmt: skip
    command.add_argument(
        "--near_duplicates", choices=("on", "off"), default="on",
        help="off: only the same text is a duplicate, no edited or quoted copy "
        "(default: %(default)s)",
    )  # fmt: skip


def _add_reindex(commands: argparse._SubParsersAction[_Parser]) -> None:
    reindex = commands.add_parser(
        "reindex",
        help="rebuild a dataset's index from its entries",
        description="Rebuilds what later runs must know of entries and duplicates, after the "
        "index was lost or a new version came. No entry is touched.",
        allow_abbrev=False,
    )
    _add_dataset(reindex)
    _add_writing(reindex)


def _add_split(commands: argparse._SubParsersAction[_Parser]) -> None:
    split = commands.add_parser(
        "split",
        help="print one page's entries as JSON lines",
        description="Splits one page and prints its entries as JSON lines. No Beam, no dataset.",
        allow_abbrev=False,
    )
    _add_page(split)
    split.add_argument(
        "--topics", action="store_true",
        help="also print the page's topic, and what decided it",
    )  # fmt: skip
    _add_topic_rules(split)


def _add_show(commands: argparse._SubParsersAction[_Parser]) -> None:
    show = commands.add_parser(
        "show",
        help="print one page's entries as a person would read them",
        description="Splits one page and prints its entries to be read, key events marked with *.",
        allow_abbrev=False,
    )
    _add_page(show)


def _add_page(command: argparse.ArgumentParser) -> None:
    command.add_argument("page", type=_page, metavar="PAGE", help="address, .html or .txt file")
    command.add_argument(
        "--url", type=_address, metavar="URL", help="the page's address, when PAGE is a file"
    )
    _add_reading(command)


def _add_report(commands: argparse._SubParsersAction[_Parser]) -> None:
    report = commands.add_parser(
        "report",
        help="write one HTML page about a dataset",
        description="Writes one HTML page about a dataset: days and topics, live blogs minute by "
        "minute, publishers, latency, duplicates, revisions, dead letters and runs.",
        allow_abbrev=False,
    )
    _add_dataset(report)
    report.add_argument("--output", metavar="FILE", help="the page (default: DATASET-report.html)")


def _add_topics(commands: argparse._SubParsersAction[_Parser]) -> None:
    topics = commands.add_parser(
        "topics", help="learn topics from one's own dataset", allow_abbrev=False
    )
    actions = topics.add_subparsers(dest="action", required=True, metavar="ACTION")
    train = actions.add_parser(
        "train",
        help="learn a classifier from the pages whose publishers declared a topic",
        description="Learns to tell topics from the pages of a dataset whose publishers declared "
        "one, prints how well that and the lexicon do on publishers it had not seen, and writes "
        "it to a file for --topic_model. Needs scikit-learn: pip install 'news-ingest[topics]'.",
        allow_abbrev=False,
    )
    _add_dataset(train)
    train.add_argument("--output", required=True, metavar="FILE", help="where to write the model")
    train.add_argument(
        "--topic_min_score", type=_between(0, 1), default=DEFAULT_MIN_SCORE, metavar="SCORE",
        help="the score at which to show accuracy and coverage (default: %(default)s)",
    )  # fmt: skip


def _add_topic_rules(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--topic_min_score", type=_between(0, 1), default=DEFAULT_MIN_SCORE, metavar="SCORE",
        help="a topic told from text that scores less is not taken; 0 takes any "
        "(default: %(default)s)",
    )  # fmt: skip
    command.add_argument(
        "--topic_model", type=_topic_model, metavar="FILE",
        help="tell topics from text by what topics train learnt, not by the lexicon",
    )  # fmt: skip


def _add_query(commands: argparse._SubParsersAction[_Parser]) -> None:
    query = commands.add_parser(
        "query",
        help="answer one SELECT over a dataset",
        description="Answers one SELECT with DuckDB. Views: entries_latest, entries, revisions, "
        "duplicates, dead_letters, runs. Nothing but the dataset can be read, and nothing written.",
        allow_abbrev=False,
    )
    _add_dataset(query)
    query.add_argument("sql", metavar="SQL", help="one SELECT over the views")
    query.add_argument(
        "--format", choices=("table", "csv", "json", "parquet"),
        help="json is one object a line (default: by the ending of --output, else a table)",
    )  # fmt: skip
    query.add_argument("--output", metavar="FILE", help="write the answer there")


def _add_check(commands: argparse._SubParsersAction[_Parser]) -> None:
    check = commands.add_parser(
        "check",
        help="verify a dataset: files, schema, manifests, duplicates, index",
        description="Verifies files, schema, manifests, duplicates and the index of a dataset. "
        "Names each fault on a line of its own, and exits with 1 if there is any.",
        allow_abbrev=False,
    )
    _add_dataset(check)
    check.add_argument(
        "--repair", action="store_true",
        help="finish or undo what was interrupted, and move strays to _quarantine",
    )  # fmt: skip
    _add_writing(check)


def _add_compact(commands: argparse._SubParsersAction[_Parser]) -> None:
    compact = commands.add_parser(
        "compact",
        help="merge the small files of a dataset, set earlier revisions aside",
        description="Merges the small files of each partition and moves earlier revisions from "
        "entries to revisions. Safe to interrupt; a second time it does nothing.",
        allow_abbrev=False,
    )
    _add_dataset(compact)
    _add_writing(compact)


def _add_iceberg(commands: argparse._SubParsersAction[_Parser]) -> None:
    iceberg = commands.add_parser(
        "iceberg",
        help="register the committed files in an Iceberg table (extra [iceberg])",
        description="Registers the committed files of entries in an Iceberg table, whose "
        "catalogue is DATASET/_iceberg/catalog.db. Each time is a snapshot.",
        allow_abbrev=False,
    )
    _add_dataset(iceberg)


def _add_dataset(command: argparse.ArgumentParser) -> None:
    command.add_argument("dataset", type=_dataset, metavar="DATASET", help="folder of the dataset")


def _add_init(commands: argparse._SubParsersAction[_Parser]) -> None:
    init = commands.add_parser(
        "init",
        help="write a commented sources.yaml to begin with",
        description="Writes a sources.yaml that explains itself, to be filled with your "
        "publishers. A file that is there already is left alone.",
        allow_abbrev=False,
    )
    init.add_argument(
        "file", nargs="?", default="sources.yaml", type=_new_file, metavar="FILE",
        help="where to (default: %(default)s)",
    )  # fmt: skip


def _add_sample(commands: argparse._SubParsersAction[_Parser]) -> None:
    sample = commands.add_parser(
        "sample",
        help="ingest the bundled sample site and show what was written",
        description="Serves the bundled sample site on loopback, ingests it, prints what was "
        "written and a first query. Run it twice: the second run writes nothing new.",
        allow_abbrev=False,
    )
    sample.add_argument(
        "--output", type=_dataset, default="output/sample", metavar="DATASET",
        help="folder of the dataset (default: %(default)s)",
    )  # fmt: skip


def _add_writing(command: argparse.ArgumentParser) -> None:
    """What every command needs that writes to a dataset."""
    command.add_argument(
        "--sole_writer", action="store_true",
        help="do not lock the dataset: nothing else writes to it. To be said for object stores",
    )  # fmt: skip


def _add_reading(command: argparse.ArgumentParser) -> None:
    """What ``batch``, ``stream`` and ``split`` need to read pages."""
    defaults = FetchLimits()
    command.add_argument(
        "--timezone", type=_timezone, metavar="ZONE",
        help="IANA time zone for clocks that name none, such as Europe/London",
    )  # fmt: skip
    command.add_argument(
        "--timeout_s", type=_between(0.001, _TIMEOUT_MAX_S), default=defaults.timeout_s,
        metavar="SECONDS",
        help="for one page as a whole (default: %(default)g)",
    )  # fmt: skip
    command.add_argument(
        "--max_page_bytes", type=_between(1, _PAGE_BYTES_MAX, int),
        default=defaults.page_bytes_max, metavar="BYTES",
        help="pages larger than this become dead letters (default: %(default)s)",
    )  # fmt: skip
    command.add_argument(
        "--user_agent", type=_user_agent, default=DEFAULT_USER_AGENT, metavar="TEXT",
        help="how to call oneself; name a contact (default: %(default)s)",
    )  # fmt: skip
    command.add_argument(
        "--allow_private_hosts", action="store_true",
        help="also fetch from private, loopback and link-local addresses",
    )  # fmt: skip


def by_text(options: argparse.Namespace) -> ByText:
    """How pages that declare no topic were said to get one."""
    return ByText(options.topic_min_score, options.topic_model)


def fetch_limits(options: argparse.Namespace) -> FetchLimits:
    """The limits that a command was given."""
    return FetchLimits(
        timeout_s=options.timeout_s,
        page_bytes_max=options.max_page_bytes,
        user_agent=options.user_agent,
        allow_private_hosts=options.allow_private_hosts,
    )


def politeness(options: argparse.Namespace) -> Politeness:
    """How a command was told to treat hosts."""
    return Politeness(
        delay_s=options.delay_s,
        retries=options.retries,
        pages_per_blog_max=options.max_pages_per_blog,
    )


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(
            f"no time zone is named {value!r}; use an IANA name such as Europe/London"
        ) from error
    return value


def _publishers(value: str) -> tuple[Publisher, ...]:
    try:
        text = Path(value).read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{value!r} cannot be read: {error}") from error
    return load_publishers(text, value)


def _span(value: str) -> timedelta:
    span = re.fullmatch(r"(\d{1,6})([smhd])", value)
    if not span or int(span[1]) == 0:
        raise argparse.ArgumentTypeError(f"{value!r} is no span such as 90s, 10m or 2h")
    return int(span[1]) * _UNITS[span[2]]


def _topic_model(value: str) -> TopicModel:
    try:
        return read_model(value)
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(
            f"{value!r} is no model of topics train: {error}"
        ) from error


def _since(value: str) -> datetime:
    span = re.fullmatch(r"(\d{1,6})([hd])", value)
    try:
        if span:
            hours = int(span[1]) * (24 if span[2] == "d" else 1)
            return datetime.now(UTC) - timedelta(hours=hours)
        moment = datetime.fromisoformat(value)
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(
            f"{value!r} is neither a date such as 2026-05-12 nor a span such as 36h or 7d"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _dataset(value: str) -> str:
    if re.search(r"[*?\[\]{}]", value):
        raise argparse.ArgumentTypeError(f"{value!r} holds a character of patterns (*?[]{{}})")
    value = re.sub(r"^file://(?:localhost)?(?=/)", "", value)
    if not re.sub(r"^\w+://", "", value).strip("/ "):
        raise argparse.ArgumentTypeError(f"{value!r} names no folder")
    if "://" not in value and os.path.isfile(value):  # noqa: PTH113 - never raises
        raise argparse.ArgumentTypeError(f"{value!r} is a file; name a folder")
    return value.rstrip("/")


def _new_file(value: str) -> Path:
    path = Path(value)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{value!r} is a folder; name a file")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{str(path.parent)!r} is no folder; make it first")
    return path


def _page(value: str) -> str:
    return _address(value) if is_url(value) else value


def _address(value: str) -> str:
    if re.match(r"(?:\w+://)?[^/?#]*@", value):
        raise argparse.ArgumentTypeError("leave user and password out of the address")
    if page_address(value) is None:
        raise argparse.ArgumentTypeError(f"{value!r} is no http(s) address")
    return value


def _user_agent(value: str) -> str:
    if not value.strip() or value != value.strip() or not value.isprintable():
        raise argparse.ArgumentTypeError(f"{value!r} is not one line of visible text")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise argparse.ArgumentTypeError(
            f"{value!r} holds what a request cannot carry: write it in Latin-1"
        ) from error
    return value


def _between(
    least: float, most: float, kind: type[int] | type[float] = float
) -> Callable[[str], float]:
    """Reads a number, ends of the range included."""
    range_ = f"between {least:,} and {most:,}"

    def read(value: str) -> float:
        if kind is int and not (value.isascii() and value.isdigit()):
            raise argparse.ArgumentTypeError(f"{value!r} is not a whole number {range_}")
        try:
            number = kind(value)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{value!r} is not a number {range_}") from error
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{value!r} is not {range_}")
        return number

    return read
