from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import SourceError
from schemas.records import DiscoveredPage
from transforms.feeds import Feed, read_feed

URL = "https://www.lantern-gazette.example/feeds/all.xml"
XML = "application/rss+xml; charset=utf-8"
MORNING = datetime(2026, 5, 12, 6, 30, tzinfo=UTC)
NOON = datetime(2026, 5, 12, 12, 0, tzinfo=UTC)


def page(path: str, **overrides: Any) -> DiscoveredPage:
    fields = {"title": None, "changed_at": None, "categories": ()} | overrides
    return DiscoveredPage(url=f"https://www.lantern-gazette.example{path}", **fields)


def rss(*items: str, head: str = "") -> bytes:
    channel = "".join(f"<item>{item}</item>" for item in items)
    return f"""<?xml version="1.0" encoding="utf-8"?>{head}
<rss version="2.0" xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"
 xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>Lantern</title><link>/</link>{channel}</channel></rss>""".encode()


def test_rss_2() -> None:
    feed = rss(
        "<title>Bridge &amp;amp; ferry &lt;i&gt;open&lt;/i&gt;</title><link>/news/1?utm_source=rss</link>"
        "<category>Politics</category><category>Transport</category><category>Politics</category>"
        "<pubDate>Tue, 12 May 2026 08:30:00 +0200</pubDate>",
        "<guid>https://www.lantern-gazette.example/news/2</guid>",
    )
    assert read_feed(feed, URL, XML) == Feed(
        (
            page(
                "/news/1",
                title="Bridge & ferry open",
                changed_at=MORNING,
                published_at=MORNING,
                categories=("Politics", "Transport"),
            ),
            page("/news/2"),
        ),
        dropped=0,
    )


def test_the_address_behind_a_feed_proxy_comes_first() -> None:
    feed = rss(
        "<link>https://feeds.proxy.example/~r/1</link><feedburner:origLink>"
        "https://www.lantern-gazette.example/news/1</feedburner:origLink>"
    )
    assert read_feed(feed, URL, XML).pages == (page("/news/1"),)


def test_items_without_a_page_are_counted() -> None:
    feed = rss(
        "<title>No link</title>",
        "<link>mailto:desk@lantern-gazette.example</link>",
        '<guid isPermaLink="false">4711</guid>',
        "<link>/news/1</link>",
    )
    assert read_feed(feed, URL, XML) == Feed((page("/news/1"),), dropped=3)


def test_rss_1_0() -> None:
    feed = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
     xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
    <channel rdf:about="https://www.lantern-gazette.example/"><title>Lantern</title></channel>
    <item rdf:about="/news/1"><title>Bridge opens</title><link>/news/1</link>
    <dc:date>2026-05-12T08:30:00+02:00</dc:date><dc:subject>Politics</dc:subject></item></rdf:RDF>"""
    assert read_feed(feed, URL, "application/rdf+xml").pages == (
        page("/news/1", title="Bridge opens", changed_at=MORNING, categories=("Politics",)),
    )


@pytest.mark.parametrize("version", ["0.91", "0.92"])
def test_rss_0_9x(version: str) -> None:
    doctype = (
        '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN"'
        ' "http://my.netscape.example/publish/formats/rss-0.91.dtd">'
    )
    feed = rss("<title>Bridge opens</title><link>/news/1</link>", head=doctype)
    feed = feed.replace(b'version="2.0"', f'version="{version}"'.encode())
    assert read_feed(feed, URL, XML).pages == (page("/news/1", title="Bridge opens"),)


def test_atom_gives_the_change_before_the_publication() -> None:
    feed = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://www.lantern-gazette.example/live/">
    <title>Lantern</title><entry><title type="html">Fish &amp;lt; chips</title>
    <link rel="self" href="https://api.lantern-gazette.example/1"/><link rel="alternate" href="42"/>
    <published>2026-05-12T06:30:00Z</published><updated>2026-05-12T12:00:00Z</updated>
    <category term="pol" label="Politics"/><category term="local"/></entry>
    <entry><title>Second</title><link href="43"/><published>2026-05-12T06:30:00Z</published></entry></feed>"""
    assert read_feed(feed, URL, "application/atom+xml").pages == (
        page(
            "/live/42",
            title="Fish < chips",
            changed_at=NOON,
            published_at=MORNING,
            categories=("Politics", "local"),
        ),
        page("/live/43", title="Second", changed_at=MORNING, published_at=MORNING),
    )


@pytest.mark.parametrize("version", ["1", "1.1"])
def test_json_feed(version: str) -> None:
    items = [
        {"id": "1", "url": "/news/1", "title": " Bridge\nopens ", "tags": ["Politics", 7, "Politics"],
         "date_published": "2026-05-12T06:30:00Z", "date_modified": "2026-05-12T14:00:00+02:00"},
        {"id": "https://www.lantern-gazette.example/news/2", "date_published": "2026-05-12T06:30:00Z"},
        {"id": "3", "title": "no address"},
        "no item",
    ]  # fmt: skip
    feed = {
        "version": f"https://jsonfeed.org/version/{version}",
        "title": "Lantern",
        "items": items,
    }
    assert read_feed(json.dumps(feed).encode(), URL, "application/feed+json") == Feed(
        (
            page(
                "/news/1",
                title="Bridge opens",
                changed_at=NOON,
                published_at=MORNING,
                categories=("Politics",),
            ),
            page("/news/2", changed_at=MORNING, published_at=MORNING),
        ),
        dropped=2,
    )


@pytest.mark.parametrize(
    "content_type", [None, "text/html", "text/xml", "application/octet-stream"]
)
def test_a_wrong_content_type_does_not_matter(content_type: str | None) -> None:
    feed = rss("<title>Brücke öffnet</title><link>/news/1</link>")
    assert read_feed(feed, URL, content_type).pages == (page("/news/1", title="Brücke öffnet"),)


@pytest.mark.parametrize(
    ("encoding", "content_type"),
    [
        ("iso-8859-1", None),
        ("windows-1252", "application/xml; charset=windows-1252"),
        ("utf-16", None),
        ("utf-8-sig", "text/xml"),
    ],
)
def test_encodings(encoding: str, content_type: str | None) -> None:
    text = rss("<title>Brücke öffnet</title><link>/news/1</link>").decode()
    declared = text.replace('encoding="utf-8"', f'encoding="{encoding.removesuffix("-sig")}"')
    found = read_feed(declared.encode(encoding), URL, content_type)
    assert found.pages == (page("/news/1", title="Brücke öffnet"),)


def test_a_feed_that_is_not_well_formed_is_read_as_far_as_it_goes() -> None:
    bare = rss("<title>Fish & chips</title><link>/news/1?a=1&b=2</link>", "<link>/news/2</link>")
    assert read_feed(bare, URL, XML).pages == (
        page("/news/1?a=1&b=2", title="Fish & chips"),
        page("/news/2"),
    )
    cut = rss("<link>/news/1</link>", "<link>/news/2</link>").partition(b"<link>/news/2")[0]
    assert read_feed(cut, URL, XML) == Feed((page("/news/1"),), dropped=1)


def test_an_empty_feed_is_a_feed() -> None:
    assert read_feed(rss(), URL, XML) == Feed((), dropped=0)


def test_dates_that_are_none() -> None:
    feed = rss(
        "<link>/news/1</link><pubDate>yesterday</pubDate>",
        "<link>/news/2</link><pubDate>Tue, 99 May 2026 08:30:00 GMT</pubDate>",
    )
    assert [found.changed_at for found in read_feed(feed, URL, XML).pages] == [None, None]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   ",
        b"<html><body><p>Not here</p></body></html>",
        b"<?xml version='1.0'?><urlset><url><loc>https://a.example/</loc></url></urlset>",
        b"plain words",
        b"\x89PNG\r\n\x1a\n\0\0",
        b'{"version": "https://jsonfeed.org/version/2", "items": []}',
        b'{"version": "https://jsonfeed.org/version/1"}',
        b'{"items": ',
        b"{" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_what_is_no_feed(content: bytes) -> None:
    with pytest.raises(SourceError) as raised:
        read_feed(content, URL, None)
    assert raised.value.code == "feed_broken"


def test_the_name_of_a_file_is_not_opened(tmp_path: Path) -> None:
    secret = tmp_path / "feed.xml"
    secret.write_bytes(rss("<link>/news/1</link>"))
    with pytest.raises(SourceError):
        read_feed(str(secret).encode(), URL, None)


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "subset",
    [
        f'<!ENTITY l0 "ha">{LAUGHS}',
        '<!ENTITY l9 SYSTEM "file:///etc/hostname">',
        '<!ENTITY % more SYSTEM "https://a.example/x.dtd"> %more;',
        f'<!-- <a --> <!entity l9 "{"ha" * 10_000}">',
        f'<!ATTLIST item title CDATA "{"ha" * 10_000}">',
    ],
)
def test_declared_entities_are_refused(subset: str, encoding: str) -> None:
    feed = rss("<title>&l9;</title><link>/news/1</link>", head=f"<!DOCTYPE rss [{subset}]>")
    with pytest.raises(SourceError, match="declares entities"):
        read_feed(feed.decode().replace("utf-8", encoding, 1).encode(encoding), URL, None)


@pytest.mark.parametrize(
    "content",
    [
        b"<rss>" + b"<item>" * 100_000 + b"</item>" * 100_000 + b"</rss>",
        b"<?xml version='1.0' encoding='punycode'?>" + b"a" * 3_000_000,
        b"<rss version='2.0'>" + b"<a <a" * 1_000_000,
        b"<rss version='2.0'><channel>" + b"<item>" * 500_000,
        b"<!DOCTYPE " * 500_000,
    ],
)
def test_hostile_feeds_end_soon(content: bytes) -> None:
    start_s = time.monotonic()
    with pytest.raises(SourceError):
        read_feed(content, URL, None)
    assert time.monotonic() - start_s < 10


FRAGMENTS = st.sampled_from(
    [
        "<rss version='2.0'>", "<channel>", "<item>", "</item>", "<link>", "</link>", "https://[::1",
        "<title>", "</title>", "&amp;", "&#xD800;", "&#99999999;", "<![CDATA[", "]]>", "<!--", "-->",
        "<feed xmlns='http://www.w3.org/2005/Atom'>", "<entry>", "</entry>", "<link href='//['/>",
        "<link href='https://a.example/1'/>", "<updated>", "</updated>", "9999-99-99T99:99:99Z",
        "0000-00-00", "<?xml version='1.0' encoding='utf-16'?>", "<pubDate>", "</pubDate>",
        "Tue, 12 May 99999 08:30 ZZZ", "<content type='application/xml'>", "<category/>", "\0", "\ud800",
        "<media:content url='x'/>", "<guid isPermaLink='false'>", "</guid>", "<!DOCTYPE x>", "<!x", "<?",
        "<dc:date>", "</dc:date>", "xml:base='http://['", "<enclosure/>", "{", "<a b=", "<svg><a xlink:href='",
    ]
)  # fmt: skip


@given(
    st.lists(FRAGMENTS | st.text(max_size=5), max_size=25).map("".join) | st.binary(max_size=300)
)
@settings(max_examples=400, deadline=None)
def test_hostile_bytes_give_a_feed_or_the_typed_error(content: str | bytes) -> None:
    hostile = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    try:
        feed = read_feed(hostile, URL, None)
    except SourceError:
        return
    for found in feed.pages:
        (found.url + (found.title or "") + "".join(found.categories)).encode()


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["url", "id", "tags"]), inner)
        ),
    )
)
def test_hostile_json(items: Any) -> None:
    feed = {"version": "https://jsonfeed.org/version/1", "items": [items]}
    assert len(read_feed(json.dumps(feed).encode(), URL, None).pages) <= 1
