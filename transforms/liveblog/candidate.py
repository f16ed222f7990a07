"""What one kind of evidence says about one entry, before the kinds are joined."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from transforms.liveblog.times import Stamp

Evidence = Literal["json_ld", "microdata", "dom", "flat", "text", "state"]


@dataclass(slots=True)
class Candidate:
    """One entry as one kind of evidence sees it; any field may be missing.

    own_id: the publisher's id for it, as the page writes it.
    names: every id, anchor and permalink slug it answers to, for joining.
    published: what a machine-readable value says.
    shown: the time that readers see.
    opening: the bold sentence that opens the body, where there is no headline.
    is_card: it says nothing but what leads to another page.
    day: the calendar day that a heading gives it.
    paragraphs: the body, plain text.
    shingles: runs of words for comparing, made by ``join`` when first asked for.
    is_weakly_timed: published is no more than an attribute for sorting, or an update.
    """

    evidence: Evidence
    own_id: str | None = None
    url: str | None = None
    names: set[str] = field(default_factory=set)
    headline: str | None = None
    paragraphs: list[str] = field(default_factory=list)
    authors: tuple[str, ...] = ()
    published: Stamp | None = None
    shown: Stamp | None = None
    updated: Stamp | None = None
    day: Stamp | None = None
    opening: str | None = None
    is_card: bool = False
    is_key_event: bool = False
    is_pinned: bool = False
    is_weakly_timed: bool = False
    links: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    shingles: frozenset[str] | None = None

    @property
    def words(self) -> int:
        """Words of headline and body."""
        texts = [*self.paragraphs, self.headline] if self.headline else self.paragraphs
        return sum(text.count(" ") + 1 for text in texts)
