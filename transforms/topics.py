"""Topics: from what a page declares to one of the 17 Media Topics.

No Beam here, so that ``split`` starts at once; see ``transforms.stages``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.ids import content_hash
from schemas.records import EntryRow, TopicChoice
from schemas.topics import QCODES, UNCLASSIFIED
from transforms.topic_aliases import TOPIC_OF_ALIAS
from transforms.topic_text import plain_text, text_topic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from schemas.records import DeclaredTopic, Entry, Page, SplitPage
    from transforms.topic_model import TopicModel

_SCORES = {
    "publisher": 1.0,
    "article_section": 0.95,
    "meta_section": 0.9,
    "url_path": 0.85,
    "breadcrumb": 0.8,
    "feed_category": 0.75,
    "keywords": 0.6,
}
"""How far each kind of declaration is trusted, strongest first."""

_WORD_BREAK = re.compile(r"[^\w&]+")
_PATH_BREAK = re.compile(r"[/>|:»›;]")
_GENERIC = re.compile(
    r"\b(?:news|latest|live|headlines|top|uk|us|world|international|national|local|nachrichten|"
    r"aktuell|actualites?|actus?|infos?|noticias|ultimas|notizie|ultime|nieuws|laatste|"
    r"wiadomosci|section|category)\b"
)
"""Words beside the name of a section that say nothing of its topic."""

_UNKNOWN = TopicChoice(UNCLASSIFIED, None, None, 0.0, None)

DEFAULT_MIN_SCORE = 0.75
"""Below it a text's topic is right too rarely to be kept; see ``benchmarks.topics``."""


@dataclass(frozen=True, slots=True)
class ByText:
    """How a page that declares no topic gets one from its text.

    min_score: a likeliest topic that scores less is not taken; 0 takes any.
    model: what ``topics train`` learnt; the lexicon where there is none.
    """

    min_score: float = DEFAULT_MIN_SCORE
    model: TopicModel | None = None


BY_LEXICON = ByText()


def page_topic(split: SplitPage, by_text: ByText = BY_LEXICON) -> TopicChoice:
    """The topic of a page: what it declares, else what its title and whole text are about.

    A text that is not sure enough leaves the page unclassified, and says in
    score and evidence what it would have been.
    """
    page = split.page
    declared = choose_topic(page.declared_topics)
    if declared is not _UNKNOWN:
        return declared
    texts = [
        text
        for entry in split.entries
        for text in (entry.headline, entry.body)
        if text and text != page.title
    ]
    if by_text.model:
        source, found = "model", by_text.model.topic(page.title, texts)
    else:
        source, found = "text", text_topic(page.title, texts, page.language)
    if found is None:
        return _UNKNOWN
    terms = ", ".join(found.terms)
    if found.score < by_text.min_score:
        evidence = f"{source}={found.slug}? {terms}"
        return TopicChoice(UNCLASSIFIED, None, source, found.score, evidence)
    return TopicChoice(found.slug, QCODES[found.slug], source, found.score, f"{source}={terms}")


def choose_topic(declared: Iterable[DeclaredTopic]) -> TopicChoice:
    """The topic of a page from its declarations, the strongest kind first.

    A value that no alias knows, such as "News" or "World", falls through to
    the next one; with none left the page is unclassified.
    """
    ranked = sorted(
        (one for one in declared if one.source in _SCORES), key=lambda one: -_SCORES[one.source]
    )
    for one in ranked:
        slug = one.value if one.source == "publisher" else _topic_of_section(one.value)
        if slug:
            evidence = f"{one.source}={one.value}"
            return TopicChoice(slug, QCODES[slug], one.source, _SCORES[one.source], evidence)
    return _UNKNOWN


def _topic_of_section(value: str) -> str | None:
    """What a section means: its whole name, else the first part of a path that means anything."""
    for part in (value, *_PATH_BREAK.split(value)):
        key = alias_key(part)
        found = TOPIC_OF_ALIAS.get(key) or TOPIC_OF_ALIAS.get(_GENERIC.sub("", key).strip())
        if found:
            return found
    return None


def alias_key(value: str) -> str:
    """How an alias is looked up: case, accents and punctuation do not matter."""
    return _WORD_BREAK.sub(" ", plain_text(value).replace("_", " ")).strip()


def entry_rows(split: SplitPage, run_id: str, by_text: ByText = BY_LEXICON) -> Iterator[EntryRow]:
    """The dataset rows of a page: every entry with its page's topic.

    A single entry is too short to tell its topic by itself. Each row founds a
    cluster of its own until its duplicates are known.
    """
    topic = page_topic(split, by_text)
    for entry in split.entries:
        yield _row(split.page, entry, topic, is_live_blog=split.is_live_blog, run_id=run_id)


def _row(
    page: Page, entry: Entry, topic: TopicChoice, *, is_live_blog: bool, run_id: str
) -> EntryRow:
    return EntryRow(
        entry_id=entry.entry_id,
        revision=0,
        page_url=page.page_url,
        entry_url=entry.entry_url,
        publisher=page.publisher,
        page_title=page.title,
        headline=entry.headline,
        body=entry.body,
        authors=entry.authors,
        published_at=entry.published_at,
        updated_at=entry.updated_at,
        time_source=entry.time_source,
        position=entry.position,
        is_live_blog=is_live_blog,
        is_key_event=entry.is_key_event,
        language=page.language,
        topic_qcode=topic.qcode,
        topic_source=topic.source,
        topic_score=topic.score,
        topic_evidence=topic.evidence,
        tags=entry.tags or page.tags,
        links=entry.links,
        images=entry.images,
        split_by=entry.split_by,
        content_hash=content_hash(entry.headline, entry.body),
        cluster_id=entry.entry_id,
        fetched_at=page.fetched_at,
        run_id=run_id,
        source=page.source,
        date=(entry.published_at or page.fetched_at).date().isoformat(),
        topic=topic.topic,
    )
