"""Fine-tuning on the processor: bfloat16 products, sparse steps for the embedding, batches of similar length."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch.nn import functional

from processors.sentiment.training import loop
from processors.sentiment.training.corpus import Shown
from processors.sentiment.training.network import MeanPoolClassifier, pad
from processors.sentiment.training.vocabulary import PAD_TOKEN_ID

Batch = list[tuple[list[int], tuple[float, ...]]]
"""Numbers of the pieces of each text, and what its labels are to be."""


@dataclass(frozen=True, kw_only=True)
class FineTuning(loop.Recipe):
    rounds: int = 5
    encoder_rate: float = 1e-4
    embedding_rate: float = 2e-4
    warm_up_steps: int = 100
    dropout: float = 0.1
    label_smoothing: float = 0.05


def fit(
    network: MeanPoolClassifier,
    tokenizer: Tokenizer,
    rounds: list[list[Shown]],
    recipe: FineTuning,
    checkpoint: Path,
    *,
    after: Sequence[loop.Recipe] = (),
) -> loop.Fitted:
    """Trains in place; `after` are the recipes of the trainings that the network has behind it. See `loop.run`."""

    def loss_of(batch: Batch) -> torch.Tensor:
        ids, mask = pad([tokens for tokens, _ in batch], PAD_TOKEN_ID)
        wanted = torch.tensor([shares for _, shares in batch])
        return functional.cross_entropy(network(ids, mask), wanted, label_smoothing=recipe.label_smoothing)

    batches = list(_batches(rounds, tokenizer, recipe))
    return loop.run(network, _optimizers(network, recipe), batches, loss_of, (*after, recipe), checkpoint)


def _optimizers(network: MeanPoolClassifier, recipe: FineTuning) -> list[torch.optim.Optimizer]:
    pieces = network.encoder.embeddings.word_embeddings.weight
    trained = [parameter for parameter in network.encoder.parameters() if parameter is not pieces]
    dense = loop.dense_optimizer(trained, (), network.classify.parameters(), recipe)
    return [dense, torch.optim.SparseAdam([pieces], lr=recipe.embedding_rate)]


def _batches(rounds: list[list[Shown]], tokenizer: Tokenizer, recipe: FineTuning) -> Iterator[Batch]:
    shuffler = random.Random(recipe.seed)
    for texts in rounds:
        encodings = tokenizer.encode_batch([found.text for found in texts])
        encoded = [(encoding.ids, found.shares) for encoding, found in zip(encodings, texts, strict=True)]
        yield from loop.batches_of_similar_length(encoded, lambda item: len(item[0]), recipe.batch_texts, shuffler)
