"""What every channel can do, and how it fails.

    Exception
    ├── ChannelUnavailable   the caller tries again later
    └── ChannelRefused       the caller gives up on this notification and goes on with the next

Vendors' errors are translated into these two; anything else that escapes is a bug and ends the process.
"""

from typing import Protocol

from schemas.alerts import Notification


class ChannelUnavailable(Exception):
    """It did not work this time: the receiver is away, slow or busy. The message holds neither text nor secret."""


class ChannelRefused(Exception):
    """The receiver will not take this notification, however often it is sent. The message holds neither text nor secret."""


class Channel(Protocol):
    """Delivers notifications, at least once each: the receiver recognises a repeat by `notification_id`."""

    async def send(self, notification: Notification) -> None:
        """Return when the receiver has taken it. Raises `ChannelUnavailable` or `ChannelRefused`; may be cancelled."""

    async def close(self) -> None:
        """Called once; nothing is sent after it."""
