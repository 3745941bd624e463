"""One namespace of one installation, resolved: configuration, server addresses, prefix, secrets, folders.

The supervisor resolves it once and hands it to the roles as a file, so that every process of a run sees the same.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from connectors.elasticsearch import ElasticsearchSettings
from connectors.kafka import KafkaSettings
from pipeline.configuration import Configuration

LIVE: Final = ""


def wall_clock() -> datetime:
    """The one place where roles get the time from."""
    return datetime.now(UTC)


class Deployment(BaseModel):
    """What a role needs to know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    configuration: Configuration
    data: Path = Field(description="data folder")
    namespace: str = Field(default=LIVE, description="'' for the live system, 'replay-…' for a replay")
    kafka: KafkaSettings
    elasticsearch: ElasticsearchSettings

    @property
    def is_replay(self) -> bool:
        """Whether nobody may take it for real."""
        return self.namespace != LIVE

    @property
    def folder(self) -> Path:
        """Logs, role data and results of this namespace."""
        return self.data / (self.namespace or "live")

    @property
    def file(self) -> Path:
        """Where the roles find this deployment."""
        return self.folder / "deployment.json"

    @property
    def logs(self) -> Path:
        """One log per role."""
        return self.folder / "logs"

    @property
    def notifications_file(self) -> Path:
        """What a replay would have sent."""
        return self.folder / "notifications.jsonl"

    def save(self) -> None:
        """Write `file`, readable by this user only."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file.touch(mode=0o600)
        self.file.write_text(self.model_dump_json(), encoding="utf-8")


def resolve(
    configuration: Configuration, data: Path, *, namespace: str = LIVE, kafka: str = "", elasticsearch: str = ""
) -> Deployment:
    """`kafka` and `elasticsearch` are the addresses of embedded servers, used where the configuration names none."""
    own_kafka = configuration.kafka or KafkaSettings(bootstrap=kafka)
    own_elasticsearch = configuration.elasticsearch or ElasticsearchSettings(urls=(elasticsearch,))
    prefix = f"{namespace}-" if namespace else ""
    return Deployment(
        configuration=configuration,
        data=data,
        namespace=namespace,
        kafka=own_kafka.with_prefix(own_kafka.prefix + prefix),
        elasticsearch=own_elasticsearch.model_copy(update={"prefix": own_elasticsearch.prefix + prefix}),
    )


def read(file: Path) -> Deployment:
    """What `save` wrote."""
    return Deployment.model_validate_json(file.read_bytes())
