"""How a command finds the servers: those that the configuration names, otherwise those of the supervisor that runs here."""

import click
from kafka.errors import KafkaError
from pydantic import ValidationError

from connectors.kafka import KafkaSettings
from pipeline.cli.common import Context, NothingRuns
from pipeline.configuration import Configuration
from pipeline.deployment import LIVE, Deployment, read, resolve
from pipeline.supervisor.run_state import RunFolder
from schemas.topics import TOPICS

namespace_option = click.option("--namespace", default="live", show_default=True, help="The live system, or a replay's name.")


def running_deployment(context: Context, namespace: str = LIVE) -> Deployment:
    """The namespace with the addresses of its servers. Raises `NothingRuns`, ConfigurationError.

    Without --config it has the configuration with which the running system was started, so that nobody has to repeat it.
    """
    namespace = LIVE if namespace == "live" else namespace
    configuration, state = _configuration(context, namespace), RunFolder(context.data / "run").read()
    if state is None and (configuration.kafka is None or configuration.elasticsearch is None):
        raise NothingRuns(
            f"nothing runs on {context.data}: start with 'nabiz up', name the folder with --data, "
            "or name your own Kafka and Elasticsearch in the configuration"
        )
    if state is not None and not state.ready:
        raise NothingRuns(f"{state.command} is starting (process {state.pid}): try again when 'nabiz status' lists its processes")
    return resolve(
        configuration, context.data, namespace=namespace, kafka=state.kafka if state else "",
        elasticsearch=state.elasticsearch if state else "",
    )  # fmt: skip


def existing_deployment(context: Context, namespace: str = LIVE) -> Deployment:
    """Like `running_deployment`, for commands that read: the namespace's topics must exist. Raises KafkaUnreachable, too."""
    deployment = running_deployment(context, namespace)
    admin = deployment.kafka.admin()
    try:
        names = set(admin.list_topics())
    except KafkaError as error:
        raise deployment.kafka.unreachable() from error
    finally:
        admin.close()
    missing = {deployment.kafka.topic(topic) for topic in TOPICS} - names
    if missing:
        raise NothingRuns(_nothing_there(deployment, names))
    return deployment


def _nothing_there(deployment: Deployment, names: set[str]) -> str:
    if not deployment.is_replay:
        return f"Kafka at {deployment.kafka.bootstrap} has no topics of this installation yet: start with 'nabiz up'"
    found = ", ".join(sorted(_namespaces(deployment.kafka, deployment.namespace, names))) or "none"
    return (
        f"Kafka has no topics of {deployment.namespace!r}; namespaces with topics: {found}. "
        "The topics of a finished replay are removed unless it ran with --keep"
    )


def _namespaces(kafka: KafkaSettings, namespace: str, names: set[str]) -> set[str]:
    own = kafka.prefix.removesuffix(f"{namespace}-")
    marker = f"-{TOPICS[0].name}"
    return {
        name.removeprefix(own).removesuffix(marker)
        for name in names
        if name.startswith(f"{own}replay-") and name.endswith(marker)
    }


def _configuration(context: Context, namespace: str) -> Configuration:
    saved = context.data / (namespace or "live") / "deployment.json"
    if context.config_file is not None or not saved.exists():
        return context.configuration()
    try:
        return read(saved).configuration
    except ValidationError as error:
        raise NothingRuns(
            f"{saved} was written by another version of Nabız: name the configuration with --config FILE"
        ) from error
