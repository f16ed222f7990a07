from __future__ import annotations

from pipeline.summary import summary_lines


def test_a_run_in_an_aligned_table() -> None:
    counts = {
        "pages": 1202,
        "pages_split": 1200,
        "live_blogs": 3,
        "pages_failed": 2,
        "failed_http_404": 2,
        "entries_found": 40,
        "entries": 30,
        "revisions": 4,
        "duplicates": 6,
        "unchanged": 4,
        "dead_letters": 1,
        "dead_letters_repeated": 1,
        "requests_repeated": 5,
        "topic_sport": 30,
    }
    assert summary_lines({"run_id": "000002-ab", "counts": counts}, "news") == [
        "Run 000002-ab -> news",
        "  pages                1,202",
        "    asked for twice        5  fetched once",
        "    live blogs             3",
        "    not modified           0",
        "    failed                 2",
        "  entries found           40",
        "    written               30  4 of them revisions of earlier entries",
        "    duplicates             6",
        "    unchanged              4  known from an earlier run, or shown twice",
        "  dead letters             1  1 more were already recorded today",
        "    http_404               2",
        "  topic sport             30",
        "Why pages failed: news-ingest query news 'SELECT code, uri, detail FROM dead_letters'",
    ]


def test_a_run_that_finds_nothing_new_says_so() -> None:
    counts = {"pages": 1, "entries_found": 2, "unchanged": 2}
    assert summary_lines({"run_id": "000002-ab", "counts": counts}, "news")[-1] == (
        "Nothing new: everything was already in the dataset."
    )
