from __future__ import annotations

import pickle

import pytest

from schemas.errors import (
    DEAD_LETTER_CODES,
    ExtractError,
    FetchError,
    NewsIngestError,
    PageError,
    SourceError,
    SplitError,
)

STAGES: list[type[PageError]] = [SourceError, FetchError, ExtractError, SplitError]


def test_no_code_belongs_to_two_stages() -> None:
    assert sum(len(stage.codes) for stage in STAGES) == len(DEAD_LETTER_CODES)


def test_a_code_outside_its_list_is_a_bug() -> None:
    with pytest.raises(ValueError, match="no code of FetchError"):
        FetchError("no_text", "wrong stage")


@pytest.mark.parametrize("stage", STAGES)
def test_errors_survive_the_way_between_workers(stage: type[PageError]) -> None:
    code = min(stage.codes)
    error = pickle.loads(pickle.dumps(stage(code, "detail")))
    assert (type(error), error.code, error.detail) == (stage, code, "detail")
    assert isinstance(error, NewsIngestError)
