"""What a fold wants written: shared by the processors that decide it and the pipeline that does it."""

from dataclasses import dataclass

from schemas.topics import Topic


@dataclass(frozen=True, slots=True)
class Output:
    """One record to write."""

    topic: Topic
    key: str
    value: bytes
