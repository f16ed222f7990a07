"""Poll: the unbounded source; it asks again and again, each time in a window of its own.

A window is a run. The next one begins when the run before it is committed, not
earlier: so it finds in the dataset's index all that came before it, and its
outcome is that of a run by itself. A window is closed as soon as it has been
asked for; nobody waits for the clock to reach its end.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import apache_beam as beam
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.transforms.window import FixedWindows, IntervalWindow, TimestampedValue
from apache_beam.utils.timestamp import Duration, Timestamp

from transforms import storage
from transforms.commit import run_in
from transforms.manifests import manifest_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apache_beam.pvalue import PBegin

_LOOK_EVERY_S = 1
_FOR_EVER_S = 1 << 40


class _Asked(NamedTuple):
    what: Any
    ends_s: int


class _Seconds(beam.RestrictionProvider):
    """The seconds since 1970 that are left; the one of each poll is claimed."""

    def initial_restriction(self, element: _Asked) -> OffsetRange:
        return OffsetRange(0, element.ends_s)

    def create_tracker(self, restriction: OffsetRange) -> OffsetRestrictionTracker:
        return OffsetRestrictionTracker(restriction)

    def restriction_size(self, _element: _Asked, _restriction: OffsetRange) -> int:
        return 1

    def truncate(self, _element: _Asked, _restriction: OffsetRange) -> None:
        """A job that is drained asks no more."""


_SECONDS = beam.DoFn.RestrictionParam(_Seconds())
_WATERMARK = beam.DoFn.WatermarkEstimatorParam(ManualWatermarkEstimator.default_provider())


class _Poll(beam.DoFn):
    def __init__(self, dataset: str, run_id: str, every_s: int) -> None:
        self._dataset = dataset
        self._run_id = run_id
        self._every_s = every_s

    @beam.DoFn.unbounded_per_element()  # type: ignore[untyped-decorator]
    def process(
        self, asked: _Asked, seconds: Any = _SECONDS, watermark: Any = _WATERMARK
    ) -> Iterator[Any]:
        now_s = int(time.time())
        last_s = seconds.current_restriction().start - 1
        if last_s < 0:
            # A job that is started again may find that its window is done.
            due_s = int(self._window(now_s).end) if self._is_committed(now_s) else now_s
        else:
            due_s = min(last_s + self._every_s, asked.ends_s)
        waits_s = due_s - now_s
        if waits_s > 0 or (last_s >= 0 and not self._is_committed(last_s)):
            # As seldom as can be: Flink's runner keeps something of each time for ever.
            seconds.defer_remainder(Duration(max(waits_s, _LOOK_EVERY_S)))
        elif seconds.try_claim(now_s):
            yield TimestampedValue(asked.what, Timestamp(now_s))
            watermark.set_watermark(self._window(now_s).end)
            seconds.defer_remainder(Duration(min(self._every_s, asked.ends_s - now_s)))

    def _window(self, second: int) -> IntervalWindow:
        begin_s = second - second % self._every_s
        return IntervalWindow(begin_s, begin_s + self._every_s)

    def _is_committed(self, second: int) -> bool:
        manifest = manifest_path(run_in(self._run_id, self._window(second)))
        return storage.exists(storage.join(self._dataset, manifest))


@dataclass
class Poll(beam.PTransform[Any, Any]):
    """One value again and again: unbounded, in fixed windows, one element in each.

    every_s: the least time between two, and the length of a window.
    ends_s: when it is over, in seconds since 1970; None for never.
    run_id: of the job; ``run_in`` names the run of each window after it.
    """

    what: Any
    dataset: str
    run_id: str
    every_s: int
    ends_s: int | None = None

    def expand(self, begin: PBegin) -> Any:
        """Elements are ``what``."""
        return (
            begin
            | beam.Create([_Asked(self.what, self.ends_s or _FOR_EVER_S)])
            | beam.ParDo(_Poll(self.dataset, self.run_id, self.every_s))
            | beam.WindowInto(FixedWindows(self.every_s))
        )
