"""The statistic SURGE for one series: one state, one score a minute."""

import math
import struct
from collections.abc import Callable
from enum import IntEnum
from typing import Final, NamedTuple, Self

from processors.spikes.baseline import LARGEST_COUNT, SMALLEST, Baseline, Season, Usual, minute_of_week
from processors.spikes.evidence import BUCKETS_PER_DAY, BUCKETS_PER_HOUR, SCORE_FLOOR, Evidence, Member
from processors.spikes.members import LARGEST_SCORE, Excess, Hour, Reading
from processors.spikes.tails import LEARNED_SCORE, Tail

TURKIYE_UTC_OFFSET_MINUTES: Final = 180  # all year since September 2016
PRIOR_PER_HOUR: Final = 1.2  # mentions an hour that a series without history is taken to have
SLOW_LEARNING: Final = 0.1  # of the usual speed while the score is 0 or more: a crisis is not to become the norm
SEASON_SCORE: Final = -1.5  # from here on the season stands still, before a rise is told: hours have few visits to learn from
DayOff = Callable[[int], bool]
"""Whether a local day, as a number since 1970, is a public holiday."""
SILENCE: Final = 14 * BUCKETS_PER_DAY  # after so many empty buckets more of them teach nothing: time stands still

_VERSION: Final = 2
_LARGEST_NUMBER: Final = 1e12  # of any stored one, far from overflowing
_SMALLEST_LEVEL: Final = SMALLEST / 2  # float32 rounds a little below
_SUNDAY: Final = 6 * BUCKETS_PER_DAY
_MEMBERS: Final = tuple(Member)
# version, flags, offset, next bucket, buckets, silent buckets, two sums, last evidence
_HEAD: Final = struct.Struct("<BBhIHH2d3f")
_VALUES: Final = struct.Struct(f"<{5 + 3 + 5 + 1 + 5}f")
_FLOATS: Final = struct.Struct("<3f")


class Known(NamedTuple):
    """What is known beforehand: times the usual that is expected in this bucket, and in the hour before it."""

    now: float
    hour: float


USUAL: Final = Known(1.0, 1.0)


class Verdict(IntEnum):
    """What a person said about the rise that is going on."""

    NONE = 0
    CRISIS = 1
    NO_CRISIS = 2


class Surge:
    """State of one series; buckets are minutes since the Unix epoch, in event time.

    In its first hour it says nothing (`warms_up`). All numbers are rounded after each call to the precision in which they
    are stored, so storing and loading changes nothing, to the last bit. 256 bytes packed.
    """

    __slots__ = (
        "_baseline",
        "_day_off",
        "_excess",
        "_hour",
        "_last",
        "_late",
        "_next",
        "_silent",
        "_utc_offset_minutes",
        "_verdict",
    )

    def __init__(
        self,
        first_bucket: int,
        *,
        utc_offset_minutes: int = TURKIYE_UTC_OFFSET_MINUTES,
        prior_per_hour: float = PRIOR_PER_HOUR,
        day_off: DayOff | None = None,
    ) -> None:
        """`day_off`: days that are like a Sunday, whatever they are called; it is not part of the state."""
        self._day_off = day_off
        self._next = first_bucket
        self._silent = 0  # empty buckets since the last mention
        self._utc_offset_minutes = utc_offset_minutes
        self._baseline = Baseline(prior_per_hour / BUCKETS_PER_HOUR)
        self._hour = Hour()
        self._excess = Excess(self._baseline.level)
        self._late = False
        self._verdict = Verdict.NONE
        self._last = _rounded(SCORE_FLOOR, Member.NONE, 0.0, self._baseline.level)

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

    @property
    def stands_still(self) -> bool:
        """After so long a silence another empty bucket changes nothing but which one is next."""
        return not self._late and self._silent > SILENCE

    @property
    def warms_up(self) -> bool:
        """In its first hour a series measures, and says nothing."""
        return self._baseline.warms_up

    @property
    def level(self) -> float:
        """Usual weight a bucket, whatever the hour and weekday."""
        return self._baseline.level

    def usual(self, bucket: int, known: Known = USUAL) -> float:
        """Weight that is usual in any bucket, by what is known so far; changes nothing."""
        return self._baseline.usual(self._minute(bucket), known.now).mean

    def peek(self, bucket: int, weight: float, known: Known = USUAL) -> Evidence:
        """What `tick` would return if the bucket closed with this weight now; never falls as the weight grows."""
        return self._judge(bucket, weight, known)[0]

    def tick(self, bucket: int, weight: float, known: Known = USUAL) -> Evidence:
        """Close a bucket with the damped weight of its mentions. Raises ValueError if it is not the next one."""
        if weight == 0 and bucket == self._next and self.stands_still:
            self._next = bucket + 1
            return self._last
        evidence, usual, hour, excess = self._judge(bucket, weight, known)
        self._silent = 0 if weight > 0 or self._late else self._silent + 1
        self._learn_members(hour, excess, known)
        trust = SLOW_LEARNING if evidence.score >= 0 else 1.0
        warmed_up = self.warms_up
        ends_hour = (bucket + self._utc_offset_minutes) % BUCKETS_PER_HOUR == BUCKETS_PER_HOUR - 1
        self._baseline.learn(usual, weight, trust, to_season=evidence.score < SEASON_SCORE, ends_hour=ends_hour)
        if warmed_up and not self.warms_up:
            self._hour.begin(self._baseline.level)
            self._excess.begin(self._baseline.level)
        self._next = bucket + 1
        self._late = False
        self._last = evidence
        if self._verdict is not Verdict.NONE and self._is_over(hour):
            self._verdict = Verdict.NONE
        return evidence

    def _is_over(self, hour: Reading) -> bool:
        """The rise of the verdict, with what its tails learn from."""
        calm = hour.value <= self._hour.tail.threshold and self._excess.total == 0
        return calm and self._hour.tail.peak == self._excess.tail.peak == 0

    def _learn_members(self, hour: Reading, excess: Reading, known: Known) -> None:
        if self.warms_up:
            self._hour.total, self._excess.total = hour.total, excess.total
            return
        buckets = self._baseline.buckets
        most = LARGEST_SCORE if self._verdict is Verdict.NO_CRISIS else LEARNED_SCORE
        still: list[tuple[Tail, tuple[float, ...]]] = []
        if self._verdict is Verdict.CRISIS:  # their time stands still: hours without a cluster would make the next ones unusual
            still = [(tail, tail.values()) for tail in (self._hour.tail, self._excess.tail)]
        self._hour.learn(hour, buckets, known.hour, most=most)
        self._excess.learn(excess, buckets, most=most)
        for tail, values in still:
            tail.restore(values)
            tail.peak = 0.0

    def advance(self, to_bucket: int) -> Evidence:
        """Close all buckets before `to_bucket` as empty; the last evidence. Takes no longer for years than for weeks."""
        while self._next < to_bucket:
            if self.stands_still:
                self._next = to_bucket
            else:
                self.tick(self._next, 0.0)
        return self._last

    def resume(self, bucket: int) -> None:
        """Go on at another bucket. What was between is not known, which is not silence: it teaches nothing."""
        self._hour.total, self._excess.total, self._excess.run = self._hour.mean, 0.0, 0.0
        self._hour.tail.peak = self._excess.tail.peak = 0.0
        self._next, self._silent = bucket, 0
        self._late, self._verdict = False, Verdict.NONE
        self._last = _rounded(SCORE_FLOOR, Member.NONE, self._hour.total, self._baseline.level)

    def late(self, weight: float, age_minutes: int) -> None:
        """Add a mention of a bucket that is closed: 0 minutes old if it belongs to the last one. Counts at next tick."""
        if age_minutes < 0:
            raise ValueError(f"a late mention cannot be {age_minutes} minutes old")
        _check(weight)
        self._hour.late(weight, age_minutes)
        self._excess.late(weight, age_minutes)
        self._late = True

    def take_verdict(self, *, crisis: bool) -> None:
        """What a person says about the rise that is going on, or that the tails have not learnt from yet; else it changes nothing.

        A crisis is not learnt from as something that happens by itself; what is none is learnt from in full, so that
        the same again is less unusual.
        """
        peaks = (tail.score(tail.peak) for tail in (self._hour.tail, self._excess.tail))
        if max(self._last.score, *peaks) >= 0:
            self._verdict = Verdict.CRISIS if crisis else Verdict.NO_CRISIS

    def copy(self) -> Self:
        """An independent state that is equal to this one."""
        return self.unpack(self.pack(), day_off=self._day_off)

    def _judge(self, bucket: int, weight: float, known: Known) -> tuple[Evidence, Usual, Reading, Reading]:
        if bucket != self._next:
            raise ValueError(f"bucket {self._next} is next, not {bucket}")
        _check(weight)
        usual = self._baseline.usual(self._minute(bucket), known.now)
        hour, excess = self._hour.read(weight, known.hour), self._excess.read(weight, usual)
        score, member = max((hour.score, Member.HOUR), (excess.score, Member.EXCESS))
        if weight == 0 and not self._late:
            # As the evening falls the usual can fall faster than the sums; that nobody speaks is no sign of a surge.
            score = min(score, self._last.score)
        if self.warms_up:
            score = SCORE_FLOOR
        if score <= SCORE_FLOOR:
            member = Member.NONE
        return _rounded(score, member, hour.total, usual.mean), usual, hour, excess

    def _minute(self, bucket: int) -> int:
        minute = minute_of_week(bucket, self._utc_offset_minutes)
        if self._day_off is not None and self._day_off((bucket + self._utc_offset_minutes) // BUCKETS_PER_DAY):
            return _SUNDAY + minute % BUCKETS_PER_DAY
        return minute

    def pack(self) -> bytes:
        """The state, little-endian, on every machine the same."""
        last = self._last
        flags = _MEMBERS.index(last.member) | self._late << 2 | self._verdict << 3
        head = _HEAD.pack(
            _VERSION, flags, self._utc_offset_minutes, self._next, self._baseline.buckets, self._silent, self._hour.total,
            self._excess.total, last.score, last.observed_60m, last.expected,
        )  # fmt: skip
        values = _VALUES.pack(
            *self._baseline.values(), *self._hour.values(), *self._hour.tail.values(),
            *self._excess.values(), *self._excess.tail.values(),
        )  # fmt: skip
        return head + values + Season.STORED.pack(*self._baseline.season.values())

    @classmethod
    def unpack(cls, packed: bytes, *, day_off: DayOff | None = None) -> Self:
        """The inverse of `pack`; also reads version 1. Raises ValueError for another version or length."""
        if len(packed) == _First.size and packed[0] == _First.version:
            return cls._unpack_first(packed, day_off)
        if len(packed) != _HEAD.size + _VALUES.size + Season.STORED.size or packed[0] != _VERSION:
            raise ValueError(f"{len(packed)} bytes of version {packed[:1].hex()} are no state of version {_VERSION} or 1")
        _, flags, offset, following, buckets, silent, hour, excess, *last = _HEAD.unpack_from(packed)
        if flags & 3 >= len(_MEMBERS):
            raise ValueError(f"there is no member {flags & 3}")
        surge = cls(following, utc_offset_minutes=offset, day_off=day_off)
        surge._silent, surge._late, surge._verdict = silent, bool(flags & 4), Verdict(flags >> 3)
        surge._last = Evidence(last[0], _MEMBERS[flags & 3], last[1], last[2])
        surge._baseline.buckets, surge._hour.total, surge._excess.total = buckets, hour, excess
        surge._restore(_VALUES.unpack_from(packed, _HEAD.size))
        surge._baseline.season.restore(Season.STORED.unpack_from(packed, _HEAD.size + _VALUES.size))
        return surge

    def check(self) -> None:
        """Raises ValueError for numbers that no series leads to: of a state that was not packed here, before it is used."""
        baseline, hour, excess = self._baseline, self._hour, self._excess
        level, extra_variance, *others = baseline.values()
        numbers = (
            hour.total, excess.total, *others, *hour.values(), *excess.values(), *hour.tail.values(), *excess.tail.values(),
            *baseline.season.values(),
        )  # fmt: skip
        sound = abs(extra_variance) <= _LARGEST_NUMBER and _SMALLEST_LEVEL <= level <= _LARGEST_NUMBER
        if not (sound and all(0 <= number <= _LARGEST_NUMBER for number in numbers)):
            raise ValueError("numbers that are none, or less or more than there can be")

    @classmethod
    def _unpack_first(cls, packed: bytes, day_off: DayOff | None) -> Self:
        """Version 1 counted the season in mentions, in 32 bits, and did not know when it last heard something."""
        _, member, late, offset, following, buckets, hour, excess, *last = _First.head.unpack_from(packed)
        values = _First.values.unpack_from(packed, _First.head.size)
        if member >= len(_MEMBERS) or not values[0] > 0:
            raise ValueError("a state of version 1 that nothing was learnt in")
        surge = cls(following, utc_offset_minutes=offset, day_off=day_off)
        surge._late, surge._last = late, _rounded(last[0], _MEMBERS[member], last[1], last[2])
        surge._baseline.buckets = min(buckets, LARGEST_COUNT)
        surge._hour.total, surge._excess.total = hour, excess
        surge._restore(values[: _VALUES.size // 4])
        surge._baseline.season.restore_mentions(values[_VALUES.size // 4 :], surge._baseline.level)
        return surge

    def _restore(self, values: tuple[float, ...]) -> None:
        baseline, hour, excess = self._baseline, self._hour, self._excess
        start = 0
        for restore, size in (
            (baseline.restore, 5), (hour.restore, 3), (hour.tail.restore, 5), (excess.restore, 1), (excess.tail.restore, 5),
        ):  # fmt: skip
            restore(values[start : start + size])
            start += size


class _First:
    """The layout of version 1."""

    version: Final = 1
    head: Final = struct.Struct("<BB?hII2d3d")
    values: Final = struct.Struct("<81f")
    size: Final = head.size + values.size


def _rounded(score: float, member: Member, observed_60m: float, expected: float) -> Evidence:
    score, observed_60m, expected = _FLOATS.unpack(_FLOATS.pack(score, observed_60m, expected))
    return Evidence(score, member, observed_60m, expected)


def _check(weight: float) -> None:
    if not 0 <= weight < math.inf:
        raise ValueError(f"a weight is a number from 0 up, not {weight}")
