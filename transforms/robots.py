"""Robots: what a host's robots.txt allows, by RFC 9309.

No Beam here. Source: https://www.rfc-editor.org/rfc/rfc9309
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from protego import Protego

from schemas.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT_FOR_S = 3600.0
"""Who comes again and again need not ask each time; RFC 9309, 2.4 allows a day."""

KEPT_MAX = 4096

_BYTES_MAX = 500 * 1024  # RFC 9309, 2.5: at least this much must be read
_NO_RULES = frozenset(
    {
        "http_401", "http_403", "http_404", "http_410", "http_429", "http_4xx",
        "http_unexpected", "too_many_redirects",
    }
)  # fmt: skip
_NO_ANSWER = frozenset({"http_5xx", "page_too_large", "gzip_broken"})


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules of one origin for us.

    refusal: the FetchError for every page of the origin, None if rules decide.
    """

    rules: Protego
    refusal: FetchError | None = None

    def check(self, url: str, user_agent: str) -> None:
        """Raises FetchError if the page must not be fetched."""
        if self.refusal:
            raise self.refusal
        if not self.rules.can_fetch(url, product_token(user_agent)):
            raise FetchError("robots_disallowed", f"robots.txt disallows {url}")

    def crawl_delay_s(self, user_agent: str) -> float:
        """The seconds between requests that the host asks for, 0 if it does not."""
        return float(self.rules.crawl_delay(product_token(user_agent)) or 0)


class RecentRobots:
    """The rules that this process has read lately, by origin.

    now_s: a clock that does not go back.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._read: dict[str, tuple[float, Robots]] = {}

    def get(self, origin: str) -> Robots | None:
        """None if they are unknown, or older than ``KEPT_FOR_S``."""
        read_at_s, robots = self._read.get(origin, (-math.inf, None))
        return robots if self._now_s() - read_at_s < KEPT_FOR_S else None

    def keep(self, origin: str, robots: Robots) -> None:
        """Rules that could not be had are not kept; of the others the last ``KEPT_MAX``."""
        if robots.refusal is None:
            self._read.pop(origin, None)
            self._read[origin] = (self._now_s(), robots)
            for oldest in list(self._read)[:-KEPT_MAX]:
                self._read.pop(oldest, None)


def product_token(user_agent: str) -> str:
    """The name that robots.txt knows us by: what stands before the version."""
    return user_agent.partition("/")[0].strip()


def read_robots(content: bytes) -> Robots:
    """The rules of a robots.txt that could be had; what is past 500 KiB is not read."""
    return Robots(Protego.parse(content[:_BYTES_MAX].decode("utf-8", "replace")))


def robots_after(error: FetchError) -> Robots:
    """The rules where robots.txt could not be had.

    A client error or an endless redirect means that there are none (2.3.1.2
    and 2.3.1.3), a server error that nothing is allowed (2.3.1.4). A host that
    cannot be reached at all gives its pages the error that they would have run
    into themselves.
    """
    if error.code in _NO_RULES:
        return Robots(Protego.parse(""))
    if error.code in _NO_ANSWER:
        error = FetchError("robots_unavailable", f"robots.txt: {error.detail}")
    return Robots(Protego.parse(""), refusal=error)
