"""Sentiment: the text's form, the label's rule, and the bundled model, offline."""

import itertools
import json
import os
import random
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.sentiment import BUNDLED_MODEL, Classifier, Label, ModelUnusable, Prediction, decide
from processors.sentiment.artefact import DESCRIPTION_FILE, FILES, WEIGHTS, require_model
from processors.sentiment.behaviour import bundled_suite
from processors.sentiment.labels import CLASSES
from processors.sentiment.prepare import PREPARATIONS, prepare_plain, prepare_turkish
from processors.sentiment.text_model import TextModel
from processors.text import turkish
from processors.text.diacritics import plain

NEGATIVE = [
    "Üç gündür sular kesik, belediyeyi arıyoruz telefona çıkan yok. Rezalet!",
    "Çöpler bir haftadır toplanmıyor, sokak leş gibi kokuyor, yazıklar olsun",
    "Otobüs yine gelmedi, yarım saattir soğukta bekliyoruz, bıktık artık bu hizmetten",
    "Yollar çukur dolu, arabamın lastiği patladı. Bu nasıl belediyecilik?",
    "Hastanede dört saat bekledik, kimse ilgilenmedi, çok kötü bir yönetim",
]
POSITIVE = [
    "Yeni park çok güzel olmuş, emeği geçen herkese teşekkür ederiz 👏",
    "Su arızasını bir saatte giderdiler, ekiplere çok teşekkürler, harikasınız",
    "Kütüphane muhteşem, çocuklar bayıldı. Tebrikler sayın başkan!",
    "Zabıta ekipleri çok ilgiliydi, sorunumuz hemen çözüldü, Allah razı olsun",
]
NEUTRAL = [
    "Belediye meclisi toplantısı salı günü saat 14.00'te yapılacak.",
    "Nikah işlemleri için hangi evraklar gerekiyor?",
    "Yarın saat 10.00 ile 16.00 arasında Atatürk Caddesi trafiğe kapalı olacak.",
]
CLEAR = [
    *((text, Label.NEGATIVE) for text in NEGATIVE),
    *((text, Label.POSITIVE) for text in POSITIVE),
    *((text, Label.NEUTRAL) for text in NEUTRAL),
]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(BUNDLED_MODEL)


@pytest.fixture
def copied_model(tmp_path: Path) -> Path:
    """A model folder whose files a test may replace; links, since the original weighs 35 MB."""
    for name in FILES:
        (tmp_path / name).symlink_to(BUNDLED_MODEL / name)
    return tmp_path


def replace(path: Path, content: str) -> None:
    path.unlink()
    path.write_text(content, encoding="utf-8")


def described(folder: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
    return value


def change_head(folder: Path, **change: object) -> None:
    value = described(folder)
    value["heads"]["sentiment"] |= change
    replace(folder / DESCRIPTION_FILE, json.dumps(value))


def write_network(path: Path, kind: str, outputs: int) -> None:
    """One that adds up the numbers of the words."""
    onnx = pytest.importorskip("onnx")
    helper, types = onnx.helper, onnx.TensorProto
    nodes = [
        helper.make_node("Cast", ["input_ids"], ["numbers"], to=types.FLOAT),
        helper.make_node("ReduceSum", ["numbers", "axes"], ["sum"], keepdims=1),
        helper.make_node("Concat", ["sum"] * outputs, ["logits"], axis=1),
    ]
    graph = helper.make_graph(
        nodes, "sum", [helper.make_tensor_value_info("input_ids", getattr(types, kind), ["texts", "tokens"])],
        [helper.make_tensor_value_info("logits", types.FLOAT, ["texts", outputs])],
        [helper.make_tensor("axes", types.INT64, [1], [1])],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.unlink()  # a link to the bundled one
    path.write_bytes(model.SerializeToString())


TANGLE = [
    *"#@_/:[]!.-xtcİıIiçaâîûÂ\n \0\u0301\u0302\u0307\u0308\u0327\u200b\u200d\u20e3\ufe0f🏽👏\ud83d",
    "http", "https://", "t.co/", "pic.twitter.com/", "www.", "WWW.", "aaaa", "[kişi]", "!!!!",
]  # fmt: skip


def generated_texts() -> list[str]:
    """Invented posts of very different length, many of them between two labels."""
    places = ["Merkez", "Yeşilova mahallesi", "sahil yolu", "şehir hastanesi", "otogar"]
    things = ["su", "otobüs seferi", "çöp toplama", "yol çalışması", "park", "aşevi"]
    says = [
        "{place} {thing} yok",
        "{thing} konusunda {place} için bilgi alabilir miyim @belediye",
        "Teşekkürler, {place} tarafında {thing} düzelmiş 👍 ama akşamları hâlâ sorun var, umarım kalıcı olur",
        "{place} {thing}???",
        "{thing} yine aksadı. Dün de aynıydı, önceki gün de; {place} olarak dilekçe verdik https://ornek.example/dilekce",
        "fena değil {place}, {thing} idare eder",
        "BUGÜN {place} {thing} İÇİN TOPLANTI VAR",
    ]
    return [say.format(place=place, thing=thing) for place, thing, say in itertools.product(places, things, says)]


class TestPlainForm:
    @pytest.mark.parametrize(
        ("text", "prepared"),
        [
            ("  iki \n\t satır  ", "iki satır"),
            ("bak https://ornek.example/a?b=c şuraya", "bak http şuraya"),
            ("www.ornek.example ve pic.twitter.com/abc", "http ve http"),
            ("@belediye ve @a_b@sosyal.example, neredesiniz", "@kişi ve @kişi, neredesiniz"),
            ("ad@ornek.example", "ad@ornek.example"),
            ("Çoooook kötüüüüü", "Çook kötüü"),
            ("REZAAAALET", "REZAALET"),
            ("1000000 lira", "1000000 lira"),
            ("olmaz!!!!!!! 😡😡😡😡😡", "olmaz!!! 😡😡😡"),
            ("İSTANBUL ılık", "İSTANBUL ılık"),
            (unicodedata.normalize("NFD", "çğıöşü"), "çğıöşü"),
            ("yarım \ud83d emoji", "yarım \ufffd emoji"),
            ("@x\u0302 nerede", "@kişi nerede"),
            (" \n ", ""),
        ],
    )
    def test_form(self, text: str, prepared: str) -> None:
        """Links, names and lengthened words take one form; letters, case and digits stay."""
        assert prepare_plain(text) == prepared


class TestTurkishForm:
    @pytest.mark.parametrize(
        ("text", "prepared"),
        [
            ("  iki \n\t şişe  ", "iki şişe"),
            ("bak https://ornek.example/a?b=c şuraya pic.twitter.com/abc", "bak şuraya"),
            ("@belediye ve @a_b@sosyal.example, neredesiniz şimdi", "ve , neredesiniz şimdi"),
            ("[kişi] çok kötü [bağlantı: ornek.bel.tr] http", "çok kötü"),
            ("Çoooook kötüüüüü", "çok kötü"),
            ("ÇOK KÖTÜ, İSTANBUL ISLAK", "çok kötü, istanbul ıslak"),
            ("#SuKesintisi_var çözün", "sukesintisi var çözün"),
            ("olmaz öyle!!!!!!! 👏🏽👏🏿👏👏❤️", "olmaz öyle!!! 👏👏👏❤"),
            ("kâğıt üzerinde", "kağıt üzerinde"),
            (unicodedata.normalize("NFD", "ÇĞIÖŞÜ"), "çğıöşü"),
            ("İstanbul çok güzel".lower(), "istanbul çok güzel"),
            ("şu WWW.ORNEK.EXAMPLE/A ve bak_http ve httppic.twitter.com/a", "şu ve bak ve"),
            ("@🏽û şiir", "şiir"),
            ("cok kotu bir hizmet", "çok kötü bir hizmet"),
            ("3 gundur su yok, su faturasi geliyor ama", "3 gündür su yok, su faturası geliyor ama"),
            ("su an evde su yok, su hale bak", "şu an evde su yok, şu hale bak"),
            ("COK KOTU BIR BELEDIYE", "çok kötü bir belediye"),
            ("yarim saattir bekliyoruz, otobus gelmedi", "yarım saattir bekliyoruz, otobüs gelmedi"),
            ("yarım \ud83d emoji", "yarım \ufffd emoji"),
            (" @kimse https://ornek.example ", ""),
            ("", ""),
        ],
    )
    def test_form(self, text: str, prepared: str) -> None:
        """What people write in several ways takes one form."""
        assert prepare_turkish(text) == prepared

    @pytest.mark.parametrize("text", [*NEGATIVE, *POSITIVE, *NEUTRAL, "bak www.ornek.example/a", "haber: HTTP://ORNEK.EXAMPLE/İ"])
    def test_what_cannot_change_a_label(self, text: str) -> None:
        """Case, a link and a user name, by construction."""
        form = prepare_turkish(text)
        assert prepare_turkish(turkish.upper(text)) == form
        assert prepare_turkish(turkish.lower(text)) == form
        assert prepare_turkish(f"@ornekbelediyesi {text} https://ornek.example/a-1") == form


class TestForms:
    @pytest.mark.parametrize("name", PREPARATIONS)
    @pytest.mark.parametrize("text", [*NEGATIVE, *POSITIVE, *NEUTRAL, "@@@a wwww.x.y hhhttp://z", "a" * 9_000])
    def test_idempotent(self, name: str, text: str) -> None:
        """A prepared text is left as it is."""
        prepare = PREPARATIONS[name]
        assert prepare(prepare(text)) == prepare(text)

    @pytest.mark.parametrize("name", PREPARATIONS)
    @given(text=st.lists(st.sampled_from(TANGLE), max_size=12).map("".join))
    @settings(max_examples=300, deadline=None)
    def test_idempotent_for_tangles(self, name: str, text: str) -> None:
        """Nor do links, names, marks and lengthened letters come to light that stood in one another."""
        prepare = PREPARATIONS[name]
        assert prepare(prepare(text)) == prepare(text)

    @pytest.mark.parametrize("name", PREPARATIONS)
    @given(text=st.text(st.characters(exclude_categories=[]), max_size=300))
    @settings(max_examples=200, deadline=None)
    def test_anything_has_a_form(self, name: str, text: str) -> None:
        """One line, no half characters, no more than was there."""
        form = PREPARATIONS[name](text)
        assert form == " ".join(form.split())
        form.encode()

    def test_diacritics_are_restored(self) -> None:
        """Most words come out as they were typed: of clear sentences, and of none is the length changed."""
        texts = [turkish.lower(text) for text in (*NEGATIVE, *POSITIVE, *NEUTRAL)]
        pairs = [
            pair
            for text in texts
            for pair in zip(prepare_turkish(plain(text)).split(), prepare_turkish(text).split(), strict=True)
        ]
        assert sum(a == b for a, b in pairs) >= 0.93 * len(pairs)


class TestDecide:
    @pytest.mark.parametrize(
        ("probabilities", "label"),
        [
            ((0.7, 0.2, 0.1), Label.NEGATIVE),
            ((0.2, 0.7, 0.1), Label.NEUTRAL),
            ((0.2, 0.1, 0.7), Label.POSITIVE),
            ((0.5, 0.3, 0.2), Label.NEGATIVE),
            ((0.45, 0.45, 0.1), Label.UNSURE),
            ((0.5, 0.0, 0.5), Label.NEGATIVE),
        ],
    )
    def test_label(self, probabilities: tuple[float, float, float], label: Label) -> None:
        """The likeliest class from the threshold on, negative on a tie, otherwise unsure."""
        assert decide(probabilities, threshold=0.5) == (label, max(probabilities))

    @pytest.mark.parametrize(
        ("probabilities", "label", "confidence"),
        [
            ((0.4, 0.5, 0.1), Label.NEGATIVE, 0.4),
            ((0.3, 0.5, 0.2), Label.NEUTRAL, 0.5),
            ((0.34, 0.36, 0.3), Label.UNSURE, 0.34),
        ],
    )
    def test_a_complaint_counts_for_more(
        self, probabilities: tuple[float, float, float], label: Label, confidence: float
    ) -> None:
        """The label with the largest weighted probability; the confidence is its own, unweighted."""
        assert decide(probabilities, threshold=0.35, weights=(1.5, 1, 1)) == (label, confidence)

    def test_wrong_number(self) -> None:
        """Two probabilities are a fault of ours, never a label."""
        with pytest.raises(ValueError, match="expected 3"):
            decide((0.5, 0.5), threshold=0.5)


class TestUnusableModel:
    def test_missing_folder(self, tmp_path: Path) -> None:
        """The message names the folder and the way out."""
        with pytest.raises(ModelUnusable, match=r"no model folder at .*nowhere.*nabiz model import"):
            Classifier(tmp_path / "nowhere")

    @pytest.mark.parametrize("name", FILES)
    def test_missing_file(self, copied_model: Path, name: str) -> None:
        """Each needed file is asked for by name."""
        (copied_model / name).unlink()
        with pytest.raises(ModelUnusable, match=f"lacks {name}"):
            Classifier(copied_model)

    @pytest.mark.parametrize("name", FILES)
    def test_broken_file(self, copied_model: Path, name: str) -> None:
        """A file that cannot be read is our typed error, not the library's."""
        replace(copied_model / name, "{")
        with pytest.raises(ModelUnusable, match=r"nabiz model import"):
            Classifier(copied_model)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (
                {"labels": ["spam", "ham", "other"], "weights": {}},
                "tells apart spam, ham, other, needed are negative, neutral, positive",
            ),
            (
                {"weights": {"negatve": 1.5}},
                r"nabiz\.json is broken: heads\.sentiment: .*weights for negatve, which no column is",
            ),
            ({"weights": {"negative": 0}}, r"nabiz\.json is broken: heads\.sentiment\.weights\.negative"),
            ({"labels": ["negative", "positive"]}, "does not give 2 numbers a text for sentiment"),
            ({"output": "topics"}, "has no output named topics"),
            ({"temperature": 0}, r"nabiz\.json is broken: heads\.sentiment\.temperature"),
            ({"threshold": 1.5}, r"nabiz\.json is broken: heads\.sentiment\.threshold"),
            ({"treshold": 0.5}, r"nabiz\.json is broken: heads\.sentiment\.treshold"),
            ({"threshold": float("nan")}, r"nabiz\.json is broken: heads\.sentiment\.threshold"),
            ({"temperature": 1e-320}, r"nabiz\.json is broken: heads\.sentiment\.temperature"),
            ({"labels": ["neutral", "neutral", "neutral"]}, r"every column is neutral, and nothing is left to tell apart"),
        ],
    )
    def test_head(self, copied_model: Path, change: dict[str, object], message: str) -> None:
        """A head that does not fit the model, or cannot be meant, is refused."""
        change_head(copied_model, **change)
        with pytest.raises(ModelUnusable, match=message):
            Classifier(copied_model)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"name": "a\nb"}, r"nabiz\.json is broken: name: "),
            ({"name": "\x1b[2J"}, r"nabiz\.json is broken: name: "),
            ({"batch_texts": 0}, r"nabiz\.json is broken: batch_texts: "),
            ({"heads": {}}, r"nabiz\.json is broken: heads: "),
            ({"max_tokens": 4_000}, r"cannot read 2 texts of max_tokens \(4000\)"),
        ],
    )
    def test_description(self, copied_model: Path, change: dict[str, object], message: str) -> None:
        """Also what only a long text, or the second of a batch, would bring to light in the middle of the night."""
        replace(copied_model / DESCRIPTION_FILE, json.dumps(described(copied_model) | change))
        with pytest.raises(ModelUnusable, match=message):
            Classifier(copied_model)

    def test_forbidden_file(self, copied_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """No permission is a matter of the folder, too."""

        def forbid(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", forbid)
        with pytest.raises(ModelUnusable, match=r"cannot read the model in .* \(Permission denied\): let the user who runs this"):
            require_model(copied_model)

    @pytest.mark.parametrize(("kind", "outputs"), [("INT32", 3), ("INT64", 2)])
    def test_weights_of_another_kind(self, copied_model: Path, kind: str, outputs: int) -> None:
        """Other types of input, another number of outputs: never the library's own error."""
        write_network(copied_model / WEIGHTS, kind, outputs)
        with pytest.raises(ModelUnusable, match="nabiz model import"):
            Classifier(copied_model)

    def test_no_sentiment(self, copied_model: Path) -> None:
        """A model of another question is refused, and the message lists its heads."""
        value = described(copied_model)
        value["heads"] = {"topic": value["heads"]["sentiment"]}
        replace(copied_model / DESCRIPTION_FILE, json.dumps(value))
        with pytest.raises(ModelUnusable, match="no head named sentiment, only topic"):
            Classifier(copied_model)


class TestHeads:
    def test_one_reading_answers_all(self, copied_model: Path) -> None:
        """Two heads, one of them with two columns for one label: each has its own probabilities, in its own order."""
        value = described(copied_model)
        value["heads"]["concern"] = {"output": "logits", "labels": ["yes", "no", "yes"], "temperature": 1.0}
        value["heads"]["sentiment"]["temperature"] = 1.0
        replace(copied_model / DESCRIPTION_FILE, json.dumps(value))
        model = TextModel(copied_model)
        rows = model.read([model.prepare(text) for text in (*NEGATIVE, *POSITIVE)])
        assert model.labels("concern") == ("yes", "no")
        sentiment, concern = rows["sentiment"], rows["concern"]
        assert concern[:, 0] == pytest.approx(sentiment[:, 0] + sentiment[:, 2])
        assert concern[:, 1] == pytest.approx(sentiment[:, 1])

    def test_a_label_that_the_model_lacks(self, copied_model: Path) -> None:
        """A model without neutral never says so."""
        change_head(copied_model, labels=["negative", "positive", "positive"])
        predictions = Classifier(copied_model).predict([text for text, _ in CLEAR])
        assert {prediction.probabilities[1] for prediction in predictions} == {0.0}
        assert {prediction.label for prediction in predictions} <= {Label.NEGATIVE, Label.POSITIVE, Label.UNSURE}


class TestBundledModel:
    @pytest.mark.parametrize(("text", "label"), CLEAR)
    def test_clear_sentences(self, classifier: Classifier, text: str, label: Label) -> None:
        """What any reader would agree on, the model says without doubt."""
        assert classifier.predict([text])[0].label is label

    def test_neighbours_do_not_matter(self, classifier: Classifier) -> None:
        """Alone, in batches, shuffled, with two threads: the same label, for every text."""
        texts = generated_texts()
        assert len(texts) >= 200
        together = classifier.predict(texts)
        alone = [classifier.predict([text])[0] for text in texts]
        order = random.Random(1).sample(range(len(texts)), len(texts))
        shuffled = dict(zip(order, classifier.predict([texts[index] for index in order]), strict=True))
        two_threads = Classifier(BUNDLED_MODEL, threads=2).predict(texts)

        def labels(predictions: list[Prediction]) -> list[Label]:
            return [prediction.label for prediction in predictions]

        assert labels(alone) == labels(together)
        assert labels([shuffled[index] for index in range(len(texts))]) == labels(together)
        assert labels(two_threads) == labels(together)

    def test_probabilities(self, classifier: Classifier) -> None:
        """They are shares of one whole, and the confidence is that of the label, which is not always the likeliest."""
        sarcasm = [case.text for case in bundled_suite() if case.capability == "sarcasm"]
        judged = classifier.predict([text for text, _ in CLEAR] + sarcasm)
        named = [prediction for prediction in judged if prediction.label in CLASSES]
        for prediction in named:
            assert sum(prediction.probabilities) == pytest.approx(1)
            assert prediction.confidence == prediction.probabilities[CLASSES.index(prediction.label)]
        assert any(prediction.confidence < max(prediction.probabilities) for prediction in named)

    def test_nothing_to_judge(self, classifier: Classifier) -> None:
        """No texts give no predictions; an empty text is unsure and does not shift the others."""
        assert classifier.predict([]) == []
        empty, full = classifier.predict(["  ", NEGATIVE[0]])
        assert (empty.label, full.label) == (Label.UNSURE, Label.NEGATIVE)

    def test_foreign_input(self, classifier: Classifier) -> None:
        """Whatever a text holds, it gets a prediction."""
        texts = ["\x00", "\ud83d", "😡", "ع" * 50, "su " * 5_000, "漢字", "a"]
        assert len(classifier.predict(texts)) == len(texts)

    def test_own_threshold(self) -> None:
        """An institution may ask for more certainty; nothing is certain enough for 1."""
        careful = Classifier(BUNDLED_MODEL, threshold=1.0)
        assert careful.predict([NEGATIVE[0]])[0].label is Label.UNSURE

    def test_version(self, classifier: Classifier, copied_model: Path) -> None:
        """The version is the same for the same files, and another one when a label may change."""
        assert Classifier(copied_model).version == classifier.version
        change_head(copied_model, threshold=0.9)
        assert Classifier(copied_model).version != classifier.version

    def test_version_with_another_threshold(self, classifier: Classifier) -> None:
        """A series of labels that become unsure at another confidence is a new one; asking for the model's own changes nothing."""
        assert Classifier(BUNDLED_MODEL, threshold=classifier.threshold).version == classifier.version
        assert Classifier(BUNDLED_MODEL, threshold=0.5).version == f"{classifier.version}-unsure-below-0.5"

    def test_loading_is_offline_and_leaves_no_trace(self, classifier: Classifier) -> None:
        """Importing the package loads neither transformers nor torch; loading a model sets no environment."""
        program = (
            "import os, sys; import processors.sentiment as s; "
            "assert not {'transformers', 'torch', 'processors.sentiment.training'} & set(sys.modules); "
            "before = dict(os.environ); s.Classifier(s.BUNDLED_MODEL); assert dict(os.environ) == before; "
            "assert 'torch' not in sys.modules"
        )
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
