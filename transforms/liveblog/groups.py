"""Which parts of a page repeat like entries: found by structure, not by class names."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import itemgetter
from statistics import median
from typing import TYPE_CHECKING

from transforms.liveblog.authors import begins_byline, is_role, only_names_in, opens_byline
from transforms.liveblog.bodies import marks_related
from transforms.liveblog.outline import HEADINGS, TEXT, Outline
from transforms.liveblog.times import read_day, read_machine

if TYPE_CHECKING:
    from transforms.liveblog.marks import DayMark, Mark

MAX_CLIMB = 40
"""No entry's time stands deeper below the entry; keeps hostile nesting linear."""

MAX_HEADER_NODES = 12
"""Two times that share a smaller parent are one entry's header."""
MIN_HEAD_CHARS = 25
"""A head that says more than its time belongs to one entry."""
MIN_LIST = 3
"""Fewer boxes of another kind in another place are the same list's."""
MAX_LABEL_NODES = 3
_FLAT_WEIGHT = 0.9
"""Elements that hold an entry each are surer than runs of siblings."""
MIN_RUN_CHARS = 25
"""Less text between two boxes is an advertisement or a rule, not an entry's body."""

COMMENT_CONTEXT = re.compile(
    r"(?:^|[\s_-])(?:comments?|commentlist|disqus|replies|reply|kommentare?|commentaires?|comentarios?|"
    r"commenti|reacties|komentarze|reviews?|forum|thread|postings?)(?:$|[\s_-]|__)",
    re.IGNORECASE,
)
"""Classes of what readers write, not the newsroom."""
_MIN_TEMPLATE_CHARS = 20
_MIN_TEMPLATE_ENTRIES = 3
_MIN_TEMPLATE_SHARE = 0.25
_MAX_BUTTON_CHARS = 30
_MIN_BUTTON_SHARE = 0.6
_FLAT_TAGS = HEADINGS | {"p", "dt", "strong", "b", "span", "time", "header", "summary"}
_SENTENCE_TAGS = HEADINGS | {"p"}
_LEAD_TAGS = HEADINGS | {"p"}
_MAX_MARK_DEPTH = 6
_STOPPERS = frozenset(["section", "aside", "footer", "nav", "form", "article", "main"])
_ITEM_TAGS = frozenset(["article", "li", "section", "div", "tr", "details"])
_DIGIT = re.compile(r"\d")
_ID_TAIL = re.compile(r"[\da-f]{4,}|\d+|[A-Za-z0-9_-]{6,}$", re.IGNORECASE)


@dataclass(slots=True)
class Extent:
    """The part of the page that is one entry.

    span: (start, end) index range.
    box: the element that is the entry, or carries its time in a flat list.
    mark: the time that found it, None where it shows none.
    """

    span: tuple[int, int]
    box: int
    mark: Mark | None
    is_flat: bool = False


@dataclass(slots=True)
class Group:
    """Extents of one list of entries."""

    extents: list[Extent]

    def weight(self, totals: list[int]) -> float:
        """How much text it splits how evenly: one part that holds nearly all is no split."""
        sizes = [totals[e.span[1]] - totals[e.span[0]] for e in self.extents]
        total = sum(sizes)
        even = total * (1 - max(sizes) / max(1, total)) * len(sizes) / (len(sizes) + 1)
        return even * _FLAT_WEIGHT if self.extents[0].is_flat else even


@dataclass(slots=True)
class Timed:
    """All marks of a page that tell a time, in order.

    places: where they stand. openers: by parent, its paragraphs and headings that open
    with one of them, in order.
    """

    marks: list[Mark]
    places: list[int]
    openers: dict[int, list[tuple[int, Mark]]]


def timed_marks(page: Outline, marks: list[Mark], totals: list[int]) -> Timed:
    """The marks that tell a time, out of all; totals: of ``text_lengths``."""
    timed = [mark for mark in marks if mark.tells_time]
    openers: dict[int, list[tuple[int, Mark]]] = defaultdict(list)
    for mark in timed:
        stamp = mark.shown or mark.published
        if mark.form == "tail" or stamp is None or stamp.is_update:
            continue
        at = mark.index
        for _ in range(_MAX_MARK_DEPTH):
            if at <= 0 or totals[mark.index] > totals[at]:
                break
            found = openers[page.parents[at]]
            if page.tags[at] in _LEAD_TAGS and not (found and found[-1][0] == at):
                found.append((at, mark))
            at = page.parents[at]
    return Timed(timed, [mark.index for mark in timed], openers)


def text_lengths(page: Outline) -> list[int]:
    """Running total of text characters before each index, one longer than the page."""
    return list(accumulate(map(len, page.texts), initial=0))


def groups_of(
    page: Outline, cluster: list[Mark], totals: list[int], timed: Timed, days: list[DayMark]
) -> list[Group]:
    """The lists of entries round the marks of one cluster; none if they do not repeat.

    totals: of ``text_lengths``. timed: of ``timed_marks``.
    """
    marks = _with_clocks(_one_per_place(page, cluster))
    if len(marks) < 2 or _take_turns(page, marks):
        return []
    boxes = _boxes(page, marks)
    extents = [
        Extent((box, page.ends[box]), box, mark) for box, mark in zip(boxes, marks, strict=True)
    ]
    lists = _by_list(page, _with_other_forms(page, _like_most(page, extents), timed))
    return [_group(page, one, totals, timed, days) for one in lists if len(one) > 1]


def _group(
    page: Outline, extents: list[Extent], totals: list[int], timed: Timed, days: list[DayMark]
) -> Group:
    flat = _flattened(page, extents, totals, days)
    group = Group(flat or extents)
    if not flat:
        _take_siblings(page, group, totals, timed)
    return group


def _one_per_place(page: Outline, cluster: list[Mark]) -> list[Mark]:
    """One mark where several stand inside or right beside each other ("2h ago", "(13:05 GMT)")."""
    kept: list[Mark] = []
    for mark in sorted(cluster, key=lambda m: m.index):
        if kept and (_is_beside(page, kept[-1], mark) or _is_copy(page, kept[-1], mark)):
            told = kept[-1].shown
            if mark.shown is not None and (told is None or not told.tells_clock):
                kept[-1].shown = mark.shown
            continue
        kept.append(mark)
    return kept


def _with_clocks(marks: list[Mark]) -> list[Mark]:
    """Without those that name a day only, where nearly all others tell the time of day."""
    told = [mark for mark in marks if mark.tells_time]
    return told if len(told) >= 0.8 * len(marks) else marks


def _take_turns(page: Outline, marks: list[Mark]) -> bool:
    """Whether marks of two classes stand in each entry, one after the other.

    Each class alone finds the entries; both together would cut them in two.
    """
    styles = [page.attributes(mark.index).get("class", "") for mark in marks]
    turns = [n for n in range(len(marks) - 2) if styles[n] == styles[n + 2] != styles[n + 1]]
    if len(set(styles)) != 2 or len(turns) < 0.8 * (len(marks) - 2):
        return False
    first = [n for n in turns if styles[n] == styles[0]]
    paired = sum(_share_a_box(page, *(marks[n + k].index for k in range(3))) for n in first)
    return len(first) >= MIN_LIST - 1 and paired >= 0.8 * len(first)


def _share_a_box(page: Outline, one: int, other: int, outside: int) -> bool:
    """Whether an element holds the first two places and not the third."""
    at = one
    for _ in range(MAX_CLIMB):
        at = page.parents[at]
        if at <= 0:
            return False
        if other < page.ends[at]:
            return page.ends[at] <= outside
    return False


def _is_beside(page: Outline, one: Mark, other: Mark) -> bool:
    if other.index < page.ends[one.index]:
        return True
    home = page.parents[one.index]
    return home == page.parents[other.index] and page.ends[home] - home <= MAX_HEADER_NODES


def _is_copy(page: Outline, one: Mark, other: Mark) -> bool:
    """Whether the head of an entry stands there twice, for wide and for narrow screens."""
    if one.shown is None or one.shown != other.shown:
        return False
    heads = [page.parents[mark.index] for mark in (one, other)]
    if any(page.ends[head] - head > MAX_HEADER_NODES for head in heads):
        return False
    first, second = map(page.text_of, heads)
    return first == second and len(first) >= MIN_HEAD_CHARS


def _boxes(page: Outline, marks: list[Mark]) -> list[int]:
    """For each mark the widest ancestor that holds no other mark, at one common height."""
    ends, parents = page.ends, page.parents
    chains: list[list[int]] = []
    for n, mark in enumerate(marks):
        before = marks[n - 1].index if n else 0
        after = marks[n + 1].index if n + 1 < len(marks) else len(page)
        chain = [mark.index]
        for _ in range(MAX_CLIMB):
            above = parents[chain[-1]]
            if above <= 0 or above <= before or ends[above] > after:
                break
            chain.append(above)
        chains.append(chain)
    # The first and last chains climb past the list; the height that most reach is the entries'
    tags: Counter[tuple[int, str]] = Counter()
    for chain in chains:
        tags.update((height, page.tags[at]) for height, at in enumerate(chain, 1))
    common = max(tags.items(), key=lambda item: (item[1], item[0][0]))[0][0]
    return [chain[min(common, len(chain)) - 1] for chain in chains]


def _like_most(page: Outline, extents: list[Extent]) -> list[Extent]:
    """Drop boxes that stand alone in another kind of place, such as the page's header."""
    if len(extents) < 3:
        return extents
    tags = Counter(page.tags[extent.box] for extent in extents)
    tag = tags.most_common(1)[0][0]
    homes = Counter(page.parents[extent.box] for extent in extents)
    return [
        extent
        for extent in extents
        if page.tags[extent.box] == tag or homes[page.parents[extent.box]] > 1
    ]


def _with_other_forms(page: Outline, extents: list[Extent], timed: Timed) -> list[Extent]:
    """With the paragraphs and headings among flat ones that open with a clock in another form.

    Such as a bare clock among clocks with a headline behind them.
    """
    home, first = page.parents[extents[0].box], extents[0].box
    if not all(page.tags[e.box] in _LEAD_TAGS and page.parents[e.box] == home for e in extents):
        return extents
    openers = timed.openers.get(home, [])
    start = bisect_left(openers, first, key=itemgetter(0))
    if len(openers) - start > 2 * len(extents):
        return extents  # more others than these: they are another list's
    boxes = {extent.box for extent in extents}
    added = [
        Extent((box, page.ends[box]), box, mark)
        for box, mark in openers[start:]
        if box not in boxes
    ]
    if not added or len(added) > len(extents):
        return extents
    return sorted(extents + added, key=lambda extent: extent.box)


def _by_list(page: Outline, extents: list[Extent]) -> list[list[Extent]]:
    """Two lists apart, where boxes in different places have no class in common."""
    homes: dict[int, list[Extent]] = defaultdict(list)
    for extent in extents:
        homes[page.parents[extent.box]].append(extent)
    lists: list[tuple[set[str], list[Extent]]] = []
    for inside in homes.values():
        names = set().union(*(page.attributes(e.box).get("class", "").split() for e in inside))
        for known, found in lists:
            if not (known and names and known.isdisjoint(names)):
                known.update(names)
                found.extend(inside)
                break
        else:
            lists.append((names, inside))
    if min(len(found) for _, found in lists) < MIN_LIST:
        return [extents]
    return [found for _, found in lists]


def _flattened(
    page: Outline, extents: list[Extent], totals: list[int], days: list[DayMark]
) -> list[Extent] | None:
    """The same entries as runs of siblings, where their boxes hold only the time or headline."""
    ends, parents, tags = page.ends, page.parents, page.tags
    boxes = {extent.box for extent in extents}
    day_blocks = {day.index for day in days}
    own = [totals[ends[e.box]] - totals[e.box] for e in extents]
    last = extents[-1].box
    follow_ends = [_run_end(page, extent.box, boxes, day_blocks, last) for extent in extents]
    following = [
        totals[end] - totals[ends[e.box]] for e, end in zip(extents, follow_ends, strict=True)
    ]
    few_tags = sum(tags[e.box] in _FLAT_TAGS for e in extents) >= 0.8 * len(extents)
    typical_own, typical_following = median(own), median(following)
    is_tail = extents[0].mark is not None and extents[0].mark.form == "tail"
    holds_text = not few_tags and typical_own > min(160, typical_following)
    is_bare = typical_following < MIN_RUN_CHARS and not few_tags
    if not is_tail and (is_bare or holds_text):
        return None
    if _is_trailing(page, extents, totals, follow_ends):
        return _runs_before(page, extents)
    headed = _headings_before(page, extents, totals)
    if typical_following < MIN_RUN_CHARS and headed is None:
        return None
    result: list[Extent] = []
    for n, (extent, end) in enumerate(zip(extents, follow_ends, strict=True)):
        start = extent.box
        stop = end
        if headed:
            start = headed[n]
            if n + 1 < len(extents) and parents[extents[n + 1].box] == parents[extent.box]:
                stop = min(stop, headed[n + 1])
        result.append(
            Extent((start, max(stop, ends[extent.box])), extent.box, extent.mark, is_flat=True)
        )
    return result


def _run_end(page: Outline, box: int, boxes: set[int], day_blocks: set[int], last: int) -> int:
    """Where the siblings that follow a box stop belonging to it; behind the last, at an aside."""
    ends, tags = page.ends, page.tags
    limit = ends[page.parents[box]] if page.parents[box] >= 0 else len(page)
    level = int(tags[box][1]) if tags[box] in HEADINGS else 0
    at = ends[box]
    while at < limit:
        tag = tags[at]
        if at in boxes or at in day_blocks or (tag == "hr" and not level):
            break
        if tag in _STOPPERS and (tag != "aside" or box == last):
            break
        if tag in HEADINGS and level and int(tag[1]) <= level:
            break
        if tag == "p" and ends[at] - at <= MAX_LABEL_NODES and marks_related(page.text_of(at)):
            break
        if tag not in {TEXT, "p", "br"} and (
            _holds(page, at, boxes) or _holds(page, at, day_blocks)
        ):
            break
        at = ends[at]
    return at


def _holds(page: Outline, index: int, wanted: set[int]) -> bool:
    end = page.ends[index]
    if end - index > len(wanted):
        return any(index <= w < end for w in wanted)
    return any(i in wanted for i in range(index, end))


def _is_trailing(
    page: Outline, extents: list[Extent], totals: list[int], follow_ends: list[int]
) -> bool:
    """Whether times close their entries instead of opening them."""
    first, last = extents[0], extents[-1]
    if first.mark is not None and (
        first.mark.form == "lead" or _opens_boxes(page, extents, totals)
    ):
        return False
    home = page.parents[first.box]
    before = totals[first.box] - totals[home]
    after = totals[follow_ends[-1]] - totals[page.ends[last.box]]
    gaps = [totals[b.box] - totals[page.ends[a.box]] for a, b in pairwise(extents)]
    usual = median(gaps) if gaps else 0
    if first.mark is not None and first.mark.form == "tail" and first.mark.rest:
        return before > 0.2 * usual
    # Nothing at all after the last time says more than a first entry that is short
    return after < 0.2 * usual and before > (0.3 * usual if after else MIN_RUN_CHARS)


def _opens_boxes(page: Outline, extents: list[Extent], totals: list[int]) -> bool:
    """Whether the boxes go on behind their times, and say nothing before them."""
    marked = [(e.box, e.mark.index) for e in extents if e.mark is not None]
    before = median(totals[mark] - totals[box] for box, mark in marked)
    after = median(totals[page.ends[box]] - totals[page.ends[mark]] for box, mark in marked)
    return before == 0 and after >= MIN_RUN_CHARS


def _runs_before(page: Outline, extents: list[Extent]) -> list[Extent]:
    """Each box with the siblings before it: back to the box before, or to the first heading."""
    result: list[Extent] = []
    siblings: dict[int, list[int]] = {}
    begins: dict[int, int] = {}
    for extent in extents:
        home = page.parents[extent.box]
        if home not in siblings:
            siblings[home] = page.children(home)
        children = siblings[home]
        place = bisect_left(children, extent.box)
        begin = begins.get(home)
        if begin is None:
            begin = place - 1
            while begin > 0 and page.tags[children[begin]] not in HEADINGS:
                begin -= 1
        begins[home] = place + 1
        start = children[max(0, min(begin, place))]
        end = page.ends[extent.box]
        result.append(Extent((start, end), extent.box, extent.mark, is_flat=True))
    return result


def _headings_before(page: Outline, extents: list[Extent], totals: list[int]) -> list[int] | None:
    """The headings directly before the boxes, where nearly all have one or open with a clock."""
    starts: list[int] = []
    hits = 0
    for extent in extents:
        before = extent.box
        if page.tags[extent.box] not in HEADINGS:
            at = extent.box - 1
            # the previous sibling is the ancestor-or-self of the node before, below the parent
            home = page.parents[extent.box]
            for _ in range(MAX_CLIMB):
                if at <= home or page.parents[at] == home:
                    break
                at = page.parents[at]
            if at > home and page.tags[at] in HEADINGS and read_day(page.text_of(at)) is None:
                before = at
                hits += 1
        starts.append(before)
    # Before a line that opens with its clock a heading can only be the entry's own
    first = extents[0].mark
    leads = (first is not None and first.form == "lead") or _opens_boxes(page, extents, totals)
    return starts if hits >= (1 if leads else 0.8 * len(extents)) else None


def _take_siblings(page: Outline, group: Group, totals: list[int], timed: Timed) -> None:
    """Add like siblings that the cluster missed: without a time, or with one of another make."""
    boxes = sorted(extent.box for extent in group.extents)
    shapes = {(page.tags[e.box], page.attributes(e.box).get("class", "")) for e in group.extents}
    tag = page.tags[group.extents[0].box]
    if tag not in _ITEM_TAGS and "-" not in tag:
        return
    homes = Counter(page.parents[e.box] for e in group.extents)
    least = 0.25 * median(totals[e.span[1]] - totals[e.span[0]] for e in group.extents)
    added: list[Extent] = []
    for home, count in homes.items():
        for child in page.children(home):
            end = page.ends[child]
            if page.tags[child] != tag or totals[end] - totals[child] <= 20:
                continue
            place = bisect_left(boxes, child)
            if boxes[place : place + 1] and boxes[place] < end:
                continue  # one of the boxes, or what several of them stand in
            if place and page.ends[boxes[place - 1]] > child:
                continue
            first = bisect_left(timed.places, child)
            times = bisect_left(timed.places, end) - first
            styled = page.attributes(child).get("class", "")
            alike = (tag, styled) in shapes
            is_prompt = totals[end] - totals[child] < least or "form" in page.tags[child:end]
            if not times and is_prompt:
                continue  # it asks readers for something, in the manner of the entries
            is_timed = times == 1 and "h1" not in page.tags[child:end]
            if alike or (is_timed and count > 1 and not COMMENT_CONTEXT.search(styled)):
                added.append(Extent((child, end), child, timed.marks[first] if times else None))
    if added and len(added) <= len(boxes):
        group.extents = sorted(group.extents + added, key=lambda e: e.box)


def repeated_texts(page: Outline, extents: list[Extent]) -> frozenset[str]:
    """Sentences and buttons that the template puts into many entries, such as a prompt to share.

    Not names, posts, or what makes up half of an entry.
    """
    counts: Counter[str] = Counter()
    whole: set[str] = set()
    for extent in extents:
        said = list(map(str.strip, page.texts[slice(*extent.span)]))
        chars = sum(map(len, said))
        long = {text for text in said if len(text) >= _MIN_TEMPLATE_CHARS}
        counts.update(long)
        whole.update(text for text in long if 2 * len(text) > chars)
    least = max(_MIN_TEMPLATE_ENTRIES, _MIN_TEMPLATE_SHARE * len(extents))
    often = {text for text, count in counts.items() if count >= least and text not in whole}
    buttons = _buttons(page, extents)
    if not often:
        return buttons
    places: dict[str, int] = {}
    start, end = extents[0].span[0], max(extent.span[1] for extent in extents)
    for index, text in enumerate(map(str.strip, page.texts[start:end]), start):
        if text in often:
            places.setdefault(text, index)
    return buttons.union(text for text, index in places.items() if _is_template(page, index))


def _buttons(page: Outline, extents: list[Extent]) -> frozenset[str]:
    """What the links of most entries say that lead nowhere, or elsewhere in each of them.

    A link to who wrote, or to what the entry belongs to, leads to one place from all entries.
    """
    tags, texts = page.tags, page.texts
    targets: dict[str, set[str]] = defaultdict(set)
    counts: Counter[str] = Counter()
    for extent in extents:
        start, end = extent.span
        for at in [i for i, tag in enumerate(tags[start : end - 1], start) if tag == "a"]:
            text = texts[at + 1].strip()
            if tags[at + 1] == TEXT and len(text) <= _MAX_BUTTON_CHARS and page.ends[at] == at + 2:
                attributes = page.attributes(at)
                if "author" in attributes.get("rel", "") or (
                    texts[at - 1] and opens_byline(texts[at - 1])
                ):
                    continue
                href = attributes.get("href", "")
                targets[text].add("" if href.startswith(("#", "javascript:")) else href)
                counts[text] += 1
    least = max(_MIN_TEMPLATE_ENTRIES, _MIN_BUTTON_SHARE * len(extents))
    return frozenset(
        text
        for text, count in counts.items()
        if count >= least
        and (targets[text] == {""} or len(targets[text]) == count)
        and not _DIGIT.search(text)
    )


def _is_template(page: Outline, index: int) -> bool:
    """Whether a text that stands in many entries is none of their sentences, names or posts."""
    said = page.texts[index].strip()
    home = index
    for _ in range(_MAX_MARK_DEPTH):
        home = page.parents[home]
        if page.tags[home] in _SENTENCE_TAGS and (
            _says_more(page, home) or page.text_of(home) != said
        ):
            return False  # it closes or opens a paragraph
    return (
        said.count(" ") >= 2
        and not said.endswith(":")
        and not _DIGIT.search(said)
        and not (begins_byline(said) or is_role(said) or only_names_in(said))
    )


def _says_more(page: Outline, index: int) -> bool:
    """Whether an element holds two texts and more."""
    first = bisect_left(page.said, index)
    return first + 1 < len(page.said) and page.said[first + 1] < page.ends[index]


def declared_groups(page: Outline, named: dict[int, str]) -> list[Group]:
    """The elements that the markup itself names entries, outermost only.

    named: the tag of each by its place in memory.
    """
    extents: list[Extent] = []
    tags = frozenset(named.values())
    for i, tag in enumerate(page.tags):
        if (
            tag in tags
            and page.nodes[i].mem_id in named
            and not (extents and i < extents[-1].span[1])
        ):
            extents.append(Extent((i, page.ends[i]), i, None))
    return [Group(extents)] if len(extents) > 1 else []


def item_groups(page: Outline) -> list[Group]:
    """Siblings with ids of one pattern, or a moment in an attribute, that show no time."""
    by_home: dict[tuple[int, str], list[int]] = defaultdict(list)
    for i, tag in enumerate(page.tags):
        if tag in _ITEM_TAGS or ("-" in tag and tag != TEXT):
            by_home[(page.parents[i], tag)].append(i)
    merged: dict[tuple[str, str], list[int]] = defaultdict(list)
    for (_, tag), items in by_home.items():
        if len(items) < 3:
            continue
        for i in items:
            own = own_id(page, i)
            if own:
                merged[(tag, _ID_TAIL.sub("#", own, count=1))].append(i)
            if any(_is_moment(name, value) for name, value in page.attributes(i).items()):
                merged[(tag, "")].append(i)
    return [
        Group([Extent((i, page.ends[i]), i, None) for i in items])
        for items in merged.values()
        if len(items) >= 3
    ]


def _is_moment(name: str, value: str) -> bool:
    return name.startswith("data-") and 10 <= len(value) <= 35 and read_machine(value) is not None


_OWN_ID_ATTRIBUTES = (
    "id", "data-post-id", "data-id", "data-entry-id",
    "data-block-id", "data-update-id", "data-item-id", "data-liveblog-entry-id",
    "data-key", "data-uid", "data-guid", "data-article-id", "data-event-id",
    "data-post", "data-urn", "data-card-id", "name",
)  # fmt: skip
"""Where publishers write the id of an entry, the surest first."""
_OWN_ID_NAMES = frozenset(_OWN_ID_ATTRIBUTES)


def own_id(page: Outline, index: int) -> str | None:
    """The publisher's id of an element, None where it has none worth keeping."""
    attributes = page.attributes(index)
    if _OWN_ID_NAMES.isdisjoint(attributes):
        return None
    for name in _OWN_ID_ATTRIBUTES:
        value = attributes.get(name, "")
        if 0 < len(value) <= 200 and _DIGIT.search(value):
            return value.strip()
    return None
