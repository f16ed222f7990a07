from __future__ import annotations

import dataclasses
import itertools
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.factories import FETCHED_AT, MORNING, row
from tests.news_texts import BOILERPLATE, EDITS, STORIES, TEMPLATES, template_pairs
from transforms.dedup import Outcome, Text, deduplicate, find_duplicates
from transforms.dedup.candidates import PAIR
from transforms.dedup.documents import DOCUMENTS, briefs, places_of
from transforms.dedup.identity import (
    identify,
    is_time_known,
    known_entry,
    new_texts,
    survivor_rank,
    text_key,
)
from transforms.dedup.verify import sift, verify
from transforms.dedup.words import read_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from schemas.records import EntryRow, KnownEntry

LATER = FETCHED_AT + timedelta(hours=2)


def identified(rows: Sequence[EntryRow], known: Sequence[KnownEntry]) -> list[EntryRow]:
    """The rows of one entry that are new, by their exact texts alone."""
    fresh = new_texts(rows, known)
    return [row for _, row in identify(fresh, [0] * len(fresh), known)]


def test_a_new_entry_is_revision_0() -> None:
    assert identified([row()], []) == [row()]


def test_the_same_text_again_says_nothing_new() -> None:
    again = row(headline="The bridge  is OPEN", fetched_at=LATER, source="url:again")
    assert identified([row(), again], []) == [row()]
    assert identified([again], [known_entry(row())]) == []


def test_other_text_is_the_next_revision_in_the_old_partition() -> None:
    edited = row(
        body="The first cars crossed shortly after nine.",
        fetched_at=LATER,
        published_at=MORNING + timedelta(days=1),
        topic="society",
        topic_qcode="medtop:14000000",
    )
    (revision,) = identified([edited], [known_entry(row(cluster_id="c0"))])
    assert (revision.revision, revision.body) == (1, edited.body)
    assert (revision.published_at, revision.date) == (MORNING, "2026-05-12")
    assert (revision.updated_at, revision.cluster_id) == (LATER, "c0")
    assert (revision.topic, revision.topic_qcode) == ("politics", "medtop:11000000")
    assert revision.topic_source == "revision"


def test_a_revision_keeps_the_time_of_change_that_its_publisher_gives() -> None:
    edited = row(body="Corrected text of the entry.", updated_at=MORNING + timedelta(hours=1))
    (revision,) = identified([edited], [known_entry(row())])
    assert revision.updated_at == MORNING + timedelta(hours=1)


def test_a_revision_of_an_entry_without_time_stays_where_it_was() -> None:
    first = row(published_at=None)
    edited = row(published_at=None, body="Other words.", fetched_at=FETCHED_AT + timedelta(days=3))
    (revision,) = identified([edited], [known_entry(first)])
    assert (revision.date, revision.published_at) == (first.date, None)


def test_versions_within_one_run_are_numbered_by_fetch() -> None:
    versions = [
        row(body=f"Version {n} of the text.", fetched_at=FETCHED_AT + timedelta(minutes=n))
        for n in range(3)
    ]
    found = identified(versions[::-1], [])
    assert [(r.revision, r.body) for r in found] == [(n, versions[n].body) for n in range(3)]
    known = [known_entry(r) for r in found]
    assert identified(versions, known) == []


def outcome(*rows: EntryRow, known: Sequence[KnownEntry] = (), **options: Any) -> Outcome:
    return deduplicate(rows, known, **options)


def removed(found: Outcome) -> dict[str, tuple[str, str, str]]:
    return {
        one.row.entry_id: (one.duplicate_of, one.duplicate_kind, one.row.cluster_id)
        for one in found.duplicates
    }


def kept(found: Outcome) -> list[str]:
    return sorted(row.entry_id for row in found.entries)


def test_the_earliest_survives_and_the_others_name_it() -> None:
    found = outcome(
        row(entry_id="late", published_at=MORNING + timedelta(hours=1)),
        row(entry_id="early"),
        row(entry_id="unknown", published_at=None),
    )
    assert kept(found) == ["early"]
    assert removed(found) == dict.fromkeys(("late", "unknown"), ("early", "exact", "early"))


def test_what_one_page_tells_twice_is_two_pieces_of_news_unless_word_for_word() -> None:
    story = STORIES[0]
    again = f"{story} Police asked drivers to stay away."
    page_url = "https://lantern-gazette.example/live/7"
    first = row(entry_id="first", page_url=page_url, body=story)
    later = row(entry_id="later", page_url=page_url, body=again)
    same = row(entry_id="same", page_url=page_url, body=story)
    hour_later = MORNING + timedelta(hours=1)
    elsewhere = row(entry_id="elsewhere", body=again, published_at=hour_later)
    assert kept(outcome(first, later, same)) == ["first", "later"]
    assert kept(outcome(first, elsewhere)) == ["first"]
    written = outcome(first)
    assert kept(outcome(later, same, known=written.known)) == ["later"]


def test_within_a_minute_the_one_with_a_permalink_survives() -> None:
    original = row(
        entry_id="original",
        entry_url="https://lantern-gazette.example/live/1#7",
        published_at=MORNING + timedelta(seconds=40),
    )
    assert kept(outcome(row(entry_id="a-copy"), original)) == ["original"]


def test_an_agency_survives_before_its_customers_of_the_same_day() -> None:
    agency = row(entry_id="wire", publisher="apnews.com", published_at=MORNING + timedelta(hours=2))
    next_day = dataclasses.replace(
        agency, published_at=MORNING + timedelta(days=1), date="2026-05-13"
    )
    assert survivor_rank(agency) < survivor_rank(row()) < survivor_rank(next_day)


@pytest.mark.parametrize(
    "time",
    [
        {"published_at": None},
        {"published_at": MORNING.replace(year=1970), "date": "1970-01-01"},
        {"published_at": FETCHED_AT + timedelta(days=2)},
        {"time_source": "fetch"},
    ],
)
def test_a_time_that_cannot_be_is_unknown_and_does_not_win(time: dict[str, Any]) -> None:
    doubtful = row(entry_id="doubtful", **time)
    assert not is_time_known(doubtful)
    assert survivor_rank(row()) < survivor_rank(doubtful)


def test_an_entry_of_an_earlier_run_survives_even_if_published_later() -> None:
    known = outcome(row(entry_id="known", published_at=MORNING + timedelta(hours=3))).known
    found = outcome(row(entry_id="new"), known=known)
    assert (kept(found), removed(found)) == ([], {"new": ("known", "exact", "known")})


def test_what_an_earlier_run_removed_does_not_come_back() -> None:
    first = outcome(row(entry_id="a"), row(entry_id="b", published_at=MORNING + timedelta(hours=1)))
    again = outcome(row(entry_id="b", published_at=MORNING + timedelta(hours=1)), known=first.known)
    assert again[:3] == ([], [], [])
    third = outcome(row(entry_id="c"), known=first.known)
    assert removed(third) == {"c": ("a", "exact", "a")}


def test_a_revision_of_what_was_kept_is_never_removed() -> None:
    other = row(entry_id="other", body=STORIES[0])
    known = outcome(row(), other).known
    edited = row(body=STORIES[0], headline=other.headline, fetched_at=LATER)
    found = outcome(edited, known=known)
    assert [(r.entry_id, r.revision, r.cluster_id) for r in found.entries] == [("e1", 1, "e1")]
    assert [(k.cluster_id, k.alias_of) for k in found.known] == [("e1", "other")]


def test_a_revision_of_what_was_removed_is_compared_again() -> None:
    first = outcome(
        row(entry_id="a", body=STORIES[0]),
        row(
            entry_id="b", body=STORIES[0], entry_url=None, published_at=MORNING + timedelta(hours=1)
        ),
    )
    edited = row(
        entry_id="b", body=STORIES[0] + " A late addition by the copyist.", fetched_at=LATER
    )
    found = outcome(edited, known=first.known)
    assert removed(found) == {"b": ("a", "near", "a")}
    assert found.duplicates[0].row.revision == 1
    other = row(entry_id="b", body=STORIES[1], headline=None, fetched_at=LATER)
    assert kept(outcome(other, known=first.known)) == ["b"]


def test_versions_of_one_entry_are_no_duplicates_of_each_other() -> None:
    versions = [
        row(body=STORIES[0] + f" Version number {n}.", fetched_at=FETCHED_AT + timedelta(minutes=n))
        for n in range(3)
    ]
    found = outcome(*versions)
    assert ([r.revision for r in found.entries], found.duplicates) == ([0, 1, 2], [])


@pytest.mark.parametrize(
    "body",
    [
        STORIES[0].replace('"', "\u201d").replace(" ", "\u00a0 ").upper(),
        f"{STORIES[0]}\n\nRead more: what comes next",
        f"LONDON, May 3 (Reuters) - {STORIES[0]}",
    ],
)
def test_white_space_quotes_and_prompts_are_no_revision(body: str) -> None:
    known = outcome(row(body=STORIES[0])).known
    assert outcome(row(body=body, fetched_at=LATER), known=known)[:3] == ([], [], [])


def test_short_texts_are_the_same_news_only_in_the_same_minute() -> None:
    goal = row(headline=None, body="GOAL!")
    same = row(headline=None, body="Goal!", published_at=MORNING + timedelta(seconds=20))
    other = row(headline=None, body="GOAL!", published_at=MORNING + timedelta(minutes=20))
    assert text_key(goal) == text_key(same)
    assert text_key(goal) != text_key(other)
    found = outcome(
        goal, dataclasses.replace(same, entry_id="e2"), dataclasses.replace(other, entry_id="e3")
    )
    assert (len(found.entries), len(found.duplicates)) == (2, 1)


def test_a_row_without_words_has_no_twin() -> None:
    assert text_key(row(headline=None, body="")) is None
    found = outcome(*(row(entry_id=f"e{n}", headline=None, body="") for n in range(3)))
    assert len(found.entries) == 3


def test_near_duplicates_can_be_left_alone() -> None:
    later = MORNING + timedelta(hours=1)
    edited = row(entry_id="e2", body=f"{STORIES[0]} One more line.", published_at=later)
    rows = row(body=STORIES[0]), edited, row(entry_id="e3", body=STORIES[0].upper())
    assert kept(outcome(*rows)) == ["e1"]
    assert kept(outcome(*rows, near=False)) == ["e1", "e2"]


def days_apart(days: int, body: str) -> Outcome:
    later = MORNING + timedelta(days=days)
    return outcome(
        row(body=STORIES[0]),
        row(entry_id="e2", body=body, published_at=later, fetched_at=later + timedelta(hours=1)),
    )


def test_the_window_ends() -> None:
    edited = f"{STORIES[0]} One more line of news here."
    assert kept(days_apart(3, edited)) == ["e1"]
    assert kept(days_apart(4, edited)) == ["e1", "e2"]
    assert kept(days_apart(7, STORIES[0])) == ["e1"]
    assert kept(days_apart(8, STORIES[0])) == ["e1", "e2"]


def linked(first: str, second: str) -> bool:
    texts = [
        Text("a", first, publisher="a.example", published_at=MORNING),
        Text("b", second, publisher="b.example", published_at=MORNING + timedelta(hours=3)),
    ]
    original, copy = find_duplicates(texts)
    return original.cluster_id == copy.cluster_id


@pytest.mark.parametrize("name", EDITS)
def test_edited_copies_are_found(name: str) -> None:
    edit, recall_min = EDITS[name]
    r = random.Random(name)
    found = [linked(story, edit(story, r)) for story in STORIES for _ in range(4)]
    assert sum(found) / len(found) >= recall_min - 0.02


@pytest.mark.parametrize("name", [*TEMPLATES, "one event"])
def test_different_news_from_one_template_stays(name: str) -> None:
    pairs = [(a, b) for template, a, b in template_pairs(60, 23) if template == name]
    wrong = [pair for pair in pairs if linked(*pair)]
    assert len(wrong) <= 0.02 * len(pairs), wrong[0]


def test_templates_stay_when_all_come_at_once() -> None:
    texts = [
        Text(
            f"{n}-{side}", text, publisher="a.example", published_at=MORNING + timedelta(minutes=n)
        )
        for n, (_, *pair) in enumerate(template_pairs(40, 29))
        for side, text in zip("ab", pair, strict=True)
    ]
    wrong = [verdict for verdict in find_duplicates(texts) if verdict.duplicate_of]
    assert len(wrong) <= 0.03 * len(texts), wrong[:3]


def test_what_quotes_an_entry_is_never_removed() -> None:
    day = [row(entry_id=f"s{n}", headline=None, body=story) for n, story in enumerate(STORIES[:4])]
    later = MORNING + timedelta(hours=5)
    round_ups = [
        row(
            entry_id=f"r{n}",
            headline=None,
            published_at=later,
            body="\n\n".join([*some, STORIES[9 + n]]),
        )
        for n, some in enumerate((STORIES[:3], STORIES[1:4]))
    ]
    found = outcome(*day, *round_ups)
    assert kept(found) == sorted(r.entry_id for r in (*day, *round_ups))
    quote = row(
        entry_id="q", headline=None, body=STORIES[9], published_at=later + timedelta(hours=1)
    )
    found = outcome(*day, *round_ups, quote)
    assert removed(found)["q"][:2] == ("r0", "contained")


def test_boilerplate_is_learnt_of_each_publisher() -> None:
    shared = "\n\n".join(
        f"The house rule number {n} of this paper is printed here." for n in "abcd"
    )
    rows = [
        row(entry_id=f"e{n}", headline=None, body=f"{story[:150]}\n\n{shared}")
        for n, story in enumerate(STORIES)
    ]
    found = outcome(*rows)
    assert len(found.boilerplate) == 4
    assert kept(found) == sorted(r.entry_id for r in rows)
    # Another publisher that says so three times says it as news.
    others = [dataclasses.replace(r, publisher=f"p{n // 3}.example") for n, r in enumerate(rows)]
    assert len(outcome(*others).boilerplate) == 0
    # What was learnt holds in later runs: a line more of it is no revision.
    again = dataclasses.replace(rows[0], body=STORIES[0][:150], content_hash="other")
    assert deduplicate([again], found.known, found.boilerplate)[:3] == ([], [], [])


def test_copies_of_one_story_are_no_boilerplate() -> None:
    r = random.Random(3)
    copies = [edit(STORIES[0], r) for edit, _ in EDITS.values() for _ in range(2)]
    rows = [
        row(
            entry_id=f"e{n:02}",
            headline=None,
            body=body,
            published_at=MORNING + timedelta(minutes=n),
        )
        for n, body in enumerate([STORIES[0], *copies])
    ]
    assert len(outcome(*rows).boilerplate) == 0


@pytest.mark.parametrize("copy_is_first", [False, True])
def test_a_reposted_live_blog_is_a_copy_entry_by_entry(*, copy_is_first: bool) -> None:
    original = [
        row(
            entry_id=f"o{n}",
            page_url="https://lantern-gazette.example/live/1",
            entry_url=f"https://lantern-gazette.example/live/1#{n}",
            headline=f"Entry {n} of the day",
            body=story,
            published_at=MORNING + timedelta(minutes=n),
        )
        for n, story in enumerate(STORIES)
    ]
    reposted = [
        dataclasses.replace(
            one,
            entry_id=one.entry_id.replace("o", "c"),
            cluster_id=one.entry_id.replace("o", "c"),
            page_url="https://mirror.example/text",
            entry_url=None,
            publisher=None,
            body=f"(Video) A film of number {n}\n\n{one.body}\n\n{BOILERPLATE[3]}\n\nTrailer {n}",
            content_hash=f"copy {n}",
        )
        for n, one in enumerate(original)
    ]
    rows = [*reposted, *original] if copy_is_first else [*original, *reposted]
    found = outcome(*rows)
    assert kept(found) == sorted(one.entry_id for one in original)
    assert {c: o for c, (o, *_) in removed(found).items()} == {
        f"c{n}": f"o{n}" for n in range(len(STORIES))
    }


def test_one_text_a_thousand_times_is_one_entry_and_its_copies() -> None:
    storm = [row(entry_id=f"e{n:04}", body=STORIES[0]) for n in range(1000)]
    edited = row(
        entry_id="x", body=f"{STORIES[0]} And more.", published_at=MORNING + timedelta(hours=1)
    )
    found = outcome(*storm, edited)
    assert len(found.entries) == 1
    assert {one.duplicate_of for one in found.duplicates} == {found.entries[0].entry_id}


def test_words_are_read_alike_however_they_are_set() -> None:
    first = read_words(
        "A \u201cbig\u201d day", "He said \u2018no\u2019 \u2013 twice. Then 1,200 left."
    )
    second = read_words(
        'A "BIG" day', "(AP) - he said 'no' - twice. \n\nThen 1,200 left.\nSubscribe now!"
    )
    assert [int(word) & 0xFFFFFFFF for word in first if not int(word) >> 36] == [
        int(word) & 0xFFFFFFFF for word in second if not int(word) >> 36
    ]
    assert len(read_words(None, "\u6771\u4eac\u3067\u706b\u4e8b")) == 5
    assert len(read_words(None, "")) == 0
    assert len(read_words(None, "\0 \0\0 x")) == 1
    assert int(read_words(None, "\ud800")[0]) >> 36 == 1  # no word


def document(ref: int, shingles: set[int], **given: Any) -> dict[str, Any]:
    packed = np.array(sorted(shingles), np.uint32).tobytes()
    return {
        "ref": ref, "entry_id": f"e{ref}", "cluster_id": f"e{ref}", "standing": 0, "rank": ref,
        "time_us": ref, "day": 1, "text_key": ref, "text_hash": ref, "page_key": ref,
        "shingles": packed, "numbers": b"", "names": b"", **given,
    }  # fmt: skip


def pairs_that_hold(every: pa.RecordBatch, pairs: NDArray[np.void]) -> list[tuple[int, int]]:
    a, b = (every.take(pa.array(places_of(every, pairs[name]))) for name in ("a", "b"))
    return [(edge.a.ref, edge.b.ref) for edge in verify(a, b, 7)]


shingle_sets = st.sets(st.integers(0, 40).map(lambda n: n * 97_612_893 % (1 << 32)))


@settings(deadline=None)
@given(st.lists(shingle_sets, min_size=2, max_size=8), st.integers(0, 7))
def test_no_pair_that_holds_is_sifted_out(texts: list[set[int]], copied: int) -> None:
    made = [document(n + 1, shingles) for n, shingles in enumerate(texts)]
    of_first = {"text_key": 1} if copied % 2 else {"text_hash": 1}
    made.append(document(len(made) + 1, texts[copied % len(texts)], **of_first))
    every = pa.RecordBatch.from_pylist(made, DOCUMENTS)
    refs = range(1, len(made) + 1)
    pairs = np.array(list(itertools.combinations(refs, 2)), PAIR)
    sifted = sift(pairs, briefs(every), 7)
    assert pairs_that_hold(every, sifted) == pairs_that_hold(every, pairs)


def test_pairs_that_share_little_are_sifted_out() -> None:
    r = random.Random(3)
    texts = [set(r.sample(range(1 << 32), 200)) for _ in range(40)]
    copies = [
        set(r.sample(sorted(text), 150)) | set(r.sample(range(1 << 32), 50)) for text in texts
    ]
    made = [document(n + 1, shingles) for n, shingles in enumerate([*texts, *copies])]
    every = pa.RecordBatch.from_pylist(made, DOCUMENTS)
    pairs = np.array(list(itertools.combinations(range(1, 81), 2)), PAIR)
    assert sift(pairs, briefs(every), 7).tolist() == [(n, n + 40) for n in range(1, 41)]
    far = pa.RecordBatch.from_pylist(
        [{**one, "time_us": one["ref"] << 40} for one in made], DOCUMENTS
    )
    assert len(sift(pairs, briefs(far), 7)) == 0


rows_of_a_week = st.lists(
    st.builds(
        lambda story, day, minute, cut, site: (story, day, minute, cut, site),
        st.integers(0, 5),
        st.integers(0, 9),
        st.integers(0, 1439),
        st.sampled_from(["whole", "half", "more", "upper"]),
        st.sampled_from(["a.example", "b.example", "apnews.com", None]),
    ),
    max_size=14,
)


def made(specs: list[tuple[int, int, int, str, str | None]]) -> list[EntryRow]:
    rows = []
    for n, (story, day, minute, cut, site) in enumerate(specs):
        at = MORNING.replace(hour=0, minute=0) + timedelta(days=day, minutes=minute)
        body = {
            "whole": STORIES[story],
            "half": STORIES[story][: len(STORIES[story]) * 2 // 3],
            "more": f"{STORIES[story]} Somebody added a line of {story} words.",
            "upper": STORIES[story].upper(),
        }[cut]
        rows.append(
            row(
                entry_id=f"e{n}", headline=None, body=body, publisher=site, published_at=at,
                fetched_at=at + timedelta(minutes=3),
            )
        )  # fmt: skip
    return rows


@settings(max_examples=20, deadline=None)
@given(rows_of_a_week, st.randoms())
@example(
    [
        (1, day, 0, cut, "a.example")
        for day, cut in ((0, "whole"), (1, "half"), (4, "half"), (4, "half"))
    ],
    random.Random(1),
)
def test_neither_arrival_nor_runs_a_day_at_a_time_change_who_survives(
    specs: list[tuple[int, int, int, str, str | None]], r: random.Random
) -> None:
    rows = made(specs)
    whole = deduplicate(rows)
    shuffled = rows[:]
    r.shuffle(shuffled)
    assert kept(deduplicate(shuffled)) == kept(whole)
    assert removed(deduplicate(shuffled)) == removed(whole)
    known: list[KnownEntry] = []
    survivors: list[str] = []
    for date in sorted({one.date for one in shuffled}):
        day = deduplicate([one for one in shuffled if one.date == date], known)
        known += day.known
        survivors += kept(day)
    assert sorted(survivors) == kept(whole)


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
    found = identified(sightings, [])
    assert [r.revision for r in found] == list(range(len({r.content_hash for r in sightings})))
    random.shuffle(sightings)
    assert identified(sightings, []) == found
    assert identified(sightings, [known_entry(r) for r in found]) == []
