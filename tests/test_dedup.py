from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.records import DuplicateRow, EntryRow
from tests.factories import FETCHED_AT, MORNING, row
from transforms.dedup import identify, known_entry, settle_duplicates, text_key

if TYPE_CHECKING:
    from collections.abc import Iterable

LATER = FETCHED_AT + timedelta(hours=2)


def test_a_new_entry_is_revision_0() -> None:
    assert list(identify([row()], [])) == [row()]


def test_the_same_text_again_says_nothing_new() -> None:
    again = row(headline="The bridge  is OPEN", fetched_at=LATER, source="url:again")
    assert list(identify([row(), again], [])) == [row()]
    assert list(identify([again], [known_entry(row())])) == []


def test_other_text_is_the_next_revision_in_the_old_partition() -> None:
    edited = row(
        body="The first cars crossed shortly after nine.",
        fetched_at=LATER,
        published_at=MORNING + timedelta(days=1),
        topic="society",
        topic_qcode="medtop:14000000",
    )
    (revision,) = identify([edited], [known_entry(row(cluster_id="c0"))])
    assert (revision.revision, revision.body) == (1, edited.body)
    assert (revision.published_at, revision.date) == (MORNING, "2026-05-12")
    assert (revision.updated_at, revision.cluster_id) == (LATER, "c0")
    assert (revision.topic, revision.topic_qcode) == ("politics", "medtop:11000000")
    assert revision.topic_source == "revision"


def test_a_revision_keeps_the_time_of_change_that_its_publisher_gives() -> None:
    edited = row(body="Corrected text of the entry.", updated_at=MORNING + timedelta(hours=1))
    (revision,) = identify([edited], [known_entry(row())])
    assert revision.updated_at == MORNING + timedelta(hours=1)


def test_a_revision_of_an_entry_without_time_stays_where_it_was() -> None:
    first = row(published_at=None)
    edited = row(published_at=None, body="Other words.", fetched_at=FETCHED_AT + timedelta(days=3))
    (revision,) = identify([edited], [known_entry(first)])
    assert (revision.date, revision.published_at) == (first.date, None)


def test_versions_within_one_run_are_numbered_by_fetch() -> None:
    versions = [
        row(body=f"Version {n} of the text.", fetched_at=FETCHED_AT + timedelta(minutes=n))
        for n in range(3)
    ]
    found = list(identify(reversed(versions), []))
    assert [(r.revision, r.body) for r in found] == [(n, versions[n].body) for n in range(3)]
    known = [known_entry(r) for r in found]
    assert list(identify(versions, known)) == []


def split(
    found: Iterable[EntryRow | DuplicateRow],
) -> tuple[list[str], dict[str, tuple[str, str, str]]]:
    kept, removed = [], {}
    for one in found:
        if isinstance(one, DuplicateRow):
            removed[one.row.entry_id] = (
                one.duplicate_of,
                one.duplicate_kind,
                one.row.cluster_id,
            )
        else:
            kept.append(one.entry_id)
    return kept, removed


def test_the_earliest_survives_and_the_others_name_it() -> None:
    copies = [
        row(entry_id="late", published_at=MORNING + timedelta(hours=1)),
        row(entry_id="early"),
        row(entry_id="unknown", published_at=None),
    ]
    kept, removed = split(settle_duplicates(copies, []))
    assert kept == ["early"]
    assert removed == dict.fromkeys(("late", "unknown"), ("early", "exact", "early"))


def test_within_a_minute_the_one_with_a_permalink_survives() -> None:
    copies = [
        row(entry_id="a-copy", published_at=MORNING),
        row(
            entry_id="original",
            entry_url="https://lantern-gazette.example/live/1#7",
            published_at=MORNING + timedelta(seconds=40),
        ),
    ]
    assert split(settle_duplicates(copies, []))[0] == ["original"]


def test_an_entry_of_an_earlier_run_survives_even_if_published_later() -> None:
    known = known_entry(row(entry_id="known", published_at=MORNING + timedelta(hours=3)))
    kept, removed = split(settle_duplicates([row(entry_id="new")], [known]))
    assert (kept, removed) == ([], {"new": ("known", "exact", "known")})


def test_a_duplicate_of_an_earlier_run_does_not_make_new_ones() -> None:
    known = known_entry(row(entry_id="gone"), duplicate_of="elsewhere")
    assert split(settle_duplicates([row()], [known]))[0] == ["e1"]


def test_a_revision_is_never_removed() -> None:
    revision = row(entry_id="edited", revision=2, published_at=MORNING + timedelta(hours=1))
    kept, _ = split(settle_duplicates([row(), revision], []))
    assert kept == ["e1", "edited"]


def test_short_texts_are_the_same_news_only_in_the_same_minute() -> None:
    goal = row(headline=None, body="GOAL!")
    same = row(headline=None, body="Goal!", published_at=MORNING + timedelta(seconds=20))
    other = row(headline=None, body="GOAL!", published_at=MORNING + timedelta(minutes=20))
    assert text_key(goal) == text_key(same)
    assert text_key(goal) != text_key(other)


def test_a_row_without_words_has_no_twin() -> None:
    assert text_key(row(headline=None, body="")) is None


rows = st.builds(
    row,
    entry_id=st.sampled_from("abcdef"),
    published_at=st.sampled_from([None, MORNING, MORNING + timedelta(minutes=1)]),
    entry_url=st.sampled_from([None, "https://a.example/1"]),
    page_url=st.sampled_from(["https://a.example/", "https://b.example/"]),
)


@given(st.lists(rows, unique_by=lambda r: r.entry_id, min_size=1), st.randoms())
def test_arrival_does_not_matter(copies: list[EntryRow], random: Any) -> None:
    shuffled = copies[:]
    random.shuffle(shuffled)
    first, second = (list(settle_duplicates(order, [])) for order in (copies, shuffled))
    assert first == second
    assert len(first) == len(copies)
    assert sum(isinstance(one, EntryRow) for one in first) == 1


versions = st.builds(
    row,
    body=st.sampled_from(["One text here.", "Another text here.", "A third text here."]),
    fetched_at=st.integers(0, 3).map(lambda n: FETCHED_AT + timedelta(minutes=n)),
    source=st.sampled_from(["url:a", "url:b"]),
)


@given(st.lists(versions), st.randoms())
def test_revisions_are_a_sequence_and_a_second_run_adds_none(
    sightings: list[EntryRow], random: Any
) -> None:
    found = list(identify(sightings, []))
    assert [r.revision for r in found] == list(range(len({r.content_hash for r in sightings})))
    random.shuffle(sightings)
    assert [dataclasses.astuple(r) for r in identify(sightings, [])] == [
        dataclasses.astuple(r) for r in found
    ]
    assert list(identify(sightings, [known_entry(r) for r in found])) == []
