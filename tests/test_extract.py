from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ExtractError
from schemas.records import DeclaredTopic
from tests.factories import fetched
from transforms.extract import extract_page, in_utf8, registered_domain

GERMAN = (
    "Die Straßenbahn fährt künftig häufiger, erklärte Bürgermeisterin Grünwald. "
    "„Größere Verzögerungen“ gebe es nicht – die Maßnahme koste 30 Millionen €."
)
TEXTS = {
    "windows-1252": GERMAN,
    "iso-8859-2": "Mieszkańcy Łąkowa zgłaszają, że źródło wody było zanieczyszczone. Służby proszą "
    "o cierpliwość i wyjaśniają przyczyny.",
    "windows-1251": "Вчера в городе открылась новая станция метро. Пассажиры довольны, а мэр "
    "обещает ещё три станции до конца года.",
    "koi8-r": "Вчера в городе открылась новая станция метро. Пассажиры довольны, а мэр обещает.",
    "shift_jis": "昨日、市内で新しい地下鉄の駅が開業しました。乗客は満足しており、市長は喜んでいます。",
    "euc-jp": "昨日、市内で新しい地下鉄の駅が開業しました。乗客は満足しており、市長は喜んでいます。",
    "gb18030": "昨天，市内新地铁站开通。乘客们很满意，市长承诺年底前再开三站。",
    "big5": "昨天，市內新地鐵站開通。乘客們很滿意，市長承諾年底前再開三站。",
    "euc-kr": "어제 시내에 새로운 지하철역이 문을 열었다. 승객들은 만족했고 시장은 약속했다.",
    "windows-1253": "Χθες άνοιξε ένας νέος σταθμός του μετρό στην πόλη και οι επιβάτες χάρηκαν.",
    "utf-8": GERMAN,
}


def html(text: str, head: str = "") -> str:
    style = "<style>p { color: red }</style>" + "<!-- markup -->" * 20
    return f"<html><head>{head}{style}</head><body><p>{text}</p></body></html>"


@pytest.mark.parametrize("encoding", TEXTS)
def test_an_undeclared_charset_is_detected(encoding: str) -> None:
    page = html(TEXTS[encoding])
    assert in_utf8(page.encode(encoding), "text/html") == page.encode()


@pytest.mark.parametrize("encoding", TEXTS)
def test_a_charset_in_the_header(encoding: str) -> None:
    page = html(TEXTS[encoding])
    assert in_utf8(page.encode(encoding), f'text/html; charset="{encoding}"') == page.encode()


@pytest.mark.parametrize("encoding", TEXTS)
def test_a_charset_in_the_page(encoding: str) -> None:
    for meta in (
        f"<meta charset={encoding}>",
        f'<meta http-equiv="Content-Type" content="text/html; charset={encoding}">',
    ):
        page = html(TEXTS[encoding], meta)
        assert in_utf8(page.encode(encoding), "text/html") == page.encode()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_beats_the_header(encoding: str) -> None:
    assert (
        in_utf8(html(GERMAN).encode(encoding), "text/html; charset=latin1") == html(GERMAN).encode()
    )


def test_latin1_means_windows_1252_as_in_browsers() -> None:
    page = html(GERMAN, "<meta charset=iso-8859-1>")
    assert in_utf8(page.encode("windows-1252"), None) == page.encode()


def test_a_declaration_that_the_bytes_contradict_gives_way() -> None:
    page = html(TEXTS["windows-1251"], "<meta charset=utf-8>")
    assert in_utf8(page.encode("windows-1251"), "text/html; charset=utf-8") == page.encode()


@pytest.mark.parametrize(
    "charset", ["undefined", "punycode", "unicode_escape", "utf-7", "hex", "no-such-charset"]
)
def test_a_charset_that_is_none_does_not_count(charset: str) -> None:
    page = html(GERMAN, f"<meta charset={charset}>")
    assert in_utf8(page.encode(), f"text/html; charset={charset}") == page.encode()


def test_comments_before_the_document_take_no_long() -> None:
    page = fetched("<!-- a -->" * 20_000 + "<head></head> and text", content_type="text/plain")
    assert extract_page(page).media == "text"


def test_a_page_cut_in_the_middle_of_a_letter_stays_utf8() -> None:
    cut = (GERMAN + "ü").encode()[:-1]
    assert in_utf8(cut, None) == f"{GERMAN}\ufffd".encode()


@pytest.mark.parametrize("charset", ["utf-8", "no-such-charset"])
@pytest.mark.parametrize("language", ["en", "fr-FR", ""])
def test_a_few_letters_of_another_charset_than_declared_are_western(
    charset: str, language: str
) -> None:
    opens = f'<html lang="{language}">' if language else "<html>"
    page = f"{opens}<meta charset={charset}><p>Her café was closed. Nobody minded.</p></html>"
    assert in_utf8(page.encode("windows-1252"), None) == page.encode()


def test_a_few_letters_are_of_the_declared_language() -> None:
    page = '<html lang="pl"><p>Most jest zamknięty od wczoraj.</p></html>'
    assert in_utf8(page.encode("windows-1250"), None) == page.encode()


def test_nothing_is_utf16_without_a_mark() -> None:
    page = (
        b"<html><p>" + b"The bridge is closed. " * 20 + b"\xff\xfe\x80\x81 until noon.</p></html>"
    )
    assert b"The bridge is closed." in in_utf8(page, "text/html; charset=nonsense")


def test_plain_text_in_another_charset() -> None:
    page = extract_page(fetched(GERMAN.encode("windows-1252"), content_type="text/plain"))
    assert (page.media, page.markup, page.language) == ("text", GERMAN.encode(), "de")


@pytest.mark.parametrize("content", [b"", b" \r\n\t ", b"\n" * 100])
def test_an_empty_page(content: bytes) -> None:
    with pytest.raises(ExtractError) as caught:
        extract_page(fetched(content))
    assert caught.value.code == "page_empty"


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "text/html"),
        (b"%PDF-1.7 and so on", None),
        (bytes(range(256)) * 20, None),
        (gzip.compress(b"<p>page</p>")[2:] * 50, "text/html"),
        (b"perhaps words", "image/jpeg"),
        (b"perhaps words", "application/pdf"),
    ],
)
def test_a_binary_page(content: bytes, content_type: str | None) -> None:
    with pytest.raises(ExtractError) as caught:
        extract_page(fetched(content, content_type=content_type))
    assert caught.value.code == "page_binary"


@settings(max_examples=300)
@given(st.binary(), st.sampled_from([None, "text/html", "text/plain; charset=utf-16", "x"]))
def test_bytes_are_read_or_refused(content: bytes, content_type: str | None) -> None:
    try:
        page = extract_page(fetched(content, content_type=content_type))
    except ExtractError:
        return
    assert page.markup.strip()


PAGE = """<html lang="en-gb"><head>
<title>Storm closes harbour | Lantern Gazette</title>
<link rel="canonical" href="/news/live/storm?utm_source=mail&amp;id=7#latest">
<meta property="og:title" content="Storm closes   harbour">
<meta property="og:site_name" content="Lantern Gazette">
<meta property="article:section" content="Weather">
<meta property="article:published_time" content="2026-05-12T07:00:00+01:00">
<meta property="article:modified_time" content="2026-05-12T19:45:00Z">
<meta name="keywords" content="storm, harbour , ferries">
<script type="application/ld+json">
{"@context": "https://schema.org", "@type": "NewsArticle", "articleSection": ["UK news"],
 "author": [{"@type": "Person", "name": "Ada Quill"}, {"@type": "Organization", "name": "Press Pool"},
  {"name": "Lantern Gazette"}, "Ben  Marsh"]}
</script>
<script type="application/ld+json">
{"@type": "BreadcrumbList", "itemListElement": [{"name": "Home"},
 {"@type": "ListItem", "item": {"name": "Regional"}}]}
</script></head><body><p>The harbour is closed.</p></body></html>"""


def test_what_a_page_says_of_itself() -> None:
    page = extract_page(fetched(PAGE, url="https://www.lantern-gazette.example/x?id=7"))
    assert page.page_url == "https://www.lantern-gazette.example/news/live/storm?id=7"
    assert page.publisher == "lantern-gazette.example"
    assert (page.title, page.language) == ("Storm closes harbour", "en-GB")
    assert page.authors == ("Ada Quill", "Ben Marsh")
    assert page.published_at == datetime(2026, 5, 12, 6, 0, tzinfo=UTC)
    assert page.updated_at == datetime(2026, 5, 12, 19, 45, tzinfo=UTC)
    assert page.tags == ("storm", "harbour", "ferries")
    assert page.declared_topics == (
        DeclaredTopic("article_section", "UK news"),
        DeclaredTopic("meta_section", "Weather"),
        DeclaredTopic("url_path", "news"),
        DeclaredTopic("url_path", "live"),
        DeclaredTopic("breadcrumb", "Home"),
        DeclaredTopic("breadcrumb", "Regional"),
        DeclaredTopic("keywords", "storm"),
        DeclaredTopic("keywords", "harbour"),
        DeclaredTopic("keywords", "ferries"),
    )


def test_page_times_without_zone_take_the_one_that_is_given() -> None:
    page = '<meta name="date" content="2026-05-12T09:00:00"><p>words</p>'
    assert extract_page(fetched(page)).published_at is None
    paris = extract_page(fetched(page), timezone="Europe/Paris")
    assert paris.published_at == datetime(2026, 5, 12, 7, 0, tzinfo=UTC)


def canonical(href: str, url: str | None) -> str:
    content = f'<link rel=canonical href="{href}"><p>words</p>'
    return extract_page(fetched(content, url=url, uri="pages/1.html")).page_url


def test_a_canonical_address_counts_within_its_own_domain() -> None:
    own = "https://amp.lantern-gazette.example/1?amp=1"
    assert canonical("https://www.lantern-gazette.example/1", own).startswith("https://www.")
    assert canonical("https://tidewater.test/1", own) == own
    assert canonical("javascript:alert(1)", own) == own
    assert canonical("http://[broken", own) == own


PRINTABLE = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=40)


@settings(max_examples=300)
@given(PRINTABLE | PRINTABLE.map(lambda text: f"http://{text}"))
def test_no_declared_value_breaks_a_page(value: str) -> None:
    quoted = value.replace('"', "&quot;")
    metas = "".join(
        f'<meta property="{name}" content="{quoted}">'
        for name in ("og:url", "og:title", "article:section", "article:published_time", "author")
    )
    content = f'<html lang="{quoted}">{metas}<link rel=canonical href="{quoted}"><p>words</p>'
    page = extract_page(fetched(content.encode("utf8", "replace")))
    assert page.page_url.startswith("http")


@pytest.mark.parametrize("url", [None, "http://127.0.0.1:8000/1", "http://localhost/1"])
def test_a_page_from_nowhere_in_particular_is_where_it_says(url: str | None) -> None:
    assert canonical("https://tidewater.test/1", url) == "https://tidewater.test/1"


def test_a_file_that_names_no_address_is_known_by_its_path() -> None:
    page = extract_page(fetched("<p>words</p>", url=None, uri="/pages/a b.html"))
    assert (page.page_url, page.publisher) == ("file:///pages/a%20b.html", None)
    assert page.declared_topics == ()


@pytest.mark.parametrize(
    ("url", "publisher"),
    [
        ("https://www.lantern.co.uk/a", "lantern.co.uk"),
        ("https://news.lantern.com:8443/", "lantern.com"),
        ("https://a.b.lantern-gazette.example/", "lantern-gazette.example"),
        ("http://127.0.0.1:8000/", "127.0.0.1"),
        ("http://[::1]/", "::1"),
        ("http://localhost/", "localhost"),
        ("file:///pages/1.html", None),
        ("http://[broken", None),
    ],
)
def test_the_publisher_is_the_registered_domain(url: str, publisher: str | None) -> None:
    assert registered_domain(url) == publisher


def test_text_or_html_goes_by_what_it_is() -> None:
    assert extract_page(fetched("<p>words</p>", content_type=None)).media == "html"
    assert extract_page(fetched("a < b and c > d", content_type=None)).media == "text"
    assert extract_page(fetched("see <b>this</b>", content_type="text/plain")).media == "text"
    assert extract_page(fetched("<!DOCTYPE html><p>x", content_type="text/plain")).media == "html"


@pytest.mark.parametrize("spelling", ["p/a.html", "p/../p/a.html", "./p//a.html"])
def test_a_local_file_is_one_page_however_its_path_is_spelt(spelling: str) -> None:
    page = extract_page(fetched(html(GERMAN), uri=spelling, url=None))
    assert page.page_url == (Path.cwd() / "p/a.html").as_uri()


def test_the_feed_dates_a_page_that_does_not_say_when_it_was_published() -> None:
    published_at = datetime(2026, 5, 12, 6, 30, tzinfo=UTC)
    named = fetched(html(GERMAN))
    named = replace(named, request=replace(named.request, published_at=published_at))
    assert extract_page(named).published_at == published_at
    meta = '<meta name="parsely-pub-date" content="2026-05-11T04:00:00Z">'
    told = replace(named, content=html(GERMAN, meta).encode())
    assert extract_page(told).published_at == datetime(2026, 5, 11, 4, tzinfo=UTC)
