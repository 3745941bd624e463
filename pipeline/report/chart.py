"""The picture of a watch's counts: geometry only. The template draws it, the words come from the caller.

A bar is a step of time: its pale part is what was posted, its dark part what counts after damping. The band is what is
usual for the counted part: expected ± 2·√expected. It helps the eye and decides nothing; the detector does.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from schemas.signals import BucketClosed, Series

MINUTE: Final = timedelta(minutes=1)
STEPS_MINUTES: Final = (5, 10, 15, 30, 60, 180, 360, 1440)
TICKS_MINUTES: Final = (10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080)

BAND_WIDTH: Final = 2.0  # standard deviations of a count whose mean is the expected one

_ROW: Final = 19.0  # height of a row of labels
_LETTER: Final = 6.9  # width of a letter of a label, on average and rounded up
_SHAPE: Final = 17.0  # room for a mark's shape before its word
_LEAST_TOP: Final = 5.0  # a quiet chart must not blow up single mentions


class Shape(StrEnum):
    """Each kind of mark has a shape of its own: colour is never the only difference."""

    ONSET = "onset"
    PAGE = "page"
    NOTICE = "notice"
    END = "end"


@dataclass(frozen=True, slots=True)
class Canvas:
    """Size and margins, in the drawing's units. `most_steps` is how many bars can be told apart."""

    width: float
    plot_height: float
    left: float
    right: float
    bottom: float
    most_steps: int
    tick_gap: float


WIDE: Final = Canvas(width=960, plot_height=230, left=40, right=14, bottom=44, most_steps=300, tick_gap=62)
NARROW: Final = Canvas(width=360, plot_height=190, left=32, right=8, bottom=44, most_steps=110, tick_gap=56)


@dataclass(frozen=True, slots=True)
class Event:
    """Something to mark. Without a word only its shape is drawn."""

    at: datetime
    shape: Shape
    word: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A period to point at, with a number that a list below explains."""

    start: datetime
    end: datetime
    number: int


@dataclass(frozen=True, slots=True)
class Mark:
    """An event in its place: a line from its label down to the axis."""

    x: float
    y: float
    shape: Shape
    word: str
    word_x: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Area:
    """A stretch in its place."""

    x: float
    width: float
    middle: float
    number: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A count on the y axis."""

    place: float
    count: int


@dataclass(frozen=True, slots=True)
class TimeTick:
    """A time on the x axis; `anchor` keeps its label inside the drawing."""

    place: float
    at: datetime
    is_new_day: bool
    anchor: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that is drawn."""

    width: float
    height: float
    left: float
    right: float
    top: float
    base: float
    step_minutes: int
    posted: str
    counted: str
    band: str
    expected: str
    x_ticks: tuple[TimeTick, ...]
    y_ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    areas: tuple[Area, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """A watch's minutes in steps of equal length. All sequences are of one length."""

    start: datetime
    step: timedelta
    posted: tuple[float, ...]
    counted: tuple[float, ...]
    expected: tuple[float, ...]

    @property
    def end(self) -> datetime:
        """End of the last step."""
        return self.start + self.step * len(self.posted)

    def time(self, index: int) -> datetime:
        """Start of a step."""
        return self.start + self.step * index


def counts(minutes: Sequence[BucketClosed], series: Series, start: datetime, end: datetime, *, most_steps: int) -> Counts:
    """In the smallest step of which `most_steps` cover the window. The zone of `start` decides where days begin."""
    step_minutes = next((s for s in STEPS_MINUTES if (end - start) / (s * MINUTE) <= most_steps), STEPS_MINUTES[-1])
    step = step_minutes * MINUTE
    first = _floor(start, step)
    length = max(1, math.ceil((end - first) / step))
    posted, counted = [0.0] * length, [0.0] * length
    for minute in minutes:
        index = (minute.start - first) // step
        if 0 <= index < length:
            posted[index] += minute.mentions
            counted[index] += minute.weights.get(series, 0.0)
    expected = _usual(minutes, series, first, step, length)
    return Counts(first, step, tuple(posted), tuple(counted), tuple(expected))


def _floor(at: datetime, step: timedelta) -> datetime:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (at - midnight) // step * step


def _usual(minutes: Sequence[BucketClosed], series: Series, first: datetime, step: timedelta, length: int) -> list[float]:
    """Minutes without mentions say nothing: the last one before says what is usual, at the beginning the next one."""
    if not minutes:
        return [0.0] * length
    sums, known = [0.0] * length, 0
    for number in range(length * (step // MINUTE)):
        at = first + number * MINUTE
        while known + 1 < len(minutes) and minutes[known + 1].start <= at:
            known += 1
        sums[number // (step // MINUTE)] += minutes[known].expected.get(series, 0.0)
    return sums


def draw(counted: Counts, canvas: Canvas, events: Iterable[Event] = (), stretches: Iterable[Stretch] = ()) -> Chart:
    """Events and stretches outside the window are left out."""
    plot = _Plot(counted, canvas)
    inside = [event for event in events if counted.start <= event.at <= counted.end]
    rows = _rows(plot, sorted(inside, key=lambda event: event.at))
    areas = tuple(plot.area(stretch) for stretch in stretches if stretch.end > counted.start and stretch.start < counted.end)
    top = _ROW * (max((row for _, row in rows), default=-1) + 1) + (26 if areas else 10)
    plot.place(top)
    return Chart(
        width=canvas.width, height=plot.base + canvas.bottom, left=canvas.left, right=canvas.width - canvas.right, top=top,
        base=plot.base, step_minutes=counted.step // MINUTE, posted=plot.bars(counted.posted), counted=plot.bars(counted.counted),
        band=plot.band(), expected=plot.line(counted.expected), x_ticks=plot.x_ticks(), y_ticks=plot.y_ticks(),
        marks=tuple(plot.mark(event, row) for event, row in rows), areas=areas,
    )  # fmt: skip


def _rows(plot: "_Plot", events: Sequence[Event]) -> list[tuple[Event, int]]:
    """Each event with its row: below every label that reaches it, since its line goes down through all rows below."""
    taken: list[float] = []
    placed = []
    for event in events:
        begin, end = plot.label(event)
        row = 1 + max((number for number, reached in enumerate(taken) if reached >= begin), default=-1)
        taken[row:] = [end, *taken[row + 1 :]]
        placed.append((event, row))
    return placed


class _Plot:
    """From counts and times to places. `place` must precede everything vertical."""

    def __init__(self, counted: Counts, canvas: Canvas) -> None:
        self._counted, self._canvas = counted, canvas
        self._per_second = (canvas.width - canvas.left - canvas.right) / (counted.end - counted.start).total_seconds()
        self._most = nice_top(max(_LEAST_TOP, *counted.posted, *counted.counted, *map(upper, counted.expected)))
        self.top = self.base = 0.0

    def place(self, top: float) -> None:
        """Fix where the plot begins."""
        self.top, self.base = top, top + self._canvas.plot_height

    def x(self, at: datetime) -> float:
        return round(self._canvas.left + (at - self._counted.start).total_seconds() * self._per_second, 2)

    def y(self, count: float) -> float:
        return round(self.base - count / self._most * self._canvas.plot_height, 2)

    def bars(self, values: Sequence[float]) -> str:
        """One path for all bars: a report of a month stays small."""
        width = self._counted.step.total_seconds() * self._per_second
        gap = min(1.5, width * 0.15)
        path = []
        for index, value in enumerate(values):
            if value > 0:
                left, height = self.x(self._counted.time(index)) + gap / 2, self.base - self.y(value)
                path.append(f"M{left:.2f} {self.base:.2f}v{-height:.2f}h{width - gap:.2f}v{height:.2f}z")
        return "".join(path)

    def band(self) -> str:
        """The area between the lower and the upper usual count."""
        highs = [f"{x:.2f} {self.y(upper(value)):.2f}" for x, value in self._corners(self._counted.expected)]
        lows = [f"{x:.2f} {self.y(lower(value)):.2f}" for x, value in self._corners(self._counted.expected)]
        return "M" + "L".join([*highs, *reversed(lows)]) + "z"

    def line(self, values: Sequence[float]) -> str:
        return "M" + "L".join(f"{x:.2f} {self.y(value):.2f}" for x, value in self._corners(values))

    def _corners(self, values: Sequence[float]) -> list[tuple[float, float]]:
        """Middles of the steps, drawn out to both ends."""
        half = self._counted.step / 2
        middles = [(self.x(self._counted.time(index) + half), value) for index, value in enumerate(values)]
        return [(self.x(self._counted.start), values[0]), *middles, (self.x(self._counted.end), values[-1])]

    def x_ticks(self) -> tuple[TimeTick, ...]:
        span = self._counted.end - self._counted.start
        fits = (self._canvas.width - self._canvas.left - self._canvas.right) / self._canvas.tick_gap
        every = next((m for m in TICKS_MINUTES if span / (m * MINUTE) <= fits), TICKS_MINUTES[-1]) * MINUTE
        at, day, ticks = _floor(self._counted.start, every), None, []
        while at <= self._counted.end:
            if at >= self._counted.start:
                ticks.append(TimeTick(self.x(at), at, is_new_day=at.date() != day, anchor=self._anchor(self.x(at))))
                day = at.date()
            at += every
        return tuple(ticks)

    def _anchor(self, x: float) -> str:
        if x + self._canvas.tick_gap / 3 > self._canvas.width:
            return "end"
        return "start" if x < self._canvas.left + 4 else "middle"

    def y_ticks(self) -> tuple[Tick, ...]:
        every = nice_top(self._most / 4, (1, 2, 5, 10))
        return tuple(Tick(self.y(count), int(count)) for count in _multiples(every, self._most))

    def area(self, stretch: Stretch) -> Area:
        left = self.x(max(stretch.start, self._counted.start))
        right = self.x(min(stretch.end, self._counted.end))
        return Area(left, round(right - left, 2), round((left + right) / 2, 2), stretch.number)

    def label(self, event: Event) -> tuple[float, float]:
        """From where to where the label goes: to the left of its line near the right edge."""
        x, width = self.x(event.at), _SHAPE + _LETTER * len(event.word)
        is_left = self._is_left(event)
        return (x - width, x + 8) if is_left else (x - 8, x + width)

    def _is_left(self, event: Event) -> bool:
        return self.x(event.at) + _SHAPE + _LETTER * len(event.word) > self._canvas.width

    def mark(self, event: Event, row: int) -> Mark:
        x, is_left = self.x(event.at), self._is_left(event)
        word_x = x - 11 if is_left else x + 11
        return Mark(x, 10 + row * _ROW, event.shape, event.word, round(word_x, 2), "end" if is_left else "start")


def upper(expected: float) -> float:
    """The most that is usual."""
    return expected + BAND_WIDTH * math.sqrt(max(0.0, expected))


def lower(expected: float) -> float:
    """The least that is usual."""
    return max(0.0, expected - BAND_WIDTH * math.sqrt(max(0.0, expected)))


def nice_top(value: float, factors: Sequence[float] = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)) -> float:
    """The next round number that is at least `value`, and at least 1."""
    if value <= 1:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in factors if factor * power >= value)


def _multiples(every: float, most: float) -> list[float]:
    return [every * number for number in range(int(most / every + 1e-9) + 1)]
