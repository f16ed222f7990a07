"""The lock, reviewed: exact versions from the index only, within the tested ranges.

No advisory service is asked here: ``pip-audit -r .ci/constraints.txt --no-deps
--disable-pip`` does that wherever one can be reached.
"""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]
DIRECT = [Requirement(line) for line in PROJECT["dependencies"]]
EXTRAS = [
    Requirement(line) for lines in PROJECT["optional-dependencies"].values() for line in lines
]
LINES = (ROOT / ".ci/constraints.txt").read_text("utf8").splitlines()
LOCKED = {canonicalize_name(line.partition("==")[0]): line for line in LINES}

BROUGHT_BY_OTHERS = {"google-cloud-storage", "grpcio", "markupsafe", "numpy", "urllib3"}
"""Used as Beam, Jinja, pyarrow and requests hand them out, in the versions that those choose."""


@pytest.mark.parametrize("line", LINES)
def test_a_lock_line_is_an_exact_version_and_nothing_else(line: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*==[0-9][A-Za-z0-9.!+]*( ; .+)?", line)
    assert Requirement(line).url is None


@pytest.mark.parametrize("wanted", DIRECT + EXTRAS, ids=lambda wanted: wanted.name)
def test_what_is_asked_for_is_locked_within_its_range(wanted: Requirement) -> None:
    assert wanted.url is None
    (locked,) = Requirement(LOCKED[canonicalize_name(wanted.name)]).specifier
    assert wanted.specifier.contains(locked.version)
    assert any(one.operator == ">=" for one in wanted.specifier)


def test_what_is_imported_is_asked_for() -> None:
    names = metadata.packages_distributions()
    asked = {canonicalize_name(wanted.name) for wanted in DIRECT + EXTRAS}
    used = set()
    for package in ("schemas", "transforms", "pipeline"):
        for path in (ROOT / package).rglob("*.py"):
            found = re.findall(
                r"^\s*(?:from|import) ([a-z_]\w*)", path.read_text("utf8"), re.MULTILINE
            )
            used |= {canonicalize_name(one) for name in found for one in names.get(name, ())[:1]}
    assert used - asked - {"news-ingest"} <= BROUGHT_BY_OTHERS


def test_versions_are_versions() -> None:
    for line in LINES:
        (locked,) = Requirement(line).specifier
        assert not Version(locked.version).is_prerelease
