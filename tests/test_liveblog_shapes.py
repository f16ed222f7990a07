"""Stories of our own in the many shapes of live-blog pages, each expected to the letter."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from schemas.records import Page
from transforms.liveblog.split import split_with

STORIES = json.loads(
    (Path(__file__).parent / "data/liveblog/stories.json").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class Item:
    headline: str | None
    paragraphs: tuple[str, ...]
    author: str | None
    at: datetime  # aware, local

    @property
    def epoch_s(self) -> int:
        return int(self.at.timestamp())

    @property
    def hm(self) -> str:
        return f"{self.at:%H:%M}"

    @property
    def iso(self) -> str:
        return self.at.isoformat()

    @property
    def key(self) -> str:
        return f"{self.epoch_s:x}"


@dataclass(frozen=True)
class Story:
    lang: str
    title: str
    zone: str
    items: tuple[Item, ...]


def story(lang: str) -> Story:
    raw = STORIES[lang]
    zone = ZoneInfo(raw["zone"])
    items = tuple(
        Item(
            e["headline"],
            tuple(e["paragraphs"]),
            e["author"],
            datetime.fromisoformat(e["at"]).replace(tzinfo=zone),
        )
        for e in raw["entries"]
    )
    return Story(lang, raw["title"], raw["zone"], items)


URL = "https://news.example/2024/story-live-updates"


def page_of(
    markup: str,
    s: Story,
    *,
    url: str = URL,
    media: str = "html",
    published_at: datetime | None = None,
    updated_at: datetime | None = None,
    title: str | None = None,
) -> Page:
    return Page(
        uri=url,
        page_url=url,
        publisher="news.example",
        media="text" if media == "text" else "html",
        markup=markup.encode("utf-8", "replace"),
        title=title if title is not None else s.title,
        language=s.lang,
        authors=(),
        published_at=published_at,
        updated_at=updated_at,
        declared_topics=(),
        tags=(),
        fetched_at=datetime(2024, 12, 24, 12, tzinfo=UTC),
        source="input:test",
    )


def frame(s: Story, body: str, head: str = "") -> str:
    """A page round the entries, with the things that stand round entries on real pages."""
    links = "".join(
        f'<li class="x{n}"><a href="/2024/other-{n}"><span>{n + 8}:1{n}</span> <h3>Another story of '
        f"the day, number {n}</h3></a></li>"
        for n in range(6)
    )
    menu = "".join(f'<li><a href="/{w}">{w}</a></li>' for w in ("world", "sport", "live", "arts"))
    return f"""<!DOCTYPE html><html lang="{s.lang}"><head><meta charset="utf-8">
<title>{html.escape(s.title)}</title>{head}<style>.liveblog{{color:red}}</style></head><body class="liveblog">
<header><nav><ul>{menu}</ul></nav></header>
<main><h1>{html.escape(s.title)}</h1>
<p class="standfirst">The editors gather here what is known, as it becomes known.</p>
{body}
</main>
<aside><h2>Most read</h2><ol>{links}</ol></aside>
<footer><p>© News Example 2024. All rights reserved.</p><ul>{menu}</ul></footer>
</body></html>"""


def paras(item: Item) -> str:
    return "".join(f"<p>{html.escape(p, quote=False)}</p>" for p in item.paragraphs)


def esc(text: str | None) -> str:
    return html.escape(text or "", quote=False)


Expected = list[tuple[str | None, str, tuple[str, ...], datetime | None]]


def expected(
    s: Story, *, headline: bool = True, author: bool = True, seconds: bool = True
) -> Expected:
    return [
        (
            i.headline if headline else None,
            "\n\n".join(i.paragraphs),
            (i.author,) if author and i.author else (),
            i.at.astimezone(UTC),
        )
        for i in s.items
    ]


def got(page: Page, timezone: str | None, *, use_hints: bool = True) -> Expected:
    split = split_with(page, timezone=timezone, use_hints=use_hints)
    assert split.is_live_blog
    assert [e.position for e in split.entries] == list(range(len(split.entries)))
    assert len({e.entry_id for e in split.entries}) == len(split.entries)
    return [(e.headline, e.body, e.authors, e.published_at) for e in split.entries]


# ---------------------------------------------------------------- shapes

Shape = Callable[[Story], str]


def hashed(s: Story) -> str:
    return frame(
        s,
        '<div class="_a9f3"><div class="_k2">'
        + "".join(
            f'<div class="_7Gh2x"><div class="_p0"><time class="_t" datetime="{i.iso}">{i.hm}</time>'
            f'<span class="_w">{esc(i.author)}</span></div><h3 class="_h">{esc(i.headline)}</h3>'
            f'<div class="_b">{paras(i)}</div></div>'
            for i in s.items
        )
        + "</div></div>",
    )


def no_classes(s: Story) -> str:
    return frame(
        s,
        "<div>"
        + "".join(
            f"<div><div><time>{i.hm}</time></div><h2>{esc(i.headline)}</h2>{paras(i)}"
            f"<div>By {esc(i.author)}</div></div>"
            for i in s.items
        )
        + "</div>",
    )


def nested_wrappers(s: Story) -> str:
    def one(i: Item) -> str:
        return (
            f'<div class="row"><div class="col"><div class="cell"><article>'
            f'<header><a href="?post={i.key}#p{i.key}"><time datetime="{i.iso}">{i.hm}</time></a></header>'
            f"<h2>{esc(i.headline)}</h2><div><div>{paras(i)}</div></div>"
            f'<footer><span class="byline">By <a href="/author/x">{esc(i.author)}</a></span></footer>'
            f"</article></div></div></div>"
        )

    half = len(s.items) // 2
    return frame(
        s,
        '<section><div class="page" data-page="1">'
        + "".join(map(one, s.items[:half]))
        + '</div><div class="page" data-page="2">'
        + "".join(map(one, s.items[half:]))
        + '</div><button>Load more</button><a rel="next" href="?page=3">Older</a></section>',
    )


def wordpress(s: Story) -> str:
    return frame(
        s,
        '<div id="liveblog-container"><div id="liveblog-entries">'
        + "".join(
            f'<div id="liveblog-entry-{i.epoch_s % 100000}" class="liveblog-entry" data-timestamp="{i.epoch_s}">'
            f'<header class="liveblog-meta"><span class="liveblog-author-avatar"><img src="/a.png"></span>'
            f'<span class="liveblog-author-name">{esc(i.author)}</span>'
            f'<a class="liveblog-meta-time" href="#liveblog-entry-{i.epoch_s % 100000}"><span>{i.hm}</span></a></header>'
            f'<div class="liveblog-entry-text"><h2>{esc(i.headline)}</h2>{paras(i)}</div></div>'
            for i in s.items
        )
        + "</div></div>",
    )


def sourcefabric(s: Story) -> str:
    def one(i: Item, sticky: bool = False) -> str:
        kind = "lb-post lb-sticky-top-post" if sticky else "lb-post"
        return (
            f'<article class="{kind}" data-post-id="urn:post:{i.key}"><div class="lb-post-date">{i.hm}</div>'
            f'<div class="lb-author"><span class="lb-author__name">{esc(i.author)}</span></div>'
            f'<div class="lb-item"><h3>{esc(i.headline)}</h3>{paras(i)}</div>'
            f'<div class="lb-share"><a href="https://www.facebook.com/sharer.php?u=x">Share</a></div></article>'
        )

    return frame(
        s,
        '<div class="lb-timeline"><section class="lb-posts list-group sticky">'
        + one(s.items[-1], sticky=True)
        + '</section><section class="lb-posts list-group normal">'
        + "".join(map(one, s.items))
        + "</section></div>",
    )


def amp(s: Story) -> str:
    return frame(
        s,
        '<amp-live-list id="live" data-poll-interval="15000" data-max-items-per-page="50">'
        "<button update>New updates</button><div items>"
        + "".join(
            f'<div id="post-{i.key}" data-sort-time="{i.epoch_s}000"><p class="meta">{i.hm} | {esc(i.author)}</p>'
            f"<h2>{esc(i.headline)}</h2>{paras(i)}"
            f'<amp-img src="/i/{i.key}.jpg" width="3" height="2"></amp-img></div>'
            for i in s.items
        )
        + "</div></amp-live-list>",
    )


def arena(s: Story) -> str:
    return frame(
        s,
        '<div class="arena-liveblog"><div class="timeline">'
        + "".join(
            f'<div class="card" data-card-id="c{i.key}"><div class="card-head"><span class="when">{i.hm}</span>'
            f'<div class="who"><img src="/u.png"><span>{esc(i.author)}</span></div></div>'
            f'<div class="card-body"><strong class="ttl"><h4>{esc(i.headline)}</h4></strong>{paras(i)}</div>'
            '<div class="card-foot"><button>Share</button><button>Like</button></div></div>'
            for i in s.items
        )
        + "</div></div>",
    )


def list_items(s: Story) -> str:
    return frame(
        s,
        "<ol>"
        + "".join(
            f'<li id="e{i.key}"><article><span>{i.hm}</span><h3>{esc(i.headline)}</h3>{paras(i)}'
            f'<p class="signature">{esc(i.author)}</p></article></li>'
            for i in s.items
        )
        + "</ol>",
    )


def table(s: Story) -> str:
    return frame(
        s,
        "<table><tbody>"
        + "".join(
            f"<tr><td>{i.hm}</td><td><b>{esc(i.headline)}</b>{paras(i)}<p>By {esc(i.author)}</p></td></tr>"
            for i in s.items
        )
        + "</tbody></table>",
    )


def definition_list(s: Story) -> str:
    return frame(
        s,
        "<dl>"
        + "".join(
            f"<dt>{i.hm}</dt><dd><h4>{esc(i.headline)}</h4>{paras(i)}<p>By {esc(i.author)}</p></dd>"
            for i in s.items
        )
        + "</dl>",
    )


_DAY = {
    "de": lambda d: (
        ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")[
            d.weekday()
        ]
        + f", {d.day}. {d.month}."
    ),
    "fr": lambda d: f"{d.day} {('janvier', 'février', 'mars')[d.month - 1]} {d.year}",
    "en": lambda d: f"{d:%A} {d.day} {d:%B}",
}


def _lead(s: Story, i: Item) -> str:
    at = i.at
    return {
        "en": f"{at.hour % 12 or 12}:{at:%M}{'pm' if at.hour >= 12 else 'am'} - {esc(i.headline)}",
        "de": f"{at.hour}.{at:%M} Uhr: {esc(i.headline)}",
        "fr": f"{at.hour}h{at:%M} - {esc(i.headline)}",
        "es": f"{i.hm}h. {esc(i.headline)}",
        "it": f"Ore {at.hour}.{at:%M} - {esc(i.headline)}",
        "nl": f"{at.hour}.{at:%M} uur | {esc(i.headline)}",
        "pl": f"godz. {at.hour}:{at:%M} – {esc(i.headline)}",
        "pt": f"{at.hour}h{at:%M}: {esc(i.headline)}",
    }[s.lang]


def flat_headings(s: Story) -> str:
    return frame(
        s,
        '<section class="text">'
        + "".join(f'<h4>{_lead(s, i)}</h4>{paras(i)}<div class="ad-slot"></div>' for i in s.items)
        + '<div class="sharebox"><ul><li><a href="/s">Share</a></li></ul></div></section>',
    )


def flat_bold(s: Story) -> str:
    return frame(
        s,
        "<div>"
        + "".join(f"<p><strong>{_lead(s, i)}</strong></p>{paras(i)}" for i in s.items)
        + "</div>",
    )


def flat_bold_inline(s: Story) -> str:
    return frame(
        s,
        "<div>"
        + "".join(
            f"<p><b>{_lead(s, i)}</b> {esc(i.paragraphs[0])}</p>"
            + "".join(f"<p>{esc(p)}</p>" for p in i.paragraphs[1:])
            for i in s.items
        )
        + "</div>",
    )


def flat_plus(s: Story) -> str:
    return frame(
        s,
        "<div>"
        + "".join(f"<h2>+++ {i.hm} {esc(i.headline)} +++</h2>{paras(i)}" for i in s.items)
        + "</div>",
    )


def flat_time_then_headline(s: Story) -> str:
    return frame(
        s,
        "<div>"
        + "".join(f"<p>{i.hm}</p><h3>{esc(i.headline)}</h3>{paras(i)}" for i in s.items)
        + "</div>",
    )


def flat_headline_then_time(s: Story) -> str:
    return frame(
        s,
        "<div>"
        + "".join(f"<h3>{esc(i.headline)}</h3><p>{i.hm}</p>{paras(i)}" for i in s.items)
        + "</div>",
    )


def trailing(s: Story) -> str:
    return frame(
        s,
        "<div>"
        + "".join(
            f"<h2>{esc(i.headline)}</h2>{paras(i)}"
            f"<div><span>{esc(i.author)}</span><span>{i.at.day} {i.at:%B} {i.at.year} {i.hm}</span></div>"
            for i in s.items
        )
        + "</div>",
    )


def microdata(s: Story) -> str:
    return frame(
        s,
        '<div itemscope itemtype="https://schema.org/LiveBlogPosting">'
        + "".join(
            f'<div id="block-{i.key}" class="block" itemprop="liveBlogUpdate" itemscope '
            f'itemtype="https://schema.org/BlogPosting"><p class="block-time"><a itemprop="url" '
            f'href="?page=with:block-{i.key}#block-{i.key}"><time datetime="{i.iso}" itemprop="datePublished">'
            f'{i.hm}</time></a></p><h2 itemprop="headline">{esc(i.headline)}</h2>'
            f'<p itemprop="author" itemscope><span itemprop="name">{esc(i.author)}</span></p>'
            f'<div itemprop="articleBody">{paras(i)}</div></div>'
            for i in s.items
        )
        + "</div>",
    )


def updates_of(s: Story, **over: object) -> list[dict[str, object]]:
    return [
        {
            "@type": "BlogPosting",
            "headline": i.headline,
            "datePublished": i.iso,
            "articleBody": "\n".join(i.paragraphs),
            "author": {"@type": "Person", "name": i.author},
            "url": f"{URL}#u{i.key}",
            **over,
        }
        for i in s.items
    ]


def ld(value: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(value)}</script>'


def posting(s: Story, updates: object) -> dict[str, object]:
    return {
        "@context": "https://schema.org",
        "@type": "LiveBlogPosting",
        "headline": s.title,
        "datePublished": s.items[-1].iso,
        "dateModified": s.items[0].iso,
        "liveBlogUpdate": updates,
    }


def json_ld_graph(s: Story) -> str:
    return frame(
        s,
        "<div id=app></div>",
        ld({"@context": "x", "@graph": [{"@type": "WebPage"}, posting(s, updates_of(s))]}),
    )


def json_ld_nested(s: Story) -> str:
    return frame(
        s, "", ld([{"@type": "WebPage", "mainEntity": {"x": [posting(s, updates_of(s))]}}])
    )


def json_ld_escaped_twice(s: Story) -> str:
    updates = updates_of(s)
    for update, i in zip(updates, s.items, strict=True):
        update["articleBody"] = html.escape(html.escape(paras(i)))
    return frame(s, "", ld(posting(s, updates)))


def json_ld_broken(s: Story) -> str:
    text = json.dumps(posting(s, updates_of(s)), ensure_ascii=False, indent=1)
    text = text.replace("\\n", "\n")
    text = text[:-1].rstrip() + ",\n}"
    return frame(
        s, "", f'<script type="application/ld+json">\n// built by the CMS\n{text}</script>'
    )


def json_ld_truncated_bodies(s: Story) -> str:
    updates = updates_of(s)
    for update in updates:
        update["articleBody"] = str(update["articleBody"])[:60]
    return hashed(s).replace("</head>", ld(posting(s, updates)) + "</head>")


def json_ld_one_time_one_headline(s: Story) -> str:
    updates = updates_of(s, datePublished=s.items[0].iso, headline=s.title)
    for update in updates:
        update["author"] = [
            {"@type": "Person", "name": "Ada Quill"},
            {"@type": "Person", "name": "Tom Reddick"},
        ]
        update["url"] = URL
    return hashed(s).replace("</head>", ld(posting(s, updates)) + "</head>")


def json_ld_numbered_anchors(s: Story) -> str:
    updates = updates_of(s)
    for n, update in enumerate(updates):
        update["url"] = f"{URL}#post-{n + 1}"
    body = hashed(s)
    for n, i in enumerate(s.items):
        # the page counts from the other end
        body = body.replace(
            f'<div class="_7Gh2x"><div class="_p0"><time class="_t" datetime="{i.iso}">',
            f'<div class="_7Gh2x" id="post-{len(s.items) - n}"><div class="_p0"><time class="_t" datetime="{i.iso}">',
        )
    return body.replace("</head>", ld(posting(s, updates)) + "</head>")


def key_events_and_pinned(s: Story) -> str:
    def one(i: Item, extra: str = "") -> str:
        return (
            f'<article class="post{extra}" id="post-{i.key}{"-pin" if extra else ""}"><time datetime="{i.iso}">{i.hm}</time>'
            f"<h2>{esc(i.headline)}</h2>{paras(i)}<div class=by>By {esc(i.author)}</div></article>"
        )

    summary = "".join(
        f'<li><a href="#post-{i.key}"><time datetime="{i.iso}">{i.hm}</time> {esc(i.headline)}</a></li>'
        for i in s.items[:4]
    )
    return frame(
        s,
        f'<section><h2>Key events</h2><ul>{summary}</ul></section><div class="stream">'
        + one(s.items[-2], " pinned")
        + "".join(map(one, s.items))
        + "</div>",
    )


def noisy(s: Story) -> str:
    def one(i: Item) -> str:
        return (
            f'<section class="e" id="n{i.key}"><header><time datetime="{i.iso}">{i.hm}</time>'
            f'<span class="tag">BREAKING</span></header><h3>{esc(i.headline)}</h3>'
            f"<p>{esc(i.paragraphs[0])}</p>"
            '<figure><img src="/p.jpg"><figcaption>A picture of something. Photograph: A. Body</figcaption></figure>'
            '<div class="newsletter"><h4>Morning letter</h4><p>Sign up to our daily email and never miss a thing.</p></div>'
            '<blockquote class="twitter-tweet"><p>short words of someone else</p>— A (@a) '
            '<a href="https://twitter.com/a/status/12345">May 1</a></blockquote>'
            + "".join(f"<p>{esc(p)}</p>" for p in i.paragraphs[1:])
            + '<a class="card" href="/2024/related"><img src="/c.jpg"><h5>Related: how it all began</h5></a>'
            f'<div class="byline">By {esc(i.author)}</div>'
            '<ul class="share-tools"><li><button>Facebook</button></li><li><a href="https://x.com/intent/post?u">X</a></li>'
            "<li>Copy link</li></ul></section>"
            '<div class="advert"><span>Advertisement</span></div>'
        )

    return frame(s, '<div class="feed">' + "".join(map(one, s.items)) + "</div>")


def custom_elements(s: Story) -> str:
    """The moment stands in attributes only; the page fills it in by script."""
    return frame(
        s,
        '<x-live-feed><div class="items">'
        + "".join(
            f'<x-live-post class="Post" data-posted-date-timestamp="{i.epoch_s}000" id="0000{i.key}">'
            f'<div class="Post-head"><x-timestamp data-timestamp="{i.epoch_s}000"><span></span></x-timestamp></div>'
            f'<h2 class="Post-headline">{esc(i.headline)}</h2><div class="Post-by">By {esc((i.author or "").upper())}</div>'
            f'<div class="RichText">{paras(i)}</div></x-live-post><div class="Ad"></div>'
            for i in s.items
        )
        + "</div></x-live-feed>",
    )


def varied_entries(s: Story) -> str:
    """Entries of several makes in one list, each with its own classes."""
    parts = []
    for n, i in enumerate(s.items):
        kind = ("text", "quote", "key", "photo")[n % 4]
        clock = (
            f'<time class="{kind}-time" datetime="{i.iso}">{i.hm}</time>'
            if n % 2
            else f'<p class="{kind}-when"><time datetime="{i.iso}"><span>{i.hm}</span></time></p>'
        )
        parts.append(
            f'<div class="post post--{kind}" id="post-{i.key}"><div class="{kind}-head">{clock}</div>'
            f'<h3>{esc(i.headline)}</h3><div class="{kind}-body">{paras(i)}</div>'
            f'<div class="{kind}-by">By {esc(i.author)}</div></div>'
        )
    return frame(s, '<div class="stream">' + "".join(parts) + "</div>")


def one_entry_a_day_wrapper(s: Story) -> str:
    """Every wrapper holds a heading and one entry, the last two of them."""
    parts = []
    for n, i in enumerate(s.items):
        entry = (
            f'<div class="e"><div class="m"><span>{i.at:%H:%M}</span></div><h3>{esc(i.headline)}</h3>{paras(i)}'
            f"<div>By {esc(i.author)}</div></div>"
        )
        if n < 2:
            parts.append(f'<section><h2 class="d">{i.at:%Y-%m-%d}</h2>{entry}</section>')
        else:
            parts.append(entry)
    rest = "".join(parts[2:])
    day = f"{s.items[0].at:%Y-%m-%d}"
    return frame(s, "".join(parts[:2]) + f'<section><h2 class="d">{day}</h2>{rest}</section>')


def desktop_and_mobile(s: Story) -> str:
    """The same entries twice, once for each width of screen."""

    def entries(kind: str) -> str:
        return (
            f'<div class="{kind}">'
            + "".join(
                f'<article><time datetime="{i.iso}">{i.hm}</time><h3>{esc(i.headline)}</h3>{paras(i)}'
                f"<div>By {esc(i.author)}</div></article>"
                for i in s.items
            )
            + "</div>"
        )

    return frame(s, entries("wide") + entries("narrow"))


def related_inside(s: Story) -> str:
    """Entries that carry a list of older stories with times of their own."""
    older = "".join(
        f'<li><a href="/2024/older-{n}">An older story, number {n}</a> <time datetime="2024-01-0{n}T10:00:00Z">10:00</time></li>'
        for n in (1, 2, 3)
    )
    return frame(
        s,
        "<div>"
        + "".join(
            f'<article id="r{i.key}"><header><time datetime="{i.iso}">{i.hm}</time></header><h3>{esc(i.headline)}</h3>{paras(i)}'
            f'<div class="related"><h4>More</h4><ul>{older}</ul></div><p class="byline">By {esc(i.author)}</p></article>'
            for i in s.items
        )
        + "</div>",
    )


def names_with_roles(s: Story) -> str:
    return frame(
        s,
        "<div>"
        + "".join(
            f'<article id="r{i.key}"><p><span>{i.hm}</span></p><h3><a href="{URL}?p={i.key}#r{i.key}">{esc(i.headline)}</a></h3>'
            f"<div><div><img src=/p.png alt=x></div><div>{esc(i.author)}</div><div>Harbour correspondent</div></div>"
            f"<div>{paras(i)}</div></article>"
            for i in s.items
        )
        + "</div>",
    )


def paragraphs_in_headings(s: Story) -> str:
    return frame(
        s,
        "<div>"
        + "".join(
            f'<section data-id="q{i.key}"><h2><p>{esc(i.headline)}</p></h2><small>{i.hm} | By {esc(i.author)}</small>{paras(i)}</section>'
            for i in s.items
        )
        + "</div>",
    )


def breaks_for_paragraphs(s: Story) -> str:
    return frame(
        s,
        "<div>"
        + "".join(
            f'<div class="b"><b>{i.hm}</b><div class="t">{esc(i.headline)}</div><div class="x">'
            + "<br><br>".join(map(esc, i.paragraphs))
            + f"</div><i>By {esc(i.author)}</i></div>"
            for i in s.items
        )
        + "</div>",
    )


def two_times_in_a_header(s: Story) -> str:
    """How long ago, and beside it the moment; both in spans of one make."""
    return frame(
        s,
        "<ul>"
        + "".join(
            f'<li class="u"><div class="d"><span>{n + 1}h ago</span><span>({i.at.astimezone(UTC):%H:%M} GMT)</span></div>'
            f"<h2>{esc(i.headline)}</h2><div>{paras(i)}</div><div>By {esc(i.author)}</div></li>"
            for n, i in enumerate(s.items)
        )
        + "</ul>",
    )


def clock_inside_heading(s: Story) -> str:
    return frame(
        s,
        "<div>"
        + "".join(
            f'<div class="z"><h3><span>{i.hm}</span><span>{esc(i.headline)}</span></h3>{paras(i)}'
            f'<p><a href="/author/{i.key}">{esc(i.author)}</a></p></div>'
            for i in s.items
        )
        + "</div>",
    )


def name_after_the_time(s: Story) -> str:
    return frame(
        s,
        "<div>"
        + "".join(
            f'<div class="z"><p class="m"><time datetime="{i.iso}">{i.hm}</time> - {esc(i.author)}</p>'
            f"<h3>{esc(i.headline)}</h3>{paras(i)}</div>"
            for i in s.items
        )
        + "</div>",
    )


def day_beside_the_clock(s: Story) -> str:
    return frame(
        s,
        "<div>"
        + "".join(
            f'<div class="k"><div class="t"><span>{i.at.day}.{i.at.month}.{i.at.year}</span> <span>{i.hm}</span></div>'
            f"<h3>{esc(i.headline)}</h3>{paras(i)}<p>By {esc(i.author)}</p></div>"
            for i in s.items
        )
        + "</div>",
    )


BYLINED: dict[str, Shape] = {
    f.__name__: f
    for f in (
        hashed, no_classes, nested_wrappers, wordpress, sourcefabric, amp, arena, list_items, table,
        definition_list, microdata, json_ld_graph, json_ld_nested, json_ld_escaped_twice, json_ld_broken,
        json_ld_truncated_bodies, json_ld_one_time_one_headline, json_ld_numbered_anchors,
        key_events_and_pinned, noisy, custom_elements, varied_entries,
        one_entry_a_day_wrapper, desktop_and_mobile, related_inside, names_with_roles,
        paragraphs_in_headings, breaks_for_paragraphs, two_times_in_a_header,
        clock_inside_heading, name_after_the_time, day_beside_the_clock,
    )
}  # fmt: skip
UNSIGNED: dict[str, Shape] = {
    f.__name__: f
    for f in (
        flat_headings, flat_bold, flat_bold_inline, flat_plus, flat_time_then_headline,
        flat_headline_then_time,
    )
}  # fmt: skip


@pytest.mark.parametrize("use_hints", [True, False], ids=["hints", "plain"])
@pytest.mark.parametrize("shape", BYLINED)
@pytest.mark.parametrize("lang", STORIES)
def test_bylined_shapes(shape: str, lang: str, use_hints: bool) -> None:
    check_bylined(BYLINED[shape], lang, use_hints=use_hints)


@pytest.mark.parametrize("use_hints", [True, False], ids=["hints", "plain"])
def test_trailing_bylines_with_an_english_month(use_hints: bool) -> None:
    check_bylined(trailing, "en", use_hints=use_hints)


def test_trailing_bylines_after_a_newest_entry_that_is_short() -> None:
    s = story("en")
    first = replace(s.items[0], headline="Calm again", paragraphs=("The quay is open.",))
    s = replace(s, items=(first, *s.items[1:]))
    assert got(page_of(trailing(s), s), s.zone) == expected(s)


def check_bylined(shape: Shape, lang: str, *, use_hints: bool) -> None:
    s = story(lang)
    page = page_of(shape(s), s, updated_at=s.items[0].at.astimezone(UTC) + timedelta(minutes=3))
    assert got(page, s.zone, use_hints=use_hints) == expected(s)


@pytest.mark.parametrize("shape", UNSIGNED)
@pytest.mark.parametrize("lang", STORIES)
def test_flat_shapes(shape: str, lang: str) -> None:
    s = story(lang)
    page = page_of(
        UNSIGNED[shape](s), s, updated_at=s.items[0].at.astimezone(UTC) + timedelta(minutes=3)
    )
    assert got(page, s.zone) == expected(s, author=False)
