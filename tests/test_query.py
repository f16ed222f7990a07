from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.__main__ import main
from pipeline.query import plain
from pipeline.views import VIEWS
from tests.datasets import add_run
from tests.factories import row


@pytest.fixture
def dataset(tmp_path: Path) -> str:
    hostile = '\x1b[31m red \x9b31m \u202eevil, "quoted"\nand more'
    add_run(
        tmp_path / "set", [row(headline=hostile), row(entry_id="e2", headline=None, topic="sport")]
    )
    return str(tmp_path / "set")


def test_a_table_shows_no_control_characters(
    dataset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", dataset, "SELECT headline, authors FROM entries_latest"]) == 0
    table = capsys.readouterr().out
    assert "varchar" in table
    assert "[Ada Quill]" in table
    assert [
        c for c in table if (c < " " and c != "\n") or "\x7f" <= c <= "\x9f" or c == "\u202e"
    ] == []
    assert "\\e[31m red" in table


def test_a_long_table_says_how_much_is_shown(
    dataset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", dataset, "SELECT range, 'the same' AS text FROM range(1000)"]) == 0
    assert "1000 rows (40 shown)" in " ".join(capsys.readouterr().out.split())


SELECTED = (
    "SELECT entry_id, published_at, date, authors, is_live_blog, topic_score::DOUBLE AS score, "
    "sum(1) AS n, headline FROM entries_latest WHERE entry_id = 'e2' GROUP BY ALL"
)


def test_csv(dataset: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", dataset, SELECTED, "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "entry_id,published_at,date,authors,is_live_blog,score,n,headline",
        'e2,2026-05-12T08:30:00Z,2026-05-12,"[""Ada Quill""]",true,0.949999988079071,1,',
    ]


def test_json_is_one_object_a_line(dataset: str, tmp_path: Path) -> None:
    file = tmp_path / "answer.jsonl"
    assert main(["query", dataset, SELECTED, "--output", str(file)]) == 0
    assert json.loads(file.read_text("utf8")) == {
        "entry_id": "e2", "published_at": "2026-05-12T08:30:00Z", "date": "2026-05-12",
        "authors": ["Ada Quill"], "is_live_blog": True, "score": 0.949999988079071, "n": 1,
        "headline": None,
    }  # fmt: skip


def test_parquet_keeps_the_types(dataset: str, tmp_path: Path) -> None:
    file = tmp_path / "answer.parquet"
    assert main(["query", dataset, "FROM entries_latest", "--output", str(file)]) == 0
    table = pq.read_table(file)
    assert table.num_rows == 2
    assert str(table.schema.field("published_at").type) == "timestamp[us, tz=UTC]"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_values_that_json_has_no_word_for() -> None:
    assert plain([float("nan"), Decimal("1.5"), b"\x01", {1: (None, True)}, date(2026, 5, 1)]) == [
        None, 1.5, "01", {"1": [None, True]}, "2026-05-01",
    ]  # fmt: skip
    assert plain(datetime(2026, 5, 1, 8, tzinfo=UTC)) == "2026-05-01T08:00:00Z"
    assert plain(2**100) == 2**100


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["SELEC 1"], "SQL: syntax error"),
        (["SELECT nope FROM entries"], 'SQL: Referenced column "nope" not found'),
        (["FROM nope"], ", ".join(VIEWS)),
        (["SELECT 1; SELECT 2"], "one SELECT"),
        (["DROP VIEW entries"], "one SELECT"),
        (["EXPLAIN ANALYZE COPY entries TO '/tmp/x'"], "one SELECT"),
        ([""], "one SELECT"),
        (["FROM read_text('/etc/hostname')"], "disabled"),
        (["SELECT error('late') FROM entries", "--format", "csv"], "SQL: late"),
        (["SELECT 1 AS a, 2 AS a", "--format", "json"], "two columns are called 'a'"),
        (["SELECT 1", "--format", "parquet"], "add --output"),
        (
            ["SELECT 1", "--output", "no/such/folder/a.csv"],
            "--output no/such/folder/a.csv: No such",
        ),
        (["SELECT 1", "--format", "xml"], "--format"),
    ],
)
def test_wrong_usage_is_one_line(
    words: list[str], said: str, dataset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", dataset, *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("news-ingest: ")
    assert error.count("\n") == 1
    assert said in error


def test_a_failed_query_leaves_the_file_as_it_was(dataset: str, tmp_path: Path) -> None:
    file = tmp_path / "answer.csv"
    file.write_text("before")
    assert main(["query", dataset, "SELECT error('late') FROM entries", "--output", str(file)]) == 2
    assert file.read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answer.csv", "set"]
