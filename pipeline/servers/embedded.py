"""What an embedded server is: command line, environment, logs, readiness. Starts nothing itself."""

import base64
import http.client
import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from kafka import KafkaAdminClient  # type: ignore[import-untyped, unused-ignore]
from kafka.errors import KafkaError  # type: ignore[import-untyped, unused-ignore]

from pipeline.servers.build import ELASTICSEARCH_HOME, KAFKA_HOME, find_java
from pipeline.servers.ports import LOOPBACK, Ports

EXIT_PORT_TAKEN = 3
EXIT_DATA_IN_USE = 4
_EXIT_REASONS = {
    0: "it was asked to stop, or its parent is gone",
    1: "start failed",
    EXIT_PORT_TAKEN: "a port is taken",
    EXIT_DATA_IN_USE: "another process works on the same data folder",
}

_PROBE_SECS = 5.0
_PAUSE_SECS = 0.1
_LOG_TAIL_LINES = 12

_JVM_OPTIONS = (
    "-XX:+UseSerialGC",  # the smallest of the collectors, and with two cores no slower
    "-XX:+ExitOnOutOfMemoryError",  # a server that lost a thread to it looks alive and answers nothing
    "-XX:-UsePerfData",  # else it writes into the temporary folder of the system
    "-Dfile.encoding=UTF-8",
    "-Duser.language=en",  # Java lower-cases names by locale: in a Turkish one "I" becomes "ı"
    "-Duser.country=US",
    "-XX:+IgnoreUnrecognizedVMOptions",  # the next two silence warnings of Java 24 and later; 17 knows only one
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)


class ServerNotReady(RuntimeError):
    """A server ended before it was ready, or was not ready in time; the message carries the last lines of its log."""


class Server(Protocol):
    """What a supervisor needs to know of one server.

    It starts `command()` with `environment()` as the whole environment, a pipe as standard input that it keeps open
    (the server ends when the pipe closes or its parent dies), and standard output and error appended to `console_log`.
    It stops with SIGTERM; SIGKILL loses nothing that was acknowledged.
    """

    @property
    def name(self) -> str:
        """ "kafka" or "elasticsearch"."""

    @property
    def address(self) -> str:
        """What a client is told: `127.0.0.1:19092`, `http://127.0.0.1:19200`."""

    @property
    def ports(self) -> tuple[int, ...]:
        """All ports of 127.0.0.1 it listens on; ask `require_free` for them before a start."""

    @property
    def data_dir(self) -> Path:
        """Everything it ever writes is in here and is found again at the next start."""

    @property
    def console_log(self) -> Path:
        """For standard output and error: normally a line or two, and the reason when a start fails early."""

    @property
    def log(self) -> Path:
        """The server's own log; it rolls at 10 MB."""

    def command(self) -> list[str]:
        """The whole command line; it has no secret in it."""

    def environment(self) -> dict[str, str]:
        """The whole environment: our own secrets and JAVA_TOOL_OPTIONS do not reach the server."""

    def is_ready(self) -> bool:
        """One question to the server; blocks for seconds at most and raises nothing when there is no answer."""

    def wait_ready(self, deadline: float, alive: Callable[[], bool] = ...) -> None:
        """Block until `is_ready()`, or raise ServerNotReady at `deadline` (a moment of time.monotonic())
        or as soon as `alive()` says no."""


@dataclass(frozen=True, kw_only=True)
class EmbeddedKafka:
    """One Kafka broker that is its own controller. `settings` override config/server.properties of the build."""

    data_dir: Path
    port: int = Ports.kafka
    controller_port: int = Ports.kafka_controller
    settings: Mapping[str, str] = field(default_factory=dict)
    heap_mib: int = 384
    home: Path = KAFKA_HOME
    java: Path = field(default_factory=find_java)

    name = "kafka"

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def ports(self) -> tuple[int, ...]:
        return (self.port, self.controller_port)

    @property
    def console_log(self) -> Path:
        return self.data_dir / "console.log"

    @property
    def log(self) -> Path:
        return self.data_dir / "kafka.log"

    def command(self) -> list[str]:
        listener, controller = f"PLAINTEXT://{self.address}", f"CONTROLLER://{LOOPBACK}:{self.controller_port}"
        settings = {
            "listeners": f"{listener},{controller}",
            "advertised.listeners": listener,
            "controller.quorum.voters": f"1@{LOOPBACK}:{self.controller_port}",
            **self.settings,
        }
        main = ["nabiz.kafka.EmbeddedKafka", str(self.home), str(self.data_dir.absolute()), "--watch-stdin"]
        return [*_jvm(self.java, self.home, self.heap_mib), *main, *_options(settings)]

    def environment(self) -> dict[str, str]:
        return _environment()

    def is_ready(self) -> bool:
        return _listens(self.port) and _kafka_answers(self.address)

    def wait_ready(self, deadline: float, alive: Callable[[], bool] = lambda: True) -> None:
        _wait_ready(self, deadline, alive)


@dataclass(frozen=True, kw_only=True)
class EmbeddedElasticsearch:
    """One Elasticsearch node. `settings` override config/elasticsearch.yml of the build.

    With a `password` the node asks for users, roles and API keys, and this is the one of the user "elastic"; it is
    taken at the first start of a data folder and never again.
    """

    data_dir: Path
    port: int = Ports.elasticsearch
    transport_port: int = Ports.elasticsearch_transport
    password: str | None = field(default=None, repr=False)
    settings: Mapping[str, str] = field(default_factory=dict)
    heap_mib: int = 512
    home: Path = ELASTICSEARCH_HOME
    java: Path = field(default_factory=find_java)

    name = "elasticsearch"

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def ports(self) -> tuple[int, ...]:
        return (self.port, self.transport_port)

    @property
    def console_log(self) -> Path:
        return self.data_dir / "console.log"

    @property
    def log(self) -> Path:
        return self.data_dir / "logs" / "nabiz.log"

    def command(self) -> list[str]:
        data = self.data_dir.absolute()
        settings = {
            "http.port": str(self.port),
            "transport.port": str(self.transport_port),
            "path.data": str(data / "data"),
            "path.logs": str(data / "logs"),
            **({} if self.password is None else {"path.conf": str(data / "config")}),
            **self.settings,
        }
        main = ["nabiz.es.EmbeddedElasticsearch", str(self.home), "--watch-stdin"]
        security = [] if self.password is None else ["--security"]
        return [*_jvm(self.java, self.home, self.heap_mib), *main, *security, *_options(settings)]

    def environment(self) -> dict[str, str]:
        return _environment() | ({} if self.password is None else {"ELASTIC_PASSWORD": self.password})

    def is_ready(self) -> bool:
        return _elasticsearch_is_healthy(self.port, self.password)

    def wait_ready(self, deadline: float, alive: Callable[[], bool] = lambda: True) -> None:
        _wait_ready(self, deadline, alive)


def exit_reason(code: int) -> str:
    """A server's exit code in words; negative as subprocess gives it, for the signal that ended it."""
    return _EXIT_REASONS.get(code, f"ended by signal {-code}" if code < 0 else f"exit code {code}")


def log_tail(server: Server) -> str:
    """The last lines that the server wrote about itself, for an error message; empty when it wrote none."""
    lines: list[str] = []
    for path in (server.console_log, server.log):
        if path.is_file():
            written = path.read_text(encoding="utf-8", errors="replace").splitlines()
            telling = [line for line in written if not line.startswith("\t")]  # stack frames would push the reason out
            lines += telling[-_LOG_TAIL_LINES:]
    return "\n".join(lines)


def _jvm(java: Path, home: Path, heap_mib: int) -> list[str]:
    return [str(java), f"-Xmx{heap_mib}m", *_JVM_OPTIONS, "-cp", str(home / "lib" / "*")]


def _options(settings: Mapping[str, str]) -> list[str]:
    return [f"-E{key}={value}" for key, value in settings.items()]


def _environment() -> dict[str, str]:
    # The libraries that a JVM on an unusual system is linked with are found by this one variable; nothing else is ours to pass.
    linked = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {"LC_ALL": "C.UTF-8", **linked}


def _wait_ready(server: Server, deadline: float, alive: Callable[[], bool]) -> None:
    while not server.is_ready():
        if not alive():
            raise ServerNotReady(f"{server.name} ended before it was ready. {_last_words(server)}")
        if time.monotonic() >= deadline:
            raise ServerNotReady(f"{server.name} was not ready in time. {_last_words(server)}")
        time.sleep(_PAUSE_SECS)  # noqa: TID251 - a condition with a deadline


def _last_words(server: Server) -> str:
    return f"Its last lines in {server.data_dir}:\n{log_tail(server)}"


def _listens(port: int) -> bool:
    """Spares the Kafka client its retries and warnings while nobody listens yet."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=_PROBE_SECS).close()
    except OSError:
        return False
    return True


def _kafka_answers(address: str) -> bool:
    """An open port is not enough: the broker must name itself in its metadata, else a first topic finds no home."""
    wait_ms = int(_PROBE_SECS * 1000)
    try:
        admin = KafkaAdminClient(bootstrap_servers=address, bootstrap_timeout_ms=wait_ms, request_timeout_ms=wait_ms)
    except (KafkaError, OSError):
        return False
    try:
        admin.list_topics()
        return bool(admin.describe_cluster()["brokers"])
    except (KafkaError, OSError):
        return False
    finally:
        admin.close()


def _elasticsearch_is_healthy(port: int, password: str | None) -> bool:
    # http.client and not urllib: a proxy of the environment must not get to see a question to the loopback interface
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_PROBE_SECS)
    try:
        connection.request("GET", "/_cluster/health?local=true", headers=_basic_auth(password))
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return answer.status == http.HTTPStatus.OK and json.loads(body).get("status") in {"yellow", "green"}


def _basic_auth(password: str | None) -> dict[str, str]:
    if password is None:
        return {}
    return {"Authorization": "Basic " + base64.b64encode(f"elastic:{password}".encode()).decode("ascii")}
