"""What would be fetched is said, dead letters are asked for again, and a sources.yaml is begun."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline import options
from pipeline.__main__ import main
from pipeline.init import SOURCES
from pipeline.replay import request_again
from schemas.records import PageRequest
from tests.live_site import ARTICLE, LiveSite, serve_live_site
from transforms.publishers import load_publishers


@pytest.fixture
def site() -> Iterator[LiveSite]:
    with serve_live_site() as site:
        yield site


def batch(dataset: Path, *words: str) -> int:
    common = ["--output", str(dataset), "--allow_private_hosts", "--delay_s", "0"]
    return main(["batch", *common, "--retries", "0", *words])


def test_dead_letters_are_asked_for_again_and_a_dry_run_says_so(
    site: LiveSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset, written = tmp_path / "set", tmp_path / "run.json"
    base = site.base_url
    site.pages["/report"] = ARTICLE.format(name="1")
    site.pages["/feed"] = site.feed("/report", "/late")
    words = ["--feed", f"{base}/feed", "--feed", f"{base}/news.rss", "--url", "nonsense"]
    assert batch(dataset, *words, "--max_error_ratio", "1", "--summary_json", str(written)) == 0
    manifest: dict[str, Any] = json.loads(written.read_text("utf8"))
    assert manifest == json.loads((dataset / f"_runs/{manifest['run_id']}.json").read_text("utf8"))
    asked, stored = len(site.asked), sorted(dataset.rglob("*"))
    capsys.readouterr()

    dry = ["--dry_run", "--retry_dead_letters", "--url", f"{base}/report", "--url", "nonsense"]
    assert batch(dataset, *dry, "--url", f"{base}/report#top", "--feed", f"{base}/feed") == 0
    *lines, last = capsys.readouterr().out.splitlines()
    fetched_at = lines[0].rpartition(" ")[2]
    assert lines == [
        f"page     {base}/report  by url:{base}/report, only if it changed since {fetched_at}",
        "lost     nonsense  url_invalid: nonsense is no http(s) address",
        f"page     {base}/report#top  by url:{base}/report#top, named twice: fetched once",
        f"feed     {base}/feed  by feed:{base}/feed",
        f"page     {base}/late  failed with http_404, new",
        f"feed     {base}/news.rss  failed with http_404",
    ]
    assert last.startswith(
        "A run would begin with: 1 dead letters whose source must be read anew, "
    )
    assert last.endswith("2 feeds, 1 lost, 1 named twice, 2 pages. Nothing was fetched or written.")
    assert (len(site.asked), sorted(dataset.rglob("*"))) == (asked, stored)

    site.pages["/late"] = ARTICLE.format(name="3")
    site.pages["/news.rss"] = site.feed("/report2")
    site.pages["/report2"] = ARTICLE.format(name="2")
    assert batch(dataset, "--retry_dead_letters", "--summary_json", str(written)) == 0
    manifest = json.loads(written.read_text("utf8"))
    assert (manifest["retried"], manifest["counts"]["new_entries"]) == (2, 2)
    capsys.readouterr()
    assert batch(dataset, "--retry_dead_letters", "--dry_run") == 0
    assert f"{base}/late" not in capsys.readouterr().out


def test_a_dry_run_says_which_addresses_will_be_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "a.html"
    page.write_text("<p>words</p>", "utf8")
    private = ["http://127.0.0.1:9/a", "http://2130706433/b", "http://[::1]/c"]
    words = [*(f"--url={url}" for url in private), "--url=https://a.example/d"]
    main(["batch", "--dry_run", f"--output={tmp_path / 'set'}", f"--input={page}", *words])
    said = capsys.readouterr().out
    assert said.count("refused: no public address") == len(private)
    assert "1 files, 1 pages, 3 refused" in said


def test_a_dry_run_over_files_needs_no_dataset(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.html").write_text("<p>x</p>")
    words = ["--input", str(tmp_path), "--warc", "x.warc", "--dry_run"]
    assert batch(tmp_path / "set", *words) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"file     {tmp_path}/a.html  by input:{tmp_path}",
        "archive  x.warc  its pages",
        "A run would begin with: 1 archives, 1 files. Nothing was fetched or written.",
    ]
    assert not (tmp_path / "set").exists()
    assert batch(tmp_path / "set", "--retry_dead_letters", "--dry_run") == 2
    assert batch(tmp_path / "set", "--colour", *words) == 2


@pytest.mark.parametrize(
    ("uri", "source", "role"),
    [
        ("https://a.example/rss", "feed:https://a.example/rss", "feed"),
        ("https://a.example/1", "feed:https://a.example/rss", "page"),
        ("https://a.example/s", "sitemap:https://a.example/s", "sitemap"),
        ("https://a.example/may.xml.gz", "sitemap:https://a.example/s", "sitemap"),
        ("https://a.example/1", "sitemap:https://a.example/s", "page"),
        ("pages/a.html", "input:pages", "page"),
    ],
)
def test_what_a_dead_letter_came_from(uri: str, source: str, role: str) -> None:
    assert request_again(uri, source) == PageRequest(uri, source, role=role)  # type: ignore[arg-type]


def test_a_summary_needs_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in (tmp_path, tmp_path / "no/run.json"):
        assert batch(tmp_path / "set", "--url", "x", "--summary_json", str(file)) == 2
        assert "--summary_json" in capsys.readouterr().err


def test_init_writes_what_batch_understands_and_overwrites_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    (command,) = [line for line in capsys.readouterr().out.splitlines() if "news-ingest" in line]
    assert main(shlex.split(command)[1:]) == 0
    assert "feed     https://news.example/rss" in capsys.readouterr().out
    assert main(["init"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert Path("sources.yaml").read_text("utf8") == SOURCES


def test_what_init_only_suggests_is_right_too() -> None:
    lines = SOURCES.partition("publishers:")[2].splitlines()
    lines = [line.replace("# ", "", 1) if ":" in line.partition("# ")[2].split("  ")[0]
             or line.lstrip().startswith("#   ") else line for line in lines]  # fmt: skip
    one, two = load_publishers("publishers:\n" + "\n".join(lines), "sources.yaml")
    assert (one.timezone, one.language, one.delay_s) == ("Europe/London", "en-GB", 2)
    assert (len(one.sitemaps), len(one.urls), one.topic, len(one.topics)) == (1, 1, "sport", 2)
    assert two.domain == "another.example"


@pytest.mark.parametrize(
    "line", [line.strip() for lines in options._EXAMPLES.values() for line in lines.splitlines()[1:]]
)  # fmt: skip
def test_the_examples_of_the_help_are_understood(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sources.yaml").write_text(SOURCES, "utf8")
    Path("publishers").mkdir()
    name, *words = shlex.split(line)
    assert name == "news-ingest"
    assert options.parse(words).command == words[0]


def test_every_command_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for command in options._EXAMPLES:
        with pytest.raises(SystemExit):
            main([command, "--help"])
        assert f"examples:\n  news-ingest {command}" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    listed = shown.partition("COMMAND\n")[2].partition("\n\n")[0]
    assert {line.split()[0] for line in listed.splitlines() if line.startswith("    ") and line[4] != " "} == set(options._EXAMPLES)  # fmt: skip


def test_version_and_completion(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert (caught.value.code, capsys.readouterr().out) == (0, "news-ingest 0.1.0\n")
    with pytest.raises(SystemExit):
        main(["--print_completion", "bash"])
    script = capsys.readouterr().out
    assert "--max_runtime" in script
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_the_log_level_is_heeded(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<p>x</p>")
    words = ["batch", "--input", "a.html", "--output", "set", "--dry_run", "--log_level"]
    assert main([*words, "loud"]) == 2
    code = "import logging, sys; from pipeline.__main__ import main; main(sys.argv[1:])"
    code += "; print(logging.getLogger().level)"
    command = [sys.executable, "-c", code, *words, "debug"]
    root = Path(__file__).parent.parent
    done = subprocess.run(
        command, cwd=tmp_path, check=True, capture_output=True, text=True,
        env={"PYTHONPATH": str(root), "PATH": ""},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "10"
