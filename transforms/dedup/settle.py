"""Settle: which of the documents that tell the same survives, and in what cluster.

A star clustering: documents are taken in the order of survivors; each is removed
as a duplicate of the best one that is already kept, or else is kept. There are no
chains: what is like a removed one only, stays. The outcome depends on nothing but
the documents and their likeness.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from schemas.records import DuplicateKind  # noqa: TC001 - read by whoever decodes records
from transforms.dedup.documents import KNOWN, REVISION, REVISION_OF_KEPT
from transforms.dedup.verify import CONTAINER_SHARE_MIN, CONTAINMENT_MIN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transforms.dedup.verify import Edge, Node

_KINDS: dict[str, int] = {"exact": 0, "near": 1, "contained": 2}


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a document of this run.

    cluster_id: that it belongs to. duplicate_of, kind, score: as ``DuplicateRow``
    has them; duplicate_of is None for one that is kept. alias_of: another cluster
    that the one of a kept revision proved to be the same as.
    """

    ref: int
    cluster_id: str
    duplicate_of: str | None = None
    kind: DuplicateKind | None = None
    score: float = 0.0
    alias_of: str | None = None


def order(node: Node) -> tuple[bool, int, int]:
    """Entries of earlier runs first, then by rank."""
    return (node.standing != KNOWN, node.rank, node.ref)


class _Sky:
    """The documents, what is beside each, and what was decided so far."""

    def __init__(self, edges: Iterable[Edge], window_days: int) -> None:
        self.window_days = window_days
        self.nodes: dict[int, Node] = {}
        self.beside: defaultdict[int, dict[int, Edge]] = defaultdict(dict)
        self.kept: dict[int, str] = {}  # the cluster of each
        self.removed: dict[int, tuple[Decision, Node]] = {}  # with the survivor of each
        self.removed_entries: set[str] = set()
        for edge in edges:
            for one, other in ((edge.a, edge.b), (edge.b, edge.a)):
                self.nodes[one.ref] = one
                self.beside[one.ref][other.ref] = edge

    def stays(self, node: Node) -> bool:
        """Whether it is a revision of an entry that was kept."""
        return node.standing == REVISION_OF_KEPT or (
            node.standing == REVISION and node.entry_id not in self.removed_entries
        )

    def copied(self, node: Node) -> list[Edge]:
        """To those kept that node is a copy or a part of, the best first.

        What quotes an entry that the other one lacks is a copy of the other only
        if nearly all of it is there.
        """
        beside = self.beside[node.ref]
        quoted = [ref for ref, edge in beside.items() if edge.is_container(node)]
        found = []
        for ref, edge in beside.items():
            if ref not in self.kept or edge.is_container(node):
                continue
            lacks = any(ref not in self.beside[one] for one in quoted)
            if not lacks or edge.share(node) >= CONTAINMENT_MIN:
                found.append((_KINDS[edge.kind], -edge.score, order(self.nodes[ref]), edge))
        return [edge for *_, edge in sorted(found, key=lambda one: one[:3])]

    def quoted(self, node: Node) -> list[Edge]:
        """To those kept that stand within node, the largest share of it first."""
        found = [
            (-edge.share(node), order(edge.other(node)), edge)
            for edge in self.beside[node.ref].values()
            if edge.other(node).ref in self.kept
            and edge.is_container(node)
            and edge.share(node) >= CONTAINER_SHARE_MIN
        ]
        return [edge for *_, edge in sorted(found, key=lambda one: one[:2])]

    def same_words(self, node: Node) -> list[tuple[Decision, Node]]:
        """What became of those removed that have its words, if the survivor is near enough."""
        went = [
            self.removed[ref]
            for ref, edge in sorted(self.beside[node.ref].items())
            if ref in self.removed and edge.score == 1.0 and edge.kind != "contained"
        ]
        return [
            (decision, survivor)
            for decision, survivor in went
            if abs(survivor.day - node.day) <= self.window_days
            and (decision.kind == "exact" or survivor.near_in_time(node))
        ]

    def decide(self, node: Node) -> tuple[Decision, Node | None]:
        """What becomes of it, and its survivor if it is removed."""
        copied = self.copied(node)
        if self.stays(node):
            clusters = (
                self.kept[edge.other(node).ref] for edge in copied if edge.kind != "contained"
            )
            alias = next((cluster for cluster in clusters if cluster != node.cluster_id), None)
            return Decision(node.ref, node.cluster_id, alias_of=alias), None
        if copied:
            best = copied[0].other(node)
            cluster_id = self.kept[best.ref]
            edge = copied[0]
            return Decision(node.ref, cluster_id, best.entry_id, edge.kind, edge.score), best
        if same := self.same_words(node):
            decision, best = same[0]
            return replace(decision, ref=node.ref), best
        if quoted := self.quoted(node):
            return Decision(node.ref, self.kept[quoted[0].other(node).ref]), None
        return Decision(node.ref, node.cluster_id), None


def settle(edges: Iterable[Edge], window_days: int) -> list[Decision]:
    """A decision for each document of this run that an edge names.

    The order of edges is all one, and so are repeated ones.
    """
    sky = _Sky(edges, window_days)
    decisions = []
    for node in sorted(sky.nodes.values(), key=order):
        if node.standing == KNOWN:
            sky.kept[node.ref] = node.cluster_id
            continue
        decision, survivor = sky.decide(node)
        decisions.append(decision)
        if survivor is None:
            sky.kept[node.ref] = decision.cluster_id
        else:
            sky.removed[node.ref] = decision, survivor
            sky.removed_entries.add(node.entry_id)
    return decisions
