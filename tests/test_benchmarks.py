"""The benchmarks run; what they measure is nobody's to assert here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["benchmarks.fetch", "--pages", "60", "--hosts", "6", "--latency_s", "0"], "shortest gap"),
        (["benchmarks.stream", "--cycles", "2", "--blogs", "1", "--entries", "5"], "resident MB"),
        (["benchmarks.split", "pipeline/sample_site/pages", "--rounds", "1"], "ms an entry"),
        (["benchmarks.topics", "--language", "fr", "--rounds", "1"], "pages/s"),
        (["benchmarks.corpus", "CORPUS", "--pages", "40"], "live_blog"),
        (["benchmarks.write", "--rows", "10000", "--partitions", "30"], "write_dataset"),
        (["benchmarks.end_to_end", "--pages", "40"], "; 0 that nobody made"),
        (
            [
                "benchmarks.dedup",
                "--sign",
                "40",
                "--run",
                "0",
                "--curve",
                "0",
                "--new",
                "60",
                "--indexed",
                "70",
            ],
            "60 entries against 70 known",
        ),
        (["benchmarks.soak", "partitions"], "partitions"),
        (["benchmarks.peers", "near", "--texts", "9", "--offline"], "rensa"),
    ],
)
def test_a_benchmark_runs(words: list[str], shown: str, tmp_path: Path) -> None:
    words = [str(tmp_path) if word == "CORPUS" else word for word in words]
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout
