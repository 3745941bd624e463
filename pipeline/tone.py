"""Where `enrich` gets the tone of a text from: the model, or labels that were stored before.

Stored labels make a campaign's twentieth run of the same file as fast as Kafka; a text that is not among them goes to
the model.
"""

import hashlib
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.sentiments import Sentiment

KNOWN_TEXTS: Final = 20_000  # about 10 MB


class StoredLabelsUnusable(Exception):
    """The file of stored labels cannot be used; the message names line and remedy."""


class Tone(Protocol):
    """Judges texts. Blocks; `enrich` calls it in a thread."""

    def judge(self, texts: Sequence[str]) -> list[Sentiment]:
        """One sentiment a text, in order."""


class SentimentSettings(BaseModel):
    """How `enrich` judges tone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Path | None = Field(
        default=None, description="folder of another model, relative to the configuration file; default: the bundled one"
    )
    threads: int = Field(default=1, ge=1, description="inference threads per `enrich` worker")
    threshold: float | None = Field(
        default=None,
        ge=0,
        le=1,
        strict=True,
        description="confidence below which a label is `unsure`; default: the model's own. A higher one finds fewer of the negative posts",
    )
    stored_labels: Path | None = Field(
        default=None,
        description="JSON lines {text_hash, label, confidence, model} to use first; relative to the configuration file",
    )

    @property
    def folder(self) -> Path:
        """Where the model lies."""
        return self.model or Path(__file__).parent.parent / "processors" / "sentiment" / "model"


class ModelTone:
    """The transformer."""

    def __init__(self, settings: SentimentSettings) -> None:
        from processors.sentiment.classifier import Classifier  # transformers takes a second to import

        self._classifier = Classifier(settings.folder, threads=settings.threads, threshold=settings.threshold)
        self._known: OrderedDict[str, Sentiment] = OrderedDict()  # by hash: articles are long

    @property
    def version(self) -> str:
        """Of the model, with the threshold if it is not its own."""
        return self._classifier.version

    def judge(self, texts: Sequence[str]) -> list[Sentiment]:
        """See `Tone`. Texts of one prepared form are judged once: copies, also with another link, user name or case.

        Not by signature, which takes more texts for copies: which of them came first would then decide the label.
        """
        forms = [self._classifier.prepare(text) for text in texts]
        keys = [text_hash(form) for form in forms]
        new = {key: form for key, form in zip(keys, forms, strict=True) if key not in self._known}
        judged = dict(zip(new, self._ask(list(new.values())), strict=True)) if new else {}
        found = [judged[key] if key in judged else self._known[key] for key in keys]
        self._known.update(judged)
        while len(self._known) > KNOWN_TEXTS:
            self._known.popitem(last=False)
        return found

    def _ask(self, texts: Sequence[str]) -> list[Sentiment]:
        version = self._classifier.version
        return [
            Sentiment(label=prediction.label, confidence=round(prediction.confidence, 4), model=version)
            for prediction in self._classifier.predict_prepared(texts)
        ]


class StoredTone:
    """Labels from a file, by hash of the masked text; what is missing there goes to `otherwise`."""

    def __init__(self, file: Path, settings: SentimentSettings) -> None:
        self._labels = dict(read_stored(file))
        self._settings = settings
        self._otherwise: Tone | None = None

    def judge(self, texts: Sequence[str]) -> list[Sentiment]:
        """See `Tone`."""
        found = [self._labels.get(text_hash(text)) for text in texts]
        missing = [text for text, label in zip(texts, found, strict=True) if label is None]
        judged = iter(self._model().judge(missing) if missing else ())
        return [label if label is not None else next(judged) for label in found]

    def _model(self) -> Tone:
        if self._otherwise is None:
            self._otherwise = ModelTone(self._settings)
        return self._otherwise


def text_hash(text: str) -> str:
    """Key of a label, stored or kept in memory."""
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def read_stored(file: Path) -> Iterator[tuple[str, Sentiment]]:
    """Hash of a text and its label. Raises `StoredLabelsUnusable`."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise StoredLabelsUnusable(
            f"sentiment.stored_labels: cannot read {file} ({error.strerror}): correct the path or its permissions, or remove the key"
        ) from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            stored = _Stored.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "the line"
            raise StoredLabelsUnusable(
                f"sentiment.stored_labels: {file}, line {number}: {where}: {first['msg']}: needed is "
                '{"text_hash": …, "label": "negative", "confidence": 0.9, "model": …}; correct the file, or remove the key'
            ) from error
        yield stored.text_hash, Sentiment(label=stored.label, confidence=stored.confidence, model=stored.model)


class _Stored(Sentiment):
    """A line of `stored_labels`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text_hash: str = Field(pattern=r"^[0-9a-f]{24}$")


def require_tone(settings: SentimentSettings) -> None:
    """Look at what is named, without loading it. Raises as `open_tone` does."""
    from processors.sentiment.classifier import require_classifier  # NumPy takes a moment to import

    require_classifier(settings.folder)
    if settings.stored_labels is not None:
        deque(read_stored(settings.stored_labels), maxlen=0)


def open_tone(settings: SentimentSettings) -> Tone:
    """Raises `processors.sentiment.classifier.ModelUnusable`, or StoredLabelsUnusable."""
    return StoredTone(settings.stored_labels, settings) if settings.stored_labels else ModelTone(settings)
