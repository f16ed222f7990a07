"""Older: where the entries are that a live blog's first screen does not show.

No Beam here. Publishers put them behind page numbers, an "older" button, a
``rel=next`` link, a block id in the query, or only show all of them on AMP.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urldefrag, urljoin, urlsplit

from transforms.markup import parse_html

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAGE_PARAMETER = re.compile(
    r"(?:page|p|pg|pagina|seite|offset|start|before|cursor)", re.IGNORECASE
)
_PAGE_VALUE = re.compile(r"\d{1,6}|with:block-[\w-]{1,80}|[\w-]{1,80}", re.IGNORECASE)
_PAGE_IN_PATH = re.compile(r"/(?:page|seite|pagina|p)[/-]?\d{1,6}/?$", re.IGNORECASE)
_OLDER = re.compile(
    r"\W*(?:show |load |view )?(?:older|earlier|previous)(?: (?:posts|entries|updates|events))?\W*"
    r"|\W*(?:ältere|frühere) (?:beiträge|einträge|meldungen)\W*"
    r"|\W*(?:messages|articles|posts) (?:précédents|plus anciens)\W*"
    r"|\W*(?:entradas|mensajes) anteriores\W*|\W*(?:post|aggiornamenti) precedenti\W*"
    r"|\W*oudere (?:berichten|updates)\W*|\W*starsze wpisy\W*"
    r"|\W*(?:mensagens|publicações) anteriores\W*",
    re.IGNORECASE,
)


def older_pages(markup: bytes, url: str) -> tuple[str, ...]:
    """The addresses of a live blog's further pages, in the order they are linked.

    markup: of an HTML page. url: where it was read. Only addresses of its own host count; a page
    number must belong to the same path, so that no other article is taken.
    """
    own = _without_fragment(url, url)
    host = urlsplit(url).hostname
    found: dict[str, None] = {}
    for href in _links(markup, url):
        address = _without_fragment(url, href)
        if address and address != own and urlsplit(address).hostname == host:
            found.setdefault(address)
    return tuple(found)


def _links(markup: bytes, url: str) -> Iterator[str]:
    tree = parse_html(markup)
    for node in tree.css('link[rel~="next"][href], a[rel~="next"][href]'):
        yield node.attributes["href"] or ""
    for node in tree.css("a[href]"):
        href = (node.attributes["href"] or "").strip()
        if _turns_the_page(url, href) or _OLDER.fullmatch(node.text(strip=True)[:60]):
            yield href
    for node in tree.css('link[rel~="amphtml"][href]'):
        yield node.attributes["href"] or ""


def _turns_the_page(url: str, href: str) -> bool:
    """Whether the link differs from the page's own address by a page number only."""
    if "?" not in href and not _PAGE_IN_PATH.search(href):
        return False
    address = _without_fragment(url, href)
    if address is None:
        return False
    here, there = urlsplit(url), urlsplit(address)
    if _base(here.path) != _base(there.path):
        return False
    turned = set(parse_qsl(there.query)) - set(parse_qsl(here.query))
    if not turned:
        return here.path != there.path and here.query == there.query
    return all(
        _PAGE_PARAMETER.fullmatch(name) and _PAGE_VALUE.fullmatch(value) for name, value in turned
    )


def _base(path: str) -> str:
    return _PAGE_IN_PATH.sub("", path).rstrip("/")


def _without_fragment(url: str, href: str) -> str | None:
    try:
        address = urldefrag(urljoin(url, href.strip())).url
        fine = urlsplit(address).scheme in {"http", "https"} and bool(urlsplit(address).hostname)
    except ValueError:
        return None
    return address if fine else None
