"""Robots: what a host's robots.txt allows, by RFC 9309.

No Beam here. Source: https://www.rfc-editor.org/rfc/rfc9309
"""

from __future__ import annotations

from dataclasses import dataclass

from protego import Protego

from schemas.errors import FetchError

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
