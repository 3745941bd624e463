"""The labels, and the rule that turns probabilities into one of them."""

from collections.abc import Sequence

from schemas.labels import Label

__all__ = ["CLASSES", "Label", "decide"]

CLASSES = (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE)
"""What a model tells apart, in the order of its probabilities; `unsure` is our decision, not a class."""


def decide(probabilities: Sequence[float], threshold: float, weights: Sequence[float] = (1, 1, 1)) -> tuple[Label, float]:
    """The class that stands first when each probability counts by its weight, and its probability; `unsure` below the threshold.

    With equal weights it is the likeliest one. On a tie the class that stands first in CLASSES wins: negative, because a
    complaint must not be lost.
    """
    if len(probabilities) != len(CLASSES):
        raise ValueError(f"expected {len(CLASSES)} probabilities, got {len(probabilities)}")
    weighted = [share * weight for share, weight in zip(probabilities, weights, strict=True)]
    place = weighted.index(max(weighted))
    confidence = probabilities[place]
    return (CLASSES[place] if confidence >= threshold else Label.UNSURE), confidence
