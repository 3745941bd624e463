"""Where a tone comes from: stored labels first, then what was judged before, then the model."""

from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest

import pipeline.tone
from pipeline.tone import ModelTone, SentimentSettings, StoredLabelsUnusable, open_tone, text_hash
from processors.sentiment import Label, Prediction
from processors.sentiment.prepare import prepare_turkish


class Model:
    """Remembers what it was asked; how long a text is makes its label."""

    version = "model-1"

    def __init__(self, *_: object, **__: object) -> None:
        self.asked: list[str] = []

    def prepare(self, text: str) -> str:
        return prepare_turkish(text)

    def predict_prepared(self, prepared: Sequence[str]) -> list[Prediction]:
        self.asked += prepared
        labels = [Label.NEGATIVE if len(text) > 5 else Label.POSITIVE for text in prepared]
        return [Prediction(label=label, confidence=0.91234, probabilities=(0.9, 0.05, 0.05)) for label in labels]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    made = Model()
    monkeypatch.setattr("processors.sentiment.classifier.Classifier", lambda *_, **__: made)
    return made


def labels(tone: pipeline.tone.Tone, texts: Sequence[str]) -> list[str]:
    return [sentiment.label for sentiment in tone.judge(texts)]


def test_copies_are_judged_once(model: Model) -> None:
    """Within a batch and after it, with another link, name or case; the answers stay in order."""
    tone = ModelTone(SentimentSettings())
    assert labels(tone, ["Çöp çok kötü", "iyi", "ÇÖP ÇOK KÖTÜ", "@biri çöp çok kötü https://ornek.example/1"]) == [
        "negative", "positive", "negative", "negative",
    ]  # fmt: skip
    assert labels(tone, ["İYİ", "şey", "çöp çok kötü"]) == ["positive", "positive", "negative"]
    assert model.asked == ["çöp çok kötü", "iyi", "şey"]


def test_what_is_known_is_limited(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten and asked for again, also when one batch holds more than is kept."""
    monkeypatch.setattr(pipeline.tone, "KNOWN_TEXTS", 2)
    tone = ModelTone(SentimentSettings())
    assert labels(tone, ["bir şey", "iki", "üç şey"]) == ["negative", "positive", "negative"]
    assert labels(tone, ["üç şey", "bir şey"]) == ["negative", "negative"]
    assert model.asked == ["bir şey", "iki", "üç şey", "bir şey"]


def test_a_broken_line_of_stored_labels_is_named(tmp_path: Path) -> None:
    """With what is wrong with it."""
    file = tmp_path / "labels.jsonl"
    good = {"text_hash": text_hash("su"), "label": "neutral", "confidence": 0.5, "model": "old"}
    file.write_bytes(orjson.dumps(good) + b"\n\n" + orjson.dumps(good | {"label": "iyi"}) + b"\n")
    with pytest.raises(StoredLabelsUnusable, match=r"labels.jsonl, line 3: label: .*needed is"):
        open_tone(SentimentSettings(stored_labels=file))


def test_stored_labels_come_first(model: Model, tmp_path: Path) -> None:
    """By hash of the text as it is; what is missing goes to the model, and every answer stays in its place."""
    file = tmp_path / "labels.jsonl"
    file.write_bytes(orjson.dumps({"text_hash": text_hash("su"), "label": "neutral", "confidence": 0.5, "model": "old"}) + b"\n")
    tone = open_tone(SentimentSettings(stored_labels=file))
    found = tone.judge(["uzun bir söz", "su", "iyi"])
    assert [(sentiment.label, sentiment.model) for sentiment in found] == [
        ("negative", "model-1"), ("neutral", "old"), ("positive", "model-1"),
    ]  # fmt: skip
    assert model.asked == ["uzun bir söz", "iyi"]
