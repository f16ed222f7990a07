from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.addresses import page_address

BASE = "https://www.lantern-gazette.example/feeds/all.xml"


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("https://a.example/x", "https://a.example/x"),
        (" /news/1\n", "https://www.lantern-gazette.example/news/1"),
        ("//b.example/x", "https://b.example/x"),
        ("HTTPS://A.Example/X#top", "https://a.example/X"),
        ("https://a.example/two words", "https://a.example/two%20words"),
        ("https://a.example/café", "https://a.example/caf%C3%A9"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://a.example/x?utm_source=rss&b=2&a=1&fbclid=z", "https://a.example/x?b=2&a=1"),
        ("https://a.example/story?12345", "https://a.example/story?12345"),
        ("https://a.example/a?cid=7&empty=", "https://a.example/a?cid=7&empty="),
        ("https://a.example/?at_medium=RSS", "https://a.example/"),
    ],
)
def test_what_leads_to_the_page_stays(value: str, address: str) -> None:
    assert page_address(value, BASE) == address


@pytest.mark.parametrize(
    "value",
    [
        None, 7, "", "  ", "mailto:desk@a.example", "javascript:void(0)", "ftp://a.example/",
        "https://a.example:99999/", "https://a.example:0/", "https://[::1", "https://a.example/\ud800",
        "https://a.example/" + "x" * 2100,
    ],
)  # fmt: skip
def test_what_is_no_address(value: object) -> None:
    assert page_address(value, BASE) is None


@given(st.text())
def test_any_text_is_an_address_or_none(value: str) -> None:
    found = page_address(value, BASE)
    if found is not None:
        assert urlsplit(found).scheme in {"http", "https"}
        assert found.isascii()
        assert not any(character.isspace() for character in found)
        assert page_address(found) == found
