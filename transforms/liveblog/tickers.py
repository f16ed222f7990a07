"""Widgets that load their entries by script: the page itself holds none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

_WIDGETS: tuple[tuple[str, str], ...] = (
    ("Arena", 'script[src*="arena.im"],iframe[src*="arena.im"],.arena-liveblog,[data-arena-id]'),
    ("24liveblog", 'script[src*="24liveblog"],iframe[src*="24liveblog"],#LB24,[id^="LB24_"]'),
    ("ScribbleLive", 'script[src*="scribblelive"],iframe[src*="scribblelive"],.scrbbl-embed'),
    ("Tickaroo", 'script[src*="tickaroo"],iframe[src*="tickaroo"],[class*="tickaroo"],.tik3-live-blog,tickaroo-liveblog'),
    ("Live Blog", 'script[src*="liveblog.pro"],iframe[src*="liveblog.pro"],script[src*="sourcefabric"],iframe[src*="sourcefabric"],div[id^="liveblog-iframe"],iframe[id^="liveblog-iframe"]'),
    ("Norkon Live Center", 'script[src*="norkon"],iframe[src*="norkon"],[class*="ncposts"],[data-ncpost]'),
    ("CoveritLive", 'script[src*="coveritlive"],iframe[src*="coveritlive"]'),
    ("Storyteller", 'script[src*="livestory.io"],iframe[src*="livestory.io"]'),
    ("Live Article", 'script[src*="livearticle"],iframe[src*="livearticle"]'),
)  # fmt: skip
"""Name and where to see it, from each vendor's own embedding guide."""


def widget_named(tree: LexborHTMLParser) -> str | None:
    """The live-blog widget that the page embeds, None if it embeds none that is known."""
    for name, selector in _WIDGETS:
        if tree.css_first(selector) is not None:
            return name
    return None
