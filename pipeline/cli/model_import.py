"""`nabiz model import`: another model than the bundled one."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from shlex import quote
from time import perf_counter
from typing import Any, Final

import click

from pipeline.cli.common import Context, common_options, explain_os_error, fail
from pipeline.cli.foreign_text import printable
from pipeline.model_download import download, is_hub_name
from processors.sentiment.classifier import Classifier
from processors.sentiment.importing import ImportOrder, ImportRefused, ImportResult, convert, require_before_fetching
from processors.sentiment.importing.labels import map_columns, read_assignments
from processors.sentiment.importing.samples import SAMPLES
from processors.sentiment.importing.source import read_names
from schemas.labels import Label

_LEAST_SECS: Final = 2.0
"""Of reading, for a rate that means something."""


@click.command("import")
@click.argument("model", metavar="FOLDER|ID")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to make.")
@click.option("--name", help="Stands in every label that the model gives; default: the last part of FOLDER or ID.")
@click.option("--label", "labels", multiple=True, metavar="NAME=LABEL", help="What a label of the model means; repeatable.")
@click.option(
    "--calibrate", type=click.Path(path_type=Path, dir_okay=False, exists=True), metavar="FILE",
    help="JSON lines with text and label, to fit how sure the model is and when it says 'unsure'.",
)  # fmt: skip
@click.option("--quantise/--no-quantise", default=True, show_default=True, help="8-bit weights: a quarter of the size.")
@click.option(
    "--preparation", type=click.Choice(["plain", "turkish"]), default="plain", show_default=True,
    help="turkish: lower case by Turkish rules, diacritics restored, no links and user names.",
)  # fmt: skip
@click.option("--max-tokens", type=click.IntRange(min=8), help="Longer texts are cut; default: 96, or what the model can read.")
@click.option("--force", is_flag=True, help="Replace the model folder that is there.")
@common_options
def import_model(context: Context, model: str, out: Path, labels: tuple[str, ...], **options: Any) -> None:
    """Make a model folder of any Hugging Face model that sorts texts: a local FOLDER, or the ID of one on the hub.

    With an ID the model is fetched over the network; no other command does that. The import needs torch (the extra
    'training') and may run on another machine than Nabız: the folder can be copied. The result is compared with the original.

    \b
    Examples:
      nabiz model import downloads/bert-turkish-sentiment --out models/bert
      nabiz model import owner/name --out models/new --label LABEL_0=negative --label LABEL_1=positive
      nabiz model import downloads/stars --out models/stars --calibrate labelled.jsonl
    """
    try:
        result, order = _import(model, out, labels, options)
    except ImportRefused as error:
        fail(context, str(error))
    except OSError as error:
        fail(context, explain_os_error(error, "--out"))
    figures = _measure(result.folder)
    context.answer(_value(order, result, figures), _text(result, figures))


def _import(model: str, out: Path, labels: tuple[str, ...], options: dict[str, Any]) -> tuple[ImportResult, ImportOrder]:
    assigned = read_assignments(labels)
    order = ImportOrder(source=Path(model).expanduser(), origin=model, out=out, labels=assigned, **options)
    if is_hub_name(model):
        require_before_fetching(order)  # before anything is fetched that could not be used
        fetched = download(model, lambda config: _require_labels(config, model, assigned), _say)
        order = replace(order, source=fetched.folder, revision=fetched.revision)
    return convert(order, _say), order


def _require_labels(config: bytes, model: str, assigned: Mapping[str, Label]) -> None:
    map_columns(read_names(config, model), assigned)


def _say(line: str) -> None:
    click.echo(line, err=True)


def _measure(folder: Path) -> dict[str, Any]:
    classifier = Classifier(folder)
    texts, read, begun = list(SAMPLES[:-1]), 0, perf_counter()
    while (passed := perf_counter() - begun) < _LEAST_SECS:
        classifier.predict(texts)
        read += len(texts)
    size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
    return {"version": classifier.version, "size_mb": round(size, 1), "texts_per_second": round(read / passed, 1)}


def _value(order: ImportOrder, result: ImportResult, figures: dict[str, Any]) -> dict[str, Any]:
    return {
        "folder": str(result.folder),
        **figures,
        "origin": order.origin,
        "revision": order.revision,
        "labels": [{"column": column, "model": name, "label": label} for column, (name, label) in enumerate(result.labels)],
        "preparation": order.preparation,
        "max_tokens": result.max_tokens,
        "quantised": result.quantised,
        "agreement_with_original": round(result.agreement, 4),
        "calibrated_on_texts": result.calibrated_on,
        "temperature": result.temperature,
        "threshold": result.threshold,
        "notes": list(result.notes),
    }


def _text(result: ImportResult, figures: dict[str, Any]) -> str:
    labels = ", ".join(f"{printable(name)} → {label}" for name, label in result.labels)
    weights = "8 bits" if result.quantised else "32 bits"
    lines = [
        f"{result.folder} can be used.",
        f"  version      {figures['version']}",
        f"  labels       {labels}",
        f"  size         {figures['size_mb']:g} MB, weights of {weights}",
        f"  speed        {figures['texts_per_second']:g} texts a second on one thread of this machine",
        f"  agreement    {result.agreement:.1%} of the built-in texts have the label of the original",
        f"  confidence   temperature {result.temperature:g}, 'unsure' below {result.threshold:g}{_calibrated(result)}",
        *(f"  note         {note}" for note in result.notes),
        "",
        "Next: see how well it judges texts like yours, then name it in the configuration:",
        f"  nabiz model evaluate labelled.jsonl --model {quote(str(result.folder))}",
        f"  sentiment: {{model: {result.folder}}}",
    ]
    return "\n".join(lines)


def _calibrated(result: ImportResult) -> str:
    return f", fitted on {result.calibrated_on} labelled texts" if result.calibrated_on else ""
