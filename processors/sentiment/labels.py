"""The labels, and the rule that turns probabilities into one of them."""

from collections.abc import Sequence

from schemas.labels import Label

__all__ = ["CLASSES", "Label", "decide"]

CLASSES = (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE)
"""What a model tells apart, in the order of its probabilities; `unsure` is our decision, not a class."""


def decide(probabilities: Sequence[float], threshold: float) -> tuple[Label, float]:
    """The likeliest class and its probability; `unsure`, with the same number, below the threshold.

    On a tie the class that stands first wins: negative, because a complaint must not be lost.
    """
    if len(probabilities) != len(CLASSES):
        raise ValueError(f"expected {len(CLASSES)} probabilities, got {len(probabilities)}")
    confidence = max(probabilities)
    label = CLASSES[list(probabilities).index(confidence)]
    return (label if confidence >= threshold else Label.UNSURE), confidence
