"""`make bench-model`: the forms in which the model could run, side by side: speed, agreement with 32-bit floats, sameness.

Speed is of one thread on the same invented texts, in alternating rounds; the reference is a `transformers` pipeline in 32-bit
floats that is called text by text, with random weights of the model's shape, which are as fast as any. Agreement is with
the float form of the same weights, on labelled texts where there are some, else on the invented ones. Ends with 1 when a
bar is missed.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from shutil import copytree
from typing import Any

import onnx

from processors.sentiment import BUNDLED_MODEL, Classifier, Prediction
from processors.sentiment.artefact import DESCRIPTION_FILE
from processors.sentiment.conversion.floats import to_floats
from processors.sentiment.conversion.weights import quantise_matrices
from processors.sentiment.labelled import Labelled, read_labelled
from tests.benchmarks.corpus import posts
from tests.benchmarks.machine import await_quiet, describe
from tests.benchmarks.naive import random_torch_model
from tests.benchmarks.rates import Spread

SPEED_BAR = 2.0
MEMORY_BAR_MB = 600
ROUNDS = 5
SPEED_TEXTS = 300
DEVELOPMENT = Path(__file__).parents[3] / "shared" / "data" / "sentiment" / "dev.jsonl"
MANY_TEXTS = Path(__file__).parents[3] / "shared" / "data" / "unlabelled" / "turkish_short_texts.jsonl.gz"


@dataclass
class Form:
    """One way to run the weights."""

    name: str
    megabytes: float = 0.0
    rates: list[float] = field(default_factory=list)
    agreement: float | None = None
    macro_f1: float | None = None
    same_in_batch: float | None = None


@dataclass
class Results:
    """What a run found; goes into the JSON file as it is."""

    machine: dict[str, str]
    pipeline_rates: list[float] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    sameness: dict[str, float] = field(default_factory=dict)
    peak_megabytes: float = 0.0
    missed: list[str] = field(default_factory=list)


def main() -> int:
    options = _options()
    await_quiet()
    results = Results(describe())
    for name, value in results.machine.items():
        print(f"{name}: {value}")
    with tempfile.TemporaryDirectory(prefix="nabiz-forms-") as folder:
        _measure(options, Path(folder), results)
    _judge(results)
    if options.json:
        options.json.write_text(json.dumps(asdict(results), indent=1) + "\n", encoding="utf-8")
    return 1 if results.missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=BUNDLED_MODEL, help="folder of the model (default: the bundled one)")
    parser.add_argument(
        "--sameness-texts", type=int, default=10_000, help="texts asked alone and in batches (default: %(default)s)"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    return parser.parse_args()


def _measure(options: argparse.Namespace, folder: Path, results: Results) -> None:
    texts = [post.masked for post in posts(SPEED_TEXTS)]
    labelled = read_labelled(DEVELOPMENT) if DEVELOPMENT.exists() else []
    judged = [example.text for example in labelled] or texts
    forms = _forms(options.model, folder)
    reference = _loaded(forms["32-bit floats"]).predict(judged)
    for name, form in forms.items():
        results.forms.append(_quality(name, form, judged, labelled, reference))
        print(f"{name}: judged {len(judged)} texts", flush=True)
    _speed(forms, options.model, folder, texts, results)
    results.sameness = _sameness(options.model, _many(options.sameness_texts, texts))
    results.peak_megabytes = _peak(options.model)


# -- forms ----------------------------------------------------------------------------------------------------------------


def _forms(model: Path, folder: Path) -> dict[str, Path]:
    """Folders by name. All but the first are made of the float form, so they differ in nothing else."""
    floats = _copy(model, folder / "floats")
    onnx.save(to_floats(onnx.load(model / "model.onnx")), floats / "model.onnx")
    return {
        "8-bit weights (bundled)": model,
        "8-bit weights in blocks of 32": _small_blocks(floats, folder / "small-blocks"),
        "32-bit floats": floats,
        "dynamic int8, batches": _dynamic(floats, folder / "dynamic", per_channel=False),
        "dynamic int8, text by text": _alone(_dynamic(floats, folder / "dynamic-alone", per_channel=False)),
        "dynamic int8 by channel, text by text": _alone(_dynamic(floats, folder / "dynamic-channel", per_channel=True)),
        "static int8 by channel": _static(floats, folder / "static"),
    }


def _copy(source: Path, target: Path) -> Path:
    copytree(source, target)
    return target


def _small_blocks(floats: Path, target: Path) -> Path:
    _copy(floats, target)
    model = onnx.load(floats / "model.onnx")
    quantise_matrices(model, sizes=(32,))
    onnx.save(model, target / "model.onnx")
    return target


def _dynamic(floats: Path, target: Path, *, per_channel: bool) -> Path:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    _copy(floats, target)
    quantize_dynamic(
        floats / "model.onnx", target / "model.onnx", per_channel=per_channel, weight_type=QuantType.QInt8,
        op_types_to_quantize=["MatMul"],
    )  # fmt: skip
    return target


def _static(floats: Path, target: Path) -> Path:
    """Scales of the activations from 200 invented texts."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    classifier = _loaded(floats)
    encoded = [classifier._model._encode([classifier.prepare(post.masked)])[0] for post in posts(200)]

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._rows = iter(encoded)

        def get_next(self) -> dict[str, Any] | None:
            import numpy as np

            row = next(self._rows, None)
            if row is None:
                return None
            ids = np.array([row], dtype=np.int64)
            return {"input_ids": ids, "attention_mask": np.ones_like(ids)}

    _copy(floats, target)
    quantize_static(
        floats / "model.onnx", target / "model.onnx", Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"],
    )  # fmt: skip
    return target


def _alone(folder: Path) -> Path:
    description = json.loads((folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
    (folder / DESCRIPTION_FILE).write_text(json.dumps(description | {"batch_texts": 1}), encoding="utf-8")
    return folder


def _loaded(folder: Path) -> Classifier:
    return Classifier(folder, threads=1)


# -- figures --------------------------------------------------------------------------------------------------------------


def _quality(
    name: str, folder: Path, texts: Sequence[str], labelled: Sequence[Labelled], reference: Sequence[Prediction]
) -> Form:  # fmt: skip
    from processors.sentiment.evaluation import Answers, judge, places

    classifier = _loaded(folder)
    found = classifier.predict(texts)
    form = Form(name, megabytes=round((folder / "model.onnx").stat().st_size / 1e6, 1))
    form.agreement = _share(found, reference)
    alone = [classifier.predict([text])[0] for text in texts[:500]]
    form.same_in_batch = _share(found[:500], alone)
    if labelled:
        truth = places([example.label for example in labelled])
        form.macro_f1 = judge(truth, [Answers.of(found)], resamples=1)[0].macro_f1.value
    return form


def _share(these: Sequence[Prediction], those: Sequence[Prediction]) -> float:
    return sum(a.label is b.label for a, b in zip(these, those, strict=True)) / len(these)


def _speed(forms: dict[str, Path], model: Path, folder: Path, texts: Sequence[str], results: Results) -> None:
    pipeline = _pipeline(model, folder)
    loaded = {form.name: _loaded(forms[form.name]) for form in results.forms}
    for number in range(ROUNDS):
        results.pipeline_rates.append(_rate(lambda: [pipeline(text) for text in texts], len(texts)))
        for form in results.forms:
            form.rates.append(_rate(lambda form=form: loaded[form.name].predict(texts), len(texts)))
        print(f"round {number + 1} of {ROUNDS}: pipeline {results.pipeline_rates[-1]:.1f} texts/s", flush=True)


def _pipeline(model: Path, folder: Path) -> Callable[[str], Any]:
    import torch
    from transformers import pipeline

    torch.set_num_threads(1)
    classify = pipeline("text-classification", model=str(random_torch_model(model, folder / "torch")), device="cpu")
    classify("deneme")
    return classify


def _rate(work: Callable[[], object], texts: int) -> float:
    started = time.perf_counter()
    work()
    return texts / (time.perf_counter() - started)


def _many(count: int, texts: Sequence[str]) -> list[str]:
    """Real texts where there are some."""
    if not MANY_TEXTS.exists():
        return list(texts)
    import gzip

    with gzip.open(MANY_TEXTS, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line, _ in zip(lines, range(count), strict=False)]


def _sameness(model: Path, texts: Sequence[str]) -> dict[str, float]:
    """Shares of texts with the same label, and with the same digits, alone, in batches, shuffled, with two threads."""
    one, two = _loaded(model), Classifier(model, threads=2)
    together = one.predict(texts)
    order = random.Random(0).sample(range(len(texts)), len(texts))
    shuffled = dict(zip(order, two.predict([texts[index] for index in order]), strict=True))
    alone = [one.predict([text])[0] for text in texts]
    same = [(together[index], shuffled[index], alone[index]) for index in range(len(texts))]
    return {
        "texts": len(texts),
        "label": sum(a.label is b.label is c.label for a, b, c in same) / len(texts),
        "digits": sum(a == b == c for a, b, c in same) / len(texts),
    }


def _peak(model: Path) -> float:
    """Resident memory of a process that has loaded the model and read full batches of the longest texts, in MB.

    Without torch, which the running system does not have. From the process's own high-water mark: what `getrusage` tells survives exec, and would be that of this process.
    """
    program = (
        "import re, sys; sys.modules['torch'] = None; from pathlib import Path; from processors.sentiment import Classifier; "
        "c = Classifier(Path(sys.argv[1])); c.predict([f'{n} su yok ' * 60 for n in range(64)]); "
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])"
    )
    done = subprocess.run([sys.executable, "-c", program, str(model)], check=True, stdout=subprocess.PIPE, text=True)
    return int(done.stdout) / 1000


# -- the end --------------------------------------------------------------------------------------------------------------


def _judge(results: Results) -> None:
    pipeline = Spread.of(results.pipeline_rates)
    print(f"\ntransformers pipeline, 32-bit floats, text by text: {pipeline.shown()} texts/s\n")
    print(f"{'form':<40}{'MB':>7}{'texts/s':>9}{'× pipeline':>12}{'agrees':>8}{'macro-F1':>10}{'alone = batch':>15}")
    for form in results.forms:
        ratio = Spread.of([rate / other for rate, other in zip(form.rates, results.pipeline_rates, strict=True)])
        print(
            f"{form.name:<40}{form.megabytes:>7.1f}{Spread.of(form.rates).median:>9.1f}{ratio.median:>12.2f}"
            f"{form.agreement or 0:>8.1%}{_digits(form.macro_f1):>10}{form.same_in_batch or 0:>15.1%}"
        )
    bundled = Spread.of([rate / other for rate, other in zip(results.forms[0].rates, results.pipeline_rates, strict=True)])
    print(f"\nsame label alone, in batches, shuffled, with two threads: {results.sameness}")
    print(f"peak memory of a process with the model: {results.peak_megabytes:.0f} MB")
    if bundled.median < SPEED_BAR:
        results.missed.append(f"{bundled.median:.2f} × the pipeline, the bar is {SPEED_BAR}")
    if results.sameness["label"] < 1:
        results.missed.append(f"{results.sameness['label']:.3%} of the texts have one label, the bar is all")
    if results.peak_megabytes > MEMORY_BAR_MB:
        results.missed.append(f"{results.peak_megabytes:.0f} MB, the bar is {MEMORY_BAR_MB}")
    for missed in results.missed:
        print(f"MISSED: {missed}")


def _digits(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    sys.exit(main())
