"""Who signed an entry: names at the end of a paragraph, on the last line, in an author's box."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from transforms.liveblog.authors import (
    MAX_BYLINE_CHARS,
    is_byline,
    is_name,
    is_role,
    last_role_end,
    names_in,
    only_names_in,
)
from transforms.liveblog.wordlists import one_line

if TYPE_CHECKING:
    from transforms.liveblog.pieces import Piece

MAX_NAME_LINE_CHARS = 60
_AROUND_NAMES = " ()–—-"
_SENTENCE_ENDS = tuple('.!?…"”“»«’‘)')
_SIGNED = re.compile(r"(.*\S)\s?\(([^()]{5,60})\)", re.DOTALL)
_STATED_AT_END = re.compile(
    r"(.*[.!?…”»])\s((?:Informan?|Reporting by|Reported by)\s[^.!?]{5,90})\.?", re.DOTALL
)
"""A sentence that only says who wrote what stands before it."""
_MAX_STATED_CHARS = 110
_HANDLE = re.compile(r"\s?\(?@\w+\)?$")


def before_places(parts: list[str]) -> tuple[str, ...]:
    """The people of an author's box; what follows the last post named is a place."""
    found: list[str] = []
    after: list[str] = []
    for part in parts:
        if is_role(part):
            found += after
            after = []
        (after if found else found).extend(only_names_in(part))
    has_post = any(map(is_role, parts))
    return tuple(found if has_post else found + after)


def name_behind_post(text: str) -> tuple[str, ...]:
    """The name that follows a post in a line marked as a byline: "Political editor Jane Doe"."""
    post = last_role_end(text)
    rest = text[post:].strip()
    return (rest,) if post and is_name(rest) else ()


def take_signature(piece: Piece) -> tuple[str, ...]:
    """Take off the names that close a paragraph: in brackets, or in an element apart."""
    rest, signed = _signature(piece)
    names = _signing(signed) if signed and rest.endswith(_SENTENCE_ENDS) else ()
    if names:
        piece.text = rest
    return names


def _signature(piece: Piece) -> tuple[str, str]:
    """What a paragraph says, and the last words of it, if they stand apart from the rest."""
    text = piece.text
    bracketed = _SIGNED.fullmatch(text) if text[-1:] == ")" else None
    if bracketed:
        return bracketed[1], bracketed[2]
    tail = text[-_MAX_STATED_CHARS:]
    stated = _STATED_AT_END.fullmatch(text) if "Inform" in tail or " by " in tail else None
    if stated:
        return stated[1], stated[2]
    last = one_line(piece.parts[-1])
    if len(piece.parts) < 2 or not last or len(last) > MAX_NAME_LINE_CHARS:
        return "", ""
    rest = piece.text.removesuffix(last)
    return (rest.rstrip(" –—-("), last.strip(_AROUND_NAMES)) if rest != piece.text else ("", "")


def _signing(text: str) -> tuple[str, ...]:
    return names_in(text) if is_byline(text) or is_name(text) else only_names_in(text)


def apart(parts: list[str], divider: str = " | ") -> str:
    """The text of a line, divided where the words of two elements would run into each other."""
    text = ""
    for part in parts:
        text += f"{divider}{part}" if runs_together(text, part) else part
    return text


def runs_together(one: str, other: str) -> bool:
    """Whether two texts would read as one word."""
    return one[-1:].isalnum() and other[:1].isalnum()


def names_below(piece: Piece) -> tuple[str, ...] | None:
    """The names of a last line that is only a byline, None where it is not."""
    if len(piece.text) > MAX_BYLINE_CHARS or piece.in_list:
        return None
    text = _at_end(piece)
    if len(text) > MAX_NAME_LINE_CHARS:
        return None
    if is_byline(text) or is_name(text):
        return names_in(text)
    return (text[-1:].isalpha() and only_names_in(text)) or None


def _at_end(piece: Piece) -> str:
    """What the last line of an entry says, as a byline does: without a handle, names apart."""
    return _HANDLE.sub("", apart(piece.parts).strip()).strip(_AROUND_NAMES)
