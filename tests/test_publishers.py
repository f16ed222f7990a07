from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import UsageError
from schemas.records import Publisher
from transforms.publishers import load_publishers

WHOLE = """\
# The publishers of the valley.
publishers:
  - name: Lantern Gazette
    domain: Lantern-Gazette.example
    feeds:
      - https://www.lantern-gazette.example/feeds/all.xml
      - https://feeds.proxy.example/lantern
    sitemaps: [https://www.lantern-gazette.example/news.xml]
    urls:
      - https://www.lantern-gazette.example/live/bridge
    timezone: Europe/London
    language: en-GB
    delay_s: 2.5
    topics:
      football: sport
      /westminster/: politics
  - domain: harbour.co.example
    topic: weather
    delay_s: 0
"""


def test_a_whole_file() -> None:
    assert load_publishers(WHOLE, "sources.yaml") == (
        Publisher(
            name="Lantern Gazette",
            domain="lantern-gazette.example",
            feeds=(
                "https://www.lantern-gazette.example/feeds/all.xml",
                "https://feeds.proxy.example/lantern",
            ),
            sitemaps=("https://www.lantern-gazette.example/news.xml",),
            urls=("https://www.lantern-gazette.example/live/bridge",),
            timezone="Europe/London",
            language="en-GB",
            delay_s=2.5,
            topics=(("football", "sport"), ("/westminster/", "politics")),
        ),
        Publisher("harbour.co.example", "harbour.co.example", delay_s=0.0, topic="weather"),
    )


def complaint(text: str) -> str:
    with pytest.raises(UsageError) as raised:
        load_publishers(text, "sources.yaml")
    message = str(raised.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("timezone: Londn",
         "timezone: no time zone is named 'Londn'; use an IANA name such as Europe/London"),
        ("timezone: Europe",
         "timezone: no time zone is named 'Europe'; use an IANA name such as Europe/London"),
        ("timezone: ../../etc/passwd",
         "timezone: no time zone is named '../../etc/passwd'; use an IANA name such as Europe/London"),
        ("timezon: UTC", "timezon: there is no such key; did you mean timezone?"),
        ("colour: red",
         ("colour: there is no such key; the keys are name, domain, feeds, sitemaps, urls, timezone,"
         " language, delay_s, topic, topics")),
        ("domain: b.example", "domain: it is on line 2 already; take one of them out"),
        ("name: [a]", "name: it is a list; write text; put it in quotes if it is meant so"),
        ("name: 24", "name: '24' is a number; write text; put it in quotes if it is meant so"),
        ("name: 2026-05-12",
         "name: '2026-05-12' is a date; write text; put it in quotes if it is meant so"),
        ("language: no",
         "language: 'no' is a truth value to YAML; write text; put it in quotes if it is meant so"),
        ("language: English",
         "language: 'English' is no language tag; use BCP 47, such as en, en-GB or pt-BR"),
        ("language: en_GB",
         "language: 'en_GB' is no language tag; use BCP 47, such as en, en-GB or pt-BR"),
        ("language:", "language: it is empty; fill it in or leave the key out"),
        ("language: ' '", "language: it is empty; fill it in or leave the key out"),
        ("delay_s: -1", "delay_s: -1 is no delay; write seconds from 0 to 3600, such as 2.5"),
        ("delay_s: .inf", "delay_s: .inf is no delay; write seconds from 0 to 3600, such as 2.5"),
        ("delay_s: 9999", "delay_s: 9999 is no delay; write seconds from 0 to 3600, such as 2.5"),
        ("delay_s: 2s", "delay_s: '2s' is text; write seconds from 0 to 3600, such as 2.5"),
        ("feeds: https://a.example/feed",
         "feeds: 'https://a.example/feed' is text; write a list, each item on a line of its own after a dash"),
        ("feeds: [a.example/feed]",
         "feeds: 'a.example/feed' is no http(s) address; write it whole, such as https://lantern.example/feed.xml"),
        ("urls: [ftp://a.example/]",
         "urls: 'ftp://a.example/' is no http(s) address; write it whole, such as https://lantern.example/feed.xml"),
        ("sitemaps: [https://a.example/a b]",
         ("sitemaps: 'https://a.example/a b' is no http(s) address;"
         " write it whole, such as https://lantern.example/feed.xml")),
        ("topic: sports", "topic: 'sports' is no topic; did you mean sport?"),
        ("topic: gossip",
         "topic: 'gossip' is no topic; use a slug of the 17 IPTC Media Topics, such as politics or sport"),
        ("topic: unclassified",
         "topic: 'unclassified' is no topic; use a slug of the 17 IPTC Media Topics, such as politics or sport"),
        ("topics: {football: sport, news: polotics}",
         "topics.news: 'polotics' is no topic; did you mean politics?"),
        ("topics: {football: sport, football: politics}",
         "topics.football: it is on line 3 already; take one of them out"),
        ("topics: [sport]", "topics: it is a list; write keys with values, one a line"),
        ("name: !!python/object:os.system x",
         ("name: 'x' is of the type tag:yaml.org,2002:python/object:os.system;"
         " write text; put it in quotes if it is meant so")),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_remedy(line: str, message: str) -> None:
    text = f"publishers:\n  - domain: a.example\n    {line}\n"
    assert complaint(text) == f"sources.yaml line 3: publishers[0].{message}"


@pytest.mark.parametrize(
    "domain",
    ["https://a.example/", "a.example/news", "www.a.example", "a", "a..example", "-a.example"],
)
def test_what_is_no_domain(domain: str) -> None:
    assert complaint(f"publishers:\n- domain: {domain}\n") == (
        f"sources.yaml line 2: publishers[0].domain: {domain!r} is no registered domain;"
        " write it without https://, www. and path, such as lantern.example"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "sources.yaml: it is empty; begin with publishers: and a list below it"),
        ("# nothing\n", "sources.yaml: it is empty; begin with publishers: and a list below it"),
        ("- a\n", "sources.yaml line 1: it is a list; write keys with values, one a line"),
        ("\npublisher: []",
         "sources.yaml line 2: publisher: there is no such key; did you mean publishers?"),
        ("{}", "sources.yaml line 1: there is no publishers; begin with publishers: and a list below it"),
        ("publishers:", "sources.yaml line 1: publishers: it is empty; fill it in or leave the key out"),
        ("publishers: []",
         "sources.yaml line 1: publishers: it names no publisher; add one, such as - domain: lantern.example"),
        ("publishers:\n- a.example",
         "sources.yaml line 2: publishers[0]: 'a.example' is text; write keys with values, one a line"),
        ("publishers:\n- domain: a.example\n- name: B",
         "sources.yaml line 3: publishers[1]: it has no domain; add one, such as domain: lantern.example"),
        ("publishers:\n- domain: a.example\n- name: B\n  domain: A.example",
         "sources.yaml line 3: publishers[1].domain: a.example is on line 2 already; put both into one"),
        ("publishers:\n- name: &n A\n  domain: *n",
         "sources.yaml line 3: aliases are not read, write the value out; mend the YAML there"),
        ("publishers:\n- name: 'A\n", "sources.yaml line 3: found unexpected end of stream; mend the YAML there"),
        ("publishers:\n\t- name: A",
         "sources.yaml line 2: found character '\\t' that cannot start any token; mend the YAML there"),
        ("publishers:\n- name: \x07",
         "sources.yaml line 2: special characters are not allowed; take the character out"),
        ("a: 1\n---\nb: 2", "sources.yaml line 2: but found another document; mend the YAML there"),
    ],
)  # fmt: skip
def test_a_file_of_another_shape(text: str, message: str) -> None:
    assert complaint(text) == message


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x]\n" + "".join(f"{c}: &{c} [*a, *a, *a, *a]\n" for c in "bcdefghij"),
        "[" * 100_000,
        "{a: " * 10_000,
        "publishers: [" + "{domain: a.example}," * 2000,
    ],
)
def test_bombs_are_refused_soon(text: str) -> None:
    start_s = time.process_time()
    complaint(text)
    assert time.process_time() - start_s < 10


FRAGMENTS = st.sampled_from(
    ["publishers:\n", "- ", "domain: a.example\n", "  ", "\n", "name: ", "feeds: ", "[", "]", "{", "}",
     "https://a.example/\n", "topics: ", "sport", ": ", "!!int ", "! ", "&a ", "*a", "<<: ", "? ", "'", '"',
     '"\\UFFFFFFFF"', '"\\uD800"', "%YAML 9.9\n", "---\n", "|", ">-\n", "delay_s: ", "0x1", "1:60", "\t"]
)  # fmt: skip


@given(st.lists(FRAGMENTS | st.text(max_size=4), max_size=20).map("".join))
@settings(max_examples=400, deadline=None)
def test_hostile_text_gives_publishers_or_the_typed_error(text: str) -> None:
    try:
        load_publishers(text, "sources.yaml")
    except UsageError as error:
        line = str(error)
    else:
        return
    assert line.startswith("sources.yaml")
    assert "\n" not in line
