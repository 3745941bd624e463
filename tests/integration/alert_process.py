"""The role `alert` alone in a process, for tests: arguments are Kafka's address, a prefix, a data folder and settings as JSON."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

import pipeline.fold
from connectors.channels import ChannelSettings
from connectors.kafka import KafkaSettings
from pipeline.delivery import Patience
from pipeline.roles.alert import AlertRole
from pipeline.worker import die_with_parent, guard, log_to_stderr, make_app, run
from processors.alerting.on_call import OnCallList


def main(bootstrap: str, prefix: str, data: str, settings: str) -> None:
    log_to_stderr("alert-0")
    die_with_parent()
    kafka = KafkaSettings(bootstrap=bootstrap, prefix=prefix)
    fields = json.loads(settings)
    pipeline.fold.SNAPSHOT_SECS = fields.get("snapshot_secs", pipeline.fold.SNAPSHOT_SECS)  # type: ignore[misc]
    app = make_app(kafka, "alert", 0, Path(data))
    AlertRole(
        app,
        kafka,
        on_call=TypeAdapter(dict[str, OnCallList]).validate_python(fields["on_call"]),
        channels=TypeAdapter(dict[str, ChannelSettings]).validate_python(fields["channels"]),
        is_replay=fields["is_replay"],
        clock=lambda: datetime.now(UTC),
        patience=Patience(first_secs=0.1, longest_secs=0.5),
    ).install(guard)
    run(app)


if __name__ == "__main__":
    main(*sys.argv[1:])
