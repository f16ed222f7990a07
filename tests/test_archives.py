from __future__ import annotations

import gzip
import io
import os
import tracemalloc
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to
from fastwarc.stream_io import BrotliWriter
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import DeadLetter, FetchedPage, PageRequest
from tests.factories import FETCHED_AT
from transforms.archives import ReadArchives, read_archive

CAPTURED = datetime(2026, 5, 12, 8, 30, tzinfo=UTC)
HOST = "https://www.lantern-gazette.example"
HTML = "text/html; charset=utf-8"


def record(
    kind: str = "response",
    uri: str = f"{HOST}/1",
    block: bytes = b"",
    *,
    date: str = "2026-05-12T08:30:00Z",
    media: str = "application/http; msgtype=response",
    more: str = "",
    length: int | str | None = None,
) -> bytes:
    size = len(block) if length is None else length
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {uri}\r\nWARC-Date: {date}\r\n{more}"
        f"WARC-Record-ID: <urn:uuid:1>\r\nContent-Type: {media}\r\nContent-Length: {size}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def http(body: bytes, status: str = "200 OK", media: str = HTML, more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {media}\r\n{more}\r\n".encode() + body


def response(path: str, body: bytes | None = None, **kwargs: Any) -> bytes:
    return record(uri=HOST + path, block=http(text(path) if body is None else body), **kwargs)


def text(path: str) -> bytes:
    return f"<html><p>The page at {path}.</p></html>".encode()


def page(path: str, content: bytes | None = None, media: str | None = HTML) -> FetchedPage:
    return FetchedPage(
        request=PageRequest(HOST + path, "warc:a", role="archive"),
        url=HOST + path,
        content=text(path) if content is None else content,
        content_type=media,
        fetched_at=CAPTURED,
    )


def read(
    content: bytes | IO[bytes], *domains: str, **kwargs: Any
) -> tuple[list[Any], dict[str, int]]:
    """Pages, each dead letter as its code and uri, in their order; and the counts."""
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    found: list[Any] = []
    counts: dict[str, int] = {}
    for one in read_archive(
        stream, "a.warc", "warc:a", frozenset(domains), now=lambda: FETCHED_AT, **kwargs
    ):
        if isinstance(one, tuple):
            counts |= dict([one])
        elif isinstance(one, DeadLetter):
            assert one.failed_at == FETCHED_AT
            found.append((one.code, one.uri))
        else:
            found.append(one)
    skipped = sum(n for name, n in counts.items() if name.startswith("archive_skipped_"))
    assert counts.get("archive_records", 0) == (
        skipped + counts.get("archive_pages", 0) + counts.get("archive_failed", 0)
    )
    assert counts.get("archive_pages", 0) == sum(isinstance(one, FetchedPage) for one in found)
    return found, counts


def packed(*records: bytes) -> bytes:
    return b"".join(gzip.compress(one) for one in records)


def plain(*records: bytes) -> bytes:
    return b"".join(records)


WARCINFO = record("warcinfo", "", b"software: lamp/1.0\r\n", media="application/warc-fields")


@pytest.mark.parametrize("write", [plain, packed, lambda *all: gzip.compress(plain(*all))])
def test_a_warc(write: Any) -> None:
    archive = write(
        WARCINFO,
        record("request", f"{HOST}/1", b"GET /1 HTTP/1.1\r\n\r\n"),
        response("/1"),
        record("metadata", f"{HOST}/1", b"fetchTimeMs: 5"),
        record("revisit", f"{HOST}/1", http(b"")),
        record("response", "dns:lantern-gazette.example", b"1.2.3.4", media="text/dns"),
        record(uri=f"{HOST}/robots.txt", block=http(b"User-agent: *", media="text/plain")),
        record(uri=f"{HOST}/gone", block=http(b"gone", "404 Not Found")),
        record(uri=f"{HOST}/1.png", block=http(b"\x89PNG", media="image/png")),
        response("/2", more="WARC-Truncated: length\r\n"),
    )
    assert read(archive) == (
        [page("/1"), page("/2")],
        {
            "archive_records": 10,
            "archive_pages": 2,
            "archive_truncated": 1,
            "archive_skipped_kind": 5,
            "archive_skipped_revisit": 1,
            "archive_skipped_status": 1,
            "archive_skipped_type": 1,
        },
    )


@pytest.mark.parametrize("write", [plain, packed])
def test_a_wet(write: Any) -> None:
    words = "Die Brücke öffnet.\n".encode()
    archive = write(WARCINFO, record("conversion", f"{HOST}/1", words, media="text/plain"))
    assert read(archive)[0] == [page("/1", words, "text/plain")]


def test_domains_are_registered_ones_with_all_below() -> None:
    uris = [
        "https://lantern-gazette.example/1",
        "http://sport.lantern-gazette.example:8080/2",
        "https://notlantern-gazette.example/3",
        "https://lantern-gazette.example.attacker.example/4",
    ]
    archive = plain(*(record(uri=uri, block=http(b"<p>x</p>")) for uri in uris))
    found, counts = read(archive, "lantern-gazette.example", "other.example")
    assert [one.url for one in found] == uris[:2]
    assert counts["archive_skipped_domain"] == 2


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("2026-05-12T08:30:00Z", CAPTURED),
        ("2026-05-12T08:30:00.250000Z", CAPTURED.replace(microsecond=250_000)),
        ("2026-05-12T08:30:00.123456789Z", CAPTURED.replace(microsecond=123_456)),
    ],
)
def test_the_time_of_the_capture(date: str, moment: datetime) -> None:
    (found,), _ = read(response("/1", date=date))
    assert found.fetched_at == moment


def brotli(content: bytes) -> bytes:
    packed_bytes = io.BytesIO()
    writer = BrotliWriter(packed_bytes)
    writer.write(content)
    writer.close()
    return packed_bytes.getvalue()


def chunked(content: bytes) -> bytes:
    return (
        b"9;x=y\r\n"
        + content[:9]
        + b"\r\n%X\r\n" % len(content[9:])
        + content[9:]
        + b"\r\n0\r\n\r\n"
    )


BODY = "<html><p>Die Brücke öffnet.</p></html>".encode()


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (chunked(BODY), "Transfer-Encoding: chunked\r\n"),
        (chunked(BODY)[:-5], "Transfer-Encoding: chunked\r\n"),
        (BODY, "Transfer-Encoding: chunked\r\n"),
        (gzip.compress(BODY), "Content-Encoding: gzip\r\n"),
        (chunked(gzip.compress(BODY)), "CONTENT-ENCODING: GZIP\r\nTransfer-Encoding: Chunked\r\n"),
        (BODY, "Content-Encoding: gzip\r\n"),
        (zlib.compress(BODY), "Content-Encoding: deflate\r\n"),
        (zlib.compress(BODY)[2:-4], "Content-Encoding: deflate\r\n"),
        (brotli(BODY), "Content-Encoding: br\r\n"),
        (BODY, "Content-Encoding: br\r\n"),
        (brotli(gzip.compress(BODY)), "Content-Encoding: gzip, br\r\n"),
        (BODY, "Content-Encoding: identity\r\n"),
        (BODY, "X-Crawler-Content-Encoding: gzip\r\n"),
    ],
)
def test_encodings_are_undone(body: bytes, headers: str) -> None:
    archive = record(block=http(body, more=headers))
    assert read(archive)[0] == [page("/1", BODY)]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"\x1f\x8b\x08\x00\xff\xfe\xfd" * 9, "Content-Encoding: gzip\r\n"),
        (b"5\r\nhello\xff\xfe no chunk\r\n", "Transfer-Encoding: chunked\r\n"),
    ],
)
def test_broken_encodings_cost_their_record(body: bytes, headers: str) -> None:
    archive = packed(record(block=http(body, more=headers)), response("/2"))
    assert read(archive)[0] == [("archive_record_broken", f"{HOST}/1"), page("/2")]


@pytest.mark.parametrize("write", [plain, packed])
def test_a_page_too_large_costs_itself(write: Any) -> None:
    bomb = http(gzip.compress(b"a" * 5_000_000), more="Content-Encoding: gzip\r\n")
    archive = write(
        response("/1"),
        response("/large", os.urandom(150_000)),
        record(uri=f"{HOST}/bomb", block=bomb),
        response("/over", b"a" * 60_001),
        record(uri=f"{HOST}/film", block=http(os.urandom(200_000), media="video/mp4")),
        response("/2", b"a" * 60_000),
    )
    found, counts = read(archive, page_bytes_max=60_000)
    large = [("page_too_large", f"{HOST}/{path}") for path in ("large", "bomb", "over")]
    assert found == [page("/1"), *large, page("/2", b"a" * 60_000)]
    assert counts["archive_skipped_type"] == 1


NOISE = os.urandom(150_000)
LONG = b"<html>" + NOISE.hex().encode()


def flipped(member: bytes, at: int) -> bytes:
    return member[:at] + bytes([member[at] ^ 0xFF]) + member[at + 1 :]


@pytest.mark.parametrize("body", [None, LONG], ids=["short", "long"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda member: flipped(member, 0),
        lambda member: flipped(member, len(member) // 2),
        lambda member: flipped(member, len(member) - 6),
        lambda member: member[: len(member) // 2],
        lambda member: member[:-4],
        lambda member: b"\0" * len(member),
        lambda member: b"noise " * 20,
        lambda member: gzip.compress(b"no record at all"),
        lambda member: gzip.compress(gzip.decompress(member)[:-40]),
        lambda member: gzip.compress(gzip.decompress(member).replace(b"Content-Length", b"X", 1)),
    ],
)  # fmt: skip
def test_a_broken_member_costs_its_record_alone(damage: Any, body: bytes | None) -> None:
    members = [gzip.compress(response(f"/{n}", body)) for n in range(5)]
    members[1], members[3] = damage(members[1]), damage(members[3])
    found, counts = read(b"".join(members))
    good = [page(f"/{n}", body) for n in (0, 2, 4)]
    assert [one for one in found if isinstance(one, FetchedPage)] == good
    assert [one[0] for one in found if not isinstance(one, FetchedPage)] == [
        "archive_record_broken"
    ] * 2
    assert [isinstance(one, FetchedPage) for one in found] == [True, False, True, False, True]
    assert counts == {"archive_records": 5, "archive_pages": 3, "archive_failed": 2}


@pytest.mark.parametrize("body", [None, LONG], ids=["short", "long"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda one: one[:-5],
        lambda one: one[:-9],
        lambda one: one[:-40],
        lambda one: one[: one.index(b"HTTP/1.1")],
        lambda one: one[:-10] + b"more and more" + one[-10:],
        lambda one: one.replace(b"WARC/1.0", b"KRAW/1.0", 1),
        lambda one: one.replace(b"Content-Length", b"X", 1),
        lambda one: one.replace(b"Content-Length: ", b"Content-Length: x", 1),
        lambda one: one.replace(b"Content-Length: ", b"Content-Length: 9", 1),
        lambda one: one.replace(b"Content-Length: ", b"Content-Length: 99999999999999", 1),
        lambda one: b"\0" * len(one),
        lambda one: b"noise " * 20,
    ],
)
def test_a_broken_record_costs_itself_alone(damage: Any, body: bytes | None) -> None:
    records = [response(f"/{n}", body) for n in range(5)]
    records[1], records[3] = damage(records[1]), damage(records[3])
    found, counts = read(b"".join(records))
    good = [page(f"/{n}", body) for n in (0, 2, 4)]
    assert [one for one in found if isinstance(one, FetchedPage)] == good
    assert [isinstance(one, FetchedPage) for one in found] == [True, False, True, False, True]
    assert counts == {"archive_records": 5, "archive_pages": 3, "archive_failed": 2}


@pytest.mark.parametrize(
    "broken",
    [
        response("/1", date="last week"),
        record(block=b"no HTTP"),
        record(block=b""),
    ],
)
@pytest.mark.parametrize("write", [plain, packed])
def test_a_record_that_is_no_page(write: Any, broken: bytes) -> None:
    assert read(write(broken, response("/2")))[0] == [
        ("archive_record_broken", f"{HOST}/1"),
        page("/2"),
    ]


@pytest.mark.parametrize("write", [plain, packed])
@pytest.mark.parametrize("left", [0.3, 0.6, 0.9])
def test_an_archive_that_is_cut_off(write: Any, left: float) -> None:
    last = write(response("/2", LONG))
    found, _ = read(write(response("/1")) + last[: int(len(last) * left)])
    assert found == [page("/1"), ("archive_record_broken", f"{HOST}/2")]


def test_one_gzip_member_for_all_loses_what_follows_the_damage() -> None:
    packer = zlib.compressobj(wbits=31)
    first = packer.compress(plain(response("/0", LONG), response("/1", LONG)))
    first += packer.flush(zlib.Z_FULL_FLUSH)
    rest = packer.compress(plain(response("/2", LONG), response("/3", LONG))) + packer.flush()
    # A flush ends on a byte, so that the next one begins a block: of a type that is none. What
    # was read ahead of it is lost, too.
    found, counts = read(first + b"\xff" + rest[1:])
    assert found == [page("/0", LONG), ("archive_record_broken", f"{HOST}/1")]
    assert counts["archive_failed"] == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><p>A page, not an archive.</p></html>",
        gzip.compress(b"<html><p>A page, not an archive.</p></html>"),
        gzip.compress(b"x")[:5],
        os.urandom(100_000),
        b"\x1f\x8b\x08" * 1000,
    ],
)
def test_what_is_no_archive_is_one_dead_letter(content: bytes) -> None:
    assert read(content) == ([("archive_broken", "a.warc")], {})


def test_an_archive_of_broken_records_is_given_up() -> None:
    archive = plain(response("/1"), *[record(length="x")] * 1500)
    found, counts = read(archive)
    assert found[0] == page("/1")
    assert found[1:-1] == [("archive_record_broken", f"{HOST}/1")] * 1000
    assert found[-1] == ("archive_broken", "a.warc")
    assert counts == {"archive_records": 1001, "archive_pages": 1, "archive_failed": 1000}


class Failing(io.BytesIO):
    good_bytes = 64 * 1024

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() >= self.good_bytes:
            raise OSError("the disk is gone")
        return super().read(size)


def test_a_stream_that_fails_ends_its_archive() -> None:
    found, _ = read(Failing(plain(*(response(f"/{n}", LONG[:40_000]) for n in range(9)))))
    assert found[-1] == ("archive_broken", "a.warc")
    assert found[:-1] == [page("/0", LONG[:40_000])]


def test_a_stream_that_cannot_be_read_at_all() -> None:
    stream = Failing(b"")
    stream.good_bytes = 0
    assert read(stream)[0] == [("archive_broken", "a.warc")]


def test_memory_does_not_grow_with_the_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    with path.open("wb") as file:
        for n in range(2000):
            file.write(gzip.compress(response(f"/{n}", text(f"/{n}") * 3000), 1))
    with path.open("rb") as file:
        tracemalloc.start()
        sizes_bytes = [
            len(found.content)
            for found in read_archive(file, str(path), "warc:a")
            if isinstance(found, FetchedPage)
        ]
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert len(sizes_bytes) == 2000
    assert sum(sizes_bytes) > 180_000_000
    assert peak_bytes < 2_000_000


@given(
    st.lists(st.sampled_from(["flip", "cut", "drop", "zero"]) | st.none(), min_size=3, max_size=8),
    st.floats(0.02, 0.98),
)
@settings(max_examples=100, deadline=None)
def test_whatever_is_damaged_the_others_are_read(damages: list[str | None], where: float) -> None:
    members = []
    for n, damage in enumerate(damages):
        member = gzip.compress(response(f"/{n}", LONG[: 200 + 40_000 * (n % 3)]))
        at = int(len(member) * where)
        members.append(
            {
                None: member,
                "flip": flipped(member, max(at, 18)),  # before that is what gzip does not check
                "cut": member[:at],
                "drop": member[:at] + member[at + 5 :],
                "zero": member[:at] + bytes(len(member) - at),
            }[damage]
        )
    found, _ = read(b"".join(members))
    whole = [f"{HOST}/{n}" for n, damage in enumerate(damages) if damage is None]
    assert [one.url for one in found if isinstance(one, FetchedPage)] == whole


FRAGMENTS = st.sampled_from(
    [
        WARCINFO, response("/1"), packed(response("/1")), packed(response("/2"))[:-20],
        response("/3")[:-20], record(length="x"), record(length=7), b"\x1f\x8b\x08", b"WARC/1.0\r\n",
        b"\r\n", b"Content-Length: 5\r\n", b"WARC-Type: response\r\n", b"\0" * 20, packed(b"WARC/1.1"),
        record(block=http(b"5\r\nhello", more="Transfer-Encoding: chunked\r\n")),
        record(block=http(b"\x1f\x8b", more="Content-Encoding: gzip, br, zstd, deflate\r\n")),
        record(more="X: y").replace(b"X: y", b"WARC-Date: \xff\xfe\r\nCaf\xe9: \x80\r\n"),
        response("/\xe9").replace(b"\xc3", b"\xff"), http(b"x").replace(b"200", b"\xb2\xb2\xb2"),
        record(uri="http://[", block=http(b"x")), record(uri="https://a.example:x/", block=http(b"x")),
    ]
)  # fmt: skip


@given(st.lists(FRAGMENTS | st.binary(max_size=20), max_size=10).map(b"".join))
@settings(max_examples=300, deadline=None)
def test_hostile_bytes_give_pages_and_dead_letters(content: bytes) -> None:
    read(content)


def test_the_transform(tmp_path: Path) -> None:
    (tmp_path / "a.warc.gz").write_bytes(packed(WARCINFO, response("/1"), response("/2")))
    (tmp_path / "b.warc").write_bytes(plain(response("/3"), response("/4")[:-30]))
    (tmp_path / "c.warc").write_bytes(b"none")
    patterns = [f"{tmp_path}/*.warc*", f"{tmp_path}/none/*"]
    with beam.Pipeline("FnApiRunner") as pipeline:
        read = (
            pipeline | beam.Create(patterns) | ReadArchives(frozenset({"Lantern-Gazette.example"}))
        )
        pages = read.pages | beam.Map(lambda page: (page.url, page.request.source))
        dead = read.dead | beam.Map(lambda letter: (letter.code, letter.uri))
        source = f"warc:{patterns[0]}"
        assert_that(pages, equal_to([(f"{HOST}/{n}", source) for n in (1, 2, 3)]), "pages")
        assert_that(
            dead,
            equal_to(
                [
                    ("archive_record_broken", f"{HOST}/4"),
                    ("archive_broken", f"{tmp_path}/c.warc"),
                    ("input_not_found", patterns[1]),
                ]
            ),
            "dead",
        )
        assert_that(
            read.counts | beam.CombinePerKey(sum),
            equal_to(
                [
                    ("archive_records", 5),
                    ("archive_pages", 3),
                    ("archive_failed", 1),
                    ("archive_skipped_kind", 1),
                ]
            ),
            "counts",
        )
