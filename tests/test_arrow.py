"""The column table of the contract, to the letter."""

from __future__ import annotations

import dataclasses

from schemas.arrow import DUPLICATES, ENTRIES, KNOWN_ENTRIES
from schemas.records import EntryRow, KnownEntry
from schemas.topics import QCODES, SLUGS, UNCLASSIFIED

CONTRACT = """
entry_id string
revision int32
page_url string
entry_url string
publisher string
page_title string
headline string
body string
authors list<element: string>
published_at timestamp[us, tz=UTC]
updated_at timestamp[us, tz=UTC]
time_source string
position int32
is_live_blog bool
is_key_event bool
language string
topic_qcode string
topic_source string
topic_score float
topic_evidence string
tags list<element: string>
links list<element: string>
images list<element: string>
split_by string
content_hash string
cluster_id string
fetched_at timestamp[us, tz=UTC]
run_id string
source string
"""


def test_entries_have_the_columns_of_the_contract() -> None:
    columns = [f"{field.name} {field.type}" for field in ENTRIES]
    assert columns == CONTRACT.split("\n")[1:-1]


def test_a_row_holds_the_columns_in_order_and_then_its_partitions() -> None:
    names = [field.name for field in dataclasses.fields(EntryRow)]
    assert names == [*ENTRIES.names, "date", "topic"]


def test_a_duplicate_is_the_whole_row_and_what_it_duplicates() -> None:
    removed = ["duplicate_of", "duplicate_kind", "duplicate_score"]
    assert DUPLICATES.names == [*ENTRIES.names, *removed]


def test_the_index_holds_what_a_later_run_reads_back() -> None:
    assert KNOWN_ENTRIES.names == [field.name for field in dataclasses.fields(KnownEntry)]


def test_there_are_17_topics() -> None:
    assert len(QCODES) == 17
    assert SLUGS - QCODES.keys() == {UNCLASSIFIED}
    assert sorted(QCODES.values()) == [f"medtop:{n:02}000000" for n in range(1, 18)]
