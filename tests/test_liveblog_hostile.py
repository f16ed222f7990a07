"""Hostile and broken input: typed errors only, linear time, nothing dropped in silence."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import PageError
from tests.test_liveblog_shapes import BYLINED, UNSIGNED, Item, hashed, page_of, story
from transforms.liveblog import split_page
from transforms.liveblog.authors import names_in
from transforms.liveblog.bodies import paragraphs_of
from transforms.liveblog.marks import MAX_CLUSTERS, clusters, find_marks
from transforms.liveblog.outline import outline
from transforms.liveblog.times import read_expression, read_lead, read_machine, read_tail
from transforms.markup import parse_html

STORY = story("en")
PAGES = [shape(STORY) for shape in {**BYLINED, **UNSIGNED}.values()]
EASY = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
PIECES = st.sampled_from(
    (
        "<div>", "</div>", "<time datetime='2024-01-01T10:00:00Z'>", "10:05", "</time>", "<p>", "</p>",
        "<h2>", "</h2>", "\x00", "&lt;", "&#x110000;", "<script type='application/ld+json'>", "</script>",
        '{"@type":"LiveBlogPosting","liveBlogUpdate":[', "{", "]", '"', "<table><tr><td>", "<li>", "<!--",
        "12.31 Uhr: ", "Jane Doe24 May 2023 04:30", "<a href='http://[::1'>", "𝟙𝟚:𝟛𝟘", "٢٣:٥٩",
        "datetime=99999-99-99", "24 May 0000 04:30", "<svg>", "<template>", "<base href='x'>",
        "9999999999999", "31.12.9999 23:59", "<time datetime='9999-12-31T23:59:59-14:00'>",
        "0001-01-01T00:00:00+14:00",
    )
)  # fmt: skip


def split_or_typed(markup: str, *, media: str = "html") -> None:
    page = page_of(markup, STORY, media=media, updated_at=STORY.items[0].at)
    try:
        found = split_page(page, timezone="Europe/London")
    except PageError:
        return
    assert found.entries
    assert all(
        e.published_at is None or e.published_at.utcoffset() == timedelta(0) for e in found.entries
    )


@EASY
@given(st.lists(st.one_of(PIECES, st.text(max_size=20)), max_size=60).map("".join))
def test_random_markup_gives_entries_or_a_typed_error(markup: str) -> None:
    split_or_typed(markup)
    split_or_typed(markup, media="text")


@EASY
@given(st.binary(max_size=400))
def test_random_bytes(raw: bytes) -> None:
    split_or_typed(raw.decode("utf-8", "replace"))
    split_or_typed(raw.decode("latin-1"), media="text")


@EASY
@given(
    st.sampled_from(PAGES),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 200), PIECES), min_size=1, max_size=8),
    st.floats(0.1, 1),
)
def test_mutated_pages(page: str, cuts: list[tuple[float, int, str]], keep: float) -> None:
    for place, length, piece in cuts:
        at = int(place * len(page))
        page = page[:at] + piece + page[at + length :]
    split_or_typed(page[: int(keep * len(page))])


@EASY
@given(st.text(max_size=120))
def test_readers_of_text_never_raise(text: str) -> None:
    read_expression(text)
    read_machine(text)
    read_lead(text)
    read_tail(text)
    names_in(text)
    paragraphs_of(text)
    split_or_typed(f'<script type="application/ld+json">{text}</script>')


@EASY
@given(st.integers(1, 4))
def test_the_same_page_longer_later_keeps_its_ids(missing: int) -> None:
    early = replace(STORY, items=STORY.items[missing:])
    before = split_page(page_of(hashed(early), STORY), timezone=STORY.zone).entries
    after = split_page(page_of(hashed(STORY), STORY), timezone=STORY.zone).entries
    assert {e.entry_id for e in before} <= {e.entry_id for e in after}


@pytest.mark.parametrize(
    "opening",
    [
        "<div>",
        "<b>",
        "<b>1:11 <i>",
        "<div><time>10:05</time>",
        "<blockquote>",
        "<table><tr><td>",
        "<ul><li>12:01 a",
    ],
)
def test_nesting_a_hundred_thousand_deep(opening: str) -> None:
    split_or_typed("<html><body>" + opening * 100_000 + "end of it")


def test_deep_json() -> None:
    deep = '{"@type":"LiveBlogPosting","liveBlogUpdate":' + "[" * 100_000
    split_or_typed(
        f'<script type="application/ld+json">{deep}</script><p>Some words of an article here.</p>'
    )


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity", "-5", "1e300", "9" * 400])
def test_numbers_that_are_no_time(number: str) -> None:
    update = f'{{"headline": "A", "articleBody": "Some words.", "datePublished": {number}}}'
    split_or_typed(
        '<script type="application/ld+json">{"@type": "LiveBlogPosting", '
        f'"datePublished": {number}, "liveBlogUpdate": [{update}]}}</script>'
        f'<script>window.S = {{"posts": [{", ".join([update] * 9)}]}}</script>'
    )


def many(count: int) -> str:
    first = STORY.items[0]
    items = tuple(
        Item(f"Headline {n}", (f"A paragraph with the number {n} in it, and some more words.",), "Ada Quill", first.at - timedelta(minutes=n))
        for n in range(count)
    )  # fmt: skip
    return hashed(replace(STORY, items=items))


def test_cost_grows_linearly_to_ten_thousand_entries() -> None:
    took = {}
    for count in (1_000, 10_000):
        page = page_of(many(count), STORY)
        start = time.process_time()
        assert len(split_page(page, timezone=STORY.zone).entries) == count
        took[count] = time.process_time() - start
    assert took[10_000] < 30 * max(took[1_000], 0.05)


@pytest.mark.parametrize(
    "text",
    [
        "1" * 100_000, "12:" * 30_000, "By " * 30_000, "a " * 50_000, "<p " * 30_000, "&lt;" * 30_000,
        "10:05 " * 30_000, "Jane Doe 24 May " * 10_000, "{" * 50_000, "<h2>" * 10_000,
        "<br>" * 30_000, "\n\n10:05\n\n" * 5_000, "<a href='" * 10_000 + ">", "<p>" + "<i <b>" * 10_000, "+++ " * 20_000, "(" * 50_000,
    ],
    ids=lambda text: repr(text[:12]),
)  # fmt: skip
def test_no_pattern_backtracks(text: str) -> None:
    start = time.process_time()
    split_or_typed(text, media="text")
    split_or_typed(f"<html><body><p>{text}</p></body></html>")
    paragraphs_of(text)
    split_or_typed(f'<script type="application/ld+json">{text}</script>')
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    "unit",
    [
        "<b><p>" * 300 + "12:05 x" + "</p></b>" * 300,
        "<div><time>10:05</time>" * 300 + "words of it" + "</div>" * 300,
        "<ul><li>12:05 said " * 200 + "</ul>" * 200,
        "<p>12:05 <b>a</b>" * 300,
    ],
    ids=lambda text: text[:12],
)
def test_nesting_as_deep_as_allowed_costs_linear_time(unit: str) -> None:
    took = []
    for times in (5, 20):
        start = time.process_time()
        split_or_typed(f"<html><body>{unit * times}")
        took.append(time.process_time() - start)
    assert took[1] < 12 * max(took[0], 0.05)


def test_of_very_many_roles_of_times_the_largest_are_looked_into() -> None:
    """Each role is looked for in all that stands round it: any number would be quadratic."""
    strays = "".join(
        f"<div><x{n % 400}-t>{n // 60 % 24:02}:{n % 60:02}</x{n % 400}-t><p>Boat {n} left.</p></div>"
        for n in range(1_200)
    )
    page = outline(parse_html(f"<html><body>{strays}{many(12)}".encode()))
    marks, _ = find_marks(page)
    of_list = {mark.index for mark in marks if mark.form == "time"}
    found = clusters(page, marks)
    assert len(marks) > 1_200
    assert MAX_CLUSTERS <= len(found) <= 2 * MAX_CLUSTERS
    assert of_list
    assert of_list in [{mark.index for mark in cluster} for cluster in found]
    starts = [cluster[0].index for cluster in found[:MAX_CLUSTERS]]
    assert starts == sorted(starts)
