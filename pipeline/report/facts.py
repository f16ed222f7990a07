"""What the report tells, gathered by SQL; every list is bounded and says of how many it is."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.report.wording import text_changes

if TYPE_CHECKING:
    import duckdb

DAYS_MAX = 90
DAYS_MIN = 14
BLOGS_MAX = 40
ENTRIES_PER_BLOG_MAX = 120
PUBLISHERS_MAX = 50
CLUSTERS_MAX = 30
MEMBERS_MAX = 12
PAIRS_MAX = 30
REVISED_MAX = 30
TEXTS_PER_ENTRY_MAX = 4
LETTERS_MAX = 30
HOSTS_MAX = 20
RUNS_MAX = 60

_TIMELINE_BINS = 96
_BODY_CHARACTERS = 2_000

Row = dict[str, Any]


class Shown(NamedTuple):
    """The first rows of a list, and how many there are in all."""

    rows: list[Any]
    total: int


def gather_facts(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """The facts by the name of the section that shows them."""
    connection.execute(
        # Without texts: of them only those that are shown are read.
        "CREATE TEMP TABLE latest AS SELECT entry_id, revision, page_url, publisher, page_title, "
        "topic, date, published_at, is_live_blog, is_key_event FROM entries_latest"
    )
    return {
        "totals": _totals(connection),
        "days": _days(connection),
        "blogs": _blogs(connection),
        "publishers": _publishers(connection),
        "latency": _latency(connection),
        "duplicates": _duplicates(connection),
        "revisions": _revisions(connection),
        "letters": _letters(connection),
        "runs": _runs(connection),
    }


def _rows(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any] | None = None
) -> list[Row]:
    cursor = connection.execute(sql, parameters)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> Row:
    return _rows(connection, sql)[0]


def _totals(connection: duckdb.DuckDBPyConnection) -> Row:
    return _one(
        connection,
        """
        SELECT count(*) AS entries, count(DISTINCT publisher) AS publishers,
            count(DISTINCT page_url) FILTER (is_live_blog) AS live_blogs,
            min(date) AS first_date, max(date) AS last_date,
            (SELECT count(*) FROM duplicates) AS duplicates,
            (SELECT count(*) FROM revisions WHERE revision > 0) AS revisions,
            (SELECT count(*) FROM dead_letters) AS dead_letters,
            (SELECT count(*) FROM runs WHERE len(sources) > 0) AS runs,
            (SELECT max(finished_at) FROM runs) AS last_run_at
        FROM latest
        """,
    )


def _days(connection: duckdb.DuckDBPyConnection) -> Row:
    """Entries per day and topic for the last days up to the newest fetch."""
    counts = _rows(
        connection, "SELECT date, topic, count(*) AS n FROM latest GROUP BY ALL ORDER BY ALL"
    )
    if not counts:
        return {"days": [], "per_day": [], "topics": [], "earlier": 0, "later": 0}
    fetched = _one(connection, "SELECT max(fetched_at)::DATE AS day FROM revisions")["day"]
    dates = [row["date"] for row in counts]
    # A wrong clock may date an entry far ahead; it must not push the others out of the picture.
    last = max((day for day in dates if day <= fetched + timedelta(days=1)), default=max(dates))
    widest, narrowest = (last - timedelta(days=n - 1) for n in (DAYS_MAX, DAYS_MIN))
    first = max(widest, min(*dates, narrowest))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    by_topic: dict[str, Counter[date]] = defaultdict(Counter)
    for row in counts:
        by_topic[row["topic"]][row["date"]] += row["n"]
    topics = [
        {"topic": topic, "total": found.total(), "per_day": [found[day] for day in days]}
        for topic, found in by_topic.items()
    ]
    return {
        "days": days,
        "per_day": [sum(found[day] for found in by_topic.values()) for day in days],
        "topics": sorted(topics, key=lambda topic: (-topic["total"], topic["topic"])),
        "earlier": sum(row["n"] for row in counts if row["date"] < first),
        "later": sum(row["n"] for row in counts if row["date"] > last),
    }


def _blogs(connection: duckdb.DuckDBPyConnection) -> Shown:
    """Live blogs, the latest first, each with its timeline and its latest entries."""
    total = _one(connection, "SELECT count(DISTINCT page_url) AS n FROM latest WHERE is_live_blog")
    blogs = _rows(
        connection,
        """
        SELECT page_url, arg_max(page_title, published_at) AS title, mode(topic) AS topic,
            any_value(publisher) AS publisher, count(*) AS entries,
            count(*) FILTER (is_key_event) AS key_events,
            count(*) FILTER (revision > 0) AS revised,
            min(published_at) AS first_at, max(published_at) AS last_at
        FROM latest WHERE is_live_blog
        GROUP BY page_url ORDER BY last_at DESC NULLS LAST, page_url LIMIT ?
        """,
        [BLOGS_MAX],
    )
    urls = [blog["page_url"] for blog in blogs]
    times = _by_page(
        _rows(
            connection,
            "SELECT page_url, published_at, is_key_event FROM latest "
            "WHERE is_live_blog AND published_at IS NOT NULL AND list_contains(?, page_url)",
            [urls],
        )
    )
    entries = _by_page(
        _rows(
            connection,
            """
            SELECT page_url, entry_url, headline, left(body, ?) AS body, authors, language,
                published_at, is_key_event, revision
            FROM revisions SEMI JOIN latest USING (entry_id, revision)
            WHERE is_live_blog AND list_contains(?, page_url)
            WINDOW shown AS
                (PARTITION BY page_url ORDER BY published_at DESC NULLS LAST, position, entry_id)
            QUALIFY row_number() OVER shown <= ?
            ORDER BY page_url, published_at DESC NULLS LAST, position, entry_id
            """,
            [_BODY_CHARACTERS, urls, ENTRIES_PER_BLOG_MAX],
        )
    )
    for blog in blogs:
        blog["timeline"] = timeline(times[blog["page_url"]])
        blog["days"] = _per_day(entries[blog["page_url"]])
        blog["shown"] = len(entries[blog["page_url"]])
    return Shown(blogs, total["n"])


def _by_page(rows: list[Row]) -> dict[str, list[Row]]:
    pages: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        pages[row["page_url"]].append(row)
    return pages


def _per_day(entries: list[Row]) -> list[tuple[date | None, list[Row]]]:
    """Entries in their order, parted where the day changes."""
    days: list[tuple[date | None, list[Row]]] = []
    for entry in entries:
        day = entry["published_at"].date() if entry["published_at"] else None
        if not days or days[-1][0] != day:
            days.append((day, []))
        days[-1][1].append(entry)
    return days


def timeline(times: list[Row]) -> list[tuple[int, bool]]:
    """How many entries fall into each equal part of a blog's life, and whether a key event does."""
    if not times:
        return []
    moments: list[datetime] = [row["published_at"] for row in times]
    first, length = min(moments), max(moments) - min(moments)
    bins = [(0, False)] * _TIMELINE_BINS
    for row in times:
        place = (row["published_at"] - first) / length if length else 0.0
        n = min(int(place * _TIMELINE_BINS), _TIMELINE_BINS - 1)
        bins[n] = (bins[n][0] + 1, bins[n][1] or row["is_key_event"])
    return bins


def _publishers(connection: duckdb.DuckDBPyConnection) -> Shown:
    """Who published how much, how fast it was fetched, and how much of it was removed."""
    rows = _rows(
        connection,
        """
        WITH kept AS (
            SELECT publisher, count(DISTINCT page_url) AS pages,
                count(DISTINCT page_url) FILTER (is_live_blog) AS live_blogs,
                count(*) AS entries, count(*) FILTER (is_key_event) AS key_events
            FROM latest GROUP BY publisher),
        delays AS (
            SELECT publisher, median(epoch(fetched_at - published_at)) AS delay_s
            FROM revisions WHERE revision = 0 AND published_at IS NOT NULL GROUP BY publisher),
        removed AS (SELECT publisher, count(*) AS duplicates FROM duplicates GROUP BY publisher),
        names AS (SELECT publisher FROM kept UNION SELECT publisher FROM removed)
        SELECT names.publisher, coalesce(pages, 0) AS pages, coalesce(live_blogs, 0) AS live_blogs,
            coalesce(entries, 0) AS entries, coalesce(key_events, 0) AS key_events, delay_s,
            coalesce(duplicates, 0) AS duplicates, count(*) OVER () AS total
        FROM names
        LEFT JOIN kept ON kept.publisher IS NOT DISTINCT FROM names.publisher
        LEFT JOIN delays ON delays.publisher IS NOT DISTINCT FROM names.publisher
        LEFT JOIN removed ON removed.publisher IS NOT DISTINCT FROM names.publisher
        ORDER BY entries DESC, duplicates DESC, names.publisher LIMIT ?
        """,
        [PUBLISHERS_MAX],
    )
    return Shown(rows, rows[0]["total"] if rows else 0)


_DELAYS = (
    ("before its own time", 0), ("under 1 min", 60), ("1 to 5 min", 300),
    ("5 to 15 min", 900), ("15 to 60 min", 3600), ("1 to 6 h", 6 * 3600),
    ("6 to 24 h", 24 * 3600), ("1 to 7 d", 7 * 86400), ("over 7 d", float("inf")),
)  # fmt: skip


def _latency(connection: duckdb.DuckDBPyConnection) -> Row:
    """How long after publication entries were first fetched."""
    found = _rows(
        connection,
        """
        SELECT len(list_filter(?, lambda limit_s: limit_s <= delay_s)) AS bucket, count(*) AS n
        FROM (SELECT epoch(fetched_at - published_at) AS delay_s FROM revisions WHERE revision = 0)
        GROUP BY bucket
        """,
        [[limit_s for _, limit_s in _DELAYS[:-1]]],
    )
    counts = {row["bucket"]: row["n"] for row in found}
    summary = _one(
        connection,
        """
        SELECT median(epoch(fetched_at - published_at)) AS median_s,
            quantile_cont(epoch(fetched_at - published_at), 0.9) AS p90_s
        FROM revisions WHERE revision = 0 AND published_at IS NOT NULL
        """,
    )
    buckets = [(label, counts.get(n, 0)) for n, (label, _) in enumerate(_DELAYS)]
    known = [bucket for n, bucket in enumerate(buckets) if n or bucket[1]]
    return {**summary, "buckets": known, "unknown": counts.get(None, 0)}


_RANKED = """
    CREATE TEMP TABLE ranked AS
    WITH members AS (
        SELECT cluster_id, entry_id, publisher, headline, left(body, 200) AS body, published_at,
            fetched_at, coalesce(entry_url, page_url) AS url,
            NULL::VARCHAR AS kind, NULL::FLOAT AS score
        FROM revisions SEMI JOIN latest USING (entry_id, revision)
        WHERE cluster_id IN (SELECT cluster_id FROM duplicates)
        UNION ALL
        SELECT cluster_id, entry_id, publisher, headline, left(body, 200), published_at,
            fetched_at, coalesce(entry_url, page_url), duplicate_kind, duplicate_score
        FROM duplicates)
    SELECT *, first_value(publisher) OVER told AS first_publisher,
        epoch(published_at - first_value(published_at) OVER told) AS after_s,
        row_number() OVER told AS place, count(*) OVER (PARTITION BY cluster_id) AS size
    FROM members
    WINDOW told AS (PARTITION BY cluster_id
        ORDER BY published_at NULLS LAST, fetched_at, kind NULLS FIRST, entry_id)
"""
"""Entries and their duplicates by cluster, in the order of their publication."""


def _duplicates(connection: duckdb.DuckDBPyConnection) -> Row:
    """Clusters with who was first, and who repeats whom how often."""
    connection.execute(_RANKED)
    total = _one(connection, "SELECT count(DISTINCT cluster_id) AS n FROM duplicates")["n"]
    members = _rows(
        connection,
        """
        WITH largest AS (
            SELECT cluster_id, any_value(size) AS size, count(DISTINCT publisher) AS publishers
            FROM ranked GROUP BY cluster_id
            ORDER BY publishers DESC, size DESC, max(published_at) DESC NULLS LAST, cluster_id
            LIMIT ?)
        SELECT ranked.*, largest.publishers FROM ranked JOIN largest USING (cluster_id)
        WHERE place <= ?
        ORDER BY largest.publishers DESC, ranked.size DESC, cluster_id, place
        """,
        [CLUSTERS_MAX, MEMBERS_MAX],
    )
    clusters: dict[str, list[Row]] = defaultdict(list)
    for member in members:
        clusters[member["cluster_id"]].append(member)
    pairs = _rows(
        connection,
        """
        SELECT first_publisher, publisher, count(*) AS copies, median(after_s) AS after_s,
            count(*) OVER () AS total
        FROM ranked WHERE place > 1
        GROUP BY first_publisher, publisher
        ORDER BY copies DESC, first_publisher, publisher LIMIT ?
        """,
        [PAIRS_MAX],
    )
    return {
        "clusters": Shown([{"members": rows, **rows[0]} for rows in clusters.values()], total),
        "pairs": Shown(pairs, pairs[0]["total"] if pairs else 0),
    }


def _revisions(connection: duckdb.DuckDBPyConnection) -> Shown:
    """Entries whose text changed, the latest change first, with what changed."""
    total = _one(connection, "SELECT count(*) AS n FROM latest WHERE revision > 0")["n"]
    texts = _rows(
        connection,
        """
        WITH changed AS (
            SELECT entry_id, max(coalesce(updated_at, fetched_at)) AS changed_at
            FROM revisions WHERE revision > 0
            GROUP BY entry_id ORDER BY changed_at DESC, entry_id LIMIT ?)
        SELECT entry_id, revision, headline, body, publisher, language, published_at,
            coalesce(entry_url, page_url) AS url, coalesce(updated_at, fetched_at) AS at,
            count(*) OVER (PARTITION BY entry_id) AS texts
        FROM revisions JOIN changed USING (entry_id)
        QUALIFY row_number() OVER (PARTITION BY entry_id ORDER BY revision DESC) <= ?
        ORDER BY changed_at DESC, entry_id, revision
        """,
        [REVISED_MAX, TEXTS_PER_ENTRY_MAX],
    )
    entries: dict[str, list[Row]] = defaultdict(list)
    for text in texts:
        entries[text["entry_id"]].append(text)
    return Shown([_revised(versions) for versions in entries.values()], total)


def _revised(versions: list[Row]) -> Row:
    changes = [
        {
            "revision": after["revision"],
            "at": after["at"],
            "headline": text_changes(before["headline"] or "", after["headline"] or ""),
            "body": text_changes(before["body"], after["body"]),
        }
        for before, after in itertools.pairwise(versions)
    ]
    return {**versions[-1], "changes": changes}


_LOST = r"""
    CREATE TEMP VIEW lost AS SELECT *,
        coalesce(nullif(regexp_extract(uri, '^(?i:https?)://([^/?#]+)', 1), ''), 'files') AS host
    FROM dead_letters
"""


def _letters(connection: duckdb.DuckDBPyConnection) -> Row:
    """What was lost, by code and by host, and the latest of it."""
    connection.execute(_LOST)
    hosts = _rows(
        connection,
        """
        SELECT host, count(*) AS n, list(DISTINCT code ORDER BY code) AS codes,
            max(failed_at) AS last_at, count(*) OVER () AS total
        FROM lost GROUP BY host ORDER BY n DESC, host LIMIT ?
        """,
        [HOSTS_MAX],
    )
    codes = _rows(
        connection,
        """
        SELECT code, stage, count(*) AS n, count(DISTINCT host) AS hosts, max(failed_at) AS last_at
        FROM lost GROUP BY code, stage ORDER BY n DESC, code
        """,
    )
    latest = _rows(
        connection,
        "SELECT code, stage, uri, detail, failed_at FROM lost "
        "ORDER BY failed_at DESC, dead_letter_id LIMIT ?",
        [LETTERS_MAX],
    )
    return {
        "codes": codes,
        "hosts": Shown(hosts, hosts[0]["total"] if hosts else 0),
        "latest": Shown(latest, sum(code["n"] for code in codes)),
    }


def _runs(connection: duckdb.DuckDBPyConnection) -> Shown:
    """The latest runs, oldest first, as their manifests count them."""
    rows = _rows(
        connection,
        """
        SELECT run_id, started_at, epoch(finished_at - started_at) AS took_s, pages, pages_split,
            not_modified, pages_failed, entries, duplicates, unchanged,
            count(*) OVER () AS total
        FROM runs WHERE len(sources) > 0 -- a compaction has none
        ORDER BY run_id DESC LIMIT ?
        """,
        [RUNS_MAX],
    )
    return Shown(rows[::-1], rows[0]["total"] if rows else 0)
