"""signals → alerts and notifications: a fold, exact through crashes; and the delivery of notifications, channel by channel.

All rules are in processors.alerting.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from connectors.channels import ChannelSettings, open_channel
from connectors.kafka import KafkaSettings
from pipeline.cursor import Sequences
from pipeline.delivery import DeliveryLoop, Patience
from pipeline.fold import FoldRole
from processors.alerting.fold import AlertFold
from processors.alerting.on_call import Language, OnCallList
from schemas.topics import ALERT_STATE, SIGNALS

log = logging.getLogger(__name__)

STOP_SECS: Final = 5.0


class UnknownChannel(ValueError):
    """A list names a channel that is not configured: its people would never hear anything."""


class AlertRole:
    """Ready to be installed. Raises `UnknownChannel`, and what `open_channel` raises, before anything runs.

    `channels` are those that this namespace may reach. In a replay the caller leaves out the real ones that it was not
    told to use; a channel that no list names, such as the replay's own file, then takes every message.
    """

    def __init__(
        self,
        app: Any,
        kafka: KafkaSettings,
        *,
        on_call: Mapping[str, OnCallList],
        channels: Mapping[str, ChannelSettings],
        clock: Callable[[], datetime],
        is_replay: bool = False,
        language: Language = "tr",
        patience: Patience | None = None,
    ) -> None:
        lists = _replay_lists(on_call, channels) if is_replay else _known_lists(on_call, channels)
        self._app = app
        self._fold = FoldRole(
            app, kafka, "alert", source=SIGNALS, state=ALERT_STATE,
            make=lambda _: AlertFold(lists, is_replay=is_replay, language=language), order=Sequences, clock=clock,
        )  # fmt: skip
        instance = app.conf.consumer_group_instance_id
        self._loops = {
            name: DeliveryLoop(
                kafka, name, open_channel(settings, clock=clock), instance=instance, clock=clock, patience=patience
            )
            for name, settings in channels.items()
        }  # fmt: skip
        self._tasks: list[asyncio.Task[None]] = []

    def install(self, guard: Callable[[Any], Any]) -> None:
        """Register the fold and the delivery loops; `guard` ends the process on a bug before anything is committed."""
        self._fold.install(guard)

        async def start_deliveries() -> None:
            for name, loop in self._loops.items():
                self._tasks.append(asyncio.create_task(guard(loop.run)(), name=f"deliver-{name}"))

        self._app.task(guard(start_deliveries))
        self._app.on_before_shutdown.connect(self._stopping, weak=False)

    async def _stopping(self, _: Any, **__: Any) -> None:
        """What is being sent is cut off and comes again: it has not been committed."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_SECS)
            for task in late:
                log.warning("%s does not stop", task.get_name())
        self._tasks.clear()


def _known_lists(on_call: Mapping[str, OnCallList], channels: Mapping[str, ChannelSettings]) -> list[OnCallList]:
    for found in on_call.values():
        for name in found.channels:
            if name not in channels:
                known = ", ".join(sorted(channels))
                raise UnknownChannel(f"the on-call list {found.name} names the channel {name!r}; configured are: {known}")
    return list(on_call.values())


def _replay_lists(on_call: Mapping[str, OnCallList], channels: Mapping[str, ChannelSettings]) -> list[OnCallList]:
    """The lists as far as the replay reaches them."""
    named = {name for found in on_call.values() for name in found.channels}
    own = tuple(name for name in channels if name not in named)
    return [
        found.model_copy(update={"channels": (*(name for name in found.channels if name in channels), *own)})
        for found in on_call.values()
    ]
