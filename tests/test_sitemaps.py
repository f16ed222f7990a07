from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import SourceError
from schemas.records import DiscoveredPage
from transforms.sitemaps import Sitemap, read_moment, read_sitemap

URL = "https://www.lantern-gazette.example/sitemap.xml"
SINCE = datetime(2026, 5, 12, 6, 0, tzinfo=UTC)


def page(path: str, **overrides: Any) -> DiscoveredPage:
    fields = {"title": None, "changed_at": None, "categories": ()} | overrides
    return DiscoveredPage(url=f"https://www.lantern-gazette.example{path}", **fields)


def sitemap(**overrides: Any) -> Sitemap:
    fields: dict[str, Any] = {"children": (), "pages": (), "too_old": 0, "invalid": 0, "over": 0}
    return Sitemap(**(fields | overrides))


def urlset(*items: str, root: str = "urlset") -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
 xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
 xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
{"".join(items)}</{root}>""".encode()


def url(path: str, more: str = "") -> str:
    return f"<url><loc>https://www.lantern-gazette.example{path}</loc>{more}</url>"


def child(path: str, more: str = "") -> str:
    return url(path, more).replace("url>", "sitemap>")


def test_an_index_names_sitemaps() -> None:
    index = urlset(
        child("/2026.xml", "<lastmod>2026-05-12T08:00:00+02:00</lastmod>"),
        child("/2025.xml", "<lastmod>2025-12-31</lastmod>"),
        child("/undated.xml"),
        child("/undated.xml"),
        root="sitemapindex",
    )
    both = tuple(f"https://www.lantern-gazette.example/{name}.xml" for name in ("2026", "undated"))
    assert read_sitemap(index, URL, SINCE) == sitemap(children=both, too_old=1)
    assert len(read_sitemap(index, URL).children) == 3


def test_pages_with_their_last_change() -> None:
    found = read_sitemap(
        urlset(
            url("/news/1?utm_source=map&amp;a=1", "<lastmod>2026-05-12T08:30:00+02:00</lastmod>"),
            url("/news/2", "<lastmod>a while ago</lastmod><priority>0.5</priority>"),
            "<url><loc>\n  /news/3\n</loc></url>",
            "<url><loc><![CDATA[https://www.lantern-gazette.example/news/4?a=1&b=2]]></loc></url>",
        ),
        URL,
    )
    assert found == sitemap(
        pages=(
            page("/news/1?a=1", changed_at=datetime(2026, 5, 12, 6, 30, tzinfo=UTC)),
            page("/news/2"),
            page("/news/3"),
            page("/news/4?a=1&b=2"),
        )
    )


NEWS = """<news:news><news:publication><news:name>Lantern</news:name><news:language>en</news:language>
</news:publication><news:publication_date>2026-05-12T06:30:00Z</news:publication_date>
<news:title>Bridge &amp; ferry
 open</news:title><news:keywords>Politics, Transport,, Politics</news:keywords></news:news>"""
PICTURE = (
    "<image:image><image:loc>https://a.example/1.jpg</image:loc>"
    "<image:title>Picture</image:title></image:image>"
)


def test_the_news_extension() -> None:
    (found,) = read_sitemap(urlset(url("/news/1", PICTURE + NEWS + PICTURE)), URL).pages
    assert found == page(
        "/news/1",
        title="Bridge & ferry open",
        changed_at=datetime(2026, 5, 12, 6, 30, tzinfo=UTC),
        categories=("Politics", "Transport"),
        language="en",
    )


def test_the_later_of_both_dates_decides_what_is_too_old() -> None:
    old_story_changed = url("/live/1", NEWS + "<lastmod>2026-05-14T09:00:00Z</lastmod>")
    (found,) = read_sitemap(urlset(old_story_changed), URL, SINCE + timedelta(days=1)).pages
    assert found.changed_at == datetime(2026, 5, 14, 9, 0, tzinfo=UTC)
    assert read_sitemap(
        urlset(old_story_changed), URL, SINCE + timedelta(days=3)
    ) == sitemap(too_old=1)  # fmt: skip


@pytest.mark.parametrize(
    ("lastmod", "kept"),
    [
        ("2026-05-12T06:00:00Z", True),
        ("2026-05-12T07:59:59+02:00", False),
        ("2026-05-12", True),
        ("2026-05-11", True),  # still going on in the westernmost zone
        ("2026-05-10", False),
        ("2026-05-12T05:00:00", True),
        ("2026-05", True),
        ("2026-04", False),
        ("2026", True),
        ("2025", False),
        ("", True),
    ],
)
def test_since(lastmod: str, kept: bool) -> None:
    found = read_sitemap(urlset(url("/1", f"<lastmod>{lastmod}</lastmod>")), URL, SINCE)
    assert (len(found.pages), found.too_old) == (int(kept), int(not kept))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("2026", "2026-01-01T00:00:00"),
        ("2026-05", "2026-05-01T00:00:00"),
        ("2026-05-12", "2026-05-12T00:00:00"),
        ("2026-05-12T08:30Z", "2026-05-12T08:30:00"),
        ("2026-05-12T08:30+02:00", "2026-05-12T06:30:00"),
        ("2026-05-12T08:30:15-0430", "2026-05-12T13:00:15"),
        ("2026-05-12T08:30:15.45Z", "2026-05-12T08:30:15.450000"),
        ("2026-05-12t08:30:15.123456789z", "2026-05-12T08:30:15.123456"),
        (" 2026-05-12 08:30:60 ", "2026-05-12T08:30:59"),
    ],
)
def test_every_form_of_a_moment(text: str, first: str) -> None:
    moment = read_moment(text)
    assert moment is not None
    assert moment[0] == datetime.fromisoformat(first).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "12 May 2026", "2026-13", "2026-02-30", "2026-5-1", "0000", "2026-05-12T25:00Z",
     "2026-05-12T08:30+99:00", "0001-01-01T00:00+01:00", "20260512"],
)  # fmt: skip
def test_what_is_no_moment(text: str) -> None:
    assert read_moment(text) is None


@given(st.datetimes(timezones=st.just(UTC)))
def test_moments_come_back(moment: datetime) -> None:
    found = read_moment(moment.isoformat())
    assert found == (moment, moment)


@given(st.text(alphabet="0123456789-:TZ+. ", max_size=30))
def test_a_moment_does_not_end_before_it_begins(text: str) -> None:
    found = read_moment(text)
    assert found is None or found[0] <= found[1]


def test_what_leads_nowhere_is_counted() -> None:
    found = read_sitemap(
        urlset("<url/>", "<url><loc>ftp://a.example/</loc></url>", "<url><loc>here</loc></url>", url("/1")),
        URL,
    )  # fmt: skip
    assert found == sitemap(pages=(page("/1"),), invalid=3)


@pytest.mark.parametrize("namespace", ["", ' xmlns="http://www.google.com/schemas/sitemap/0.84"'])
def test_any_namespace(namespace: str) -> None:
    content = f"<urlset{namespace}>{url('/1')}</urlset>".encode()
    assert read_sitemap(content, URL) == sitemap(pages=(page("/1"),))


def test_a_prefix_that_nobody_declared() -> None:
    pictured = "<url><loc>{}</loc><image:image><image:loc>/x.png</image:loc></image:image></url>"
    found = read_sitemap(urlset(pictured.format("https://www.lantern-gazette.example/1")), URL)
    assert found == sitemap(pages=(page("/1"),))
    with pytest.raises(SourceError) as raised:
        read_sitemap(b"<map:index><url/></map:index>", URL)
    assert raised.value.code == "sitemap_broken"


def test_usual_mistakes() -> None:
    bare = b"\xef\xbb\xbf\n " + urlset(url("/1?a=1&b=2"), url("/2&amp;x&#38;"))
    assert read_sitemap(bare, URL) == sitemap(pages=(page("/1?a=1&b=2"), page("/2&x&")))
    cut = urlset(url("/1"), url("/2"), url("/3")).partition(b"/3")[0]
    assert read_sitemap(cut, URL) == sitemap(pages=(page("/1"), page("/2")), invalid=1)
    utf16 = urlset(url("/1")).decode().replace("UTF-8", "UTF-16").encode("utf-16")
    assert read_sitemap(utf16, URL) == sitemap(pages=(page("/1"),))


def test_a_list_of_addresses() -> None:
    lines = b"\xef\xbb\xbfhttps://www.lantern-gazette.example/1\r\n\n /2\nhttps://www.lantern-gazette.example/2"
    assert read_sitemap(lines, URL, SINCE) == sitemap(pages=(page("/1"), page("/2")), invalid=1)


@pytest.mark.parametrize("listed", [True, False])
def test_what_is_past_the_limit_is_counted(listed: bool) -> None:
    if listed:
        content = b"\n".join(b"https://a.example/%d" % n for n in range(50_003))
    else:
        content = urlset(*(f"<url><loc>https://a.example/{n}</loc></url>" for n in range(50_003)))
    found = read_sitemap(content, URL)
    assert (len(found.pages), found.over) == (50_000, 3)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"  ",
        b"<html><body>Not here</body></html>",
        b"<rss version='2.0'><channel/></rss>",
        b"<feed xmlns='http://www.w3.org/2005/Atom'/>",
        b"just words\nand more",
        b"\x89PNG\r\n\x1a\n",
        b"<urlset",
        b"<url>" * 10_000,
        b"<urlset>" + b"<url>" * 10_000,
        b"<?xml version='1.0' encoding='punycode'?><urlset/>",
    ],
)
def test_what_is_no_sitemap(content: bytes) -> None:
    with pytest.raises(SourceError) as raised:
        read_sitemap(content, URL)
    assert raised.value.code == "sitemap_broken"


def test_an_entity_nobody_declared_costs_its_item_alone() -> None:
    doctype = b'<!DOCTYPE urlset SYSTEM "https://a.example/sitemap.dtd">'
    content = urlset(url("/&x;"), url("/1", NEWS.replace("Lantern", "&x;"))).split(b"?>", 1)[1]
    found = read_sitemap(doctype + content, URL)
    assert ([one.url for one in found.pages], found.invalid) == ([page("/1").url], 1)


def test_an_empty_sitemap_is_a_sitemap() -> None:
    assert read_sitemap(urlset(), URL) == sitemap()


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "subset",
    [
        f'<!ENTITY l0 "ha">{LAUGHS}',
        '<!ENTITY l9 SYSTEM "file:///etc/hostname">',
        '<!ATTLIST url a CDATA "x">',
    ],
)
def test_declared_entities_are_refused(subset: str, encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE u [{subset}]><urlset>{url("/&l9;")}</urlset>'
    with pytest.raises(SourceError, match="declares entities"):
        read_sitemap(text.encode(encoding), URL)


FRAGMENTS = st.sampled_from(
    [
        "<urlset>", "</urlset>", "<sitemapindex>", "<sitemap>", "</sitemap>", "<url>", "</url>", "<loc>",
        "</loc>", "https://a.example/", "https://[", "<lastmod>", "</lastmod>", "2026-05", "&", "&amp;",
        "&x;", "<news:news>", "<a:news xmlns:a='b'>", "<news>", "</news>", "<title>", "</title>", "<!--",
        "-->", "<?x ?>", "<![CDATA[", "]]>", "\0", "\ufeff", "<publication>", "<language>", "</publication>", "<!DOCTYPE u>",
        "<?xml version='1.0' encoding='utf-16'?>", "\n", "<x:url xmlns:x='urn:é'>",
    ]
)  # fmt: skip


@given(
    st.lists(FRAGMENTS | st.text(max_size=3), max_size=25).map("".join).map(str.encode)
    | st.lists(FRAGMENTS, max_size=15).map(lambda parts: f"<urlset>{''.join(parts)}".encode())
    | st.binary(max_size=200)
)
@settings(max_examples=400, deadline=None)
def test_hostile_bytes_give_a_sitemap_or_the_typed_error(content: bytes) -> None:
    try:
        found = read_sitemap(content, URL, SINCE)
    except SourceError:
        return
    for one in found.pages:
        (one.url + (one.title or "") + (one.language or "") + "".join(one.categories)).encode()
