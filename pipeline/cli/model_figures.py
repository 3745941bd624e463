"""An evaluation in words and tables for people, and as a JSON value for scripts."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

from pipeline.cli.foreign_text import printable
from pipeline.model_evaluation import Evaluation, Judged, Training
from processors.sentiment.evaluation import Estimate, Figures
from processors.sentiment.labels import CLASSES, Label
from processors.sentiment.variations import VARIATIONS

WIDTH: Final = 100
_LEAST_WIDTH: Final = 80  # in a narrower terminal whole lines that wrap are easier to read than numbers that are broken
_DIGITS: Final = 4
_NOTHING: Final = "–"


def as_value(found: Evaluation, pictures: Sequence[Path]) -> dict[str, Any]:
    """For scripts. Parts that were not asked for are null."""
    return {
        "models": [_model_value(model) for model in found.models],
        "training": asdict(found.training) if found.training else None,
        "labelled": _labelled_value(found) if found.examples else None,
        "suite": _suite_value(found) if found.cases else None,
        "variations": _rounded(found.variations) or None,
        "pictures": [str(file) for file in pictures],
    }


def as_text(found: Evaluation, pictures: Sequence[Path]) -> str:
    """For people."""
    console = Console(file=StringIO(), width=_width(), markup=False, emoji=False, highlight=False, color_system=None)
    for part in _parts(found):
        console.print(part)
        console.print()
    if pictures:
        console.print(f"pictures: {', '.join(map(str, pictures))}", soft_wrap=True)
    written: Any = console.file
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines()).strip("\n")


def _width() -> int:
    console = Console()
    return max(console.width, _LEAST_WIDTH) if console.is_terminal else WIDTH


# -- values ---------------------------------------------------------------------------------------------------------------


def _model_value(model: Judged) -> dict[str, Any]:
    return {
        "name": model.name,
        "version": model.version,
        "folder": str(model.folder) if model.folder else None,
        "threshold": model.threshold,
        "texts": len(model.predictions),
        "texts_per_second": round(model.texts_per_second, 1),
    }


def _labelled_value(found: Evaluation) -> dict[str, Any]:
    return {
        "texts": len(found.examples),
        "all": _figures_value(found.models, found.overall),
        "sources": {source: _figures_value(found.models, figures) for source, figures in found.by_source.items()},
    }


def _figures_value(models: Sequence[Judged], figures: Sequence[Figures]) -> dict[str, Any]:
    return {model.name: _rounded(asdict(of_model)) for model, of_model in zip(models, figures, strict=True)}


def _suite_value(found: Evaluation) -> dict[str, Any]:
    names = [model.name for model in found.models]
    return {
        "cases": len(found.cases),
        "capabilities": {
            score.capability: {"cases": score.cases, "right": dict(zip(names, score.right, strict=True))}
            for score in found.scores
        },
        "wrong": {model.name: list(_wrong(found, model)) for model in found.models},
    }  # fmt: skip


def _wrong(found: Evaluation, model: Judged) -> Iterator[dict[str, Any]]:
    for case, prediction in zip(found.cases, found.case_predictions(model), strict=True):
        if not case.is_right(prediction.label):
            yield {
                "capability": case.capability,
                "matter": case.matter,
                "text": case.text,
                "label": case.label,
                "also": sorted(case.also),
                "answer": prediction.label,
                "confidence": round(prediction.confidence, _DIGITS),
            }


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return value


# -- tables ---------------------------------------------------------------------------------------------------------------


def _parts(found: Evaluation) -> Iterator[Table | str]:
    yield _models(found.models)
    if found.training:
        yield _copies(found.training)
    if found.examples:
        groups = _groups(found)
        yield _quality(found.models, groups)
        if len(found.models) > 1:
            yield _differences(found.models, groups)
        yield _classes(found.models, found.overall)
    if found.cases:
        yield _suite(found)
        yield "A case is right when the label at the model's threshold is one of those that count; --json lists the wrong ones."
    if found.variations:
        yield _variations(found)


def _groups(found: Evaluation) -> dict[str, Sequence[Figures]]:
    """All texts, then by source, where there are several."""
    by_source = found.by_source if len(found.by_source) > 1 else {}
    return {f"all ({len(found.examples):,} texts)": found.overall} | {
        f"{printable(source)} ({figures[0].texts:,})": figures for source, figures in by_source.items()
    }


def _models(models: Sequence[Judged]) -> Table:
    table = _table("", ("model", "left"), ("version", "left"), ("unsure below", "right"), ("texts a second", "right"))
    for model in models:
        speed = f"{model.texts_per_second:,.0f}"
        table.add_row(model.name, model.version, f"{model.threshold:.2f}" if model.folder else "never", speed)
    table.caption = f"one thread, measured on {len(models[0].predictions):,} texts, without loading"
    return table


def _copies(training: Training) -> str:
    return (
        f"Copies: {training.copied:,} of the {training.evaluated:,} evaluated texts also stand among the "
        f"{training.texts:,} of --train (same letters, whatever links, names, digits, case); {training.left_out:,} training "
        "texts were left out for the baseline."
    )


def _quality(models: Sequence[Judged], groups: dict[str, Sequence[Figures]]) -> Table:
    table = _table(
        "Quality",
        ("texts, model", "left"), ("accu-\nracy", "right"), ("macro-\nF1", "right"), ("95 %", "right"), ("unsure", "right"),
        ("if\nsure", "right"), ("neg.\nrecall", "right"), ("neg.\nprec.", "right"), ("calib.\nerror", "right"),
    )  # fmt: skip
    for title, figures in groups.items():
        table.add_row(title)
        for model, of_model in zip(models, figures, strict=True):
            table.add_row(f"  {model.name}", *_quality_cells(of_model))
        table.add_section()
    table.caption = (
        "accuracy, macro-F1 (and its 95 % interval): of the likeliest class\n"
        "if sure: accuracy without the unsure; neg.: negative, at the threshold"
    )
    return table


def _quality_cells(figures: Figures) -> list[str]:
    return [
        _number(figures.accuracy.value),
        _number(figures.macro_f1.value),
        _interval(figures.macro_f1),
        f"{figures.unsure:.1%}",
        _number(figures.accuracy_when_sure),
        _number(figures.negative_recall),
        _number(figures.negative_precision),
        _number(figures.calibration_error),
    ]


def _differences(models: Sequence[Judged], groups: dict[str, Sequence[Figures]]) -> Table:
    table = _table(
        f"{models[0].name} minus the others, on the same texts",
        ("texts, model", "left"), ("accuracy", "right"), ("95 %", "right"), ("macro-F1", "right"), ("95 %", "right"),
    )  # fmt: skip
    for title, figures in groups.items():
        table.add_row(title)
        for model, of_model in zip(models[1:], figures[1:], strict=True):
            table.add_row(f"  {model.name}", *_difference_cells(of_model))
        table.add_section()
    table.caption = "an interval that holds 0: chance alone may have made the difference"
    return table


def _difference_cells(figures: Figures) -> list[str]:
    difference = figures.first_minus_this
    if difference is None:
        return []
    estimates = (difference.accuracy, difference.macro_f1)
    return [cell for found in estimates for cell in (f"{found.value:+.3f}", f"{found.low:+.3f} … {found.high:+.3f}")]


def _classes(models: Sequence[Judged], overall: Sequence[Figures]) -> Table:
    table = _table(
        "Classes, all texts",
        ("model, label of the person", "left"), ("texts", "right"), ("preci-\nsion", "right"), ("recall", "right"),
        ("F1", "right"), *((f"called\n{label}", "right") for label in (*CLASSES, Label.UNSURE)),
    )  # fmt: skip
    for model, figures in zip(models, overall, strict=True):
        table.add_row(model.name)
        for label, counts in zip(CLASSES, figures.decided, strict=True):
            of_class = figures.classes[label]
            shares = map(_number, (of_class.precision, of_class.recall, of_class.f1))
            table.add_row(f"  {label}", f"{of_class.texts:,}", *shares, *(f"{count:,}" for count in counts))
        table.add_section()
    table.caption = "precision, recall, F1: of the likeliest class; called: at the threshold"
    return table


def _suite(found: Evaluation) -> Table:
    table = _table(
        "Suite: cases that are right", ("capability", "left"), ("cases", "right"), *((model.name, "right") for model in found.models)
    )  # fmt: skip
    for score in found.scores:
        table.add_row(printable(score.capability), f"{score.cases:,}", *(_of(right, score.cases) for right in score.right))
    table.add_section()
    totals = [sum(score.right[place] for score in found.scores) for place in range(len(found.models))]
    table.add_row("all", f"{len(found.cases):,}", *(_of(right, len(found.cases)) for right in totals))
    return table


def _variations(found: Evaluation) -> Table:
    table = _table(
        "Labels that change when a text is typed in another way", ("model", "left"), *((name, "right") for name in VARIATIONS)
    )
    for model, shares in found.variations.items():
        table.add_row(model, *(f"{shares[name]:.1%}" for name in VARIATIONS))
    return table


def _table(title: str, *columns: tuple[str, Any]) -> Table:
    table = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left", caption_justify="left", pad_edge=False)
    for heading, justify in columns:
        table.add_column(heading, justify=justify, overflow="fold")
    return table


def _number(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.3f}"


def _interval(estimate: Estimate) -> str:
    return f"{estimate.low:.3f}–{estimate.high:.3f}"


def _of(right: int, cases: int) -> str:
    return f"{right:,}  {right / cases:4.0%}"
