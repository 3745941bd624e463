"""What `enrich` tells of the progress of a batch."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.kafka import KafkaSettings
from pipeline.roles.enrich import Enrich
from schemas.hits import Progress
from schemas.mentions import SourceProgress

START = datetime(2025, 11, 24, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Message:
    partition: int


class Batch:
    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def broadcast(self, record: Any) -> None:
        self.sent.append(record)


def told(*reports: tuple[int, str, int, bool]) -> list[Progress]:
    """Reports are partition, source, minute, finished."""
    work = Enrich(KafkaSettings(), tone=None, watches=None, secret=b"", clock=lambda: START)  # type: ignore[arg-type]
    batch = Batch()
    records = [
        (Message(partition), SourceProgress(source=source, clock=START + timedelta(minutes=minute), finished=finished))
        for partition, source, minute, finished in reports
    ]
    asyncio.run(work._progress(batch, records))  # type: ignore[arg-type]
    return batch.sent


def test_one_report_a_source_says_how_far_each_partition_came_and_where_it_began() -> None:
    """The last clock of each partition, the first of all."""
    assert told((0, "a", 5, False), (0, "a", 7, False), (3, "a", 6, False), (3, "b", 1, False)) == [
        Progress(source="a", clocks={0: START + timedelta(minutes=7), 3: START + timedelta(minutes=6)}, since=START + timedelta(minutes=5)),
        Progress(source="b", clocks={3: START + timedelta(minutes=1)}, since=START + timedelta(minutes=1)),
    ]  # fmt: skip


def test_a_source_has_finished_where_its_last_report_says_so() -> None:
    """One that speaks again in the same batch has not."""
    [report] = told((0, "a", 5, True), (1, "a", 5, True), (1, "a", 6, False))
    assert report.finished == {0}


def test_nothing_is_told_of_a_batch_without_reports() -> None:
    """It would only make every partition of `hits` longer."""
    assert told() == []
