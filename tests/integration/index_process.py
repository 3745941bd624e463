"""The role `index` alone in a process, for tests: arguments are the two addresses, a prefix, a data folder, a worker number."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from connectors.elasticsearch import ElasticsearchSettings
from connectors.kafka import KafkaSettings
from pipeline.roles.index import IndexRole
from pipeline.worker import die_with_parent, guard, log_to_stderr, make_app, run


def main(bootstrap: str, url: str, prefix: str, data: str, worker: str, *options: str) -> None:
    log_to_stderr(f"index-{worker}")
    die_with_parent()
    kafka = KafkaSettings(bootstrap=bootstrap, prefix=prefix)
    app = make_app(kafka, "index", int(worker), Path(data) / worker)
    for option in options:  # name=number, of Faust's settings
        name, _, value = option.partition("=")
        setattr(app.conf, name, float(value))
    IndexRole(app, kafka, ElasticsearchSettings(urls=(url,), prefix=prefix), clock=lambda: datetime.now(UTC)).install(guard)
    run(app)


if __name__ == "__main__":
    main(*sys.argv[1:])
