"""Read one entry off the page: time, headline, author and body, each by its place."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from transforms.liveblog.authors import is_byline, is_name, names_in, only_names_in, opens_byline
from transforms.liveblog.bodies import is_label, is_noise, marks_key_event, marks_pinned
from transforms.liveblog.candidate import Candidate
from transforms.liveblog.groups import Extent, own_id
from transforms.liveblog.outline import BLOCKS, HEADINGS, TEXT, Outline
from transforms.liveblog.times import (
    Stamp,
    read_expression,
    read_lead,
    read_machine,
    read_tail,
    says_update,
)

MAX_HEADLINE_WORDS = 45

_SKIPPED = frozenset(["button", "form", "nav", "figcaption", "audio", "video", "picture", "label", "amp-ad", "amp-social-share", "aside"])
_FRAMES = frozenset(["iframe", "amp-iframe", "amp-twitter", "amp-instagram", "amp-youtube", "embed"])
_PICTURES = frozenset(["img", "amp-img"])
_EMPHASIS = frozenset(["strong", "b"])
_STYLED = frozenset("span mark small".split())
_TEXT_BLOCKS = frozenset(["p", "li", "blockquote", "pre", "dd"])
_JUNK_CLASS = re.compile(
    r"(?:^|[\s_-])(?:share|sharing|sharebar|social|caption|credits?|copyright|newsletter|promo\w*|"
    r"related|teaser|advert\w*|ads?|adslot|banner|recommend\w*|outbrain|taboola|toolbar|tooltip|"
    r"visually-hidden|visuallyhidden|sr-only|screen-reader-text|sponsored|paywall|"
    r"readmore|more-on|reactions?|comment-count)(?:$|[\s_-]|__)",
    re.IGNORECASE,
)
_EMBED_CLASS = re.compile(
    r"(?:^|[\s_-])(?:twitter-tweet|twitter-video|instagram-media|tiktok-embed|fb-post|bluesky-embed|"
    r"text-post-media|reddit-embed-bq|telegram-post|mastodon-embed|embed)(?:$|[\s_-]|__)",
    re.IGNORECASE,
)
_AUTHOR_CLASS = re.compile(
    r"(?:^|[\s_-])(?:author\w*|byline\w*|contributor\w*|autor\w*|auteur\w*|redakteur\w*|journalist\w*|"
    r"firma|autore|writer|reporter)(?:$|[\s_-]|__)|__author|-author|_author|byline",
    re.IGNORECASE,
)
_AUTHOR_LINK = re.compile(
    r"/(?:authors?|autor(?:en|es|a)?|auteurs?|autori|people|persons?|profiles?|team|journalist\w*|"
    r"redacteurs?|redaktion|by|contributors?|reporters?|staff|signature|firmas|autorzy)/",
    re.IGNORECASE,
)
_ROLE_LINE = re.compile(
    r"\b(?:editor|reporter|correspondent|korrespondent\w*|correspondant\w*|corresponsal|redakteur\w*|"
    r"journalist\w*|periodista|giornalista|analyst|presenter|columnist|bureau|writer|producer)\b",
    re.IGNORECASE,
)
_SOCIAL_POST = re.compile(
    r"(?:twitter|x)\.com/[^/]{1,40}/status/|instagram\.com/(?:p|reel|tv)/|facebook\.com/[^/]{1,80}/(?:posts|videos)/|"
    r"tiktok\.com/@[^/]{1,60}/video/|bsky\.app/profile/[^/]{1,100}/post/|//t\.me/[^/]{1,60}/\d|threads\.(?:net|com)/@[^/]{1,60}/post/",
    re.IGNORECASE,
)
_KEY_ATTRIBUTE = re.compile(r"key[-_ ]?(?:event|moment|post|update)|is-?key\b|highlight(?:ed)?\b", re.IGNORECASE)
_PIN_ATTRIBUTE = re.compile(r"\b(?:pinned|sticky|is-?pinned|fixed-post)\b|sticky[-_]", re.IGNORECASE)
_UPDATE_HINT = re.compile(r"updated|modif|last-?update", re.IGNORECASE)
_PUBLISHED_ATTRIBUTE = re.compile(r"publi|post|creat|time|date|stamp|sort|epoch", re.IGNORECASE)
_UPDATED_ATTRIBUTE = re.compile(r"updat|modif|chang|edit", re.IGNORECASE)


@dataclass(slots=True)
class _Piece:
    """One run of text between block borders."""

    text: str
    tag: str
    start: int
    parts: list[str] = field(default_factory=list)
    in_text_block: bool = False
    in_list: bool = False
    is_heading: bool = False
    strong_chars: int = 0
    link_chars: int = 0
    is_author: bool = False
    after_picture: bool = False
    in_footer: bool = False


@dataclass(slots=True)
class _Harvest:
    """What the walk over an entry collects besides its pieces."""

    pieces: list[_Piece] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    machine: list[Stamp] = field(default_factory=list)
    box_machine: list[Stamp] = field(default_factory=list)
    shown: list[Stamp] = field(default_factory=list)
    updates: list[Stamp] = field(default_factory=list)
    updates_in_text: bool = False
    authors: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    is_key_event: bool = False
    is_pinned: bool = False


def read_extent(page: Outline, extent: Extent, page_url: str) -> Candidate:
    """The candidate that one extent holds."""
    harvest = _Harvest()
    _read_box(page, extent, harvest)
    for start, end in extent.spans:
        _walk(page, start, end, harvest)
    candidate = Candidate("flat" if extent.is_flat else "dom")
    candidate.own_id = own_id(page, extent.box)
    _sort_out(harvest, candidate, extent)
    _settle_names(page, extent, harvest, candidate, page_url)
    _settle_times(extent, harvest, candidate)
    candidate.is_key_event = harvest.is_key_event
    candidate.is_pinned = harvest.is_pinned
    return candidate


def _settle_times(extent: Extent, harvest: _Harvest, candidate: Candidate) -> None:
    """The time that found the entry first, then what else it shows, then bare attributes."""
    mark = extent.mark
    candidate.published = next(iter(harvest.machine), None)
    if mark is not None:
        candidate.published = mark.published or candidate.published
        candidate.shown = mark.shown
    if candidate.shown is None or not candidate.shown.tells_clock:
        candidate.shown = next((s for s in harvest.shown if s.tells_clock), candidate.shown)
    candidate.updated = next(iter(harvest.updates), None)
    if candidate.published is None and not (candidate.shown and candidate.shown.tells_clock):
        weak = harvest.updates[:1] if harvest.updates_in_text else harvest.box_machine
        candidate.published = next(iter(weak + harvest.box_machine + harvest.updates), None)
        candidate.is_weakly_timed = True
    elif candidate.published is None:
        candidate.published = next(iter(harvest.box_machine), None)


def _read_box(page: Outline, extent: Extent, harvest: _Harvest) -> None:
    """The attributes of the entry's own element."""
    for name, value in page.attributes(extent.box).items():
        if not value or len(value) > 400:
            continue
        if name in {"class", "data-type", "data-category", "data-entry-type"}:
            harvest.is_key_event |= bool(_KEY_ATTRIBUTE.search(value))
            harvest.is_pinned |= bool(_PIN_ATTRIBUTE.search(value))
        elif name.startswith("data-") or name == "datetime":
            if value.isdigit() or value[:4].isdigit():
                stamp = read_machine(value)
                if stamp is None or (stamp.instant is None and stamp.clock is None):
                    continue
                if _UPDATED_ATTRIBUTE.search(name):
                    harvest.updates.append(stamp)
                elif _PUBLISHED_ATTRIBUTE.search(name):
                    harvest.box_machine.append(stamp)
            elif name in {"data-pinned", "data-sticky"} and value.lower() in {"true", "1"}:
                harvest.is_pinned = True
            elif re.fullmatch(r"data-(?:is-?)?(?:key|highlight)[\w-]*", name) and value.lower() in {"true", "1"}:
                harvest.is_key_event = True
            elif "author" in name and "id" not in name:
                harvest.authors += names_in(value)


def _take_attributes(attributes: dict[str, str], harvest: _Harvest) -> None:
    """A moment in an attribute of some element inside the entry."""
    for name, value in attributes.items():
        if name.startswith("data-") and value[:4].isdigit() and _PUBLISHED_ATTRIBUTE.search(name):
            stamp = read_machine(value)
            if stamp is not None and stamp.tells_clock and not _UPDATED_ATTRIBUTE.search(name):
                harvest.box_machine.append(stamp)


def _walk(page: Outline, start: int, end: int, harvest: _Harvest) -> None:
    """Cut a range into pieces at block borders."""
    tags, texts, ends = page.tags, page.texts, page.ends
    open_blocks: list[tuple[int, str]] = []
    author_end = strong_end = link_end = list_end = footer_end = -1
    piece: _Piece | None = None
    seen_picture = False

    def close() -> None:
        nonlocal piece, seen_picture
        if piece is not None:
            piece.text = " ".join("".join(piece.parts).split())
            if piece.text:
                harvest.pieces.append(piece)
                if piece.in_text_block:
                    seen_picture = False
        piece = None

    i = start
    while i < end:
        while open_blocks and i >= open_blocks[-1][0]:
            close()
            open_blocks.pop()
        tag = tags[i]
        if tag == TEXT:
            text = texts[i]
            if piece is None:
                if text.isspace():
                    i += 1
                    continue
                block = open_blocks[-1][1] if open_blocks else ""
                piece = _Piece("", block, i, after_picture=seen_picture, in_footer=i < footer_end)
                piece.in_text_block = any(t in _TEXT_BLOCKS for _, t in open_blocks[-4:])
                piece.in_list = i < list_end
                piece.is_heading = any(t in HEADINGS for _, t in open_blocks[-3:])
                piece.is_author = i < author_end
            piece.parts.append(text)
            if i < strong_end:
                piece.strong_chars += len(text.strip())
            if i < link_end:
                piece.link_chars += len(text.strip())
            i += 1
            continue
        if tag in _PICTURES:
            _take_picture(page, i, harvest)
            seen_picture = True
        elif tag in _FRAMES:
            source = page.attributes(i).get("src")
            if source:
                harvest.links.append(source)
            i = ends[i]
            continue
        elif tag == "time":
            close()
            _take_time(page, i, harvest)
            i = ends[i]
            continue
        elif tag == "a":
            attributes = page.attributes(i)
            href = attributes.get("href", "")
            if href:
                harvest.links.append(href)
            if attributes.get("name"):
                harvest.names.add(attributes["name"])
            if harvest.pieces and _is_linked_card(page, i):
                close()
                _take_silently(page, i, harvest)
                i = ends[i]
                continue
            link_end = max(link_end, ends[i])
            if "author" in attributes.get("rel", "") or _AUTHOR_LINK.search(href):
                names = names_in(page.text_of(i))
                if names and (not open_blocks or i < author_end or (ends[i] - i < 8 and _alone(page, i, open_blocks))):
                    harvest.authors += names
        elif tag == "br":
            if piece is not None:
                piece.parts.append("\n")
                following = i + 1
                while following < end and tags[following] == TEXT and texts[following].isspace():
                    following += 1
                if following < end and tags[following] == "br":
                    kept = piece
                    close()
                    if harvest.pieces and harvest.pieces[-1] is kept:
                        i = following
        elif tag == "blockquote" and _is_social(page, i):
            close()
            _take_embed(page, i, harvest)
            i = ends[i]
            continue
        elif tag in _EMPHASIS:
            strong_end = max(strong_end, ends[i])
        elif tag == "meta":
            _take_meta(page, i, harvest)
        elif tag in _SKIPPED:
            _take_silently(page, i, harvest)
            if tag in BLOCKS or tag in {"picture", "video", "audio"}:
                close()
            seen_picture |= tag in {"picture", "video", "figure"}
            i = ends[i]
            continue
        if tag in BLOCKS or tag in _STYLED or "-" in tag:
            attributes = page.attributes(i)
            if i != start and not harvest.box_machine:
                _take_attributes(attributes, harvest)
            styled = attributes.get("class", "")
            if styled or attributes.get("rel") or attributes.get("itemprop"):
                kind = _kind_of_class(styled)
                if i != start and kind == "embed" and tag != "span":
                    close()
                    _take_embed(page, i, harvest)
                    i = ends[i]
                    continue
                if i != start and kind == "junk" and not _is_bulk(page, i, start, end):
                    close()
                    _take_junk(page, i, harvest)
                    i = ends[i]
                    continue
                if kind == "author" or attributes.get("itemprop") == "author":
                    author_end = max(author_end, ends[i])
            if "hidden" in attributes and i != start:
                i = ends[i]
                continue
        if tag in BLOCKS:
            close()
            open_blocks.append((ends[i], tag))
            if tag in {"ul", "ol"}:
                list_end = max(list_end, ends[i])
            elif tag == "footer":
                footer_end = max(footer_end, ends[i])
        i += 1
    close()


def _is_linked_card(page: Outline, index: int) -> bool:
    """Whether a link wraps whole blocks: a card that leads to another story."""
    return page.ends[index] - index > 2 and any(
        page.tags[i] in BLOCKS for i in range(index + 1, min(page.ends[index], index + 40))
    )


@lru_cache(maxsize=4096)
def _kind_of_class(styled: str) -> str:
    """What a class attribute says in plain words, if anything: embed, junk, author."""
    if _EMBED_CLASS.search(styled):
        return "embed"
    if _JUNK_CLASS.search(styled):
        return "junk"
    return "author" if _AUTHOR_CLASS.search(styled) else ""


def _alone(page: Outline, index: int, open_blocks: list[tuple[int, str]]) -> bool:
    """Whether a link is all that its block says, or nearly."""
    block_end = open_blocks[-1][0]
    parent = page.parents[index]
    text = page.text(parent, min(page.ends[parent], block_end))
    return len(text) <= len(page.text_of(index)) + 24


def _is_bulk(page: Outline, index: int, start: int, end: int) -> bool:
    """Whether an element holds most of the entry, whatever its class says."""
    return (page.ends[index] - index) * 2 > end - start and len(page.text_of(index)) > 200


def _take_picture(page: Outline, index: int, harvest: _Harvest) -> None:
    attributes = page.attributes(index)
    for name in ("data-src", "src", "data-original", "data-lazy-src"):
        value = attributes.get(name, "").strip()
        if value and not value.startswith(("data:", "blob:")):
            harvest.images.append(value)
            return


def _take_embed(page: Outline, index: int, harvest: _Harvest) -> None:
    links = []
    for i in range(index, min(page.ends[index], index + 400)):
        if page.tags[i] in {"a", "iframe", "blockquote", "amp-iframe"}:
            attributes = page.attributes(i)
            link = attributes.get("cite") or attributes.get("href") or attributes.get("src")
            if link:
                links.append(link)
    harvest.links += links


def _take_silently(page: Outline, index: int, harvest: _Harvest) -> None:
    """Pictures, frames and embedded posts of an element whose text is not the entry's."""
    for i in range(index + 1, min(page.ends[index], index + 400)):
        tag = page.tags[i]
        if tag in _PICTURES:
            _take_picture(page, i, harvest)
        elif tag in _FRAMES or (tag == "a" and _SOCIAL_POST.search(page.attributes(i).get("href", ""))):
            attributes = page.attributes(i)
            link = attributes.get("src") or attributes.get("href")
            if link:
                harvest.links.append(link)


def _is_social(page: Outline, index: int) -> bool:
    """Whether a quote is a post of a social network: it names its own address."""
    if page.attributes(index).get("cite", "") and _SOCIAL_POST.search(page.attributes(index)["cite"]):
        return True
    return any(
        page.tags[i] == "a" and _SOCIAL_POST.search(page.attributes(i).get("href", ""))
        for i in range(index + 1, min(page.ends[index], index + 200))
    )


def _take_junk(page: Outline, index: int, harvest: _Harvest) -> None:
    for i in range(index, min(page.ends[index], index + 400)):
        tag = page.tags[i]
        if tag == "a":
            href = page.attributes(i).get("href", "")
            if "#" in href:
                harvest.names.add(urldefrag(href)[1])
        elif tag == "time":
            _take_time(page, i, harvest)


def _take_time(page: Outline, index: int, harvest: _Harvest) -> None:
    attributes = page.attributes(index)
    value = attributes.get("datetime") or attributes.get("content") or ""
    machine = (read_machine(value) or read_expression(value)) if value else None
    text = page.text_of(index)
    shown = read_expression(text)
    if shown is None:
        for i in range(index + 1, page.ends[index]):
            if page.tags[i] == TEXT:
                shown = read_expression(page.texts[i].strip()) or shown
    around = page.attributes(page.parents[index]).get("class", "")
    hint = f"{attributes.get('class', '')} {attributes.get('itemprop', '')} {around}"
    is_update = bool(shown and shown.is_update) or bool(_UPDATE_HINT.search(hint))
    if harvest.pieces and says_update(harvest.pieces[-1].text):
        harvest.pieces.pop()
        is_update = True
    if is_update:
        stamp = machine or shown
        if stamp is not None:
            harvest.updates.insert(0, stamp)
            harvest.updates_in_text = True
        return
    if machine is not None:
        harvest.machine.append(machine)
    if shown is not None:
        harvest.shown.append(shown)


def _take_meta(page: Outline, index: int, harvest: _Harvest) -> None:
    attributes = page.attributes(index)
    stamp = read_machine(attributes.get("content", ""))
    if stamp is None:
        return
    if "modified" in attributes.get("itemprop", "").lower():
        harvest.updates.append(stamp)
    elif "published" in attributes.get("itemprop", "").lower():
        harvest.machine.insert(0, stamp)


def _sort_out(harvest: _Harvest, candidate: Candidate, extent: Extent) -> None:
    """Give each piece its role: time, label, byline, headline, body or nothing."""
    pieces = harvest.pieces
    authors = list(harvest.authors)
    body: list[_Piece] = []
    headline: str | None = None
    opened = False
    for n, piece in enumerate(pieces):
        text = piece.text
        stamp = read_expression(text)
        if stamp is not None:
            if stamp.is_update:
                harvest.updates.append(stamp)
            elif stamp.tells_clock or stamp.minute or stamp.ago:
                harvest.shown.append(stamp)
            elif body and piece.in_text_block:
                body.append(piece)
            continue
        if is_label(text) and not (piece.is_heading and headline is None and len(text) > 12):
            harvest.is_key_event |= marks_key_event(text)
            harvest.is_pinned |= marks_pinned(text)
            continue
        if is_noise(text):
            continue
        if opens_byline(text):
            continue
        if not piece.is_heading and _short_parts(piece, harvest, authors, header=not body):
            continue
        if piece.is_author and len(text) <= 160:
            names = names_in(text)
            if names:
                authors += names
                continue
            if len(text) < 60 or _ROLE_LINE.search(text):
                continue
        if is_byline(text) and (not piece.in_text_block or len(text.split()) <= 12) and not piece.is_heading:
            authors += names_in(text)
            continue
        if piece.is_heading and body and _is_card(piece):
            continue
        if piece.is_heading and headline is None and not body_words(body):
            text = _without_lead(_without_labels(piece, harvest), extent, harvest)
            if text and len(text.split()) <= MAX_HEADLINE_WORDS:
                headline = text
                body = [b for b in body if b.in_text_block]
            elif text:
                body.append(piece)
            continue
        if not opened and extent.mark is not None and extent.mark.form == "lead":
            lead = read_lead(text[:400])
            if lead is not None and lead[0].clock == (extent.mark.shown.clock if extent.mark.shown else None):
                opened = True
                rest = _rest_of_lead(text, lead[1])
                if len(rest) <= 60 and is_name(rest):
                    authors.append(rest)
                elif rest:
                    headline, kept = _lead_headline(piece, rest, headline)
                    if kept:
                        piece.text = kept
                        body.append(piece)
                continue
        tail = read_tail(text) if not piece.in_list else None
        if tail is not None and len(tail[0]) < 80:
            authors += names_in(tail[0])
            harvest.shown.append(tail[1])
            continue
        if not body and len(text) <= 60 and _names_place(pieces, n, headline):
            sole = only_names_in(text)
            if sole:
                authors += sole
                continue
        if (
            authors and not body and len(text) < 90 and _ROLE_LINE.search(text) and text[-1:] not in ".!?:"
        ):
            continue
        body.append(piece)
    _finish(candidate, headline, body, authors, extent)


def body_words(pieces: list[_Piece]) -> int:
    """Words in pieces that are paragraphs."""
    return sum(len(piece.text.split()) for piece in pieces if piece.in_text_block)


def _names_place(pieces: list[_Piece], n: int, headline: str | None) -> bool:
    """Whether a bare name stands where bylines stand: alone at the head, before prose."""
    if pieces[n].is_heading or pieces[n].in_list:
        return False
    if pieces[n].in_text_block and headline is None and n > 2:
        return False
    return n + 1 < len(pieces) or headline is not None


def _short_parts(piece: _Piece, harvest: _Harvest, authors: list[str], *, header: bool) -> bool:
    """Take apart a short line such as "12:05 | Jane Doe | Share"; False if it is text."""
    if piece.in_text_block or len(piece.text) > 120:
        return False
    parts = [part.strip(" \n\t|•·,–-") for part in piece.parts]
    parts = [part for part in parts if part]
    if len(parts) < 2 and "|" in piece.text:
        parts = [part.strip() for part in piece.text.split("|")]
    if not parts:
        return True
    names: list[str] = []
    stamps: list[Stamp] = []
    after_by = False
    for part in parts:
        stamp = read_expression(part)
        if stamp is not None:
            stamps.append(stamp)
        elif is_label(part):
            harvest.is_key_event |= marks_key_event(part)
            harvest.is_pinned |= marks_pinned(part)
        elif opens_byline(part) or part.lower() in {"and", "und", "et", "y", "e", "en", "i"}:
            after_by = True
        else:
            found = names_in(part) if (header or after_by or stamps or is_byline(part)) else ()
            if not found:
                return False
            names += found
    if len(parts) == 1 and names and not is_byline(parts[0]):
        return False
    authors += names
    for stamp in stamps:
        (harvest.updates if stamp.is_update else harvest.shown).append(stamp)
    return True


def _without_labels(piece: _Piece, harvest: _Harvest) -> str:
    """A heading without the badges set before or after its words."""
    parts = [part for part in piece.parts if part.strip()]
    kept = [part for part in parts if not is_label(part.strip())]
    if not kept or len(kept) == len(parts):
        return piece.text
    for part in parts:
        harvest.is_key_event |= marks_key_event(part.strip())
        harvest.is_pinned |= marks_pinned(part.strip())
    return " ".join("".join(kept).split())


def _without_lead(text: str, extent: Extent, harvest: _Harvest) -> str:
    lead = read_lead(text[:400])
    if lead is None:
        return text
    stamp, rest, set_apart = lead
    if (extent.mark is not None and extent.mark.form == "lead") or (set_apart and rest):
        harvest.shown.append(stamp)
        return _rest_of_lead(text, rest)
    return text


def _rest_of_lead(text: str, rest: str) -> str:
    if len(text) <= 400 or not rest:
        return rest
    return text[text.find(rest[:40]) :]


def _lead_headline(piece: _Piece, rest: str, headline: str | None) -> tuple[str | None, str]:
    """Headline and remaining text of a paragraph that opened with its clock."""
    if headline is not None:
        return headline, rest
    strong = _strong_head(piece, rest)
    if strong is None:
        return None, rest
    return strong or None, rest[len(strong) :].strip(" :–—-") if strong else rest


def _strong_head(piece: _Piece, rest: str) -> str | None:
    """The part of a lead paragraph that is set in bold, if it ends before the text does."""
    if piece.strong_chars == 0 or len(rest.split()) > 400:
        return None
    if piece.strong_chars >= 0.9 * len(piece.text):
        return rest
    heads = []
    for part in piece.parts:
        heads.append(part)
        if sum(len(h.strip()) for h in heads) >= piece.strong_chars:
            break
    head = " ".join("".join(heads).split())
    lead = read_lead(head[:400])
    if lead is None or not lead[1]:
        return None
    return lead[1] if rest.startswith(lead[1]) and len(lead[1].split()) > 1 else None


def _finish(
    candidate: Candidate, headline: str | None, body: list[_Piece], authors: list[str], extent: Extent
) -> None:
    while len(body) > 1 and _is_byline_tail(body[-1]):
        authors += names_in(body.pop().text)
    if headline is None and len(body) > 1 and (_is_bold_headline(body[0]) or _is_title(body)):
        headline = body.pop(0).text
    prose = [piece for piece in body if piece.in_text_block or piece.is_heading]
    prose_words = sum(len(piece.text.split()) for piece in prose)
    other_words = sum(len(piece.text.split()) for piece in body) - prose_words
    if prose_words >= max(8, 0.6 * other_words):
        body = [piece for piece in body if piece in prose or _is_prose(piece)]
    elif headline is not None or len(body) > 1:
        body = [piece for piece in body if piece.in_text_block or not _is_card(piece)]
    candidate.headline = headline
    candidate.authors = tuple(dict.fromkeys(authors))
    candidate.paragraphs = [piece.text for piece in body]


def _is_bold_headline(piece: _Piece) -> bool:
    text = piece.text
    return (
        piece.strong_chars >= 0.9 * len(text.replace(" ", ""))
        and len(text.split()) <= MAX_HEADLINE_WORDS
        and not piece.in_list
        and text[-1] not in ",;"
    )


def _is_title(body: list[_Piece]) -> bool:
    """Whether a line outside paragraphs stands over them like a heading."""
    first, second = body[0], body[1]
    return (
        not first.in_text_block
        and not _is_card(first)
        and 2 <= len(first.text.split()) <= 25
        and first.text[-1] not in ".,;:…"
        and len(second.text) > len(first.text)
    )


def _is_byline_tail(piece: _Piece) -> bool:
    text = piece.text
    return len(text) <= 60 and not piece.in_list and (is_byline(text) or is_name(text))


def _is_prose(piece: _Piece) -> bool:
    """Whether text outside paragraphs reads as a sentence of the entry."""
    if _is_card(piece) or piece.in_footer:
        return False
    return len(piece.text.split()) >= 8 and piece.text[-1] in ".!?…\"”»’)':"


def _is_card(piece: _Piece) -> bool:
    """Whether a block is nearly all link: a card or a menu."""
    return piece.link_chars >= 0.8 * len(piece.text)


def _settle_names(
    page: Outline, extent: Extent, harvest: _Harvest, candidate: Candidate, page_url: str
) -> None:
    """Ids and permalink, and absolute links."""
    base = urldefrag(page_url)[0]
    path = urlsplit(base).path.rstrip("/")
    names = set(harvest.names)
    if candidate.own_id:
        names.add(candidate.own_id)
    for i in range(extent.box + 1, min(page.ends[extent.box], extent.box + 6)):
        if page.tags[i] != TEXT:
            inner = own_id(page, i)
            if inner:
                names.add(inner)
                if candidate.own_id is None and not extent.is_flat:
                    candidate.own_id = inner
    links: list[str] = []
    permalink: str | None = None
    host = urlsplit(base).netloc
    for href in harvest.links:
        link = _absolute(href.strip(), base, page_url)
        if link is None:
            continue
        if link.startswith(base) or (path and path in link and _is_same_page(link, host, path)):
            _take_names(link, names)
            if permalink is None and ("#" in link or "?" in link):
                permalink = link
        elif not _SHARE.search(link):
            links.append(link)
    if permalink is None and candidate.own_id and not page_url.startswith("file:"):
        permalink = f"{base}#{candidate.own_id}" if page.attributes(extent.box).get("id") == candidate.own_id else None
    candidate.names = {name for name in names if 2 <= len(name) <= 200}
    candidate.url = permalink
    candidate.links = tuple(dict.fromkeys(links))
    images = (_absolute(source, base, page_url) for source in harvest.images)
    candidate.images = tuple(dict.fromkeys(image for image in images if image is not None))


def _absolute(href: str, base: str, page_url: str) -> str | None:
    """An http(s) address; None for anything else, such as ``javascript:`` or a bare ``#``."""
    if href.startswith(("https://", "http://")):
        return href
    if len(href) < 2 or _SCHEME.match(href):
        return None
    if href.startswith("#"):
        return base + href
    try:
        link = urljoin(page_url, href)
    except ValueError:
        return None
    return link if link.startswith(("https://", "http://")) else None


def _is_same_page(link: str, host: str, path: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.path.rstrip("/") == path and parts.netloc == host


def _take_names(link: str, names: set[str]) -> None:
    """The anchors and ids that a link into the same page holds."""
    address, _, fragment = link.partition("#")
    if fragment:
        names.add(unquote(fragment))
    for value in _QUERY_VALUE.findall(address.partition("?")[2][:400]):
        if any(c.isdigit() for c in value):
            names.add(unquote(value).removeprefix("with:"))


_SCHEME = re.compile(r"(?:javascript|mailto|tel|data|blob|about|sms|whatsapp|fb-messenger):", re.IGNORECASE)
_QUERY_VALUE = re.compile(r"=([^&]{2,200})")
_SHARE = re.compile(
    r"(?:/sharer|/share\b|/share\?|/intent/|dialog/share|dialog/send|shareArticle|/submit\?|/send\?|^https?://wa\.me)",
    re.IGNORECASE,
)
