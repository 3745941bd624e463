"""The fixture `servers`: one real Kafka and one real Elasticsearch per test run. Loaded as a pytest plugin.

They are shared by all tests of a run: a test makes topics and indices of its own, under names nobody else uses, and
does not look at the others'. A test that stops, kills or reconfigures a server starts one of its own with `running`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from pipeline.servers.build import ensure_built
from pipeline.servers.embedded import EmbeddedElasticsearch, EmbeddedKafka
from pipeline.servers.ports import choose_ports
from pipeline.servers.running import running


@dataclass(frozen=True)
class Servers:
    """Addresses as clients take them."""

    kafka: str
    """`127.0.0.1:port`"""
    elasticsearch: str
    """`http://127.0.0.1:port`"""


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Both servers on free ports with empty data, built first if need be.

    Where they cannot be built the test fails with what to install: a skipped test would claim that all is well.
    """
    ensure_built()
    folder = tmp_path_factory.mktemp("servers")
    ports = choose_ports("auto")
    kafka = EmbeddedKafka(data_dir=folder / "kafka", port=ports.kafka, controller_port=ports.kafka_controller)
    search = EmbeddedElasticsearch(
        data_dir=folder / "elasticsearch", port=ports.elasticsearch, transport_port=ports.elasticsearch_transport
    )
    with running(kafka, search):
        yield Servers(kafka=kafka.address, elasticsearch=search.address)
