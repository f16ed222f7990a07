"""The README is true: its commands run, its output is real, its tables are complete."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import ClassVar

import duckdb
import pytest

from pipeline.__main__ import main
from pipeline.init import SOURCES
from pipeline.options import parse
from pipeline.sample_site import serve_sample_site
from schemas import dictionary
from schemas.errors import DEAD_LETTER_CODES
from schemas.topics import SLUGS
from transforms.fetch import DEFAULT_USER_AGENT

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf8")


OWN_FEEDS = README.partition("## Your own feeds")[2].partition("\n## ")[0]
THE_REST = README.replace(OWN_FEEDS, "")


def blocks(language: str, text: str = THE_REST) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the README imagines it, with the sample dataset in it."""
    place = tmp_path_factory.mktemp("readme")
    script = place / "run_local.sh"
    root, python = shlex.quote(str(ROOT)), shlex.quote(sys.executable)
    script.write_text(f'#!/bin/sh\nPYTHONPATH={root} exec {python} -P -m pipeline "$@"\n')
    script.chmod(0o755)
    site = files("pipeline.sample_site") / "pages"
    (place / "pages").mkdir()
    for page in site.iterdir():
        if page.name.endswith((".html", ".txt")) and "robots" not in page.name:
            (place / "pages" / page.name).write_bytes(page.read_bytes())
    (place / "s.yaml").write_text(SOURCES, "utf8")
    (copy,) = [page for page in (place / "pages").iterdir() if page.suffix == ".txt"]
    copy.rename(place / "pages/ferry.txt")
    return place


def test_the_first_two_commands_are_the_two_commands() -> None:
    assert blocks("sh")[:2] == ["./run_local.sh\n", "./run_local.sh test\n"]


@pytest.mark.parametrize("command", blocks("sh")[2:])
def test_every_command_runs(command: str, place: Path, sample_output: str) -> None:
    with serve_sample_site(port=0) as site:
        (place / "addresses.txt").write_text(f"# ours\n{site.page_urls[0]}\n", "utf8")
        example = blocks("yaml")[0].replace("https://harbour-post.example", site.base_url)
        (place / "sources.yaml").write_text(example, "utf8")
        if "--urls" in command:
            command = command.strip() + " --allow_private_hosts --delay_s 0"
        if "stream" in command:
            command = command.strip().replace("12h", "1s") + " --allow_private_hosts"
        elif "--sources" in command:  # the sample site has no such feed
            command = command.strip() + " --allow_private_hosts --max_error_ratio 1"
        done = subprocess.run(
            command, shell=True, check=False, cwd=place, capture_output=True, text=True
        )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    assert done.stdout


class Feeds(BaseHTTPRequestHandler):
    """Answers ``/DOMAIN/...`` with a feed of the sample site's pages of that domain."""

    pages: ClassVar[list[str]]

    def do_GET(self) -> None:
        domain = self.path.split("/")[1]
        items = [f"<item><link>{url}</link></item>" for url in self.pages if f"/{domain}/" in url]
        feed = f"<rss version='2.0'><channel><title>x</title>{''.join(items)}</channel></rss>"
        self.send_response(200 if items else 404)
        self.end_headers()
        self.wfile.write(feed.encode())

    def log_message(self, *_: object) -> None: ...


def test_three_feeds_of_ones_own_from_nothing_to_a_report(place: Path) -> None:
    (example,), (init, commands) = blocks("yaml", OWN_FEEDS), blocks("sh", OWN_FEEDS)
    own = place / "own"
    own.mkdir()
    shutil.copy(place / "run_local.sh", own)
    subprocess.run(["sh", "-ec", init], check=True, cwd=own)
    assert (own / "sources.yaml").read_text("utf8") == SOURCES
    with (
        serve_sample_site(port=0) as site,
        ThreadingHTTPServer(("127.0.0.1", 0), Feeds) as server,
    ):
        Feeds.pages = list(site.page_urls)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        local = re.sub(
            r"https://(?=.*example/)", f"http://127.0.0.1:{server.server_port}/", example
        )
        (own / "sources.yaml").write_text(local, "utf8")
        commands = commands.replace(" --sources", " --allow_private_hosts --delay_s 0 --sources")
        done = subprocess.run(
            ["sh", "-ec", commands], check=False, cwd=own, capture_output=True, text=True
        )
        server.shutdown()
    assert done.returncode == 0, done.stderr
    assert re.search(r"^ +live blogs +3$", done.stdout, re.MULTILINE)
    assert done.stdout.endswith("\noutput/mine-report.html\n")
    report = (own / "output/mine-report.html").read_text("utf8")
    assert [domain for domain in re.findall("domain: (.*)", example) if domain not in report] == []


def test_the_picture_is_there_and_light() -> None:
    (picture,) = re.findall(r"!\[[^\]]+\]\((\S+\.png)\)", README)
    assert (ROOT / picture).read_bytes()[:4] == b"\x89PNG"
    assert (ROOT / picture).stat().st_size < 200_000


@pytest.fixture(scope="module")
def sample_output(place: Path) -> str:
    done = subprocess.run(
        ["./run_local.sh", "sample"], cwd=place, check=True, capture_output=True, text=True
    )
    return done.stdout


def test_the_output_is_real(sample_output: str) -> None:
    shown = next(block for block in blocks("text") if block.startswith("Sample site"))
    real = {without_what_varies(line) for line in sample_output.splitlines()}
    missing = [line for line in shown.splitlines() if without_what_varies(line) not in real]
    assert missing == []


def without_what_varies(line: str) -> str:
    line = re.sub(r"0{5}\d-[0-9a-f]{8}", "RUN", line)
    line = re.sub(r"127\.0\.0\.1:\d+", "HOST", line)
    return re.sub(r"\d[\d,]* bytes", "BYTES", line)


@pytest.mark.parametrize(
    "snippet",
    [
        pytest.param(block, marks=[pytest.mark.cluster] if "pyspark" in block else [])
        for block in blocks("python")
    ],
)
def test_the_python_snippets_run(snippet: str, place: Path, sample_output: str) -> None:
    if "airflow" in snippet:  # not among our dependencies: it is at least Python
        compile(snippet, "dag.py", "exec")
        commands = re.findall(r"run_local\.sh ([^\"]*)\"(?:\n\s*\"([^\"]*)\")?", snippet)
        assert [
            parse(
                shlex.split(" ".join(c).replace("/srv/news/sources.yaml", str(place / "s.yaml")))
            ).command
            for c in commands
        ] == ["batch", "check"]
        return
    done = subprocess.run(
        [sys.executable, "-c", snippet], check=False, cwd=place, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("query", blocks("sql"))
def test_the_queries_run(query: str, place: Path, sample_output: str) -> None:
    rows = duckdb.connect().execute(query.replace("output/", f"{place}/output/")).fetchall()
    assert rows


@pytest.mark.parametrize("table", dictionary.tables())
def test_the_columns_are_the_data_dictionary(table: str) -> None:
    wanted = dictionary.markdown(dictionary.tables()[table])
    assert wanted in README, "print it with: python -m schemas.dictionary"


def test_codes_topics_and_options_are_complete() -> None:
    assert [code for code in DEAD_LETTER_CODES if f"`{code}`" not in README] == []
    assert [slug for slug in SLUGS if slug not in README] == []
    assert DEFAULT_USER_AGENT in README
    undocumented = [
        name
        for command in ("batch", "stream")
        for name in vars(parse([command, "--url", "x", "--output", "y"]))
        if name not in {"command", "beam_flags"} and f"--{name}" not in README
    ]
    assert undocumented == []


def test_the_schedule_is_a_command(tmp_path: Path) -> None:
    (line,) = [line for block in blocks("text") for line in block.splitlines() if "*/10" in line]
    words = line.split("run_local.sh ")[1].split()
    assert parse(words).command == "batch"
    assert main([word.replace("/srv/news", str(tmp_path)) for word in words]) == 3


def test_the_units_of_systemd_are_right(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here")
    names = ["news-stream.service", "news-batch.timer", "news-batch.service"]
    (tmp_path / "run_local.sh").write_text("#!/bin/sh\n")
    (tmp_path / "run_local.sh").chmod(0o755)
    (tmp_path / "sources.yaml").write_text(SOURCES, "utf8")
    for name, unit in zip(names, blocks("ini"), strict=True):
        for words in re.findall(r"run_local\.sh (.*)", unit):
            parse(shlex.split(words.replace("/srv/news", str(tmp_path))))
        here = unit.replace("/srv/news-ingest", str(tmp_path)).replace("User=news\n", "")
        (tmp_path / name).write_text(here, "utf8")
    done = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / name) for name in names)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert [line for line in done.stderr.splitlines() if "news-" in line] == []
    assert done.returncode == 0, done.stderr
