"""The picture of an evaluation of the crisis detector: counts, what was expected, signals, labels. Needs matplotlib.

Told apart by shape and place as well as by colour. The same file for the same figures.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import numpy as np

from processors.spikes import Level, TransitionKind
from processors.spikes.evaluation import BUCKET_SECS, Found

POINTS: Final = 1_500
_STEPS: Final = (1, 5, 10, 15, 30, 60, 180, 360, 720, 1440)  # minutes of one point
_BAND: Final = 2  # standard deviations
_TURKIYE: Final = timezone(timedelta(hours=3))
_GREY: Final = "#777777"
_BLUE: Final = "#0072b2"
_ORANGE: Final = "#d55e00"
_STYLE: Final = {"svg.hashsalt": "nabiz", "font.size": 10, "axes.edgecolor": _GREY, "axes.titlesize": 10}


def step_minutes(minutes: int) -> int:
    """How many minutes one point of the picture stands for."""
    return next((step for step in _STEPS if minutes / step <= POINTS), _STEPS[-1])


def draw(found: Found, file: Path) -> None:
    """Write the picture over an earlier one; the name's ending says the format. Raises ImportError, OSError, ValueError."""
    import matplotlib as mpl

    with mpl.rc_context(_STYLE):
        figure = _figure(found)
        metadata = {"Date": None} if file.suffix == ".svg" else None
        figure.savefig(file, metadata=metadata, facecolor="white")


def _figure(found: Found) -> Any:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5.4), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    _draw_counts(found, above)
    _draw_scores(found, below)
    for axis in (above, below):
        for place, window in enumerate(found.windows):
            label = "labelled" if place == 0 and axis is above else None
            axis.axvspan(_time(window.start), _time(window.end), color="#009e73", alpha=0.15, linewidth=0, label=label)
        axis.grid(color="#dddddd", linewidth=0.6)
        axis.spines[["top", "right"]].set_visible(False)
    above.legend(loc="upper left", fontsize=8, ncols=3)
    locator = AutoDateLocator(tz=_TURKIYE)
    below.xaxis.set_major_locator(locator)
    below.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=_TURKIYE))
    return figure


def _draw_counts(found: Found, axis: Any) -> None:
    step = step_minutes(len(found.counts))
    starts = range(0, len(found.counts), step)
    times = [_time(found.first_bucket + start) for start in starts]
    counts = [float(found.counts[start : start + step].sum()) for start in starts]
    usual = [found.usual_total(start, start + step) for start in starts]
    low = [max(0.0, mean - _BAND * spread) for mean, spread in usual]
    high = [mean + _BAND * spread for mean, spread in usual]
    axis.fill_between(times, low, high, step="post", color=_BLUE, alpha=0.18, linewidth=0, label="expected, ± 2 sd")
    axis.plot(times, counts, color="#1b1b1b", linewidth=0.8, drawstyle="steps-post", label="mentions")
    for level, mark, colour in ((Level.NOTICE, "o", _BLUE), (Level.PAGE, "v", _ORANGE)):
        shown = _onsets(found, level)
        heights = [counts[(bucket - found.first_bucket) // step] for bucket in shown]
        if shown:
            axis.scatter(
                [_time(bucket) for bucket in shown], heights, marker=mark, s=46, color=colour, zorder=3, label=f"{level}"
            )
    axis.set_ylim(bottom=0)
    axis.set_ylabel("mentions a minute" if step == 1 else f"mentions in {_span(step)}")
    axis.set_title(f"page budget: one false call in {found.policy.budget_weeks:g} weeks")


def _draw_scores(found: Found, axis: Any) -> None:
    """Once in so many weeks, on a log scale, the highest of each point."""
    step = step_minutes(len(found.scores))
    starts = range(0, len(found.scores), step)
    highest = [float(np.exp(min(found.scores[start : start + step].max(), 20.0))) for start in starts]
    axis.plot([_time(found.first_bucket + start) for start in starts], highest, color=_GREY, linewidth=0.8)
    axis.axhline(1.0, color=_BLUE, linestyle=":", linewidth=1)
    if np.isfinite(found.policy.budget_weeks):
        axis.axhline(max(found.policy.budget_weeks, 1.0), color=_ORANGE, linestyle="--", linewidth=1)
    axis.set_yscale("log")
    axis.set_ylim(bottom=0.05)
    axis.set_ylabel("once in … weeks")


def _onsets(found: Found, level: Level) -> Sequence[int]:
    return [report.bucket for report in found.transitions if report.kind is TransitionKind.ONSET and report.level is level]


def _time(bucket: int) -> datetime:
    return datetime.fromtimestamp(bucket * BUCKET_SECS, UTC)


def _span(minutes: int) -> str:
    return f"{minutes} minutes" if minutes < 60 else f"{minutes // 60} h"
