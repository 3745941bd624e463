"""Runs `naive_agent` and measures it: the contrast to which batching, threads and bulk requests are to be seen."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from shutil import copytree
from typing import Literal

import orjson
from elasticsearch import Elasticsearch
from kafka.admin import NewTopic

from connectors.kafka import KafkaSettings
from pipeline.supervisor.children import ChildSpec
from pipeline.supervisor.run_state import RunFolder
from pipeline.supervisor.supervisor import Supervisor
from tests.benchmarks.corpus import Invented
from tests.benchmarks.installation import Installation, run_until
from tests.benchmarks.rates import steady_rate

PARTITIONS = 8  # Faust's default
Engine = Literal["torch", "onnx"]


def engine() -> Engine:
    """torch, as in a tutorial, where it is installed."""
    return "torch" if find_spec("torch") else "onnx"


@dataclass(frozen=True)
class Naive:
    """Everything that a round needs."""

    installation: Installation
    texts: Sequence[Invented]
    model: Path
    engine: Engine

    def rate(self, name: str, threads: int | None) -> float:
        """Texts a second; `threads` None leaves torch its own choice, which is all cores."""
        self._feed(name)
        with Elasticsearch(self.installation.elasticsearch) as client:
            client.indices.create(index=name)
            self._run(name, threads, client)
            client.indices.refresh(index=name)
            found = client.search(index=name, size=len(self.texts), source=["done_at"])
        return steady_rate([document["_source"]["done_at"] for document in found["hits"]["hits"]])

    def _feed(self, topic: str) -> None:
        kafka = KafkaSettings(bootstrap=self.installation.kafka)
        admin, producer = kafka.admin(), kafka.producer()
        try:
            admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
            for number, post in enumerate(self.texts):
                producer.send(topic, orjson.dumps({"id": str(number), "text": post.masked}), key=str(number).encode())
            producer.flush()
        finally:
            producer.close()
            admin.close()

    def _run(self, name: str, threads: int | None, client: Elasticsearch) -> None:
        folder = self.installation.data / name
        spec = ChildSpec(
            name=name, command=(sys.executable, "-m", "tests.benchmarks.naive_agent", "worker", "--without-web", "--loglevel", "warn"),
            log=folder / "log", environment=self._environment(name, folder, threads),
        )  # fmt: skip
        with Supervisor(RunFolder(folder / "run"), print) as supervisor:
            supervisor.start_role(spec)
            done = partial(_has_documents, client, name, len(self.texts))
            run_until(supervisor, done, f"the naive agent, see {spec.log}")

    def _environment(self, name: str, folder: Path, threads: int | None) -> Mapping[str, str]:
        model = random_torch_model(self.model, self.installation.data / "torch-model") if self.engine == "torch" else self.model
        return {
            "NAIVE_ENGINE": self.engine, "NAIVE_MODEL": str(model), "NAIVE_NAME": name, "NAIVE_DATA": str(folder),
            "NAIVE_KAFKA": f"kafka://{self.installation.kafka}", "NAIVE_ELASTICSEARCH": self.installation.elasticsearch,
            "HF_HUB_OFFLINE": "1", "PATH": "/usr/bin:/bin",
            **({} if threads is None else {"OMP_NUM_THREADS": str(threads)}),
        }  # fmt: skip


def _has_documents(client: Elasticsearch, index: str, number: int) -> bool:
    return int(client.count(index=index)["count"]) >= number


def random_torch_model(model: Path, folder: Path) -> Path:
    """Weights of the model's shape with random values, which are as fast as any; the bundled ones are not torch's."""
    if not folder.exists():
        from transformers import AutoConfig, AutoModelForSequenceClassification

        copytree(model, folder)
        AutoModelForSequenceClassification.from_config(AutoConfig.from_pretrained(model)).save_pretrained(folder)
    return folder
