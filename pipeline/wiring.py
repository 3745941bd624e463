"""Puts together what several commands and roles need in the same way."""

from connectors.channels.settings import ChannelSettings, FileSettings
from connectors.privacy_gate import PrivacyGate
from pipeline.configuration import Configuration
from pipeline.deployment import Deployment, wall_clock
from pipeline.secrets import day_keys, hmac_key
from processors.privacy.authors import PublicAccounts, normalise_handle

REPLAY_CHANNEL = "replay-file"


def privacy_gate(deployment: Deployment) -> PrivacyGate:
    """Raises SecretMissing."""
    return PrivacyGate(
        hmac_key(deployment.configuration, deployment.data), public_accounts(deployment.configuration),
        day_keys(deployment.data), lambda: wall_clock().date(),
    )  # fmt: skip


def public_accounts(configuration: Configuration) -> PublicAccounts:
    """Who may be named."""
    by_class = {
        kind: {platform: frozenset(map(normalise_handle, handles)) for platform, handles in accounts.items()}
        for kind, accounts in configuration.public_accounts.items()
    }
    return PublicAccounts(by_class)


def alert_channels(deployment: Deployment) -> dict[str, ChannelSettings]:
    """Live: all channels. A replay: its own file, and those that the configuration allows for replays."""
    configured = deployment.configuration.all_channels()
    if not deployment.is_replay:
        return configured
    allowed = {name: settings for name, settings in configured.items() if name in deployment.configuration.replay_channels}
    return {REPLAY_CHANNEL: FileSettings(name=REPLAY_CHANNEL, path=deployment.notifications_file), **allowed}
