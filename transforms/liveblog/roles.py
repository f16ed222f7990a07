"""Give each piece of an entry its role: time, label, byline, headline, body or nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from transforms.liveblog.authors import (
    MAX_BYLINE_CHARS,
    begins_byline,
    is_byline,
    is_name,
    is_newsroom,
    is_role,
    names_in,
    names_somebody,
    only_names_in,
    opens_byline,
)
from transforms.liveblog.bodies import (
    AGENCIES,
    ends_in_credit,
    is_credit,
    is_label,
    is_noise,
    marks_key_event,
    marks_pinned,
    marks_related,
)
from transforms.liveblog.headings import (
    MAX_HEADLINE_WORDS,
    bold_head,
    bold_sentence,
    take_bold_line,
    take_title,
)
from transforms.liveblog.signatures import (
    MAX_NAME_LINE_CHARS,
    apart,
    before_places,
    name_behind_post,
    names_below,
    runs_together,
    take_signature,
)
from transforms.liveblog.times import (
    MAX_EXPRESSION_CHARS,
    Stamp,
    names_zone,
    read_closing_clock,
    read_each,
    read_expression,
    read_lead,
    read_tail,
)
from transforms.liveblog.wordlists import line_parts, one_line, words

if TYPE_CHECKING:
    from transforms.liveblog.candidate import Candidate
    from transforms.liveblog.groups import Extent
    from transforms.liveblog.pieces import Harvest, Piece

_MEDIA = words(
    "video videos vídeo vidéo wideo audio podcast gallery galerie galería galleria bildergalerie "
    "foto fotos photo photos image images rtve"
).union(AGENCIES)
"""What stands beside a film or a picture: what it is, or who sent it."""
_MAX_MEDIA_CHARS = max(map(len, _MEDIA))
_MAX_COUNT_CHARS = 12
_MIN_BADGE_CHARS = 6
_MAX_BADGE_CHARS = 25
_ANNOUNCED = re.compile(r"[^\W\d_]+(?: [^\W\d_]+)?\s?: ")
"""How a line begins that only leads to another story: "Read: ", "In pictures: "."""
_MAX_SIGNED = 3
"""So many of the last paragraphs may be signed; pictures and prompts follow them."""
_DURATION = re.compile(r"\d{1,2}:\d\d(?::\d\d)?|\d{1,3}\s?min\.?(?:\s\d{1,2}\s?s?)?")
_JOINING_WORDS = frozenset(["and", "und", "et", "y", "e", "en", "i"])
MAX_TOPIC_WORDS = 3
"""More words before the clock that closes a line are what the entry says."""


class Roles:
    """Gives each piece its role: time, label, byline, headline, body or nothing.

    Each ``_is`` says whether the piece is what it looks for; a piece that
    none wants is body.
    """

    def __init__(self, harvest: Harvest, extent: Extent) -> None:
        self.harvest = harvest
        mark = extent.mark
        self.clock = mark.shown.clock if mark and mark.shown else None
        self.is_lead = mark is not None and mark.form == "lead"
        self.has_opened = False
        self.headline: str | None = None
        self.level = 0
        self.authors: list[str] = list(harvest.authors)
        self.body: list[Piece] = []

    def give(self, candidate: Candidate) -> None:
        """Sort the pieces and fill headline, authors and paragraphs."""
        for piece in self.harvest.pieces:
            if self._is_time(piece):
                continue
            if len(piece.parts) > 1 and not (self.body or self.is_lead or piece.is_heading):
                self._take_opening_time(piece)
            if self._is_plain(piece) or not (
                self._is_label(piece)
                or self._is_line_of_parts(piece)
                or self._is_marked_author(piece)
                or self._is_stated_byline(piece)
                or self._is_headline(piece)
                or self._is_lead(piece)
                or self._is_tail(piece)
                or self._is_bare_name(piece)
            ):
                self.body.append(piece)
        if self.harvest.captions:
            self.body = [p for p in self.body if not self._is_caption(p)]
        self._settle_body()
        for piece in self.body[-_MAX_SIGNED:]:
            self.authors += take_signature(piece)
        candidate.headline = self.headline
        candidate.authors = tuple(dict.fromkeys(self.authors))
        candidate.paragraphs = [piece.text for piece in self.body]
        if self.headline is None and self.body and self.body[0].strong_parts:
            candidate.opening = bold_sentence(self.body[0])
        candidate.is_card = all(p.is_card for p in self.body) and any(
            p.is_card for p in self.harvest.pieces
        )

    def _is_plain(self, piece: Piece) -> bool:
        """Whether a piece is too long for any role but body, prompt or lead."""
        text = piece.text
        return (
            len(text) > MAX_BYLINE_CHARS
            and not piece.is_heading
            and not is_noise(text)
            and (self.has_opened or not self.is_lead)
        )

    def _flag(self, label: str) -> None:
        self.harvest.is_key_event |= marks_key_event(label)
        self.harvest.is_pinned |= marks_pinned(label)

    def _is_time(self, piece: Piece) -> bool:
        stamps = _stamps_of(piece)
        return bool(stamps) and all(self._takes_time(piece, stamp) for stamp in stamps)

    def _takes_time(self, piece: Piece, stamp: Stamp) -> bool:
        if stamp.is_update:
            self.harvest.updates.append(stamp)
        elif stamp.tells_clock or stamp.minute or stamp.ago is not None:
            self.harvest.shown.append(stamp)
        elif self.body:
            return not piece.in_text_block
        else:
            self.harvest.day = stamp
        return True

    def _take_opening_time(self, piece: Piece) -> None:
        """Take the time off a line that goes on without a break: headline, name or text."""
        stamp = read_expression(piece.parts[0].strip())
        if stamp is not None and stamp.tells_clock and not stamp.is_update:
            self.harvest.shown.append(stamp)
            del piece.parts[0]
            piece.strong_parts = max(0, piece.strong_parts - 1)
            piece.text = one_line("".join(piece.parts))

    def _is_label(self, piece: Piece) -> bool:
        text = piece.text
        if is_label(text):
            self._flag(text)
            return True
        if piece.is_heading:
            return is_noise(text) and not is_credit(text)
        return (
            (len(text) <= _MAX_MEDIA_CHARS and (text.lower() in _MEDIA or names_zone(text)))
            or opens_byline(text)
            or is_noise(text)
            or marks_related(text)
            or (bool(self.body) and not piece.in_text_block and _is_count(text))
            or (not piece.in_text_block and ends_in_credit(text))
            or (not self.body and not piece.in_text_block and is_newsroom(text))
            or (bool(self.body) and _leads_elsewhere(piece))
            or (len(piece.parts) > 1 and self._is_labels(piece))
        )

    def _is_labels(self, piece: Piece) -> bool:
        return self._is_film_title(piece) or all(map(is_label, piece.parts))

    def _is_film_title(self, piece: Piece) -> bool:
        """A line set apart from paragraphs that closes with how long a film lasts."""
        last = piece.parts[-1].strip()
        if not _DURATION.fullmatch(last):
            return False
        if piece.in_text_block and not runs_together(*piece.parts[-2:]):
            return False
        stamp = read_expression(last)
        return stamp is None or stamp.clock != self.clock

    def _is_line_of_parts(self, piece: Piece) -> bool:
        """A short line such as "12:05 | Jane Doe | Share"."""
        if piece.is_heading or len(piece.text) > 120:
            return False
        parts = [p for p in (part.strip(" \n\t|•·,–-") for part in piece.parts) if p]
        if len(parts) < 2:
            parts = line_parts(piece.text)
        if len(parts) < 2:
            return not (parts or piece.in_text_block)
        names: list[str] = []
        stamps = [read_expression(part) for part in parts]
        if piece.in_text_block and (self.body or not any(stamps)):
            return False
        may_name = not self.body or any(stamps) or is_byline(piece.text) or opens_byline(parts[0])
        is_pair = stamps.count(None) == 2
        for part, stamp in zip(parts, stamps, strict=True):
            if stamp is None and not is_label(part) and not _joins_names(part):
                found = names_in(part) if may_name or is_byline(part) else ()
                if not found and not (names and is_pair and _is_post_or_place(part)):
                    return False
                names += found
        for part, stamp in zip(parts, stamps, strict=True):
            if stamp is not None:
                (self.harvest.updates if stamp.is_update else self.harvest.shown).append(stamp)
            else:
                self._flag(part)
        self.authors += names
        return True

    def _is_marked_author(self, piece: Piece) -> bool:
        """A line that its markup names an author, or an author's post."""
        if not piece.is_author or len(piece.text) > 160:
            return False
        names = before_places(piece.parts) or names_in(apart(piece.parts))
        names = names or name_behind_post(piece.text)
        self.authors += names
        return bool(names) or len(piece.text) < MAX_NAME_LINE_CHARS or is_role(piece.text)

    def _is_stated_byline(self, piece: Piece) -> bool:
        """A line that says who wrote; what a break sets below it may say their post, or be text."""
        if not begins_byline(piece.text):
            return False
        first, _, below = apart(piece.parts).strip().partition("\n")
        names = names_in(first) if is_byline(first) else ()
        if not names:
            return False
        in_prose = piece.is_heading or (piece.in_text_block and len(first.split()) > 12)
        if in_prose and 2 * sum(map(len, names)) < len(first):
            return False
        self.authors += names
        if len(below) <= MAX_NAME_LINE_CHARS and not below.endswith((".", "!", "?")):
            return True
        piece.text = one_line(below)
        return False

    def _is_headline(self, piece: Piece) -> bool:
        if not piece.is_heading:
            return False
        if piece.text == self.headline and not self.body:
            return True  # once for wide screens, once for narrow ones
        has_begun = any(p.in_text_block for p in self.body)
        if has_begun and piece.is_card:
            return True  # the heading of another story
        if has_begun or (self.headline is not None and not self._is_below_kicker(piece)):
            return False
        text = self._without_closing_clock(self._without_lead(self._without_labels(piece)))
        if len(text.split()) > MAX_HEADLINE_WORDS:
            piece.text = text
            return False
        if text:
            self.headline = text
            self.level = piece.level
            self.body = []
        return True

    def _is_below_kicker(self, piece: Piece) -> bool:
        """Whether a heading outranks the short one directly above it."""
        return (
            piece.level < self.level
            and not self.body
            and len(piece.text) > len(self.headline or "")
        )

    def _without_labels(self, piece: Piece) -> str:
        """A heading without the badges and clocks set before or after its words."""
        kept: list[str] = []
        dropped: list[str] = []
        is_shouted = _is_shouted if not piece.text.isupper() else is_label
        for part in piece.parts:
            said = part.strip()
            is_badge = is_label(said) or read_expression(said) is not None or is_shouted(said)
            (dropped if is_badge else kept).append(part)
        if not "".join(kept).strip() or not dropped:
            return piece.text
        for part in dropped:
            self._flag(part.strip())
            stamp = read_expression(part.strip())
            if stamp is not None:
                self.harvest.shown.append(stamp)
        return " ".join("".join(kept).split())

    def _without_lead(self, text: str) -> str:
        lead = read_lead(text)
        if lead is None:
            return text
        stamp, rest, set_apart = lead
        is_own = self.clock is None or stamp.clock is None or stamp.clock == self.clock
        if self.is_lead or (set_apart and rest and is_own):
            self.harvest.shown.append(stamp)
            return rest
        return text

    def _without_closing_clock(self, text: str) -> str:
        closing = read_closing_clock(text)
        if closing is None or not closing[2] or closing[1].clock != self.clock:
            return text
        return closing[0]

    def _is_lead(self, piece: Piece) -> bool:
        """The paragraph that opens with the entry's clock; what follows the clock stays."""
        if self.has_opened or not self.is_lead:
            return False
        lead = read_lead(piece.text)
        if lead is None or lead[0].clock != self.clock:
            return False
        self.has_opened = True
        rest = lead[1]
        names = names_in(rest) if is_byline(rest) or is_name(rest) else ()
        if (names and not piece.is_bold) or is_newsroom(rest):
            self.authors += names
            return True
        if self.headline is None:
            self.headline = bold_head(piece, rest)
            rest = rest[len(self.headline or "") :].strip(" :–—-") if self.headline else rest
        piece.text = rest
        return not rest

    def _is_tail(self, piece: Piece) -> bool:
        """A byline with name and time run together, or a topic and the entry's clock."""
        tail = read_tail(piece.text) if not piece.in_list else None
        closing = read_closing_clock(piece.text) if tail is None else None
        if closing is not None and closing[1].clock == self.clock:
            line, stamp, is_apart = closing
            if names_somebody(line) or (is_apart and len(line.split()) <= MAX_TOPIC_WORDS):
                tail = line, stamp
            elif is_apart:
                piece.text = line
                return False
        if tail is None or len(tail[0]) > 80:
            return False
        self.authors += names_in(tail[0])
        self.harvest.shown.append(tail[1])
        return True

    def _is_bare_name(self, piece: Piece) -> bool:
        """A name, or the post that follows one, alone at the head of the entry."""
        if piece.is_heading and self.headline is None:
            return False
        if piece.in_list and (self.body or len(piece.parts) < 2):
            return False
        if self.body and not self._may_be_titled():
            return False
        text = apart(piece.parts).strip(" \n-–—|•·,")
        names = only_names_in(text) if len(text) <= MAX_NAME_LINE_CHARS else ()
        said = [part for part in map(str.strip, piece.parts) if part]
        if len(said) == 2 and is_name(said[0]) and _is_post_or_place(said[1]):
            names = names_in(said[0])
        if text.isupper() and not piece.in_text_block:
            return False  # a headline in capitals
        if names and piece is not self.harvest.pieces[-1]:
            self.authors += names
            return True
        return (
            bool(self.authors) and 0 < len(text) < 90 and text[-1] not in ".!?:" and is_role(text)
        )

    def _is_caption(self, piece: Piece) -> bool:
        """Whether a line says what a picture says of itself, and perhaps whose it is."""
        captions = self.harvest.captions
        first = one_line(piece.parts[0])
        if piece.text not in captions:
            rest = one_line("".join(piece.parts[1:]))
            if first not in captions or (piece.in_text_block and not is_credit(rest)):
                return False
        return not only_names_in(first)  # a portrait stands beside its name

    def _may_be_titled(self) -> bool:
        """Whether all there is so far is one line that may turn out to be the headline."""
        first = self.body[0]
        return (
            len(self.body) == 1
            and self.headline is None
            and not (first.in_text_block or first.is_card)
            and first.text[-1] not in ".,;:…"
        )

    def _settle_body(self) -> None:
        """Names and headings at the edges out, then whatever is no prose among prose."""
        body = self.body
        if len(body) > 2 and _is_post_line(body[-1]) and names_below(body[-2]):
            del body[-1]
        while len(body) > 1 and (names := names_below(body[-1])) is not None:
            self.authors += names
            del body[-1]
        while len(body) > 1 and body[-1].is_heading:
            body.pop()
        if self.headline is None and body:
            self.headline = take_bold_line(body[0]) or take_title(body)
        if all(piece.in_text_block for piece in body):
            return
        prose_words = other_words = 0
        for piece in body:
            if piece.in_text_block or piece.is_heading:
                prose_words += piece.text.count(" ") + 1
            else:
                other_words += piece.text.count(" ") + 1
        if prose_words >= max(8, 0.6 * other_words):
            self.body = [p for p in body if p.in_text_block or p.is_heading or _is_prose(p)]
        elif self.headline is not None or len(body) > 1:
            self.body = [p for p in body if p.in_text_block or not p.is_card]


def _leads_elsewhere(piece: Piece) -> bool:
    """Whether all that stands behind a few words and a colon is a link: "Read also: ..."."""
    head, colon, rest = piece.text.partition(": ")
    if not colon or piece.link_chars < 0.8 * len(rest):
        return False
    return marks_related(f"{head}:") or (piece.is_card and bool(_ANNOUNCED.match(piece.text)))


def _is_post_line(piece: Piece) -> bool:
    """Whether a line below a name tells nothing but the person's post."""
    text = piece.text
    return len(text) <= MAX_NAME_LINE_CHARS and text[-1].isalpha() and is_role(text)


def _is_post_or_place(part: str) -> bool:
    """Whether what stands behind a name, in an element of its own, is no sentence."""
    return is_role(part) or (part.isalpha() and part[0].isupper())


def _is_shouted(text: str) -> bool:
    """Whether a part of a heading is a badge in capitals; shorter ones may be names."""
    return text.isupper() and _MIN_BADGE_CHARS <= len(text) <= _MAX_BADGE_CHARS


def _is_count(text: str) -> bool:
    """Whether a line is only how many have liked or shared."""
    return len(text) <= _MAX_COUNT_CHARS and not any(map(str.isalpha, text))


def _stamps_of(piece: Piece) -> list[Stamp]:
    """The times of a line that says nothing else, one for each element where they are apart."""
    whole = read_expression(piece.text)
    if whole is not None:
        return [whole]
    parts = [part for part in map(str.strip, piece.parts) if part]
    if len(parts) < 2 or len(piece.text) > MAX_EXPRESSION_CHARS:
        return []
    whole = read_expression(one_line(apart(parts, " ")))
    if whole is not None:
        return [whole]
    return read_each(parts)


def _joins_names(part: str) -> bool:
    return opens_byline(part) or part.lower() in _JOINING_WORDS


def _is_prose(piece: Piece) -> bool:
    """Whether text outside paragraphs reads as a sentence of the entry."""
    if piece.is_card or piece.in_footer:
        return False
    size = len(piece.text.split())
    return (size >= 8 and piece.text[-1] in ".!?…\"”»’)'") or (size >= 4 and piece.text[-1] == ":")
