from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from schemas.errors import ExtractError
from transforms.markup import (
    DEPTH_MAX,
    json_ld_nodes,
    json_ld_types,
    lenient_json,
    parse_html,
    parse_iso_time,
)


def script(text: str) -> bytes:
    return f'<html><script type="application/ld+json">{text}</script></html>'.encode()


@pytest.mark.parametrize("unit", ["<div>", "<ul><li>", "<section><div>", "<DIV CLASS=a>"])
def test_blocks_nested_beyond_reason_are_refused(unit: str) -> None:
    with pytest.raises(ExtractError) as caught:
        parse_html(unit.encode() * 100_000)
    assert caught.value.code == "page_too_complex"


def test_deep_but_closed_again_is_refused_too() -> None:
    with pytest.raises(ExtractError):
        parse_html(b"<div>" * 20_000 + b"</div>" * 20_000)


@pytest.mark.parametrize(
    "markup", ["<span>" * 10_000 + "<div></div>" * 10_000, "<b><p>" * 20_000, "<a-b>" * 30_000]
)
def test_inline_elements_are_deep_too(markup: str) -> None:
    with pytest.raises(ExtractError):
        parse_html(markup.encode())


def test_an_element_of_endless_attributes_is_refused() -> None:
    names = " ".join(f"a{n}" for n in range(20_000))
    for markup in (f"<div {names}>", f"<p>x</p><img {names} alt='a b'", f"<div {names} <b"):
        with pytest.raises(ExtractError) as caught:
            parse_html(markup.encode())
        assert caught.value.code == "page_too_complex"


def test_a_long_value_or_script_is_no_attack() -> None:
    long = " ".join(str(n) for n in range(30_000))
    markup = f'<div data-state="{long}">x</div><script>var a = "{long}"</script>'
    assert parse_html(markup.encode()).body


def test_a_long_list_is_read_in_linear_time() -> None:
    items = ",".join(["1"] * 300_000)
    assert json_ld_nodes(script('[{"@type": "Thing"},' + items + "]")) == ({"@type": "Thing"},)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"bad \ud83d"', "bad \ufffd"),
        (r'"bad \uDE00 x"', "bad \ufffd x"),
        (r'"good \ud83d\ude00"', "good \U0001f600"),
        (r'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
    ],
)
def test_halves_of_pairs_are_no_text(text: str, value: str) -> None:
    assert lenient_json(text) == value


def test_a_long_flat_page_is_fine() -> None:
    tree = parse_html(b"<ul>" + b"<li><div><p>word</p><br><img></div>" * 10_000 + b"</ul>")
    assert len(tree.css("li")) == 10_000


def test_as_deep_as_allowed() -> None:
    depth = DEPTH_MAX - 1
    markup = "<div>" * depth + "x" + "</div>" * depth + "<br>" * 20_000
    assert len(parse_html(markup.encode()).css("div")) == depth


@pytest.mark.parametrize(
    "text",
    [
        '{"@type": "NewsArticle"}',
        '[{"@type": "NewsArticle"}]',
        '{"@graph": [{"@type": "NewsArticle"}]}',
        '{"@context": "https://schema.org", "@graph": [[{"@type": "NewsArticle"}]]}',
        '<!-- {"@type": "NewsArticle"} -->',
        '// <![CDATA[\n{"@type": "NewsArticle"}\n// ]]>',
        '{"@type": "NewsArticle",}',
        '{"@type": "NewsArticle"};',
    ],
)
def test_json_ld_in_its_shapes(text: str) -> None:
    assert json_ld_nodes(script(text)) == ({"@type": "NewsArticle"},)


def test_raw_newlines_in_strings_are_kept() -> None:
    assert json_ld_nodes(script('{"headline": "two\nlines"}')) == ({"headline": "two\nlines"},)


@pytest.mark.parametrize("text", ["", "nothing", '{"a": ', "[" * 100_000, "3", '"text"'])
def test_what_is_no_json_object_is_left_out(text: str) -> None:
    assert json_ld_nodes(script(text)) == ()


def test_types_come_without_their_namespace() -> None:
    assert json_ld_types({"@type": ["https://schema.org/Report", "Thing"]}) == {"Report", "Thing"}
    assert json_ld_types({"@type": "Person"}) == {"Person"}
    assert json_ld_types({}) == frozenset()


NOON = datetime(2026, 5, 12, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["2026-05-12T12:00:00Z", "2026-05-12T14:00:00+02:00", "2026-05-12T17:30+0530",
     " 2026-05-12T12:00:00.000Z "],
)  # fmt: skip
def test_iso_times_that_name_their_zone(text: str) -> None:
    assert parse_iso_time(text, None) == NOON


def test_a_time_without_zone_needs_one() -> None:
    assert parse_iso_time("2026-05-12T14:00:00", None) is None
    assert parse_iso_time("2026-05-12T14:00:00", ZoneInfo("Europe/Paris")) == NOON


@pytest.mark.parametrize(
    "text", ["", "yesterday", None, 5, ["2026-05-12"], "2026-05-12", "0001-01-01T00:00:00+14:00"]
)
def test_what_tells_no_time(text: object) -> None:
    assert parse_iso_time(text, ZoneInfo("Europe/Paris")) is None
