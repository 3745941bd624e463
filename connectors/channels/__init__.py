"""Where notifications leave the system: console, file, webhook.

Owns: one module per kind of channel, their settings, and the two errors by which a caller knows whether to try again.

Deliberately unaware of: Kafka, retries and back-off (pipeline.delivery), who is on call, what a message says.
"""

from connectors.channels.channel import Channel, ChannelRefused, ChannelUnavailable
from connectors.channels.settings import ChannelSettings, ConsoleSettings, FileSettings, WebhookSettings, open_channel

__all__ = [
    "Channel", "ChannelRefused", "ChannelSettings", "ChannelUnavailable", "ConsoleSettings", "FileSettings", "WebhookSettings",
    "open_channel",
]  # fmt: skip
