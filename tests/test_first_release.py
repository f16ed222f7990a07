"""A dataset that the first release of the format wrote, read and gone on with by this one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipeline.__main__ import main
from pipeline.dataset import open_dataset
from pipeline.sample_site import SAMPLE_TIMEZONE, serve_sample_site
from transforms.check import find_faults

WRITTEN = Path(__file__).parent / "data/first_release"
ROWS = {"entries": 16, "duplicates": 11, "dead_letters": 2, "revisions": 0}


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("README.md")
    return Path(shutil.copytree(WRITTEN, tmp_path / "set", ignore=ignored))


def rows(dataset: Path) -> dict[str, int]:
    return {table: open_dataset(str(dataset), table).count_rows() for table in ROWS}


def entry_ids(dataset: Path) -> set[str]:
    return set(open_dataset(str(dataset)).to_table()["entry_id"].to_pylist())


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str]]:
    capsys.readouterr()
    code = main([*words])
    return code, capsys.readouterr().out.splitlines()


def test_it_is_read_as_it_is(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rows(dataset) == ROWS
    bodies = open_dataset(str(dataset)).to_table(columns=["revision", "body"]).to_pylist()
    (revised,) = [one["body"] for one in bodies if one["revision"]]
    assert "eight hundred people" in revised
    sql = "SELECT count(*) AS n, count(DISTINCT entry_id) AS ids FROM entries"
    code, lines = said(capsys, "query", str(dataset), sql, "--format", "json")
    assert (code, json.loads(lines[0])) == (0, {"n": 16, "ids": 15})
    assert main(["report", str(dataset)]) == 0


def test_what_it_lacks_is_said_and_mended(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(capsys, "check", str(dataset)) == (
        1,
        ["_dataset.json: is missing", "the index is of another version: see reindex"],
    )
    code, lines = said(capsys, "check", str(dataset), "--repair")
    assert (code, lines) == (
        0,
        [
            "mended: _dataset.json is there again",
            "mended: the index is made anew from the rows",
            f"{dataset}: nothing is wrong.",
        ],
    )
    assert rows(dataset) == ROWS


def test_damage_is_still_found(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (old,) = (dataset / "_index/v1/entries/date=2026-04-09").iterdir()
    old.write_bytes(old.read_bytes()[:-1] + b"x")
    code, lines = said(capsys, "check", str(dataset))
    assert code == 1
    assert lines[1].endswith("has other bytes than its run wrote")


def test_it_is_compacted_before_and_after_its_index_is_rebuilt(dataset: Path) -> None:
    for command in ("compact", "reindex", "compact"):
        assert main([command, str(dataset)]) == 0
        found = rows(dataset)
        assert found == {**ROWS, "entries": 15, "revisions": 1}
    assert [fault.path for fault in find_faults(str(dataset))] == ["_dataset.json"]


def test_a_run_goes_on_where_it_ended(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = entry_ids(dataset)
    with serve_sample_site(0) as site:
        names = ("harbour-post.example/politics/live/2026/04", "tidewater", "meridian")
        words = ["batch", "--output", str(dataset), "--timezone", SAMPLE_TIMEZONE]
        words += ["--delay_s", "0", "--allow_private_hosts"]
        for url in site.page_urls:
            words += ["--url", url] * any(name in url for name in names)
        assert main(words) == 1
        assert capsys.readouterr().err.splitlines()[-1] == (
            f"news-ingest: {dataset} has an index of another version; "
            f"rebuild it with: news-ingest reindex {dataset}"
        )
        assert main(["reindex", str(dataset)]) == 0
        assert main(words) == 0
    assert list(find_faults(str(dataset))) == []
    last = max((dataset / "_runs").iterdir())
    counts = json.loads(last.read_text("utf8"))["counts"]
    assert (counts["pages_split"], counts["pages_failed"], counts["live_blogs"]) == (3, 0, 1)
    assert (counts["new_entries"], counts["duplicates"], counts["dead_letters"]) == (0, 0, 0)
    # What this release reads better than the first is a revision of it.
    assert counts["revisions"] + counts["unchanged"] == counts["entries_found"] == 14
    assert entry_ids(dataset) == known
