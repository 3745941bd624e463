"""Sentiment: the text's form, the label's rule, and the bundled model, offline."""

import itertools
import json
import os
import random
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from processors.sentiment import BUNDLED_MODEL, Classifier, Label, ModelUnusable, Prediction, decide, prepare
from processors.sentiment.classifier import FILES

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


class TestPrepare:
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
            (" \n ", ""),
        ],
    )
    def test_form(self, text: str, prepared: str) -> None:
        """Links, names and lengthened words take one form; letters, case and digits stay."""
        assert prepare(text) == prepared

    @pytest.mark.parametrize("text", [*NEGATIVE, *POSITIVE, *NEUTRAL, "@@@a wwww.x.y hhhttp://z", "a" * 9_000])
    def test_idempotent(self, text: str) -> None:
        """A prepared text is left as it is."""
        assert prepare(prepare(text)) == prepare(text)


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

    def test_other_labels(self, copied_model: Path) -> None:
        """A model that tells apart something else is refused, and the message lists what."""
        config = json.loads((BUNDLED_MODEL / "config.json").read_text(encoding="utf-8"))
        config["id2label"] = {"0": "spam", "1": "ham", "2": "other"}
        config["label2id"] = {"spam": 0, "ham": 1, "other": 2}
        replace(copied_model / "config.json", json.dumps(config))
        with pytest.raises(ModelUnusable, match="tells apart spam, ham, other, needed are negative, neutral, positive"):
            Classifier(copied_model)

    @pytest.mark.parametrize(("key", "value"), [("temperature", 0), ("threshold", 1.5), ("threshold", "high")])
    def test_senseless_calibration(self, copied_model: Path, key: str, value: object) -> None:
        """A calibration that cannot be meant is refused."""
        calibration = json.loads((BUNDLED_MODEL / "calibration.json").read_text(encoding="utf-8"))
        replace(copied_model / "calibration.json", json.dumps(calibration | {key: value}))
        with pytest.raises(ModelUnusable, match=r"calibration\.json"):
            Classifier(copied_model)


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
        """They are shares of one whole, and the confidence is the largest."""
        for prediction in classifier.predict([text for text, _ in CLEAR]):
            assert sum(prediction.probabilities) == pytest.approx(1)
            assert prediction.confidence == max(prediction.probabilities)

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
        calibration = json.loads((BUNDLED_MODEL / "calibration.json").read_text(encoding="utf-8"))
        replace(copied_model / "calibration.json", json.dumps(calibration | {"threshold": 0.9}))
        assert Classifier(copied_model).version != classifier.version

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
