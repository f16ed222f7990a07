"""A whole run on a filesystem that cannot rename: it copies, verifies and deletes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from apache_beam.io.filesystem import BeamIOError, CompressionTypes, FileMetadata, FileSystem
from apache_beam.io.filesystems import FileSystems

from pipeline.__main__ import main
from transforms import storage
from transforms.commit import StagedFile, commit_run, read_manifests, recover, sha256_of
from transforms.manifests import committed_files

ROOT = Path("/nowhere")
"""Where flat:// is kept; each test sets its own."""

CUT = ""
"""A copy to a name that holds this stops half-way, as if the process had been killed."""


class Killed(BaseException):
    """Stands for SIGKILL: nobody catches it."""


class FlatFileSystem(FileSystem):
    """Objects by name, as on an object store: no folders, no renaming."""

    @classmethod
    def scheme(cls) -> str:
        return "flat"

    def join(self, basepath: str, *paths: str) -> str:
        return "/".join([basepath, *paths])

    def split(self, path: str) -> tuple[str, str]:
        head, _, tail = path.rpartition("/")
        return head, tail

    def has_dirs(self) -> bool:
        return False

    def mkdirs(self, path: str) -> None:
        pass

    def _list(self, dir_or_prefix: str) -> Any:
        for name in sorted(path.name for path in ROOT.iterdir()):
            address = "flat://" + name.replace("%", "/")
            if address.startswith(dir_or_prefix):
                size = (ROOT / name).stat().st_size
                yield FileMetadata(address, size)

    def create(
        self, path: str, mime_type: str = "", compression_type: Any = CompressionTypes.AUTO
    ) -> Any:
        return here(path).open("wb")

    def open(
        self, path: str, mime_type: str = "", compression_type: Any = CompressionTypes.AUTO
    ) -> Any:
        return here(path).open("rb")

    def copy(self, source_file_names: list[str], destination_file_names: list[str]) -> None:
        for source, target in zip(source_file_names, destination_file_names, strict=True):
            content = here(source).read_bytes()
            if CUT and CUT in target:
                here(target).write_bytes(content[: len(content) // 2])
                raise Killed
            here(target).write_bytes(content)

    def rename(self, source_file_names: list[str], destination_file_names: list[str]) -> None:
        raise BeamIOError("there is no renaming here")

    def exists(self, path: str) -> bool:
        return here(path).exists()

    def size(self, path: str) -> int:
        return here(path).stat().st_size

    def last_updated(self, path: str) -> float:
        return here(path).stat().st_mtime

    def checksum(self, path: str) -> str:
        return str(self.size(path))

    def metadata(self, path: str) -> FileMetadata:
        return FileMetadata(path, self.size(path))

    def delete(self, paths: list[str]) -> None:
        for path in paths:
            here(path).unlink()


def here(path: str) -> Path:
    return ROOT / path.removeprefix("flat://").replace("/", "%")


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "objects").mkdir()
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path / "objects")
    (tmp_path / "pages").mkdir()
    for n in range(3):
        text = f"<html lang=en><title>Ferry {n}</title><p>The ferry number {n} runs again at noon."
        (tmp_path / f"pages/{n}.html").write_text(text + " It had been out for a week.</p>")
    return tmp_path / "pages"


def batch(pages: Path, *words: str) -> int:
    return main(["batch", "--input", str(pages), "--output", "flat://set", *words])


def names() -> list[str]:
    return sorted(path.name.replace("%", "/") for path in ROOT.iterdir())


def test_a_whole_run_its_repetition_and_a_compaction(
    pages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert batch(pages) == 2
    assert "cannot be locked there" in capsys.readouterr().err
    assert names() == []
    assert batch(pages, "--sole_writer") == 0
    first = names()
    assert sum("/entries/date=" in name and "_index" not in name for name in first) == 1
    assert not [name for name in first if "_staging" in name or ".tmp" in name or "intent" in name]
    assert batch(pages, "--sole_writer") == 0
    assert [name for name in names() if name not in first] == [
        name for name in names() if name.startswith("set/_runs/000002-")
    ]
    (pages / "0.html").write_text((pages / "0.html").read_text().replace("noon", "dawn"))
    assert batch(pages, "--sole_writer") == 0
    assert main(["compact", "flat://set", "--sole_writer"]) == 0
    assert main(["check", "flat://set"]) == 0
    assert main(["check", "flat://set", "--repair", "--sole_writer"]) == 0
    tables = [file["table"] for file in committed_files(read_manifests("flat://set")).values()]
    assert sorted(set(tables)) >= ["entries", "known_entries"]


@pytest.mark.parametrize("cut", [".parquet", "intent.json", "abcdef01.json"])
def test_killed_half_way_through_a_copy(
    pages: Path, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    run_id = "000001-abcdef01"
    final = f"entries/date=2026-05-12/topic=sport/part-{run_id}-00000.parquet"
    staged = f"_staging/{run_id}/one.file"
    with storage.open_write(f"flat://set/{staged}") as file:
        file.write(b"rows")
    sha256, size_bytes = sha256_of(f"flat://set/{staged}")
    files = [StagedFile("entries", staged, final, 1, size_bytes, sha256)]
    with monkeypatch.context() as patch:
        patch.setattr(f"{__name__}.CUT", cut)
        with pytest.raises(Killed):
            commit_run("flat://set", {"run_id": run_id}, files)
    assert f"set/_runs/{run_id}.intent.json" in names()
    assert recover("flat://set") == [run_id]
    assert names() == [f"set/_runs/{run_id}.json", f"set/{final}"]
    assert here(f"flat://set/{final}").read_bytes() == b"rows"
    (manifest,) = read_manifests("flat://set")
    assert [one["final"] for one in manifest["files"]] == [final]


def test_a_copy_that_came_out_wrong_is_said_and_kept(
    pages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = cast("Any", FlatFileSystem)
    here("flat://a").write_bytes(b"whole")
    monkeypatch.setattr(system, "copy", lambda *_: here("flat://b").write_bytes(b"hal"))
    with pytest.raises(OSError, match="is not what was copied"):
        storage.move("flat://a", "flat://b")
    assert here("flat://a").read_bytes() == b"whole"
    assert FileSystems.exists("flat://a")
