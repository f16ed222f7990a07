"""Widgets that load their entries by script: the page itself holds none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

_ADDRESSES: tuple[tuple[str, str], ...] = (
    ("Arena", "arena.im"),
    ("24liveblog", "24liveblog"),
    ("ScribbleLive", "scribblelive"),
    ("Tickaroo", "tickaroo"),
    ("Live Blog", "liveblog.pro"),
    ("Live Blog", "sourcefabric"),
    ("Norkon Live Center", "norkon"),
    ("CoveritLive", "coveritlive"),
    ("Storyteller", "livestory.io"),
)
_MOUNTS: tuple[tuple[str, str], ...] = (
    ("Arena", ".arena-liveblog,[data-arena-id]"),
    ("24liveblog", '#LB24,[id^="LB24_"]'),
    ("ScribbleLive", ".scrbbl-embed"),
    ("Tickaroo", "tickaroo-liveblog,[class*=tickaroo],.tik3-live-blog"),
    ("Live Blog", "[id^=liveblog-iframe]"),
    ("Norkon Live Center", "[class*=ncposts],[data-ncpost]"),
)
"""Name with the address of its script or frame, and with the element that it fills.

Source: each vendor's own embedding guide.
"""


def widget_named(tree: LexborHTMLParser) -> str | None:
    """The live-blog widget that the page embeds, None if it embeds none that is known."""
    for name, address in _ADDRESSES:
        if tree.css_first(f'script[src*="{address}"],iframe[src*="{address}"]') is not None:
            return name
    for name, selector in _MOUNTS:
        if tree.css_first(selector) is not None:
            return name
    return None
