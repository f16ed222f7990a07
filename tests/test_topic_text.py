from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.topics import accuracy_and_coverage, judged, labelled_texts
from schemas.topics import QCODES
from transforms.topic_text import (
    LANGUAGES,
    lexicon_of,
    parse_terms,
    plain_text,
    text_topic,
    words_of,
)
from transforms.topics import DEFAULT_MIN_SCORE

TEXTS = labelled_texts()
KINDS = labelled_texts(Path(__file__).parent / "data/topics/kinds.txt")
HELD_BACK = [one for one in TEXTS if one.is_held_back]


def test_there_are_twenty_texts_of_every_topic_in_english_and_some_in_other_languages() -> None:
    for topic in QCODES:
        assert len([t for t in TEXTS if (t.topic, t.language) == (topic, "en")]) >= 20
        for language in ("de", "fr", "es"):
            assert len([t for t in TEXTS if (t.topic, t.language) == (topic, language)]) >= 2


def test_accuracy_on_texts_held_back() -> None:
    accuracy, coverage = accuracy_and_coverage(HELD_BACK, judged(HELD_BACK))
    assert coverage * accuracy >= 0.93
    accuracy, coverage = accuracy_and_coverage(HELD_BACK, judged(HELD_BACK), DEFAULT_MIN_SCORE)
    assert accuracy >= 0.97
    assert coverage >= 0.75


@pytest.mark.parametrize(
    ("style", "all_right", "right_if_sure", "sure"),
    [
        ("agency", 0.9, 0.93, 0.83),
        ("broadcaster", 0.94, 0.95, 0.92),
        ("portal", 0.83, 0.93, 0.66),
        ("africa", 0.96, 0.96, 0.95),
    ],
)
def test_accuracy_on_kinds_of_news(
    style: str, all_right: float, right_if_sure: float, sure: float
) -> None:
    texts = [one for one in KINDS if one.style == style]
    found = judged(texts)
    accuracy, coverage = accuracy_and_coverage(texts, found)
    assert accuracy * coverage >= all_right
    accuracy, coverage = accuracy_and_coverage(texts, found, DEFAULT_MIN_SCORE)
    assert accuracy >= right_if_sure
    assert coverage >= sure


@pytest.mark.parametrize("name", ["names", *LANGUAGES])
def test_the_terms_are_in_order(name: str) -> None:
    text = (files("transforms") / "topic_terms" / f"{name}.txt").read_text("utf8")
    terms = list(parse_terms(text))
    assert {slug for slug, _, _ in terms} == set(QCODES)
    assert {weight for _, weight, _ in terms} <= {1, 2, 3, 4, 5}
    assert len({(slug, term) for slug, _, term in terms}) == len(terms)
    written = [part.strip() for line in re.sub(r"(?m)^(\[.*|\d)", "", text).splitlines() for part in line.split(";")]  # fmt: skip
    assert [word for word in written if word and word != plain_text(word)] == []
    starred = [term for _, _, term in terms if "*" in term]
    assert [term for term in starred if not re.fullmatch(r"\*?\w{4,}|\w{4,}\*", term)] == []


def found(text: str, language: str | None = "en") -> tuple[str, ...]:
    topic = text_topic(None, [text], language)
    assert topic
    return topic.slug, *topic.terms


def test_the_terms_that_decided_are_told_strongest_first() -> None:
    topic = text_topic("Striker scores hat trick", ["The striker left the pitch late."], "en")
    assert topic
    assert (topic.slug, topic.terms[:2]) == ("sport", ("striker", "hat trick"))
    assert topic.score > DEFAULT_MIN_SCORE


def test_the_longest_term_counts_and_its_words_no_more() -> None:
    assert found("stock market") == ("economy-business-and-finance", "stock market")
    assert found("white house") == ("politics", "white house")
    assert found("white cat") == ("human-interest", "cat")


def test_inflected_words_and_compounds_are_folded() -> None:
    assert found("Astronauts") == ("science-and-technology", "astronaut")
    assert found("Fußballerinnen", "de") == ("sport", "fussball*")
    assert found("Strompreise", "de")[0] == "economy-business-and-finance"
    assert found("los científicos", "es")[0] == "science-and-technology"


def test_language_decides_which_terms_are_read() -> None:
    assert found("Gewerkschaft", "de-AT") == ("labour", "gewerkschaft*")
    assert text_topic("Gewerkschaft", [], "en") is None
    assert found("astronaut", None) == found("astronaut", "sv") == found("astronaut", "en")


def test_a_text_without_any_term_has_no_topic() -> None:
    assert text_topic(None, [], "en") is None
    assert text_topic("...", ["-"], "en") is None


def test_two_topics_alike_are_not_sure() -> None:
    topic = text_topic(None, ["astronaut goalkeeper"], "en")
    assert topic
    assert topic.score == 0.5
    assert topic.slug == min("science-and-technology", "sport", key=list(QCODES).index)


@given(st.text(st.characters(max_codepoint=127)))
def test_words_of_plain_letters_are_those_of_any(text: str) -> None:
    assert words_of(text) == words_of(text + " ä")[:-1] == re.findall(r"\w+", text.casefold())


@given(st.text(), st.lists(st.text(), max_size=3), st.sampled_from([*LANGUAGES, None, "x-y", ""]))
def test_any_text_is_read(title: str, texts: list[str], language: str | None) -> None:
    topic = text_topic(title, texts, language)
    assert topic is None or (topic.slug in QCODES and 0 < topic.score < 1 and topic.terms)
    assert topic == text_topic(title, texts, language)


def test_words_that_are_not_known_do_not_pile_up() -> None:
    lexicon = lexicon_of("en")
    lexicon.count([f"zz{n}" for n in range(1 << 17)])
    assert len(lexicon._nodes) <= 1 << 16
    assert found("astronaut")[0] == "science-and-technology"
