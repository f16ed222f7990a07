from __future__ import annotations

import pytest

from transforms.older import older_pages

URL = "https://www.lantern-gazette.example/live/2026/ferry"


def older(body: str, url: str = URL, head: str = "") -> list[str]:
    content = f"<html><head>{head}</head><body>{body}</body></html>".encode()
    found = older_pages(content, url)
    return [one.removeprefix("https://www.lantern-gazette.example") for one in found]


@pytest.mark.parametrize(
    ("link", "found"),
    [
        ('<a href="?page=2">2</a>', "/live/2026/ferry?page=2"),
        ('<a href="/live/2026/ferry?page=3#top">3</a>', "/live/2026/ferry?page=3"),
        ('<a href="?page=with:block-64a1f0#block-64a1f0">x</a>',
         "/live/2026/ferry?page=with:block-64a1f0"),
        ('<a href="/live/2026/ferry/page/2">next</a>', "/live/2026/ferry/page/2"),
        ('<a href="ferry-2" rel="nofollow next">more</a>', "/live/2026/ferry-2"),
        ('<a href="/live/2026/ferry-archive"> Older posts » </a>', "/live/2026/ferry-archive"),
        ('<a href="/live/2026/ferry-archiv">Ältere Beiträge</a>', "/live/2026/ferry-archiv"),
    ],
)  # fmt: skip
def test_links_to_older_entries(link: str, found: str) -> None:
    assert older(f"<p>{link}</p>") == [found]


def test_links_in_the_head_come_first_and_last() -> None:
    head = '<link rel="amphtml" href="/amp/live/ferry"><link rel="next" href="?page=2">'
    assert older('<a href="?page=2">2</a><a href="?page=3">3</a>', head=head) == [
        "/live/2026/ferry?page=2",
        "/live/2026/ferry?page=3",
        "/amp/live/ferry",
    ]


@pytest.mark.parametrize(
    "link",
    [
        '<a href="/live/2026/other?page=2">2</a>',
        '<a href="/news?page=2">2</a>',
        '<a href="?share=mail">share</a>',
        '<a href="?page=2&amp;share=mail">share</a>',
        '<a href="#block-7">7</a>',
        '<a href="/live/2026/ferry">all</a>',
        '<a href="https://tidewater.test/live?page=2" rel="next">elsewhere</a>',
        '<a href="javascript:more()">Older posts</a>',
        '<a href="http://[broken">Older posts</a>',
        '<a href="/about">Older people and the ferry: what the minister said today</a>',
    ],
)
def test_what_does_not_lead_to_older_entries(link: str) -> None:
    assert older(link) == []


def test_from_a_later_page_the_first_is_not_older() -> None:
    assert older('<a href="?page=1">1</a><a href="?page=3">3</a>', url=f"{URL}?page=2") == [
        "/live/2026/ferry?page=1",
        "/live/2026/ferry?page=3",
    ]
