"""A page's body as flat lists in document order: cheap to scan, safe at any depth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from transforms.liveblog.wordlists import one_line, words

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

TEXT = "-text"
"""The tag that selectolax gives to text nodes."""

_NEVER_SHOWN = words(
    "head script style noscript template svg canvas object select option textarea input math "
    "map dialog -comment"
)
"""Elements that hold no reading text; nothing below them is looked at."""

BLOCKS = words(
    "address article aside blockquote body center dd details div dl dt fieldset figcaption "
    "figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary "
    "table tbody td tfoot th thead tr ul"
)
"""Elements that end a paragraph where they begin and end (HTML, Rendering, flow content)."""

HEADINGS = frozenset(["h1", "h2", "h3", "h4", "h5", "h6"])


@dataclass(slots=True)
class Outline:
    """Elements and text nodes in document order, addressed by index.

    tags[i]: lower-case name, ``-text`` for text.
    parents[i]: index of the parent, -1 for the root.
    ends[i]: one past the last index of the subtree.
    texts[i]: the text of a text node or a menu, "" for any other element.
    said: the indices of the text nodes.
    """

    tags: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    nodes: list[LexborNode] = field(default_factory=list)
    said: list[int] = field(default_factory=list)
    _attributes: dict[int, dict[str, str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.tags)

    def attributes(self, index: int) -> dict[str, str]:
        """The attributes of an element, names in lower case, missing values as ""."""
        found = self._attributes.get(index)
        if found is None:
            given = {} if self.tags[index] == TEXT else self.nodes[index].attributes
            if None in given.values():
                given = {name: value or "" for name, value in given.items()}
            found = self._attributes[index] = cast("dict[str, str]", given)
        return found

    def children(self, index: int) -> list[int]:
        """The direct children, elements and text."""
        found = []
        at, end = index + 1, self.ends[index]
        while at < end:
            found.append(at)
            at = self.ends[at]
        return found

    def text(self, start: int, end: int) -> str:
        """The text of a range, white space collapsed, a blank between blocks."""
        tags, texts = self.tags, self.texts
        if end - start == 2 and tags[start + 1] == TEXT:
            return one_line(texts[start + 1])
        parts = []
        for i in range(start, end):
            tag = tags[i]
            if tag == TEXT:
                parts.append(texts[i])
            elif tag in BLOCKS or tag == "br":
                parts.append(" ")
        return one_line("".join(parts))

    def text_of(self, index: int) -> str:
        """The text of one subtree."""
        return self.text(index, self.ends[index])


def outline(tree: LexborHTMLParser) -> Outline:  # noqa: C901 - a call for each node costs more
    """Flatten the body of a page; iterates, so nesting costs no stack.

    Drops elements that are never shown (scripts, styles, drawings, form fields),
    and comments. White space between elements is one blank at the end of the
    text before it, so that a page indented and the same page on one line are alike.
    Texts that only a comment divides, as script frameworks write them, are one.
    A menu is one element with the text of all.
    """
    result = Outline()
    tags, parents, ends = result.tags, result.parents, result.ends
    texts, nodes = result.texts, result.nodes
    above: list[tuple[int, LexborNode]] = []  # the elements that are open
    parent = unspaced = -1  # unspaced: the text that the next blank belongs to
    last = -1  # the text behind which nothing but blanks and comments have come
    node = tree.body
    while node is not None:
        child = text = None
        tag = node.tag or ""
        if tag == TEXT:
            text = node.text_content or ""
            if text.isspace():
                if unspaced >= 0:
                    texts[unspaced] += " "
                text, unspaced = None, -1
            elif last >= 0:
                texts[last] += text
                text, unspaced = None, last
            else:
                unspaced = last = len(tags)
                result.said.append(unspaced)
        elif tag != "-comment":
            last = -1
            if tag == "nav":
                text = node.text()
            elif tag not in _NEVER_SHOWN:
                text, child = "", node.first_child
        if text is not None:
            tags.append(tag)
            parents.append(parent)
            texts.append(text)
            nodes.append(node)
            ends.append(len(tags))
        if child is not None:
            parent = len(tags) - 1
            above.append((parent, node))
            node = child
            continue
        node = node.next if above else None
        while node is None and above:
            index, closed = above.pop()
            last = -1
            ends[index] = len(tags)
            parent = parents[index]
            node = closed.next if above else None
    return result
