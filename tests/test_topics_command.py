"""``topics train`` and what uses its model, from pages to partitions."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from benchmarks.topics import labelled_texts
from pipeline.__main__ import main
from pipeline.topics import Example, train
from transforms.commit import claim
from transforms.topic_model import read_model, terms_of
from transforms.topics import DEFAULT_MIN_SCORE

ROOT = Path(__file__).parent.parent
TOPICS = {"sport": "Sport", "politics": "Politics", "health": "Health"}
PUBLISHERS = ("harbour-post.example", "lantern-gazette.example", "touchline.example")


def page(title: str, text: str, section: str | None = None) -> str:
    declared = f'<meta property="article:section" content="{section}">' if section else ""
    return (
        f'<!doctype html><html lang="en"><head><title>{title}</title>{declared}</head>'
        f"<body><article><h1>{title}</h1><p>{text}</p></article></body></html>"
    )


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts with their section, of three publishers, and one without."""
    place = tmp_path_factory.mktemp("train")
    texts = [t for t in labelled_texts() if t.topic in TOPICS and t.language == "en" and t.text]
    for n, text in enumerate(texts):
        markup = page(text.title, text.text, TOPICS[text.topic])
        address = f"https://{PUBLISHERS[n % 3]}/news/{n}"
        markup = markup.replace("</head>", f'<link rel=canonical href="{address}"></head>')
        (place / f"{n}.html").write_text(markup, "utf8")
    (place / "plain.html").write_text(page("Keeper saves penalty", "The goalkeeper " * 9), "utf8")
    dataset = place / "set"
    assert main(["batch", "--input", f"{place}/*.html", "--output", str(dataset)]) == 0
    return dataset


@pytest.fixture(scope="module")
def trained(dataset: Path) -> tuple[Path, list[str]]:
    """The file of the model, and what was printed."""
    path = dataset.parent / "topics.npz"
    with redirect_stdout(io.StringIO()) as printed:
        assert main(["topics", "train", str(dataset), "--output", str(path)]) == 0
    return path, printed.getvalue().splitlines()


def test_it_learns_from_declared_topics_and_shows_both_on_unseen_publishers(
    trained: tuple[Path, list[str]],
) -> None:
    path, lines = trained
    assert lines[0] == "55 pages of 3 publishers, 3 topics declared"
    assert "lexicon" in lines[3]
    assert lines[4].split() == [
        "topic", "pages", "all", "from", "0.75", "coverage", "all", "from", "0.75", "coverage",
    ]  # fmt: skip
    rows = {line.split("  ")[0]: line.split()[-7:] for line in lines[5:9]}
    assert list(rows) == ["health", "politics", "sport", "all topics"]
    pages, *figures = rows["all topics"]
    lexicon, sure, coverage, *_ = figures
    assert (pages, len(figures)) == ("55", 6)
    assert float(lexicon) >= 0.9
    assert float(sure) >= float(lexicon)
    assert 0.5 < float(coverage) <= 1
    learnt = read_model(str(path))
    assert set(learnt.labels) == set(TOPICS)
    assert f"Wrote {path}: model {learnt.version}, " in lines[-2]


def test_the_model_gives_the_probabilities_of_scikit_learn_and_is_the_same_again() -> None:
    texts = [t for t in labelled_texts() if t.topic in TOPICS and t.language == "fr"]
    pages = [Example("a", t.title, t.language, t.topic, (t.text,)) for t in texts]
    model = train(pages)
    assert train(pages).version == model.version
    values = TfidfVectorizer(
        analyzer=lambda page: terms_of(page.title, page.texts), min_df=2, sublinear_tf=True
    ).fit_transform(pages)
    learnt = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000)
    learnt.fit(values, [page.topic for page in pages])
    for page, wanted in zip(pages, learnt.predict_proba(values), strict=True):
        topic = model.topic(page.title, page.texts)
        assert topic
        assert topic.slug == learnt.classes_[wanted.argmax()]
        assert topic.score == pytest.approx(wanted.max(), abs=1e-5)


def test_two_topics_are_enough() -> None:
    pages = [Example("a", f"{word} today", "en", topic, ()) for word, topic in
             [("vote", "politics"), ("vote", "politics"), ("goal", "sport"), ("goal", "sport")]]  # fmt: skip
    model = train(pages)
    found = [model.topic(word, []) for word in ("vote", "goal")]
    assert [topic and topic.slug for topic in found] == ["politics", "sport"]
    assert all(topic and 0.5 < topic.score < 1 for topic in found)


def test_the_model_is_used_without_scikit_learn(
    dataset: Path, trained: tuple[Path, list[str]]
) -> None:
    model, _ = trained
    script = (
        "import json, sys; sys.modules['sklearn'] = None\n"
        "from pipeline.__main__ import main\n"
        "for words in json.loads(sys.argv[1]): print(main(words), flush=True)"
    )
    words = ["split", str(dataset.parent / "plain.html"), "--topics", "--topic_model", str(model)]
    words += ["--topic_min_score", "0"]
    train = ["topics", "train", str(dataset), "--output", "x"]
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps([words, train])],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    entry, *codes = map(json.loads, done.stdout.splitlines())
    assert entry["topic_source"] == "model"
    assert entry["topic_evidence"].startswith("model=")
    assert (codes, done.stderr.count("\n")) == ([0, 2], 1)
    assert "pip install 'news-ingest[topics]'" in done.stderr


def test_a_page_that_declares_nothing_has_its_topic_from_its_text(dataset: Path) -> None:
    (folder,) = {p.parent for p in dataset.rglob("*.parquet") if "topic=sport" in str(p)}
    rows = pq.read_table(folder).to_pylist()
    (row,) = [row for row in rows if row["topic_source"] == "text"]
    assert row["topic_qcode"] == "medtop:15000000"
    assert row["topic_evidence"].startswith("text=goalkeeper")
    assert DEFAULT_MIN_SCORE <= row["topic_score"] <= 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["topics"], "ACTION"),
        (["topics", "train", "{place}"], "--output"),
        (["topics", "train", "{place}/none", "--output", "x"], "holds no dataset"),
        (["topics", "train", "{place}/empty", "--output", "x"], "too little to learn from"),
    ],
)
def test_wrong_usage_is_one_line(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claim(str(tmp_path / "empty"))
    assert main([word.format(place=tmp_path) for word in words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
