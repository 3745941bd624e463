"""What docker-compose.yml says, carried out without containers: its settings on a real Kafka and a real Elasticsearch,
its secrets, its accounts, its commands. What only a container engine can show (images, networks, limits) is not here."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import AuthorizationException, Elasticsearch
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from pipeline.servers.build import ensure_built
from pipeline.servers.embedded import EmbeddedElasticsearch, EmbeddedKafka
from pipeline.servers.ports import choose_ports
from pipeline.servers.running import running
from tests.compose_file import ROOT, compose

NO_SETTINGS = {"CLUSTER_ID", "KAFKA_OPTS", "KAFKA_HEAP_OPTS", "KAFKA_LOG_DIRS"}  # the image's own, and where its data is
POSTS = [
    {
        "id": str(n),
        "published_at": f"2026-11-24T03:{n:02d}:00+03:00",
        "text": f"Örnek belediyesi su kesintisi {n}",
        "author": f"kisi{n}",
    }
    for n in range(20)
]
WAIT_SECS = 90.0


@dataclass(frozen=True)
class ComposeKafka(EmbeddedKafka):
    """The broker of the tests with the settings of docker-compose.yml; `port` is that of its listener LOCAL."""

    client_port: int = 0
    jaas: Path = Path()

    def command(self) -> list[str]:
        java, *rest = super().command()
        return [java, f"-Djava.security.auth.login.config={self.jaas}", *rest]


@dataclass(frozen=True)
class Deployed:
    """The servers run, and commands are those of the compose file."""

    folder: Path
    kafka: str
    elasticsearch: str

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"

    @cached_property
    def services(self) -> dict[str, Any]:
        return dict(compose()["services"])

    def here(self, text: str) -> str:
        """A text of the compose file or its configuration, with this machine's paths and addresses."""
        for inside, outside in {
            "/run/secrets": self.secrets, "/var/lib/nabiz/data": self.folder / "data", "/etc/nabiz": self.folder / "config",
            "kafka:9092": self.kafka, "http://elasticsearch:9200": self.elasticsearch,
        }.items():  # fmt: skip
            text = text.replace(inside, str(outside))
        return text

    def command(self, service: str, heartbeat: Path | None = None) -> list[str]:
        """What the container of a service runs."""
        arguments = [self.here(argument) for argument in self.services[service]["command"]]
        if heartbeat is not None:
            arguments[arguments.index("/tmp/heartbeat")] = str(heartbeat)
        return [sys.executable, "-m", "pipeline.cli.main", *arguments]

    def nabiz(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command in the container of the service `nabiz`, which is in the data folder's parent."""
        return subprocess.run(
            [sys.executable, "-m", "pipeline.cli.main", *arguments],
            cwd=self.folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip

    def secret(self, name: str) -> str:
        return (self.secrets / name).read_text()


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    ensure_built()
    folder = tmp_path_factory.mktemp("compose")
    subprocess.run([ROOT / "deploy" / "make-secrets.sh", folder / "secrets", str(os.getuid())], check=True)
    kafka, search = _servers(folder)
    with running(kafka, search):
        found = Deployed(folder, f"127.0.0.1:{kafka.client_port}", search.address)
        for file in (ROOT / "deploy" / "examples" / "compose").iterdir():
            (folder / "config").mkdir(exist_ok=True)
            (folder / "config" / file.name).write_text(found.here(file.read_text(encoding="utf-8")), encoding="utf-8")
        _accounts(found)
        yield found


def _servers(folder: Path) -> tuple[ComposeKafka, EmbeddedElasticsearch]:
    ports = choose_ports("auto")
    with socket.create_server(("127.0.0.1", 0)) as free:
        client = free.getsockname()[1]
    environment = compose()["services"]["kafka"]["environment"]
    replaced = {"kafka:9092": f"127.0.0.1:{client}", "//:9092": f"//127.0.0.1:{client}"}
    replaced |= {"localhost:9093": f"127.0.0.1:{ports.kafka_controller}", "localhost:9094": f"127.0.0.1:{ports.kafka}"}
    settings = {}
    for name, value in environment.items():
        if name not in NO_SETTINGS:
            for inside, outside in replaced.items():
                value = value.replace(inside, outside)  # noqa: PLW2901
            settings[name.removeprefix("KAFKA_").lower().replace("_", ".")] = value
    kafka = ComposeKafka(
        data_dir=folder / "kafka", port=ports.kafka, controller_port=ports.kafka_controller, settings=settings,
        client_port=client, jaas=folder / "secrets" / "kafka_jaas.conf",
    )  # fmt: skip
    password = (folder / "secrets" / "elastic_password").read_text()
    search = EmbeddedElasticsearch(
        data_dir=folder / "es", port=ports.elasticsearch, transport_port=ports.elasticsearch_transport, password=password
    )
    return kafka, search


def _accounts(deployed: Deployed) -> None:
    service = deployed.services["accounts"]
    script = ROOT / service["volumes"][0].split(":")[0]
    environment = {key: deployed.here(value) for key, value in service["environment"].items()}
    for _ in range(2):  # it runs at each start
        subprocess.run(
            [service["entrypoint"][0], script], env=os.environ | environment | {"SECRETS": str(deployed.secrets)}, check=True
        )


def test_kafka_asks_for_the_password(deployed: Deployed) -> None:
    """Neither nobody nor a wrong password comes in where the containers connect; the right one does."""
    sasl = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_plain_username": "nabiz"}
    common = {"bootstrap_servers": deployed.kafka, "bootstrap_timeout_ms": 4000, "request_timeout_ms": 4000}
    for wrong in ({}, sasl | {"sasl_plain_password": "wrong"}):
        with pytest.raises(KafkaError):
            KafkaAdminClient(**common, **wrong).list_topics()
    admin = KafkaAdminClient(**common, **sasl, sasl_plain_password=deployed.secret("kafka_password"))
    assert isinstance(admin.list_topics(), list)
    admin.close()


def test_accounts_have_the_least_rights(deployed: Deployed) -> None:
    """`nabiz` may neither delete an index nor look at users; Kibana's user has the password of its file."""
    assert _answers(deployed, "kibana_system", "kibana_password")
    assert not _answers(deployed, "kibana_system", "nabiz_password")
    with Elasticsearch(deployed.elasticsearch, basic_auth=("nabiz", deployed.secret("nabiz_password"))) as client:
        client.indices.create(index="replay-x-mentions-2026.11")
        for forbidden in (
            lambda: client.indices.delete(index="replay-x-mentions-2026.11"),
            client.security.get_user,
            lambda: client.indices.create(index="something-else"),
        ):
            with pytest.raises(AuthorizationException):
                forbidden()


def _answers(deployed: Deployed, user: str, file: str) -> bool:
    with Elasticsearch(deployed.elasticsearch, basic_auth=(user, deployed.secret(file))) as client:
        return client.ping()


def test_the_roles_of_the_compose_file_run(deployed: Deployed) -> None:
    """prepare, then the roles with two copies of three of them: all show that they live, listen to a file, and end on SIGTERM."""
    subprocess.run(deployed.command("prepare"), check=True, timeout=120)
    subprocess.run(deployed.command("prepare"), check=True, timeout=120)  # at the next start
    copies = [(role, n) for role in ("enrich", "index", "detect") for n in (0, 1)] + [("alert", 0), ("housekeeping", 0)]
    with ExitStack() as stack:
        processes = {}
        for role, n in copies:
            heartbeat = deployed.folder / f"heartbeat-{role}-{n}"
            log = stack.enter_context((deployed.folder / f"{role}-{n}.log").open("wb"))
            process = subprocess.Popen(
                deployed.command(role, heartbeat), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
            stack.callback(process.kill)
            processes[heartbeat] = process
        _wait_for_heartbeats(deployed, processes)
        found = _replay(deployed)
        status = json.loads(deployed.nabiz("status", "--json").stdout)
        for process in processes.values():
            process.send_signal(signal.SIGTERM)
        ended = [process.wait(timeout=40) for process in processes.values()]
    assert (found["read"], found["indexed"], found["dead_letters"]) == (20, 20, 0)
    assert status["running"] is None
    assert set(status["lag"].values()) == {0}
    assert {-signal.SIGTERM, 0} >= set(ended), ended
    assert sorted(file.name for file in (deployed.folder / "data" / "live" / "workers").iterdir()) == [
        f"{role}-{n}.lock" for role, n in sorted(copies) if role != "housekeeping"
    ]


def _wait_for_heartbeats(deployed: Deployed, processes: dict[Path, subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + WAIT_SECS
    while missing := [heartbeat for heartbeat in processes if not heartbeat.exists()]:
        ended = [heartbeat.name for heartbeat, process in processes.items() if process.poll() is not None]
        logs = {name: (deployed.folder / f"{name.removeprefix('heartbeat-')}.log").read_text()[-2000:] for name in ended}
        assert not ended, logs
        assert time.monotonic() < deadline, missing
        time.sleep(0.2)  # noqa: TID251 - a condition with a deadline


def _replay(deployed: Deployed) -> dict[str, Any]:
    posts = deployed.folder / "posts.jsonl"
    posts.write_text("\n".join(json.dumps(post, ensure_ascii=False) for post in POSTS), encoding="utf-8")
    result = deployed.nabiz("replay", "posts.jsonl", "--config", str(deployed.folder / "config" / "nabiz.yaml"), "--json")
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout))
