from __future__ import annotations

import pytest

from schemas.errors import FetchError
from transforms.robots import product_token, read_robots, robots_after

AGENT = "news-ingest/0.1 (desk@lantern-gazette.example)"
TEXT = b"""
User-agent: *
Disallow: /

User-agent: news-ingest
Allow: /live/
Disallow: /live/private/
Disallow: /*.pdf$
Crawl-delay: 2.5
"""


def refusal(robots_txt: bytes, path: str) -> str | None:
    try:
        read_robots(robots_txt).check(f"https://a.example{path}", AGENT)
    except FetchError as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/live/1", None),
        ("/", None),
        ("/live/private/1", "robots_disallowed"),
        ("/report.pdf", "robots_disallowed"),
        ("/report.pdf?page=2", None),
    ],
)
def test_our_own_group_of_rules_counts(path: str, code: str | None) -> None:
    assert refusal(TEXT, path) == code


def test_the_group_for_all_counts_where_none_names_us() -> None:
    assert refusal(b"User-agent: *\nDisallow: /x", "/x/1") == "robots_disallowed"
    assert refusal(b"User-agent: other\nDisallow: /", "/x/1") is None
    assert refusal(b"", "/x/1") is None
    assert refusal(b"\xff\xfe rubbish \x00", "/x/1") is None


def test_the_crawl_delay() -> None:
    assert read_robots(TEXT).crawl_delay_s(AGENT) == 2.5
    assert read_robots(b"").crawl_delay_s(AGENT) == 0


def test_what_is_past_500_kib_is_not_read() -> None:
    long = b"# filling\n" * 52_000 + b"User-agent: *\nDisallow: /"
    assert refusal(long, "/") is None


@pytest.mark.parametrize(
    ("code", "refused_as"),
    [
        ("http_404", None),
        ("http_403", None),
        ("http_429", None),
        ("http_4xx", None),
        ("too_many_redirects", None),
        ("http_5xx", "robots_unavailable"),
        ("page_too_large", "robots_unavailable"),
        ("timeout", "timeout"),
        ("host_unknown", "host_unknown"),
        ("address_refused", "address_refused"),
    ],
)
def test_a_robots_txt_that_cannot_be_had(code: str, refused_as: str | None) -> None:
    robots = robots_after(FetchError(code, "why"))
    if refused_as is None:
        robots.check("https://a.example/1", AGENT)
        return
    with pytest.raises(FetchError) as caught:
        robots.check("https://a.example/1", AGENT)
    assert caught.value.code == refused_as


def test_robots_know_us_by_the_name_before_the_version() -> None:
    assert product_token(AGENT) == "news-ingest"
    assert product_token("paper boy") == "paper boy"
