"""Manifests and intents: what others rely on is checked before a file is moved or deleted."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import DatasetError, UsageError
from transforms.commit import claim, committed_run_ids, recover
from transforms.manifests import check_run

RUN = "000001-abcdef01"
FILE = {"final": "entries/date=2026-05-12/topic=sport/part-1.parquet", "sha256": "0a", "rows": 1}
MANIFEST = {"run_id": RUN, "files": [FILE], "counts": {"pages": 1}}
INTENT = {"manifest": {"run_id": RUN}, "files": [{**FILE, "staged": f"_staging/{RUN}/x.chunk"}]}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(RUN),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["manifest", "run_id", "files", "final", "staged", "sha256", "removed"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("run", [MANIFEST, INTENT, {**MANIFEST, "removed": [FILE["final"]]}])
def test_what_we_write_is_fine(run: dict[str, Any]) -> None:
    assert check_run(run, RUN, is_intent="manifest" in run) == run


@pytest.mark.parametrize(
    "run",
    [
        None, [], "x", {}, {"run_id": RUN}, {"run_id": RUN, "files": None},
        {**MANIFEST, "run_id": "000002-abcdef01"}, {"manifest": 7, "files": []},
        {**MANIFEST, "files": ["entries/x.parquet"]}, {**MANIFEST, "files": [{}]},
        {**MANIFEST, "removed": "entries"}, {**MANIFEST, "removed": [None]},
        {**INTENT, "files": [FILE]}, {**MANIFEST, **INTENT, "files": [FILE]},
    ],
)  # fmt: skip
def test_what_is_damaged(run: Any) -> None:
    with pytest.raises(ValueError, match=r"it (does not say|has no list|names)"):
        check_run(run, RUN, is_intent=isinstance(run, dict) and "manifest" in run)


def test_a_manifest_is_no_intent() -> None:
    with pytest.raises(ValueError, match="does not say"):
        check_run(MANIFEST, RUN, is_intent=True)
    with pytest.raises(ValueError, match="does not say"):
        check_run(INTENT, RUN)


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../other/x", "entries/../../x", "", "a//b", "a\\b", "a\nb", "C:x", "~/x y"],
)
def test_no_path_leaves_the_dataset(path: str, tmp_path: Path) -> None:
    for run in (
        {**MANIFEST, "files": [{**FILE, "final": path}]},
        {**MANIFEST, "removed": [path]},
        {**INTENT, "files": [{**FILE, "staged": path}]},
    ):
        with pytest.raises(ValueError, match="no path below"):
            check_run(run, RUN, is_intent="manifest" in run)
    beside = tmp_path / "beside"
    beside.write_text("mine")
    dataset = tmp_path / "dataset"
    intent = {"manifest": {"run_id": RUN, "removed": ["../beside"]}, "files": []}
    (dataset / "_runs").mkdir(parents=True)
    (dataset / f"_runs/{RUN}.intent.json").write_text(json.dumps(intent))
    with pytest.raises(DatasetError, match="no path below"):
        recover(str(dataset))
    assert beside.read_text() == "mine"


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([".json", ".intent.json"]), JSON.map(json.dumps) | st.text(max_size=40))
def test_hostile_files_give_the_typed_error_or_a_run(
    tmp_path_factory: pytest.TempPathFactory, ending: str, text: str
) -> None:
    dataset = tmp_path_factory.mktemp("dataset")
    (dataset / "_runs").mkdir()
    (dataset / f"_runs/{RUN}{ending}").write_text(text, encoding="utf-8", errors="replace")
    with contextlib.suppress(DatasetError, UsageError):
        claim(str(dataset))
        recover(str(dataset))
    assert committed_run_ids(str(dataset)) in ([], [RUN])
