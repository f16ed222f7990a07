"""The Arrow schemas of the dataset: column order and names are the contract.

Partition columns (date, topic) live in the folder names, not in the files.
"""

from __future__ import annotations

import pyarrow as pa

from schemas.topics import TOPIC_SCHEME

SCHEMA_VERSION = "1"

_TIMESTAMP = pa.timestamp("us", tz="UTC")
_STRINGS = pa.list_(pa.field("element", pa.string()))  # as Parquet gives it back

_METADATA = {"news_ingest.schema_version": SCHEMA_VERSION, "news_ingest.topic_scheme": TOPIC_SCHEME}

ENTRIES = pa.schema(
    [
        ("entry_id", pa.string()),
        ("revision", pa.int32()),
        ("page_url", pa.string()),
        ("entry_url", pa.string()),
        ("publisher", pa.string()),
        ("page_title", pa.string()),
        ("headline", pa.string()),
        ("body", pa.string()),
        ("authors", _STRINGS),
        ("published_at", _TIMESTAMP),
        ("updated_at", _TIMESTAMP),
        ("time_source", pa.string()),
        ("position", pa.int32()),
        ("is_live_blog", pa.bool_()),
        ("is_key_event", pa.bool_()),
        ("language", pa.string()),
        ("topic_qcode", pa.string()),
        ("topic_source", pa.string()),
        ("topic_score", pa.float32()),
        ("topic_evidence", pa.string()),
        ("tags", _STRINGS),
        ("links", _STRINGS),
        ("images", _STRINGS),
        ("split_by", pa.string()),
        ("content_hash", pa.string()),
        ("cluster_id", pa.string()),
        ("fetched_at", _TIMESTAMP),
        ("run_id", pa.string()),
        ("source", pa.string()),
    ],
    metadata=_METADATA,
)

DUPLICATES = pa.schema(
    [
        *ENTRIES,
        pa.field("duplicate_of", pa.string()),
        pa.field("duplicate_kind", pa.string()),
        pa.field("duplicate_score", pa.float32()),
    ],
    metadata=_METADATA,
)

DEAD_LETTERS = pa.schema(
    [
        ("dead_letter_id", pa.string()),
        ("code", pa.string()),
        ("stage", pa.string()),
        ("uri", pa.string()),
        ("page_url", pa.string()),
        ("detail", pa.string()),
        ("source", pa.string()),
        ("failed_at", _TIMESTAMP),
        ("run_id", pa.string()),
    ],
    metadata=_METADATA,
)

KNOWN_ENTRIES = pa.schema(
    [
        ("entry_id", pa.string()),
        ("revision", pa.int32()),
        ("content_hash", pa.string()),
        ("text_key", pa.string()),
        ("cluster_id", pa.string()),
        ("duplicate_of", pa.string()),
        ("published_at", _TIMESTAMP),
        ("date", pa.string()),
        ("topic", pa.string()),
        ("alias_of", pa.string()),
        ("is_time_known", pa.bool_()),
        ("rank", pa.uint64()),
        ("page_key", pa.uint64()),
        ("text_hash", pa.uint64()),
        ("keys", pa.binary()),
        ("shingles", pa.binary()),
        ("numbers", pa.binary()),
        ("names", pa.binary()),
        ("sig_version", pa.int32()),
    ],
    metadata=_METADATA,
)
"""What later runs must know of every row of entries and duplicates."""

KNOWN_BOILERPLATE = pa.schema([("sentence_key", pa.uint64())], metadata=_METADATA)
"""The sentences that publishers repeat, as ``transforms.dedup.signature`` hashes them."""

KNOWN_PAGES = pa.schema(
    [
        ("uri", pa.string()),
        ("etag", pa.string()),
        ("last_modified", pa.string()),
        ("is_live_blog", pa.bool_()),
        ("fetched_at", _TIMESTAMP),
    ],
    metadata=_METADATA,
)

KNOWN_DEAD_LETTERS = pa.schema([("dead_letter_id", pa.string())], metadata=_METADATA)
