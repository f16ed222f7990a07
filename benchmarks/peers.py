"""Peers beside us: the same pages, texts and rows, each through its own interface, in one run.

    python -m benchmarks.peers [split articles near write fetch] [--rounds 3] [--offline]

Each peer lives in an environment of its own below ``.cache/peers``, made at
first use with pip: several cannot be installed side by side, and none is needed
to run news-ingest. A peer that cannot be installed is told as such; ``--offline``
takes only those that are there.

split: real live blogs with reference entries, by the scorer beside them, from the
folder of ``--liveblogs`` (where that is absent live blogs of ``benchmarks.corpus``,
whose shapes our own tests know: of them only the peers' figures say much).
articles: generated articles of known text, and the time for real ones.
near: generated texts with copies that were edited in known ways.
write: rows of entries to Parquet by date and topic, see ``benchmarks.write``.
fetch: 200 loopback hosts.
CPU seconds decide, so that other load on the machine hits all alike.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import logging
import random
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

logging.disable(logging.WARNING)
from benchmarks import fetch, peer_jobs, write  # noqa: E402
from benchmarks.corpus import LIVE_SHAPES, ZONE, MadePage, make_pages, sentence  # noqa: E402
from schemas.errors import PageError  # noqa: E402
from schemas.records import FetchedPage, PageRequest  # noqa: E402
from tests.news_texts import template_pairs  # noqa: E402
from transforms.dedup import Text, find_duplicates  # noqa: E402
from transforms.extract import extract_page  # noqa: E402
from transforms.liveblog import split_page  # noqa: E402
from transforms.markup import parse_html  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

_ROOT = Path(__file__).resolve().parent.parent
_LIVEBLOGS = _ROOT.parent / "shared/liveblogs"
_PEERS = _ROOT / ".cache/peers"
_FETCHED_AT = datetime(2026, 11, 1, tzinfo=UTC)

REQUIREMENTS = {
    "trafilatura": ["trafilatura==2.3.1", "lxml-html-clean==0.4.6"],
    "newspaper4k": ["newspaper4k==0.9.6"],
    "news-please": ["news-please==1.6.16"],
    "fundus": ["fundus==0.5.7", "curl-cffi==0.13.0"],  # moved in later ones what fundus imports
    "datasketch": ["datasketch==2.0.0"],
    "rensa": ["rensa==0.5.0"],
    "datatrove": [
        "datatrove==0.10.1", "orjson==3.13.0", "regex==2026.11.15", "spacy==3.8.18",
        "tokenizers==0.23.3", "xxhash==3.8.2",
    ],
    "scrapy": ["scrapy==2.19.0"],
}  # fmt: skip
"""The versions that were compared, with what they import and do not ask for."""


def installed(peer: str, *, offline: bool) -> Path | str:
    """The Python that has the peer, or why there is none."""
    folder = _PEERS / peer
    python = folder / "bin/python"
    wanted = "\n".join(REQUIREMENTS[peer])
    done = folder / "installed.txt"
    if done.is_file() and done.read_text("utf8") == wanted:
        return python
    if offline:
        return "not installed"
    venv.create(folder, clear=True, with_pip=True)
    command = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    made = subprocess.run(
        [*command, *REQUIREMENTS[peer]], capture_output=True, text=True, check=False
    )
    if made.returncode:
        return f"cannot be installed: {made.stderr.strip().splitlines()[-1][:120]}"
    done.write_text(wanted, "utf8")
    return python


def ask(peer: str, job: dict[str, Any], *, offline: bool) -> dict[str, Any] | str:
    """What a peer makes of a job, or why it makes nothing."""
    python = installed(peer, offline=offline)
    if isinstance(python, str):
        return python
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "job.json"), Path(folder, "result.json")
        source.write_text(json.dumps(job), "utf8")
        words = [str(python), peer_jobs.__file__, peer, str(source), str(target)]
        done = subprocess.run(words, capture_output=True, text=True, cwd=folder, check=False)
        if done.returncode or not target.is_file():
            return f"failed: {(done.stderr.strip().splitlines() or ['?'])[-1][:120]}"
        answer: dict[str, Any] = json.loads(target.read_text("utf8"))
        return answer


# ---------------------------------------------------------------- pages


def _ours(timezones: dict[str, str | None]) -> Callable[[bytes, str], dict[str, Any]]:
    def read(content: bytes, url: str) -> dict[str, Any]:
        parse_html(b"<p>")  # the last tree is kept: let go of it
        request = PageRequest(uri=url, source="input:benchmark")
        fetched = FetchedPage(request, url, content, "text/html", _FETCHED_AT)
        try:
            split = split_page(extract_page(fetched), timezone=timezones.get(url, ZONE))
        except PageError as error:
            return {"error": str(error)}
        return {"is_live_blog": split.is_live_blog, "entries": [
            {
                "headline": entry.headline, "body": entry.body, "authors": list(entry.authors),
                "published_at": entry.published_at and entry.published_at.isoformat(),
            }
            for entry in split.entries
        ]}  # fmt: skip

    return read


def _entries(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What a reader found, as entries: a peer's one text is its one entry.

    A time without a zone is taken as UTC, which those who give such mean.
    """
    if "entries" in found:
        return list(found["entries"])
    at = found.get("published_at")
    moment = datetime.fromisoformat(at) if at else None
    if moment and moment.tzinfo is None:
        at = moment.replace(tzinfo=UTC).isoformat()
    return [{**found, "published_at": at}] if found.get("body") else []


def _read_by_all(
    pages: list[tuple[Path, str]], timezones: dict[str, str | None], options: argparse.Namespace
) -> dict[str, dict[str, Any] | str]:
    job = {"pages": [{"file": str(p), "url": url} for p, url in pages], "rounds": options.rounds}
    results: dict[str, dict[str, Any] | str] = {
        "news-ingest": peer_jobs.read_pages(_ours(timezones), job)
    }
    for peer in peer_jobs.PAGES:
        results[peer] = ask(peer, job, offline=options.offline)
    return results


def _scorer(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("score_split", folder / "score_split.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _share(values: Iterable[bool]) -> float | None:
    found = list(values)
    return sum(found) / len(found) if found else None


def _exactly(page: MadePage, entries: list[dict[str, Any]]) -> dict[str, float | None]:
    """By the texts that we generated: an entry is found when its body is, to the letter."""
    found = {entry.get("body"): entry for entry in entries}
    pairs = [
        (item, found["\n\n".join(item.paragraphs)])
        for item in page.items
        if "\n\n".join(item.paragraphs) in found
    ]
    return {
        "f1": 2 * len(pairs) / (len(page.items) + len(entries)) if entries else 0.0,
        "headline": _share(entry["headline"] == item.headline for item, entry in pairs),
        "author": _share((entry["authors"] or [None])[0] == item.author for item, entry in pairs),
        "time": _share(
            datetime.fromisoformat(entry["published_at"]) == item.at
            for item, entry in pairs
            if entry["published_at"]
        ),
    }


def compare_splitting(options: argparse.Namespace) -> None:
    """Entries found, and of those found the headlines, authors and times that are right."""
    shared: Path = options.liveblogs
    timezones: dict[str, str | None] = {}
    pages: list[tuple[Path, str]] = []
    measures: list[Callable[[list[dict[str, Any]]], dict[str, float | None]]] = []
    with tempfile.TemporaryDirectory() as folder:
        if shared.is_dir():
            scorer = _scorer(shared)
            for line in (shared / "INDEX.tsv").read_text("utf8").splitlines()[1:]:
                name, url, zone, *_ = line.split("\t")
                if not name.endswith(".html"):
                    continue
                path = shared / "reference" / name.replace(".html", ".entries.json")
                reference = json.loads(path.read_text("utf8"))
                pages.append((shared / "pages" / name, url))
                timezones[url] = zone or None
                measures.append(lambda found, r=reference: scorer.score(r, found)[0])  # type: ignore[misc]
        else:
            made = [page for page in make_pages(300) if page.shape in LIVE_SHAPES]
            for n, page in enumerate(made):
                pages.append((Path(folder, f"{n}.html"), page.url))
                pages[-1][0].write_bytes(page.content)
                measures.append(lambda found, page=page: _exactly(page, found))  # type: ignore[misc]
        results = _read_by_all(pages, timezones, options)
    kind = "real" if shared.is_dir() else "generated"
    print(
        f"split: {len(pages)} {kind} live blogs; entries found (F1), and of those the share right"
    )
    columns = ("f1", "headline", "author", "time")
    print(
        f"  {'':14}{'entries':>9}" + "".join(f"{c:>10}" for c in columns) + f"{'pages/s CPU':>13}"
    )
    for name, result in results.items():
        if isinstance(result, str):
            print(f"  {name:14} {result}")
            continue
        entries = [_entries(found) for found in result["found"]]
        scores = [measure(found) for measure, found in zip(measures, entries, strict=True)]
        cells = ""
        for column in columns:
            values = [score[column] for score in scores if score[column] is not None]
            cells += f"{sum(values) / len(values):10.3f}" if values else f"{'-':>10}"
        print(f"  {name:14}{sum(map(len, entries)):9}{cells}{_pages_per_s(result):>13}"
              f"{_refused(result)}")  # fmt: skip


def _pages_per_s(result: dict[str, Any]) -> str:
    """Over the pages that the peer knows."""
    known = [
        took for took, found in zip(result["cpu_s"], result["found"], strict=True)
        if not found.get("unknown")
    ]  # fmt: skip
    return f"{len(known) / sum(known):.1f}" if known else "-"


def _refused(result: dict[str, Any]) -> str:
    unknown = sum(bool(found.get("unknown")) for found in result["found"])
    errors = sum("error" in found for found in result["found"])
    return (f"  {unknown} of publishers it does not know" if unknown else "") + (
        f"  {errors} errors" if errors else ""
    )


def _words(text: str | None) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in (text or "").casefold()).split()


def _text_f1(wanted: str, found: str | None) -> float:
    a, b = Counter(_words(wanted)), Counter(_words(found))
    common = sum((a & b).values())
    return 2 * common / (sum(a.values()) + sum(b.values())) if common else 0.0


def compare_articles(options: argparse.Namespace) -> None:
    """Text, authors and day of generated articles; the time for real ones."""
    made = [page for page in make_pages(400) if page.kind in {"article", "near_copy"}]
    with tempfile.TemporaryDirectory() as folder:
        pages = [(Path(folder, f"{n}.html"), page.url) for n, page in enumerate(made)]
        for (path, _), page in zip(pages, made, strict=True):
            path.write_bytes(page.content)
        results = _read_by_all(pages, {}, options)
    shared, real = options.liveblogs, list[tuple[Path, str]]()
    if shared.is_dir():
        for line in (shared / "negatives/INDEX.tsv").read_text("utf8").splitlines()[1:]:
            name, url, *_ = line.split("\t")
            real.append((shared / "negatives" / name, url))
    results_real = _read_by_all(real, {}, options) if real else {}
    print(f"articles: {len(made)} generated ones of known text; {len(real)} real ones for speed")
    print(f"  {'':14}{'text F1':>9}{'headline':>10}{'author':>10}{'day':>7}{'minute':>8}"
          f"{'pages/s CPU':>13}{'real, pages/s':>15}{'with text':>11}")  # fmt: skip
    for name, result in results.items():
        if isinstance(result, str):
            print(f"  {name:14} {result}")
            continue
        rows = []
        for page, found in zip(made, result["found"], strict=True):
            item, one = page.items[0], next(iter(_entries(found)), {})
            at = str(one.get("published_at") or "")
            moment = datetime.fromisoformat(at) if at else None
            same = moment == item.at
            rows.append((
                _text_f1(" ".join(item.paragraphs), one.get("body")),
                one.get("headline") == item.headline,
                _words(" ".join(one.get("authors") or ())) == _words(item.author),
                at[:10] in {f"{item.at:%Y-%m-%d}", f"{item.at.astimezone(UTC):%Y-%m-%d}"}, same,
            ))  # fmt: skip
        means = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
        cells = f"{means[0]:9.3f}{means[1]:10.3f}{means[2]:10.3f}{means[3]:7.2f}{means[4]:8.2f}"
        other = results_real.get(name, "")
        speed = "" if isinstance(other, str) else _pages_per_s(other)
        texts = 0 if isinstance(other, str) else sum(bool(_entries(f)) for f in other["found"])
        print(
            f"  {name:14}{cells}{_pages_per_s(result):>13}{speed:>15}{texts:11}{_refused(result)}"
        )


# ---------------------------------------------------------------- near-duplicates


def labelled_texts(count: int, seed: int = 1) -> tuple[list[str], list[int], list[str]]:
    """Texts, which story each tells, and how it was edited (``original`` if it was not).

    A template is no copy: market reports, say, of the same words and other numbers.
    """
    rng = random.Random(seed)
    texts, labels, edits = [], [], []
    for story in range(count):
        paragraphs = [" ".join(sentence(rng) for _ in range(3)) for _ in range(8)]
        texts.append("\n\n".join(paragraphs))
        labels.append(story)
        edits.append("original")
        edit = _EDITS[story % (2 * len(_EDITS))] if story % (2 * len(_EDITS)) < len(_EDITS) else ""
        if edit:
            texts.append(_edited(paragraphs, edit, rng))
            labels.append(story)
            edits.append(edit)
    for _, *pair in template_pairs(max(1, count // 120), seed):
        texts += pair
        labels += [count + len(labels), count + len(labels) + 1]
        edits += [_TEMPLATE] * 2
    order = list(range(len(texts)))
    rng.shuffle(order)
    return [texts[n] for n in order], [labels[n] for n in order], [edits[n] for n in order]


_TEMPLATE = "template"
_EDITS = ("exact", "lines added", "8 % of words", "15 % of words", "cut to half", "quoted")


def _edited(paragraphs: list[str], edit: str, rng: random.Random) -> str:
    if edit == "lines added":
        paragraphs = [sentence(rng), *paragraphs, sentence(rng)]
    elif edit == "cut to half":
        paragraphs = paragraphs[: len(paragraphs) // 2]
    elif edit == "quoted":
        others = [" ".join(sentence(rng) for _ in range(3)) for _ in range(10)]
        paragraphs = [*others[:5], *paragraphs, *others[5:]]
    elif edit.endswith("words"):
        share = int(edit.split(maxsplit=1)[0]) / 100
        paragraphs = [
            " ".join("presumably" if rng.random() < share else word for word in text.split(" "))
            for text in paragraphs
        ]
    return "\n\n".join(paragraphs)


def compare_near_duplicates(options: argparse.Namespace) -> None:
    """Pairs of the same story that end in one cluster, and those that should not."""
    texts, labels, edits = labelled_texts(options.texts)
    results: dict[str, dict[str, Any] | str] = {
        "news-ingest": peer_jobs.find_near(_our_clusters, {"texts": texts})
    }
    for peer in peer_jobs.TEXTS:
        results[peer] = ask(peer, {"texts": texts}, offline=options.offline)
    print(f"near: {len(texts)} texts, {sum(e in _EDITS for e in edits)} copies; found of each kind "
          f"of copy, and kept of {edits.count(_TEMPLATE)} from templates")  # fmt: skip
    short = [edit.replace(" of words", "") for edit in _EDITS]
    print(f"  {'':14}{'precision':>10}{'recall':>8}{'f1':>7}{'texts/s CPU':>13}"
          + "".join(f"{edit:>13}" for edit in (*short, "templates")))  # fmt: skip
    for name, result in results.items():
        if isinstance(result, str):
            print(f"  {name:14} {result}")
            continue
        clusters = result["clusters"]
        together = _pairs(zip(clusters, clusters, strict=True))
        right = _pairs(zip(clusters, labels, strict=True))
        wanted = _pairs(zip(labels, labels, strict=True))
        precision, recall = right / max(1, together), right / wanted
        home = {label: clusters[n] for n, label in enumerate(labels) if edits[n] == "original"}
        cells = ""
        for edit in _EDITS:
            share = _share(
                clusters[n] == home[labels[n]] for n, found in enumerate(edits) if found == edit
            )
            cells += f"{share or 0:13.2f}"
        sizes = Counter(clusters)
        alone = _share(sizes[clusters[n]] == 1 for n, e in enumerate(edits) if e == _TEMPLATE)
        cells += f"{alone or 0:13.2f}"
        f1 = 2 * precision * recall / (precision + recall) if right else 0.0
        print(f"  {name:14}{precision:10.3f}{recall:8.3f}{f1:7.3f}"
              f"{len(texts) / result['cpu_s']:13,.0f}{cells}")  # fmt: skip


def _our_clusters(texts: list[str]) -> list[int]:
    found = find_duplicates([Text(str(n), text) for n, text in enumerate(texts)])
    return [int(verdict.cluster_id) for verdict in found]


def _pairs(keys: Iterable[tuple[int, int]]) -> int:
    return sum(n * (n - 1) // 2 for n in Counter(keys).values())


# ---------------------------------------------------------------- writing, fetching


def compare_writing(options: argparse.Namespace) -> None:
    """The same rows by pyarrow and by Beam's own sinks, which need no environment of their own."""
    write.compare(options.rows, 300)


def compare_fetching(options: argparse.Namespace) -> None:
    """The same pages from the same hosts: ours with robots.txt, and Scrapy with it, too."""
    hosts = [f"127.0.0.{n}" for n in range(1, 201)]
    with fetch.site(hosts, 0.05) as port:
        uris = [f"http://{hosts[n % 200]}:{port}/{n}" for n in range(options.pages)]
        print(f"fetch: {len(uris)} pages of 200 hosts at 50 ms latency, one process each")
        print(f"  {'':24}{'pages':>7}{'pages/s':>9}{'ms CPU a page':>15}")
        for name, measure in (
            ("news-ingest", lambda: fetch.fetch_pages(uris, 0.0, 1)),
            ("requests, 64 threads", lambda: fetch.bare_pool(uris)),
        ):
            cpu_s = time.process_time()
            pages, seconds = measure()
            _print_fetched(name, pages, seconds, time.process_time() - cpu_s)
        found = ask("scrapy", {"uris": uris}, offline=options.offline)
        if isinstance(found, str):
            print(f"  {'scrapy':24} {found}")
        else:
            _print_fetched("scrapy", found["pages"], found["seconds"], found["cpu_s"])


def _print_fetched(name: str, pages: int, seconds: float, cpu_s: float) -> None:
    print(f"  {name:24}{pages:7}{pages / seconds:9.0f}{cpu_s * 1000 / max(1, pages):15.2f}")


SECTIONS = {
    "split": compare_splitting,
    "articles": compare_articles,
    "near": compare_near_duplicates,
    "write": compare_writing,
    "fetch": compare_fetching,
}


def main() -> None:
    """Print a table for each section."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], default=[*SECTIONS])
    parser.add_argument("--rounds", type=int, default=3, help="of each page the best one counts")
    parser.add_argument("--texts", type=int, default=3000, help="stories, for near")
    parser.add_argument("--rows", type=int, default=300_000, help="for write")
    parser.add_argument("--pages", type=int, default=6000, help="for fetch")
    parser.add_argument("--liveblogs", type=Path, default=_LIVEBLOGS, metavar="FOLDER")
    parser.add_argument("--offline", action="store_true", help="install nothing")
    options = parser.parse_args()
    for section in options.sections:
        SECTIONS[section](options)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
