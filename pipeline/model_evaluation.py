"""Judges models on labelled texts and on the behavioural suite, through the class that the running system uses."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol

from processors.sentiment.baseline import Baseline
from processors.sentiment.behaviour import Case, Score, bundled_suite, read_suite, score
from processors.sentiment.classifier import Classifier, Prediction, require_classifier
from processors.sentiment.essence import essence
from processors.sentiment.evaluation import Answers, Figures, judge, judge_by_source, places
from processors.sentiment.labelled import Labelled, LabelledUnusable, read_labelled
from processors.sentiment.variations import VARIATIONS, changed

SUITE_FILES: Final = (".yaml", ".yml")
CHUNK_TEXTS: Final = 512  # between two moves of the progress bar; small ones slow the model, which batches texts of one length

Report = Callable[[str, int, int], None]
"""Told of a stage: its name, how much of it is done, and how much there is."""


class EvaluationUnavailable(Exception):
    """What was asked for needs a package that is not installed, or texts that were not given; the message says which."""


class Judge(Protocol):
    """What gives labels: a `Classifier` or the `Baseline`."""

    @property
    def version(self) -> str:
        """Changes when labels may change."""

    @property
    def threshold(self) -> float:
        """The confidence below which a label is `unsure`."""

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction a text, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to judge, and on what."""

    files: Sequence[Path]
    suite: bool  # the bundled one, beside those of `files`
    model: Path
    threshold: float | None  # None: the model's own
    against: Sequence[Path]
    train: Sequence[Path]
    variations: bool = False  # ask again for each text as others would have typed it


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A model and what it said."""

    name: str
    version: str
    folder: Path | None  # None: the baseline
    threshold: float
    seconds: float
    predictions: Sequence[Prediction]

    @property
    def texts_per_second(self) -> float:
        """With one thread, loading left out."""
        return len(self.predictions) / self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """The texts on which the baseline was trained, and which of the evaluated ones stand among them."""

    texts: int
    left_out: int  # training texts that are evaluated, too
    evaluated: int
    copied: int  # evaluated texts that stand among the training texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The result. Lists of figures, scores and answers are in the order of `models`; the first is the one in question."""

    examples: Sequence[Labelled]
    cases: Sequence[Case]
    models: Sequence[Judged]
    training: Training | None
    overall: Sequence[Figures]  # empty without labelled texts
    by_source: dict[str, list[Figures]]
    scores: Sequence[Score]
    variations: dict[str, dict[str, float]]  # by model's name: share of labels that each way of writing changes

    def answers(self) -> list[Answers]:
        """To the labelled texts."""
        return [Answers.of(model.predictions[: len(self.examples)]) for model in self.models]

    def case_predictions(self, model: Judged) -> Sequence[Prediction]:
        """To the cases of the suite."""
        return model.predictions[len(self.examples) :]


def evaluate(wanted: Wanted, report: Report) -> Evaluation:
    """Everything that can be wrong with what was given is told before the first model is loaded.

    Takes about 12 ms a text and model. Raises `LabelledUnusable`, `EvaluationUnavailable`, `ModelUnusable`, OSError.
    """
    if wanted.train:
        require_extra("sklearn", "scikit-learn", "--train")
    for folder in (wanted.model, *wanted.against):
        require_classifier(folder)
    examples, cases = _read(wanted)
    texts = [*(example.text for example in examples), *(case.text for case in cases)]
    baseline, training = _baseline(wanted.train, texts, report)
    judged = [_with_folder(wanted.model, wanted.threshold, texts, report)]
    judged += [_with_folder(folder, None, texts, report) for folder in wanted.against]
    if baseline is not None:
        judged.append(_judged(baseline, None, texts, report))
    named = _named(judged)
    variations = _variations(named, texts, report) if wanted.variations else {}
    return _evaluation(examples, cases, named, training, variations)


def require_extra(module: str, package: str, option: str) -> None:
    """Raises `EvaluationUnavailable` where a package of the extra is missing."""
    try:
        import_module(module)
    except ImportError as error:
        raise EvaluationUnavailable(
            f"{option} needs {package}, which is not installed: pip install 'nabiz[evaluation]', or leave {option} out"
        ) from error


def _read(wanted: Wanted) -> tuple[list[Labelled], list[Case]]:
    cases = bundled_suite() if wanted.suite else []
    examples: list[Labelled] = []
    for file in wanted.files:
        if file.suffix.lower() in SUITE_FILES:
            cases += read_suite(file)
        else:
            examples += read_labelled(file)
    return examples, cases


def _read_training(files: Sequence[Path]) -> list[Labelled]:
    for file in files:
        if file.suffix.lower() in SUITE_FILES:
            raise LabelledUnusable(f"{file}: --train takes JSON lines, and a suite is for testing: name another file")
    return [example for file in files for example in read_labelled(file)]


def _baseline(files: Sequence[Path], texts: Sequence[str], report: Report) -> tuple[Baseline | None, Training | None]:
    """Trained without the texts that are evaluated."""
    if not files:
        return None, None
    examples = _read_training(files)
    essences = [essence(example.text) for example in examples]
    evaluated = [essence(text) for text in texts]
    known, asked = set(filter(None, essences)), set(filter(None, evaluated))
    kept = [example for example, found in zip(examples, essences, strict=True) if found not in asked]
    training = Training(
        texts=len(examples),
        left_out=len(examples) - len(kept),
        evaluated=len(texts),
        copied=sum(found in known for found in evaluated),
    )
    report("training the baseline", 0, 1)
    baseline = Baseline.train(kept)
    report("training the baseline", 1, 1)
    return baseline, training


def _with_folder(folder: Path, threshold: float | None, texts: Sequence[str], report: Report) -> Judged:
    return _judged(Classifier(folder, threads=1, threshold=threshold), folder, texts, report)


def _judged(model: Judge, folder: Path | None, texts: Sequence[str], report: Report) -> Judged:
    predictions: list[Prediction] = []
    started = time.perf_counter()
    report(model.version, 0, len(texts))
    for start in range(0, len(texts), CHUNK_TEXTS):
        predictions += model.predict(texts[start : start + CHUNK_TEXTS])
        report(model.version, len(predictions), len(texts))
    return Judged(
        name=model.version,
        version=model.version,
        folder=folder,
        threshold=model.threshold,
        seconds=time.perf_counter() - started,
        predictions=predictions,
    )


def _variations(models: Sequence[Judged], texts: Sequence[str], report: Report) -> dict[str, dict[str, float]]:
    """Of the models in folders; takes as long as three more evaluations."""
    found: dict[str, dict[str, float]] = {}
    for model in models:
        if model.folder is None:
            continue
        classifier = Classifier(model.folder, threads=1, threshold=model.threshold)
        before = [prediction.label for prediction in model.predictions]
        found[model.name] = {}
        for name, vary in VARIATIONS.items():
            after = _judged(classifier, model.folder, [vary(text) for text in texts], report).predictions
            found[model.name][name] = changed(before, [prediction.label for prediction in after])
    return found


def _named(models: Sequence[Judged]) -> list[Judged]:
    """With a short name each: without the hash where that tells them apart, numbered where nothing does."""
    short = {model.version: model.version.rpartition("-")[0] if model.folder else model.version for model in models}
    taken = Counter(short.values())
    versions = Counter(model.version for model in models)
    named: list[Judged] = []
    for number, model in enumerate(models, start=1):
        name = short[model.version] if taken[short[model.version]] == 1 else model.version
        named.append(replace(model, name=name if versions[model.version] == 1 else f"{name} ({number})"))
    return named


def _evaluation(
    examples: Sequence[Labelled], cases: Sequence[Case], models: Sequence[Judged], training: Training | None,
    variations: dict[str, dict[str, float]],
) -> Evaluation:  # fmt: skip
    count = len(examples)
    overall: list[Figures] = []
    by_source: dict[str, list[Figures]] = {}
    if examples:
        truth = places([example.label for example in examples])
        answers = [Answers.of(model.predictions[:count]) for model in models]
        overall = judge(truth, answers)
        by_source = judge_by_source(truth, [example.source for example in examples], answers)
    labels = [[prediction.label for prediction in model.predictions[count:]] for model in models]
    return Evaluation(
        examples=examples, cases=cases, models=models, training=training, overall=overall, by_source=by_source,
        scores=score(cases, labels), variations=variations,
    )  # fmt: skip
