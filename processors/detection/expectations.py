"""What was said beforehand of one watch: more than usual will come, for how long, and why. It raises what is usual, and mutes nothing."""

from typing import Any, Final, NamedTuple, Self

from processors.detection.clocks import bucket_of
from processors.detection.damping import WINDOW_BUCKETS
from processors.spikes.expectations import MEMORY_BUCKETS, Expectation, known
from processors.spikes.surge import USUAL, Known
from schemas.hits import LONGEST_REASON
from schemas.hits import Expectation as ExpectationRecord
from schemas.records import NotARecord

EXPECTATIONS: Final = 256  # that are not long over
_NO_MORE: Final = 1.0  # a factor that takes an expectation back


class _Expected(NamedTuple):
    span: Expectation
    reason: str


class Expectations:
    """Those that hold, will hold, or are not yet forgotten by the statistic."""

    __slots__ = ("_expected",)

    def __init__(self) -> None:
        self._expected: dict[str, _Expected] = {}  # by the expectation's id

    def take(self, record: ExpectationRecord) -> None:
        """Take over what is known beforehand, or that it no longer is. Raises `NotARecord` for more than the state can hold."""
        if len(record.reason) > LONGEST_REASON:
            raise NotARecord(f"a reason of more than {LONGEST_REASON} characters")
        if record.factor == _NO_MORE:
            self._expected.pop(record.expectation_id, None)
            return
        if len(self._expected) >= EXPECTATIONS and record.expectation_id not in self._expected:
            raise NotARecord(f"more than {EXPECTATIONS} expectations of one watch")
        span = Expectation(bucket_of(record.start), bucket_of(record.end), record.factor)
        self._expected[record.expectation_id] = _Expected(span, record.reason)

    def known(self, number: int) -> Known:
        """How many times the usual is expected in the minute `number`, and in the hour up to it."""
        return known(number, (found.span for found in self._expected.values())) if self._expected else USUAL

    def reasons(self, number: int) -> tuple[str, ...]:
        """Why more was expected in the hour up to the minute `number`; the earliest first."""
        spans = sorted((found.span, found.reason) for found in self._expected.values())
        return tuple(reason for span, reason in spans if span.first <= number < span.until + WINDOW_BUCKETS)

    def forget(self, closed: int) -> None:
        """Those that no longer bear on any minute after `closed`."""
        for name in [name for name, found in self._expected.items() if found.span.until + MEMORY_BUCKETS < closed]:
            del self._expected[name]

    def dump(self) -> list[list[Any]]:
        """As JSON: id, first minute, minute after the last, factor, reason."""
        return [[name, [*found.span], found.reason] for name, found in sorted(self._expected.items())]

    @classmethod
    def restore(cls, stored: list[list[Any]]) -> Self:
        """The inverse of `dump`."""
        expectations = cls()
        expectations._expected = {name: _Expected(Expectation(*span), reason) for name, span, reason in stored}
        return expectations
