"""Posts each notification as JSON, signed as Standard Webhooks 1.0 asks (https://www.standardwebhooks.com).

    webhook-id: the notification's id, the same at every attempt: the receiver drops repeats by it
    webhook-timestamp: seconds since the epoch of this attempt: the receiver refuses old ones
    webhook-signature: v1,base64(HMAC-SHA256(secret, id + "." + timestamp + "." + body))

The body is the record of the topic `notifications`.
"""

import base64
import binascii
import hashlib
import hmac
import ssl
from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import quote

import aiohttp

from connectors.channels.channel import ChannelRefused, ChannelUnavailable
from schemas.alerts import Notification

TIMEOUT_SECS: Final = 10.0
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 (Standard Webhooks: what follows is base64)
_BUSY: Final = frozenset({408, 425, 429})
_HEADER_SAFE: Final = "/:@+-._~"


class WebhookChannel:
    """Sends to one URL. A redirect is not followed: it could carry the message to a host that nobody configured."""

    def __init__(
        self,
        url: str,
        secret: str,
        *,
        clock: Callable[[], datetime],
        timeout_secs: float = TIMEOUT_SECS,
        tls: ssl.SSLContext | None = None,
        proxy: str | None = None,
    ) -> None:
        self._url, self._key, self._clock, self._proxy = url, signing_key(secret), clock, proxy
        self._timeout = aiohttp.ClientTimeout(total=timeout_secs)
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def send(self, notification: Notification) -> None:
        """See `Channel`."""
        body = notification.encode()
        try:
            async with self._client().post(
                self._url, data=body, headers=self._headers(notification, body), allow_redirects=False, proxy=self._proxy,
                ssl=self._tls or True,
            ) as response:  # fmt: skip
                status = response.status
        except TimeoutError as error:
            raise ChannelUnavailable(f"the webhook did not answer within {self._timeout.total:g} seconds") from error
        except aiohttp.ClientError as error:
            raise ChannelUnavailable(f"the webhook cannot be reached ({type(error).__name__})") from error
        _judge(status)

    async def close(self) -> None:
        """See `Channel`."""
        if self._session is not None:
            await self._session.close()

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            # A fresh connection each time: messages are rare, and an idle one may be dead without our knowing.
            self._session = aiohttp.ClientSession(
                timeout=self._timeout, connector=aiohttp.TCPConnector(force_close=True), cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session

    def _headers(self, notification: Notification, body: bytes) -> dict[str, str]:
        webhook_id = quote(notification.notification_id, safe=_HEADER_SAFE)
        timestamp = str(int(self._clock().timestamp()))
        return {
            "content-type": "application/json",
            "user-agent": "nabiz",
            "webhook-id": webhook_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature(self._key, webhook_id, timestamp, body),
        }


def signing_key(secret: str) -> bytes:
    """The bytes to sign with. Raises ValueError when what follows `whsec_` is not base64."""
    if secret.startswith(SECRET_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except binascii.Error as error:
            raise ValueError(f"a webhook's secret begins with {SECRET_PREFIX!r} but is not base64 after it") from error
    return secret.encode()


def signature(key: bytes, webhook_id: str, timestamp: str, body: bytes) -> str:
    """The value of the header `webhook-signature`."""
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _judge(status: int) -> None:
    if 200 <= status < 300:
        return
    if 400 <= status < 500 and status not in _BUSY:
        raise ChannelRefused(f"the webhook answered {status}")
    raise ChannelUnavailable(f"the webhook answered {status}")
