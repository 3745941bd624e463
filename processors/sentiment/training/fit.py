"""Fine-tuning on the processor: bfloat16 products, embeddings frozen, batches of similar length."""

import logging
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch.nn import functional

from processors.sentiment.training.corpus import Example
from processors.sentiment.training.network import MeanPoolClassifier, pad
from processors.sentiment.training.vocabulary import PAD_TOKEN_ID

log = logging.getLogger(__name__)

_REPORT_EVERY_STEPS = 50
Batch = list[tuple[list[int], int]]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    seed: int = 20261126
    rounds: int = 5
    batch_texts: int = 32
    encoder_rate: float = 1e-4
    head_rate: float = 1e-3
    warm_up_steps: int = 100
    weight_decay: float = 0.01
    label_smoothing: float = 0.05
    max_gradient: float = 1.0
    max_minutes: float = 600
    """When this ends the training early, the learning rate has reached 0 all the same, but the result
    depends on the machine's speed: the log says how many steps were made."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a training run did."""

    steps: int
    planned: int
    seconds: float


def fit(network: MeanPoolClassifier, tokenizer: Tokenizer, rounds: list[list[Example]], recipe: Recipe) -> Fitted:
    """Trains in place."""
    for parameter in network.encoder.embeddings.parameters():
        parameter.requires_grad = False
    optimizer = _optimizer(network, recipe)
    rates = [group["lr"] for group in optimizer.param_groups]
    batches = list(_batches(rounds, tokenizer, recipe))
    started = time.monotonic()
    losses: list[float] = []
    network.train()
    for step, batch in enumerate(batches):
        passed = max(step / len(batches), (time.monotonic() - started) / (60 * recipe.max_minutes))
        if passed >= 1:
            break
        factor = min(1, (step + 1) / recipe.warm_up_steps) * (1 - passed)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * factor
        losses.append(_step(network, optimizer, batch, recipe))
        if len(losses) % _REPORT_EVERY_STEPS == 0:
            _report(losses, len(batches), time.monotonic() - started)
    network.eval()
    return Fitted(len(losses), len(batches), time.monotonic() - started)


def _report(losses: list[float], planned: int, seconds: float) -> None:
    recent = sum(losses[-_REPORT_EVERY_STEPS:]) / _REPORT_EVERY_STEPS
    left = seconds * (planned / len(losses) - 1) / 60
    log.info("step %d of %d, loss %.4f, %.0f s, about %.0f minutes left", len(losses), planned, recent, seconds, left)


def _optimizer(network: MeanPoolClassifier, recipe: Recipe) -> torch.optim.Optimizer:
    trained = [parameter for parameter in network.encoder.parameters() if parameter.requires_grad]
    matrices = [parameter for parameter in trained if parameter.ndim > 1]
    vectors = [parameter for parameter in trained if parameter.ndim < 2]
    return torch.optim.AdamW(
        [
            {"params": matrices, "lr": recipe.encoder_rate, "weight_decay": recipe.weight_decay},
            {"params": vectors, "lr": recipe.encoder_rate, "weight_decay": 0.0},
            {"params": list(network.classify.parameters()), "lr": recipe.head_rate, "weight_decay": 0.0},
        ]
    )


def _step(network: MeanPoolClassifier, optimizer: torch.optim.Optimizer, batch: Batch, recipe: Recipe) -> float:
    ids, mask = pad([tokens for tokens, _ in batch], PAD_TOKEN_ID)
    labels = torch.tensor([label for _, label in batch])
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(ids, mask)
    loss = functional.cross_entropy(logits.float(), labels, label_smoothing=recipe.label_smoothing)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.max_gradient)
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


def _batches(rounds: list[list[Example]], tokenizer: Tokenizer, recipe: Recipe) -> Iterator[Batch]:
    """Neighbours in length within a window of 25 batches, so that little is padded and much is mixed."""
    shuffler = random.Random(recipe.seed)
    window = 25 * recipe.batch_texts
    for examples in rounds:
        encodings = tokenizer.encode_batch([example.text for example in examples])
        encoded = [(encoding.ids, example.label) for encoding, example in zip(encodings, examples, strict=True)]
        shuffler.shuffle(encoded)
        batches: list[Batch] = []
        for start in range(0, len(encoded), window):
            near = sorted(encoded[start : start + window], key=lambda item: len(item[0]))
            batches.extend(near[i : i + recipe.batch_texts] for i in range(0, len(near), recipe.batch_texts))
        shuffler.shuffle(batches)
        yield from batches
