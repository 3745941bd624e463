"""`nabiz model`: how good the sentiment model is, and how another one is brought."""

import os
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click

from pipeline.cli.bars import stage_bars
from pipeline.cli.common import Context, common_options, explain_os_error, fail
from pipeline.cli.model_figures import as_text, as_value
from pipeline.model_evaluation import SUITE_FILES, Wanted, require_extra
from pipeline.model_evaluation import evaluate as evaluate_models
from pipeline.model_pictures import draw, panels

_IMPORT: Final = "import"


class _Group(click.Group):
    """`import` stands in a module of its own, loaded when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), _IMPORT]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name != _IMPORT:
            return super().get_command(ctx, cmd_name)
        command: Any = import_module("pipeline.cli.model_import").import_model
        return command  # type: ignore[no-any-return]


@click.group(cls=_Group)
def model() -> None:
    """The model that judges tone."""


@model.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE...")
@click.option("--suite", is_flag=True, help="Also the bundled suite of invented texts, by capability.")
@click.option(
    "--model",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the model.  [default: that of the configuration, else the bundled one]",
)
@click.option(
    "--against",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of a model to compare with; again for more.",
)
@click.option(
    "--train",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Labelled texts to train a simple baseline on, to compare with; again for more.",
)
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for a confusion matrix and a reliability diagram (SVG).",
)
@click.option("--variations", is_flag=True, help="Also how many labels change when a text is typed in another way.")
@common_options
def evaluate(
    context: Context,
    *,
    files: tuple[Path, ...],
    suite: bool,
    folder: Path | None,
    against: tuple[Path, ...],
    train: tuple[Path, ...],
    pictures: Path | None,
    variations: bool,
) -> None:
    """Judge a model on labelled texts, alone, against others, and against a simple baseline. Nothing leaves this process.

    FILE is JSON lines with text, label (negative, neutral or positive) and, if there are any, source; .gz as well. Or YAML
    in the form of the behavioural suite. Intervals hold 95 % of 1,000 bootstrap resamples; differences are paired.

    \b
    Examples:
      nabiz model evaluate labelled.jsonl
      nabiz model evaluate --suite --variations
      nabiz model evaluate labelled.jsonl --against other-model --train training.jsonl.gz --pictures out
    """  # fmt: skip
    if not files and not suite:
        fail(context, "name at least one FILE of labelled texts, or take the bundled suite with --suite")
    if pictures is not None:
        if all(file.suffix.lower() in SUITE_FILES for file in files):
            fail(context, "--pictures needs a FILE of labelled texts: of a suite there is nothing to draw")
        require_extra("matplotlib", "matplotlib", "--pictures")
        _require_writable(context, pictures)
    sentiment = context.configuration().sentiment
    wanted = Wanted(
        files=files,
        suite=suite,
        model=folder or sentiment.folder,
        threshold=None if folder else sentiment.threshold,
        against=against,
        train=train,
        variations=variations,
    )
    with stage_bars() as report:
        found = evaluate_models(wanted, report)
    try:
        drawn = draw(panels(found), pictures) if pictures is not None else []
    except OSError as error:
        fail(context, explain_os_error(error, "--pictures"))
    context.answer(as_value(found, drawn), as_text(found, drawn))


def _require_writable(context: Context, folder: Path) -> None:
    """Before the judging, which may take an hour, and without making the folder."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        fail(context, f"--pictures {folder}: nothing can be written in {there}: choose another folder")
