from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from schemas.ids import content_hash, entry_id, normalise_text, stable_id


def test_ids_are_the_same_for_ever() -> None:
    assert stable_id("a", "b") == "f04cdced9736a69da6103f08a4daaf8c"
    assert entry_id("https://a.example/live", "post-7") == "e80590fb868879a1a1aeafd5ae7902d0"


def test_fields_do_not_run_together() -> None:
    assert stable_id("ab", "c") != stable_id("a", "bc")


def test_what_a_reader_would_call_the_same_is_the_same() -> None:
    assert normalise_text("“It’s  done” – he\u00a0said\u00ad") == '"it\'s done" - he said'
    assert content_hash("Head", "One.\n\nTwo.") == content_hash("head", "One. Two.")
    assert content_hash(None, "Head one") == content_hash("Head", "one")
    assert content_hash("Head", "one") != content_hash("Head", "two")


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise_text(text)
    assert normalise_text(once) == once
