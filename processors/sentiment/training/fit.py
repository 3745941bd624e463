"""Fine-tuning on the processor: bfloat16 products, sparse steps for the embedding, batches of similar length."""

import logging
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch.nn import functional

from processors.sentiment.training.corpus import Shown
from processors.sentiment.training.network import MeanPoolClassifier, pad
from processors.sentiment.training.vocabulary import PAD_TOKEN_ID

log = logging.getLogger(__name__)

_REPORT_EVERY_STEPS = 50
_SAVE_EVERY_STEPS = 250
Batch = list[tuple[list[int], tuple[float, ...]]]
"""Numbers of the pieces of each text, and what its labels are to be."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    seed: int = 20261126
    rounds: int = 5
    batch_texts: int = 32
    encoder_rate: float = 1e-4
    embedding_rate: float = 2e-4
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


def fit(network: MeanPoolClassifier, tokenizer: Tokenizer, rounds: list[list[Shown]], recipe: Recipe, checkpoint: Path) -> Fitted:
    """Trains in place, and writes `checkpoint` now and then and at the end.

    A training that was interrupted goes on from there; one that came to its end is not repeated.
    """
    optimizers = _optimizers(network, recipe)
    rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in optimizers]
    batches = list(_batches(rounds, tokenizer, recipe))
    done, earlier_seconds = _restore(checkpoint, network, optimizers, recipe)
    started = time.monotonic() - earlier_seconds
    losses: list[float] = []
    network.train()
    for step in range(done, len(batches)):
        passed = max(step / len(batches), (time.monotonic() - started) / (60 * recipe.max_minutes))
        if passed >= 1:
            break
        factor = min(1, (step + 1) / recipe.warm_up_steps) * (1 - passed)
        for optimizer, of_groups in zip(optimizers, rates, strict=True):
            for group, rate in zip(optimizer.param_groups, of_groups, strict=True):
                group["lr"] = rate * factor
        losses.append(_step(network, optimizers, batches[step], recipe))
        if (step + 1) % _REPORT_EVERY_STEPS == 0:
            _report(losses, step + 1, len(batches), time.monotonic() - started)
        if (step + 1) % _SAVE_EVERY_STEPS == 0:
            _save(checkpoint, network, optimizers, recipe, step + 1, time.monotonic() - started)
    network.eval()
    fitted = Fitted(done + len(losses), len(batches), time.monotonic() - started)
    if losses:
        _save(checkpoint, network, optimizers, recipe, fitted.steps, fitted.seconds)
    return fitted


def _report(losses: list[float], steps: int, planned: int, seconds: float) -> None:
    recent = losses[-_REPORT_EVERY_STEPS:]
    left = seconds * (planned / steps - 1) / 60
    log.info(
        "step %d of %d, loss %.4f, %.0f s, about %.0f minutes left", steps, planned, sum(recent) / len(recent), seconds, left
    )


def _save(
    file: Path,
    network: MeanPoolClassifier,
    optimizers: list[torch.optim.Optimizer],
    recipe: Recipe,
    steps: int,
    seconds: float,
) -> None:
    state = {
        "recipe": asdict(recipe),
        "network": network.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "dice": torch.get_rng_state(),
        "steps": steps,
        "seconds": seconds,
    }
    unfinished = file.with_suffix(".unfinished")
    torch.save(state, unfinished)
    unfinished.replace(file)


def _restore(
    file: Path, network: MeanPoolClassifier, optimizers: list[torch.optim.Optimizer], recipe: Recipe
) -> tuple[int, float]:
    """Steps that were made, and the seconds they took. Raises SystemExit where they were made by another recipe."""
    if not file.exists():
        return 0, 0.0
    state: dict[str, Any] = torch.load(file, weights_only=True)
    if state["recipe"] != asdict(recipe):
        raise SystemExit(f"{file} is of a training by another recipe: go on with the same arguments, or remove the file")
    network.load_state_dict(state["network"])
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    torch.set_rng_state(state["dice"])
    log.info("going on after step %d of an earlier training; remove %s to begin anew", state["steps"], file)
    return state["steps"], state["seconds"]


def _optimizers(network: MeanPoolClassifier, recipe: Recipe) -> list[torch.optim.Optimizer]:
    pieces = network.encoder.embeddings.word_embeddings.weight
    trained = [parameter for parameter in network.encoder.parameters() if parameter is not pieces]
    matrices = [parameter for parameter in trained if parameter.ndim > 1]
    vectors = [parameter for parameter in trained if parameter.ndim < 2]
    dense = torch.optim.AdamW(
        [
            {"params": matrices, "lr": recipe.encoder_rate, "weight_decay": recipe.weight_decay},
            {"params": vectors, "lr": recipe.encoder_rate, "weight_decay": 0.0},
            {"params": list(network.classify.parameters()), "lr": recipe.head_rate, "weight_decay": 0.0},
        ],
        fused=True,
    )
    return [dense, torch.optim.SparseAdam([pieces], lr=recipe.embedding_rate)]


def _step(network: MeanPoolClassifier, optimizers: list[torch.optim.Optimizer], batch: Batch, recipe: Recipe) -> float:
    ids, mask = pad([tokens for tokens, _ in batch], PAD_TOKEN_ID)
    wanted = torch.tensor([shares for _, shares in batch])
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(ids, mask)
    loss = functional.cross_entropy(logits.float(), wanted, label_smoothing=recipe.label_smoothing)
    loss.backward()  # type: ignore[no-untyped-call]
    dense, _ = optimizers
    torch.nn.utils.clip_grad_norm_(
        [parameter for group in dense.param_groups for parameter in group["params"]], recipe.max_gradient
    )
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    return loss.item()


def _batches(rounds: list[list[Shown]], tokenizer: Tokenizer, recipe: Recipe) -> Iterator[Batch]:
    """Neighbours in length within a window of 25 batches, so that little is padded and much is mixed."""
    shuffler = random.Random(recipe.seed)
    window = 25 * recipe.batch_texts
    for texts in rounds:
        encodings = tokenizer.encode_batch([found.text for found in texts])
        encoded = [(encoding.ids, found.shares) for encoding, found in zip(encodings, texts, strict=True)]
        shuffler.shuffle(encoded)
        batches: list[Batch] = []
        for start in range(0, len(encoded), window):
            near = sorted(encoded[start : start + window], key=lambda item: len(item[0]))
            batches.extend(near[i : i + recipe.batch_texts] for i in range(0, len(near), recipe.batch_texts))
        shuffler.shuffle(batches)
        yield from batches
