"""Tone of a text, as every record and document carries it."""

from pydantic import Field

from schemas.labels import Label
from schemas.records import Record


class Sentiment(Record):
    """A label with what it rests on."""

    label: Label
    confidence: float = Field(ge=0, le=1, description="calibrated probability of the most probable class")
    model: str = Field(description="version of the model that said so")
