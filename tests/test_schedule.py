"""When each address is asked for again, with a clock of our own."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.schedule import (
    ENDED_FOR,
    FIRST_INTERVAL_S,
    FOUND_LIST_MAX_S,
    JITTER,
    Book,
    Pace,
    Poll,
    from_json,
    plain,
    reading_from,
    to_json,
    visit_from,
)
from schemas.records import KnownPage, PageRequest, Reading, Visit

NOON = datetime(2026, 5, 12, 12, tzinfo=UTC)
PACE = Pace(min_s=10, max_s=600, idle=timedelta(hours=6))
BLOG = PageRequest("https://a.example/live/ferry", "feed:https://a.example/feed")
FEED = PageRequest("https://a.example/feed", "feed:https://a.example/feed", role="feed")


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def visit(
    request: PageRequest, now: datetime, *, delay_s: float = 1.0, etag: str | None = '"1"',
    digest: str | None = None, not_modified: bool = False,
) -> Visit:  # fmt: skip
    return Visit(request, delay_s, now, not_modified, etag, None, digest)


def reading(
    request: PageRequest, now: datetime, digest: str, *, live: bool = True,
    newest_at: datetime | None = None, ends_at: datetime | None = None,
) -> Reading:  # fmt: skip
    page = KnownPage(request.uri, '"1"', None, live, now)
    return Reading(page, request.known, digest, newest_at, ends_at)


class Stream:
    """A book and its clock; each visit is made when it is due."""

    def __init__(self, *named: PageRequest, pace: Pace = PACE) -> None:
        self.book = Book()
        self.named = frozenset(request.uri for request in named)
        self.pace = pace
        self.book.begin(named, NOON)

    def poll(self, uri: str) -> Poll:
        return self.book.polls[uri]

    def learn(self, *visits: Visit, readings: tuple[Reading, ...] = (), **lost: str) -> None:
        by_uri = {one.request.uri: lost["lost"] for one in visits} if lost else {}
        now = max(one.visited_at for one in visits)
        self.book.learn(visits, readings, by_uri, named=self.named, pace=self.pace, now=now)

    def read(self, request: PageRequest, now: datetime, digest: str, **about: object) -> None:
        """A page was fetched whole."""
        one = reading(request, now, digest, **about)  # type: ignore[arg-type]
        self.learn(visit(request, now), readings=(one,))


def intervals(stream: Stream, digests: str, *, uri: str = BLOG.uri) -> list[float]:
    """The intervals after visits that find these digests; "=" is a 304."""
    found, now = [], NOON
    for digest in digests:
        (request,) = stream.book.due(now)
        if digest == "=":
            stream.learn(visit(request, now, not_modified=True, etag=None))
        else:
            stream.read(request, now, digest)
        poll = stream.poll(uri)
        found.append(poll.interval_s)
        assert poll.due_at
        assert (
            timedelta(0)
            <= poll.due_at - at(0) - (now - NOON) - timedelta(seconds=poll.interval_s)
            <= timedelta(seconds=poll.interval_s * JITTER)
        )
        assert stream.book.due(poll.due_at - timedelta(seconds=0.01)) == []
        now = poll.due_at
    return found


def test_faster_while_it_changes_slower_while_it_is_quiet() -> None:
    assert intervals(Stream(BLOG), "abc==d") == [60, 30, 15, 22.5, 33.75, 16.875]
    assert intervals(Stream(BLOG), "abcdef") == [60, 30, 15, 10, 10, 10]
    assert intervals(Stream(BLOG), "aaaaaaaa") == [60, 90, 135, 202.5, 303.75, 455.625, 600, 600]


def test_never_faster_than_the_host_wants() -> None:
    stream = Stream(BLOG)
    for n, digest in enumerate("abcdefgh"):
        now = at(n * 1000)
        stream.learn(visit(BLOG, now, delay_s=45), readings=(reading(BLOG, now, digest),))
    assert stream.poll(BLOG.uri).interval_s == 45
    slow = Stream(BLOG, pace=replace(PACE, max_s=20))
    slow.learn(visit(BLOG, NOON, delay_s=45), readings=(reading(BLOG, NOON, "a"),))
    assert slow.poll(BLOG.uri).interval_s == 45


def test_a_host_is_left_alone_between_cycles_whatever_is_due() -> None:
    other = replace(BLOG, uri="https://a.example/live/tram")
    stream = Stream(BLOG, other)
    assert {one.uri for one in stream.book.due(NOON)} == {BLOG.uri, other.uri}
    stream.learn(visit(BLOG, NOON, delay_s=20), readings=(reading(BLOG, NOON, "a"),))
    assert stream.book.due(at(19)) == []
    assert stream.book.next_due_at() == at(20)
    assert [one.uri for one in stream.book.due(at(20))] == [other.uri]


def test_a_host_slower_than_a_run_gives_one_page_a_cycle_and_each_its_turn() -> None:
    requests = [replace(BLOG, uri=f"https://a.example/live/{n}") for n in range(3)]
    stream = Stream(*requests)
    now, asked = NOON, []
    for _ in range(6):
        due = stream.book.due(now)
        for request in due[:1] if now == NOON else due:
            asked.append(request.uri[-1])
            stream.learn(visit(request, now, delay_s=100), readings=(reading(request, now, "a"),))
        now = stream.book.next_due_at() or now
    assert asked == ["0", "1", "2", "0", "1", "2"]


def test_what_to_ask_with_is_remembered() -> None:
    stream = Stream(BLOG)
    stream.read(BLOG, NOON, "a")
    (request,) = stream.book.due(at(1000))
    assert request.known == KnownPage(BLOG.uri, '"1"', None, True, NOON)
    stream.learn(visit(request, at(1000), etag=None, not_modified=True))
    (request,) = stream.book.due(at(2000))
    assert request.known == KnownPage(BLOG.uri, '"1"', None, True, at(1000))
    moved = replace(request, redirected_to="https://b.example/x", redirects=1)
    stream.learn(visit(moved, at(2000)), readings=(reading(moved, at(2000), "b"),))
    (request,) = stream.book.due(at(9000))
    assert (request.redirected_to, request.redirects) == (None, 0)


def test_a_blog_is_over_when_its_coverage_has_ended() -> None:
    stream = Stream(FEED)
    ends_at = NOON - timedelta(minutes=30)
    stream.read(BLOG, NOON, "a", newest_at=NOON - timedelta(minutes=40), ends_at=ends_at)
    assert stream.poll(BLOG.uri).due_at
    later = ends_at + ENDED_FOR
    known = stream.poll(BLOG.uri).request
    stream.learn(visit(known, later, not_modified=True))
    assert stream.poll(BLOG.uri).due_at is None
    assert [one.uri for one in stream.book.due(at(1e6))] == [FEED.uri]


def test_a_blog_with_news_after_its_declared_end_goes_on() -> None:
    stream = Stream(FEED)
    ends_at = NOON - timedelta(hours=3)
    stream.read(BLOG, NOON, "a", newest_at=NOON - timedelta(minutes=5), ends_at=ends_at)
    assert stream.poll(BLOG.uri).due_at


def test_a_silent_blog_is_over_and_in_the_end_forgotten() -> None:
    stream = Stream(FEED)
    stream.read(BLOG, NOON, "a", newest_at=NOON - timedelta(hours=5))
    assert stream.poll(BLOG.uri).changed_at == NOON - timedelta(hours=5)
    hour_later = NOON + timedelta(hours=1)
    stream.read(BLOG, hour_later, "a", newest_at=NOON - timedelta(hours=5))
    assert stream.poll(BLOG.uri).due_at is None
    stream.learn(visit(FEED, hour_later + PACE.idle, digest="x"))
    assert BLOG.uri in stream.book.polls
    stream.learn(visit(FEED, hour_later + PACE.idle + timedelta(seconds=1), digest="x"))
    assert BLOG.uri not in stream.book.polls


def test_feeds_are_never_over_and_sitemaps_that_were_found_may_be_very_slow() -> None:
    child = PageRequest("https://a.example/2019.xml", FEED.source, role="sitemap", depth=1)
    stream = Stream(FEED)
    now = NOON
    for _ in range(40):
        now += timedelta(days=1)
        stream.learn(visit(FEED, now, digest="x"), visit(child, now, digest="y"))
    assert stream.poll(FEED.uri).interval_s == PACE.max_s
    assert stream.poll(child.uri).interval_s == FOUND_LIST_MAX_S
    for _ in range(40):
        now += timedelta(days=1)
        stream.learn(visit(FEED, now), lost="http_404")
    assert stream.poll(FEED.uri).due_at
    assert stream.poll(FEED.uri).interval_s == PACE.max_s


def test_an_article_is_read_once() -> None:
    stream = Stream(FEED, BLOG)
    article = replace(BLOG, uri="https://a.example/report")
    for request in (article, BLOG):
        stream.read(request, NOON, "a", live=False)
    assert article.uri not in stream.book.polls
    assert stream.poll(BLOG.uri).due_at is None
    stream.learn(visit(FEED, at(1e6), digest="x"))
    assert stream.poll(BLOG.uri).due_at is None


@pytest.mark.parametrize(
    ("code", "again"), [("http_5xx", True), ("timeout", True), ("http_404", False), ("no_text", False)]
)  # fmt: skip
def test_a_page_that_failed_is_asked_again_if_that_may_go_better(code: str, again: bool) -> None:
    stream = Stream(FEED)
    stream.learn(visit(BLOG, NOON), lost=code)
    poll = stream.poll(BLOG.uri)
    assert (poll.due_at is not None) == again
    if again:
        assert poll.interval_s == 2 * FIRST_INTERVAL_S
        stream.learn(visit(BLOG, NOON + PACE.idle), lost=code)
        assert stream.poll(BLOG.uri).due_at is None


def test_a_blog_that_was_there_survives_a_404() -> None:
    stream = Stream(FEED)
    stream.read(BLOG, NOON, "a", newest_at=NOON)
    known = stream.poll(BLOG.uri).request
    stream.learn(visit(known, at(60)), lost="http_404")
    assert stream.poll(BLOG.uri).interval_s == 2 * FIRST_INTERVAL_S
    assert stream.poll(BLOG.uri).request.known == known.known


def test_older_entries_are_asked_again_only_if_they_failed() -> None:
    older = replace(BLOG, uri=f"{BLOG.uri}?page=2", continues=BLOG.uri)
    stream = Stream(FEED)
    stream.learn(visit(older, NOON))
    assert older.uri not in stream.book.polls
    stream.learn(visit(older, NOON), lost="http_5xx")
    assert stream.poll(older.uri).request.continues == BLOG.uri
    stream.learn(visit(older, at(200)))
    assert older.uri not in stream.book.polls


def test_which_of_the_pages_found_are_asked_for() -> None:
    stream = Stream(FEED)
    stream.read(BLOG, NOON, "a", newest_at=NOON)
    now = at(30)
    wants = stream.book.revisits([FEED], now, PACE).want
    article = replace(BLOG, uri="https://a.example/report")
    known = KnownPage(article.uri, None, None, False, NOON)
    assert wants(FEED, None)
    assert wants(article, None)
    assert not wants(article, known)
    assert not wants(BLOG, None)
    assert stream.book.revisits([FEED, BLOG], now, PACE).want(BLOG, known)
    long_ago = now - PACE.idle - timedelta(days=1)
    blog = replace(known, is_live_blog=True, fetched_at=long_ago)
    assert not wants(article, blog)
    assert wants(replace(article, changed_at=now), blog)
    assert wants(article, replace(blog, fetched_at=NOON))


def test_what_a_source_led_to_goes_with_it() -> None:
    stream = Stream(FEED)
    stream.read(BLOG, NOON, "a", newest_at=NOON)
    tram = PageRequest("https://a.example/live/tram", "url:https://a.example/live/tram")
    stream.book.begin([tram], at(10))
    assert list(stream.book.polls) == [tram.uri]
    assert stream.poll(tram.uri).due_at == at(10)


def test_the_book_is_the_same_after_a_restart() -> None:
    stream = Stream(FEED)
    blog = replace(BLOG, categories=("Sport",), changed_at=NOON)
    stream.read(blog, NOON, "a", newest_at=NOON, ends_at=at(9999))
    stream.learn(visit(FEED, at(1), digest="x"))
    again = from_json(json.loads(json.dumps(to_json(stream.book))))
    assert again == stream.book
    again.begin([FEED], at(5))
    assert again == stream.book


@pytest.mark.parametrize("value", [None, [], {}, {"format": 9}, {"format": 1, "polls": [{}]}])
def test_a_damaged_book(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(value)


def test_visits_and_readings_survive_json() -> None:
    known = KnownPage(BLOG.uri, '"1"', None, True, NOON)
    one = visit(replace(BLOG, known=known, categories=("a",)), NOON, digest="x")
    assert visit_from(json.loads(json.dumps(plain(one)))) == one
    earlier = json.loads(json.dumps(plain(one)))
    del earlier["request"]["published_at"]  # as earlier versions wrote it
    assert visit_from(earlier) == one
    two = reading(replace(BLOG, known=known), NOON, "a", newest_at=NOON)
    assert reading_from(json.loads(json.dumps(plain(two)))) == two


@pytest.mark.parametrize("days", [-400, 400])
def test_plans_follow_a_clock_that_is_set(days: int) -> None:
    stream, ahead = Stream(BLOG), timedelta(days=days)
    stream.learn(visit(BLOG, NOON, delay_s=30), readings=(reading(BLOG, NOON, "a"),))
    before, (host,) = stream.poll(BLOG.uri), stream.book.hosts.values()
    assert before.due_at
    stream.book.follow(ahead, at(5) + ahead)
    assert stream.poll(BLOG.uri) == replace(
        before, due_at=before.due_at + ahead, changed_at=before.changed_at + ahead
    )
    assert [*stream.book.hosts.values()] == [replace(host, free_at=host.free_at + ahead)]


def test_nothing_waits_for_a_time_that_was_taken_back_between_streams() -> None:
    stream = Stream(BLOG)
    stream.learn(visit(BLOG, NOON, delay_s=30), readings=(reading(BLOG, NOON, "a"),))
    earlier = NOON - timedelta(days=3)
    stream.book.begin([BLOG], earlier)
    due_at = stream.book.next_due_at()
    assert due_at == earlier + timedelta(seconds=FIRST_INTERVAL_S * (1 + JITTER))
    assert stream.poll(BLOG.uri).changed_at == earlier
    assert [host.free_at for host in stream.book.hosts.values()] == [
        earlier + timedelta(seconds=30)
    ]
