from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.options import parse
from schemas.errors import UsageError
from transforms.topic_model import TopicModel, read_model, terms_of, write_model

MODEL = TopicModel(
    "abc",
    ("politics", "sport"),
    ("ball", "red ball", "vote"),
    np.array([1, 2, 1.5], np.float32),
    np.array([[-1, 0, 3], [2, 1, -2]], np.float32),
    np.array([0.1, -0.1], np.float32),
)


def written(tmp_path: Path, **changes: Any) -> str:
    path = tmp_path / "model.npz"
    with path.open("wb") as file:
        write_model(MODEL, file)
    if changes:
        with np.load(path) as arrays:
            np.savez(path, **{**arrays, **changes})
    return str(path)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    model = read_model(written(tmp_path))
    assert (model.version, model.labels, model.vocabulary) == (
        "abc",
        MODEL.labels,
        MODEL.vocabulary,
    )
    texts = (None, ["A red ball."]), ("Vote!", ["Vote"]), ("Ball", ["vote"])
    assert [model.topic(*one) for one in texts] == [MODEL.topic(*one) for one in texts]


def test_the_likeliest_label_with_its_probability_and_the_terms_that_spoke_for_it() -> None:
    topic = MODEL.topic("Red", ["ball"])
    assert topic
    values = np.array([1, 2]) / np.sqrt(5)
    odds = np.exp([-values[0] + 0.1, 2 * values[0] + values[1] - 0.1])
    assert (topic.slug, topic.terms) == ("sport", ("ball", "red ball"))
    assert topic.score == pytest.approx(odds[1] / odds.sum(), rel=1e-5)
    assert MODEL.topic("Nothing", ["known"]) is None


def test_terms_are_words_and_pairs_without_case_and_accents() -> None:
    assert terms_of("Élan", ["Vital now"]) == ["elan", "vital", "now", "elan vital", "vital now"]
    assert terms_of(None, []) == []


def test_workers_get_it_whole() -> None:
    MODEL.topic(None, ["ball"])
    assert pickle.loads(pickle.dumps(MODEL)).topic(None, ["ball"]) == MODEL.topic(None, ["ball"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": np.array("other/1")}, "its format is 'other/1', not 'news-ingest-topics/1'"),
        ({"labels": np.array(["politics", "gossip"])}, "its labels are no topics"),
        ({"labels": np.array([])}, "it holds other data"),
        ({"idf": np.ones(2, np.float32)}, "its idf do not fit its labels and terms"),
        ({"weights": np.full((2, 3), np.nan)}, "its weights do not fit its labels and terms"),
        ({"intercept": np.array(["a", "b"])}, "it holds other data"),
        ({"vocabulary": np.array([{}], object)}, "Object arrays cannot be loaded"),
    ],
)  # fmt: skip
def test_a_foreign_model_is_one_clear_line(tmp_path: Path, changes: Any, said: str) -> None:
    path = written(tmp_path, **changes)
    with pytest.raises(UsageError, match="--topic_model") as caught:
        parse(["split", "page.html", "--topic_model", path])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"PK\x03\x04", b"\x93NUMPY", pickle.dumps([1]), "array"]
)
def test_what_is_no_model_is_one_clear_line(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "model.npz"
    if content == "array":
        buffer = io.BytesIO()
        np.save(buffer, np.ones(3))
        content = buffer.getvalue()
    path.write_bytes(content)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="is no model of topics train"):
        parse(["split", "page.html", "--topic_model", str(path)])


def test_a_model_that_is_cut_short_or_not_there(tmp_path: Path) -> None:
    path = Path(written(tmp_path))
    path.write_bytes(path.read_bytes()[:-200])
    for name in (path, tmp_path / "none.npz"):
        with pytest.raises(UsageError, match="--topic_model"):
            parse(["split", "page.html", "--topic_model", str(name)])
