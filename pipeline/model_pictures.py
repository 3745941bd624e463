"""The pictures of an evaluation: what was taken for what, and whether confidence means what it says. Needs matplotlib.

Told apart by place, number and shape, not by hue: one colour from pale to dark, and a line. The same files for the same
figures, so that a model card changes only where its model does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.model_evaluation import Evaluation
from processors.sentiment.evaluation import Bin, places, reliability
from processors.sentiment.labels import CLASSES, Label

FILES: Final = ("confusion.svg", "reliability.svg")
COLUMNS: Final = 3  # models side by side
_INK: Final = "#1b1b1b"
_BLUE: Final = "#0072b2"
_ORANGE: Final = "#d55e00"
_STYLE: Final = {"svg.hashsalt": "nabiz", "font.size": 10, "axes.edgecolor": "#777777", "text.color": _INK, "axes.titlesize": 10}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """What is drawn of one model."""

    name: str
    threshold: float
    decided: Sequence[Sequence[int]]  # truth × (classes, unsure)
    bins: Sequence[Bin]
    calibration_error: float


def panels(found: Evaluation) -> list[Panel]:
    """What an evaluation on labelled texts has to show."""
    truth = places([example.label for example in found.examples])
    return [
        Panel(
            name=model.name,
            threshold=model.threshold,
            decided=figures.decided,
            bins=reliability(answers.confidences, answers.likeliest == truth),
            calibration_error=figures.calibration_error,
        )
        for model, figures, answers in zip(found.models, found.overall, found.answers(), strict=True)
    ]


def draw(shown: Sequence[Panel], folder: Path) -> list[Path]:
    """Write the pictures into the folder, over earlier ones, and say where. Raises ImportError, OSError."""
    import matplotlib as mpl

    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / name for name in FILES]
    with mpl.rc_context(_STYLE):
        for file, (draw_panel, height) in zip(files, ((_confusion, 3.5), (_reliability, 4.1)), strict=True):
            figure = _figure(shown, draw_panel, height)
            figure.savefig(file, metadata={"Date": None}, bbox_inches="tight", facecolor="white")
    return files


def _figure(shown: Sequence[Panel], draw_panel: Any, height: float) -> Any:
    from matplotlib.figure import Figure

    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(4.4 * columns, height * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, axis in zip(shown, axes, strict=False):
        draw_panel(panel, axis)
    for axis in axes[len(shown) :]:
        axis.set_axis_off()
    return figure


def _confusion(panel: Panel, axis: Any) -> None:
    """Shares of each true class, with the number of texts below: classes of very different size stay comparable."""
    shares = [[count / max(1, sum(row)) for count in row] for row in panel.decided]
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    answers = [*CLASSES, Label.UNSURE]
    axis.set_xticks(range(len(answers)), answers)
    axis.set_yticks(range(len(CLASSES)), CLASSES)
    axis.set_xlabel(f"answer of the model (unsure below {panel.threshold:.2f})" if panel.threshold > 0 else "answer of the model")
    axis.set_ylabel("label of the person")
    axis.set_title(panel.name)
    axis.axvline(len(CLASSES) - 0.5, color="white", linewidth=4)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    for row, counts in enumerate(panel.decided):
        for column, count in enumerate(counts):
            colour = "white" if shares[row][column] > 0.7 else _INK
            axis.text(column, row, f"{shares[row][column]:.0%}\n{count:,}", ha="center", va="center", color=colour)


def _reliability(panel: Panel, axis: Any) -> None:
    """Above the diagonal the model is too modest, below it too bold."""
    axis.plot([0, 1], [0, 1], color="#777777", linestyle=":", label="as right as confident")
    axis.plot(
        [part.confidence for part in panel.bins],
        [part.right for part in panel.bins],
        color=_BLUE, marker="o", label=f"{panel.bins[0].texts:,} texts each",
    )  # fmt: skip
    if panel.threshold > 1 / len(CLASSES):  # no class is the likeliest with less
        axis.axvline(panel.threshold, color=_ORANGE, linestyle="--", label=f"unsure below {panel.threshold:.2f}")
    axis.set_xlim(1 / len(CLASSES) - 0.03, 1.02)
    axis.set_ylim(0, 1.02)
    axis.set_xlabel("confidence")
    axis.set_ylabel("share of right answers")
    axis.set_title(f"{panel.name}\ncalibration error {panel.calibration_error:.3f}")
    axis.grid(color="#dddddd", linewidth=0.6)
    axis.legend(loc="lower right", fontsize=8)
