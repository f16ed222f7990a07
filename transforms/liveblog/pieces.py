"""Cut the part of the page that is one entry into pieces of text and what surrounds them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from transforms.liveblog.authors import names_in
from transforms.liveblog.bodies import EMBED_CLASS, marks_related
from transforms.liveblog.outline import BLOCKS, HEADINGS, TEXT, Outline
from transforms.liveblog.times import Stamp, read_expression, read_machine, says_update
from transforms.liveblog.wordlists import one_line, words

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LOOKED_INTO = 400
"""Nodes of a skipped element that are searched for pictures and links."""

MIN_MOMENT_CHARS = 9
"""A day alone, without signs between, has fewer."""
_SKIPPED = words(
    "button form nav figcaption audio video picture label amp-ad amp-social-share aside figure"
)
_FRAMES = frozenset(
    ["iframe", "amp-iframe", "amp-twitter", "amp-instagram", "amp-youtube", "embed"]
)
_PICTURES = frozenset(["img", "amp-img"])
_FOREIGN = _PICTURES | _FRAMES | {"a", "figure", "video", "audio"}
_TAKEN = _PICTURES | _FRAMES | {"a", "time"}
_BOXES = frozenset(["section", "aside", "div", "ul", "footer"])
_MAX_LABEL_DEPTH = 8
_MAX_AUTHOR_NODES = 30
"""An element with more in it is no author's box."""
_STYLED = frozenset(["span", "mark", "small"])
_MARKED_LEVEL = 3
_NEAR_BLOCKS = 4
"""Text this many blocks below a paragraph or heading, itself counted, is the text of it."""
_TEXT_BLOCKS = frozenset(["p", "li", "blockquote", "pre", "dd"])
_ITEMS = frozenset(["li", "dd"])

_JUNK_CLASS = re.compile(
    r"(?:^|[\s_-])(?:share|sharing|sharebar|social|caption|credits?|copyright|newsletter|promo\w*|"
    r"related|teaser|advert\w*|ads?|adslot|banner|recommend\w*|outbrain|taboola|toolbar|tooltip|"
    r"visually-hidden|visuallyhidden|sr-only|screen-reader-text|sponsored|paywall-(?:prompt|box|banner|message|teaser|overlay)|"
    r"readmore|more-on|reactions?|comment-count|media-?player|"
    r"video-(?:title|meta|info|caption|description|player))(?:$|[\s_-]|__)",
    re.IGNORECASE,
)
_AUTHOR_CLASS = re.compile(
    r"(?:^|[\s_-])(?:author\w*|contributor\w*|autor\w*|auteur\w*|redakteur\w*|journalist\w*|"
    r"firma|signature|autore|writer|reporter)(?:$|[\s_-]|__)|author(?:$|\s|_)|byline",
    re.IGNORECASE,
)
"""Plain words in class names; pages whose classes are hashes are read without them."""

_AUTHOR_LINK = re.compile(
    r"/(?:(?:authors?|autor(?:en|es|a)?|auteurs?|autori|people|persons?|profiles?|team|"
    r"journalist\w*|redacteurs?|redaktion|by|contributors?|reporters?|staff|signature|firmas|"
    r"autorzy)/|(?:author|autor|auteur|autore|journalist)-)",
    re.IGNORECASE,
)
_SOCIAL_POST = re.compile(
    r"(?:twitter|x)\.com/[^/]{1,40}/status/|instagram\.com/(?:p|reel|tv)/|"
    r"facebook\.com/[^/]{1,80}/(?:posts|videos)/|tiktok\.com/@[^/]{1,60}/video/|"
    r"bsky\.app/profile/[^/]{1,100}/post/|//t\.me/[^/]{1,60}/\d|"
    r"threads\.(?:net|com)/@[^/]{1,60}/post/",
    re.IGNORECASE,
)
_UPDATE_HINT = re.compile(r"updated|modif|last-?update", re.IGNORECASE)
_KEY_CLASS = re.compile(
    r"key[-_ ]?(?:event|moment|post|update)|is-?key\b|highlight(?:ed)?\b", re.IGNORECASE
)
_PIN_CLASS = re.compile(r"\b(?:pinned|sticky|is-?pinned|fixed-post)\b|sticky[-_]", re.IGNORECASE)
_KEY_ATTRIBUTE = re.compile(r"data-(?:is-?)?(?:key|highlight)[\w-]*")
_PIN_ATTRIBUTE = re.compile(r"data-(?:is-?)?(?:pinned|sticky)")
_PUBLISHED_ATTRIBUTE = re.compile(
    r"publi|post|creat|time|date|stamp|sort|epoch|unix|-ts$", re.IGNORECASE
)
_UPDATED_ATTRIBUTE = re.compile(r"updat|modif|chang|edit", re.IGNORECASE)


@dataclass(slots=True)
class Piece:
    """One run of text between block borders.

    parts: the text nodes it is made of.
    strong_chars, link_chars: how much of it is bold, or a link.
    level: of the heading that it is, 1 to 6.
    strong_parts: how many of the first parts are bold.
    """

    parts: list[str]
    in_text_block: bool
    in_list: bool
    in_footer: bool
    is_heading: bool
    is_author: bool
    level: int = 0
    text: str = ""
    strong_chars: int = 0
    link_chars: int = 0
    strong_parts: int = 0

    @property
    def is_bold(self) -> bool:
        """Whether nearly all of it is bold."""
        return self.strong_chars >= 0.9 * len(self.text.replace(" ", ""))

    @property
    def is_card(self) -> bool:
        """Whether nearly all of it is a link."""
        return self.link_chars >= 0.8 * len(self.text)


@dataclass(slots=True)
class Harvest:
    """What one entry's part of the page holds.

    machine: moments of ``time`` elements and metadata, in order.
    box_machine: moments in attributes, which readers do not see.
    shown: times that readers see. updates: moments called updates.
    day: a calendar day that stands apart from the clock.
    captions: what its pictures say of themselves, which may stand below them, too.
    """

    pieces: list[Piece] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    machine: list[Stamp] = field(default_factory=list)
    box_machine: list[Stamp] = field(default_factory=list)
    shown: list[Stamp] = field(default_factory=list)
    updates: list[Stamp] = field(default_factory=list)
    updates_are_shown: bool = False
    day: Stamp | None = None
    authors: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    captions: set[str] = field(default_factory=set)
    is_key_event: bool = False
    is_pinned: bool = False


def read_box(attributes: dict[str, str], harvest: Harvest) -> None:
    """Take from the entry's own element its moments, flags and author."""
    for name, value in attributes.items():
        if not value or len(value) > 400:
            continue
        if name in {"class", "data-type", "data-category", "data-entry-type"}:
            is_key_event, is_pinned = _flags_of_class(value)
            harvest.is_key_event |= is_key_event
            harvest.is_pinned |= is_pinned
        elif name.startswith("data-"):
            if value[:4].isdigit():
                _take_moment(name, value, harvest)
            elif value.lower() in {"true", "1"}:
                harvest.is_key_event |= bool(_KEY_ATTRIBUTE.fullmatch(name))
                harvest.is_pinned |= bool(_PIN_ATTRIBUTE.fullmatch(name))
            elif "author" in name and "id" not in name:
                harvest.authors += names_in(value)


@lru_cache(maxsize=1024)
def _flags_of_class(styled: str) -> tuple[bool, bool]:
    """Whether a class says key event, and whether it says pinned."""
    return bool(_KEY_CLASS.search(styled)), bool(_PIN_CLASS.search(styled))


@lru_cache(maxsize=1024)
def _hints_update(styled: str) -> bool:
    return bool(_UPDATE_HINT.search(styled))


def _moment_in(name: str, value: str) -> Stamp | None:
    """The moment in an attribute; the digits of an id are none."""
    return None if name.endswith("id") else read_machine(value)


def _take_moment(name: str, value: str, harvest: Harvest) -> None:
    stamp = _moment_in(name, value)
    if stamp is None or not stamp.tells_clock:
        return
    if _UPDATED_ATTRIBUTE.search(name):
        harvest.updates.append(stamp)
    elif _PUBLISHED_ATTRIBUTE.search(name):
        harvest.box_machine.append(stamp)


def cut(
    page: Outline, start: int, end: int, harvest: Harvest, template: frozenset[str] = frozenset()
) -> None:
    """Cut a range into pieces at block borders.

    template: texts that many entries share, which are left out.

    Leaves out, but takes links and pictures from: figures, frames, embedded
    posts, share bars, cards, prompts that their markup names as such.
    """
    _Cutter(page, start, end, harvest).run(template)


def opens_related(page: Outline, start: int, end: int) -> bool:
    """Whether a range begins with a line such as "Read also", and says more than that."""
    for at in range(start, min(end, start + _MAX_LABEL_DEPTH)):
        if page.tags[at] == TEXT:
            return marks_related(page.texts[at]) and end > at + 1
    return False


class _Cutter:
    """The walk over one range; each element's method says where the walk goes on."""

    __slots__ = (
        "author_end", "block_end", "blocks", "end", "footer_end", "harvest", "level", "link_end",
        "list_end", "page", "piece", "start", "strong_end",
    )  # fmt: skip

    def __init__(self, page: Outline, start: int, end: int, harvest: Harvest) -> None:
        self.page, self.start, self.end, self.harvest = page, start, end, harvest
        # Where each open block ends; how near the last block of text and the last heading are
        self.blocks = [(len(page), 0, 0)]
        self.block_end = len(page)
        self.author_end = self.strong_end = self.link_end = self.list_end = self.footer_end = -1
        self.piece: Piece | None = None
        self.level = 0

    def run(self, template: frozenset[str]) -> None:
        tags, texts = self.page.tags, self.page.texts
        methods = _METHODS
        at, end = self.start, self.end
        while at < end:
            if at >= self.block_end:
                self._leave_blocks(at)
            tag = tags[at]
            if tag == TEXT:
                text = texts[at]
                if not (template and text.strip() in template):
                    self._add(at, text)
                at += 1
                continue
            method = methods.get(tag)
            if method is not None:
                at = method(self, at)
            elif "-" in tag:
                at = self.styled(at)
            else:
                at += 1
        self._close()

    def _add(self, at: int, text: str) -> None:
        piece = self.piece
        if piece is None:
            self.piece = self._piece(at, text)
            return
        if at < self.strong_end:
            piece.strong_chars += len(text.strip())
        if at < self.strong_end or text.isspace():
            piece.strong_parts += piece.strong_parts == len(piece.parts)
        piece.parts.append(text)
        if at < self.link_end:
            piece.link_chars += len(text.strip())

    def _leave_blocks(self, at: int) -> None:
        if self.piece is not None:
            self._close()
        blocks = self.blocks
        while at >= blocks[-1][0]:
            blocks.pop()
        self.block_end = blocks[-1][0]

    def _close(self) -> None:
        piece = self.piece
        if piece is not None:
            parts = piece.parts
            piece.text = one_line(parts[0] if len(parts) == 1 else "".join(parts))
            if piece.text:
                self.harvest.pieces.append(piece)
            self.piece = None

    def _piece(self, at: int, text: str) -> Piece:
        _, text_nearness, heading_nearness = self.blocks[-1]
        size = len(text.strip()) if at < self.strong_end or at < self.link_end else 0
        return Piece(
            [text],
            text_nearness > 0,
            at < self.list_end,
            at < self.footer_end,
            heading_nearness > 0,
            at < self.author_end,
            self.level if heading_nearness > 0 else 0,
            "",
            size if at < self.strong_end else 0,
            size if at < self.link_end else 0,
            int(at < self.strong_end),
        )

    def picture(self, at: int) -> int:
        _take_picture(self.page.attributes(at), self.harvest)
        return at + 1

    def aside(self, at: int) -> int:
        """What stands beside the text is no part of it, but may say who wrote it."""
        page = self.page
        inside = range(at, min(page.ends[at], at + _MAX_AUTHOR_NODES))
        says_who = page.ends[at] <= inside.stop and any(
            _names_author(page.attributes(i)) for i in inside if page.tags[i] != TEXT
        )
        return self.block(at) if says_who else self.skipped(at)

    def frame(self, at: int) -> int:
        source = self.page.attributes(at).get("src")
        if source:
            self.harvest.links.append(source)
        return self.page.ends[at]

    def skipped(self, at: int) -> int:
        self._close()
        self._take_silently(at)
        return self.page.ends[at]

    def button(self, at: int) -> int:
        """A heading may be one that folds its entry."""
        return at + 1 if self.page.tags[self.page.parents[at]] in HEADINGS else self.skipped(at)

    def time(self, at: int) -> int:
        self._close()
        _take_time(self.page, at, self.harvest)
        return self.page.ends[at]

    def meta(self, at: int) -> int:
        attributes = self.page.attributes(at)
        stamp = read_machine(attributes.get("content", ""))
        kind = attributes.get("itemprop", "").lower()
        if stamp is not None and "modified" in kind:
            self.harvest.updates.append(stamp)
        elif stamp is not None and "published" in kind:
            self.harvest.machine.insert(0, stamp)
        return at + 1

    def strong(self, at: int) -> int:
        self.strong_end = max(self.strong_end, self.page.ends[at])
        return at + 1

    def line_break(self, at: int) -> int:
        """One break is a blank, two end the paragraph."""
        if self.piece is not None:
            self.piece.parts.append("\n")
            if at + 1 < self.end and self.page.tags[at + 1] == "br":
                self._close()
        return at + 1

    def link(self, at: int) -> int:
        page, harvest = self.page, self.harvest
        attributes = page.attributes(at)
        if self._wraps_blocks(at) and any(p.in_text_block for p in harvest.pieces):
            self._close()
            self._take_silently(at)
            return page.ends[at]
        href = attributes.get("href", "")
        if href:
            harvest.links.append(href)
        if attributes.get("name"):
            harvest.names.add(attributes["name"])
        if not href.startswith("#"):  # what leads to the entry itself is no card
            self.link_end = max(self.link_end, page.ends[at])
        is_author = "author" in attributes.get("rel", "")
        if (is_author and not self._is_within_text()) or (
            (is_author or _AUTHOR_LINK.search(href)) and self._alone(at)
        ):
            harvest.authors += names_in(page.text_of(at))
        return at + 1

    def _is_within_text(self) -> bool:
        return self.blocks[-1][1] > 0

    def _wraps_blocks(self, at: int) -> bool:
        """Whether a link wraps whole blocks: a card that leads to another story."""
        tags, end = self.page.tags, self.page.ends[at]
        return end - at > 2 and not BLOCKS.isdisjoint(tags[at + 1 : min(end, at + 40)])

    def _alone(self, at: int) -> bool:
        """Whether its parent says hardly more than what it links to, names and names only."""
        page = self.page
        parent = page.parents[at]
        if page.ends[parent] - parent > 40:
            return False
        links = (i for i in range(parent + 1, page.ends[parent]) if page.tags[i] == "a")
        linked = sum(
            len(page.text_of(i))
            for i in links
            if i == at or _AUTHOR_LINK.search(page.attributes(i).get("href", ""))
        )
        return len(page.text_of(parent)) <= linked + 24

    def quote(self, at: int) -> int:
        if self._is_social(at):
            return self.skipped(at)
        return self.block(at)

    def _is_social(self, at: int) -> bool:
        """Whether a quote is a post of a social network: it names its own address."""
        page = self.page
        if _SOCIAL_POST.search(page.attributes(at).get("cite", "")):
            return True
        return any(
            page.tags[i] == "a" and _SOCIAL_POST.search(page.attributes(i).get("href", ""))
            for i in range(at + 1, min(page.ends[at], at + MAX_LOOKED_INTO))
        )

    def block(self, at: int) -> int:
        page = self.page
        attributes = page.attributes(at)
        if attributes and at != self.start:
            after = self._styled(at, attributes)
            if after != at + 1:
                return after
        tag, end = page.tags[at], page.ends[at]
        is_heading = tag in HEADINGS or _is_marked_heading(attributes)
        if tag in _BOXES and at != self.start and self._is_related(at):
            return self.skipped(at)
        if self.piece is not None:
            self._close()
        _, text_nearness, heading_nearness = self.blocks[-1]
        self.blocks.append(
            (
                end,
                _NEAR_BLOCKS if self._holds_text(at, tag) else text_nearness - 1,
                _NEAR_BLOCKS if is_heading else heading_nearness - 1,
            )
        )
        self.block_end = end
        if tag in {"ul", "ol"}:
            self.list_end = max(self.list_end, end)
        elif is_heading:
            self.level = int(tag[1]) if tag in HEADINGS else _MARKED_LEVEL
        elif tag == "footer":
            self.footer_end = max(self.footer_end, end)
        return at + 1

    def _holds_text(self, at: int, tag: str) -> bool:
        """Whether an element is a paragraph or the like, and not the item that is the entry."""
        return tag in _TEXT_BLOCKS and (at != self.start or tag not in _ITEMS)

    def styled(self, at: int) -> int:
        """An element whose attributes may say what it is."""
        attributes = self.page.attributes(at)
        return self._styled(at, attributes) if attributes and at != self.start else at + 1

    def _styled(self, at: int, attributes: dict[str, str]) -> int:
        if "hidden" in attributes:
            if self.piece is not None:
                self.piece.parts.append(" ")
            return self.page.ends[at]
        styled = attributes.get("class")
        if styled is None or len(attributes) > 1:
            self._take_attributes(at, attributes)
        kind = _kind_of_class(styled) if styled else ""
        if not kind and len(attributes) > 1:
            named = attributes.get("data-testid") or attributes.get("data-component")
            kind = _kind_of_class(named) if named else ""
        if not kind:
            return at + 1
        if (kind == "embed" and self._is_embed(at)) or (kind == "junk" and not self._is_bulk(at)):
            return self.skipped(at)
        if kind == "author":
            self.author_end = max(self.author_end, self.page.ends[at])
        return at + 1

    def _is_embed(self, at: int) -> bool:
        """Whether an element that its class calls an embed holds more than a quotation."""
        tags = self.page.tags
        if tags[at] == "span":
            return False
        inside = tags[at + 1 : min(self.page.ends[at], at + MAX_LOOKED_INTO)]
        return "blockquote" not in inside or not _FOREIGN.isdisjoint(inside)

    def _take_attributes(self, at: int, attributes: dict[str, str]) -> None:
        harvest = self.harvest
        if not harvest.box_machine:
            for name, value in attributes.items():
                if name.startswith("data-") and value[:4].isdigit():
                    _take_moment(name, value, harvest)
        if attributes.get("itemprop") == "author":
            self.author_end = max(self.author_end, self.page.ends[at])

    def _is_related(self, at: int) -> bool:
        return opens_related(self.page, at, self.page.ends[at]) and not self._is_bulk(at)

    def _is_bulk(self, at: int) -> bool:
        """Whether an element holds most of the entry, whatever its class says."""
        size = self.page.ends[at] - at
        return size * 2 > self.end - self.start and len(self.page.text_of(at)) > 200

    def _take_silently(self, at: int) -> None:
        """Pictures, frames, posts, anchors and times of an element whose text is not kept."""
        page, harvest = self.page, self.harvest
        tags = page.tags
        for i in range(at, min(page.ends[at], at + MAX_LOOKED_INTO)):
            tag = tags[i]
            if tag not in _TAKEN:
                continue
            if tag in _PICTURES:
                _take_picture(page.attributes(i), harvest)
            elif tag in _FRAMES:
                harvest.links.append(page.attributes(i).get("src", ""))
            elif tag == "a":
                href = page.attributes(i).get("href", "")
                if "#" in href or _SOCIAL_POST.search(href):
                    harvest.links.append(href)
            elif tag == "time":
                _take_time(page, i, harvest)


_METHODS: dict[str, Callable[[_Cutter, int], int]] = {
    **dict.fromkeys(BLOCKS, _Cutter.block),
    **dict.fromkeys(_STYLED, _Cutter.styled),
    **dict.fromkeys(_PICTURES, _Cutter.picture),
    **dict.fromkeys(_FRAMES, _Cutter.frame),
    **dict.fromkeys(_SKIPPED, _Cutter.skipped),
    **dict.fromkeys(("strong", "b"), _Cutter.strong),
    "a": _Cutter.link,
    "button": _Cutter.button,
    "aside": _Cutter.aside,
    "blockquote": _Cutter.quote,
    "br": _Cutter.line_break,
    "meta": _Cutter.meta,
    "time": _Cutter.time,
}


@lru_cache(maxsize=4096)
def _kind_of_class(styled: str) -> str:
    """What a class attribute says in plain words, if anything: embed, junk, author."""
    if not styled:
        return ""
    if EMBED_CLASS.search(styled):
        return "embed"
    if _JUNK_CLASS.search(styled):
        return "junk"
    if not _AUTHOR_CLASS.search(styled):
        return ""
    return "junk" if "comment" in styled.lower() else "author"


def _is_marked_heading(attributes: dict[str, str]) -> bool:
    """Whether markup calls an element of another tag a heading."""
    return attributes.get("role") == "heading" or attributes.get("itemprop") == "headline"


def _names_author(attributes: dict[str, str]) -> bool:
    """Whether an element is marked up as who wrote, or links to them."""
    return (
        attributes.get("itemprop") == "author"
        or _kind_of_class(attributes.get("class", "")) == "author"
        or bool(_AUTHOR_LINK.search(attributes.get("href", "")))
    )


def _take_picture(attributes: dict[str, str], harvest: Harvest) -> None:
    for said in (attributes.get("alt"), attributes.get("title")):
        if said:
            harvest.captions.update((one_line(said), one_line(said.partition(" | ")[0])))
    for name in ("data-src", "src", "data-original", "data-lazy-src"):
        value = attributes.get(name, "").strip()
        if value and not value.startswith(("data:", "blob:")):
            harvest.images.append(value)
            return


def read_time_value(attributes: dict[str, str]) -> Stamp | None:
    """What a ``time`` element tells machines; where it has no datetime, in another attribute."""
    value = attributes.get("datetime") or attributes.get("content")
    if value:
        return read_machine(value) or read_expression(value)
    named = (
        _moment_in(name, value)
        for name, value in attributes.items()
        if len(value) > MIN_MOMENT_CHARS and _PUBLISHED_ATTRIBUTE.search(name)
    )
    return next((stamp for stamp in named if stamp is not None), None)


def _take_time(page: Outline, index: int, harvest: Harvest) -> None:
    attributes = page.attributes(index)
    machine = read_time_value(attributes)
    shown = read_time_text(page, index)
    around = page.attributes(page.parents[index]).get("class", "")
    hint = f"{attributes.get('class', '')} {attributes.get('itemprop', '')} {around}"
    is_update = bool(shown and shown.is_update) or _hints_update(hint)
    if harvest.pieces and says_update(harvest.pieces[-1].text):
        harvest.pieces.pop()
        is_update = True
    if is_update:
        stamp = machine or shown
        if stamp is not None:
            harvest.updates.insert(0, stamp)
            harvest.updates_are_shown = True
        return
    if machine is not None:
        harvest.machine.append(machine)
    if shown is not None:
        harvest.shown.append(shown)


def read_time_text(page: Outline, index: int) -> Stamp | None:
    """What a ``time`` element shows, be it said once or twice ("Posted at 15:05", "15:05")."""
    whole = read_expression(page.text_of(index))
    if whole is not None:
        return whole
    found: Stamp | None = None
    for i in range(index + 1, min(page.ends[index], index + MAX_LOOKED_INTO)):
        stamp = read_expression(page.texts[i].strip()) if page.tags[i] == TEXT else None
        if stamp is not None and (found is None or (stamp.tells_clock and not found.tells_clock)):
            found = stamp
    return found
