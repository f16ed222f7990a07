"""One parse of a page, shared by the stages that read it one after the other."""

from __future__ import annotations

from functools import lru_cache

from selectolax.lexbor import LexborHTMLParser


@lru_cache(maxsize=1)
def parse_html(markup: str) -> LexborHTMLParser:
    """The HTML5 tree of a document; the last one is kept for the next stage.

    The tree is shared: callers read it and never change it.
    """
    return LexborHTMLParser(markup)
