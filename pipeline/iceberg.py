"""``iceberg``: an Iceberg table over the committed files of a dataset.

The table holds the files themselves, none is copied; each registration is a
snapshot, to which engines can go back as long as a compaction has not deleted its files.
``date`` and ``topic`` are folder names and not in the files, so the table has no
partitions: an engine skips files by the bounds of ``published_at`` and
``topic_qcode``, which are kept for every file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.dataset import open_dataset
from schemas.arrow import ENTRIES
from schemas.errors import DatasetError, UsageError

if TYPE_CHECKING:
    import argparse

TABLE = "news_ingest.entries"


def run(options: argparse.Namespace) -> int:
    """Register what is new, drop what a compaction has removed; one line tells of it."""
    added, removed = register(options.dataset)
    state = f"{added:,} files added, {removed:,} removed" if added or removed else "nothing is new"
    print(f"{TABLE} in {catalog_uri(options.dataset)}: {state}")
    return 0


def catalog_uri(dataset: str) -> str:
    """Where the catalogue of a dataset is."""
    return f"sqlite:///{Path(dataset).resolve()}/_iceberg/catalog.db"


def register(dataset: str) -> tuple[int, int]:
    """Make the table hold the committed files of ``entries``; how many were added and removed.

    All of it is one snapshot, and none if nothing has changed. Raises UsageError
    if there is no dataset on this machine, or for want of the extra.
    """
    if "://" in dataset:
        raise UsageError(f"DATASET {dataset}: must be a folder on this machine")
    wanted = {f"file://{Path(path).resolve()}" for path in open_dataset(dataset).files}
    table = _table(dataset)
    known = {task.file.file_path: task.file for task in table.scan().plan_files()}
    new, gone = sorted(wanted - known.keys()), sorted(known.keys() - wanted)
    if not new and not gone:
        return 0, 0
    from pyiceberg.io.pyarrow import parquet_files_to_data_files  # noqa: PLC0415 - the extra

    with table.transaction() as transaction:
        _name_columns(transaction, table)
        with transaction.update_snapshot().overwrite() as snapshot:
            for path in gone:
                snapshot.delete_data_file(known[path])
            metadata = transaction.table_metadata
            for file in parquet_files_to_data_files(table.io, metadata, iter(new)):
                snapshot.append_data_file(file)
    return len(new), len(gone)


def _table(dataset: str) -> Any:
    try:
        from pyiceberg.catalog.sql import SqlCatalog  # noqa: PLC0415 - the extra
    except ImportError as error:
        raise UsageError("iceberg needs more: pip install 'news-ingest[iceberg]'") from error
    place = Path(dataset).resolve() / "_iceberg"
    try:
        place.mkdir(exist_ok=True)
    except OSError as error:
        raise DatasetError(f"{place} cannot be made: {error}") from error
    catalog = SqlCatalog("news_ingest", uri=catalog_uri(dataset), warehouse=f"file://{place}")
    catalog.create_namespace_if_not_exists(TABLE.partition(".")[0])
    return catalog.create_table_if_not_exists(TABLE, schema=ENTRIES.remove_metadata())


def _name_columns(transaction: Any, table: Any) -> None:
    """Files that were not written by Iceberg have names of columns only, no numbers."""
    from pyiceberg.table import TableProperties  # noqa: PLC0415 - the extra

    if TableProperties.DEFAULT_NAME_MAPPING not in table.properties:
        mapping = table.schema().name_mapping.model_dump_json()
        transaction.set_properties(**{TableProperties.DEFAULT_NAME_MAPPING: mapping})
