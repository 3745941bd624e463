"""Topic `checkpoints`: how far each source has come. Key: source. Written after Kafka acknowledged what it covers."""

from typing import Literal

from pydantic import AwareDatetime, Field

from schemas.reasons import DeadLetterReason, RefusalReason
from schemas.records import Record


class SourceCounts(Record):
    """What became of the input so far: read = admitted + deleted + refused + dead."""

    read: int = 0
    admitted: int = 0
    deleted: int = 0
    refused: dict[RefusalReason, int] = Field(default_factory=dict)
    dead: dict[DeadLetterReason, int] = Field(default_factory=dict)


class Checkpoint(Record):
    """Where a source goes on after a restart."""

    type: Literal["checkpoint"] = "checkpoint"
    source: str
    fingerprint: str = Field(description="what the position refers to, e.g. the hash of a file")
    position: int
    clock: AwareDatetime | None = None
    listening_since: AwareDatetime | None = Field(default=None, description="see SourceProgress.listening_since")
    counts: SourceCounts = SourceCounts()
    finished: bool = False
