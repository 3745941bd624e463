"""What a tutorial would write: one text, one call of the model, one call of Elasticsearch, each awaited in turn.

Started as `faust -A` would, with its settings in the environment. `NAIVE_ENGINE` is "torch" for the `transformers`
pipeline, or "onnx" for one call of our own classifier where torch is not installed.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faust
from elasticsearch import AsyncElasticsearch

from pipeline.worker import die_with_parent

MODEL = os.environ["NAIVE_MODEL"]
NAME = os.environ["NAIVE_NAME"]

app = faust.App(
    NAME,
    broker=os.environ["NAIVE_KAFKA"],
    store="memory://",
    datadir=os.environ["NAIVE_DATA"],
    consumer_auto_offset_reset="earliest",
)


class Post(faust.Record):
    id: str
    text: str


posts = app.topic(NAME, value_type=Post)
elasticsearch = AsyncElasticsearch(os.environ["NAIVE_ELASTICSEARCH"])


def _classifier() -> Callable[[str], dict[str, Any]]:
    if os.environ["NAIVE_ENGINE"] == "torch":
        from transformers import pipeline

        classify = pipeline("text-classification", model=MODEL, device="cpu")
        return lambda text: classify(text)[0]
    from processors.sentiment import Classifier

    classifier = Classifier(Path(MODEL), threads=1)
    return lambda text: {"label": str((found := classifier.predict([text])[0]).label), "score": found.confidence}


classify = _classifier()


@app.agent(posts)
async def analyse(stream: faust.Stream[Post]) -> None:
    async for post in stream:
        result = classify(post.text)
        document = {"text": post.text, "label": result["label"], "score": result["score"], "done_at": time.time()}
        await elasticsearch.index(index=NAME, id=post.id, document=document)


if __name__ == "__main__":
    die_with_parent()
    app.main()
