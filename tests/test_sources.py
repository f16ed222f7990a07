from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from schemas.records import DeadLetter, PageRequest, Source
from tests.factories import FETCHED_AT
from transforms.sources import Count, expand_source


def expand(source: Source) -> list[PageRequest | DeadLetter]:
    return [found for found in everything(source) if not isinstance(found, Count)]


def everything(source: Source) -> list[PageRequest | DeadLetter | Count]:
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


def test_patterns_and_names_are_meant_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "b.html", tmp_path / "a.html", tmp_path / "deep/c.html")
    monkeypatch.chdir(tmp_path)
    for pattern, uris in {
        "*.html": ["a.html", "b.html"],
        "./*.html": ["./a.html", "./b.html"],
        "**.html": ["a.html", "b.html", "deep/c.html"],
        "deep/*": ["deep/c.html"],
        "a.html": ["a.html"],
        "deep": ["deep/c.html"],
        ".": ["./a.html", "./b.html", "./deep/c.html"],
    }.items():
        assert [page.uri for page in expand(Source("input", pattern))] == uris, pattern


def test_a_folder_whose_name_looks_like_a_pattern(tmp_path: Path) -> None:
    touch(tmp_path / "br[1]/a.html", tmp_path / "br1/b.html")
    folder = tmp_path / "br[1]"
    assert [page.uri for page in expand(Source("input", str(folder)))] == [f"{folder}/a.html"]


def test_a_folder_gives_its_pages_and_counts_the_rest(tmp_path: Path) -> None:
    pages = ["a.html", "b.HTM.gz", "c.txt", "deep/d.html"]
    others = ["e.jpg", "notes.gz", ".f.html", ".git/g.txt", ".html"]
    touch(*(tmp_path / name for name in pages + others))
    found = everything(Source("input", f"{tmp_path}/"))
    assert found[-1] == Count("files_ignored", 5)
    assert [page.uri for page in found[:-1] if isinstance(page, PageRequest)] == [
        f"{tmp_path}/{name}" for name in pages
    ]
    for name in others:
        assert everything(Source("input", f"{tmp_path}/{name}")) == [
            PageRequest(f"{tmp_path}/{name}", f"input:{tmp_path}/{name}")
        ]


@pytest.mark.parametrize("names", [[], ["a.jpg"]])
def test_a_folder_without_pages(tmp_path: Path, names: list[str]) -> None:
    touch(*(tmp_path / name for name in names))
    (found,) = expand(Source("input", str(tmp_path)))
    assert isinstance(found, DeadLetter)
    assert found.code == "input_not_found"


def test_an_empty_name_is_not_the_current_folder() -> None:
    (found,) = expand(Source("input", ""))
    assert isinstance(found, DeadLetter)
    assert found.code == "input_not_found"


def test_a_broken_link_is_asked_for_as_any_file(tmp_path: Path) -> None:
    (tmp_path / "gone.html").symlink_to(tmp_path / "nowhere")
    touch(tmp_path / "here.html")
    for pattern in (f"{tmp_path}/*.html", str(tmp_path)):
        found = expand(Source("input", pattern))
        assert [page.uri for page in found] == [f"{tmp_path}/gone.html", f"{tmp_path}/here.html"]


def test_a_folder_that_cannot_be_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "a.html", tmp_path / "closed/b.html")
    listed = os.scandir

    def scandir(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    page, lost = expand(Source("input", str(tmp_path)))
    assert isinstance(lost, DeadLetter)
    assert (page.uri, lost.uri) == (f"{tmp_path}/a.html", f"{tmp_path}/closed")
    assert lost.code == "input_not_found"


@pytest.mark.parametrize("scheme", ["gs", "s3", "ftp"])
def test_a_filesystem_that_is_not_installed(scheme: str) -> None:
    (found,) = expand(Source("input", f"{scheme}://bucket/*.html"))
    assert isinstance(found, DeadLetter)
    assert found.code == "input_not_found"


def test_a_list_in_gzip_is_read_whole_or_refused(tmp_path: Path) -> None:
    addresses = "".join(f"https://a.example/{n}\n" for n in range(1000)).encode()
    whole = gzip.compress(addresses)
    for name, content, n in [
        ("whole.gz", whole, 1000),
        ("plain.gz", addresses, 1000),
        ("two.gz", whole + whole, 2000),
    ]:
        (tmp_path / name).write_bytes(content)
        found = expand(Source("urls", str(tmp_path / name)))
        assert [type(one) for one in found] == [PageRequest] * n
    for name, content in [("cut.gz", whole[:-20]), ("bad.gz", whole[:50] + b"x" * 50 + whole[99:])]:
        (tmp_path / name).write_bytes(content)
        (lost,) = expand(Source("urls", str(tmp_path / name)))
        assert isinstance(lost, DeadLetter)
        assert lost.code == "url_list_unreadable"


def test_what_is_no_utf8_can_still_be_stored(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path)
    bad = os.fsdecode(folder + b"/bad\xff.html")
    touch(Path(bad))
    for source in (
        Source("input", str(tmp_path)),
        Source("input", bad),
        Source("input", bad + "-missing"),
        Source("urls", bad),
        Source("url", os.fsdecode(b"http://h.example/\xff")),
    ):
        (found,) = expand(source)
        assert isinstance(found, DeadLetter)
        assert found.detail
        f"{found.uri}{found.source}{found.detail}".encode()


@pytest.mark.parametrize(
    "url",
    ["http://user:secret@a.example/x", "https://secret@a.example/", "user:secret@a.example",
     "http://user:secret@[::1", "http://user:secret@a.example/?next=@b"],
)  # fmt: skip
def test_passwords_are_refused_and_not_kept(tmp_path: Path, url: str) -> None:
    addresses = tmp_path / "list.txt"
    addresses.write_text(url, "utf8")
    for source in (Source("url", url), Source("feed", url), Source("urls", str(addresses))):
        (found,) = expand(source)
        assert isinstance(found, DeadLetter)
        assert found.code == "url_invalid"
        assert "secret" not in repr(found)
    assert "@" not in url or "***@" in found.uri


def test_an_at_sign_elsewhere_is_fine() -> None:
    url = "https://a.example/@ada/1?by=b@c"
    assert expand(Source("url", url)) == [PageRequest(url, f"url:{url}")]
