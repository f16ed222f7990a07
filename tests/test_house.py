"""The house: imports go one way, and stage modules stand alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ORDER = ["schemas", "transforms", "pipeline"]
HELPERS = {
    "addresses",
    "markup",
    "outcomes",
    "counters",
    "storage",
    "commit",
    "index",
    "lock",
    "manifests",
    "tables",
    "topic_aliases",
    "transport",
}
BELOW = {
    "visit": {"fetch", "robots"},
    "crawl": {"visit", "fetch", "robots", "feeds", "sitemaps", "older", "extract", "liveblog"},
    "topics": {"topic_text", "topic_model"},
    "topic_model": {"topic_text"},
    "reindex": {"dedup", "write"},
    "stages": {"extract", "liveblog", "topics"},
}
"""Stages that are built on others, and on which."""


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("package", ORDER)
def test_imports_go_one_way(package: str) -> None:
    later = ORDER[ORDER.index(package) + 1 :]
    for path in (ROOT / package).rglob("*.py"):
        wrong = {name for name in imported(path) if name.split(".")[0] in later}
        assert not wrong, f"{path.name} imports {wrong}"


def test_schemas_know_only_the_standard_library_and_pyarrow() -> None:
    allowed = set(sys.stdlib_module_names) | {"pyarrow", "schemas"}
    for path in (ROOT / "schemas").glob("*.py"):
        assert {name.split(".")[0] for name in imported(path)} <= allowed, path.name


def test_stage_modules_do_not_import_one_another() -> None:
    for path in (ROOT / "transforms").rglob("*.py"):
        own = path.relative_to(ROOT / "transforms").parts[0].removesuffix(".py")
        allowed = HELPERS | {own} | BELOW.get(own, set())
        stages = {
            name.split(".")[1]
            for name in imported(path)
            if name.startswith("transforms.") and name != "transforms.storage"
        }
        assert stages <= allowed, f"{own} imports {stages - allowed}"


@pytest.mark.parametrize("module", ["schemas.arrow", "pipeline.options", "pipeline.split"])
def test_split_and_what_it_needs_do_without_beam(module: str) -> None:
    check = f"import sys, {module}; sys.exit('apache_beam' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=True)
