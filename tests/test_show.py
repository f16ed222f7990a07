from __future__ import annotations

import dataclasses
import sys
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest

from pipeline.__main__ import main
from pipeline.show import page_lines
from schemas.records import Entry, Page, SplitPage

PAGE = str(files("pipeline.sample_site") / "pages" / "harbour_post_live.html")


def split_of(*entries: Entry) -> SplitPage:
    page = Page(
        uri="a.html", page_url="https://a.example/live", publisher="a.example", media="html", markup=b"",
        title="Bridge \x1b]0;owned\x07 opens", language="en", authors=(), published_at=None,
        updated_at=None, declared_topics=(), tags=(), fetched_at=datetime(2026, 5, 2, tzinfo=UTC), source="s",
    )  # fmt: skip
    return SplitPage(page, is_live_blog=True, entries=entries)


ENTRY = Entry(
    entry_id="1", headline="The bridge is open", body="Cars cross.\n\nLorries do not.",
    authors=("Ada Quill", "Bo Reed"), published_at=datetime(2026, 5, 2, 8, 30, tzinfo=UTC),
    updated_at=None, time_source="dom", entry_url=None, position=0, is_key_event=True, split_by="dom",
)  # fmt: skip


def test_as_a_person_reads_it() -> None:
    bare = dataclasses.replace(
        ENTRY, headline=None, body="", authors=(), published_at=None, is_key_event=False
    )
    assert list(page_lines(split_of(ENTRY, bare), width=40)) == [
        "Bridge  ]0;owned  opens",
        "a.example, live blog, 2 entries, UTC",
        "",
        "Saturday 2 May 2026",
        "",
        "08:30* The bridge is open",
        "       Key event, by Ada Quill, Bo Reed",
        "       Cars cross.",
        "",
        "       Lorries do not.",
        "",
        "--:--",
    ]


def test_lines_are_wrapped_to_the_terminal() -> None:
    long = dataclasses.replace(ENTRY, body="word " * 100, headline="head " * 30)
    for width in (24, 50, 200):
        lines = list(page_lines(split_of(long), width=width))
        assert max(map(len, lines)) <= min(width, 88)
        assert len([line for line in lines if line.startswith("08:30")]) == 1


@pytest.mark.parametrize(
    ("terminal", "plain", "coloured"), [(True, "", True), (True, "1", False), (False, "", False)]
)
def test_colours_only_on_a_terminal_that_wants_them(
    terminal: bool, plain: str, coloured: bool,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    monkeypatch.setenv("NO_COLOR", plain)
    assert main(["show", PAGE, "--timezone", "Europe/London"]) == 0
    out = capsys.readouterr().out
    assert ("\x1b[1;33m16:22\x1b[0m* \x1b[1;33mAssembly passes" in out) is coloured
    assert ("\x1b" in out) is coloured
    assert "by Orla Tennick, Devika Raman" in out


def test_a_page_that_cannot_be_had(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(tmp_path / "none.html")]) == 1
    assert capsys.readouterr().err.startswith("news-ingest: ")
