"""The data dictionary: what every column of the dataset means, said in one place.

``python -m schemas.dictionary`` prints the tables of the README, whose test compares them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.arrow import DEAD_LETTERS, DUPLICATES, ENTRIES

if TYPE_CHECKING:
    import pyarrow as pa

MEANINGS = {
    "entry_id": "stable across runs",
    "revision": "0 when first seen, +1 each time its text changed",
    "page_url": "canonical address of the page",
    "entry_url": "permalink of the entry, null if it has none",
    "publisher": "registered domain; a bare host where there is none",
    "page_title": "as the page gives it for sharing, else its headline, else its title",
    "headline": "null where the entry has none",
    "body": "plain text, paragraphs separated by a blank line",
    "authors": "people, not the masthead",
    "published_at": "null if unknown",
    "updated_at": "null if unknown",
    "time_source": "dom, json_ld, microdata, text, page or fetch: where published_at came from",
    "position": "place on the page, 0 = first shown",
    "is_live_blog": "whether the page is one; else the entry is the whole article",
    "is_key_event": "whether the publisher marks it as important",
    "language": "BCP 47",
    "topic_qcode": "IPTC Media Topic, such as medtop:15000000",
    "topic_source": "article_section, meta_section, url_path, breadcrumb, feed_category, keywords; "
    "publisher: by sources.yaml; text: told from the text by the lexicon; "
    "model: by `--topic_model`; revision: taken over from revision 0",
    "topic_score": "0 to 1: how sure",
    "topic_evidence": "the very value that decided, or the terms of the text that spoke most for "
    "it; of an unclassified text what it would have been, as in `text=politics? vote, minister`",
    "tags": "keywords",
    "links": "links in the entry",
    "images": "images in the entry",
    "split_by": "which kind of evidence found the entry",
    "content_hash": "exact text; case, white space and quotes do not matter",
    "cluster_id": "entries that tell the same share it, for ever; also with what quotes them "
    "at length",
    "fetched_at": "for files their modification time",
    "run_id": "the run that wrote the row",
    "source": "the option that asked for the page, and its value",
    "duplicate_of": "entry_id of the entry that was kept",
    "duplicate_kind": "exact: the same text but for case, quotes and white space; near: an edited "
    "copy on another page; contained: stands whole within the entry that was kept",
    "duplicate_score": "0 to 1, 1 for an exact copy: the word triples shared, of both texts "
    "together, or of the contained one",
    "dead_letter_id": "one page failing for one reason on one day is one row",
    "code": "why, see below",
    "stage": "sources, fetch, extract or split",
    "uri": "the page as its source named it",
    "detail": "one line for a person",
    "failed_at": "when it was given up",
}


def columns(schema: pa.Schema, without: pa.Schema | None = None) -> list[tuple[str, str, str]]:
    """Name, type and meaning of the columns of a table, those of another left out."""
    left_out = set(without.names) if without else set()
    return [
        (field.name, type_name(field), MEANINGS[field.name])
        for field in schema
        if field.name not in left_out
    ]


def type_name(field: pa.Field) -> str:
    """The type of a column as Arrow calls it, in short."""
    return str(field.type).replace("element: ", "").replace("tz=", "")


def tables() -> dict[str, list[tuple[str, str, str]]]:
    """The columns of each table; of duplicates those that entries has not."""
    return {
        "entries": columns(ENTRIES),
        "duplicates": columns(DUPLICATES, without=ENTRIES),
        "dead_letters": columns(DEAD_LETTERS),
    }


def markdown(rows: list[tuple[str, str, str]]) -> str:
    """A table as README shows it."""
    lines = ["| column | type | meaning |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


if __name__ == "__main__":
    for name, rows in tables().items():
        print(f"{name}\n\n{markdown(rows)}\n")
