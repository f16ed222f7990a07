"""Transport: records as bytes between workers.

Beam would pickle records one field at a time, at some 1,500 rows a second; as
MessagePack they take microseconds, and nothing that is read back can be code.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec
import pyarrow as pa
from apache_beam.coders import Coder, typecoders

from schemas.records import DuplicateRow, EntryRow, KnownEntry

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

pack: Callable[[Any], bytes] = msgspec.msgpack.Encoder().encode
"""A record, or a list of records, as bytes."""


def unpack(kind: type[T], packed: Any) -> T:
    """What was packed; kind: its type."""
    record: T = _decoder(cast("Any", kind)).decode(packed)
    return record


def pack_many(records: list[Any]) -> bytes:
    """Records of one type in one block, compressed: many blocks wait in memory at a time."""
    packed = pack(records)
    compressed: bytes = pa.compress(packed, "zstd", asbytes=True)
    return len(packed).to_bytes(8, "little") + compressed


def unpack_many(kind: type[T], block: bytes) -> list[T]:
    """What was packed in a block; kind: the type of one."""
    size_bytes = int.from_bytes(block[:8], "little")
    packed = pa.decompress(memoryview(block)[8:], size_bytes, "zstd")
    return unpack(cast("Any", list)[kind], packed)


@cache
def _decoder(kind: Any) -> Any:
    return msgspec.msgpack.Decoder(kind)


class RecordCoder(Coder):
    """Carries the records of one type, which Beam finds by their type hint."""

    def __init__(self, kind: type) -> None:
        self._kind = kind

    def encode(self, value: Any) -> bytes:
        """As MessagePack."""
        return pack(value)

    def decode(self, encoded: bytes) -> Any:
        """The record."""
        return unpack(self._kind, encoded)

    def is_deterministic(self) -> bool:
        """Fields are in their order."""
        return True

    def to_type_hint(self) -> Any:
        """The records' type."""
        return self._kind

    @classmethod
    def from_type_hint(cls, typehint: Any, registry: Any) -> Any:  # noqa: ARG003
        """What Beam's registry calls."""
        return cls(typehint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecordCoder) and other._kind is self._kind

    def __hash__(self) -> int:
        return hash(self._kind)


for _kind in (EntryRow, DuplicateRow, KnownEntry):
    typecoders.registry.register_coder(_kind, RecordCoder)
