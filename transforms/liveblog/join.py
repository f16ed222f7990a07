"""One list of entries out of what each kind of evidence saw."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.ids import normalise_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transforms.liveblog.candidate import Candidate
    from transforms.liveblog.times import Stamp

_WORD = re.compile(r"\w+")
_SHINGLE_WORDS = 4
_SHINGLED_WORDS = 80
_ALIKE = 0.34
_TELLING_CHARS = 80
"""A text this long stands twice only where it is a copy, whatever time the copy shows."""
_MAX_COMPARED = 60
_OPENING_CHARS = 24
_FIRST_WORDS_CHARS = 60
_MIN_AGREEING = 3
_AGREEING_SHARE = 0.8
"""Declared bylines that agree so often with the shown ones hold for the others, too."""
_MAX_OWNERS = 20
"""Words that stand in more entries than this tell none of them apart."""
_CUT_OFF = re.compile(r"(?:…|\.\.\.|\[…\]|\[\.\.\.\])$")


@dataclass(slots=True)
class Joined:
    """One entry: what the page shows of it and what it declares; one may be missing."""

    shown: Candidate | None
    declared: Candidate | None

    @property
    def any(self) -> Candidate:
        """Whichever is there, the shown one first."""
        found = self.shown or self.declared
        if found is None:
            raise ValueError("an entry without a candidate")
        return found


def join(shown: list[Candidate], declared: list[Candidate]) -> list[Joined]:
    """Pair candidates by id, URL slug or text, keeping those that only one side has.

    Shown entries come first, in their order, then those that are only declared;
    of these, beside shown ones, what has neither headline nor text is dropped.
    """
    _reject_shared(shown)
    shown = without_copies(shown)
    declared = without_copies(declared)
    partner: dict[int, int] = {}
    for pair in (_pair_by_name, _pair_by_opening, _pair_by_text, _pair_by_headline, _pair_by_time):
        if len(partner) < min(len(shown), len(declared)):
            pair(shown, declared, partner)
    joined = [
        Joined(c, declared[partner[n]] if n in partner else None) for n, c in enumerate(shown)
    ]
    taken = set(partner.values())
    left = [c for n, c in enumerate(declared) if n not in taken]
    return joined + [Joined(None, c) for c in left if not shown or c.headline or c.paragraphs]


def _pair_by_name(
    shown: list[Candidate], declared: list[Candidate], partner: dict[int, int]
) -> None:
    owners: dict[str, set[int]] = {}
    for n, candidate in enumerate(declared):
        for name in candidate.names:
            owners.setdefault(name, set()).add(n)
    counts = Counter(name for c in shown for name in c.names)
    taken: set[int] = set()
    pairs: list[tuple[int, int]] = []
    for n, candidate in enumerate(shown):
        for name in candidate.names:
            found = owners.get(name)
            if found and len(found) == 1 and counts[name] == 1:
                other = next(iter(found))
                if other not in taken:
                    pairs.append((n, other))
                    taken.add(other)
                    break
    # An anchor number (post1, update22) counts places, not entries: the texts must agree
    sample = pairs[:: max(1, len(pairs) // 8)]
    agree = sum(_alike_enough(shown[a], declared[b]) for a, b in sample)
    if pairs and agree >= 0.7 * len(sample):
        partner.update(pairs)
    else:
        partner.update(pair for pair in pairs if _alike_enough(shown[pair[0]], declared[pair[1]]))


def _alike_enough(one: Candidate, other: Candidate) -> bool:
    if not _openings(one).isdisjoint(_openings(other)):
        return True
    if not (one.paragraphs and other.paragraphs) and not (one.headline and other.headline):
        return True  # they have nothing in common that could be compared
    first, second = _shingles(one), _shingles(other)
    return not first or not second or not first.isdisjoint(second)


def _shingles(candidate: Candidate) -> frozenset[str]:
    """The runs of four words at the head of a candidate, kept with it."""
    if candidate.shingles is None:
        candidate.shingles = frozenset(_cut_shingles(candidate))
    return candidate.shingles


def _cut_shingles(candidate: Candidate) -> set[str]:
    text = f"{candidate.headline or ''} {' '.join(candidate.paragraphs)}"
    words = _WORD.findall(text[:900].casefold())[:_SHINGLED_WORDS]
    if len(words) < _SHINGLE_WORDS:
        return {" ".join(words)} if words else set()
    return {" ".join(words[i : i + _SHINGLE_WORDS]) for i in range(len(words) - _SHINGLE_WORDS + 1)}


def _pair_by_opening(
    shown: list[Candidate], declared: list[Candidate], partner: dict[int, int]
) -> None:
    """Pair by the first words of the body, where they open one entry only on either side."""
    taken = set(partner.values())
    left = {n: _opening(c) for n, c in enumerate(shown) if n not in partner}
    right = {n: _opening(c) for n, c in enumerate(declared) if n not in taken}
    _pair_unique(left, right, partner)


def _pair_unique(
    left: Mapping[int, object], right: Mapping[int, object], partner: dict[int, int]
) -> None:
    """Pair what has the same key, where that stands once on either side; empty keys are none."""
    counts_left, counts_right = Counter(left.values()), Counter(right.values())
    owners = {key: n for n, key in right.items()}
    for n, key in left.items():
        if key and counts_left[key] == 1 == counts_right[key]:
            partner[n] = owners[key]


def _opening(candidate: Candidate) -> str:
    opening = (
        " ".join(candidate.paragraphs[0][:80].casefold().split()) if candidate.paragraphs else ""
    )
    return opening[:_OPENING_CHARS] if len(opening) >= _OPENING_CHARS else ""


def _pair_by_text(
    shown: list[Candidate], declared: list[Candidate], partner: dict[int, int]
) -> None:
    """Pair what is left by the runs of words that both sides share, the most alike first."""
    left = [n for n in range(len(shown)) if n not in partner]
    taken = set(partner.values())
    index: dict[str, list[int]] = {}
    for n in (n for n in range(len(declared)) if left and n not in taken):
        for shingle in _shingles(declared[n]):
            index.setdefault(shingle, []).append(n)
    scored = sorted(
        (-share, n, other)
        for n in left
        for other, share in _likenesses(shown[n], declared, index)
        if share >= _ALIKE
    )
    for _, n, other in scored:
        if n not in partner and other not in taken:
            partner[n] = other
            taken.add(other)


def _likenesses(
    candidate: Candidate, declared: list[Candidate], index: dict[str, list[int]]
) -> list[tuple[int, float]]:
    """The declared candidates most like one, with the share of words in common."""
    shingles = _shingles(candidate)
    hits: Counter[int] = Counter()
    for shingle in shingles:
        owners = index.get(shingle, ())
        if len(owners) <= _MAX_OWNERS:
            hits.update(owners)
    return [
        (other, count / max(1, min(len(shingles), len(_shingles(declared[other])))))
        for other, count in hits.most_common(3)
    ]


def _pair_by_headline(
    shown: list[Candidate], declared: list[Candidate], partner: dict[int, int]
) -> None:
    """Pair what is left by a headline that stands once on either side."""
    taken = set(partner.values())
    left = {n: _folded(c.headline) for n, c in enumerate(shown) if n not in partner}
    right = {n: _folded(c.headline) for n, c in enumerate(declared) if n not in taken}
    _pair_unique(left, right, partner)


def _pair_by_time(
    shown: list[Candidate], declared: list[Candidate], partner: dict[int, int]
) -> None:
    """Pair what is declared without a text by a minute that stands once on either side."""
    taken = set(partner.values())
    right = {
        n: _minute(c.published, c.published)
        for n, c in enumerate(declared)
        if n not in taken and not c.paragraphs
    }
    zone = next((c.published for n, c in enumerate(declared) if n in right), None)
    left = {
        n: _minute(c.shown or c.published, zone)
        for n, c in enumerate(shown)
        if n not in partner and right
    }
    _pair_unique(left, right, partner)


def _minute(stamp: Stamp | None, zoned: Stamp | None) -> tuple[int, int] | None:
    """The time of day that a stamp tells, in the zone of another one."""
    if stamp is None:
        return None
    if stamp.clock is not None:
        return stamp.clock.hour, stamp.clock.minute
    if stamp.instant is None or zoned is None or zoned.zone is None:
        return None
    local = stamp.instant.astimezone(zoned.zone)
    return local.hour, local.minute


def _folded(headline: str | None) -> str:
    return normalise_text(headline) if headline else ""


def share_known(shown: list[Candidate], declared: list[Candidate]) -> float:
    """How much of the shorter list stands in the other one, by id or by words."""
    size = max(1, min(len(shown), len(declared)))
    names = set().union(*(c.names for c in declared))
    by_name = sum(not names.isdisjoint(c.names) for c in shown) / size
    if by_name >= 0.5:
        return by_name
    known = set().union(*map(_openings, declared))
    return sum(not known.isdisjoint(_openings(c)) for c in shown) / size


def _openings(candidate: Candidate) -> set[str]:
    """How headline and body begin, and the second paragraph: enough to know an entry again."""
    texts = [candidate.headline or "", *candidate.paragraphs[:2]]
    found = {" ".join(text[:80].casefold().split())[:_OPENING_CHARS] for text in texts}
    return {opening for opening in found if len(opening) == _OPENING_CHARS}


def _reject_shared(candidates: list[Candidate]) -> None:
    """Take away ids and permalinks of several entries: a link to the top, an id of the page."""
    ids = _shared([(c.own_id, c) for c in candidates])
    urls = _shared([(c.url, c) for c in candidates])
    for candidate in candidates:
        if candidate.own_id in ids:
            candidate.own_id = None
        if candidate.url in urls:
            candidate.url = None


def _shared(named: list[tuple[str | None, Candidate]]) -> set[str]:
    """The names that candidates have in common which are not copies of one another."""
    first: dict[str, Candidate] = {}
    shared: set[str] = set()
    for name, candidate in named:
        other = first.setdefault(name, candidate) if name else candidate
        if name and other is not candidate and not _alike_enough(other, candidate):
            shared.add(name)
    return shared


def without_copies(candidates: list[Candidate]) -> list[Candidate]:
    """Drop pinned copies and repeats: the same id, or the same words at the same time.

    Of two copies the stream's stays where it is, the pinned one goes; else the first stays.
    """
    by_id: dict[str, int] = {}
    by_text: dict[tuple[str, object], int] = {}
    first_of: dict[int, int] = {}
    for n, candidate in enumerate(candidates):
        text = f"{candidate.headline or ''} {' '.join(candidate.paragraphs)}".strip()
        moment = None if len(text) > _TELLING_CHARS else candidate.published or candidate.shown
        found = by_id.get(candidate.own_id) if candidate.own_id else None
        if found is None and text:
            found = by_text.get((text, moment))
        if found is not None:
            first_of[n] = found
            continue
        if candidate.own_id:
            by_id[candidate.own_id] = n
        if text:
            by_text[(text, moment)] = n
    gone = set(first_of)
    stands_out = set(first_of.values()) == {0} and len(candidates) > 2
    for copy, first in first_of.items():
        candidates[first].is_key_event |= candidates[copy].is_key_event
        if first not in gone and (
            stands_out or (candidates[first].is_pinned and not candidates[copy].is_pinned)
        ):
            candidates[copy].is_key_event |= candidates[first].is_key_event
            gone.discard(copy)
            gone.add(first)
    left = [candidate for n, candidate in enumerate(candidates) if n not in gone]
    return left[1:] if len(left) > 2 and _is_excerpt(left[0], left[1:]) else left


def _is_excerpt(first: Candidate, others: list[Candidate]) -> bool:
    """Whether the entry on top only repeats, in part, one of those below it."""
    text = " ".join(first.paragraphs)
    probe = text[len(text) // 3 :][:_OPENING_CHARS]
    if len(probe) < _OPENING_CHARS:
        return False
    near = (o for o in others[:_MAX_COMPARED] if any(probe in p for p in o.paragraphs))
    return any(len(_shingles(first) & _shingles(o)) >= 0.8 * len(_shingles(first)) for o in near)


def body_of(entry: Joined) -> list[str]:
    """The whole body: the shown one, unless it is cut off and the declared one is not."""
    shown, declared = entry.shown, entry.declared
    if shown is None or declared is None:
        return list(entry.any.paragraphs)
    if not shown.paragraphs:
        return _without_headline(declared.paragraphs, shown.headline)
    if not declared.paragraphs:
        return shown.paragraphs
    cut = bool(_CUT_OFF.search(shown.paragraphs[-1])) and not _CUT_OFF.search(
        declared.paragraphs[-1]
    )
    if not cut and sum(map(len, declared.paragraphs)) < 1.8 * sum(map(len, shown.paragraphs)):
        return shown.paragraphs
    seen, said = _count(shown.paragraphs), _count(declared.paragraphs)
    total, common = seen.total(), (seen & said).total()
    if cut and said.total() > total:
        return declared.paragraphs
    if total < 0.5 * said.total() and common >= 0.7 * total:
        return declared.paragraphs
    return shown.paragraphs


def _without_headline(paragraphs: list[str], headline: str | None) -> list[str]:
    if headline and paragraphs and normalise_text(paragraphs[0]) == normalise_text(headline):
        return paragraphs[1:]
    return paragraphs


def _count(paragraphs: list[str]) -> Counter[str]:
    return Counter(_WORD.findall(" ".join(paragraphs).casefold()))


def headline_of(
    entry: Joined, body: list[str], *, shown_headlines: bool, page_titles: set[str]
) -> str | None:
    """The entry's own headline: the shown one, else a declared one that is not the page's.

    A declared headline that only repeats how the body begins is none.
    """
    shown, declared = entry.shown, entry.declared
    headline = shown.headline if shown is not None else None
    if headline is None and declared is not None and (shown is None or not shown_headlines):
        headline = declared.headline
        if headline is None or headline.casefold() in page_titles:
            return None
        if shown is not None and len(headline) > 20 and _stands_in(headline, body):
            return None
        if body and _is_start(headline, body):
            return None
    return headline


def _stands_in(headline: str, body: list[str]) -> bool:
    """Whether a headline that the page does not show is cut from the body."""
    return normalise_text(headline).rstrip(" .…") in normalise_text(" ".join(body[:2]))


def _is_start(headline: str, body: list[str]) -> bool:
    one, two = headline[:1].lower(), body[0][:1].lower()
    if one != two and one.isalpha() and two.isalpha() and one.isascii() and two.isascii():
        return False  # most differ in their first letter
    first, other = _first_words(headline), _first_words(body[0])
    known = min(len(first), len(other))
    if not known or first[:known] != other[:known]:
        return False
    folded = normalise_text(headline).rstrip(" .…")
    size = len(headline) * 2 + 40
    start = normalise_text((body[0] if len(body[0]) >= size else " ".join(body))[:size])
    return start.startswith(folded) and len(folded.split()) > 2


def _first_words(text: str) -> list[str]:
    return _WORD.findall(text[:_FIRST_WORDS_CHARS].casefold())[:4]


def declares_each_author(joined: list[Joined]) -> bool:
    """Whether the declared authors are those of each entry: all that the page shows, too."""
    both = [
        (entry.shown.authors, entry.declared.authors)
        for entry in joined
        if entry.shown is not None and entry.shown.authors
        if entry.declared is not None and entry.declared.authors
    ]
    agree = sum(set(shown) == set(declared) for shown, declared in both)
    differ = len({declared for _, declared in both}) > 1
    return differ and agree >= _MIN_AGREEING and agree >= _AGREEING_SHARE * len(both)


def authors_of(entry: Joined, *, shown_authors: bool, staff: tuple[str, ...]) -> tuple[str, ...]:
    """Who wrote this entry: the shown byline, else the declared one unless it is the staff."""
    shown, declared = entry.shown, entry.declared
    if shown is not None and (shown.authors or shown_authors):
        return shown.authors
    if declared is None:
        return ()
    if shown_authors and declared.authors == staff:
        return ()
    return declared.authors
