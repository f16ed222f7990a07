from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipeline.__main__ import main
from pipeline.options import LOCAL_RUNNER, fetch_limits, parse
from pipeline.runners import to_beam_options
from schemas.errors import UsageError

BATCH = ["batch", "--url", "https://a.example/", "--output", "out"]


def test_the_defaults_of_batch() -> None:
    options = parse([*BATCH, "--input", "a", "--input", "b"])
    assert (options.runner, options.max_error_ratio, options.timezone) == (LOCAL_RUNNER, 0.5, None)
    assert (options.input, options.url, options.beam_flags) == (
        ["a", "b"],
        ["https://a.example/"],
        [],
    )
    limits = fetch_limits(options)
    assert (limits.timeout_s, limits.page_bytes_max) == (30.0, 16 * 1024 * 1024)
    assert not limits.allow_private_hosts


def test_a_folder_as_an_address() -> None:
    for output in ("/a/b", "/a/b/", "file:///a/b", "file://localhost/a/b/"):
        assert parse(["batch", "--url", "x", "--output", output]).output == "/a/b"


def test_what_only_beam_may_know_is_kept_for_it() -> None:
    options = parse([*BATCH, "--runner=FlinkRunner", "--flink_master", "localhost:8081"])
    assert options.runner == "FlinkRunner"
    assert options.beam_flags == ["--flink_master", "localhost:8081"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["COMMAND"]),
        (["bake"], ["bake", "batch"]),
        (["batch", "--output", "out"], ["no input", "--input"]),
        (["batch", "--url", "https://a.example/"], ["--output"]),
        ([*BATCH, "--timezone", "Mars/Base"], ["--timezone", "Mars/Base", "Europe/London"]),
        ([*BATCH, "--timezone", "../../etc/passwd"], ["--timezone"]),
        ([*BATCH, "--max_error_ratio", "2"], ["--max_error_ratio", "between 0 and 1"]),
        ([*BATCH, "--max_error_ratio", "half"], ["--max_error_ratio", "not a number"]),
        ([*BATCH, "--timeout_s", "0"], ["--timeout_s", "between 0.001 and 3,600"]),
        ([*BATCH, "--timeout_s", "nan"], ["--timeout_s", "between 0.001 and 3,600"]),
        ([*BATCH, "--max_page_bytes", "-1"], ["--max_page_bytes"]),
        (["batch", "--url", "x", "--output", "a*b"], ["--output", "pattern"]),
        *(
            (["batch", "--url", "x", "--output", output], ["--output", "names no folder"])
            for output in ("", " ", "/", "///", "gs://", "file:///")
        ),
        ([*BATCH, "--timeout_s", "1e300"], ["--timeout_s", "between 0.001 and 3,600"]),
        ([*BATCH, "--max_page_bytes", "9" * 30], ["--max_page_bytes", "between 1 and 1,073,741"]),
        ([*BATCH, "--max_page_bytes", "9" * 5000], ["--max_page_bytes", "between 1 and"]),
        ([*BATCH, "--delay_s", "1e9"], ["--delay_s", "between 0 and 60"]),
        ([*BATCH, "--retries", "99999"], ["--retries", "between 0 and 10"]),
        ([*BATCH, "--user_agent", "ferry \u0161"], ["--user_agent", "Latin-1"]),
        ([*BATCH, "--user_agent", "a\r\nX-Mine: b"], ["--user_agent", "one line"]),
        ([*BATCH, "--user_agent", ""], ["--user_agent", "one line"]),
        ([*BATCH, "--", "words"], ["'--'"]),
        ([*BATCH, "--"], ["'--'"]),
        (["split", "a.html", "--url", "http://["], ["--url", "http(s)"]),
        (["split", "a.html", "--url", "notaurl"], ["--url", "http(s)"]),
        (["split", "http://["], ["PAGE", "http(s)"]),
        (["split", "http://ada:pass@a.example/"], ["PAGE", "password"]),
        (["split"], ["PAGE"]),
        (["split", "page.html", "--colour"], ["unknown option --colour"]),
        (["split", "a.html", "b.html"], ["b.html"]),
        (["sample", "--url", "x"], ["unknown option --url"]),
    ],
)
def test_wrong_usage_names_the_option_and_the_remedy(
    arguments: list[str], words: list[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        parse(arguments)
    message = str(caught.value)
    assert "\n" not in message
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize(
    "extra",
    [["--colour"], ["--colour=red"], ["stray"], ["--direct_num_workers", "many"],
     ["--runner", "NoSuchRunner"], ["--runner", "os.path"], ["--runner", "os.getcwd"],
     ["--runner", "apache_beam.Pipeline"], ["--pickle_library=dill"], ["--", "stray"]],
)  # fmt: skip
def test_what_neither_we_nor_beam_know_is_one_line_and_exit_2(
    extra: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "set"
    assert main(["batch", "--url", "https://a.example/", "--output", str(output), *extra]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("news-ingest: ")
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert extra[0].partition("=")[0].strip("-") in said.err or extra[-1] in said.err
    assert not output.exists()


def test_an_output_that_is_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "set"
    file.write_text("mine")
    assert main(["batch", "--url", "https://a.example/", "--output", str(file)]) == 2
    said = capsys.readouterr().err
    assert "--output" in said
    assert "is a file" in said
    assert said.count("\n") == 1
    assert file.read_text() == "mine"


@pytest.mark.parametrize(("runner", "told"), [("FlinkRunner", True), ("PrismRunner", False)])
def test_flink_is_told_to_finish_bundles_before_a_checkpoint(runner: str, told: bool) -> None:
    for words in ([], ["--finish_bundle_before_checkpointing"] * told):
        options = to_beam_options(runner, words).get_all_options(retain_unknown_options=True)
        assert ("finish_bundle_before_checkpointing" in options) == told


@pytest.mark.parametrize(
    "extra", [["PortableRunner"], ["FlinkRunner"], ["apache_beam.runners.portability.portable_runner.PortableRunner"]]
)  # fmt: skip
def test_a_job_endpoint_where_nobody_answers(
    extra: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "set"
    words = ["--output", str(output), "--job_endpoint", "127.0.0.1:9", "--runner", *extra]
    assert main(["batch", "--url", "https://a.example/", *words]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("news-ingest: --job_endpoint 127.0.0.1:9: ")
    assert (said.err.count("\n"), said.out) == (1, "")
    assert not output.exists()


@pytest.mark.parametrize("output", ["mine", "mine/notes.txt/set", "s3://bucket/set", "ftp://a/b"])
def test_an_output_that_cannot_be_a_dataset(
    output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine/_staging").mkdir(parents=True)
    for name in ("notes.txt", "_staging/draft.txt"):
        (tmp_path / "mine" / name).write_text("mine")
    assert main(["batch", "--url", "https://a.example/", "--output", output]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"news-ingest: --output {output}: ")
    assert (said.err.count("\n"), said.out) == (1, "")
    left = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["draft.txt", "notes.txt"]


@pytest.mark.parametrize("command", [[], ["batch"], ["stream"], ["split"], ["sample"]])
def test_help(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])
    assert caught.value.code == 0
    assert "usage: news-ingest" in capsys.readouterr().out


def test_workers_cannot_be_processes_of_an_interpreter_with_a_space(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", "/my programs/python")
    words = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    command = ["batch", "--url", "https://a.example/", "--output", str(tmp_path / "set"), *words]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "/my programs/python" in said
