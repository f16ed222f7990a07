"""What a run prints when it is done."""

from __future__ import annotations

import shlex
from typing import Any

_LEFT_OUT = (
    ("files_ignored", "files ignored", "no pages, or hidden"),
    ("requests_repeated", "asked for twice", "fetched once"),
    ("older_pages_left", "older pages left", "over --max_pages_per_blog"),
    ("too_old", "too old", "sitemap items before --since"),
    ("links_invalid", "links invalid", "feed or sitemap items that lead to no page"),
    ("sitemap_over_limit", "over the limit", "sitemap items past the first 50,000"),
    ("sitemap_too_deep", "sitemaps too deep", "not followed"),
    ("archive_truncated", "archive truncated", "pages that the crawler cut short"),
)
"""Counts of what was left out on the way: name, label and why."""


def print_summary(manifest: dict[str, Any], dataset: str) -> None:
    """An aligned table of the run on stdout: pages, rows, topics, dead letters."""
    print("\n".join(summary_lines(manifest, dataset)))


def summary_lines(manifest: dict[str, Any], dataset: str) -> list[str]:
    """The lines of the summary; the last one says whether anything was new."""
    counts = manifest["counts"]

    def count(name: str) -> int:
        return int(counts.get(name, 0))

    rows = [
        ("pages", count("pages"), ""),
        ("  live blogs", count("live_blogs"), ""),
        ("  not modified", count("not_modified"), ""),
        ("  failed", count("pages_failed"), ""),
        ("entries found", count("entries_found"), ""),
        ("  written", count("entries"), _revisions(count("revisions"))),
        ("  duplicates", count("duplicates"), ""),
        ("  unchanged", count("unchanged"), "known from an earlier run, or shown twice"),
        ("dead letters", count("dead_letters"), _repeated(count("dead_letters_repeated"))),
        *((f"  {code}", n, "") for code, n in _named(counts, "failed_")),
        *((f"topic {slug}", n, "") for slug, n in _named(counts, "topic_")),
    ]
    left_out = [(f"  {label}", count(name), note) for name, label, note in _LEFT_OUT if count(name)]
    left_out += [(f"  archive {k}", n, "left out") for k, n in _named(counts, "archive_skipped_")]
    rows[1:1] = left_out
    width = max(len(name) for name, _, _ in rows)
    lines = [f"Run {manifest['run_id']} -> {dataset}"]
    lines += [f"  {name:{width}}  {n:>7,}  {note}".rstrip() for name, n, note in rows]
    if count("pages_failed"):
        query = "SELECT code, uri, detail FROM dead_letters"
        lines.append(f"Why pages failed: news-ingest query {shlex.quote(dataset)} '{query}'")
    if not any(count(name) for name in ("entries", "duplicates", "dead_letters")):
        lines.append("Nothing new: everything was already in the dataset.")
    return lines


def _revisions(n: int) -> str:
    return f"{n:,} of them revisions of earlier entries" if n else ""


def _repeated(n: int) -> str:
    return f"{n:,} more were already recorded today" if n else ""


def _named(counts: dict[str, int], prefix: str) -> list[tuple[str, int]]:
    return sorted(
        (name.removeprefix(prefix), n) for name, n in counts.items() if name.startswith(prefix)
    )
