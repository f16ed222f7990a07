"""Every failure that is expected, in one tree.

NewsIngestError
├── UsageError            exit 2: what the caller typed, one line with the remedy
├── DatasetError          exit 1: the dataset cannot be read or written as asked
└── PageError             one page is lost: a dead letter with the error's code
    ├── SourceError       sources: the page or the list cannot be found or read
    ├── FetchError        fetch: the bytes could not be had
    ├── ExtractError      extract: the bytes are no readable document
    └── SplitError        split: the document holds no entry that can be had

Codes are stable: they are values of ``dead_letters.code`` and counter names.
Anything else that is raised is a bug and ends the run.
"""

from __future__ import annotations

from typing import ClassVar


class NewsIngestError(Exception):
    """Base of every expected failure."""


class UsageError(NewsIngestError):
    """Wrong usage; the message names the option and the remedy."""


class DatasetError(NewsIngestError):
    """The dataset is not what the command needs."""


class PageError(NewsIngestError):
    """One page is lost.

    code: one of ``codes``; ValueError if it is not.
    detail: one line for a person.
    """

    stage: ClassVar[str]
    codes: ClassVar[frozenset[str]]

    def __init__(self, code: str, detail: str) -> None:
        if code not in self.codes:
            raise ValueError(f"{code!r} is no code of {type(self).__name__}")
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail

    def __reduce__(self) -> tuple[type[PageError], tuple[str, str]]:
        return type(self), (self.code, self.detail)


class SourceError(PageError):
    """A source names something that is not there."""

    stage = "sources"
    codes = frozenset(
        {
            "input_not_found",  # a path or pattern that matches no file
            "url_list_unreadable",  # --urls FILE cannot be read as UTF-8 text
            "url_invalid",  # not an http(s) address with a host
            "feed_broken",  # neither RSS nor Atom nor JSON Feed that can be read
            "sitemap_broken",  # no sitemap or sitemap index that can be read
            "archive_broken",  # no WARC or WET that can be opened and read on
            "archive_record_broken",  # one record is cut off, corrupt or incomplete
        }
    )


class FetchError(PageError):
    """The bytes of a page could not be had.

    retry_after_s: how long the server asks to be left alone, None if it does not.
    """

    stage = "fetch"
    retry_after_s: float | None = None
    codes = frozenset(
        {
            "file_unreadable",  # exists, but cannot be opened or read
            "gzip_broken",  # .gz that does not decompress
            "page_too_large",  # over --max_page_bytes, on the wire or decompressed
            "host_unknown",  # the name does not resolve
            "address_refused",  # private, loopback or link-local address
            "robots_disallowed",  # by the host's robots.txt
            "robots_unavailable",  # robots.txt answers with a server error: nothing is allowed
            "crawl_delay_too_long",  # robots.txt asks for more time between pages than a run has
            "host_rested",  # the host failed too often, or asked to be left alone
            "connection_failed",  # refused, reset, TLS
            "timeout",  # over --timeout_s as a whole
            "too_many_redirects",
            "http_401",
            "http_403",
            "http_404",
            "http_410",
            "http_429",
            "http_4xx",  # any other client error
            "http_5xx",
            "http_unexpected",  # 1xx, 204, 3xx without Location ...
        }
    )


def page_too_large(bytes_max: int) -> FetchError:
    """The error for a page of more than so many bytes, wherever it is read from."""
    return FetchError("page_too_large", f"over --max_page_bytes {bytes_max}")


class ExtractError(PageError):
    """The bytes are no readable document."""

    stage = "extract"
    codes = frozenset(
        {
            "page_empty",  # no bytes, or only white space
            "page_binary",  # an image, an archive, a PDF ...
            "page_too_complex",  # elements nested, or attributes in one, beyond any real page
        }
    )


class SplitError(PageError):
    """The document holds no entry that can be had."""

    stage = "split"
    codes = frozenset(
        {
            "no_text",  # neither entries nor an article
            "script_ticker",  # the entries are loaded by script; detail names the widget
        }
    )


DEAD_LETTER_CODES: frozenset[str] = frozenset().union(
    *(error.codes for error in (SourceError, FetchError, ExtractError, SplitError))
)
