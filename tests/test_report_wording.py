from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.wording import (
    WORDS_COMPARED_MAX,
    clip,
    day,
    is_web_address,
    moment,
    span,
    text_changes,
    topic_name,
)

WORDS = st.lists(
    st.sampled_from(["the", "ferry", "sails", "at", "noon,", "not", "at", "one."]), max_size=40
)


def test_a_changed_word() -> None:
    assert text_changes("The ferry sails at noon today.", "The ferry sails at one today.") == [
        ("same", "The ferry sails at"),
        ("delete", "noon"),
        ("insert", "one"),
        ("same", "today."),
    ]


def test_paragraphs_are_kept() -> None:
    assert text_changes("One.", "One.\n\nTwo, three.") == [
        ("same", "One."),
        ("insert", "\n\nTwo, three."),
    ]


def test_what_stayed_the_same_is_shortened() -> None:
    long = " ".join(f"w{n}" for n in range(100))
    parts = text_changes(long, f"{long} end")
    assert [kind for kind, _ in parts] == ["gap", "same", "insert"]
    assert parts[0][1] == "88 words"
    assert parts[1][1].startswith("w88 ")


@given(WORDS, WORDS)
def test_both_texts_can_be_read_from_the_change(before: list[str], after: list[str]) -> None:
    parts = text_changes(" ".join(before), " ".join(after))
    if any(kind == "gap" for kind, _ in parts):
        return
    old = " ".join(text for kind, text in parts if kind != "insert")
    new = " ".join(text for kind, text in parts if kind != "delete")
    assert (old.split(), new.split()) == (before, after)


def test_long_texts_are_compared_in_part_and_say_so() -> None:
    before = " ".join(f"a{n}" for n in range(WORDS_COMPARED_MAX + 50))
    after = " ".join(f"b{n}" for n in range(WORDS_COMPARED_MAX + 20))
    assert text_changes(before, after)[-1] == ("gap", "50 more words not compared")


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        ("https://a.example/b?c=1", True),
        ("HTTP://a.example", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("file:///etc/passwd", False),
        ("https://", False),
        ("https://a.example/\njavascript:x", False),
        (" https://a.example", False),
        (None, False),
    ],
)
def test_what_may_stand_in_a_link(address: str | None, fits: bool) -> None:
    assert is_web_address(address) is fits


def test_texts_are_clipped_and_hold_nothing_unseen() -> None:
    assert clip("abc", 3) == "abc"
    assert clip("abcd", 3) == "ab…"
    assert clip("a\x00b\u202ec\nd", 9) == "a b c\nd"
    assert clip(None, 3) == ""


def test_times_and_spans() -> None:
    assert day(date(2026, 5, 2)) == "2 May 2026"
    assert day(None) == "unknown"
    assert moment(datetime(2026, 5, 2, 8, 5, tzinfo=UTC)) == "2 May 2026, 08:05"
    assert [span(s) for s in (None, 0, 59.4, 90, 3600 * 5, 86400 * 300, -120)] == [
        "–", "0 s", "59 s", "1.5 min", "5 h", "300 d", "−2 min",
    ]  # fmt: skip
    assert topic_name("science-and-technology") == "Science and technology"
