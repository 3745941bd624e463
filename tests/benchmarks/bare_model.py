"""The bundled classifier over a file of texts, in batches as `enrich` takes them, and nothing else: a process of its own.

Prints {"rate": texts a second}. The first batch is not counted: it warms the model up on either side.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pipeline.roles.enrich import BATCH_RECORDS
from processors.sentiment import Classifier
from tests.benchmarks.corpus import read_masked


def main(file: str, model: str, threads: str) -> None:
    classifier = Classifier(Path(model), threads=int(threads))
    texts = list(read_masked(Path(file)))
    batches = [texts[start : start + BATCH_RECORDS] for start in range(0, len(texts) - BATCH_RECORDS + 1, BATCH_RECORDS)]
    classifier.predict(batches[0])
    print(json.dumps({"rate": rate(classifier, batches[1:])}))


def rate(classifier: Classifier, batches: Sequence[Sequence[str]]) -> float:
    started = time.perf_counter()
    for batch in batches:
        classifier.predict(batch)
    return sum(map(len, batches)) / (time.perf_counter() - started)


if __name__ == "__main__":
    main(*sys.argv[1:])
