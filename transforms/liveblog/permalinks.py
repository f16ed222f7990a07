"""What an entry is called and what it links to: ids, permalink, absolute links and pictures."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from transforms.liveblog.groups import own_id
from transforms.liveblog.outline import TEXT, Outline

if TYPE_CHECKING:
    from transforms.liveblog.candidate import Candidate
    from transforms.liveblog.groups import Extent
    from transforms.liveblog.pieces import Harvest

_SCHEME = re.compile(
    r"(?:javascript|mailto|tel|data|blob|about|sms|whatsapp|fb-messenger):", re.IGNORECASE
)
_ROOTED = re.compile(r"/[\w.~%+@:,=-][\w.~%+@:,=/-]*(?:\?[\w.~%+@:,=/&-]+)?(?:#[\w.~%=/-]+)?")
"""A path from the root that ``urljoin`` would take as it is."""
_QUERY_VALUE = re.compile(r"=([^&]{2,200})")
_SHARE_SIGNS = ("share", "/intent/", "dialog/s", "/submit?", "/send?", "//wa.me")
_SHARE = re.compile(
    r"(?:/sharer|/share\b|/intent/|dialog/share|dialog/send|shareArticle|/submit\?|/send\?|"
    r"^https?://wa\.me)",
    re.IGNORECASE,
)


def settle_names(
    page: Outline, extent: Extent, harvest: Harvest, candidate: Candidate, page_url: str
) -> None:
    """Ids, permalink, and absolute links and pictures."""
    names = set(harvest.names)
    for i in range(extent.box, min(page.ends[extent.box], extent.box + 6)):
        inner = own_id(page, i) if page.tags[i] != TEXT else None
        if inner:
            names.add(inner)
            if candidate.own_id is None and not extent.is_flat:
                candidate.own_id = inner
    base = _without_fragment(page_url)
    links: list[str] = []
    for href in harvest.links:
        link = _absolute(href.strip(), base, page_url)
        if link is None:
            continue
        if _is_same_page(link, base):
            _take_names(link, names)
            if candidate.url is None and ("#" in link or "?" in link):
                candidate.url = link
        elif not _shares(link):
            links.append(link)
    own = candidate.own_id
    if candidate.url is None and own and page.attributes(extent.box).get("id") == own:
        candidate.url = f"{base}#{own}" if base.startswith("http") else None
    candidate.names = {name for name in names if 2 <= len(name) <= 200}
    candidate.links = tuple(dict.fromkeys(links))
    images = (_absolute(source, base, page_url) for source in harvest.images)
    candidate.images = tuple(dict.fromkeys(image for image in images if image is not None))


@lru_cache(maxsize=16)
def _without_fragment(url: str) -> str:
    return urldefrag(url)[0]


def _absolute(href: str, base: str, page_url: str) -> str | None:
    """An http(s) address; None for anything else, such as ``javascript:`` or a bare ``#``."""
    if href.startswith(("https://", "http://")):
        return href
    if len(href) < 2 or _SCHEME.match(href):
        return None
    if href.startswith("#"):
        return base + href
    try:
        if _ROOTED.fullmatch(href) and "/." not in href:
            origin = urlsplit(page_url)
            return f"{origin.scheme}://{origin.netloc}{href}" if origin.netloc else None
        link = urljoin(page_url, href)
    except ValueError:
        return None
    return link if link.startswith(("https://", "http://")) else None


def _shares(link: str) -> bool:
    """Whether a link only opens a box for sharing."""
    low = link.lower()
    for sign in _SHARE_SIGNS:
        if sign in low:
            return bool(_SHARE.search(link))
    return False


def _is_same_page(link: str, base: str) -> bool:
    if link.startswith(base):
        return link[len(base) : len(base) + 1] in {"", "#", "?", "/"}
    try:
        other = urlsplit(base)
        if other.path.rstrip("/") not in link:
            return False
        one = urlsplit(link)
    except ValueError:
        return False
    return one.path.rstrip("/") == other.path.rstrip("/") != "" and one.netloc == other.netloc


def _take_names(link: str, names: set[str]) -> None:
    """The anchors and ids that a link into the same page holds."""
    address, _, fragment = link.partition("#")
    if fragment:
        names.add(unquote(fragment))
    for value in _QUERY_VALUE.findall(address.partition("?")[2][:400]):
        if any(c.isdigit() for c in value):
            names.add(unquote(value).removeprefix("with:"))
