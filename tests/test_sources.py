from __future__ import annotations

from pathlib import Path

import pytest

from schemas.records import DeadLetter, PageRequest, Source
from tests.factories import FETCHED_AT
from transforms.sources import expand_source


def expand(source: Source) -> list[PageRequest | DeadLetter]:
    return list(expand_source(source, FETCHED_AT))


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("<p>page</p>", encoding="utf8")


def test_a_file_is_one_request(tmp_path: Path) -> None:
    page = tmp_path / "a.html"
    touch(page)
    assert expand(Source("input", str(page))) == [PageRequest(str(page), f"input:{page}")]


def test_a_pattern_gives_its_files_in_order(tmp_path: Path) -> None:
    touch(tmp_path / "b.html", tmp_path / "a.html", tmp_path / "c.txt", tmp_path / "deep/d.html")
    found = expand(Source("input", f"{tmp_path}/*.html"))
    assert [page.uri for page in found] == [f"{tmp_path}/a.html", f"{tmp_path}/b.html"]
    deep = expand(Source("input", f"{tmp_path}/**.html"))
    assert [page.uri for page in deep][-1] == f"{tmp_path}/deep/d.html"


def test_a_folder_means_all_below_it(tmp_path: Path) -> None:
    touch(tmp_path / "a.html", tmp_path / "deep/b.txt.gz")
    found = expand(Source("input", str(tmp_path)))
    assert [page.uri for page in found] == [f"{tmp_path}/a.html", f"{tmp_path}/deep/b.txt.gz"]


def test_a_file_whose_name_looks_like_a_pattern(tmp_path: Path) -> None:
    page = tmp_path / "day[1].html"
    touch(page)
    assert [found.uri for found in expand(Source("input", str(page)))] == [str(page)]


@pytest.mark.parametrize("name", ["missing.html", "*.nothing", "no/such/folder/*.html"])
def test_a_path_that_leads_nowhere_is_one_dead_letter(tmp_path: Path, name: str) -> None:
    (found,) = expand(Source("input", f"{tmp_path}/{name}"))
    assert isinstance(found, DeadLetter)
    assert (found.code, found.stage) == ("input_not_found", "sources")
    assert found.uri == f"{tmp_path}/{name}"


def test_a_list_of_addresses(tmp_path: Path) -> None:
    addresses = tmp_path / "list.txt"
    addresses.write_text(
        "\ufeff# ours\n\nhttps://a.example/1\n  http://b.example/2  \nnot an address\n", "utf8"
    )
    first, second, bad = expand(Source("urls", str(addresses)))
    assert first == PageRequest("https://a.example/1", f"urls:{addresses}")
    assert second == PageRequest("http://b.example/2", f"urls:{addresses}")
    assert isinstance(bad, DeadLetter)
    assert (bad.code, bad.uri) == ("url_invalid", "not an address")


def test_a_list_that_cannot_be_read(tmp_path: Path) -> None:
    latin = tmp_path / "latin.txt"
    latin.write_bytes(b"https://caf\xe9.example/")
    for path in (latin, tmp_path / "missing.txt"):
        (found,) = expand(Source("urls", str(path)))
        assert isinstance(found, DeadLetter)
        assert found.code == "url_list_unreadable"


@pytest.mark.parametrize(
    "url", ["ftp://a.example/", "a.example/1", "http://", "http://[::1", "https://a.example/a b"]
)
def test_only_http_addresses(url: str) -> None:
    (found,) = expand(Source("url", url))
    assert isinstance(found, DeadLetter)
    assert (found.code, found.uri) == ("url_invalid", url)
