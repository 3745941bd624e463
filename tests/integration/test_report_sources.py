"""Facts of a report, read from the real log and the real index, are those of the records that were written."""

import uuid

from connectors.elasticsearch import ElasticsearchSettings
from connectors.kafka import KafkaSettings, create_topics
from pipeline.report.facts import assemble, gather
from pipeline.report.texts import IndexTexts
from schemas.documents import MENTION_MAPPINGS
from schemas.topics import ALERTS, BUCKETS, DELIVERIES, NOTIFICATIONS, SIGNALS, WATCHES
from tests.servers_fixture import Servers
from tests.unit.invented_report import MADE, TEXTS, alert, logs, prize_notice


def test_gathered_facts_are_what_was_written(servers: Servers) -> None:
    """The last state of an alert counts, a removed key is gone, and what is no record is counted and skipped."""
    kafka = KafkaSettings(bootstrap=servers.kafka, prefix=f"report-{uuid.uuid4().hex[:8]}-")
    create_topics(kafka)
    written = logs(alert(), prize_notice())
    producer = kafka.producer()
    outdated = alert(title="Eski")
    records = [(BUCKETS, record.watch_id, record) for record in written.buckets]
    records += [(SIGNALS, record.watch_id, record) for record in written.signals]
    records += [(ALERTS, record.alert_id, record) for record in (outdated, *written.alerts)]
    records += [(NOTIFICATIONS, record.alert_id, record) for record in written.notifications]
    records += [(DELIVERIES, record.alert_id, record) for record in written.deliveries]
    records += [(WATCHES, record.watch_id, record) for record in written.watches]
    for topic, key, record in records:
        producer.send(kafka.topic(topic), key=key.encode(), value=record.encode())
    producer.send(kafka.topic(ALERTS), key=b"gone", value=alert(alert_id="gone").encode())
    producer.send(kafka.topic(ALERTS), key=b"gone", value=None)
    producer.send(kafka.topic(SIGNALS), key=b"x", value=b"{}")
    producer.flush()
    producer.close()
    found = gather(kafka, made_at=MADE)
    assert found.unreadable == 1
    assert found.alerts == assemble(written, made_at=MADE).alerts
    assert found.watches == assemble(written, made_at=MADE).watches


def test_texts_come_from_the_index_of_the_namespace(servers: Servers) -> None:
    """A post that the index does not have has no text; of copies the earliest is quoted, cut to an excerpt's length."""
    settings = ElasticsearchSettings(urls=(servers.elasticsearch,), prefix=f"report-{uuid.uuid4().hex[:8]}-")
    texts = IndexTexts(settings)
    assert texts.of_posts(["p1"]) == {}
    with settings.sync_client() as client:
        for month, number, text, signature in (
            ("02", 2, "sonraki " * 60, "s1"),
            ("03", 1, TEXTS["p1"], "s0"),
            ("03", 0, "ilk", "s1"),
        ):
            index = f"{settings.prefix}mentions-2026.{month}"
            client.options(ignore_status=400).indices.create(
                index=index, mappings=MENTION_MAPPINGS | {"properties": _without_analysis()}
            )
            document = {
                "mention_id": f"p{number}",
                "signature": signature,
                "text": text,
                "event_time": f"2026-03-04T18:{number}0:00Z",
            }
            client.index(index=index, id=f"p{number}", document=document, refresh=True)
    assert texts.of_posts(["p1", "p4"]) == {"p1": TEXTS["p1"]}
    assert texts.of_copies(["s1", "s9"]) == {"s1": "ilk"}
    assert len(texts.of_posts(["p2"])["p2"]) <= 280


def _without_analysis() -> dict[str, object]:
    """The mapping as it is, but for the analyzers that only the template brings."""
    return {**MENTION_MAPPINGS["properties"], "text": {"type": "text"}}
