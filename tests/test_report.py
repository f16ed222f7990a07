from __future__ import annotations

import dataclasses
import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.__main__ import main
from pipeline.report import facts as limits
from pipeline.report.facts import gather_facts, timeline
from pipeline.views import open_views
from schemas.records import DuplicateRow
from tests.browser import CHROMIUM, Tab, chromium
from tests.datasets import add_run
from tests.factories import MORNING, letter, row
from transforms.commit import claim

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\">"


def minutes(n: float) -> datetime:
    return MORNING + timedelta(minutes=n)


def add_everything(root: Path) -> None:
    """A dataset with something for every section, and markup wherever a page may put it."""
    hostile: dict[str, Any] = {
        "headline": f"Evil {SCRIPT}",
        "body": f"Text {SCRIPT}\n\n]]></style></textarea>{{{{ 7 * 7 }}}}",
        "page_title": f"Title {SCRIPT}",
        "publisher": f"evil{SCRIPT}.example",
        "authors": (f"Mallory {SCRIPT}",),
        "entry_url": "javascript:document.title='owned'",
        "page_url": "https://evil.example/\"onmouseover=\"document.title='owned'",
        "topic": "unclassified",
        "language": 'en" onclick="x',
    }
    page_url = "https://lantern-gazette.example/live/1"
    blog = [
        row(entry_id=f"b{n}", headline=f"Minute {n}", published_at=minutes(n), position=9 - n,
            is_key_event=n == 3, page_url=page_url, entry_url=f"{page_url}#b{n}")
        for n in range(10)
    ]  # fmt: skip
    copies = [
        DuplicateRow(
            row(entry_id="c1", publisher="relay.example", page_url="https://relay.example/1",
                headline="Minute 3", published_at=minutes(18), cluster_id="b3"),
            "b3", "near", 0.93),
        DuplicateRow(row(**hostile, entry_id="c2", published_at=minutes(2), cluster_id="b3"), "b3", "exact", 1.0),
    ]  # fmt: skip
    letters = [
        letter(),
        letter(code="timeout", uri=f"https://evil.example/{SCRIPT}", detail=SCRIPT),
        letter(code="file_unreadable", uri="pages/a.html"),
    ]
    add_run(
        root,
        [*blog, row(**hostile, entry_id="x1")],
        copies,
        letters,
        pages=9,
        pages_split=6,
        pages_failed=3,
    )
    changed = [
        row(entry_id="b3", revision=1, headline="Minute three", published_at=minutes(3), cluster_id="b3",
            page_url=page_url,
            body=f"The first cars crossed the old bridge {SCRIPT} shortly after eight.",
            updated_at=minutes(40), is_key_event=True),
    ]  # fmt: skip
    add_run(root, changed, pages=9, pages_split=2, not_modified=7)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("report") / "harbour"
    add_everything(root)
    return root


@pytest.fixture(scope="module")
def page(dataset: Path) -> Path:
    output = dataset.with_name("page.html")
    assert main(["report", str(dataset), "--output", str(output)]) == 0
    return output


def facts_of(root: Path) -> dict[str, Any]:
    with open_views(str(root)) as connection:
        return gather_facts(connection)


def test_the_page_is_beside_the_dataset(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(dataset)]) == 0
    assert capsys.readouterr().out == f"{dataset}-report.html\n"
    assert Path(f"{dataset}-report.html").read_text("utf8").startswith("<!doctype html>")


def test_the_facts(dataset: Path) -> None:
    facts = facts_of(dataset)
    assert facts["totals"] == {
        "entries": 11, "publishers": 2, "live_blogs": 2, "first_date": date(2026, 5, 12),
        "last_date": date(2026, 5, 12), "duplicates": 2, "revisions": 1, "dead_letters": 3, "runs": 2,
        "last_run_at": datetime(2026, 5, 12, 20, 0, 30, tzinfo=UTC),
    }  # fmt: skip
    assert facts["days"]["per_day"] == [0] * (limits.DAYS_MIN - 1) + [11]
    assert [(topic["topic"], topic["per_day"][-1]) for topic in facts["days"]["topics"]] == [
        ("politics", 10),
        ("unclassified", 1),
    ]
    assert dict(facts["latency"]["buckets"])["6 to 24 h"] == 11
    assert {code["code"]: code["n"] for code in facts["letters"]["codes"]} == {
        "http_404": 1, "timeout": 1, "file_unreadable": 1,
    }  # fmt: skip
    assert [host["host"] for host in facts["letters"]["hosts"].rows] == [
        "evil.example", "files", "lantern-gazette.example",
    ]  # fmt: skip
    assert [(run["pages"], run["not_modified"]) for run in facts["runs"].rows] == [(9, 0), (9, 7)]


def test_who_was_first_and_who_copied(dataset: Path) -> None:
    (cluster,) = facts_of(dataset)["duplicates"]["clusters"].rows
    told = [
        (member["entry_id"], member["after_s"], member["kind"]) for member in cluster["members"]
    ]
    assert told == [("c2", 0, "exact"), ("b3", 60, None), ("c1", 16 * 60, "near")]
    pairs = facts_of(dataset)["duplicates"]["pairs"].rows
    assert [(pair["publisher"], pair["copies"], pair["after_s"]) for pair in pairs] == [
        ("lantern-gazette.example", 1, 60),
        ("relay.example", 1, 960),
    ]


def test_a_revision_shows_what_changed(dataset: Path) -> None:
    (entry,) = facts_of(dataset)["revisions"].rows
    (change,) = entry["changes"]
    assert change["headline"] == [("same", "Minute"), ("delete", "3"), ("insert", "three")]
    assert ("delete", "new") in change["body"]


def test_days_of_a_wrong_clock_do_not_spoil_the_picture(tmp_path: Path) -> None:
    times = [MORNING, MORNING - timedelta(days=400), MORNING + timedelta(days=4000)]
    rows = [row(entry_id=f"e{n}", published_at=time) for n, time in enumerate(times)]
    add_run(tmp_path / "set", rows)
    days = facts_of(tmp_path / "set")["days"]
    assert (len(days["days"]), days["per_day"][-1]) == (limits.DAYS_MAX, 1)
    assert (days["earlier"], days["later"]) == (1, 1)


def test_lists_are_bounded_and_say_of_how_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BLOGS_MAX", "ENTRIES_PER_BLOG_MAX", "PUBLISHERS_MAX", "CLUSTERS_MAX", "PAIRS_MAX",
                 "REVISED_MAX", "LETTERS_MAX", "HOSTS_MAX", "RUNS_MAX"):  # fmt: skip
        monkeypatch.setattr(limits, name, 1)
    rows = [
        row(entry_id=f"e{n}{m}", page_url=f"https://h{n}.example/", publisher=f"h{n}.example")
        for n in range(3) for m in range(2)
    ]  # fmt: skip
    copies = [
        DuplicateRow(dataclasses.replace(entry, entry_id=f"d{entry.entry_id}"), entry.entry_id, "exact", 1.0)
        for entry in rows
    ]  # fmt: skip
    add_run(
        tmp_path / "set", rows, copies, [letter(uri=f"https://h{n}.example/x") for n in range(3)]
    )
    add_run(tmp_path / "set", [dataclasses.replace(r, revision=1, body="Other.") for r in rows[:2]])
    assert main(["report", str(tmp_path / "set")]) == 0
    page = " ".join((tmp_path / "set-report.html").read_text("utf8").split())
    for said in (
        "1 of 3 live blogs", "1 of 2 entries, the latest,", "1 of 3 publishers", "1 of 6 clusters",
        "1 of 2 changed entries", "1 of 3 hosts", "1 of 2 runs", "1 of 3 pairs",
    ):  # fmt: skip
        assert said in page, said
    assert '<span class="about">1 of 3</span>' in page


def test_a_dataset_of_nothing(tmp_path: Path) -> None:
    claim(str(tmp_path / "set"))
    assert main(["report", str(tmp_path / "set")]) == 0
    page = (tmp_path / "set-report.html").read_text("utf8")
    assert "No entries yet" in page
    assert page.count('<section id="') == 9


def test_a_timeline_in_equal_parts() -> None:
    times = [{"published_at": minutes(n), "is_key_event": n == 1} for n in (0, 1, 95, 96)]
    bins = timeline(times)
    assert len(bins) == 96
    assert (bins[0], bins[1], bins[95]) == ((1, False), (1, True), (2, False))
    assert timeline([]) == []
    assert timeline(times[:1])[0] == (1, False)


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_page_holds_no_markup_but_its_own(page: Path) -> None:
    tags = Tags(page.read_text("utf8")).found
    assert {tag for tag, _ in tags} & {
        "script",
        "img",
        "iframe",
        "link",
        "object",
        "form",
        "base",
    } == set()
    names = {name for _, attributes in tags for name in attributes}
    assert [name for name in names if name.startswith("on") or name in {"src", "style"}] == []
    links = [attributes for tag, attributes in tags if tag == "a"]
    inside = [link for link in links if str(link["href"]).startswith("#")]
    outside = [link for link in links if link not in inside]
    assert len(outside) > 10
    assert {link["rel"] for link in outside} == {"noopener noreferrer"}
    assert [link for link in outside if not re.match("https?://", str(link["href"]))] == []
    (policy,) = [attributes["content"] for tag, attributes in tags if attributes.get("http-equiv")]
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/=]+'; base-uri 'none'; form-action 'none'",
        str(policy),
    )
    assert "{{ 7 * 7 }}" in page.read_text("utf8")


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    with chromium() as tab:
        yield tab


needs_browser = pytest.mark.skipif(not CHROMIUM, reason="no Chromium: apt-get install chromium")


@needs_browser
def test_in_a_browser_nothing_of_the_pages_runs(page: Path, tab: Tab) -> None:
    tab.look(1100, 900)
    tab.open(page.as_uri())
    assert tab.evaluate("document.title") == "harbour – news-ingest report"
    assert tab.evaluate("document.scripts.length + document.images.length") == 0
    assert tab.evaluate("getComputedStyle(document.body).maxWidth") == "992px"  # the style holds
    wrong = (
        "Runtime.consoleAPICalled",
        "Runtime.exceptionThrown",
        "Log.entryAdded",
        "Audits.issueAdded",
    )
    assert [event for kind in wrong for event in tab.saw(kind)] == []
    asked = [request["request"]["url"] for request in tab.saw("Network.requestWillBeSent")]
    assert asked == [page.as_uri()]


@needs_browser
def test_in_a_browser_the_policy_stops_what_would_run(page: Path, tab: Tab, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text(page.read_text("utf8").replace("</header>", f"</header>{SCRIPT}"), "utf8")
    tab.open(broken.as_uri())
    assert tab.evaluate("document.title") == "harbour – news-ingest report"
    assert tab.saw("Audits.issueAdded")


@needs_browser
def test_in_a_browser_a_click_shows_the_minutes(page: Path, tab: Tab) -> None:
    tab.look(1100, 900)
    tab.open(page.as_uri())
    blogs = "[...document.querySelectorAll('#blogs details')]"
    seen = (
        f"{blogs}.map(b => [...b.querySelectorAll('time')].filter(t => t.checkVisibility()).length)"
    )
    closed = tab.evaluate(seen)
    tab.click("#blogs details:nth-of-type(1) summary .title")
    opened = tab.evaluate(seen)
    assert opened[0] == closed[0] + 10
    assert opened[1:] == closed[1:]
    assert "Minute 9" in tab.evaluate("document.querySelector('#blogs details[open]').innerText")


@needs_browser
@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (390, "dark"), (1100, "dark")])
def test_in_a_browser_nothing_is_wider_than_the_window(
    width: int, scheme: str, page: Path, tab: Tab
) -> None:
    tab.look(width, 800, scheme)
    tab.open(page.as_uri())
    tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(251, 251, 249)", "dark": "rgb(20, 22, 24)"}[scheme]
