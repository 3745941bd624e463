"""Channels deliver what they are given, and fail by what the caller does next."""

import asyncio
import base64
import hashlib
import hmac
import io
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from connectors.channels import (
    ChannelRefused,
    ChannelSettings,
    ChannelUnavailable,
    ConsoleSettings,
    FileSettings,
    WebhookSettings,
    open_channel,
)
from connectors.channels.console import ConsoleChannel
from connectors.channels.file import FileChannel
from connectors.channels.webhook import WebhookChannel, signature, signing_key
from connectors.secrets import SecretMissing
from schemas.alerts import Notification
from schemas.records import decode
from tests.unit.alerting_samples import notification

NOW = datetime(2025, 7, 3, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
SETTINGS: TypeAdapter[ChannelSettings] = TypeAdapter(ChannelSettings)

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Receiver:
    """A webhook's other end: answers as the test says and remembers what it was sent."""

    def __init__(self, *answers: Answer | int) -> None:
        self._answers = list(answers)
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.paths: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        self.paths.append(request.path)
        answer = self._answers.pop(0)
        return web.Response(status=answer) if isinstance(answer, int) else await answer(request)


@asynccontextmanager
async def webhook(receiver: Receiver, *, timeout_secs: float = 5.0) -> AsyncIterator[WebhookChannel]:
    """A channel to a real server on this machine."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    channel = WebhookChannel(f"http://127.0.0.1:{port}/hook", SECRET, clock=lambda: NOW, timeout_secs=timeout_secs)
    try:
        yield channel
    finally:
        await channel.close()
        await runner.cleanup()


async def test_webhook_sends_the_signed_record() -> None:
    """The receiver finds the whole notification, the deduplication key, and a signature that it can check itself."""
    receiver, sent = Receiver(204), notification()
    async with webhook(receiver) as channel:
        await channel.send(sent)
    [(headers, body)] = receiver.requests
    assert decode(Notification, body) == sent
    assert headers["content-type"] == "application/json"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (sent.notification_id, str(int(NOW.timestamp())))
    signed = f"{sent.notification_id}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(b"k" * 32, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_signature_is_that_of_standard_webhooks() -> None:
    """The example that the specification's reference libraries are tested with."""
    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body) == expected


async def test_webhook_that_comes_back_gets_the_same_id() -> None:
    """500 and then 200: tried again by the caller, and recognised by the receiver."""
    receiver = Receiver(500, 200)
    async with webhook(receiver) as channel:
        with pytest.raises(ChannelUnavailable, match="500"):
            await channel.send(notification())
        await channel.send(notification())
    assert len({headers["webhook-id"] for headers, _ in receiver.requests}) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 410, 413])
async def test_webhook_that_refuses(status: int) -> None:
    """Trying again would not help."""
    async with webhook(Receiver(status)) as channel:
        with pytest.raises(ChannelRefused, match=str(status)):
            await channel.send(notification())


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 304])
async def test_webhook_that_is_away(status: int) -> None:
    """Later it may work."""
    async with webhook(Receiver(status)) as channel:
        with pytest.raises(ChannelUnavailable, match=str(status)):
            await channel.send(notification())


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_webhook_follows_no_redirect(status: int) -> None:
    """The message stays with the host that the engineer named."""

    async def elsewhere(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"location": "/elsewhere"})

    receiver = Receiver(elsewhere, 200)
    async with webhook(receiver) as channel:
        with pytest.raises(ChannelUnavailable, match=str(status)):
            await channel.send(notification())
    assert receiver.paths == ["/hook"]


async def test_webhook_that_is_slow() -> None:
    """Given up after the timeout, not waited for."""
    gone = asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        await gone.wait()
        return web.Response()

    async with webhook(Receiver(slow), timeout_secs=0.2) as channel:
        with pytest.raises(ChannelUnavailable, match=r"within 0\.2 seconds"):
            await channel.send(notification())
        gone.set()


async def test_webhook_that_trickles() -> None:
    """The timeout is for the whole exchange: one byte now and then does not prolong it."""

    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-length": "1000"})
        await response.prepare(request)
        for _ in range(50):
            await response.write(b" ")
            await asyncio.sleep(0.1)
        return response

    async with asyncio.timeout(4), webhook(Receiver(trickle), timeout_secs=0.5) as channel:
        await channel.send(notification())  # the status has come; its body is of no interest


async def test_webhook_that_drops_the_connection() -> None:
    """The receiver may or may not have taken it: it is sent again, and the id tells."""

    async def drop(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    receiver = Receiver(drop, 200)
    async with webhook(receiver) as channel:
        with pytest.raises(ChannelUnavailable, match="cannot be reached"):
            await channel.send(notification())
        await channel.send(notification())
    assert len(receiver.requests) == 2


async def test_webhook_that_answers_no_http() -> None:
    """Whatever answers there is not our receiver, today."""

    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-nothing\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await unreachable(f"http://127.0.0.1:{port}/")


async def test_webhook_that_is_down() -> None:
    """Nobody listens; the name is unknown."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        await unreachable(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    await unreachable("http://receiver.invalid/")


async def unreachable(url: str) -> None:
    channel = WebhookChannel(url, SECRET, clock=lambda: NOW, timeout_secs=2)
    try:
        with pytest.raises(ChannelUnavailable) as raised:
            await channel.send(notification())
    finally:
        await channel.close()
    assert SECRET not in str(raised.value)


async def test_header_cannot_be_forged_by_an_id() -> None:
    """An id is a header's value: nothing in it may end the line. What is signed is what the header says."""
    receiver = Receiver(200)
    async with webhook(receiver) as channel:
        await channel.send(notification(notification_id="su kesintisi/ç\r\nx-evil: 1"))
    [(headers, body)] = receiver.requests
    assert "x-evil" not in headers
    assert headers["webhook-id"] == "su%20kesintisi/%C3%A7%0D%0Ax-evil:%201"
    assert headers["webhook-signature"] == signature(b"k" * 32, headers["webhook-id"], headers["webhook-timestamp"], body)


async def test_file_appends_lines(tmp_path: Path) -> None:
    """One line of JSON per message; only the owner can read the file; its folder is made."""
    path = tmp_path / "new" / "messages.jsonl"
    channel = FileChannel(path)
    for number in range(3):
        await channel.send(notification(notification_id=str(number)))
    await channel.close()
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["notification_id"] for line in lines] == ["0", "1", "2"]
    assert path.stat().st_mode & 0o777 == 0o600


async def test_file_begins_a_new_line_after_a_torn_one(tmp_path: Path) -> None:
    """A kill in the middle of a line costs that line, which is sent again, and not the next."""
    path = tmp_path / "messages.jsonl"
    path.write_bytes(b'{"notification_id":"to')
    await FileChannel(path).send(notification())
    assert decode(Notification, path.read_bytes().splitlines()[1]) == notification()


async def test_file_that_cannot_be_written(tmp_path: Path) -> None:
    """A full or missing disk may come back."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ChannelUnavailable, match="cannot be written"):
        await FileChannel(tmp_path / "file" / "messages.jsonl").send(notification())
    with pytest.raises(ChannelUnavailable, match="cannot be written"):
        await FileChannel(Path("/dev/full")).send(notification())


async def test_console_shows_a_phone() -> None:
    """Every line inside the frame, nothing that a terminal would obey, and it stands there at once."""
    stream = io.StringIO()
    await ConsoleChannel(stream).send(notification(body="Çınarlı 🚒 \x1b[2J" + "uzun bir satır " * 9 + "\n\nson"))
    lines = stream.getvalue().splitlines()
    assert {line[0] for line in lines} <= set("╭│├╰")
    assert {line[-1] for line in lines} <= set("╮│┤╯")
    assert "\x1b" not in stream.getvalue()
    assert {len(line) + line.count("🚒") for line in lines} == {52}
    assert "│ son " in stream.getvalue()


async def test_console_that_is_gone() -> None:
    """A closed terminal does not end the role."""

    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    with pytest.raises(ChannelUnavailable, match="Broken pipe"):
        await ConsoleChannel(Gone()).send(notification())


def test_settings_open_their_channels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The field `type` tells which."""
    monkeypatch.setenv("HOOK", SECRET)
    kinds = {
        ConsoleChannel: {"type": "console", "name": "ekran"},
        FileChannel: {"type": "file", "name": "dosya", "path": str(tmp_path / "x.jsonl")},
        WebhookChannel: {"type": "webhook", "name": "kanca", "url": "https://example.org/hook", "secret": "env:HOOK"},
    }
    for kind, fields in kinds.items():
        assert type(open_channel(SETTINGS.validate_python(fields), clock=lambda: NOW)) is kind


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"type": "pigeon", "name": "x"}, "does not match any of the expected tags"),
        ({"type": "console", "name": "Büyük Oda"}, "should match pattern"),
        ({"type": "console", "name": "x", "colour": 1}, "Extra inputs"),
        ({"type": "file", "name": "x"}, "Field required"),
        ({"type": "webhook", "name": "x", "url": "https://example.org", "secret": "plain"}, "never the secret itself"),
        ({"type": "webhook", "name": "x", "url": "https://u:p@example.org", "secret": "env:X"}, "user or a password"),
        ({"type": "webhook", "name": "x", "url": "ftp://example.org", "secret": "env:X"}, "URL scheme"),
    ],
)
def test_settings_refuse_mistakes(fields: dict[str, object], problem: str) -> None:
    """With a message that names the remedy."""
    with pytest.raises(ValidationError, match=problem):
        SETTINGS.validate_python(fields)


def test_a_secret_that_is_missing_or_broken_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first message is due, not at three in the morning."""
    settings = WebhookSettings.model_validate({"name": "kanca", "url": "https://example.org", "secret": "env:NABIZ_TEST_HOOK"})
    monkeypatch.delenv("NABIZ_TEST_HOOK", raising=False)
    with pytest.raises(SecretMissing, match="NABIZ_TEST_HOOK"):
        open_channel(settings, clock=lambda: NOW)
    monkeypatch.setenv("NABIZ_TEST_HOOK", "whsec_not base64!")
    with pytest.raises(ValueError, match="base64"):
        open_channel(settings, clock=lambda: NOW)


def test_defaults() -> None:
    """What an engineer gets who sets nothing."""
    assert ConsoleSettings(name="ekran").type == "console"
    assert FileSettings(name="dosya", path=Path("x")).type == "file"
    hook = WebhookSettings.model_validate({"name": "kanca", "url": "https://example.org", "secret": "env:X"})
    assert (hook.timeout_secs, hook.ca_file, hook.proxy) == (10.0, None, None)
