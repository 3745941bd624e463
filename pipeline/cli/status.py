"""`nabiz status`."""

from typing import Any

import click
from kafka.errors import KafkaError

from connectors.elasticsearch import ElasticsearchUnreachable, translated
from connectors.kafka import KafkaUnreachable
from pipeline.cli.common import Context, NothingRuns, common_options
from pipeline.cli.foreign_text import printable
from pipeline.cli.servers_address import existing_deployment
from pipeline.deployment import Deployment, resolve
from pipeline.lag import LagReader
from pipeline.supervisor.run_state import RunFolder, RunState


@click.command()
@click.option("--namespace", default="", help="A replay's namespace; default: the live system.")
@common_options
def status(context: Context, namespace: str) -> None:
    """Who runs, where the servers are, how far each role is behind, how much is indexed.

    \b
    Examples:
      nabiz status
      nabiz status --json | jq .lag
    """
    folder = context.data / namespace / "run" if namespace else context.data / "run"
    state = RunFolder(folder).read()
    if state is None:
        _answer_without_supervisor(context, namespace)
        return
    if not state.ready:
        context.answer(
            {"running": True, "ready": False, "pid": state.pid, "data": str(context.data)},
            f"{state.command} is starting (process {state.pid}) on {context.data}",
        )
        return
    deployment = resolve(
        context.configuration(), context.data, namespace=namespace, kafka=state.kafka, elasticsearch=state.elasticsearch
    )
    found = _look(deployment, state)
    context.answer(found, _text(found))


def _answer_without_supervisor(context: Context, namespace: str) -> None:
    """Roles in containers of their own have none; what they have left to do is in Kafka."""
    try:
        deployment = existing_deployment(context, namespace)
    except NothingRuns:
        context.answer({"running": False, "data": str(context.data)}, f"nothing runs on {context.data}; start with 'nabiz up'")
        return
    found = _look(deployment, None)
    context.answer(found, _text(found))


def _look(deployment: Deployment, state: RunState | None) -> dict[str, Any]:
    return {
        "running": None if state is None else True,
        "ready": True,
        "pid": state.pid if state else None,
        "data": str(deployment.data),
        "kafka": deployment.kafka.bootstrap,
        "elasticsearch": deployment.elasticsearch.urls[0],
        "processes": dict(state.children) if state else {},
        "lag": _lag(deployment),
        "documents": _documents(deployment),
    }


def _lag(deployment: Deployment) -> dict[str, int] | None:
    """None while Kafka starts, is away, or has not made the topics yet: who asks for the state wants the rest of it."""
    try:
        with LagReader(deployment.kafka) as reader:
            return reader.roles() if reader.has_topics() else None
    except (KafkaError, KafkaUnreachable):
        return None


def _documents(deployment: Deployment) -> dict[str, int | None] | None:
    """By index; None for one that is just being opened. None while Elasticsearch is away: alerts do not need it, so that is no error of the system."""
    prefix = deployment.elasticsearch.prefix
    try:
        with deployment.elasticsearch.sync_client() as client, translated():
            rows = client.cat.indices(index=f"{prefix}mentions-*,{prefix}tombstones", format="json", h="index,docs.count")
    except ElasticsearchUnreachable:
        return None
    counts = {row["index"]: row["docs.count"] for row in rows}  # type: ignore[index]
    return {index: None if count is None else int(count) for index, count in counts.items()}


def _text(found: dict[str, Any]) -> str:
    where = f"Kafka {found['kafka']} · Elasticsearch {found['elasticsearch']}"
    lines = [_who(found), where, ""]
    for name, child in found["processes"].items():
        running = f"process {child['pid']}" if child["pid"] else "DOWN, to be started again"
        restarts = f", {child['restarts']} restarts" if child["restarts"] else ""
        problem = f"\n      keeps failing: {printable(child['problem'])}" if child["problem"] else ""
        lines.append(f"  {name:<16}{running}{restarts}{problem}")
    lag, documents = found["lag"], found["documents"]
    if lag is None:
        lines += [
            "",
            "records behind: not known, since Kafka is starting or its topics are not made yet; a replay's: --namespace replay-NAME",
        ]
    else:
        lines += ["", "records behind:"] + [f"  {role:<16}{left}" for role, left in lag.items()]
    if documents is None:
        return "\n".join([*lines, "", "Elasticsearch does not answer: nothing is lost, indexing goes on when it is back"])
    return "\n".join(
        [*lines, "", "documents:"]
        + [f"  {index:<28}{'being opened' if count is None else count}" for index, count in documents.items()]
    )


def _who(found: dict[str, Any]) -> str:
    if found["pid"] is None:
        return f"no 'nabiz up' runs on {found['data']}: roles that were started otherwise are not listed"
    return f"running (process {found['pid']}) on {found['data']}"
