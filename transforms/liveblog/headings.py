"""Lines that stand over the rest of an entry like a heading, though nothing marks them as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transforms.liveblog.times import read_lead
from transforms.liveblog.wordlists import one_line

if TYPE_CHECKING:
    from transforms.liveblog.pieces import Piece

MAX_HEADLINE_WORDS = 45
MAX_OPENING_WORDS = 20
MAX_KICKER_WORDS = 4


def bold_head(piece: Piece, rest: str) -> str | None:
    """The bold words with which a lead paragraph goes on, if they are its headline."""
    if not piece.strong_chars or not rest:
        return None
    if piece.is_bold:
        return rest
    head = "".join(piece.parts[: piece.strong_parts])
    lead = read_lead(" ".join(head.split()))
    if lead is None or not lead[1] or not rest.startswith(lead[1]):
        return None
    is_line = piece.parts[piece.strong_parts : piece.strong_parts + 1] == ["\n"]
    return lead[1] if is_line or len(lead[1].split()) > 1 else None


def take_bold_line(piece: Piece) -> str | None:
    """Take off the bold line that a break sets above the rest of a paragraph, if there is one."""
    if not piece.strong_chars or "\n" not in piece.parts:
        return None
    end = piece.parts.index("\n")
    head, rest = piece.parts[:end], one_line("".join(piece.parts[end:]))
    chars = sum(len(part.strip()) for part in head)
    title = one_line("".join(head))
    if chars != piece.strong_chars or not rest or not _fits_headline(title):
        return None
    piece.text = rest
    return title


def bold_sentence(piece: Piece) -> str | None:
    """The bold sentence that opens a paragraph, if what follows begins another one."""
    head = one_line("".join(piece.parts[: piece.strong_parts]))
    rest = one_line("".join(piece.parts[piece.strong_parts :]))
    if not (head and rest) or head[-1] not in ".?!" or rest[:1].islower():
        return None
    if piece.strong_chars > len(head) or not 1 < len(head.split()) <= MAX_OPENING_WORDS:
        return None
    return head if piece.text.startswith(head) else None


def _fits_headline(text: str) -> bool:
    return len(text.split()) <= MAX_HEADLINE_WORDS and text[-1] not in ",;"


def _is_bold_title(piece: Piece) -> bool:
    return piece.is_bold and not piece.in_list and _fits_headline(piece.text)


def take_title(body: list[Piece]) -> str | None:
    """Take off the line that stands over the rest like a heading, and the kicker over that."""
    if len(body) > 2 and _is_kicker(body[0]) and (_is_bold_title(body[1]) or _is_title(body[1:])):
        del body[0]
    if len(body) > 1 and (_is_bold_title(body[0]) or _is_title(body)):
        return body.pop(0).text
    return None


def _is_kicker(piece: Piece) -> bool:
    """Whether a line is a few words apart from paragraphs, such as a label over a headline."""
    return (
        not (piece.in_text_block or piece.is_card or piece.is_bold)
        and len(piece.text.split()) <= MAX_KICKER_WORDS
        and piece.text[-1] not in ".,;:…"
    )


def _is_title(body: list[Piece]) -> bool:
    """Whether a line outside paragraphs stands over them like a heading."""
    first, second = body[0], body[1]
    return (
        not first.in_text_block
        and not first.is_card
        and 2 <= len(first.text.split()) <= 25
        and first.text[-1] not in ".,;:…"
        and len(second.text) > len(first.text)
    )
