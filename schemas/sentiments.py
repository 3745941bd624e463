"""Tone of a text, as every record and document carries it."""

from pydantic import Field

from schemas.labels import Label
from schemas.records import Record

NO_MODEL = "none"  # the model version of a label that no model gave


class Sentiment(Record):
    """A label with what it rests on."""

    label: Label
    confidence: float = Field(
        ge=0, le=1, description="calibrated probability of the label, or of what it would be if it were not unsure"
    )
    model: str = Field(description="version of the model that said so")
