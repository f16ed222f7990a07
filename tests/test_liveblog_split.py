"""The things that go wrong on live-blog pages, one by one, and pages that are none."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from schemas.errors import SplitError
from tests.test_liveblog_shapes import (
    URL,
    Item,
    esc,
    expected,
    frame,
    got,
    hashed,
    ld,
    page_of,
    paras,
    posting,
    story,
    updates_of,
)
from transforms.liveblog import split_page
from transforms.liveblog.authors import names_in

NAMES = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(markup: str, lang: str, timezone: str | None, **page: object) -> list[str | None]:
    split = split_page(page_of(markup, story(lang), **page), timezone=timezone)  # type: ignore[arg-type]
    assert split.is_live_blog
    return [
        e.published_at.strftime("%Y-%m-%dT%H:%M") if e.published_at else None for e in split.entries
    ]


def sources(markup: str, lang: str, timezone: str | None, **page: object) -> set[str | None]:
    split = split_page(page_of(markup, story(lang), **page), timezone=timezone)  # type: ignore[arg-type]
    return {e.time_source for e in split.entries}


TEXTS = (
    "The bridge has been closed in both directions while engineers look at the northern pier.",
    "Drivers are being sent round by the ring road, which adds forty minutes to most journeys.",
    "The mayor will speak to reporters at the town hall later, her office has just confirmed.",
    "A first convoy of lorries has been turned back at the toll station without any trouble.",
    "Shops on the waterfront have been asked to close early so that staff can get home safely.",
    "Good morning and welcome to our rolling coverage of the closure of the old river bridge.",
)


def clocks_only(clocks: list[str], tag: str = "div") -> str:
    s = story("en")
    return frame(
        s,
        "<div>"
        + "".join(
            f"<{tag}><span>{c}</span><h3>Headline {n} of the day</h3><p>{TEXTS[n % 6]} ({n})</p></{tag}>"
            for n, c in enumerate(clocks)
        )
        + "</div>",
    )


def with_lines(
    below: str = "",
    *,
    above: str = "",
    clock: str = "<span>{c}</span>",
    headline: str = "<h3>Headline {n} of the day</h3>",
) -> str:
    """A page of six entries with the same line in each; {n}, {c}: its number and clock."""
    entries = []
    for n, c in enumerate(["21:40", "20:37", "19:34", "18:31", "17:28", "16:25"]):
        text = f"{clock}{headline}{above}<p>{TEXTS[n]} ({n})</p>{below}"
        entries.append("<article>" + text.replace("{n}", f"{n}").replace("{c}", c) + "</article>")
    return frame(story("en"), f"<div>{''.join(entries)}</div>")


# ---------------------------------------------------------------- times


def test_clocks_roll_over_midnight_going_back_from_the_last_change() -> None:
    markup = clocks_only(["00:41", "00:10", "23:52", "22:15", "18:30", "09:05"])
    assert times(markup, "en", "Europe/London", updated_at=utc("2024-01-11T00:45")) == [
        "2024-01-11T00:41",
        "2024-01-11T00:10",
        "2024-01-10T23:52",
        "2024-01-10T22:15",
        "2024-01-10T18:30",
        "2024-01-10T09:05",
    ]


def test_oldest_first_rolls_forward() -> None:
    markup = clocks_only(["21:05", "22:15", "23:40", "00:20", "01:10"])
    assert times(markup, "en", "Europe/London", updated_at=utc("2024-01-11T01:12")) == [
        "2024-01-10T21:05",
        "2024-01-10T22:15",
        "2024-01-10T23:40",
        "2024-01-11T00:20",
        "2024-01-11T01:10",
    ]


@pytest.mark.parametrize("changed", [None, utc("2024-01-10T10:30")])
def test_entries_after_the_last_change_known_follow_the_first_publication(
    changed: datetime | None,
) -> None:
    """A page that tells only when it was first published, or whose last change is an early one."""
    markup = clocks_only(["00:41", "23:52", "21:40", "16:25", "13:10", "09:05"])
    told = {"published_at": utc("2024-01-10T09:00"), "updated_at": changed}
    settled = times(markup, "en", "Europe/London", **told)
    assert settled[::5] == ["2024-01-11T00:41", "2024-01-10T09:05"]


def test_a_first_publication_that_moves_with_each_change_dates_the_newest_entry() -> None:
    markup = clocks_only(["20:10", "19:31", "16:25", "12:02", "10:40", "08:05"])
    changed = utc("2024-01-10T20:12")
    settled = times(markup, "en", "Europe/London", published_at=changed, updated_at=changed)
    assert settled[::5] == ["2024-01-10T20:10", "2024-01-10T08:05"]


def test_a_pinned_oldest_entry_does_not_roll_the_others_back() -> None:
    markup = clocks_only(["09:05", "18:02", "17:31", "16:20", "15:00"])
    assert times(markup, "en", "Europe/London", updated_at=utc("2024-01-11T18:05")) == [
        "2024-01-11T09:05",
        "2024-01-11T18:02",
        "2024-01-11T17:31",
        "2024-01-11T16:20",
        "2024-01-11T15:00",
    ]


def test_no_date_is_guessed() -> None:
    markup = clocks_only(["18:02", "17:31", "16:20", "15:00", "14:10"])
    assert times(markup, "en", "Europe/London", url="https://news.example/story-live") == [None] * 5
    assert sources(markup, "en", "Europe/London", url="https://news.example/story-live") == {None}


def test_no_zone_is_guessed() -> None:
    markup = clocks_only(["18:02", "17:31", "16:20", "15:00", "14:10"])
    assert times(markup, "en", None, updated_at=utc("2024-01-11T18:05")) == [None] * 5


def test_the_day_in_the_address_dates_bare_clocks() -> None:
    markup = clocks_only(["18:02", "17:31", "16:20", "15:00", "14:10"])
    found = times(markup, "en", "Europe/London", url="https://news.example/live/2024/jan/11/bridge")
    assert found[0] == "2024-01-11T18:02"
    assert found[-1] == "2024-01-11T14:10"


@pytest.mark.parametrize(
    "head",
    [
        "<p>Last updated: 11 January 2024, 18:05</p>",
        '<p>Published <time datetime="2024-01-11T18:05:00Z">today</time></p>',
        "<div><span>Thursday 11 January 2024</span></div>",
    ],
)
def test_the_date_in_the_head_of_the_page_dates_bare_clocks(head: str) -> None:
    markup = clocks_only(["18:02", "17:31", "16:20", "15:00", "14:10"])
    markup = markup.replace('<p class="standfirst">', head + '<p class="standfirst">')
    url = "https://news.example/story-live"
    assert times(markup, "en", "Europe/London", url=url) == [
        f"2024-01-11T{clock}" for clock in ("18:02", "17:31", "16:20", "15:00", "14:10")
    ]


def day_page(headings_after: bool, year: str = "") -> str:
    s = story("de")
    days = (("Donnerstag, 18. Juli", ("11.04", "6.20")), ("Mittwoch, 17. Juli", ("15.32", "2.59")))
    parts = []
    for heading, clocks in days:
        entries = "".join(
            f"<h5>{c} Uhr: Meldung um {c.replace('.', ' ')}</h5><p>{TEXTS[int(c[0]) % 6]}</p>"
            for c in clocks
        )
        title = f"<h2><span>{heading}{year}</span></h2>"
        parts.append(entries + title if headings_after else title + entries)
    return frame(s, "<section>" + "".join(parts) + "</section>")


@pytest.mark.parametrize("headings_after", [False, True])
@pytest.mark.parametrize("year", ["", " 2024"])
def test_day_headings_before_or_after_with_or_without_year(headings_after: bool, year: str) -> None:
    assert times(
        day_page(headings_after, year), "de", "Europe/Zurich", updated_at=utc("2024-07-18T12:00")
    ) == ["2024-07-18T09:04", "2024-07-18T04:20", "2024-07-17T13:32", "2024-07-17T00:59"]


def test_a_missing_year_goes_back_over_new_year() -> None:
    s = story("de")
    markup = frame(
        s,
        "<section><h2>1. Januar</h2><h5>0.20 Uhr: Neujahr</h5><p>" + TEXTS[0] + "</p>"
        "<h2>31. Dezember</h2><h5>23.10 Uhr: Silvester</h5><p>" + TEXTS[1] + "</p>"
        "<h5>21.00 Uhr: Auftakt</h5><p>" + TEXTS[2] + "</p></section>",
    )
    assert times(markup, "de", "Europe/Berlin", updated_at=utc("2025-01-01T00:30")) == [
        "2024-12-31T23:20",
        "2024-12-31T22:10",
        "2024-12-31T20:00",
    ]


def test_utc_clocks_under_a_local_label_are_found_by_the_json_ld() -> None:
    s = story("en")
    markup = hashed(s)
    for i in s.items:
        markup = markup.replace(
            f'<time class="_t" datetime="{i.iso}">{i.hm}</time>',
            f'<time class="_t">{i.at.astimezone(UTC):%H:%M}</time>',
        )
    markup = markup.replace("</head>", ld(posting(s, updates_of(s))) + "</head>")
    assert got(page_of(markup, s), s.zone) == expected(s)
    assert sources(markup, "en", s.zone) == {"json_ld"}


def test_local_time_under_z_is_found_by_a_page_date_with_an_offset() -> None:
    s = story("de")
    updates = updates_of(s)
    for update, i in zip(updates, s.items, strict=True):
        update["datePublished"] = f"{i.at:%Y-%m-%dT%H:%M:%S}Z"
    markup = hashed(s)
    for i in s.items:
        markup = markup.replace(f' datetime="{i.iso}"', "")
    markup = markup.replace("</head>", ld(posting(s, updates)) + "</head>")
    assert got(page_of(markup, s, updated_at=s.items[0].at.astimezone(UTC)), s.zone) == expected(s)


def test_readers_time_beats_the_time_of_the_last_edit() -> None:
    s = story("en")
    markup = hashed(s)
    for n, i in enumerate(s.items):
        edited = i.at + timedelta(minutes=(7, 95, 31, 160, 44, 12)[n])
        markup = markup.replace(f'datetime="{i.iso}"', f'datetime="{edited.isoformat()}"')
    page = page_of(markup, s, updated_at=s.items[0].at.astimezone(UTC) + timedelta(minutes=9))
    assert got(page, s.zone) == expected(s)


def test_published_and_updated_are_kept_apart() -> None:
    s = story("en")
    later = timedelta(minutes=4)
    markup = frame(
        s,
        "<div>"
        + "".join(
            f'<article id="b{i.key}"><header><time datetime="{i.iso}">{i.hm}</time></header><h2>{esc(i.headline)}</h2>'
            f'{paras(i)}<footer><time datetime="{(i.at + later).isoformat()}">Updated at {i.at + later:%H:%M} BST</time>'
            "</footer></article>"
            for i in s.items
        )
        + "</div>",
    )
    entries = split_page(page_of(markup, s), timezone=s.zone).entries
    assert [e.published_at for e in entries] == [i.at.astimezone(UTC) for i in s.items]
    assert [e.updated_at for e in entries] == [(i.at + later).astimezone(UTC) for i in s.items]


def test_relative_times_are_used_only_where_nothing_else_is() -> None:
    markup = clocks_only(["4m ago", "25m ago", "1h ago", "3 hours ago"])
    split = split_page(page_of(markup, story("en")), timezone="Europe/London")
    assert {e.time_source for e in split.entries} == {"fetch"}
    assert split.entries[1].published_at == split.page.fetched_at - timedelta(minutes=25)
    s = story("en")
    stale = hashed(s)
    for i in s.items:
        stale = stale.replace(f">{i.hm}</time>", ">4m ago</time>")
    assert got(page_of(stale, s), s.zone) == expected(s)


def test_seconds_and_milliseconds_side_by_side() -> None:
    s = story("en")
    markup = frame(
        s,
        "<div>"
        + "".join(
            f'<div class="post" id="k{i.key}" data-created="{i.epoch_s * (1000 if n % 2 else 1)}">'
            f"<h2>{esc(i.headline)}</h2>{paras(i)}<p>By {esc(i.author)}</p></div>"
            for n, i in enumerate(s.items)
        )
        + "</div>",
        ld(posting(s, None)),
    )
    assert got(page_of(markup, s), s.zone) == expected(s)


@pytest.mark.parametrize(
    ("shown", "clock"),
    [
        ("12:09 a.m. ET", "04:09"),
        ("Posted at 5:09 AM BST", "04:09"),
        ("09:39 (IST)", "04:09"),
        ("2h ago (04:09 GMT)", "04:09"),
        ("published at 5:09 British Summer Time", "04:09"),
        ("0409 GMT", "04:09"),
        ("6:09 Uhr MESZ", "04:09"),
        ("04:09 UTC", "04:09"),
    ],
)
def test_zones_that_clocks_name(shown: str, clock: str) -> None:
    markup = clocks_only([shown, shown.replace("09 ", "03 "), shown.replace("09 ", "01 ")])
    assert times(markup, "en", None, updated_at=utc("2024-06-11T04:15"))[0] == f"2024-06-11T{clock}"


# ---------------------------------------------------------------- entries


def test_entries_that_only_json_ld_has_are_kept() -> None:
    s = story("en")
    shown = story("en")
    markup = hashed(type(shown)(shown.lang, shown.title, shown.zone, shown.items[:3]))
    markup = markup.replace("</head>", ld(posting(s, updates_of(s))) + "</head>")
    split = split_page(page_of(markup, s), timezone=s.zone)
    assert [e.split_by for e in split.entries] == ["dom+json_ld"] * 3 + ["json_ld"] * 3
    assert got(page_of(markup, s), s.zone) == expected(s)


def test_json_ld_that_holds_only_the_newest_entries() -> None:
    s = story("en")
    first = s.items[0]
    items = tuple(
        replace(first, headline=f"Update number {n}", paragraphs=(f"{n}: {TEXTS[n % 6]}", TEXTS[n % 5]), at=first.at - timedelta(minutes=7 * n))
        for n in range(24)
    )  # fmt: skip
    long = replace(s, items=items)
    newest = updates_of(replace(s, items=items[:3]))
    markup = hashed(long).replace("</head>", ld(posting(long, newest)) + "</head>")
    assert got(page_of(markup, s), s.zone) == expected(long)


def test_another_list_than_the_declared_one_is_left_alone() -> None:
    s, other = story("en"), story("fr")
    markup = hashed(other).replace("</head>", ld(posting(s, updates_of(s))) + "</head>")
    assert got(page_of(markup, s), s.zone) == expected(s)


def test_one_update_as_a_dict_and_none_at_all() -> None:
    s = story("en")
    one = frame(s, "", ld(posting(s, updates_of(s)[0])))
    assert got(page_of(one, s), s.zone) == expected(s)[:1]


def test_a_cut_off_list_of_updates_gives_the_whole_ones() -> None:
    s = story("en")
    text = json.dumps(posting(s, updates_of(s)))
    cut = text[: text.index("Terminal evacuated") + 40]
    markup = frame(s, "", f'<script type="application/ld+json">{cut}</script>')
    assert got(page_of(markup, s), s.zone) == expected(s)[:4]


def test_a_page_cut_off_gives_what_is_whole() -> None:
    s = story("en")
    markup = hashed(s)
    cut = markup[: markup.index(esc(s.items[4].headline)) - 60]
    assert got(page_of(cut, s), s.zone)[:4] == expected(s)[:4]


def test_no_headlines_stay_no_headlines() -> None:
    s = story("en")
    markup = hashed(s)
    for i in s.items:
        markup = markup.replace(f'<h3 class="_h">{esc(i.headline)}</h3>', "")
    assert got(page_of(markup, s), s.zone) == expected(s, headline=False)


def test_some_headlines_missing_and_repeated() -> None:
    s = story("en")
    markup = hashed(s)
    for n, i in enumerate(s.items):
        title = "" if n % 2 else '<h3 class="_h">In brief</h3>'
        markup = markup.replace(f'<h3 class="_h">{esc(i.headline)}</h3>', title)
    want = [
        ("In brief" if n % 2 == 0 else None, body, authors, at)
        for n, (_, body, authors, at) in enumerate(expected(s))
    ]
    assert got(page_of(markup, s), s.zone) == want


def test_badges_and_clocks_before_headlines() -> None:
    s = story("en")
    markup = hashed(s)
    for i in s.items:
        markup = markup.replace(
            f'<h3 class="_h">{esc(i.headline)}',
            f'<h3 class="_h"><span>Breaking</span>{esc(i.headline)}',
        )
    assert got(page_of(markup, s), s.zone) == expected(s)


def test_key_events_are_flagged_and_their_label_is_no_author() -> None:
    s = story("en")
    markup = (
        hashed(s)
        .replace(f'<span class="_w">{esc(s.items[1].author)}</span><', "<mark>KEY EVENT</mark><")
        .replace(f'<span class="_w">{esc(s.items[1].author)}</span>', "<mark>KEY EVENT</mark>", 1)
    )
    split = split_page(page_of(markup, s), timezone=s.zone)
    flagged = [n for n, e in enumerate(split.entries) if e.is_key_event]
    assert flagged
    assert all(split.entries[n].authors == () for n in flagged)


def test_equal_times_and_equal_texts_apart() -> None:
    s = story("en")
    first = s.items[0]
    same = [type(first)(i.headline, i.paragraphs, i.author, first.at) for i in s.items]
    markup = hashed(type(s)(s.lang, s.title, s.zone, tuple(same)))
    split = split_page(page_of(markup, s), timezone=s.zone)
    assert [e.headline for e in split.entries] == [i.headline for i in same]


def test_a_link_that_all_entries_share_is_no_permalink_and_drops_none() -> None:
    s = story("en")
    markup = frame(
        s,
        "<div>"
        + "".join(
            f"<div><time>{i.hm}</time><h2>{esc(i.headline)}</h2>{paras(i)}"
            '<a href="#menu">Return to menu</a></div>'
            for i in s.items
        )
        + "</div>",
    )
    split = split_page(page_of(markup, s), timezone=s.zone)
    assert [e.headline for e in split.entries] == [i.headline for i in s.items]
    assert {e.entry_url for e in split.entries} == {None}


def test_two_films_in_a_list_are_no_list_that_swallows_it() -> None:
    s = story("en")
    film = "<div><div><img src='/f.jpg'></div><div>01:27</div></div>"
    articles = [
        f"<article><p><span>{i.hm}</span></p><h2>{esc(i.headline)}</h2>{paras(i)}</article>"
        for i in s.items
    ]
    markup = frame(
        s,
        f"<div><div>{film}<p>{TEXTS[0]}</p></div><div><div>"
        + "".join(articles[:2])
        + f"<div>{film}</div>"
        + "".join(articles[2:])
        + "</div></div></div>",
    )
    split = split_page(page_of(markup, s), timezone=s.zone)
    assert [e.headline for e in split.entries] == [i.headline for i in s.items]


def test_what_a_template_puts_into_every_entry_is_none_of_it() -> None:
    s = story("en")
    prompt = "You will be told by letter when this author writes again"
    markup = frame(
        s,
        "<div>"
        + "".join(
            f"<div><time>{i.hm}</time><h2>{esc(i.headline)}</h2><div>{prompt}</div>{paras(i)}</div>"
            for i in s.items
        )
        + "</div>",
    )
    bodies = [e.body for e in split_page(page_of(markup, s), timezone=s.zone).entries]
    assert bodies == ["\n\n".join(i.paragraphs) for i in s.items]


BUTTONS = {
    "two links to nowhere": '<div><a href="#">Partilhar</a> <a href="#">Guardar Notícia</a></div>',
    "one link to nowhere": '<div><a href="javascript:void(0)">Zeigen Merken</a></div>',
    "links elsewhere in each entry": '<p><a href="/vote?entry={n}">Jetzt Abstimmen</a></p>',
    "words without links": "<div><span>Partilhar</span> <span>Comentar</span></div>",
}


@pytest.mark.parametrize("kind", BUTTONS)
def test_buttons_below_each_entry_are_neither_its_author_nor_its_text(kind: str) -> None:
    split = split_page(page_of(with_lines(BUTTONS[kind]), story("en")), timezone="Europe/London")
    assert [e.authors for e in split.entries] == [()] * 6
    assert [e.body for e in split.entries] == [f"{TEXTS[n]} ({n})" for n in range(6)]


@pytest.mark.parametrize(
    "line",
    [
        '<div>By <a href="#">Orla Tennick</a></div>',
        '<div><a href="#" rel="author">Orla Tennick</a></div>',
        '<div><a href="/staff-pages/tennick">Orla Tennick</a></div>',
    ],
)
def test_who_wrote_all_entries_is_no_button(line: str) -> None:
    split = split_page(page_of(with_lines(line), story("en")), timezone="Europe/London")
    assert [e.authors for e in split.entries] == [("Orla Tennick",)] * 6


@pytest.mark.parametrize(
    ("line", "author"),
    [
        ("By Orla Tennick | {c}", "Orla Tennick"),
        ("Orla Tennick, {c}", "Orla Tennick"),
        ("Publié par Orla Tennick à {c}", "Orla Tennick"),
        ("Veröffentlicht von Orla Tennick um {c} Uhr", "Orla Tennick"),
        ("Politics | {c}", None),
        ("Weather and Traffic ({c} BST)", None),
    ],
)
def test_a_clock_that_closes_the_line_above_the_text(line: str, author: str | None) -> None:
    markup = with_lines(above=f"<div>{line}</div>", clock="")
    split = split_page(page_of(markup, story("en")), timezone="Europe/London")
    assert [e.authors for e in split.entries] == [(author,) if author else ()] * 6
    assert [e.body for e in split.entries] == [f"{TEXTS[n]} ({n})" for n in range(6)]


@pytest.mark.parametrize("tag", ["h3", "p"])
@pytest.mark.parametrize(
    "line", ["+++ Headline {n} of the day ({c} Uhr) +++", "Headline {n} of the day | {c}"]
)
def test_a_clock_that_closes_the_headline(line: str, tag: str) -> None:
    markup = with_lines(clock="", headline=f"<{tag}><b>{line}</b></{tag}>")
    split = split_page(page_of(markup, story("en")), timezone="Europe/London")
    assert [e.headline for e in split.entries] == [f"Headline {n} of the day" for n in range(6)]
    assert [e.body for e in split.entries] == [f"{TEXTS[n]} ({n})" for n in range(6)]


@pytest.mark.parametrize(
    ("clock", "headline"),
    [
        ("", "<b>{c}: Headline {n} of the day</b>"),
        ("", "<strong>{c} Uhr – Headline {n} of the day</strong>"),
        ("<div>Aktualisiert um {c} Uhr</div>", "<h3>Headline {n} of the day</h3>"),
        ("<div>Updated {c}</div>", "<h3>Headline {n} of the day</h3>"),
        ("<span>Il est {c}</span>", "<h3>Headline {n} of the day</h3>"),
        ("<span>{c} horas</span>", "<h3>Headline {n} of the day</h3>"),
    ],
)
def test_what_tells_the_time_of_an_entry(clock: str, headline: str) -> None:
    markup = with_lines(clock=clock, headline=headline)
    changed = {"updated_at": utc("2024-01-10T21:45")}
    assert times(markup, "en", "Europe/London", **changed)[::5] == [
        "2024-01-10T21:40",
        "2024-01-10T16:25",
    ]
    split = split_page(page_of(markup, story("en")), timezone="Europe/London")
    assert [e.headline for e in split.entries] == [f"Headline {n} of the day" for n in range(6)]
    assert [e.body for e in split.entries] == [f"{TEXTS[n]} ({n})" for n in range(6)]


@pytest.mark.parametrize("behind", ["Jornalista", "Editora de Ambiente", "Lisboa", "Vicedirettore"])
def test_a_post_or_place_in_an_element_behind_the_name_is_none_of_it(behind: str) -> None:
    line = f"<strong>Orla Tennick</strong> <small>{behind}</small>"
    for markup in (
        with_lines(above=f"<div>{line}</div>"),
        with_lines(clock=f"<header><q-time>{{c}} · 10 Jan</q-time><q-by>{line}</q-by></header>"),
    ):
        split = split_page(page_of(markup, story("en")), timezone="Europe/London")
        assert [e.authors for e in split.entries] == [("Orla Tennick",)] * 6
        assert [e.body for e in split.entries] == [f"{TEXTS[n]} ({n})" for n in range(6)]


@pytest.mark.parametrize(
    "foot",
    [
        "<p><em>Orla Tennick, avec AFP</em></p>",
        "<p>Orla Tennick / EFE</p>",
        "<p><i>Orla Tennick, dpa</i></p>",
    ],
)
def test_an_agency_beside_the_name_at_the_end_hides_nobody(foot: str) -> None:
    split = split_page(page_of(with_lines(foot), story("en")), timezone="Europe/London")
    assert [e.authors for e in split.entries] == [("Orla Tennick",)] * 6
    assert [e.body for e in split.entries] == [f"{TEXTS[n]} ({n})" for n in range(6)]


@pytest.mark.parametrize("signed", ["Orla Tennick/dpa", "Orla Tennick, dpa", "dpa/Orla Tennick"])
def test_an_agency_beside_the_name_in_brackets(signed: str) -> None:
    markup = with_lines().replace("</p>", f" Well. ({signed})</p>")
    split = split_page(page_of(markup, story("en")), timezone="Europe/London")
    assert [e.authors for e in split.entries] == [("Orla Tennick",)] * 6
    assert [e.body for e in split.entries] == [f"{TEXTS[n]} ({n}) Well." for n in range(6)]


@pytest.mark.parametrize(
    "label", ["Te puede interesar", "Mehr dazu", "Saiba mais", "Sur le même sujet", "Read also"]
)
def test_a_line_that_only_leads_to_another_story_is_none_of_the_entry(label: str) -> None:
    line = f'<p><strong>{label}: <a href="/a-{{n}}.html">The long way round in four maps</a></strong></p>'
    split = split_page(page_of(with_lines(line), story("en")), timezone="Europe/London")
    assert [e.body for e in split.entries] == [f"{TEXTS[n]} ({n})" for n in range(6)]


@pytest.mark.parametrize(
    ("now", "hour"),
    [
        ("just now", "an hour ago"),
        ("gerade eben", "vor einer Stunde"),
        ("à l’instant", "il y a une heure"),
        ("ahora mismo", "hace una hora"),
        ("zojuist", "een uur geleden"),
        ("przed chwilą", "godzinę temu"),
    ],
)
def test_distances_without_a_figure(now: str, hour: str) -> None:
    said = [now, "4 min ago", "51 min ago", hour, hour, "2 hours ago"]
    told = times(clocks_only(said), "en", None)
    assert told == [
        f"2024-12-24T{c}" for c in ("12:00", "11:56", "11:09", "11:00", "11:00", "10:00")
    ]


HALVES = ["9:40 p.m.", "8:37 p.m.", "7:34 p.m.", "6:31 p.m.", "5:28 p.m.", "4:25 p.m."]


@pytest.mark.parametrize(
    ("clock", "headline"),
    [
        ("<div>{t}<!-- --> <!-- -->{half} GMT</div>", "<h3>{h}</h3>"),
        ("<div><span>{t}</span> <small>{half}</small></div>", "<h3>{h}</h3>"),
        ("", "<h2>{t}<!-- --> {half}: {h}</h2>"),
        ("", "<h2>{h} ({t} {HALF} GMT)</h2>"),
        ("", "<h2>Jan 10, {t} {half} GMT - {h}</h2>"),
        ("", "<h2>{t} {half} GMT, Jan 10, 2024 - {h}</h2>"),
        ("<div>Published {t} {half} GMT | Updated 11:55 {half} GMT</div>", "<h3>{h}</h3>"),
        (
            "<div>First published {t} {half} GMT. Last updated 11:55 {half} GMT</div>",
            "<h3>{h}</h3>",
        ),
        ("<div>{t} {half}</div>", "<h3><button aria-expanded=true>{h}</button></h3>"),
        ("<div>{t} {half}</div>", '<h2 class="wide">{h}</h2><h2 class="narrow">{h}</h2>'),
    ],
)
def test_clocks_with_their_half_of_the_day(clock: str, headline: str) -> None:
    rows = []
    for n, said in enumerate(HALVES):
        t, half = said.split()
        words = {"t": t, "half": half, "HALF": "PM", "h": f"Headline {n} of the day"}
        head = f"{clock}{headline}".format(**words)
        rows.append(f"<article>{head}<p>{TEXTS[n]} ({n})</p></article>")
    markup = frame(story("en"), f"<div>{''.join(rows)}</div>")
    told = times(markup, "en", "Europe/London", updated_at=utc("2024-01-10T23:58"))
    assert told[::5] == ["2024-01-10T21:40", "2024-01-10T16:25"]
    split = split_page(page_of(markup, story("en")), timezone="Europe/London")
    assert [e.headline for e in split.entries] == [f"Headline {n} of the day" for n in range(6)]
    assert [e.body for e in split.entries] == [f"{TEXTS[n]} ({n})" for n in range(6)]


@pytest.mark.parametrize("headline", ["Um 12.30 Uhr tagt der Rat", "Erste Zahlen um 21.40 Uhr"])
def test_a_clock_of_its_own_stays_in_the_headline(headline: str) -> None:
    markup = with_lines(headline=f"<h3>{headline}</h3>")
    split = split_page(page_of(markup, story("en")), timezone="Europe/London")
    assert split.entries[0].headline == headline


@pytest.mark.parametrize(
    ("line", "authors"),
    [
        ("Analysis from Lantern's Orla Tennick", ("Orla Tennick",)),
        ("Orla Tennick, Wahlredaktion", ("Orla Tennick",)),
        ("Political editor Orla Tennick", ("Orla Tennick",)),
        ("Mit Informationen von Orla Tennick", ("Orla Tennick",)),
    ],
)
def test_more_ways_to_say_who_wrote(line: str, authors: tuple[str, ...]) -> None:
    markup = with_lines(above=f'<p class="byline">{line}</p>')
    split = split_page(page_of(markup, story("en")), timezone="Europe/London")
    assert [e.authors for e in split.entries] == [authors] * 6
    assert [e.body for e in split.entries] == [f"{TEXTS[n]} ({n})" for n in range(6)]


def test_names_with_posts_joined_behind_a_comma() -> None:
    line = "By Orla Tennick, Political Editor, and Bram Solt, Home Affairs Correspondent"
    assert names_in(line) == ("Orla Tennick", "Bram Solt")


def test_bold_words_behind_the_clock_are_a_headline_also_where_they_might_be_a_name() -> None:
    markup = with_lines(clock="", headline="<p><strong>{c} Uhr: Guten Morgen</strong></p>")
    split = split_page(page_of(markup, story("de")), timezone="Europe/Berlin")
    assert {(e.headline, e.authors) for e in split.entries} == {("Guten Morgen", ())}


def test_an_entry_that_tells_only_when_it_was_updated_moves_no_other_to_another_day() -> None:
    said = ["21:40", "20:37", "19:34", "Updated 23:31", "17:28", "16:25"]
    told = times(clocks_only(said), "en", "Europe/London", updated_at=utc("2024-01-10T23:35"))
    assert told == [
        f"2024-01-10T{c}" for c in ("21:40", "20:37", "19:34", "23:31", "17:28", "16:25")
    ]


@pytest.mark.parametrize("marked", ['role="heading" aria-level="3"', 'itemprop="headline"'])
def test_what_markup_calls_a_headline_is_one(marked: str) -> None:
    markup = with_lines(headline=f"<div {marked}>Guten Morgen</div>")
    split = split_page(page_of(markup, story("de")), timezone="Europe/Berlin")
    assert {(e.headline, e.authors) for e in split.entries} == {("Guten Morgen", ())}


@pytest.mark.parametrize("has_url", [True, False])
def test_declared_entries_without_a_text_are_joined_by_their_minute(has_url: bool) -> None:
    s = story("en")
    clocks = ["21:40", "20:37", "19:34", "18:31", "17:28", "16:25"]
    updates = [
        {"@type": "BlogPosting", "headline": f"Words for machines {n}",
         "datePublished": f"2024-01-10T{clock}:07Z"} | ({"url": f"{URL}#p{n}"} if has_url else {})
        for n, clock in enumerate(clocks)
    ]  # fmt: skip
    rows = "".join(
        f'<article id="p{n}"><span>{c}</span><p>{TEXTS[n]}</p></article>'
        for n, c in enumerate(clocks)
    )
    markup = frame(s, f"<div>{rows}</div>", ld(posting(s, updates)))
    split = split_page(page_of(markup, s), timezone="Europe/London")
    assert [e.body for e in split.entries] == list(TEXTS)
    assert [e.published_at for e in split.entries] == [
        utc(f"2024-01-10T{clock}:07") for clock in clocks
    ]


def test_a_form_among_the_entries_is_none() -> None:
    form = "<article><h3>Our letter</h3><p>All that happened, each morning.</p><form><input></form></article>"
    markup = with_lines().replace("<article>", f"{form}<article>", 3).replace(form, "", 1)
    assert markup.count("<form>") == 2
    split = split_page(page_of(markup, story("en")), timezone="Europe/London")
    assert len(split.entries) == 6


def test_a_paragraph_that_ends_with_the_clock_of_its_entry_is_left_alone() -> None:
    markup = with_lines("<p>Die Brücke schließt um {c} Uhr</p>")
    split = split_page(page_of(markup, story("de")), timezone="Europe/Berlin")
    assert [e.body.split("\n\n")[1] for e in split.entries][::5] == [
        "Die Brücke schließt um 21:40 Uhr",
        "Die Brücke schließt um 16:25 Uhr",
    ]


@pytest.mark.parametrize("byline", ["", "<p>By Orla Tennick</p>"])
def test_a_head_that_stands_there_twice_is_one(byline: str) -> None:
    head = f"<span>{{c}}</span><h3>Headline {{n}} of the day</h3>{byline}"
    twice = f"<div class=narrow>{head}</div><div class=wide>{head}</div>"
    split = split_page(page_of(with_lines(clock=twice, headline=""), story("en")), timezone="UTC")
    assert [e.headline for e in split.entries] == [f"Headline {n} of the day" for n in range(6)]
    assert [e.body for e in split.entries] == [f"{TEXTS[n]} ({n})" for n in range(6)]
    assert {e.authors for e in split.entries} == {("Orla Tennick",) if byline else ()}


def test_a_portrait_with_name_and_post_below_the_text() -> None:
    foot = "<div><img src=/f.png><div>Orla Tennick</div><div>Health Correspondent</div></div>"
    split = split_page(page_of(with_lines(foot), story("en")), timezone="Europe/London")
    assert [e.authors for e in split.entries] == [("Orla Tennick",)] * 6
    assert [e.body for e in split.entries] == [f"{TEXTS[n]} ({n})" for n in range(6)]


def test_a_line_that_leads_to_its_own_entry_is_its_headline() -> None:
    markup = with_lines(
        headline='<div class="t"><a href="#p{n}">Headline {n} of the day</a></div>',
        above="<div><img src=/f{n}.png><b>Orla Tennick</b><small>Lisboa</small></div>",
    )
    split = split_page(page_of(markup, story("en")), timezone="Europe/London")
    assert [e.headline for e in split.entries] == [f"Headline {n} of the day" for n in range(6)]
    assert [e.authors for e in split.entries] == [("Orla Tennick",)] * 6
    assert [e.body for e in split.entries] == [f"{TEXTS[n]} ({n})" for n in range(6)]


def test_entries_of_a_live_page_that_readers_may_reply_to() -> None:
    markup = with_lines('<div><a href="#r{n}">Reply</a></div>')
    assert len(split_page(page_of(markup, story("en")), timezone="Europe/London").entries) == 6


def test_a_short_text_that_is_all_of_its_entry_may_stand_twice() -> None:
    s = story("en")
    texts = ["Corner for the visitors again."] * 3 + ["They score from it, and lead at last."] * 3
    texts.append("The whistle goes, and that is that.")
    markup = frame(
        s,
        "<div>"
        + "".join(
            f'<article id="u{n}7"><time>1{n}:15</time><p>{text}</p></article>'
            for n, text in reversed(list(enumerate(texts)))
        )
        + "</div>",
    )
    split = split_page(page_of(markup, s), timezone=s.zone)
    assert [e.body for e in split.entries] == texts[::-1]


def test_a_kicker_above_the_headline_is_none_of_it() -> None:
    s = story("en")
    for kicker, heading in (("<h4>Ferry</h4>", "h3"), ("<span>Ferry</span>", "h3")):
        markup = frame(
            s,
            "<ul>"
            + "".join(
                f"<li><time>{i.hm}</time>{kicker}<{heading}>{esc(i.headline)}</{heading}>{paras(i)}</li>"
                for i in s.items
            )
            + "</ul>",
        )
        split = split_page(page_of(markup, s), timezone=s.zone)
        assert [(e.headline, e.body) for e in split.entries] == [
            (i.headline, "\n\n".join(i.paragraphs)) for i in s.items
        ]


@pytest.mark.parametrize("bold", [1, 6])
def test_bold_sentences_are_headlines_where_most_entries_open_with_one(bold: int) -> None:
    s = story("en")
    rows = [
        f"<li><div>1{n}.05 h</div><div><p>"
        + (f"<strong>Part {n + 1} is known.</strong> " if n < bold else "")
        + f"{text}</p></div></li>"
        for n, text in enumerate(TEXTS)
    ]
    split = split_page(page_of(frame(s, f"<ul>{''.join(rows)}</ul>"), s), timezone=s.zone)
    found = [(e.headline, e.body) for e in split.entries]
    if bold == 1:
        assert found[0] == (None, f"Part 1 is known. {TEXTS[0]}")
    else:
        assert found == [(f"Part {n + 1} is known", text) for n, text in enumerate(TEXTS)]


def test_a_heading_over_a_line_that_opens_with_its_clock_belongs_to_it() -> None:
    s = story("de")
    parts = [f"<p><strong>1{5 - n}.05 Uhr:</strong> {text}</p>" for n, text in enumerate(TEXTS)]
    parts[2] = f"<h2>Die Lage am Mittag</h2>{parts[2]}"
    split = split_page(page_of(frame(s, "".join(parts)), s), timezone=s.zone)
    assert [e.headline for e in split.entries] == [
        None,
        None,
        "Die Lage am Mittag",
        None,
        None,
        None,
    ]


def test_a_signed_paragraph_keeps_its_clock_and_headline_off() -> None:
    s = story("de")
    rows = "".join(
        f"<p><strong>1{5 - n}.05 Uhr: Teil {n}</strong><br>{text} <em>Jana Wrede</em></p>"
        for n, text in enumerate(TEXTS)
    )
    split = split_page(page_of(frame(s, rows), s), timezone=s.zone)
    assert [(e.headline, e.body, e.authors) for e in split.entries] == [
        (f"Teil {n}", text, ("Jana Wrede",)) for n, text in enumerate(TEXTS)
    ]


def test_clocks_alone_and_clocks_with_headlines_are_one_flat_list() -> None:
    s = story("it")
    leads = [
        "<h2><strong>Martedì 15 ottobre, ore 00.35 – La prima</strong></h2>",
        "<p><strong>Ore 23.50</strong></p>",
        "<h2><strong>Lunedì 14 ottobre, ore 22.10 – La terza</strong></h2>",
        "<h2>Ore 21.40 – Il ponte resta chiuso</h2>",
        "<p><strong>Ore 20.15:</strong> Si apre la diga, come era stato annunciato ieri dal prefetto.</p>",
        "<h2>Ore 19.05 – La sesta</h2>",
    ]
    rows = "".join(f"{lead}<p>{text}</p>" for lead, text in zip(leads, TEXTS, strict=True))
    page = page_of(frame(s, rows), s, updated_at=utc("2024-10-14T23:00"))
    split = split_page(page, timezone="Europe/Rome")
    assert [(e.published_at, e.headline) for e in split.entries] == [
        (utc("2024-10-14T22:35"), "La prima"),
        (utc("2024-10-14T21:50"), None),
        (utc("2024-10-14T20:10"), "La terza"),
        (utc("2024-10-14T19:40"), "Il ponte resta chiuso"),
        (utc("2024-10-14T18:15"), None),
        (utc("2024-10-14T17:05"), "La sesta"),
    ]


def test_the_date_of_a_card_among_clocks_dates_none_of_them() -> None:
    s = story("en")
    rows = [f"<li><span>1{n}:05</span><p>{text}</p></li>" for n, text in enumerate(TEXTS)]
    card = "Portrait of the engineer who once built it."
    rows.insert(1, f"<li><span>12 April 2024, 06:00</span><p>{card}</p></li>")
    page = page_of(
        frame(s, f"<ul>{''.join(reversed(rows))}</ul>"), s, updated_at=utc("2024-06-17T15:30")
    )
    split = split_page(page, timezone="UTC")
    assert [e.published_at for e in split.entries if e.body != card] == [
        utc(f"2024-06-17T1{n}:05") for n in reversed(range(6))
    ]


def test_what_the_page_tells_by_distance_its_script_may_tell_in_full() -> None:
    s = story("en")
    moments = [f"2024-06-17T1{n}:22:39Z" for n in range(6)]
    state = [
        {"id": f"k{n}77", "headline": f"Point {n}", "published": moment, "blocks": [{"text": text}]}
        for n, (moment, text) in enumerate(zip(moments, TEXTS, strict=True))
    ]
    state.append(
        {"id": "x1", "headline": "Elsewhere", "published": moments[0], "blocks": [{"text": "No."}]}
    )
    rows = "".join(
        f'<section id="k{n}77"><span>{9 - n} hours ago</span><h2>Point {n}</h2><p>{text}</p></section>'
        for n, text in enumerate(TEXTS)
    )
    script = f'<script type="application/json">{json.dumps({"posts": state})}</script>'
    split = split_page(page_of(frame(s, f"<div>{rows}</div>{script}"), s), timezone=s.zone)
    assert [(e.headline, e.published_at) for e in split.entries] == [
        (f"Point {n}", datetime.fromisoformat(moment)) for n, moment in enumerate(moments)
    ]


def test_headlines_that_lead_to_pages_of_their_own_head_entries_of_a_live_page() -> None:
    s = story("en")
    for words, is_live in ((" ".join(TEXTS[:4]), True), (TEXTS[0], False)):
        rows = "".join(
            f'<section><time>1{5 - n}:05</time><h2><a href="/2024/06/17/c{n}">Point {n} of the day</a></h2>'
            f"<p>{words} {n}</p></section>"
            for n in range(6)
        )
        page = page_of(frame(s, f"<div>{rows}</div>"), s)
        assert split_page(page, timezone=s.zone).is_live_blog is is_live


def test_local_clocks_under_a_z_are_found_by_the_start_of_the_page() -> None:
    s = story("en")
    first = datetime(2024, 6, 17, 21, 49, tzinfo=ZoneInfo("America/New_York"))
    items = [
        Item(f"Point {n}", (text,), None, first + timedelta(minutes=70 * n))
        for n, text in enumerate(TEXTS)
    ][::-1]
    updates = [
        {
            "@type": "BlogPosting",
            "headline": i.headline,
            "articleBody": i.paragraphs[0],
            "datePublished": f"{i.at:%Y-%m-%dT%H:%M:%S}Z",
        }
        for i in items
    ]
    declared = {
        "@type": "LiveBlogPosting",
        "datePublished": first.astimezone(UTC).isoformat(),
        "dateModified": items[0].at.astimezone(UTC).isoformat(),
        "liveBlogUpdate": updates,
    }
    rows = "".join(
        f"<article><span>{i.hm}</span><h2>{i.headline}</h2>{paras(i)}</article>" for i in items
    )
    page = page_of(
        frame(s, ld(declared) + f"<div>{rows}</div>"),
        s,
        published_at=first.astimezone(UTC),
        updated_at=items[0].at.astimezone(UTC),
    )
    split = split_page(page, timezone="America/New_York")
    assert [e.published_at for e in split.entries] == [i.at.astimezone(UTC) for i in items]


def test_quotes_lists_links_and_images() -> None:
    s = story("en")
    markup = frame(
        s,
        "<div>"
        + "".join(
            f'<article id="a{i.key}"><time datetime="{i.iso}">{i.hm}</time><h2>{esc(i.headline)}</h2>'
            '<p>She said <a href="/named">on Tuesday</a>:</p><blockquote><p>'
            f"We did not see {i.key} coming.</p></blockquote>"
            f"<ul><li>First point of {i.key}</li><li>Second point of {i.key}</li></ul>"
            f'<figure><img src="/i/{i.key}.jpg"><figcaption>Caption words</figcaption></figure>'
            f'<iframe src="https://video.example/{i.key}"></iframe></article>'
            for i in s.items
        )
        + "</div>",
    )
    entry = split_page(page_of(markup, s), timezone=s.zone).entries[0]
    key = s.items[0].key
    assert entry.body.split("\n\n") == [
        "She said on Tuesday:",
        f"We did not see {key} coming.",
        f"First point of {key}",
        f"Second point of {key}",
    ]
    assert entry.links == ("https://news.example/named", f"https://video.example/{s.items[0].key}")
    assert entry.images == (f"https://news.example/i/{s.items[0].key}.jpg",)
    assert entry.entry_url == f"{URL}#a{s.items[0].key}"


def test_right_to_left_text() -> None:
    s = story("en")
    texts = (
        "أُغلق الجسر أمام حركة المرور في الاتجاهين صباح اليوم",
        "قال رئيس البلدية إن العمل سيستمر طوال الليل",
        "بدأت فرق الإنقاذ بالوصول إلى المكان قبل الظهر",
    )
    markup = frame(
        s,
        "<div>"
        + "".join(
            f'<div dir="rtl"><time datetime="{i.iso}">{i.hm}</time><p>{t}</p></div>'
            for i, t in zip(s.items, texts, strict=False)
        )
        + "</div>",
    )
    assert [e.body for e in split_page(page_of(markup, s), timezone=s.zone).entries] == list(texts)


def test_minute_by_minute_commentary() -> None:
    s = story("en")
    minutes = ("90+3'", "78'", "61'", "45'", "12'", "1'")
    markup = frame(
        s,
        "<ul>"
        + "".join(
            f"<li><span>{m}</span><p>{t}</p></li>" for m, t in zip(minutes, TEXTS, strict=True)
        )
        + "</ul>",
    )
    split = split_page(page_of(markup, s, title="Rovers v Wanderers live"), timezone=s.zone)
    assert [e.body for e in split.entries] == list(TEXTS)
    assert {e.published_at for e in split.entries} == {None}


def test_embedded_state_where_nothing_else_is_there() -> None:
    s = story("en")
    posts = [
        {
            "id": f"p{i.key}",
            "title": i.headline,
            "publishedAt": i.iso,
            "body": paras(i),
            "author": {"name": i.author},
        }
        for i in s.items
    ]
    state = {"props": {"pageProps": {"liveblog": {"posts": posts}, "again": {"copy": posts}}}}
    markup = frame(
        s,
        '<div id="__next"></div>',
        f'<script id="__NEXT_DATA__" type="application/json">{json.dumps(state)}</script>',
    )
    assert got(page_of(markup, s), s.zone) == expected(s)


def test_bylines_of_many_kinds() -> None:
    s = story("en")
    bylines = (
        ("From Meridian's Ada Quill and Tom Reddick", ("Ada Quill", "Tom Reddick")),
        ("By ADA QUILL", ("Ada Quill",)),
        ("Tom  Reddick in Port Ellery", ("Tom Reddick",)),
        ("Ada Quill, Tom Reddick", ("Ada Quill", "Tom Reddick")),
        ("By Reuters", ()),
        ("Ada van der Quill", ("Ada van der Quill",)),
    )
    markup = hashed(s)
    for i, (byline, _) in zip(s.items, bylines, strict=True):
        markup = markup.replace(
            f'{i.hm}</time><span class="_w">{esc(i.author)}',
            f'{i.hm}</time><span class="_w">{byline}',
        )
    found = [e.authors for e in split_page(page_of(markup, s), timezone=s.zone).entries]
    assert found == [names for _, names in bylines]


# ---------------------------------------------------------------- ids


def test_a_longer_edited_page_later_gives_the_same_ids() -> None:
    from tests.test_liveblog_shapes import BYLINED, UNSIGNED

    for name, shape in {**BYLINED, **UNSIGNED}.items():
        s = story("en")
        early = type(s)(s.lang, s.title, s.zone, s.items[2:])
        updated = s.items[2].at.astimezone(UTC) + timedelta(minutes=1)
        later = s.items[0].at.astimezone(UTC) + timedelta(minutes=1)
        before = split_page(page_of(shape(early), s, updated_at=updated), timezone=s.zone).entries
        after = split_page(page_of(shape(s), s, updated_at=later), timezone=s.zone).entries
        assert [e.entry_id for e in before] == [e.entry_id for e in after][2:], name


def test_an_own_id_survives_an_edit_of_text_and_time() -> None:
    s = story("en")
    from tests.test_liveblog_shapes import nested_wrappers, wordpress

    for shape in (wordpress, nested_wrappers):
        before = split_page(page_of(shape(s), s), timezone=s.zone).entries
        edited = shape(s).replace(
            "The ferry operator expects", "Correction: the operator now expects"
        )
        after = split_page(page_of(edited, s), timezone=s.zone).entries
        assert [e.entry_id for e in before] == [e.entry_id for e in after]


def test_anchors_that_count_places_are_no_ids() -> None:
    s = story("en")

    def numbered(items: tuple[Item, ...]) -> str:
        shown = replace(s, items=items)
        updates = updates_of(shown)
        for n, update in enumerate(updates):
            update["url"] = f"{URL}#post{n + 1}"
        return hashed(shown).replace("</head>", ld(posting(shown, updates)) + "</head>")

    before = split_page(page_of(numbered(s.items[2:]), s), timezone=s.zone).entries
    after = split_page(page_of(numbered(s.items), s), timezone=s.zone).entries
    assert [e.entry_id for e in before] == [e.entry_id for e in after][2:]


# ---------------------------------------------------------------- script tickers


@pytest.mark.parametrize(
    ("embed", "widget"),
    [
        ('<div class="arena-liveblog" data-publisher="x"></div><script src="https://go.arena.im/public/js/arenalib.js"></script>', "Arena"),
        ('<div id="LB24"></div><script src="https://v.24liveblog.com/24.js"></script>', "24liveblog"),
        ('<iframe src="https://embed.scribblelive.com/Embed/v7.aspx?Id=1"></iframe>', "ScribbleLive"),
        ('<div class="tickaroo-liveblog"></div><script src="https://cdn.tickaroo.com/embed.js"></script>', "Tickaroo"),
    ],
)  # fmt: skip
def test_tickers_loaded_by_script_are_named(embed: str, widget: str) -> None:
    s = story("en")
    with pytest.raises(SplitError) as caught:
        split_page(page_of(frame(s, embed), s), timezone=s.zone)
    assert caught.value.code == "script_ticker"
    assert widget in caught.value.detail


def test_an_article_beside_a_widget_is_kept() -> None:
    s = story("en")
    widget = '<div class="arena-liveblog" data-publisher="x"></div>'
    found = split_page(page_of(frame(s, f"<article>{ARTICLE * 3}</article>{widget}"), s))
    assert not found.is_live_blog
    assert found.entries[0].body.count("on the record") >= len(TEXTS)


def test_a_declared_live_blog_without_any_entry_is_a_ticker() -> None:
    s = story("en")
    with pytest.raises(SplitError) as caught:
        split_page(
            page_of(frame(s, '<div id="app"></div>', ld(posting(s, []))), s), timezone=s.zone
        )
    assert caught.value.code == "script_ticker"


def test_nothing_to_keep() -> None:
    s = story("en")
    for markup in ("<html><body></body></html>", "<div></div>", "   "):
        with pytest.raises(SplitError) as caught:
            split_page(page_of(markup, s, title=""), timezone=None)
        assert caught.value.code == "no_text"


# ---------------------------------------------------------------- ordinary pages

ARTICLE = "".join(
    f"<p>{t} Nobody at the ministry wanted to add to that on the record, and the file stays closed for now.</p>"
    for t in TEXTS
)


def ordinary(body: str, title: str = "How the old bridge came to be closed") -> str:
    s = story("en")
    return frame(type(s)("en", title, s.zone, s.items), body)


def cards(n: int, text: str = "") -> str:
    return "".join(
        f'<article class="card"><a href="/2024/story-{k}"><h3>Headline of another story number {k}</h3></a>'
        f'<time datetime="2024-05-14T{20 - k:02}:10:00Z">{20 - k}:10</time><p>{text or TEXTS[k % 6]}</p></article>'
        for k in range(n)
    )


def comments(n: int) -> str:
    return (
        '<section id="comments"><h2>Comments</h2>'
        + "".join(
            f'<div class="c" id="comment-{k}"><b>reader{k}</b> <time datetime="2024-05-14T{20 - k:02}:10:00Z">{20 - k}:10</time>'
            f"<p>{TEXTS[k % 6]} {TEXTS[(k + 1) % 6]}</p><button>Reply</button></div>"
            for k in range(n)
        )
        + "</section>"
    )


ORDINARY = {
    "article": ARTICLE,
    "article with related stories": ARTICLE + "<h2>Related</h2>" + cards(9),
    "listing": "<h2>Latest</h2><div>" + cards(12) + "</div>",
    "comment thread": ARTICLE + comments(12),
    "comments outweigh the article": "<p>" + TEXTS[0] * 4 + "</p>" + comments(12),
    "forum without words for it": ARTICLE
    + "<div>"
    + "".join(
        f'<div class="x"><a href="/u/{k}">reader{k}</a> <span>14 May 2024 {10 + k}:12</span><p>{TEXTS[k % 6]}</p><a>Reply</a></div>'
        for k in range(9)
    )
    + "</div>",
    "day by day timeline": ARTICLE
    + "".join(f"<h3>{k} March</h3><p>{TEXTS[k % 6]}</p><p>{TEXTS[(k + 1) % 6]}</p>" for k in range(1, 9)),
    "timeline of an evening": ARTICLE
    + "".join(f"<p><strong>{17 + k}:{k}5</strong> {TEXTS[k]}</p>" for k in range(6)),
    "products": "<div>"
    + "".join(
        f'<div class="product" id="p-{k}"><h3>Kettle {k}</h3><p>{TEXTS[k % 6]}</p><b>19.{k}0</b></div>'
        for k in range(9)
    )
    + "</div>",
    "television programme": "<table>"
    + "".join(f"<tr><td>{k:02}:15</td><td><b>Programme {k}</b> A repeat of the series.</td></tr>" for k in range(6, 23))
    + "</table>",
    "recipe": ARTICLE + "<ol>" + "".join(f"<li><p>{t}</p></li>" for t in TEXTS) + "</ol>",
    "results": "<table>"
    + "".join(f"<tr><td>{k}</td><td>Runner {k}</td><td>12:{k:02}</td></tr>" for k in range(10, 30))
    + "</table>"
    + ARTICLE,
    "questions": "".join(f"<h3>What happened, question {k}?</h3><p>{TEXTS[k]} {TEXTS[k - 1]}</p>" for k in range(6)),
    "prices that look like clocks": "".join(
        f"<p>{k + 9}.30 million people live here, and {TEXTS[k].lower()}</p>" for k in range(6)
    ),
    "related stories with clocks": ARTICLE
    + "<div>"
    + "".join(
        f'<div class="t"><span>{20 - k}:10</span><h4>Other story {k}</h4><p>{TEXTS[k % 6]}</p></div>'
        for k in range(6)
    )
    + "</div>",
    "readers' notes, newest first": ARTICLE
    + "<div>"
    + "".join(
        f'<div class="q"><b>reader{k}</b> <span>14 May 2024 {20 - k}:10</span><p>{TEXTS[k % 6]} {TEXTS[k % 5]}</p></div>'
        for k in range(8)
    )
    + "</div>",
    "press releases": "<div>"
    + "".join(
        f'<div class="r"><time datetime="2024-05-{20 - k:02}T10:0{k}:00Z">May {20 - k}, 10:0{k}</time><h3>Release {k}</h3>'
        f"<p>{TEXTS[k]} {TEXTS[k - 1]}</p></div>"
        for k in range(6)
    )
    + "</div>",
    "programme": "".join(f"<p><strong>{k}:00</strong> {TEXTS[k % 6]}</p>" for k in range(9, 18)),
    "chapters": ARTICLE + "<ul>" + "".join(f"<li>0{k}:3{k} {TEXTS[k]}</li>" for k in range(6)) + "</ul>",
    "blog home": "<div>"
    + "".join(
        f'<article id="post-{k}"><h2><a href="/2024/05/{k}/a-post">Post {k}</a></h2><time datetime="2024-05-{20 - k:02}T10:00:00Z">'
        f"May {20 - k}, 2024</time><p>{TEXTS[k]}</p><p>{TEXTS[k - 1]}</p></article>"
        for k in range(6)
    )
    + "</div>",
}  # fmt: skip


@pytest.mark.parametrize("kind", ORDINARY)
def test_no_ordinary_page_is_taken_for_a_live_blog(kind: str) -> None:
    s = story("en")
    url = "https://news.example/2024/05/14/old-bridge"
    page = page_of(
        ordinary(ORDINARY[kind]), s, url=url, title="How the old bridge came to be closed"
    )
    split = split_page(page, timezone="Europe/London")
    assert not split.is_live_blog
    assert [e.position for e in split.entries] == [0]


@pytest.mark.parametrize(
    "url", ["https://news.example/live", "https://news.example/news/live-ticker"]
)
def test_a_section_of_live_blogs_is_none(url: str) -> None:
    s = story("en")
    teasers = "".join(
        f'<article><span>{i.hm}</span><h2><a href="{url}/{i.key}">{i.headline}</a></h2>'
        f"<p>{i.paragraphs[0]}</p></article>"
        for i in s.items
    )
    page = page_of(frame(s, f"<div>{teasers}</div>"), s, url=url)
    assert not split_page(page, timezone=s.zone).is_live_blog


def test_an_ordinary_article_takes_its_metadata() -> None:
    s = story("en")
    page = page_of(
        ordinary(ARTICLE), s, url="https://news.example/a", title="The bridge",
        published_at=utc("2024-05-01T10:00"), updated_at=utc("2024-05-02T11:00"),
    )  # fmt: skip
    (entry,) = split_page(page, timezone=None).entries
    assert entry.headline == "The bridge"
    assert entry.published_at == utc("2024-05-01T10:00")
    assert entry.updated_at == utc("2024-05-02T11:00")
    assert entry.time_source == "page"
    assert entry.split_by == "article"
    assert TEXTS[3] in entry.body


@pytest.mark.parametrize(
    "head",
    [
        "<h1>The bridge</h1>",
        "<header><h1>The bridge</h1><p>It opens a month late, and nobody minds very much.</p></header>",
        "<header><div><h1>The  bridge</h1></div><h2>It opens a month late, says the mayor</h2></header>",
    ],
)
def test_an_article_does_not_open_with_its_own_head(head: str) -> None:
    s = story("en")
    story_text = "".join(f"<p>{text}</p>" for text in TEXTS)
    markup = f"<html><body><article>{head}{story_text}</article></body></html>"
    page = page_of(markup, s, url="https://news.example/a", title="The bridge")
    (entry,) = split_page(page, timezone=None).entries
    assert entry.body.split("\n\n")[0] == " ".join(TEXTS[0].split())


@pytest.mark.parametrize(
    "byline",
    [
        '<p class="byline">By Orla Tennick</p>',
        '<div><a rel="author" href="/people/tennick">Orla Tennick</a></div>',
        "<p>By Orla Tennick</p>",
    ],
)
@pytest.mark.parametrize(
    "head", ["{heading}{byline}{time}", "<header>{time}{heading}<p>In short.</p></header>{byline}"]
)
def test_an_article_without_metadata_is_dated_and_signed_by_its_head(
    head: str, byline: str
) -> None:
    title = "How the old bridge came to be closed"
    time = '<time datetime="2024-01-10T09:30:00Z">10 January 2024</time>'
    told = head.format(heading=f"<h1>{title}</h1>", byline=byline, time=time)
    later = '<aside><time datetime="2023-05-05T05:05:00Z">then</time><b class="author">Bo Roe</b></aside>'
    markup = f"<html><body><article>{told}{ARTICLE}{later}</article></body></html>"
    entry = split_page(page_of(markup, story("en"), title=f"{title} | The Pier Post")).entries[0]
    assert (entry.headline, entry.authors) == (title, ("Orla Tennick",))
    assert (entry.published_at, entry.time_source) == (utc("2024-01-10T09:30"), "dom")
    assert "Tennick" not in entry.body
    assert "10 January" not in entry.body


def test_a_time_behind_the_story_is_not_when_it_was_published() -> None:
    later = '<time datetime="2023-05-05T05:05:00Z">then</time><b class="author">Bo Roe</b>'
    markup = f"<html><body><article><h1>Old bridge</h1>{ARTICLE}{later}</article></body></html>"
    entry = split_page(page_of(markup, story("en"), title="Old bridge")).entries[0]
    assert (entry.published_at, entry.time_source, entry.authors) == (None, None, ())


def test_a_header_that_holds_the_story_is_kept() -> None:
    s = story("en")
    story_text = "".join(f"<p>{text}</p>" for text in TEXTS)
    markup = f"<html><body><header><h1>The bridge</h1>{story_text}</header></body></html>"
    page = page_of(markup, s, url="https://news.example/a", title="The bridge")
    (entry,) = split_page(page, timezone=None).entries
    assert all(" ".join(text.split()) in entry.body for text in TEXTS)


def test_a_document_without_html_and_body_is_an_article() -> None:
    s = story("en")
    markup = "<title>Fog</title><article><p>" + "Fog lies over the bay. " * 20
    page = page_of(markup, s, url="https://news.example/fog", title="Fog")
    (entry,) = split_page(page, timezone=None).entries
    assert entry.body.startswith("Fog lies over the bay.")


@pytest.mark.parametrize("cut", [False, True])
def test_halves_of_surrogate_pairs_come_out_as_text(cut: bool) -> None:
    s = story("en")
    updates = updates_of(s)
    for update in updates:
        update["articleBody"] = f"{update['articleBody']} HALF"
        update["headline"] = f"{update['headline']} HALF"
    text = json.dumps(posting(s, updates)).replace("HALF", r"\ud83d")
    text = text[:-40] if cut else text
    found = split_page(
        page_of(frame(s, "", f'<script type="application/ld+json">{text}</script>'), s)
    )
    assert len(found.entries) >= len(s.items) - 1
    for entry in found.entries:
        assert "\ufffd" in entry.body
        for value in (entry.entry_id, entry.headline, entry.body, *entry.authors, *entry.links):
            (value or "").encode("utf-8")


def test_halves_of_surrogate_pairs_in_embedded_state() -> None:
    s = story("en")
    rows = [
        {"id": i.key, "publishedAt": i.iso, "title": f"{i.headline} HALF", "body": " ".join(i.paragraphs)}
        for i in s.items
    ]  # fmt: skip
    state = json.dumps({"posts": rows}).replace("HALF", r"\udc00")
    markup = frame(s, f"<script>window.__STATE__ = {state}</script>", ld(posting(s, [])))
    found = split_page(page_of(markup, s))
    assert len(found.entries) == len(s.items)
    assert all((e.headline or "").endswith("\ufffd") for e in found.entries)


def test_a_zone_nobody_knows_is_no_zone() -> None:
    s = story("en")
    assert got(page_of(hashed(s), s), "Mars/Olympus") == expected(s)
    assert ZoneInfo(s.zone)
