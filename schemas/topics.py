"""The 17 top-level IPTC Media Topics, as slugs for partitions.

Source: IPTC NewsCodes, Media Topics vocabulary, https://cv.iptc.org/newscodes/mediatopic/
(CC BY 4.0).
"""

from __future__ import annotations

UNCLASSIFIED = "unclassified"

TOPIC_SCHEME = "iptc-medtop-17/1"
"""Kept in every file's metadata: which slugs a reader may meet."""

QCODES: dict[str, str] = {
    "arts-culture-entertainment-and-media": "medtop:01000000",
    "crime-law-and-justice": "medtop:02000000",
    "disaster-accident-and-emergency-incident": "medtop:03000000",
    "economy-business-and-finance": "medtop:04000000",
    "education": "medtop:05000000",
    "environment": "medtop:06000000",
    "health": "medtop:07000000",
    "human-interest": "medtop:08000000",
    "labour": "medtop:09000000",
    "lifestyle-and-leisure": "medtop:10000000",
    "politics": "medtop:11000000",
    "religion": "medtop:12000000",
    "science-and-technology": "medtop:13000000",
    "society": "medtop:14000000",
    "sport": "medtop:15000000",
    "conflict-war-and-peace": "medtop:16000000",
    "weather": "medtop:17000000",
}
"""Slug -> qcode."""

SLUGS: frozenset[str] = frozenset(QCODES) | {UNCLASSIFIED}
"""Every value the topic partition can take."""
