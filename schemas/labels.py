"""The four labels of tone."""

from enum import StrEnum


class Label(StrEnum):
    """`UNSURE` is an answer, not a failure: the model's confidence was below the threshold, or the language is another."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"
    UNSURE = "unsure"
