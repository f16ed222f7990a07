"""Live blogs as publishers in eight languages print them: their clocks, days, bylines and badges."""

from __future__ import annotations

import json
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from tests.test_liveblog_shapes import (
    STORIES,
    Item,
    Story,
    esc,
    expected,
    frame,
    got,
    ld,
    page_of,
    paras,
    posting,
    story,
    updates_of,
)
from transforms.liveblog import split_page

WORDS = json.loads((Path(__file__).parent / "data/liveblog/words.json").read_text(encoding="utf-8"))
DAYS = ("months", "weekdays")


def wording(s: Story, item: Item) -> dict[str, str]:
    """What a template may say of an entry."""
    words = {name: text for name, text in WORDS[s.lang].items() if name not in DAYS}
    at = item.at
    named = {
        "d": f"{at.day}",
        "n": f"{at:%m}",
        "m": WORDS[s.lang]["months"].split()[at.month - 1],
        "y": f"{at.year}",
        "hm": item.hm,
        "hour": f"{at:%H}",
        "minute": f"{at:%M}",
        "h12": f"{at.hour % 12 or 12}",
        "half": "PM" if at.hour >= 12 else "AM",
        "weekday": WORDS[s.lang]["weekdays"].split()[at.weekday()],
        "later": f"{at + timedelta(minutes=3):%H:%M}",
        "iso": item.iso,
        "local": f"{at:%Y-%m-%d %H:%M}",
        "key": item.key,
        "number": f"{item.epoch_s}",
        "headline": esc(item.headline),
        "author": esc(item.author),
        "paras": paras(item),
        "text": "<br>".join(map(esc, item.paragraphs)),
        "divs": "".join(f"<div>{esc(p)}</div>" for p in item.paragraphs),
        "first": esc(item.paragraphs[0]),
        "rest": "".join(f"<p>{esc(p)}</p>" for p in item.paragraphs[1:]),
    }
    for name in ("said", "day", "whole"):
        named[name] = words[name].format(**named)
    return {**words, **named}


def entries(s: Story, template: str) -> list[str]:
    return [template.format(**wording(s, item)) for item in s.items]


SIGNED = {
    "day and clock": '<div class="e"><h3>{headline}</h3><div class="m"><span>{by} {author}</span> <span>{day}, {said}</span></div>{paras}</div>',
    "day with its clock in words": '<div class="e"><div class="m">{whole}</div><h3>{headline}</h3>{paras}<div>{by} {author}</div></div>',
    "moment in a title": '<div class="e"><div><abbr class="timeago" title="{iso}">3 h</abbr><em>{author}</em></div><h3>{headline}</h3>{paras}</div>',
    "local moment in a title": '<div class="e"><span title="{local}">{ago}</span><h3>{headline}</h3>{paras}<i>{by} {author}</i></div>',
    "hours ago that look like a clock": '<article id="p{key}"><time datetime="{iso}">3h</time><h2>{headline}</h2><p class="author">{author}</p>{paras}</article>',
    "hours ago": '<article data-id="p{key}"><header><time datetime="{iso}">{ago}</time></header><h2><a href="?p={key}#p{key}">{headline}</a></h2><div>{paras}</div><footer>{by} {author}</footer></article>',
    "naive moment": '<article><time datetime="{local}">{hm}</time><h2>{headline}</h2><p class="author">{author}</p>{paras}</article>',
    "details": "<details open><summary>{hm} {headline}</summary>{paras}<p>{by} {author}</p></details>",
    "card with a face": '<div class="card"><div><img src="/a/{key}.jpg"><div><strong>{author}</strong><br><small>{said}</small></div></div><div><h3>{headline}</h3>{paras}</div><div><a href="https://twitter.com/share?url=x">X</a></div></div>',
    "utility classes": '<div class="flex flex-col py-4"><div class="flex text-sm"><svg></svg><span class="ml-1">{said}</span><span>·</span><span>{author}</span></div><h2 class="text-xl">{headline}</h2><div class="prose">{paras}</div></div>',
    "paragraphs without p": '<div class="e"><div><span>{hm}</span></div><div>{headline}</div><div>{divs}</div><div>{by} {author}</div><div><span>{share}</span></div></div>',
    "author in a place": '<div class="e"><time datetime="{iso}">{hm}</time><h3>{headline}</h3>{paras}<div>{by} {author} {place}</div></div>',
    "author with a handle": '<div class="e"><time datetime="{iso}">{hm}</time><h3>{headline}</h3>{paras}<div><a href="https://x.com/a">{author} (@handle)</a></div></div>',
    "author with an agency": '<div class="e"><div>{hm} | {author}, AFP</div><h3>{headline}</h3>{paras}</div>',
    "author and post": '<div class="e"><div><p>{hm}</p><p>{author}</p><p>{role}</p></div><h3>{headline}</h3>{paras}</div>',
    "time and author in one paragraph": '<div class="e"><h4>{headline}</h4><p>{day} {hm} — {author}</p>{paras}</div>',
    "time last": '<div class="e"><h3>{headline}</h3><div>{paras}</div><div><span>{author}</span><span>{said}</span></div></div>',
    "figure first": '<article><figure><img src="/i.jpg"><figcaption>A place, taken at 10:05 by someone</figcaption></figure><div>{hm}</div><h3>{headline}</h3>{paras}<p>{by} {author}</p></article>',
    "card with a time last": '<article><time>{hm}</time><h3>{headline}</h3>{paras}<p>{by} {author}</p><div><a href="/z"><img src="z.jpg"><span>Some other story of the day that is linked here</span><span>09:15</span></a></div></article>',
    "post of a network last": '<div class="e"><time datetime="{iso}">{hm}</time><h3>{headline}</h3>{paras}<blockquote class="twitter-tweet"><p>Words of a post</p>&mdash; Some One (@one) <a href="https://twitter.com/one/status/1234567">May 20</a></blockquote><p>{by} {author}</p></div>',
    "advertisements of the same make": '<div class="e"><time datetime="{iso}">{hm}</time><h3>{headline}</h3>{paras}<span>{author}</span></div><div class="e ad"><span>Advertisement</span><div></div></div>',
    "direction marks": '<div class="e"><span>\u200f{hm}\u200e</span><h3>{headline}</h3>{paras}<p>{by} {author}</p></div>',
    "indented": "\n <div>\n  <span>\n   {said}\n  </span>\n  <span>\n   {author}\n  </span>\n  <h2>\n   {headline}\n  </h2>\n  {paras}\n </div>\n",
    "two columns": '<div class="c1"><span>{hm}</span></div><div class="c2"><h3>{headline}</h3>{paras}<p>{by} {author}</p></div>',
    "flat parts": '<div class="time">{said}</div><div class="title">{headline}</div><div class="by">{author}</div><div class="text">{paras}</div>',
}  # fmt: skip
UNSIGNED = {
    "badge": '<section class="post" id="{key}"><div><span>{said}</span><span>{badge}</span></div><h2>{headline}</h2><div>{paras}</div><footer><button>{share}</button></footer></section>',
    "brackets": "<p><strong>[{hm}] {headline}</strong></p>{paras}",
    "bar": "<h3>{said} | {headline}</h3>{paras}",
    "plus signs": "<h3>+++ {said}: {headline} +++</h3>{paras}",
    "clock and bold headline in one line": "<p><strong>{said}</strong> - <strong>{headline}</strong></p>{paras}",
    "clock and headline over a break": '<a name="e{key}"></a><p><span><strong>{said}</strong></span><br><strong>{headline}</strong></p>{paras}',
    "clock beside a bold headline": '<li><span class="tm">{hm}</span><strong>{headline}</strong>{paras}</li>',
    "clock before the text": "<h3>{headline}</h3><p>{said} – {first}</p>{rest}",
    "clock with a dot": '<div class="e"><span>{hour}.{minute}</span><h3>{headline}</h3><div>{paras}</div></div>',
    "clock with seconds": '<div class="e"><p>{hm}:00</p><h3>{headline}</h3><div>{paras}</div></div>',
    "weekday": '<div class="e"><div>{weekday}, {said}</div><h3>{headline}</h3>{paras}</div>',
    "today": '<div class="e"><div>{today}, {said}</div><h3>{headline}</h3>{paras}</div>',
    "zone in words": '<div class="e"><div>{hm}{zone}</div><h3>{headline}</h3>{paras}</div>',
    "published and updated": '<div class="e"><div><span>{published} {hm}</span> <span>{updated} {later}</span></div><h3>{headline}</h3>{paras}</div>',
    "read also": '<div class="e"><div>{hm}</div><h3>{headline}</h3>{paras}<p><strong>{also}</strong> <a href="/x">Another story of the site</a></p></div>',
    "tag": '<article><div><span>{hm}</span><a href="/tag/x">#ECONOMY</a></div><h3>{headline}</h3>{paras}</article>',
    "permalinks below the page": '<article><h2><a href="/2024/story-live-updates/{key}">{headline}</a></h2><p>{day} {hm}</p>{paras}</article>',
    "bold headline in the text": '<div class="e"><span class="hour">{hm}</span><div><p><b>{headline}</b></p>{paras}</div></div>',
}  # fmt: skip


def check(s: Story, markup: str, *, author: bool) -> None:
    page = page_of(markup, s, updated_at=s.items[0].at.astimezone(UTC) + timedelta(minutes=3))
    assert got(page, s.zone) == expected(s, author=author)


@pytest.mark.parametrize("template", SIGNED)
@pytest.mark.parametrize("lang", STORIES)
def test_signed_entries(template: str, lang: str) -> None:
    s = story(lang)
    inside = "".join(entries(s, SIGNED[template]))
    check(s, frame(s, f'<div class="feed">{inside}</div>'), author=True)


@pytest.mark.parametrize("template", UNSIGNED)
@pytest.mark.parametrize("lang", STORIES)
def test_unsigned_entries(template: str, lang: str) -> None:
    s = story(lang)
    tag = "ul" if "<li>" in UNSIGNED[template] else "div"
    inside = "".join(entries(s, UNSIGNED[template]))
    check(s, frame(s, f"<{tag}>{inside}</{tag}>"), author=False)


@pytest.mark.parametrize("lang", STORIES)
def test_days_as_items_of_the_list(lang: str) -> None:
    s = story(lang)
    parts: list[str] = []
    last = ""
    for item, entry in zip(s.items, entries(s, "<li><span>{said}</span><h4>{headline}</h4>{paras}</li>"), strict=True):  # fmt: skip
        today = wording(s, item)["day"]
        parts += [f"<li><h3>{today}</h3></li>"] if today != last else []
        parts.append(entry)
        last = today
    check(s, frame(s, f"<ul>{''.join(parts)}</ul>"), author=False)


@pytest.mark.parametrize("lang", STORIES)
def test_two_lists_on_one_page(lang: str) -> None:
    s = story(lang)
    other = "".join(
        f'<div class="tick"><span>{n + 9}:{n}5</span> <a href="/m/{n}">The index rises by {n} points before noon</a></div>'
        for n in range(6)
    )
    entry = (
        '<div class="entry"><span>{hm}</span><h2>{headline}</h2>{paras}<p>{by} {author}</p></div>'
    )
    inside = "".join(entries(s, entry))
    check(
        s,
        frame(s, f'<div class="side">{other}</div><div class="feed">{inside}</div>'),
        author=True,
    )


@pytest.mark.parametrize("lang", STORIES)
def test_a_table_of_contents_with_the_same_times(lang: str) -> None:
    s = story(lang)
    contents = "".join(entries(s, '<a href="#e{key}"><span>{hm}</span> {headline}</a>'))
    entry = '<div id="e{key}"><span>{hm}</span><h2>{headline}</h2>{paras}<p>{by} {author}</p></div>'
    inside = "".join(entries(s, entry))
    check(s, frame(s, f"<div>{contents}</div><div>{inside}</div>"), author=True)


@pytest.mark.parametrize("lang", STORIES)
def test_comments_below(lang: str) -> None:
    s = story(lang)
    comments = "".join(
        f'<li class="comment"><b>user{n}</b> <time datetime="2024-03-20T1{n}:0{n}:00Z">1{n}:0{n}</time>'
        f"<p>I think that this is a comment of some length, the number {n}.</p><button>Reply</button></li>"
        for n in range(8)
    )
    entry = '<div class="u"><time datetime="{iso}">{hm}</time><h2>{headline}</h2>{paras}<p>{by} {author}</p></div>'
    inside = "".join(entries(s, entry))
    check(
        s,
        frame(s, f"<div>{inside}</div><section id=comments><ol>{comments}</ol></section>"),
        author=True,
    )


@pytest.mark.parametrize("lang", STORIES)
def test_an_article_above_the_entries(lang: str) -> None:
    s = story(lang)
    article = "".join(
        f"<p>This is the paragraph number {n} of what went before, told at some length, with who "
        "said what to whom.</p>"
        for n in range(4)
    )
    entry = '<div class="u"><time datetime="{iso}">{hm}</time><h2>{headline}</h2>{paras}<p>{by} {author}</p></div>'
    inside = "".join(entries(s, entry))
    check(s, frame(s, f"<div>{article}</div><div>{inside}</div>"), author=True)


@pytest.mark.parametrize("lang", STORIES)
def test_json_ld_of_the_newest_entries_cut_short_and_signed_by_the_house(lang: str) -> None:
    s = story(lang)
    updates = updates_of(s)[:3]
    for update in updates:
        update["author"] = {"@type": "Organization", "name": "News Example"}
        update["articleBody"] = f"{str(update['articleBody'])[:80]}..."
    entry = '<div class="e"><div><span>{hm}</span> <span>{author}</span></div><h3>{headline}</h3>{paras}</div>'
    inside = "".join(entries(s, entry))
    check(s, frame(s, f"<div>{inside}</div>", head=ld(posting(s, updates))), author=True)


@pytest.mark.parametrize("lang", STORIES)
def test_entries_without_any_time(lang: str) -> None:
    s = story(lang)
    entry = '<div class="e" id="post-{number}"><h3>{headline}</h3>{paras}<p>{by} {author}</p></div>'
    markup = frame(s, f"<div>{''.join(entries(s, entry))}</div>", head=ld(posting(s, [])))
    found = split_page(page_of(markup, s), timezone=s.zone)
    assert found.is_live_blog
    assert [(e.headline, e.authors, e.published_at, e.time_source) for e in found.entries] == [
        (i.headline, (i.author,), None, None) for i in s.items
    ]
