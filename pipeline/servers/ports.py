"""Which ports the embedded servers take: the four fixed ones, or four that are free."""

import random
import socket
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

LOOPBACK = "127.0.0.1"

_AUTO_RANGE = range(20_000, 32_000)
"""Below the ports that a system gives to outgoing connections (Linux: from 32768): between choosing a port and
listening on it, and between a kill and a restart, no passing connection can take it."""


class PortTaken(RuntimeError):
    """Another process listens where a server of ours should."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"port {port} of {LOOPBACK} is taken by another process: stop that one, or let free ports be chosen with --ports auto"
        )
        self.port = port


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The defaults stand apart from the usual 9092 and 9200, so that a Kafka or Elasticsearch of one's own is in nobody's way."""

    kafka: int = 19092
    kafka_controller: int = 19093
    elasticsearch: int = 19200
    elasticsearch_transport: int = 19300


def choose_ports(choice: Literal["default", "auto"] = "default") -> Ports:
    """The default ports as they are, unchecked, or four different ones that were free a moment ago.

    Data folders do not depend on ports: at the next start of the system others may be chosen. While it runs, a server
    that is restarted keeps its own, because clients know no other.
    """
    if choice == "default":
        return Ports()
    kafka, controller, http, transport = free_ports(4)
    return Ports(kafka=kafka, kafka_controller=controller, elasticsearch=http, elasticsearch_transport=transport)


def free_ports(count: int) -> list[int]:
    """So many different ports of the loopback interface on which nobody listens now. Raises OSError when it finds too few."""
    found: list[int] = []
    with ExitStack() as held:  # all held until the last is found: none is given out twice
        for port in random.sample(_AUTO_RANGE, 200 + count):
            try:
                held.enter_context(_listening_on(port))
            except OSError:
                continue
            found.append(port)
            if len(found) == count:
                return found
    raise OSError(f"found fewer than {count} free ports between {_AUTO_RANGE.start} and {_AUTO_RANGE.stop}")


def require_free(ports: Iterable[int]) -> None:
    """Raises PortTaken for the first port on which another process listens.

    Worth asking before a start: Elasticsearch itself would need seconds to find out.
    """
    for port in ports:
        try:
            _listening_on(port).close()
        except OSError as error:
            raise PortTaken(port) from error


def _listening_on(port: int) -> socket.socket:
    probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # As the servers do: a port in TIME_WAIT is free, else a quick restart would be refused its own port.
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((LOOPBACK, port))
        probe.listen(1)
    except OSError:
        probe.close()
        raise
    return probe
