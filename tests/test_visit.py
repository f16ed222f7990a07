from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from schemas.errors import FetchError
from schemas.records import FetchedPage, NotModified, PageRequest, Redirected
from tests.factories import fetched
from transforms.fetch import FetchLimits
from transforms.visit import (
    FAILURES_BEFORE_REST,
    LIST_BYTES_MAX,
    Failed,
    HostPool,
    HostVisit,
    Outcome,
    Politeness,
)

Answer = FetchedPage | NotModified | Redirected | FetchError


class Web:
    """Answers by address, the last answer again and again; everything else is a page."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {f"https://a.example/{path}": found for path, found in answers.items()}
        self.answers.setdefault("https://a.example/robots.txt", [FetchError("http_404", "none")])
        self.asked: list[str] = []
        self.bytes_max: dict[str, int] = {}

    def __call__(self, request: PageRequest, *, limits: FetchLimits, **_: Any) -> Any:
        url = request.address
        self.bytes_max[url.rpartition("/")[2]] = limits.page_bytes_max
        self.asked.append(url.removeprefix("https://a.example/"))
        answers = self.answers.get(url, [fetched("<p>words</p>", url=url)])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, FetchError):
            raise answer
        if isinstance(answer, str):
            moved = replace(request, redirected_to=answer, redirects=request.redirects + 1)
            return Redirected(moved)
        return replace(answer, request=request)


def visit(
    web: Web, *paths: str, delay_s: float = 1.0, retries: int = 2
) -> tuple[list[Outcome], list[float]]:
    """All outcomes of a visit, and the waits that it asked for."""
    host = HostVisit(
        [PageRequest(f"https://a.example/{path}", "url:test") for path in paths],
        FetchLimits(),
        Politeness(delay_s, retries),
        fetch=web,
        jitter=lambda: 0.5,
    )
    outcomes, waits = list[Outcome](), list[float]()
    while True:
        found, wait_s = host.step()
        outcomes += found
        if host.over:
            return outcomes, waits
        waits.append(wait_s)


def codes(outcomes: list[Outcome]) -> list[str]:
    return [one.error.code if isinstance(one, Failed) else "page" for one in outcomes]


def later(seconds: float) -> FetchError:
    error = FetchError("http_429", "slow down")
    error.retry_after_s = seconds
    return error


def test_robots_first_then_page_after_page_with_the_delay_between() -> None:
    web = Web()
    outcomes, waits = visit(web, "1", "2")
    assert web.asked == ["robots.txt", "1", "2"]
    assert codes(outcomes) == ["page", "page"]
    assert waits == [1.0, 1.0]


def robots(text: str) -> list[Answer]:
    return [fetched(text)]


def test_a_page_that_robots_disallow_is_not_asked_for() -> None:
    web = Web(**{"robots.txt": robots("User-agent: *\nDisallow: /2")})
    outcomes, waits = visit(web, "1", "2", "3")
    assert codes(outcomes) == ["page", "robots_disallowed", "page"]
    assert web.asked == ["robots.txt", "1", "3"]
    assert waits == [1.0, 1.0, 0.0]


def test_the_longer_of_the_two_delays_counts() -> None:
    asks = robots("User-agent: *\nCrawl-delay: 7")
    assert visit(Web(**{"robots.txt": asks}), "1", "2")[1] == [1.0, 7.0]
    assert visit(Web(**{"robots.txt": asks}), "1", "2", delay_s=9)[1] == [9.0, 9.0]


def test_a_crawl_delay_beyond_reason_leaves_the_rest_to_later_runs() -> None:
    web = Web(**{"robots.txt": robots("User-agent: *\nCrawl-delay: 3600")})
    outcomes, _ = visit(web, "1", "2", "3")
    assert codes(outcomes) == ["page", "crawl_delay_too_long", "crawl_delay_too_long"]


def test_what_may_go_better_is_tried_again_later() -> None:
    web = Web(**{"1": [FetchError("http_5xx", "503"), FetchError("timeout", ""), fetched("x")]})
    outcomes, waits = visit(web, "1", "2", delay_s=0.1)
    assert codes(outcomes) == ["page", "page"]
    assert web.asked == ["robots.txt", "1", "1", "1", "2"]
    assert waits == [0.1, 1.0, 2.0, 0.1]


@pytest.mark.parametrize("code", ["http_404", "page_too_large", "address_refused"])
def test_what_will_not_go_better_is_not(code: str) -> None:
    web = Web(**{"1": [FetchError(code, "why")]})
    assert codes(visit(web, "1", "2")[0]) == [code, "page"]
    assert web.asked == ["robots.txt", "1", "2"]


def test_a_server_is_left_alone_for_as_long_as_it_asks() -> None:
    web = Web(**{"1": [later(30), fetched("x")]})
    outcomes, waits = visit(web, "1")
    assert (codes(outcomes), waits) == (["page"], [1.0, 30.0])


def test_a_server_that_asks_for_too_long_is_rested() -> None:
    outcomes, _ = visit(Web(**{"1": [later(3600)]}), "1", "2", "3")
    assert codes(outcomes) == ["http_429", "host_rested", "host_rested"]


def test_a_host_that_keeps_failing_is_rested() -> None:
    paths = [str(n) for n in range(20)]
    web = Web(**{path: [FetchError("http_5xx", "500")] for path in paths})
    outcomes, _ = visit(web, *paths)
    assert codes(outcomes) == ["http_5xx"] * 2 + ["host_rested"] * 18
    assert len(web.asked) == 1 + FAILURES_BEFORE_REST


def test_one_good_answer_ends_a_row_of_failures() -> None:
    bad: list[Answer] = [FetchError("http_5xx", "500")]
    web = Web(**{"1": bad, "3": bad, "5": bad})
    assert codes(visit(web, "1", "2", "3", "4", "5")[0]) == ["http_5xx", "page"] * 2 + ["http_5xx"]


@pytest.mark.parametrize(
    ("code", "pages"), [("timeout", "timeout"), ("http_5xx", "robots_unavailable")]
)
def test_robots_that_cannot_be_had_are_retried_and_then_decide(code: str, pages: str) -> None:
    web = Web(**{"robots.txt": [FetchError(code, "why")]})
    outcomes, _ = visit(web, "1", "2")
    assert codes(outcomes) == [pages, pages]
    assert web.asked == ["robots.txt"] * 3


def test_a_redirect_within_the_host_is_asked_for_like_any_page() -> None:
    web = Web(**{"robots.txt": robots("User-agent: *\nDisallow: /no"), "1": ["https://a.example/2"],
                 "3": ["https://www.a.example/4"], "5": ["https://a.example/no"]})  # fmt: skip
    outcomes, waits = visit(web, "1", "3", "5")
    assert codes(outcomes) == ["page", "page", "robots_disallowed"]
    assert web.asked[:3] == ["robots.txt", "1", "2"]
    assert web.asked[3:6] == ["3", "https://www.a.example/robots.txt", "https://www.a.example/4"]
    assert waits == [1.0] * 7
    assert [one.request.uri.rpartition("/")[2] for one in outcomes] == ["1", "3", "5"]


def test_a_redirect_to_another_host_comes_out() -> None:
    (found,), _ = visit(Web(**{"1": ["https://b.example/1"]}), "1")
    assert isinstance(found, Redirected)
    assert found.request.address == "https://b.example/1"


def test_robots_may_be_elsewhere() -> None:
    web = Web(**{"robots.txt": ["https://a.example/rules"],
                 "rules": robots("User-agent: *\nDisallow: /")})  # fmt: skip
    assert codes(visit(web, "1")[0]) == ["robots_disallowed"]


class Steps:
    """A visit of so many steps, each of which takes a while."""

    def __init__(self, name: str, steps: int, wait_s: float, log: list[tuple[str, float]]) -> None:
        self.name, self.left, self.wait_s, self.log = name, steps, wait_s, log
        self.inside = threading.Lock()

    @property
    def over(self) -> bool:
        return self.left == 0

    def step(self) -> tuple[list[Outcome], float]:
        assert self.inside.acquire(blocking=False), "two threads at one host"
        self.log.append((self.name, time.monotonic()))
        time.sleep(0.002)
        self.left -= 1
        self.inside.release()
        return [NotModified(PageRequest(self.name, "x"))], self.wait_s


def test_a_pool_keeps_every_host_apart_and_its_delay() -> None:
    log: list[tuple[str, float]] = []
    pool = HostPool(threads=8, waiting_max=3)
    for n in range(40):
        pool.add(Steps(f"h{n}", 5, 0.02, log), n)
    found = Counter(context for _, context in pool.drain())
    pool.close()
    assert found == dict.fromkeys(range(40), 5)
    last: dict[str, float] = {}
    for name, at_s in log:
        assert at_s - last.get(name, 0) >= 0.02
        last[name] = at_s


def test_a_bug_in_a_visit_is_raised_by_whoever_waits() -> None:
    class Broken:
        over = False

        def step(self) -> tuple[list[Outcome], float]:
            raise ZeroDivisionError("a bug")

    pool = HostPool(threads=2, waiting_max=3)
    pool.add(Broken(), None)
    with pytest.raises(ZeroDivisionError):
        list(pool.drain())
    pool.close()


def test_a_closed_pool_lets_its_threads_go() -> None:
    pool = HostPool(threads=2, waiting_max=1)
    for n in range(4):
        pool.add(Steps(f"h{n}", 50, 0.0, []), n)
    next(pool.drain())
    pool.close()
    for thread in pool._threads:
        thread.join(timeout=5)
        assert not thread.is_alive()


def test_a_visit_that_was_over_goes_on_when_it_is_extended() -> None:
    web = Web()
    host = HostVisit(
        [PageRequest("https://a.example/1", "x")], FetchLimits(), Politeness(0.0), fetch=web
    )
    pool = HostPool(threads=2, waiting_max=3)
    pool.add(host, None)
    assert len(list(pool.drain())) == 1
    host.extend([PageRequest("https://a.example/2", "x")])
    pool.add(host, None)
    pool.add(host, None)
    assert len(list(pool.drain())) == 1
    pool.close()
    assert web.asked == ["robots.txt", "1", "2"]


def test_whoever_takes_the_last_outcome_may_add_more() -> None:
    pool = HostPool(threads=2, waiting_max=3)
    pool.add(Steps("first", 1, 0.0, []), 0)
    taken = []
    for _, context in pool.drain():
        taken.append(context)
        time.sleep(0.01)
        if context < 20:
            pool.add(Steps("next", 1, 0.0, []), context + 1)
    assert taken == list(range(21))
    pool.close()


def test_a_sitemap_may_be_longer_than_a_page() -> None:
    web = Web()
    requests = [
        PageRequest("https://a.example/map", "x", role="sitemap"),
        PageRequest("https://a.example/page", "x"),
    ]
    host = HostVisit(requests, FetchLimits(page_bytes_max=1000), Politeness(), fetch=web)
    while not host.over:
        host.step()
    assert (web.bytes_max["map"], web.bytes_max["page"]) == (LIST_BYTES_MAX, 1000)
