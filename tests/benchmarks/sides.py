"""The two that are compared in alternation over the same texts: the bare model and the pipeline."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.kafka import KafkaSettings
from pipeline.configuration import Configuration
from pipeline.replay import indexed, remove_topics
from pipeline.tone import SentimentSettings
from processors.alerting.on_call import OnCallList
from schemas.enriched import ENRICHED as ENRICHED_RECORDS
from schemas.enriched import EnrichedMention
from schemas.topics import ENRICHED
from tests.benchmarks.corpus import WATCH_FILE, Invented, write, write_masked
from tests.benchmarks.installation import BenchmarkFailed, Installation
from tests.benchmarks.rates import steady_rate


@dataclass(frozen=True)
class Sides:
    """Everything that a round needs."""

    installation: Installation
    texts: Sequence[Invented]
    model: Path
    threads: int

    def bare_model(self) -> float:
        """Texts a second of the model alone, while the servers are up and idle."""
        file = self.installation.data / "masked.jsonl"
        write_masked(self.texts, file)
        command = (sys.executable, "-m", "tests.benchmarks.bare_model", str(file), str(self.model), str(self.threads))
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        return float(json.loads(answer.stdout)["rate"])

    def pipeline(self, namespace: str) -> float:
        """Texts a second through Kafka, enrich, index, detect and alert. Raises `BenchmarkFailed` if one is missing anywhere."""
        file = self.installation.data / "posts.jsonl"
        write(self.texts, file)
        configuration = Configuration(
            sentiment=SentimentSettings(model=self.model, threads=self.threads),
            on_call={"nobetci": OnCallList(name="nobetci", channels=("console",))},
            watches=(WATCH_FILE,),
        )
        deployment = self.installation.deployment(configuration, namespace)
        self.installation.listen_to(deployment, file)
        judged = self._judged(deployment.kafka)
        self._require_whole([found for _, found in judged], indexed(deployment))
        remove_topics(deployment.kafka)
        return steady_rate([at for at, _ in judged])

    def _judged(self, kafka: KafkaSettings) -> list[tuple[float, EnrichedMention]]:
        """Each mention with the time at which `enrich` wrote it."""
        with kafka.reader([ENRICHED]) as reader:
            records = [(record.timestamp / 1000, ENRICHED_RECORDS.decode(record.value).record) for record in reader.rest()]
        return [(at, found) for at, found in records if isinstance(found, EnrichedMention)]

    def _require_whole(self, judged: Sequence[EnrichedMention], documents: int) -> None:
        """The model has read the same texts as on the other side, each once, and all are in the index."""
        by_model = [found.mention.text for found in judged if found.sentiment.confidence > 0]
        if sorted(by_model) != sorted(post.masked for post in self.texts) or documents != len(self.texts):
            raise BenchmarkFailed(f"of {len(self.texts)} texts {len(by_model)} were judged and {documents} indexed")
