"""Starts a namespace: servers, topics, index, watches, roles."""

import asyncio
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from connectors.elasticsearch import prepare as prepare_index
from connectors.kafka import create_topics
from pipeline.configuration import Configuration
from pipeline.deployment import Deployment, wall_clock
from pipeline.servers.build import BuildStopped, ensure_built
from pipeline.servers.embedded import EmbeddedElasticsearch, EmbeddedKafka, Server
from pipeline.servers.ports import choose_ports
from pipeline.supervisor.children import ChildSpec
from pipeline.supervisor.disk import require_room
from pipeline.supervisor.supervisor import Say, Stopped, Supervisor
from pipeline.tone import require_tone
from pipeline.watch_registry import apply_watches, plan, read_watch_files

PortChoice = Literal["default", "auto"]
ROLES: Final = ("enrich", "index", "detect", "alert")


def preflight(configuration: Configuration) -> None:
    """What can be told before a server starts. Raises ModelUnusable, StoredLabelsUnusable, WatchRefused, InvalidWatch."""
    require_tone(configuration.sentiment)
    specs = read_watch_files(configuration.watches)
    plan({}, specs, configuration.all_on_call(), wall_clock())


def needs_embedded(configuration: Configuration) -> bool:
    """Whether this installation runs a server of its own."""
    return configuration.kafka is None or configuration.elasticsearch is None


def embedded_servers(
    configuration: Configuration, data: Path, ports: PortChoice, say: Say, stopping: threading.Event
) -> list[Server]:
    """The servers that the configuration does not name. Builds them when needed.

    Raises DiskFull, ServersUnavailable; `Stopped` when the user asks to stop during the build.
    """
    if not needs_embedded(configuration):
        return []
    require_room(data)
    try:
        ensure_built(say, stopping.is_set)
    except BuildStopped as error:
        raise Stopped from error
    chosen = choose_ports(ports)
    servers: list[Server] = []
    if configuration.kafka is None:
        servers.append(EmbeddedKafka(data_dir=data / "kafka", port=chosen.kafka, controller_port=chosen.kafka_controller))
    if configuration.elasticsearch is None:
        servers.append(
            EmbeddedElasticsearch(
                data_dir=data / "elasticsearch", port=chosen.elasticsearch, transport_port=chosen.elasticsearch_transport
            )
        )
    return servers


def prepare(deployment: Deployment) -> None:
    """Topics, index template and watches exist afterwards. Raises KafkaUnreachable, TopicMismatch, ElasticsearchUnreachable…"""
    create_topics(deployment.kafka)
    asyncio.run(_prepare_index(deployment))
    specs = read_watch_files(deployment.configuration.watches)
    if specs:
        apply_watches(deployment.kafka, specs, deployment.configuration.all_on_call(), wall_clock())


async def _prepare_index(deployment: Deployment) -> None:
    client = deployment.elasticsearch.client()
    try:
        await prepare_index(client, deployment.elasticsearch.prefix, deployment.elasticsearch.replicas)
    finally:
        await client.close()


def start_roles(supervisor: Supervisor, deployment: Deployment) -> None:
    """Start every worker of every role."""
    deployment.save()
    for spec in role_specs(deployment):
        supervisor.start_role(spec)


def role_specs(deployment: Deployment) -> list[ChildSpec]:
    """One per worker."""
    workers = deployment.configuration.workers
    counts: Mapping[str, int] = {"enrich": workers.enrich, "index": workers.index, "detect": workers.detect, "alert": 1}
    return [role_spec(deployment, role, worker) for role in ROLES for worker in range(counts[role])]


def role_spec(deployment: Deployment, role: str, worker: int, *more: str, once: bool = False) -> ChildSpec:
    """How to run one worker."""
    return ChildSpec(
        name=f"{role}-{worker}",
        command=(
            sys.executable, "-m", "pipeline.cli.main", "role", role,
            "--deployment", str(deployment.file), "--worker", str(worker), *more,
        ),
        log=deployment.logs / f"{role}-{worker}.log",
        once=once,
    )  # fmt: skip
