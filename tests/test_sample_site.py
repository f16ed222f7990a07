from __future__ import annotations

import json
import socket
from datetime import datetime, timedelta
from html import unescape
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
import requests
from selectolax.lexbor import LexborHTMLParser, LexborNode

from pipeline.sample_site import DEFAULT_PORT, SAMPLE_TIMEZONE, SampleSite, serve_sample_site

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPECTED = json.loads(
    (Path(__file__).parent / "data" / "sample_site" / "expected.json").read_text("utf-8")
)
PAGES: dict[str, dict[str, Any]] = EXPECTED["pages"]
WITH_ENTRIES = [path for path, page in PAGES.items() if "entries" in page]

HARBOUR = "/harbour-post.example/politics/live/2026/04/21/sound-crossing-bill-final-vote"
KALTENAU = "/kaltenauer-bote.example/wirtschaft/giesserei-brennfels-rettung-liveticker-77100.html"
AUBRELLE = "/courrier-aubrelle.example/sport/cyclisme/boucle-aubrelle-2026-le-week-end-en-direct"
MERIDIAN = "/meridian-notebook.example/science/2026/04/lake-ambry-dust-diary"
TIDEWATER = "/tidewater-ledger.example/business/2026/05/12/bakers-cooperative-buys-mill"
RELAY = "/relay-digest.example/posts/sound-crossing-bill-final-vote-live-2026.txt"
BROKEN = "/corvane-radio.example/news/fog-over-the-skerries.html"
MISSING = "/harbour-post.example/politics/live/2026/03/30/budget-debate"

UTF8_HTML = "text/html; charset=utf-8"
SERVED = {
    HARBOUR: ("harbour_post_live.html", UTF8_HTML),
    KALTENAU: ("kaltenauer_bote_ticker.html", "text/html"),
    AUBRELLE: ("courrier_aubrelle_direct.html", UTF8_HTML),
    MERIDIAN: ("meridian_notebook_article.html", UTF8_HTML),
    TIDEWATER: ("tidewater_ledger_article.html", UTF8_HTML),
    RELAY: ("relay_digest_copy.txt", "text/plain; charset=utf-8"),
    BROKEN: ("corvane_radio_broken.html", UTF8_HTML),
    "/robots.txt": ("robots.txt", "text/plain; charset=utf-8"),
}


def content_of(path: str) -> bytes:
    return (resources.files("pipeline.sample_site") / "pages" / SERVED[path][0]).read_bytes()


def markup_of(path: str) -> str:
    return content_of(path).decode("cp1252" if path == KALTENAU else "utf-8")


def text_of(path: str) -> str:
    markup = markup_of(path)
    if path == RELAY:
        return markup
    body = LexborHTMLParser(markup).body
    assert body is not None
    return " ".join(body.text(deep=True).split())


def first(tree: LexborHTMLParser | LexborNode, selector: str) -> LexborNode:
    node = tree.css_first(selector)
    assert node is not None, selector
    return node


def local_time(entry: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(entry["published_at"]).astimezone(ZoneInfo(SAMPLE_TIMEZONE))


@pytest.fixture(scope="module")
def site() -> Iterator[SampleSite]:
    with serve_sample_site(port=0) as running:
        yield running


def get(url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers=headers, timeout=10, allow_redirects=False)


# The server


@pytest.mark.parametrize("path", SERVED)
def test_page_is_served_as_stored(site: SampleSite, path: str) -> None:
    response = get(site.base_url + path)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == SERVED[path][1]
    assert response.content == content_of(path)


def test_page_urls_are_the_expected_pages(site: SampleSite) -> None:
    assert site.page_urls == tuple(site.base_url + path for path in PAGES)
    assert urlsplit(site.base_url).hostname == "127.0.0.1"


@pytest.mark.parametrize(
    "path",
    [
        MISSING,
        "/",
        "/index.html",
        "/harbour_post_live.html",
        f"{HARBOUR}/",
        f"{HARBOUR}?page=2",
        "/../server.py",
        "/../../../../etc/passwd",
        "/pages/../server.py",
        "/%2e%2e/server.py",
        "//etc/passwd",
        f"{HARBOUR}/../../../../../../../server.py",
    ],
)
def test_unknown_path_is_404(site: SampleSite, path: str) -> None:
    # A bare socket: an HTTP client would resolve the dots before it sends them.
    port = urlsplit(site.base_url).port
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode("ascii"))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    status_line = answer.partition(b"\r\n")[0]
    assert status_line.split(b" ")[1] == b"404"
    assert b"serve_sample_site" not in answer


def test_unchanged_page_is_304(site: SampleSite) -> None:
    etag = get(site.base_url + HARBOUR).headers["ETag"]
    response = get(site.base_url + HARBOUR, **{"If-None-Match": etag})
    assert (response.status_code, response.content) == (304, b"")
    assert get(site.base_url + HARBOUR, **{"If-None-Match": '"other"'}).status_code == 200


def test_head_has_no_body(site: SampleSite) -> None:
    response = requests.head(site.base_url + HARBOUR, timeout=10)
    assert response.status_code == 200
    assert int(response.headers["Content-Length"]) == len(content_of(HARBOUR))
    assert response.content == b""


def test_nothing_is_logged(site: SampleSite, capfd: pytest.CaptureFixture[str]) -> None:
    get(site.base_url + HARBOUR)
    get(site.base_url + MISSING)
    assert capfd.readouterr() == ("", "")


def test_taken_port_falls_back_to_a_free_one() -> None:
    with serve_sample_site(port=0) as first:
        taken = urlsplit(first.base_url).port
        assert taken is not None
        with serve_sample_site(port=taken) as second:
            assert second.base_url != first.base_url
            assert get(second.base_url + "/robots.txt").status_code == 200


def test_default_port_is_used_and_given_back() -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", DEFAULT_PORT))
        except OSError:
            pytest.skip(f"port {DEFAULT_PORT} is taken")
    for _ in range(2):
        with serve_sample_site() as running:
            assert running.base_url == f"http://127.0.0.1:{DEFAULT_PORT}"
            get(running.base_url + "/robots.txt")
    with pytest.raises(requests.ConnectionError):
        get(running.base_url + "/robots.txt")


# The pages


def test_expectation_is_whole() -> None:
    assert EXPECTED["timezone"] == SAMPLE_TIMEZONE
    assert PAGES[BROKEN] == {"dead_letter": "page_binary"}
    assert PAGES[MISSING] == {"dead_letter": "http_404"}
    counts = {path: len(PAGES[path]["entries"]) for path in WITH_ENTRIES}
    assert counts == {HARBOUR: 12, KALTENAU: 10, AUBRELLE: 10, MERIDIAN: 1, TIDEWATER: 1, RELAY: 12}
    assert counts == {path: PAGES[path]["entry_count"] for path in WITH_ENTRIES}
    assert [path for path in WITH_ENTRIES if not PAGES[path]["is_live_blog"]] == [
        MERIDIAN,
        TIDEWATER,
    ]


@pytest.mark.parametrize("path", WITH_ENTRIES)
def test_expected_text_is_on_the_page_in_its_order(path: str) -> None:
    text = text_of(path)
    at = 0
    for entry in PAGES[path]["entries"]:
        for part in filter(None, [entry["headline"], *entry["paragraphs"]]):
            at = text.index(part, at)
        for author in entry["authors"]:
            assert author in text


@pytest.mark.parametrize("path", [HARBOUR, KALTENAU, AUBRELLE, MERIDIAN, TIDEWATER])
def test_canonical_link_names_the_invented_publisher(path: str) -> None:
    link = first(LexborHTMLParser(markup_of(path)), "link[rel=canonical]")
    assert link.attributes["href"] == PAGES[path]["page_url"] == f"https:/{path}"


def test_harbour_post_structured_data_agrees_with_the_page() -> None:
    tree = LexborHTMLParser(markup_of(HARBOUR))
    blog = json.loads(first(tree, 'script[type="application/ld+json"]').text())
    assert blog["@type"] == "LiveBlogPosting"
    expected = PAGES[HARBOUR]["entries"]
    for update, entry in zip(blog["liveBlogUpdate"], expected, strict=True):
        assert update.get("headline") == entry["headline"]
        assert update["articleBody"].split("\n\n") == entry["paragraphs"]
        assert [author["name"] for author in update["author"]] == entry["authors"]
        assert update["datePublished"] == local_time(entry).isoformat()

    articles = tree.css("article")
    pinned, *stream = articles
    assert "data-pinned-entry" in pinned.attributes
    for article, update, entry in zip(stream, blog["liveBlogUpdate"], expected, strict=True):
        assert update["url"].endswith(f"#{article.attributes['id']}")
        assert first(article, "time").attributes["datetime"] == update["datePublished"]
        assert [p.text() for p in article.css(".live-entry__body p")] == entry["paragraphs"]
        assert ("Key event" in article.text()) == entry["is_key_event"]
    assert [entry["headline"] for entry in expected].count(None) == 1


def test_kaltenauer_bote_is_no_utf_8_and_runs_over_midnight() -> None:
    content = content_of(KALTENAU)
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")
    assert b"charset=ISO-8859-1" in content
    # Quotation marks and dashes that only windows-1252 has, as browsers read the label.
    assert {"„", "“", "–", "€"} <= set(markup_of(KALTENAU))
    assert "LiveBlogPosting" not in markup_of(KALTENAU)

    entries = PAGES[KALTENAU]["entries"]
    times = LexborHTMLParser(markup_of(KALTENAU)).css("time")
    assert [time.attributes["datetime"] for time in times] == [
        local_time(entry).isoformat() for entry in entries
    ]
    assert {local_time(entry).day for entry in entries} == {6, 7}


def test_courrier_daubrelle_has_headings_and_nothing_else() -> None:
    tree = LexborHTMLParser(markup_of(AUBRELLE))
    assert not tree.css("time, article")
    entries = PAGES[AUBRELLE]["entries"]
    headings = [strong.text() for strong in tree.css("p > strong")]
    assert headings == [f"{local_time(entry):%Hh%M} - {entry['headline']}" for entry in entries]
    days = [heading.text() for heading in tree.css(".corps h2")]
    assert days == ["Dimanche 17 mai", "Samedi 16 mai"]
    assert [local_time(entry).day for entry in entries] == [17] * 6 + [16] * 4


@pytest.mark.parametrize("path", [MERIDIAN, TIDEWATER])
def test_articles_have_comments_and_related_stories(path: str) -> None:
    tree = LexborHTMLParser(markup_of(path))
    assert len(tree.css(".comments li, .comments article")) >= 3
    assert len(tree.css(".related li")) == 3
    (entry,) = PAGES[path]["entries"]
    assert first(tree, "h1").text() == entry["headline"]
    published = first(tree, 'meta[property="article:published_time"]').attributes["content"]
    assert published is not None
    assert datetime.fromisoformat(published) == local_time(entry)


def test_copy_repeats_the_harbour_post_word_for_word() -> None:
    copy, original = PAGES[RELAY], PAGES[HARBOUR]
    assert copy["copy_of"] == HARBOUR
    same = ("headline", "paragraphs", "authors", "published_at")
    assert [[entry[key] for key in same] for entry in copy["entries"]] == [
        [entry[key] for key in same] for entry in original["entries"]
    ]
    text = text_of(RELAY)
    for entry in copy["entries"]:
        byline = f"{' and '.join(entry['authors'])}{local_time(entry):%d %B %Y %H:%M}"
        parts = [*filter(None, [entry["headline"]]), *entry["paragraphs"], byline]
        assert "\n\n".join(parts) in text
    for boilerplate in ("(Video) ", "Sign up ", "reader forum", "Trending Now"):
        assert boilerplate in text


@pytest.mark.parametrize("path", WITH_ENTRIES)
def test_texts_are_plain_and_times_in_utc(path: str) -> None:
    for entry in PAGES[path]["entries"]:
        assert datetime.fromisoformat(entry["published_at"]).utcoffset() == timedelta(0)
        for text in filter(None, [entry["headline"], *entry["paragraphs"]]):
            assert text == unescape(text) == " ".join(text.split())
            assert "<" not in text


def test_broken_page_is_the_start_of_a_picture() -> None:
    content = content_of(BROKEN)
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert b"IEND" not in content


def test_robots_allow_all() -> None:
    assert content_of("/robots.txt") == b"User-agent: *\nAllow: /\n"
