"""`nabiz model evaluate`: the figures are right, repeatable and explained, and so is each mistake."""

import gzip
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from pipeline.cli.main import main
from pipeline.cli.model_figures import as_text, as_value
from pipeline.model_evaluation import Evaluation, Wanted, evaluate
from pipeline.model_pictures import draw, panels
from processors.sentiment import BUNDLED_MODEL, Label, Prediction, behaviour
from processors.sentiment.baseline import Baseline
from processors.sentiment.behaviour import Case, read_suite, score
from processors.sentiment.essence import essence
from processors.sentiment.evaluation import (
    UNSURE,
    Answers,
    Figures,
    accuracy,
    calibration_error,
    judge,
    judge_by_source,
    places,
    reliability,
    resample,
)
from processors.sentiment.labelled import Labelled, LabelledUnusable, read_labelled
from processors.sentiment.training.card import card
from processors.sentiment.variations import VARIATIONS

NEGATIVE, NEUTRAL, POSITIVE = 0, 1, 2
LABELLED = [
    {"text": "Üç gündür sular kesik, kimse ilgilenmiyor, rezalet!", "label": "negative", "source": "su"},
    {"text": "Otobüs yine gelmedi, bıktık bu hizmetten", "label": "negative", "source": "yol"},
    {"text": "Yollar çukur dolu, çok kötü", "label": "negative", "source": "yol"},
    {"text": "Su arızasını bir saatte giderdiler, teşekkürler", "label": "positive", "source": "su"},
    {"text": "Yeni park çok güzel olmuş, tebrikler", "label": "positive", "source": "yol"},
    {"text": "Meclis toplantısı salı günü saat 14.00'te", "label": "neutral", "source": "yol"},
    {"text": "Su faturası nereden ödenir?", "label": "neutral", "source": "su"},
]
TRAINING = [
    *({"text": f"{word} çok kötü bir hizmet, rezalet", "label": "negative"} for word in ("bu", "şu", "yine", "hep")),
    *({"text": f"{word} çok güzel olmuş, teşekkürler", "label": "positive"} for word in ("park", "yol", "bina", "köprü")),
    *({"text": f"{word} saat kaçta açılıyor", "label": "neutral"} for word in ("müze", "gişe", "çarşı", "okul")),
    {"text": "YENİ PARK çok güzel olmuş!!! tebrikler https://ornek.example/a", "label": "positive"},
]
SUITE = """
capability: negation
cases:
  - text: Sular artık kesik değil
    label: positive
    also: [neutral, unsure]
    matter: su
  - {text: "Bu hizmetten hiç memnun değilim", label: negative}
"""


def answers(likeliest: list[int], decided: list[int] | None = None, confidence: float = 0.8) -> Answers:
    rest = (1 - confidence) / 2
    shares = [[confidence if place == chosen else rest for place in range(3)] for chosen in likeliest]
    return Answers(shares=np.array(shares), decided=np.array(decided if decided is not None else likeliest))


def figures(truth: list[int], likeliest: list[int], decided: list[int] | None = None) -> Figures:
    return judge(np.array(truth), [answers(likeliest, decided)])[0]


class TestFigures:
    def test_by_hand(self) -> None:
        """Four texts, one negative taken for neutral and held back as unsure."""
        found = figures(
            [NEGATIVE, NEGATIVE, NEUTRAL, POSITIVE], [NEGATIVE, NEUTRAL, NEUTRAL, POSITIVE], [NEGATIVE, UNSURE, NEUTRAL, POSITIVE]
        )
        assert found.texts == 4
        assert found.accuracy.value == 0.75
        assert found.macro_f1.value == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
        negative = found.classes["negative"]
        assert (negative.texts, negative.precision, negative.recall, negative.f1) == (2, 1.0, 0.5, pytest.approx(2 / 3))
        assert (found.unsure, found.accuracy_when_sure) == (0.25, 1.0)
        assert (found.negative_recall, found.negative_precision) == (0.5, 1.0)
        assert found.calibration_error == pytest.approx((3 * 0.2 + 0.8) / 4)
        assert found.confusion == ((1, 1, 0), (0, 1, 0), (0, 0, 1))
        assert found.decided == ((1, 0, 0, 1), (0, 1, 0, 0), (0, 0, 1, 0))
        assert found.first_minus_this is None

    def test_what_cannot_be_divided_is_no_number(self) -> None:
        """A class that no text has does not count for macro-F1; what was never said has no precision."""
        found = figures([NEUTRAL, POSITIVE], [NEUTRAL, NEUTRAL], [UNSURE, UNSURE])
        assert found.macro_f1.value == pytest.approx((2 / 3 + 0) / 2)
        assert found.classes["negative"].f1 is None
        assert found.classes["positive"].precision is None
        assert (found.accuracy_when_sure, found.negative_recall, found.negative_precision) == (None, None, None)

    def test_like_scikit_learn(self) -> None:
        """On random answers, with and without the third class."""
        metrics = pytest.importorskip("sklearn.metrics")
        dice = np.random.default_rng(1)
        for classes in (2, 3):
            truth, given = dice.integers(0, classes, 200), dice.integers(0, 3, 200)
            found = figures(truth.tolist(), given.tolist())
            labels = list(range(classes))
            assert found.accuracy.value == pytest.approx(metrics.accuracy_score(truth, given))
            assert found.macro_f1.value == pytest.approx(metrics.f1_score(truth, given, average="macro", labels=labels))
            columns = zip(*metrics.precision_recall_fscore_support(truth, given, labels=labels), strict=True)
            for precision, recall, f1, texts in columns:
                of_class = next(each for each in found.classes.values() if each.texts == texts)
                assert (of_class.precision, of_class.recall, of_class.f1) == pytest.approx((precision, recall, f1))
            assert found.confusion == tuple(map(tuple, metrics.confusion_matrix(truth, given, labels=[0, 1, 2]).tolist()))

    def test_calibration(self) -> None:
        """Two bins: sure and right, and half sure and never right."""
        confidences, right = np.array([0.5, 0.9, 0.5, 0.9]), np.array([False, True, False, True])
        assert calibration_error(confidences, right, bins=2) == pytest.approx((0.5 + 0.1) / 2)
        assert [(part.texts, part.confidence, part.right) for part in reliability(confidences, right, bins=2)] == [
            (2, 0.5, 0),
            (2, 0.9, 1),
        ]
        assert len(reliability(confidences, right)) == 4  # no empty bins

    def test_by_source(self) -> None:
        """Each source on its own, for each model."""
        found = judge_by_source(np.array([0, 1, 1]), ["b", "a", "a"], [answers([0, 1, 0]), answers([1, 1, 1])])
        assert {source: [each.accuracy.value for each in models] for source, models in found.items()} == {
            "a": [0.5, 1.0],
            "b": [1.0, 0.0],
        }

    def test_answers_of_predictions(self) -> None:
        """Label and probabilities, in the order of the classes."""
        found = Answers.of(
            [
                Prediction(label=Label.POSITIVE, confidence=0.7, probabilities=(0.1, 0.2, 0.7)),
                Prediction(label=Label.UNSURE, confidence=0.4, probabilities=(0.4, 0.4, 0.2)),
            ]
        )
        assert found.likeliest.tolist() == [POSITIVE, NEGATIVE]
        assert found.decided.tolist() == [POSITIVE, UNSURE]
        assert places([Label.NEUTRAL, Label.NEGATIVE]).tolist() == [NEUTRAL, NEGATIVE]


class TestIntervals:
    truth = np.array([NEGATIVE] * 50 + [NEUTRAL] * 30 + [POSITIVE] * 20)
    good = np.array([NEGATIVE] * 45 + [NEUTRAL] * 35 + [POSITIVE] * 20)

    def test_as_wide_as_the_binomial(self) -> None:
        """The spread of accuracy over resamples is √(p(1-p)/n), and its middle is the accuracy."""
        drawn = accuracy(resample(self.truth, [self.good], resamples=4_000, seed=1)[0])
        assert drawn.mean() == pytest.approx(0.95, abs=0.002)
        assert drawn.std() == pytest.approx((0.95 * 0.05 / 100) ** 0.5, rel=0.05)

    def test_a_resample_is_as_large_as_the_set(self) -> None:
        """And never holds what no text shows."""
        drawn = resample(self.truth, [self.good], resamples=50, seed=1)
        assert drawn.shape == (1, 50, 3, 3)
        assert set(drawn.sum(axis=(2, 3)).ravel().tolist()) == {100}
        assert drawn[0, :, POSITIVE, NEGATIVE].sum() == 0

    def test_around_the_value_and_repeatable(self) -> None:
        """The same call gives the same interval."""
        model = answers(self.good.tolist())
        first, second = judge(self.truth, [model])[0], judge(self.truth, [model])[0]
        assert first == second
        assert first.accuracy.low < first.accuracy.value < first.accuracy.high
        assert first.macro_f1.low < first.macro_f1.value < first.macro_f1.high

    def test_differences_are_paired(self) -> None:
        """A model is no better than itself; one more right answer is seen though each model alone is uncertain by 8 points."""
        other = self.good.copy()
        other[0] = POSITIVE
        model, same, worse = judge(self.truth, [answers(list(given)) for given in (self.good, self.good, other)])
        assert same.first_minus_this is not None
        assert worse.first_minus_this is not None
        assert (same.first_minus_this.accuracy.low, same.first_minus_this.accuracy.high) == (0, 0)
        difference = worse.first_minus_this.accuracy
        assert difference.value == pytest.approx(0.01)
        assert 0 <= difference.low <= difference.high <= 0.04 < model.accuracy.high - model.accuracy.low


@pytest.mark.parametrize(
    "copy",
    [
        "ÇOK İYİ, teşekkürler!!!",
        "@belediye cok iyi tesekkurler",
        "çok iyi... teşekkürlerrrr 🙏 https://ornek.example/1",
        "Çok iyi 100 teşekkürler",
    ],
)
def test_copies_have_one_essence(copy: str) -> None:
    """Whatever case, diacritics, signs, names, links and digits; another word makes another text."""
    assert essence(copy) == essence("çok iyi teşekkürler")
    assert essence(copy) != essence("çok iyi değil teşekkürler")
    assert essence("🙏 12 @biri") == ""


class TestBaseline:
    def test_learns(self) -> None:
        """Words it has seen, in Turkish case, without ever being unsure; the answers are shares."""
        pytest.importorskip("sklearn")
        baseline = Baseline.train([Labelled(row["text"], Label(row["label"]), "a") for row in TRAINING])
        found = baseline.predict(["REZALET BİR HİZMET", "ÇOK GÜZEL", "saat kaçta"])
        assert [each.label for each in found] == [Label.NEGATIVE, Label.POSITIVE, Label.NEUTRAL]
        assert all(sum(each.probabilities) == pytest.approx(1) for each in found)
        assert baseline.predict([]) == []

    @pytest.mark.parametrize(
        ("texts", "expected"),
        [
            ([("iyi", Label.POSITIVE)], "at least two labels"),
            ([("iyi", Label.POSITIVE), ("kötü", Label.NEGATIVE)], "cannot learn from 2"),
        ],
    )
    def test_too_little(self, texts: list[tuple[str, Label]], expected: str) -> None:
        """The message says that more files are needed."""
        pytest.importorskip("sklearn")
        with pytest.raises(LabelledUnusable, match=rf"{expected}.*--train"):
            Baseline.train([Labelled(text, label, "a") for text, label in texts])


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


class TestFiles:
    def test_labelled(self, tmp_path: Path) -> None:
        """Packed or not, with blank lines and a byte order mark; the file's name stands in for a source."""
        content = "\ufeff" + lines([{"text": "a\u2028b", "label": "neutral"}]) + "\r\n\n" + lines(LABELLED[:1])
        (tmp_path / "plain.jsonl").write_text(content, encoding="utf-8")
        (tmp_path / "packed.jsonl.gz").write_bytes(gzip.compress(content.encode()))
        for name in ("plain", "packed"):
            file = next(tmp_path.glob(f"{name}*"))
            assert read_labelled(file) == [
                Labelled("a\u2028b", Label.NEUTRAL, name),
                Labelled(LABELLED[0]["text"], Label.NEGATIVE, "su"),
            ]

    def test_suite(self, tmp_path: Path) -> None:
        """Labels that are right as well, and what is wrong unless it is listed: unsure."""
        (tmp_path / "negation.yaml").write_text(SUITE, encoding="utf-8")
        cases = read_suite(tmp_path / "negation.yaml")
        assert cases[0] == Case(
            capability="negation", text="Sular artık kesik değil", label=Label.POSITIVE,
            also=frozenset({Label.NEUTRAL, Label.UNSURE}), matter="su",
        )  # fmt: skip
        (found,) = score(cases, [[Label.UNSURE, Label.NEGATIVE], [Label.NEGATIVE, Label.UNSURE]])
        assert (found.capability, found.cases, found.right) == ("negation", 2, (2, 0))

    def test_the_bundled_suite(self) -> None:
        """Every file can be read, and no text stands twice, whatever its label."""
        cases = behaviour.bundled_suite()
        assert len({case.capability for case in cases}) == len(list(behaviour.BUNDLED_SUITE.glob("*.yaml"))) > 10
        assert len({case.text for case in cases}) == len(cases)


# -- the command ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluate")
    (folder / "labelled.jsonl").write_text(lines(LABELLED), encoding="utf-8")
    (folder / "train.jsonl").write_text(lines(TRAINING), encoding="utf-8")
    (folder / "suite.yaml").write_text(SUITE, encoding="utf-8")
    return folder


def run(desk: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["model", "evaluate", *arguments, "--data", str(desk / "data")])


def mistake(result: Result) -> str:
    assert result.exit_code == 2, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.stdout == ""
    return result.stderr


@pytest.fixture(scope="module")
def found(desk: Path) -> Evaluation:
    """A run with everything."""
    pytest.importorskip("sklearn")
    wanted = Wanted(
        files=[desk / "labelled.jsonl", desk / "suite.yaml"], suite=False, model=BUNDLED_MODEL, threshold=None,
        against=[BUNDLED_MODEL], train=[desk / "train.jsonl"],
    )  # fmt: skip
    return evaluate(wanted, lambda *_: None)


def test_the_value_for_scripts(found: Evaluation) -> None:
    """The same model twice is told apart by number, and no better than itself."""
    value = as_value(found, [])
    first, second, baseline = (model["name"] for model in value["models"])
    assert first.endswith("(1)")
    assert second.endswith("(2)")
    assert baseline == Baseline.version
    assert all(model["texts"] == 9 and model["texts_per_second"] > 0 for model in value["models"])
    assert [model["folder"] for model in value["models"]] == [str(BUNDLED_MODEL), str(BUNDLED_MODEL), None]
    assert value["training"] == {"texts": 13, "left_out": 1, "evaluated": 9, "copied": 1}
    assert list(value["labelled"]["sources"]) == ["su", "yol"]
    by_model = value["labelled"]["all"]
    assert by_model[first]["texts"] == value["labelled"]["texts"] == 7
    assert by_model[first]["accuracy"] == by_model[second]["accuracy"]
    assert by_model[first]["first_minus_this"] is None
    assert by_model[second]["first_minus_this"]["macro_f1"] == {"value": 0, "low": 0, "high": 0}
    assert set(by_model[baseline]["first_minus_this"]) == {"accuracy", "macro_f1"}
    assert by_model[baseline]["unsure"] == 0
    negation = value["suite"]["capabilities"]["negation"]
    assert negation["cases"] == 2
    for model in (first, second, baseline):
        assert negation["right"][model] + len(value["suite"]["wrong"][model]) == 2


def test_the_card_is_written_from_the_value(found: Evaluation) -> None:
    """Every figure has its place; the baseline is the last model, and the difference from it stands beside ours."""
    evaluation = json.loads(json.dumps(as_value(found, []))) | {"variations": {"ours": {"upper case": 0.0123}}}
    form = {
        "name": "8 bits",
        "megabytes": 34.3,
        "rates": [90.0, 80.0, 100.0],
        "agreement": 0.99,
        "macro_f1": 0.7,
        "same_in_batch": 1,
    }
    forms = {
        "machine": {"processor": "2 cores", "warning": "other programs run"}, "missed": ["1.9 ×, the bar is 2"], "pipeline_rates": [30.0, 20.0, 25.0], "forms": [form], "peak_megabytes": 400.0,
        "sameness": {"texts": 10_000, "label": 1.0, "digits": 0.999},
    }  # fmt: skip
    training = {
        "recipe": {"seed": 1, "batch_texts": 32}, "masking": {"batch_texts": 16},
        "masked": {"steps": 80, "planned": 80, "seconds": 300},
        "fitted": {"steps": 90, "planned": 100, "seconds": 600},
        "mix": {"deep": 0.7, "pairs": 0.3, "bias": [0, 0, 0]}, "drawn": {"a": 7, "taught": 3},
    }  # fmt: skip
    leaks = {"shown": 115_000, "repeated": {"development": 0, "held back": 12}}
    text = card(BUNDLED_MODEL, training, evaluation, evaluation, leaks, forms)
    difference = evaluation["labelled"]["all"][Baseline.version]["first_minus_this"]["macro_f1"]["value"]
    assert f"{difference:+.3f} (" in text
    for expected in (
        "| 8 bits | 34.3 | 90 | 4.00 | 99.0% | 0.700 | 100.0% |",
        "upper case 1.2%",
        "weights of the first. **other programs run.** **1.9 ×, the bar is 2.**",
        "90 of 100 planned steps of 32 texts",
        "80 of 80 planned steps of 16 texts",
        "together: 30% of what it was shown",
        "with words, only what would be `negative` is ever `unsure`",
        "| negation | 2 |",
        "of 115,000 different texts that the training was shown, varied and prepared, 0 repeat one of the development texts, 12 repeat one of the held back",
    ):
        assert expected in text
    for line in text.splitlines():
        assert "None" not in line
        assert "{" not in line


def test_the_tables_for_people(found: Evaluation) -> None:
    """Every model in every table, no line wider than the terminal that it is made for."""
    text = as_text(found, [])
    for expected in ("Copies: 1 of the 9", "all (7 texts)", "su (3)", "minus the others", "called", "negation"):
        assert expected in text
    assert text.count(Baseline.version) >= 5
    assert max(map(len, text.splitlines())) <= 100


def test_the_command_says_the_same_again(found: Evaluation, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In another run, to the last byte, figures and pictures; only the speed is another one."""
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(desk)
    result = run(
        desk,
        "labelled.jsonl",
        "suite.yaml",
        "--train",
        "train.jsonl",
        "--against",
        str(BUNDLED_MODEL),
        "--pictures",
        "a",
        "--json",
    )
    assert result.exit_code == 0, result.output
    again, before = json.loads(result.stdout), json.loads(json.dumps(as_value(found, [])))
    kept = ("training", "labelled", "suite")
    assert {key: again[key] for key in kept} == {key: before[key] for key in kept}
    assert again["pictures"] == ["a/confusion.svg", "a/reliability.svg"]
    for file, other in zip(again["pictures"], draw(panels(found), desk / "b"), strict=True):
        assert Path(file).read_bytes() == other.read_bytes()
        assert other.read_bytes().startswith(b"<?xml")
        assert other.stat().st_size > 10_000


def test_other_ways_of_typing(desk: Path) -> None:
    """Each model in a folder is asked again; upper case, a link and a user name change nothing in the bundled form."""
    wanted = Wanted(
        files=[desk / "labelled.jsonl"], suite=False, model=BUNDLED_MODEL, threshold=None, against=(),
        train=[desk / "train.jsonl"], variations=True,
    )  # fmt: skip
    found = evaluate(wanted, lambda *_: None)
    (shares,) = found.variations.values()
    assert shares.keys() == VARIATIONS.keys()
    assert all(0 <= share <= 1 for share in shares.values())
    assert as_value(found, [])["variations"] == {found.models[0].name: pytest.approx(shares, abs=1e-4)}
    assert "link and user name" in as_text(found, [])


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("no diacritics", "Cok KOTU, Igrenc kagit"),
        ("upper case", "ÇOK KÖTÜ, İĞRENÇ KÂĞIT"),
        ("link and user name", "@ornekbelediyesi Çok KÖTÜ, İğrenç kâğıt https://ornek.example/haber?no=12"),
    ],
)
def test_what_the_variations_do(name: str, typed: str) -> None:
    """As people type on a foreign telephone, in anger, and in answer to somebody."""
    assert VARIATIONS[name]("Çok KÖTÜ, İğrenç kâğıt") == typed


def test_only_a_suite(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bundled one is taken by name, and needs no labelled text."""
    monkeypatch.setattr(behaviour, "BUNDLED_SUITE", desk)
    result = run(desk, "--suite", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["labelled"], found["training"], found["pictures"]) == (None, None, [])
    assert found["suite"]["cases"] == 2


def test_the_threshold_of_the_configuration(desk: Path) -> None:
    """What the institution set is what is judged, unless another folder is named."""
    (desk / "careful.yaml").write_text("sentiment: {threshold: 1.0}\n", encoding="utf-8")
    arguments = (str(desk / "labelled.jsonl"), "--json", "--config", str(desk / "careful.yaml"))
    (careful,) = json.loads(run(desk, *arguments).stdout)["labelled"]["all"].values()
    assert (careful["unsure"], careful["accuracy_when_sure"], careful["negative_recall"]) == (1, None, 0)
    (own,) = json.loads(run(desk, *arguments, "--model", str(BUNDLED_MODEL)).stdout)["models"]
    assert own["threshold"] < 1


def test_progress_is_told(desk: Path) -> None:
    """From nothing to everything; and without sources there is nothing to tell by source."""
    told: list[tuple[str, int, int]] = []
    file = desk / "one-source.jsonl"
    file.write_text(lines([{"text": row["text"], "label": row["label"]} for row in LABELLED]), encoding="utf-8")
    wanted = Wanted(files=[file], suite=False, model=BUNDLED_MODEL, threshold=None, against=(), train=())
    found = evaluate(wanted, lambda *stage: told.append(stage))
    assert [(done, total) for _, done, total in told] == [(0, 7), (7, 7)]
    assert list(found.by_source) == ["one-source"]
    assert "one-source" not in as_text(found, [])


# -- mistakes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (lines(LABELLED) + '{"text": "a", "lable": "neutral"}', "line 8: key 'label' is missing: needed is one object a line"),
        ('{"label": "neutral"}', "line 1: key 'text' is missing"),
        ('\n{"text": "a", "label": "olumsuz"}', "line 2: key 'label': 'olumsuz' is no label: use negative, neutral, positive"),
        ('{"text": "a", "label": "unsure"}', "'unsure' is no label"),
        ('{"text": "a", "label": ["neutral"]}', "['neutral'] is no label"),
        ('{"text": 5, "label": "neutral"}', "key 'text': 5 is not text"),
        ('{"text": "a", "label": "neutral", "source": 5}', "key 'source': 5 is not text"),
        ("text;label\na;neutral", "line 1: is no JSON: needed is one object a line"),
        ('["a"]', "line 1: is no JSON object"),
        ("\n", "holds no text"),
        (b'{"text": "\xfe"}', "not UTF-8 at byte 10: save it as UTF-8"),
    ],
)
def test_a_bad_file_names_line_key_and_remedy(desk: Path, tmp_path: Path, content: str | bytes, expected: str) -> None:
    """One file per mistake; the model is not even loaded."""
    file = tmp_path / "bad.jsonl"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    message = mistake(run(desk, str(file)))
    assert message.startswith(f"nabiz: {file}")
    assert expected in message


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("cases: [\n", "line 2: is no YAML"),
        ("- a\n", "line 1: is no suite: begin with 'capability: NAME'"),
        ("cases:\n- {text: a, label: neutral}\n", "line 1: key 'capability' is missing"),
        ("capability: a\n", "line 1: key 'cases' is missing"),
        ("capability: a\ncases: []\n", "line 2: key 'cases' is no list"),
        ("capability: a\ncases:\n- a\n", "line 3: is no case"),
        ("capability: a\ncases:\n- text: a\n", "line 3: key 'label' is missing"),
        (
            "capability: a\ncases:\n- text: a\n  lable: neutral\n",
            "line 4: unknown key 'lable': known are text, label, also, matter",
        ),
        ("capability: a\ncases:\n- {text: a, label: kötü}\n", "line 3: key 'label': 'kötü' is no label"),
        ("capability: a\ncases:\n- {text: a, label: neutral, also: unsure}\n", "line 3: key 'also' is no list"),
        ("capability: a\ncases:\n- {text: a, label: neutral, also: [iyi]}\n", "line 3: key 'also': 'iyi' is no label"),
        ("capability: a\ncases:\n- {text: '', label: neutral}\n", "line 3: key 'text' is no text"),
    ],
)
def test_a_bad_suite_names_line_key_and_remedy(desk: Path, tmp_path: Path, content: str, expected: str) -> None:
    """One file per mistake."""
    file = tmp_path / "bad.yaml"
    file.write_text(content, encoding="utf-8")
    assert expected in mistake(run(desk, str(file)))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "name at least one FILE of labelled texts, or take the bundled suite with --suite"),
        (["suite.yaml", "--pictures", "pictures"], "--pictures needs a FILE of labelled texts"),
        (["labelled.jsonl", "--train", "suite.yaml"], "--train takes JSON lines"),
        (["labelled.jsonl", "--model", "nowhere"], "no model folder at"),
        (["labelled.jsonl", "--against", "nowhere"], "no model folder at"),
        (["nowhere.jsonl"], "does not exist"),
    ],
)
def test_what_cannot_be_asked_is_told_with_the_way_out(
    desk: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: str
) -> None:
    """Before anything long begins."""
    pytest.importorskip("sklearn")
    monkeypatch.chdir(desk)
    assert expected in mistake(run(desk, *arguments))


@pytest.mark.parametrize(
    ("module", "arguments"),
    [("sklearn", ["--train", "train.jsonl"]), ("matplotlib", ["--pictures", "pictures"])],
)
def test_a_missing_extra_is_named(desk: Path, monkeypatch: pytest.MonkeyPatch, module: str, arguments: list[str]) -> None:
    """Only what needs it asks for it."""
    monkeypatch.chdir(desk)
    monkeypatch.setitem(sys.modules, module, None)
    message = mistake(run(desk, "labelled.jsonl", *arguments))
    assert f"{arguments[0]} needs" in message
    assert "pip install 'nabiz[evaluation]'" in message


def test_a_packed_file_by_any_name(tmp_path: Path) -> None:
    """What a file is, its content says."""
    for name in ("a.JSONL.GZ", "b.jsonl"):
        (tmp_path / name).write_bytes(gzip.compress(lines(LABELLED).encode()))
        assert len(read_labelled(tmp_path / name)) == len(LABELLED)


def test_halves_of_characters(tmp_path: Path) -> None:
    """JSON and YAML can name them; no report could be written with them."""
    (tmp_path / "a.jsonl").write_text(r'{"text": "a \ud83d", "label": "neutral", "source": "b\ud83d"}', encoding="utf-8")
    assert read_labelled(tmp_path / "a.jsonl") == [Labelled("a ?", Label.NEUTRAL, "b?")]
    (tmp_path / "a.yaml").write_text('capability: "a"\ncases:\n- {text: "b \\ud83d", label: neutral}\n', encoding="utf-8")
    assert read_suite(tmp_path / "a.yaml")[0].text == "b ?"


def test_pictures_that_cannot_be_written(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told before the judging, and nothing is made."""
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(desk)
    assert "nothing can be written in" in mistake(run(desk, "labelled.jsonl", "--pictures", "suite.yaml/pictures"))
    monkeypatch.setattr("pipeline.cli.model.os.access", lambda _, mode: not mode & os.W_OK)
    assert "choose another folder" in mistake(run(desk, "labelled.jsonl", "--pictures", "new/pictures"))
    assert not (desk / "new").exists()


def test_a_path_that_is_no_text(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are no UTF-8 are written out, with --json as well."""
    monkeypatch.chdir(desk)
    result = run(desk, "labelled.jsonl", "--model", "\udce7", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"].startswith(r"no model folder at \udce7: ")


def test_a_broken_gzip_file_is_told(desk: Path, tmp_path: Path) -> None:
    """Cut off, or not packed at all."""
    packed = gzip.compress(lines(LABELLED).encode())
    for content in (packed[:-20], b"plain"):
        (tmp_path / "bad.jsonl.gz").write_bytes(content)
        assert "is no complete gzip file" in mistake(run(desk, str(tmp_path / "bad.jsonl.gz")))
