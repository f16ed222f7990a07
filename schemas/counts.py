"""The counts that every manifest has."""

from __future__ import annotations

COUNTED = (
    "pages", "pages_split", "pages_failed", "not_modified", "live_blogs",
    "entries_found", "entries", "new_entries", "revisions", "duplicates", "unchanged",
    "dead_letters", "dead_letters_repeated",
)  # fmt: skip
"""What every manifest counts, also where it is nothing. Pages are split, failed or not
modified; entries found are written (new or a revision), duplicates or unchanged."""
