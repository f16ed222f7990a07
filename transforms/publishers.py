"""Publishers: read ``sources.yaml``, every mistake with its line and remedy. No Beam here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn
from zoneinfo import available_timezones

import yaml

from schemas.errors import UsageError
from schemas.records import Publisher
from schemas.topics import QCODES
from transforms.addresses import page_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DELAY_S_MAX = 3600.0

_DOMAIN = re.compile(r"(?!www\.)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_LANGUAGE = re.compile(
    r"[a-z]{2,3}(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?(?:-[a-z0-9]{5,8})*", re.ASCII | re.IGNORECASE
)
_KINDS = {
    "tag:yaml.org,2002:bool": "a truth value to YAML",
    "tag:yaml.org,2002:int": "a number",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:null": "empty",
    "tag:yaml.org,2002:timestamp": "a date",
    "tag:yaml.org,2002:seq": "a list",
    "tag:yaml.org,2002:map": "a table of keys",
    "tag:yaml.org,2002:str": "text",
}


def load_publishers(text: str, name: str) -> tuple[Publisher, ...]:
    """The publishers of a ``sources.yaml``, in its order.

    text: the file. name: what it is called in messages.

    Under ``publishers:`` stands a list of tables with the keys of
    ``schemas.records.Publisher``; only ``domain`` is required, and ``topics`` is
    a table of section or part of an address to topic slug.

    Raises UsageError for the first mistake: file, line, key, what is wrong and
    what to write in its place, in one line. Aliases (``*name``) are refused:
    what they blow up to has no bound.
    Source: https://yaml.org/spec/1.1/ (as PyYAML reads it)
    """
    top = _Place(name, "")
    root = _compose(text, name)
    if root is None:
        raise UsageError(f"{name}: it is empty; begin with publishers: and a list below it")
    fields = _table(top, root, ["publishers"])
    if "publishers" not in fields:
        top.wrong(root, "there is no publishers", "begin with publishers: and a list below it")
    place, node = top.key("publishers"), fields["publishers"]
    publishers: list[Publisher] = []
    lines: dict[str, int] = {}
    for n, item in enumerate(_items(place, node)):
        here = _Place(name, f"publishers[{n}]")
        values = {
            key: _FIELDS[key](here.key(key), value)
            for key, value in _table(here, item, list(_FIELDS)).items()
        }
        domain = values.get("domain")
        if domain is None:
            here.wrong(item, "it has no domain", "add one, such as domain: lantern.example")
        if domain in lines:
            here.key("domain").wrong(
                item, f"{domain} is on line {lines[domain]} already", "put both into one"
            )
        lines[domain] = item.start_mark.line + 1
        publishers.append(Publisher(**({"name": domain} | values)))
    if not publishers:
        place.wrong(node, "it names no publisher", "add one, such as - domain: lantern.example")
    return tuple(publishers)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in which file, for messages."""

    file: str
    path: str

    def key(self, name: str) -> _Place:
        return _Place(self.file, f"{self.path}.{name}" if self.path else name)

    def wrong(self, node: Any, problem: str, remedy: str) -> NoReturn:
        """Raise a UsageError of one line."""
        path = f" {self.path}:" if self.path else ""
        message = f"{self.file} line {node.start_mark.line + 1}:{path} {problem}; {remedy}"
        raise UsageError(" ".join(message.split()))


class _Loader(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem="aliases are not read, write the value out", problem_mark=mark
            )
        return super().compose_node(parent, index)


def _compose(text: str, name: str) -> Any:
    """The tree of the file, of which nothing is constructed yet."""
    try:
        return yaml.compose(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        message = f"{name} line {line}: {error.problem or error.context}; mend the YAML there"
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"{name} line {line}: {error.reason}; take the character out"
    except (RecursionError, ValueError, OverflowError) as error:
        # Nested beyond reason, and escapes such as \UFFFFFFFF that are no character.
        message = f"{name}: it cannot be read as YAML ({type(error).__name__}: {error})"
    raise UsageError(" ".join(message.split()))


def _table(place: _Place, node: Any, known: list[str] | None = None) -> dict[str, Any]:
    """The values of a table by key; only known keys, each once."""
    if not isinstance(node, yaml.MappingNode):
        _wrong_kind(place, node, "keys with values, one a line")
    found: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key_node, value in node.value:
        key = _text(place, key_node)
        here = place.key(key)
        if known is not None and key not in known:
            nearest = _nearest(key, known)
            here.wrong(
                key_node,
                "there is no such key",
                f"did you mean {nearest}?" if nearest else f"the keys are {', '.join(known)}",
            )
        if key in found:
            here.wrong(key_node, f"it is on line {lines[key]} already", "take one of them out")
        found[key], lines[key] = value, key_node.start_mark.line + 1
    return found


def _items(place: _Place, node: Any) -> list[Any]:
    if not isinstance(node, yaml.SequenceNode):
        _wrong_kind(place, node, "a list, each item on a line of its own after a dash")
    return list(node.value)


def _text(place: _Place, node: Any) -> str:
    if not isinstance(node, yaml.ScalarNode) or node.tag != "tag:yaml.org,2002:str":
        _wrong_kind(place, node, "text; put it in quotes if it is meant so")
    text = " ".join(str(node.value).split())
    if not text:
        place.wrong(node, "it is empty", "fill it in or leave the key out")
    return text


def _wrong_kind(place: _Place, node: Any, wanted: str) -> NoReturn:
    kind = _KINDS.get(node.tag, f"of the type {node.tag}")
    shown = f"{str(node.value)[:60]!r} is " if isinstance(node, yaml.ScalarNode) else "it is "
    if node.tag == "tag:yaml.org,2002:null":
        place.wrong(node, "it is empty", "fill it in or leave the key out")
    place.wrong(node, f"{shown}{kind}", f"write {wanted}")


def _nearest(word: str, words: Iterable[str]) -> str | None:
    return next(iter(get_close_matches(word.lower(), list(words), n=1, cutoff=0.7)), None)


def _domain(place: _Place, node: Any) -> str:
    domain = _text(place, node).lower()
    if not _DOMAIN.fullmatch(domain):
        place.wrong(
            node,
            f"{domain!r} is no registered domain",
            "write it without https://, www. and path, such as lantern.example",
        )
    return domain


def _addresses(place: _Place, node: Any) -> tuple[str, ...]:
    found: list[str] = []
    for item in _items(place, node):
        address = _text(place, item)
        if page_address(address) is None or " " in address:
            place.wrong(
                item,
                f"{address!r} is no http(s) address",
                "write it whole, such as https://lantern.example/feed.xml",
            )
        found.append(address)
    return tuple(found)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _timezone(place: _Place, node: Any) -> str:
    zone = _text(place, node)
    zones = _zones()
    if zone not in zones:
        cities = {known.rpartition("/")[2].lower(): known for known in sorted(zones)}
        city = _nearest(zone.rpartition("/")[2], cities)
        place.wrong(
            node,
            f"no time zone is named {zone!r}",
            f"use an IANA name such as {cities[city] if city else 'Europe/London'}",
        )
    return zone


def _language(place: _Place, node: Any) -> str:
    language = _text(place, node)
    if not _LANGUAGE.fullmatch(language):
        place.wrong(
            node, f"{language!r} is no language tag", "use BCP 47, such as en, en-GB or pt-BR"
        )
    return language


def _delay_s(place: _Place, node: Any) -> float:
    remedy = f"write seconds from 0 to {DELAY_S_MAX:.0f}, such as 2.5"
    number = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
    if not isinstance(node, yaml.ScalarNode) or node.tag not in number:
        _wrong_kind(place, node, remedy.removeprefix("write "))
    try:
        delay_s = float(node.value)
    except ValueError:  # hexadecimal, sexagesimal, infinite: YAML knows them, nobody means them
        delay_s = -1.0
    if not 0 <= delay_s <= DELAY_S_MAX:
        place.wrong(node, f"{node.value[:60]} is no delay", remedy)
    return delay_s


def _topic(place: _Place, node: Any) -> str:
    topic = _text(place, node)
    if topic not in QCODES:
        nearest = _nearest(topic, QCODES)
        place.wrong(
            node,
            f"{topic!r} is no topic",
            f"did you mean {nearest}?"
            if nearest
            else "use a slug of the 17 IPTC Media Topics, such as politics or sport",
        )
    return topic


def _topics(place: _Place, node: Any) -> tuple[tuple[str, str], ...]:
    return tuple(
        (word, _topic(place.key(word), slug)) for word, slug in _table(place, node).items()
    )


_FIELDS: dict[str, Callable[[_Place, Any], Any]] = {
    "name": _text,
    "domain": _domain,
    "feeds": _addresses,
    "sitemaps": _addresses,
    "urls": _addresses,
    "timezone": _timezone,
    "language": _language,
    "delay_s": _delay_s,
    "topic": _topic,
    "topics": _topics,
}
