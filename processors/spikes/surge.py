"""The statistic SURGE for one series: one state, one score a minute."""

import math
import struct
from typing import Final, Self

from processors.spikes.baseline import Baseline, Usual, minute_of_week
from processors.spikes.evidence import BUCKETS_PER_HOUR, SCORE_FLOOR, Evidence, Member
from processors.spikes.members import Excess, Hour, Reading

TURKIYE_UTC_OFFSET_MINUTES: Final = 180  # all year since September 2016
PRIOR_PER_HOUR: Final = 1.2  # mentions an hour that a series without history is taken to have
SLOW_LEARNING: Final = 0.1  # of the usual speed while the score is 0 or more: a crisis is not to become the norm

_VERSION: Final = 1
_MEMBERS: Final = tuple(Member)
# version, member of the last evidence, late mentions since, offset, next bucket, buckets, two sums, last evidence
_HEAD: Final = struct.Struct("<BB?hII2d3d")
_VALUES: Final = struct.Struct(f"<{5 + 3 + 5 + 1 + 5 + Baseline.SEASON_VALUES}f")


class Surge:
    """State of one series; buckets are minutes since the Unix epoch, in event time.

    All numbers are rounded after each call to the precision in which they are stored, so storing and loading changes
    nothing, to the last bit. (377 bytes packed: the 62 numbers of the season are float32, because an average that is
    forgotten by 0.1 % a step would stand still in float16.)
    """

    __slots__ = ("_baseline", "_excess", "_hour", "_last", "_late", "_next", "_utc_offset_minutes")

    def __init__(
        self,
        first_bucket: int,
        *,
        utc_offset_minutes: int = TURKIYE_UTC_OFFSET_MINUTES,
        prior_per_hour: float = PRIOR_PER_HOUR,
    ) -> None:
        self._next = first_bucket
        self._utc_offset_minutes = utc_offset_minutes
        self._baseline = Baseline(prior_per_hour / BUCKETS_PER_HOUR)
        self._hour = Hour()
        self._excess = Excess(self._baseline.level)
        self._late = False
        self._last = Evidence(SCORE_FLOOR, Member.NONE, 0.0, self._baseline.level)

    @property
    def next_bucket(self) -> int:
        """The bucket that is to be ticked next."""
        return self._next

    @property
    def last(self) -> Evidence:
        """Of the last closed bucket."""
        return self._last

    @property
    def awaits_tick(self) -> bool:
        """A late mention came since the last tick: the next one says something new, also over an empty bucket."""
        return self._late

    def peek(self, bucket: int, weight: float) -> Evidence:
        """What `tick` would return if the bucket closed with this weight now; never falls as the weight grows."""
        return self._judge(bucket, weight)[0]

    def tick(self, bucket: int, weight: float) -> Evidence:
        """Close a bucket with the damped weight of its mentions. Raises ValueError if it is not the next one."""
        evidence, usual, hour, excess = self._judge(bucket, weight)
        buckets = self._baseline.buckets
        self._hour.learn(hour, buckets)
        self._excess.learn(excess, buckets)
        self._baseline.learn(usual, weight, SLOW_LEARNING if evidence.score >= 0 else 1.0)
        self._next = bucket + 1
        self._late = False
        self._last = evidence
        return evidence

    def advance(self, to_bucket: int) -> Evidence:
        """Close all buckets before `to_bucket` as empty; the last evidence."""
        for bucket in range(self._next, to_bucket):
            self.tick(bucket, 0.0)
        return self._last

    def late(self, weight: float, age_minutes: int) -> None:
        """Add a mention of a bucket that is closed: 0 minutes old if it belongs to the last one. Counts at next tick."""
        if age_minutes < 0:
            raise ValueError(f"a late mention cannot be {age_minutes} minutes old")
        _check(weight)
        self._hour.late(weight, age_minutes)
        self._excess.late(weight, age_minutes)
        self._late = True

    def copy(self) -> Self:
        """An independent state that is equal to this one."""
        return self.unpack(self.pack())

    def _judge(self, bucket: int, weight: float) -> tuple[Evidence, Usual, Reading, Reading]:
        if bucket != self._next:
            raise ValueError(f"bucket {self._next} is next, not {bucket}")
        _check(weight)
        usual = self._baseline.usual(minute_of_week(bucket, self._utc_offset_minutes))
        hour, excess = self._hour.read(weight), self._excess.read(weight, usual)
        score, member = max((hour.score, Member.HOUR), (excess.score, Member.EXCESS))
        if weight == 0 and not self._late:
            # As the evening falls the usual can fall faster than the sums; that nobody speaks is no sign of a surge.
            score = min(score, self._last.score)
        if score <= SCORE_FLOOR:
            member = Member.NONE
        return Evidence(score, member, hour.total, usual.mean), usual, hour, excess

    def pack(self) -> bytes:
        """The state, little-endian, on every machine the same."""
        last = self._last
        head = _HEAD.pack(
            _VERSION, _MEMBERS.index(last.member), self._late, self._utc_offset_minutes, self._next,
            self._baseline.buckets, self._hour.total, self._excess.total, last.score, last.observed_60m, last.expected,
        )  # fmt: skip
        return head + _VALUES.pack(
            *self._baseline.values(), *self._hour.values(), *self._hour.tail.values(),
            *self._excess.values(), *self._excess.tail.values(), *self._baseline.season.values(),
        )  # fmt: skip

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """The inverse of `pack`. Raises ValueError for another version or length."""
        if len(packed) != _HEAD.size + _VALUES.size or packed[0] != _VERSION:
            raise ValueError(f"{len(packed)} bytes of version {packed[:1].hex()} are no state of version {_VERSION}")
        _, member, late, offset, following, buckets, hour, excess, *last = _HEAD.unpack_from(packed)
        surge = cls(following, utc_offset_minutes=offset)
        surge._late, surge._last = late, Evidence(last[0], _MEMBERS[member], last[1], last[2])
        surge._baseline.buckets, surge._hour.total, surge._excess.total = buckets, hour, excess
        surge._restore(_VALUES.unpack_from(packed, _HEAD.size))
        return surge

    def _restore(self, values: tuple[float, ...]) -> None:
        baseline, hour, excess, hour_tail, excess_tail = (
            self._baseline, self._hour, self._excess, self._hour.tail, self._excess.tail,
        )  # fmt: skip
        start = 0
        for restore, size in (
            (baseline.restore, 5), (hour.restore, 3), (hour_tail.restore, 5), (excess.restore, 1),
            (excess_tail.restore, 5), (baseline.season.restore, Baseline.SEASON_VALUES),
        ):  # fmt: skip
            restore(values[start : start + size])
            start += size


def _check(weight: float) -> None:
    if not 0 <= weight < math.inf:
        raise ValueError(f"a weight is a number from 0 up, not {weight}")
