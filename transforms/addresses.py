"""Addresses as feeds and sitemaps give them, made fit to be fetched."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit, urlunsplit

from w3lib.url import safe_url_string

ADDRESS_CHARS_MAX = 2_048
"""What is longer is no page's address; the sitemap protocol has the same limit."""

_TRACKING = re.compile(
    r"(?:utm|mtm|pk|at|ns|hsa|vero)_\w+|(?:fb|g|dc|tw|yc|ys)clid|yclid|gbraid|wbraid|msclkid"
    r"|igsh(?:id)?|mc_[ce]id|_ga|_gl|xtor|wt_mc|cmpid|ocid",
    re.IGNORECASE,
)


def page_address(value: object, base: str | None = None) -> str | None:
    """An absolute http(s) address without fragment and tracking; None if it is none.

    Milder than the clean-up that makes a page's canonical address: what leads
    to the page must still lead there, so the order of the query, parameters
    without a value and empty path parts stay as they are. Spaces and letters
    outside ASCII are percent-encoded, names of hosts in punycode.
    """
    if not isinstance(value, str) or not value.strip() or len(value) > ADDRESS_CHARS_MAX:
        return None
    try:
        parts = urlsplit(safe_url_string(urljoin(base or "", value.strip())))
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
            return None
        if parts.username is not None:  # a password is nobody's to store
            return None
    except ValueError:  # what urllib and the idna codec say of an address that is none
        return None
    query = "&".join(
        part for part in parts.query.split("&") if not _TRACKING.fullmatch(part.partition("=")[0])
    )
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def same_page(address: str) -> str:
    """What tells pages apart: the address without fragment and tracking."""
    return page_address(address) or address
