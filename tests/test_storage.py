from __future__ import annotations

from pathlib import Path

import pytest

from transforms import storage


def test_paths_below_a_root() -> None:
    assert storage.join("a/b", "c", "d") == "a/b/c/d"
    assert storage.join("a/b/", "c") == "a/b/c"
    assert storage.join("gs://bucket/set", "_runs/1.json") == "gs://bucket/set/_runs/1.json"
    assert storage.join("a/b") == "a/b"


def test_json_is_seen_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "new" / "a.json")
    storage.write_json(path, {"é": 1})
    assert storage.read_json(path) == {"é": 1}
    monkeypatch.setattr(storage, "move", lambda *_: None)
    storage.write_json(path, {"é": 2})
    assert storage.read_json(path) == {"é": 1}


def test_moving_makes_folders_and_replaces(tmp_path: Path) -> None:
    for text in ("one", "two"):
        (tmp_path / "a").write_text(text)
        storage.move(str(tmp_path / "a"), str(tmp_path / "deep/er/b"))
    assert (tmp_path / "deep/er/b").read_text() == "two"
    assert not (tmp_path / "a").exists()


def test_deleting_what_is_not_there_is_fine(tmp_path: Path) -> None:
    storage.delete([str(tmp_path / "nothing")])
    storage.delete_tree(str(tmp_path / "nothing"))
    (tmp_path / "full/deep").mkdir(parents=True)
    (tmp_path / "full/deep/file").write_text("x")
    storage.delete_tree(str(tmp_path / "full"))
    assert list(tmp_path.iterdir()) == []


def test_files_are_listed_in_order(tmp_path: Path) -> None:
    for name in ("b.json", "a.json", "c.txt", "deep/d.json"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}")
    assert storage.files_below(str(tmp_path), "*.json") == [
        f"{tmp_path}/{name}" for name in ("a.json", "b.json")
    ]
    assert f"{tmp_path}/deep/d.json" in storage.files_below(str(tmp_path), "**")
    assert storage.files_below(str(tmp_path / "missing"), "**") == []


def test_gzip_names_are_read_as_they_are(tmp_path: Path) -> None:
    path = str(tmp_path / "a.json.gz")
    with storage.open_write(path) as file:
        file.write(b"plain")
    with storage.open_read(path) as file:
        assert file.read() == b"plain"
