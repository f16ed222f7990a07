"""``sample``: the main job on the bundled sample site, and a first query."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipeline import batch
from pipeline.options import parse
from pipeline.sample_site import SAMPLE_TIMEZONE, serve_sample_site

if TYPE_CHECKING:
    import argparse

_QUERY = """\
SELECT date, topic, count(*) AS entries, count(DISTINCT page_url) AS pages,
       strftime(min(published_at) AT TIME ZONE 'UTC', '%H:%M') AS first_utc,
       strftime(max(published_at) AT TIME ZONE 'UTC', '%H:%M') AS last_utc
FROM read_parquet('{dataset}/entries/*/*/*.parquet', hive_partitioning = true)
GROUP BY ALL ORDER BY ALL"""


def run(options: argparse.Namespace) -> int:
    """Ingest the sample site; print the summary, the tree and a query's answer."""
    dataset: str = options.output
    with serve_sample_site() as site:
        print(f"Sample site at {site.base_url}, {len(site.page_urls)} pages")
        urls = [word for url in site.page_urls for word in ("--url", url)]
        own = ["--timezone", SAMPLE_TIMEZONE, "--allow_private_hosts", "--delay_s", "0"]
        code = batch.run(parse(["batch", *urls, "--output", dataset, *own]))
    print("\n" + "\n".join(tree_lines(Path(dataset))))
    query = _QUERY.format(dataset=dataset)
    print(f"\nA first query, with DuckDB:\n\n{query}\n\n{_answer(query)}")
    return code


def tree_lines(root: Path) -> list[str]:
    """The files below a folder, one a line, folders only named once."""
    lines = [f"{root}/"]
    shown: set[Path] = set()
    for path in sorted(root.rglob("*")):
        if path.is_dir():
            continue
        for folder in [*reversed(path.relative_to(root).parents)][1:]:
            if folder not in shown:
                shown.add(folder)
                lines.append("  " * len(folder.parts) + f"{folder.name}/")
        depth = len(path.relative_to(root).parts)
        lines.append("  " * depth + f"{path.name}  {path.stat().st_size:,} bytes")
    return lines


def _answer(query: str) -> str:
    return str(duckdb.sql(query))
