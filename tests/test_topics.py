from __future__ import annotations

import pytest

from schemas.records import DeclaredTopic, Entry, SplitPage
from schemas.topics import QCODES, SLUGS
from tests.factories import fetched
from transforms.extract import extract_page
from transforms.topic_aliases import TOPIC_OF_ALIAS
from transforms.topics import ByText, alias_key, choose_topic, entry_rows, page_topic


def declared(*pairs: tuple[str, str]) -> list[DeclaredTopic]:
    return [DeclaredTopic(source, value) for source, value in pairs]


@pytest.mark.parametrize(
    ("value", "topic"),
    [
        ("Politics", "politics"),
        ("POLITIK", "politics"),
        ("Économie", "economy-business-and-finance"),
        ("Science & Technology", "science-and-technology"),
        ("premier-league", "sport"),
        ("Umwelt", "environment"),
        ("Sucesos", "crime-law-and-justice"),
        ("Weer", "weather"),
        ("Salute", "health"),
        ("Educação", "education"),
        ("ukraine_war", "conflict-war-and-peace"),
        ("Latest Business News", "economy-business-and-finance"),
        ("News/World/Politics", "politics"),
        ("Noticias de hoy > Deportes", "sport"),
    ],
)
def test_what_publishers_call_their_sections(value: str, topic: str) -> None:
    choice = choose_topic(declared(("article_section", value)))
    assert (choice.topic, choice.qcode) == (topic, QCODES[topic])
    assert (choice.source, choice.evidence) == ("article_section", f"article_section={value}")


def test_the_strongest_declaration_wins_and_generic_ones_fall_through() -> None:
    choice = choose_topic(
        declared(("keywords", "tennis"), ("url_path", "business"), ("article_section", "World"))
    )
    assert (choice.topic, choice.source, choice.score) == (
        "economy-business-and-finance",
        "url_path",
        0.85,
    )


@pytest.mark.parametrize(
    "value",
    ["News", "World", "Live", "Home", "Top stories", "World news", "US", "News/World", "", "—"],
)
def test_a_page_that_says_nothing_is_unclassified(value: str) -> None:
    choice = choose_topic(declared(("article_section", value)))
    assert (choice.topic, choice.qcode, choice.source) == ("unclassified", None, None)
    assert (choice.score, choice.evidence) == (0.0, None)


def test_aliases_are_folded_and_lead_to_topics() -> None:
    assert set(TOPIC_OF_ALIAS.values()) == SLUGS - {"unclassified"}
    assert [alias for alias in TOPIC_OF_ALIAS if alias != alias_key(alias)] == []


def split_of(title: str, *bodies: str, head: str = "") -> SplitPage:
    page = extract_page(fetched(f"<html lang=en><title>{title}</title>{head}<p>x"))
    entries = tuple(
        Entry(f"e{n}", None, body, (), None, None, None, None, n, False, "dom")
        for n, body in enumerate(bodies)
    )
    return SplitPage(page, True, entries)


def test_a_page_that_declares_nothing_is_known_by_its_whole_text() -> None:
    split = split_of("Live", "A quiet morning.", "The goalkeeper saved.", "A striker scored.")
    choice = page_topic(split)
    assert (choice.topic, choice.qcode, choice.source) == ("sport", QCODES["sport"], "text")
    assert choice.evidence == "text=goalkeeper, striker, scored"
    assert {row.topic for row in entry_rows(split, "000001-aa")} == {"sport"}


def test_what_a_page_declares_goes_before_its_text() -> None:
    head = '<meta property=article:section content="Health">'
    choice = page_topic(split_of("Striker scores", "Goalkeeper, striker, goal.", head=head))
    assert (choice.topic, choice.source) == ("health", "meta_section")


def test_a_text_that_is_not_sure_stays_unclassified_and_says_what_it_would_have_been() -> None:
    split = split_of("Live", "The astronaut met a goalkeeper.")
    choice = page_topic(split)
    assert (choice.topic, choice.qcode, choice.source) == ("unclassified", None, "text")
    assert choice.evidence == "text=science-and-technology? astronaut"
    assert choice.score == 0.5
    taken = page_topic(split, ByText(min_score=0))
    assert (taken.topic, taken.score) == ("science-and-technology", choice.score)


def test_a_page_without_any_evidence() -> None:
    choice = page_topic(split_of("...", "..."), ByText(min_score=0))
    assert (choice.topic, choice.source, choice.score, choice.evidence) == (
        "unclassified", None, 0.0, None,
    )  # fmt: skip


def test_every_entry_takes_its_pages_topic() -> None:
    page = extract_page(fetched('<html lang=en><meta property=article:section content="Sport">x'))
    entries = tuple(
        Entry(f"e{n}", None, f"Text {n}", (), None, None, None, None, n, False, "dom")
        for n in range(2)
    )
    first, second = entry_rows(SplitPage(page, True, entries), "000001-aa")
    assert (first.topic, second.topic) == ("sport", "sport")
    assert (first.entry_id, first.cluster_id, first.position) == ("e0", "e0", 0)
    assert (first.date, first.run_id, first.language) == ("2026-05-12", "000001-aa", "en")
    assert first.content_hash != second.content_hash
