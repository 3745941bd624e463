"""hits → signals and closed minutes: a fold, exact through crashes. All rules are in processors.detection."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from connectors.kafka import KafkaSettings
from pipeline.cursor import Offsets
from pipeline.fold import FoldRole
from processors.detection.fold import DetectFold
from schemas.topics import DETECTOR_STATE, HITS


def detect_role(app: Any, kafka: KafkaSettings, clock: Callable[[], datetime]) -> FoldRole:
    """Ready to be installed."""
    return FoldRole(
        app, kafka, "detect", source=HITS, state=DETECTOR_STATE, make=lambda _: DetectFold(), order=Offsets, clock=clock
    )
