from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.__main__ import main
from pipeline.sample_site import SAMPLE_TIMEZONE, serve_sample_site

ROOT = Path(__file__).parent.parent
SHARED = ROOT / "../shared/liveblogs"
EXPECTED = json.loads((ROOT / "tests/data/sample_site/expected.json").read_text("utf8"))
FIELDS = {
    "entry_id", "headline", "body", "authors", "published_at", "updated_at", "time_source", "url",
    "is_key_event", "split_by", "is_live_blog",
}  # fmt: skip


def split(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    assert main(["split", *words]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    "path", [path for path, page in EXPECTED["pages"].items() if "entries" in page]
)
def test_the_sample_pages_entry_by_entry(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    page = EXPECTED["pages"][path]
    with serve_sample_site(port=0) as site:
        found = split(
            capsys,
            site.base_url + path,
            "--timezone",
            SAMPLE_TIMEZONE,
            "--allow_private_hosts",
        )
    assert {entry["is_live_blog"] for entry in found} == {page["is_live_blog"]}
    assert all(entry.keys() >= FIELDS for entry in found)
    for entry, wanted in zip(found, page["entries"], strict=True):
        got = {name: entry[name] for name in ("headline", "authors", "published_at")}
        assert got == {name: wanted[name] for name in got}
        assert entry["body"] == "\n\n".join(wanted["paragraphs"])


def test_a_file_with_its_address(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "a.html"
    page.write_text("<title>Fog</title><article><p>" + "Fog lies over the bay. " * 20, "utf8")
    (entry,) = split(capsys, str(page), "--url", "https://lantern-gazette.example/fog")
    assert entry["page_url"] == entry["url"] == "https://lantern-gazette.example/fog"
    assert entry["publisher"] == "lantern-gazette.example"
    assert entry["is_live_blog"] is False


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("missing.html", None, "file_unreadable"),
        ("empty.html", b"", "page_empty"),
        ("binary.html", b"\x89PNG" + bytes(40), "page_binary"),
    ],
)
def test_a_page_that_cannot_be_had_is_one_line_and_exit_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes | None, code: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert main(["split", str(tmp_path / name)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"news-ingest: {code}: ")
    assert said.err.count("\n") == 1


def test_a_stdout_that_is_not_utf8(tmp_path: Path) -> None:
    page = tmp_path / "a.html"
    page.write_text(
        "<html><title>Туман</title><article><h1>Туман</h1>"
        "<p>Вчера над заливом стоял густой туман, и паромы не выходили из гавани.</p>"
        "<p>Сегодня утром ветер разогнал его, и первые паромы ушли к островам.</p></article>",
        "utf8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "split", str(page)],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"},
        check=True,
        capture_output=True,
    )
    assert json.loads(done.stdout.decode("utf8"))["page_title"] == "Туман"


@pytest.mark.skipif(not SHARED.is_dir(), reason="shared/ is not here")
def test_the_seed_document_scores_full_marks(tmp_path: Path) -> None:
    (page,) = SHARED.glob("pages/seed/*.txt")
    target = tmp_path / "out/seed" / f"{page.stem}.jsonl"
    target.parent.mkdir(parents=True)
    command = [sys.executable, "-m", "pipeline", "split", str(page), "--timezone", "Europe/London"]
    lines = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    target.write_text(lines, "utf8")
    assert len(lines.splitlines()) == 10
    reference = tmp_path / "reference/seed"
    reference.mkdir(parents=True)
    for file in SHARED.glob("reference/seed/*"):
        (reference / file.name).symlink_to(file.resolve())
    scorer = [sys.executable, str(SHARED / "score_split.py"), str(tmp_path / "reference")]
    report = subprocess.run(
        [*scorer, str(tmp_path / "out")], check=True, capture_output=True, text=True
    ).stdout
    header, row, _ = report.splitlines()
    scores = dict(zip(header.split()[1:], map(float, row.split()[1:]), strict=True))
    assert scores.pop("body") >= 0.99
    assert set(scores.values()) == {1.0}
