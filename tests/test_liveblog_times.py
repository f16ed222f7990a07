"""Times as publishers write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from transforms.liveblog.times import (
    read_day,
    read_expression,
    read_lead,
    read_machine,
    read_tail,
    says_update,
    zone_named,
)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-05-14T17:42:10Z", datetime(2024, 5, 14, 17, 42, 10, tzinfo=UTC)),
        ("2024-05-14T17:42:10.918Z", datetime(2024, 5, 14, 17, 42, 10, 918000, tzinfo=UTC)),
        ("2024-05-14T17:42:10+05:30", datetime(2024, 5, 14, 12, 12, 10, tzinfo=UTC)),
        ("2024-05-14T17:42:10-0500", datetime(2024, 5, 14, 22, 42, 10, tzinfo=UTC)),
        ("2024-05-14T17:42:10+0000", datetime(2024, 5, 14, 17, 42, 10, tzinfo=UTC)),
        ("2024-05-14 17:42:10 UTC", datetime(2024, 5, 14, 17, 42, 10, tzinfo=UTC)),
        ("20240514T1742Z", datetime(2024, 5, 14, 17, 42, tzinfo=UTC)),
        ("Tue, 14 May 2024 17:42:10 GMT", datetime(2024, 5, 14, 17, 42, 10, tzinfo=UTC)),
        ("1715708530", datetime(2024, 5, 14, 17, 42, 10, tzinfo=UTC)),
        ("1715708530000", datetime(2024, 5, 14, 17, 42, 10, tzinfo=UTC)),
    ],
)
def test_machine_values(text: str, moment: datetime) -> None:
    stamp = read_machine(text)
    assert stamp is not None
    assert stamp.instant == moment


@pytest.mark.parametrize(
    "text", ["", "12", "2024", "9999-12-31T23:59:59-14:00", "2024-13-01T00:00:00Z", "17157085300"]
)
def test_no_machine_value(text: str) -> None:
    assert read_machine(text) is None


def test_a_naive_value_keeps_its_zone_unknown() -> None:
    stamp = read_machine("2024-05-14T17:42:10")
    assert stamp is not None
    assert (stamp.instant, stamp.day, stamp.clock) == (None, date(2024, 5, 14), time(17, 42, 10))


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("15:05", time(15, 5)),
        ("Posted at 15:05", time(15, 5)),
        ("12.05 BST", time(12, 5)),
        ("12.31 Uhr", time(12, 31)),
        ("um 9:05 Uhr", time(9, 5)),
        ("9h05", time(9, 5)),
        ("9 h 05", time(9, 5)),
        ("21h", time(21)),
        ("às 12h31", time(12, 31)),
        ("ore 7.45", time(7, 45)),
        ("12:30 uur", time(12, 30)),
        ("21u40", time(21, 40)),
        ("21.40 horas", time(21, 40)),
        ("Il est 21h40", time(21, 40)),
        ("godz. 12.30", time(12, 30)),
        ("a las 22:10 h", time(22, 10)),
        ("12:09 a.m. ET", time(0, 9)),
        ("12.09pm", time(12, 9)),
        ("5 p.m.", time(17)),
        ("19:02(IST)", time(19, 2)),
        ("1715 GMT", time(17, 15)),
        ("2h ago (13:05 GMT)", time(13, 5)),
        ("24:00", time(0)),
    ],
)
def test_clocks(text: str, clock: time) -> None:
    stamp = read_expression(text)
    assert stamp is not None
    assert stamp.clock == clock


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("14 May 2024 17:42", date(2024, 5, 14)),
        ("May 14, 2024, 5:42 PM", date(2024, 5, 14)),
        ("5:42 PM / May 14, 2024", date(2024, 5, 14)),
        ("14. Mai 2024, 17:42 Uhr", date(2024, 5, 14)),
        ("mardi 14 mai 2024 à 17h42", date(2024, 5, 14)),
        ("14 de mayo de 2024 - 17:42 h", date(2024, 5, 14)),
        ("martedì 14 maggio 2024, ore 17:42", date(2024, 5, 14)),
        ("dinsdag 14 mei 2024 om 17:42", date(2024, 5, 14)),
        ("14 maja 2024, 17:42", date(2024, 5, 14)),
        ("14 de maio de 2024 às 17h42", date(2024, 5, 14)),
        ("14.05.2024 | 17:42", date(2024, 5, 14)),
        ("14/05/2024 17:42", date(2024, 5, 14)),
        ("5/14/2024 17:42", date(2024, 5, 14)),
        ("2024-05-14 17:42", date(2024, 5, 14)),
    ],
)
def test_days_with_clocks(text: str, day: date) -> None:
    stamp = read_expression(text)
    assert stamp is not None
    assert (stamp.day, stamp.clock) == (day, time(17, 42))


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("4m ago", timedelta(minutes=4)),
        ("3 hours ago", timedelta(hours=3)),
        ("vor 20 Minuten", timedelta(minutes=20)),
        ("il y a 5 min", timedelta(minutes=5)),
        ("hace 2 horas", timedelta(hours=2)),
        ("3 ore fa", timedelta(hours=3)),
        ("10 minuten geleden", timedelta(minutes=10)),
        ("5 minut temu", timedelta(minutes=5)),
        ("há 3 dias", timedelta(days=3)),
    ],
)
def test_distances(text: str, ago: timedelta) -> None:
    stamp = read_expression(text)
    assert stamp is not None
    assert stamp.ago == ago


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        "1.5",
        "Section 12.30 of the act",
        "12.31 per cent",
        "25:00",
        "10:05 and all is well",
        "It is 10:05",
    ],
)
def test_no_times(text: str) -> None:
    assert read_expression(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Updated at 12.36 BST",
        "Mis à jour le 3 mai 2023 à 14h05",
        "Aktualisiert um 14.05 Uhr",
        "Bijgewerkt om 12:30",
    ],
)
def test_updates_call_themselves_so(text: str) -> None:
    stamp = read_expression(text)
    assert stamp is not None
    assert stamp.is_update


@pytest.mark.parametrize(
    ("text", "clock", "rest"),
    [
        ("12.31 Uhr: Die Lage", time(12, 31), "Die Lage"),
        ("9h05 - La situation", time(9, 5), "La situation"),
        ("14h05. La situation", time(14, 5), "La situation"),
        ("+++ 12:15 Die Lage +++", time(12, 15), "Die Lage"),
        ("Ore 12:31 - La situazione", time(12, 31), "La situazione"),
        ("12:30 – Sytuacja", time(12, 30), "Sytuacja"),
        ("2:30pm: The state of things", time(14, 30), "The state of things"),
        ("9:45 a.m. ET | The state", time(9, 45), "The state"),
        ("19:02(IST) The state", time(19, 2), "The state"),
        ("1715 GMT - The state", time(17, 15), "The state"),
    ],
)
def test_leads(text: str, clock: time, rest: str) -> None:
    lead = read_lead(text)
    assert lead is not None
    assert (lead[0].clock, lead[1], lead[2]) == (clock, rest, True)


@pytest.mark.parametrize(
    "text",
    ["12.31 per cent", "10.30 million people", "2022 was long", "The 10:05 train", "24 hours on"],
)
def test_no_leads(text: str) -> None:
    assert read_lead(text) is None


def test_a_clock_that_nothing_sets_apart_says_so() -> None:
    lead = read_lead("10:05 The state")
    assert lead is not None
    assert lead[2] is False


def test_tails() -> None:
    tail = read_tail("Jane Doe24 May 2023 04:30")
    assert tail is not None
    assert tail[0] == "Jane Doe"
    assert (tail[1].day, tail[1].clock) == (date(2023, 5, 24), time(4, 30))
    assert read_tail("They met on 24 May 2023 04:30 and left") is None


@pytest.mark.parametrize(
    ("text", "month_day"),
    [
        ("Donnerstag, 18. 7.", (7, 18)),
        ("Wednesday 18 July", (7, 18)),
        ("18 juillet", (7, 18)),
        ("18 lipca", (7, 18)),
    ],
)
def test_days_without_a_year(text: str, month_day: tuple[int, int]) -> None:
    stamp = read_day(text)
    assert stamp is not None
    assert (stamp.day, stamp.month_day) == (None, month_day)


def test_words_that_announce_an_update() -> None:
    assert says_update("Last updated at")
    assert not says_update("An update on the fire")


def test_zones() -> None:
    assert zone_named("Europe/Berlin") is not None
    assert [zone_named(name) for name in (None, "", "Mars/Olympus", "../etc")] == [None] * 4
