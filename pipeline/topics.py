"""``topics train``: a text classifier learnt from one's own dataset. No Beam.

Publishers label most of their pages themselves: those are the examples, and no
publisher's page is judged by a model that has seen another page of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.files import whole_file
from pipeline.views import open_views
from schemas.errors import UsageError
from schemas.ids import stable_id
from transforms.topic_model import TopicModel, terms_of, write_model
from transforms.topic_text import TextTopic, text_topic

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

_FOLDS_MAX = 5
_TERMS_MAX = 50_000
_PAGES_PER_TOPIC_MIN = 2
_PAGES_PER_TERM_MIN = 2

_DECLARED = (
    "publisher", "article_section", "meta_section", "url_path", "breadcrumb", "feed_category",
    "keywords",
)  # fmt: skip
"""The topic_source of pages that say themselves what they are about."""

_PAGES = """
    SELECT page_url, any_value(publisher), any_value(page_title), any_value(language), topic,
           list(concat_ws(chr(10), headline, body) ORDER BY position, entry_id)
    FROM entries_latest WHERE topic_source IN ?
    GROUP BY page_url, topic ORDER BY page_url, topic"""


@dataclass(frozen=True, slots=True)
class Example:
    """A page whose publisher says what it is about."""

    publisher: str
    title: str | None
    language: str | None
    topic: str
    texts: tuple[str, ...]


def run(options: argparse.Namespace) -> int:
    """Train, evaluate, print and write.

    Raises UsageError where there is too little to learn from, or no scikit-learn.
    """
    pages = _declared_pages(options.dataset)
    judged = _judged(pages)
    model = train(pages)
    with whole_file(options.output) as file:
        write_model(model, file)
    by_lexicon = [text_topic(page.title, page.texts, page.language) for page in pages]
    publishers = len({page.publisher for page in pages})
    print(
        f"{len(pages):,} pages of {publishers:,} publishers, {len(model.labels)} topics declared\n"
        "Each page judged by a model that has seen no page of its publisher:\n"
    )
    print("\n".join(_table(pages, by_lexicon, judged, options.topic_min_score)))
    print(f"\nWrote {options.output}: model {model.version}, {len(model.vocabulary):,} terms.")
    print(f"To use it: news-ingest batch --topic_model {options.output} ...")
    return 0


def train(pages: list[Example]) -> TopicModel:
    """The model of some pages of at least two topics; the same pages give the same model."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - an extra
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    vectorizer = TfidfVectorizer(
        analyzer=lambda page: terms_of(page.title, page.texts),
        min_df=min(_PAGES_PER_TERM_MIN, len(pages)),
        max_features=_TERMS_MAX,
        sublinear_tf=True,
    )
    values = vectorizer.fit_transform(pages)
    topics = [page.topic for page in pages]
    learnt = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000)
    learnt.fit(values, topics)
    weights, intercept = learnt.coef_, learnt.intercept_
    if len(weights) == 1:  # of two topics only what speaks for the second
        weights = np.vstack([np.zeros_like(weights), weights])
        intercept = np.concatenate([[0.0], intercept])
    labels = tuple(map(str, learnt.classes_))
    vocabulary = tuple(map(str, vectorizer.get_feature_names_out()))
    kept = weights.astype(np.float32)
    return TopicModel(
        stable_id("topics", *labels, *vocabulary, kept.tobytes().hex())[:8],
        labels,
        vocabulary,
        vectorizer.idf_.astype(np.float32),
        kept,
        intercept.astype(np.float32),
    )


def _declared_pages(dataset: str) -> list[Example]:
    with open_views(dataset) as connection:
        rows = connection.execute(_PAGES, [list(_DECLARED)]).fetchall()
    pages = [
        Example(publisher or "", title, language, topic, tuple(texts))
        for _, publisher, title, language, topic, texts in rows
    ]
    counts: dict[str, int] = {}
    for page in pages:
        counts[page.topic] = counts.get(page.topic, 0) + 1
    enough = {topic for topic, n in counts.items() if n >= _PAGES_PER_TOPIC_MIN}
    for topic in sorted(counts.keys() - enough):
        print(f"Left out: {topic}, with a single page")
    pages = [page for page in pages if page.topic in enough]
    if len(enough) < 2 or len({page.publisher for page in pages}) < 2:
        raise UsageError(
            f"DATASET {dataset}: too little to learn from: it takes pages of two publishers that "
            "declare at least two topics, each on two pages or more; ingest more of them first"
        )
    return pages


def _judged(pages: list[Example]) -> list[TextTopic | None]:
    """What models say of pages of publishers that they have not seen."""
    try:
        from sklearn.model_selection import GroupKFold  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UsageError(
            "topics train: needs scikit-learn; install it with: pip install 'news-ingest[topics]'"
        ) from error
    publishers = [page.publisher for page in pages]
    folds = GroupKFold(min(_FOLDS_MAX, len(set(publishers))))
    judged: list[TextTopic | None] = [None] * len(pages)
    for seen, unseen in folds.split(pages, groups=publishers):
        known = [pages[n] for n in seen]
        if len({page.topic for page in known}) > 1:
            model = train(known)
            for n in unseen:
                judged[n] = model.topic(pages[n].title, pages[n].texts)
    return judged


def _table(
    pages: list[Example],
    by_lexicon: list[TextTopic | None],
    by_model: list[TextTopic | None],
    min_score: float,
) -> Iterable[str]:
    topics = sorted({page.topic for page in pages})
    wide = max(map(len, (*topics, "all topics")))
    least = f"from {min_score:g}"
    yield f"{'':{wide}}  {'':>6}  {'lexicon':>24}  {'model':>24}"
    yield f"{'topic':{wide}}  {'pages':>6}" + f"  {'all':>6} {least:>9} {'coverage':>7}" * 2
    for topic in (*topics, None):
        rows = [n for n, page in enumerate(pages) if topic in (None, page.topic)]
        figures = "".join(
            _figures([(pages[n].topic, found[n]) for n in rows], min_score)
            for found in (by_lexicon, by_model)
        )
        yield f"{topic or 'all topics':{wide}}  {len(rows):6,}{figures}"


def _figures(judged: list[tuple[str, Any]], min_score: float) -> str:
    """Accuracy of all, accuracy of those sure enough, and how many those are."""
    right = [found is not None and found.slug == topic for topic, found in judged]
    sure = [ok for ok, (_, found) in zip(right, judged, strict=True)
            if found is not None and found.score >= min_score]  # fmt: skip
    of_sure = f"{sum(sure) / len(sure):9.2f}" if sure else f"{'-':>9}"
    return f"  {sum(right) / len(right):6.2f} {of_sure} {len(sure) / len(right):8.2f}"
