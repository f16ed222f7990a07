"""What a run prints when it is done."""

from __future__ import annotations

from typing import Any


def print_summary(manifest: dict[str, Any], dataset: str) -> None:
    """An aligned table of the run on stdout: pages, rows, topics, dead letters."""
    print("\n".join(summary_lines(manifest, dataset)))


def summary_lines(manifest: dict[str, Any], dataset: str) -> list[str]:
    """The lines of the summary; the last one says whether anything was new."""
    counts = manifest["counts"]

    def count(name: str) -> int:
        return int(counts.get(name, 0))

    failed = count("pages_failed")
    rows = [
        ("pages", count("pages_split") + count("not_modified") + failed, ""),
        ("  live blogs", count("live_blogs"), ""),
        ("  not modified", count("not_modified"), ""),
        ("  failed", failed, ""),
        ("entries found", count("entries_found"), ""),
        ("  written", count("entries"), _revisions(count("revisions"))),
        ("  duplicates", count("duplicates"), ""),
        ("  unchanged", count("unchanged"), "known from an earlier run, or shown twice"),
        ("dead letters", count("dead_letters"), _repeated(count("dead_letters_repeated"))),
        *((f"  {code}", n, "") for code, n in _named(counts, "failed_")),
        *((f"topic {slug}", n, "") for slug, n in _named(counts, "topic_")),
    ]
    if count("older_pages_left"):
        left = ("  older pages left", count("older_pages_left"), "over --max_pages_per_blog")
        rows.insert(1, left)
    if count("requests_repeated"):
        rows.insert(1, ("  asked for twice", count("requests_repeated"), "fetched once"))
    if count("files_ignored"):
        ignored = ("  files ignored", count("files_ignored"), "no pages, or hidden")
        rows.insert(1, ignored)
    width = max(len(name) for name, _, _ in rows)
    lines = [f"Run {manifest['run_id']} -> {dataset}"]
    lines += [f"  {name:{width}}  {n:>7,}  {note}".rstrip() for name, n, note in rows]
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
