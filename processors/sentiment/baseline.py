"""What a model without any knowledge of language reaches: weighted words and letters, and a linear rule over them.

A transformer that is not clearly better than this is not worth its 12 ms a text. Needs the extra `evaluation`.
"""

import warnings
from collections.abc import Sequence
from typing import Any, Final, Self

from processors.sentiment.classifier import Prediction
from processors.sentiment.labelled import Labelled, LabelledUnusable
from processors.sentiment.labels import CLASSES, decide
from processors.sentiment.prepare import prepare_plain
from processors.text import turkish

_STRENGTH: Final = 3.0  # inverse of the regularisation
_STEPS: Final = 1000
_TOLERANCE: Final = 1e-5
"""With 1e-3 it stops after 34 to 84 steps, by chance, and judges up to .02 of macro-F1 worse than it can; with 1e-4 where it
stops hangs on the number of threads, and its macro-F1 with it by up to .007; with 1e-5 by less than .001 over all."""
_WORD_OR_SIGN: Final = r"\w+|[^\w\s]"


class Baseline:
    """TF-IDF over words and letters, and a logistic regression. Answers as a `Classifier` does, and is never unsure."""

    version: Final = "tf-idf-baseline"
    threshold: Final = 0.0

    def __init__(self, vectoriser: Any, regression: Any) -> None:
        """See `train`."""
        self._vectoriser, self._regression = vectoriser, regression

    @classmethod
    def train(cls, examples: Sequence[Labelled]) -> Self:
        """Takes about two minutes for 80,000 texts. Raises `LabelledUnusable` where there is too little to learn, ImportError."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        labels = [example.label.value for example in examples]
        if len(set(labels)) < 2:
            raise LabelledUnusable(
                f"a baseline needs training texts of at least two labels, and {len(examples)} texts hold "
                f"{' '.join(set(labels)) or 'none'}: give more FILEs with --train"
            )
        vectoriser = _vectoriser()
        try:
            rows = vectoriser.fit_transform([_form(example.text) for example in examples])
        except ValueError as error:  # no word occurs twice
            raise LabelledUnusable(
                f"a baseline cannot learn from {len(examples)} training texts ({error}): give more FILEs with --train"
            ) from error
        regression = LogisticRegression(C=_STRENGTH, max_iter=_STEPS, tol=_TOLERANCE)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # after as many steps, more change nothing that counts
            regression.fit(rows, labels)
        return cls(vectoriser, regression)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction a text, in the order given."""
        if not texts:
            return []
        columns = {label: place for place, label in enumerate(self._regression.classes_.tolist())}
        rows = self._regression.predict_proba(self._vectoriser.transform([_form(text) for text in texts])).tolist()
        return [_prediction([row[columns[label]] if label in columns else 0.0 for label in CLASSES]) for row in rows]


def _vectoriser() -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    shared: dict[str, Any] = {"sublinear_tf": True, "lowercase": False}  # lowered already, as Turkish does it
    words = TfidfVectorizer(analyzer="word", ngram_range=(1, 2), min_df=2, token_pattern=_WORD_OR_SIGN, **shared)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=3, **shared)
    return make_union(words, letters)


def _form(text: str) -> str:
    return turkish.lower(prepare_plain(text))


def _prediction(shares: Sequence[float]) -> Prediction:
    label, confidence = decide(shares, Baseline.threshold)
    negative, neutral, positive = shares
    return Prediction(label=label, confidence=confidence, probabilities=(negative, neutral, positive))
