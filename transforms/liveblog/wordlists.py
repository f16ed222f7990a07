"""Sets of words, written as text so that they stay readable."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text that white space separates."""
    return frozenset(text.split())
