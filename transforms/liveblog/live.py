"""Words by which a page says that it is live, in eight languages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

_LIVE_TITLE = re.compile(
    r"\b(?:live-?(?:blog|ticker|stream|text|bericht|report|verslag)?|as it happened|"
    r"blow[- ]by[- ]blow|rolling coverage|"
    r"latest updates|minute (?:par|by) minute|news-?ticker|ticker|newsblog|en direct|direct|"
    r"en vivo|en directo|directo|minuto a minuto|última hora|in diretta|diretta|ultim'ora|"
    r"minuto per minuto|na żywo|relacja|minuta po minucie|ao vivo|ao minuto|em direto)\b",
    re.IGNORECASE,
)
_LIVE_PATH = re.compile(
    r"(?:^|[/_.-])(?:live|live-?blogs?|live-?(?:story|coverage|feed)|live-?ticker|live-?bericht|live-?verslag|ticker|live-?updates?|newsblog|live-?news|"
    r"direct|directo|en-vivo|diretta|na-zywo|relacja|ao-vivo|ao-minuto|minuto-a-minuto|"
    r"minute-by-minute|live-?text|liveuebertragung|as-it-happened)(?:$|[/_.-])",
    re.IGNORECASE,
)


_MAX_HEADING_CHARS = 300
_MAX_BADGE_CHARS = 40


def says_live(url: str, title: str | None, tree: LexborHTMLParser) -> bool:
    """Whether address, title or main heading call the page live, or a badge above that."""
    try:
        path = unquote(urlsplit(url).path) if url.startswith("http") else ""
    except ValueError:
        path = ""
    if _LIVE_PATH.search(path) or (title and _LIVE_TITLE.search(title)):
        return True
    heading = tree.css_first("h1")
    if heading is None:
        return False
    if _LIVE_TITLE.search(heading.text()[:_MAX_HEADING_CHARS]):
        return True
    badge = heading.prev
    if badge is not None and badge.tag == "-text":
        badge = badge.prev
    said = badge.text().strip() if badge is not None else ""
    return len(said) <= _MAX_BADGE_CHARS and bool(_LIVE_TITLE.search(said))


def title_says_live(url: str, title: str | None) -> bool:
    """The same for a plain text, which has no main heading of its own."""
    return bool(_LIVE_PATH.search(url) if url.startswith("http") else False) or bool(
        title and _LIVE_TITLE.search(title)
    )
