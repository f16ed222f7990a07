"""Ids and hashes from stated fields: the same input gives the same id anywhere."""

from __future__ import annotations

import hashlib
import re
import unicodedata

_SEPARATOR = "\x1f"
_FOLDED = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4`", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff", ""),
    }
)
_SPACE = re.compile(r"\s+")


def stable_id(*fields: str) -> str:
    """128 bits of SHA-256 over the fields, as 32 hex digits."""
    return hashlib.sha256(_SEPARATOR.join(fields).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def fold_typography(text: str) -> str:
    """Quotes and dashes as on a typewriter, invisible characters gone."""
    return text.replace("`", "'") if text.isascii() else text.translate(_FOLDED)


def normalise_text(text: str) -> str:
    """NFKC, case-folded, quotes and dashes folded, white space collapsed.

    Two texts that a reader would call the same become equal.
    """
    folded = fold_typography(unicodedata.normalize("NFKC", text).casefold())
    return _SPACE.sub(" ", folded).strip()


def content_hash(headline: str | None, body: str) -> str:
    """The exact-text hash of an entry; white space, case and quotes do not matter."""
    return stable_id("text", normalise_text(f"{headline or ''}\n{body}"))


def entry_id(page_url: str, own_id: str) -> str:
    """The id of an entry that its publisher names.

    own_id: the publisher's id or permalink, else whatever the splitter found
    to tell the entry from its neighbours in every later version of the page.
    """
    return stable_id("entry", page_url, own_id)
