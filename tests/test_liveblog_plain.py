"""Plain text: scraped copies and WET records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.test_liveblog_shapes import STORIES, Story, expected, got, page_of, story
from transforms.liveblog import split_page

ENGLISH_DAY = "{at.day} {at:%B} {at.year} {at:%H:%M}"


def trailing(s: Story, noise: bool = True) -> str:
    """Entries that close with name and time run together, with what scrapers leave between."""
    intro = (
        "A headline of the page as a whole\n\nThe page opens with a summary of the day so far, in one "
        "long sentence.\n\n  • A first story\n  • A second story\n\n"
    )
    parts = []
    for n, i in enumerate(s.items):
        card = (
            f"{i.headline}\n\nA line from a card that stops without an end\n\n"
            if noise and n == 1
            else ""
        )
        video = "(Video) Something to watch | A channel\n\n" if noise and n % 2 else ""
        parts.append(
            f"{i.headline}\n\n" + "\n\n".join(i.paragraphs) + f"\n\n{card}{video}{i.author}"
            + ENGLISH_DAY.format(at=i.at)
        )  # fmt: skip
    end = "\n\nJoin our commenting forum\n\nJoin thought-provoking conversations, follow other readers\n\nTop Articles\nLatest Posts"
    return intro + "\n\n\n".join(parts) + end


@pytest.mark.parametrize("lang", STORIES)
@pytest.mark.parametrize("noise", [True, False])
def test_trailing_bylines(lang: str, noise: bool) -> None:
    s = story(lang)
    page = page_of(trailing(s, noise), s, media="text", url="file:///tmp/copy.txt")
    assert got(page, s.zone) == expected(s)


@pytest.mark.parametrize("lang", STORIES)
def test_leading_clocks(lang: str) -> None:
    s = story(lang)
    text = f"{s.title}\n\n" + "\n\n".join(
        f"{i.hm} - {i.headline}\n\n" + "\n\n".join(i.paragraphs) for i in s.items
    )
    page = page_of(text, s, media="text", updated_at=s.items[0].at.astimezone(UTC))
    assert got(page, s.zone) == expected(s, author=False)


def test_clock_lines_of_their_own() -> None:
    s = story("en")
    text = f"{s.title}\n\n" + "\n\n".join(
        f"{i.hm}\n\n{i.headline}\n\n" + "\n\n".join(i.paragraphs) + f"\n\nBy {i.author}"
        for i in s.items
    )
    page = page_of(
        text, s, media="text", updated_at=s.items[0].at.astimezone(UTC) + timedelta(minutes=1)
    )
    assert got(page, s.zone) == expected(s)


def test_an_ordinary_text_is_one_article() -> None:
    s = story("en")
    text = "A title\n\nThe first paragraph of a text.\n\nThe train left at 10:05 and came back.\n\nThe end of it."
    split = split_page(page_of(text, s, media="text", title="A title"), timezone=s.zone)
    assert not split.is_live_blog
    assert len(split.entries) == 1
    assert split.entries[0].published_at is None
    assert datetime(2024, 1, 1, tzinfo=UTC) < split.page.fetched_at
