"""What peers make of our pages and texts, each through its own interface.

    PYTHON peer_jobs.py PEER INPUT.json OUTPUT.json

Run by ``benchmarks.peers`` in an environment that holds the peer and nothing of
ours: several cannot be installed side by side. CPU seconds are of this process
and its children, without the import.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

PERMUTATIONS = 128
THRESHOLD = 0.5
"""Of the Jaccard similarity of word 3-grams, for the peers that let one choose."""


# ---------------------------------------------------------------- pages


def trafilatura_page() -> Callable[[bytes, str], dict[str, Any]]:
    import trafilatura

    def read(content: bytes, url: str) -> dict[str, Any]:
        found = trafilatura.bare_extraction(content, with_metadata=True, url=url)
        if found is None:
            return {}
        authors = (found.author or "").split("; ")
        return {
            "headline": found.title, "body": found.text, "authors": authors,
            "published_at": found.date,
        }  # fmt: skip

    return read


def newspaper4k_page() -> Callable[[bytes, str], dict[str, Any]]:
    import newspaper

    def read(content: bytes, url: str) -> dict[str, Any]:
        found = newspaper.Article(url, fetch_images=False)
        found.download(input_html=content.decode("utf-8", "replace"))
        found.parse()
        return {
            "headline": found.title, "body": found.text, "authors": found.authors,
            "published_at": found.publish_date and found.publish_date.isoformat(),
        }  # fmt: skip

    return read


def news_please_page() -> Callable[[bytes, str], dict[str, Any]]:
    from newsplease import NewsPlease

    def read(content: bytes, url: str) -> dict[str, Any]:
        found = NewsPlease.from_html(content.decode("utf-8", "replace"), url=url)
        return {
            "headline": found.title, "body": found.maintext, "authors": found.authors,
            "published_at": found.date_publish and found.date_publish.isoformat(),
        }  # fmt: skip

    return read


def fundus_page() -> Callable[[bytes, str], dict[str, Any]]:
    """Knows its publishers one by one: of all others it makes nothing."""
    from datetime import UTC, datetime
    from urllib.parse import urlsplit

    from fundus import PublisherCollection

    def host(url: str) -> str:
        return (urlsplit(url).hostname or "").removeprefix("www.")

    publishers = {host(publisher.domain): publisher for publisher in PublisherCollection}

    def read(content: bytes, url: str) -> dict[str, Any]:
        publisher = publishers.get(host(url))
        if publisher is None:
            return {"unknown": True}
        parser = publisher.parser(datetime.now(UTC))
        found = parser.parse(content.decode("utf-8", "replace"), "suppress")
        at = found.get("publishing_date")
        return {
            "headline": found.get("title"), "body": str(found.get("body") or ""),
            "authors": found.get("authors") or [], "published_at": at and at.isoformat(),
        }  # fmt: skip

    return read


def read_pages(read: Callable[[bytes, str], dict[str, Any]], job: dict[str, Any]) -> dict[str, Any]:
    """What is found in each page, and the CPU seconds of its best round."""
    found: list[dict[str, Any]] = [{} for _ in job["pages"]]
    best = [float("inf")] * len(found)
    for _ in range(job["rounds"]):
        for n, page in enumerate(job["pages"]):
            content = Path(page["file"]).read_bytes()
            started_s = time.process_time()
            try:
                found[n] = read(content, page["url"])
            except Exception as error:  # noqa: BLE001 - whatever a peer raises is its answer
                found[n] = {"error": f"{type(error).__name__}: {error}"[:200]}
            best[n] = min(best[n], time.process_time() - started_s)
    return {"found": found, "cpu_s": best}


# ---------------------------------------------------------------- near-duplicates


def shingles(text: str) -> set[str]:
    words = text.casefold().split()
    return {" ".join(words[k : k + 3]) for k in range(max(1, len(words) - 2))}


def joined(count: int, pairs: list[tuple[int, int]]) -> list[int]:
    """The cluster of each text, where every pair joins two."""
    home = list(range(count))

    def find(n: int) -> int:
        while home[n] != n:
            home[n] = home[home[n]]
            n = home[n]
        return n

    for a, b in pairs:
        home[max(find(a), find(b))] = min(find(a), find(b))
    return [find(n) for n in range(count)]


def datasketch_clusters(texts: list[str]) -> list[int]:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    made, pairs = [], []
    for n, text in enumerate(texts):
        sketch = MinHash(num_perm=PERMUTATIONS)
        sketch.update_batch([one.encode() for one in shingles(text)])
        near = [m for m in index.query(sketch) if sketch.jaccard(made[m]) >= THRESHOLD]
        pairs += [(m, n) for m in near]
        index.insert(n, sketch)
        made.append(sketch)
    return joined(len(texts), pairs)


def rensa_clusters(texts: list[str]) -> list[int]:
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=32)
    made, pairs = [], []
    for n, text in enumerate(texts):
        sketch = RMinHash(num_perm=PERMUTATIONS, seed=42)
        sketch.update(list(shingles(text)))
        near = [m for m in index.query(sketch) if sketch.jaccard(made[m]) >= THRESHOLD]
        pairs += [(m, n) for m in near]
        index.insert(n, sketch)
        made.append(sketch)
    return joined(len(texts), pairs)


def datatrove_clusters(texts: list[str]) -> list[int]:
    """Its four steps on files, with its own defaults but for the 3-grams of the others."""
    from datatrove.data import Document
    from datatrove.executor.local import LocalPipelineExecutor
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.writers import JsonlWriter
    from datatrove.utils.logging import logger

    logger.remove()
    config = MinhashConfig(n_grams=3)
    clusters: dict[int, int] = {}

    def documents(*_: Any, **__: Any) -> Any:
        return (Document(text, str(n)) for n, text in enumerate(texts))

    def remember(data: Any, *_: Any, **__: Any) -> Any:
        for document in data:
            clusters[int(document.id)] = document.metadata.get("minhash_cluster_id", -1)
            yield document

    with tempfile.TemporaryDirectory() as folder:
        signatures, buckets, removed = (f"{folder}/{name}" for name in ("sig", "bucket", "remove"))
        dropped = JsonlWriter(f"{folder}/dropped", compression=None)
        keep = MinhashDedupFilter(removed, dropped, load_cluster_ids=True)
        steps: list[tuple[list[Any], int]] = [
            ([documents, MinhashDedupSignature(signatures, config)], 1),
            ([MinhashDedupBuckets(signatures, buckets, config=config)], config.num_buckets),
            ([MinhashDedupCluster(buckets, removed, config=config, save_cluster_id=True)], 1),
            ([documents, keep, remember], 1),
        ]
        for number, (pipeline, tasks) in enumerate(steps):
            logs = f"{folder}/logs/{number}"
            LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=logs).run()
        for path in Path(folder, "dropped").rglob("*.jsonl"):
            for row in map(json.loads, path.read_text("utf8").splitlines()):
                clusters[int(row["id"])] = row["metadata"]["minhash_cluster_id"]
    pairs, first = [], {}
    for n, cluster in sorted(clusters.items()):
        if cluster != -1:
            pairs.append((first.setdefault(cluster, n), n))
    return joined(len(texts), pairs)


def find_near(cluster: Callable[[list[str]], list[int]], job: dict[str, Any]) -> dict[str, Any]:
    cluster(job["texts"][:20])  # imports and first-use set-up are not its speed
    started_s = cpu_s()
    found = cluster(job["texts"])
    return {"clusters": found, "cpu_s": cpu_s() - started_s}


# ---------------------------------------------------------------- fetching


def scrapy_fetch(job: dict[str, Any]) -> dict[str, Any]:
    """As its documentation sets it up for broad crawls."""
    import scrapy
    from scrapy.crawler import CrawlerProcess

    class Spider(scrapy.Spider):
        name = "benchmark"
        start_urls = job["uris"]
        pages = 0

        def parse(self, response: Any) -> None:
            Spider.pages += response.status == 200

    process = CrawlerProcess(
        {
            "CONCURRENT_REQUESTS": 64, "CONCURRENT_REQUESTS_PER_DOMAIN": 1, "DOWNLOAD_DELAY": 0,
            "ROBOTSTXT_OBEY": True, "LOG_ENABLED": False, "RETRY_ENABLED": False,
            "SCHEDULER_PRIORITY_QUEUE": "scrapy.pqueues.DownloaderAwarePriorityQueue",
            "TELNETCONSOLE_ENABLED": False, "USER_AGENT": "benchmark",
        }
    )  # fmt: skip
    process.crawl(Spider)
    started_s, started_cpu_s = time.perf_counter(), cpu_s()
    process.start()
    return {
        "pages": Spider.pages, "seconds": time.perf_counter() - started_s,
        "cpu_s": cpu_s() - started_cpu_s,
    }  # fmt: skip


def cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


PAGES = {
    "trafilatura": trafilatura_page,
    "newspaper4k": newspaper4k_page,
    "news-please": news_please_page,
    "fundus": fundus_page,
}
TEXTS = {
    "datasketch": datasketch_clusters,
    "rensa": rensa_clusters,
    "datatrove": datatrove_clusters,
}


def main() -> None:
    """Do one job."""
    peer, source, target = sys.argv[1:]
    job = json.loads(Path(source).read_text("utf8"))
    if peer in PAGES:
        result = read_pages(PAGES[peer](), job)
    elif peer in TEXTS:
        result = find_near(TEXTS[peer], job)
    else:
        result = scrapy_fetch(job)
    Path(target).write_text(json.dumps(result), "utf8")


if __name__ == "__main__":
    main()
