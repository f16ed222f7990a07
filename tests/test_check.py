"""Every fault is named on a line of its own, and what needs no guessing is mended."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.__main__ import main
from schemas.records import DuplicateRow
from tests.datasets import add_run
from tests.factories import letter, row
from transforms.commit import sha256_of
from transforms.lock import dataset_lock

POLITICS = "entries/date=2026-05-12/topic=politics/part-000001-abcdef01-00000.parquet"
SPORT = "entries/date=2026-05-12/topic=sport/part-000001-abcdef01-00000.parquet"
INDEX = "_index/v2/entries/date=2026-05-12/part-000001-abcdef01-00000.parquet"


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    root = tmp_path / "set"
    copy = DuplicateRow(row(entry_id="copy"), "e1", "exact", 1)
    sport = row(entry_id="e2", topic="sport", topic_qcode="medtop:15000000")
    add_run(root, [row(), sport], [copy], [letter()])
    add_run(root, [row(revision=1, body="The bridge is closed again.")])
    return root


def check(dataset: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str]]:
    capsys.readouterr()
    code = main(["check", str(dataset), *words])
    return code, capsys.readouterr().out.splitlines()


def rewrite(dataset: Path, name: str, change: Callable[[pa.Table], pa.Table]) -> None:
    """Change a file as if its run had written it so."""
    path = dataset / name
    with path.open("rb") as file:
        table = change(pq.read_table(file))
    pq.write_table(table, path)
    sha256, size_bytes = sha256_of(str(path))
    manifest = dataset / f"_runs/{name.rpartition('part-')[2][:15]}.json"
    about = json.loads(manifest.read_text())
    for one in about["files"]:
        if one["final"] == name:
            one |= {"sha256": sha256, "size_bytes": size_bytes, "rows": len(table)}
    manifest.write_text(json.dumps(about))


def test_a_clean_dataset_is_one_line(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(dataset, capsys) == (0, [f"{dataset}: nothing is wrong."])
    assert check(dataset, capsys, "--repair") == (0, [f"{dataset}: nothing is wrong."])


def _with(name: str, value: object) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        place = table.schema.get_field_index(name)
        field = table.schema.field(name)
        return table.set_column(place, field, pa.array([value] * len(table), field.type))

    return change


FAULTS: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "a missing file": (
        lambda root: (root / POLITICS).unlink(),
        [f"{POLITICS}: is missing"],
    ),
    "a truncated file": (
        lambda root: (root / SPORT).write_bytes((root / SPORT).read_bytes()[:1000]),
        [f"{SPORT}: has 1000 bytes, its run wrote N", f"{SPORT}: is no whole Parquet file: ..."],
    ),
    "a flipped byte": (
        lambda root: _flip(root / SPORT),
        [f"{SPORT}: has other bytes than its run wrote", f"{SPORT}: is no whole Parquet file: ..."],
    ),
    "a foreign file": (
        lambda root: (root / POLITICS).with_name("mine.parquet").write_bytes(b"x"),
        [f"{POLITICS.replace('part-000001-abcdef01-00000', 'mine')}: belongs to no run"],
    ),
    "a file at the top": (
        lambda root: (root / "notes.txt").write_text("x"),
        ["notes.txt: belongs to no run"],
    ),
    "no marker": (
        lambda root: (root / "_dataset.json").unlink(),
        ["_dataset.json: is missing"],
    ),
    "staging": (
        lambda root: _write(root / "_staging/000003-abcdef03/x.chunk"),
        ["_staging: 1 files of a run that was interrupted"],
    ),
    "an intent half written": (
        lambda root: (root / "_runs/_000003-abcdef01.intent.json.tmp").write_text("{"),
        ["_runs/_000003-abcdef01.intent.json.tmp: was being written when its run was interrupted"],
    ),
    "a marker half written": (
        lambda root: (root / "__dataset.json.tmp").write_text(""),
        ["__dataset.json.tmp: was being written when its run was interrupted"],
    ),
    "a damaged manifest": (
        lambda root: (root / "_runs/000002-abcdef01.json").write_text("{"),
        ["a manifest cannot be read: ..."],
    ),
    "a lost column": (
        lambda root: rewrite(root, SPORT, lambda table: table.drop_columns(["tags"])),
        [f"{SPORT}: is not of the schema: no column tags"],
    ),
    "a column of another type": (
        lambda root: rewrite(root, SPORT, lambda t: t.set_column(1, "revision", t[1].cast("int64"))),
        [f"{SPORT}: is not of the schema: revision is int64, not int32"],
    ),
    "a column too many": (
        lambda root: rewrite(root, SPORT, lambda table: table.append_column("x", table[0])),
        [f"{SPORT}: is not of the schema: column x is unknown"],
    ),
    "a later schema": (
        lambda root: rewrite(
            root, SPORT, lambda t: t.replace_schema_metadata({"news_ingest.schema_version": "99"})
        ),
        [f"{SPORT}: is not of the schema: schema version 99"],
    ),
    "a row of another day": (
        lambda root: rewrite(root, SPORT, _with("published_at", 0)),
        [f"{SPORT}: 1 rows are of another day than 2026-05-12"],
    ),
    "a row of another topic": (
        lambda root: rewrite(root, SPORT, _with("topic_qcode", None)),
        [f"{SPORT}: 1 rows are of another topic than sport"],
    ),
    "a row that is there twice": (
        lambda root: rewrite(root, SPORT, lambda table: pa.concat_tables([table, table])),
        [
            "_runs/000001-abcdef01.json: counts 2 entries, its files hold 3",
            "entry e2 revision 0 is there 2 times: entries, entries",
        ],
    ),
    "a row that the index does not know": (
        lambda root: rewrite(root, INDEX, lambda table: table.slice(1)),
        ["entry copy revision 0 is not in the index"],
    ),
    "an index that knows too much": (
        lambda root: rewrite(root, INDEX, lambda t: pa.concat_tables([t, _with("entry_id", "e9")(t.slice(0, 1))])),
        ["the index knows entry e9 revision 0, which is nowhere"],
    ),
}  # fmt: skip


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(dataset: Path, capsys: pytest.CaptureFixture[str], fault: str) -> None:
    damage, expected = FAULTS[fault]
    damage(dataset)
    code, lines = check(dataset, capsys)
    assert code == 1
    assert len(lines) == len(expected), lines
    for line, words in zip(lines, expected, strict=True):
        if words.endswith("..."):
            assert line.startswith(words[:-3])
        else:
            assert "".join(c for c in line) == words or words.replace("N", "") in line


@pytest.mark.parametrize(
    "fault",
    [
        "a foreign file",
        "a file at the top",
        "staging",
        "an intent half written",
        "a marker half written",
        "no marker",
    ],
)
def test_what_needs_no_guessing_is_mended(
    dataset: Path, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    FAULTS[fault][0](dataset)
    before = sorted(path.read_bytes() for path in dataset.rglob("*.parquet"))
    code, lines = check(dataset, capsys, "--repair")
    assert code == 0
    assert lines[-1] == f"{dataset}: nothing is wrong."
    assert check(dataset, capsys)[0] == 0
    assert sorted(path.read_bytes() for path in dataset.rglob("*.parquet")) == before


@pytest.mark.parametrize(
    "fault", ["a row that the index does not know", "an index that knows too much"]
)
def test_an_index_that_disagrees_is_made_anew(
    dataset: Path, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    FAULTS[fault][0](dataset)
    assert check(dataset, capsys, "--repair") == (
        0,
        ["mended: the index is made anew from the rows", f"{dataset}: nothing is wrong."],
    )
    assert check(dataset, capsys)[0] == 0


def test_what_is_lost_stays_said(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (dataset / SPORT).unlink()
    assert check(dataset, capsys, "--repair") == (1, [f"{SPORT}: is missing"])


def test_an_unfinished_commit_is_completed(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = dataset / "_runs/000002-abcdef01.json"
    about = json.loads(manifest.read_text())
    for file in about["files"]:
        file["staged"] = f"_staging/000002-abcdef01/{file['sha256']}"
        (dataset / file["staged"]).parent.mkdir(parents=True, exist_ok=True)
        (dataset / file["final"]).rename(dataset / file["staged"])
    intent = {"manifest": {k: v for k, v in about.items() if k != "files"}, "files": about["files"]}
    (dataset / "_runs/000002-abcdef01.intent.json").write_text(json.dumps(intent))
    manifest.unlink()
    said = "run 000002-abcdef01 was interrupted while it was committed"
    assert check(dataset, capsys) == (1, [said])
    code, lines = check(dataset, capsys, "--repair")
    assert (code, lines[0]) == (
        0,
        "Run 000002-abcdef01 had been interrupted: it is complete now.",
    )
    assert json.loads(manifest.read_text()).keys() == about.keys()


def test_many_like_it_are_counted(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_run(dataset, [row(entry_id=f"e{n}") for n in range(100, 150)])
    name = INDEX.replace("000001", "000003")
    rewrite(dataset, name, lambda table: table.slice(0, 0))
    code, lines = check(dataset, capsys)
    assert (code, len(lines)) == (1, 21)
    assert lines[0] == "entry e100 revision 0 is not in the index"
    assert lines[-1] == "30 more like it: entry . revision . is not in the index"


def test_a_dataset_in_use_and_none_at_all(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with dataset_lock(str(dataset), "batch"):
        for words in ([], ["--repair"]):
            assert main(["check", str(dataset), *words]) == 1
            assert " is in use: batch by process " in capsys.readouterr().err
    for command in ("check", "compact", "reindex"):
        assert main([command, str(dataset.parent / "nothing")]) == 2
        assert "holds no dataset" in capsys.readouterr().err
    assert sorted(path.name for path in dataset.parent.iterdir()) == ["set"]
