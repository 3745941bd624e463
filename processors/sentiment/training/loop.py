"""What both trainings on the processor share: the pace of the learning rate, reports, and a checkpoint to go on from."""

import hashlib
import logging
import pickle
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from processors.sentiment.training.corpus import SEED
from processors.sentiment.training.network import drop

log = logging.getLogger(__name__)

_REPORT_EVERY_STEPS = 50
_SAVE_EVERY_STEPS = 250
_WINDOW_BATCHES = 25

Text = TypeVar("Text")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What decides a training's result, but for the texts."""

    seed: int = SEED
    rounds: int
    batch_texts: int = 32
    encoder_rate: float
    head_rate: float = 1e-3
    warm_up_steps: int
    weight_decay: float = 0.01
    max_gradient: float = 1.0
    dropout: float = 0.0
    max_minutes: float = 600
    """When this ends the training early, the learning rate has reached 0 all the same, but the result
    depends on the machine's speed: the log says how many steps were made."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a training run did."""

    steps: int
    planned: int
    seconds: float
    first_loss: float
    """Mean of the first 50 steps."""
    last_loss: float


def run(
    network: nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
    batches: Sequence[Text],
    loss_of: Callable[[Text], torch.Tensor],
    recipes: Sequence[Recipe],
    checkpoint: Path,
) -> Fitted:
    """Trains in place, and writes `checkpoint` now and then and at the end.

    The last of `recipes` is this training's; those before it made what it starts from. A training that was interrupted
    goes on from its checkpoint; one that came to its end is not repeated. Raises SystemExit where the checkpoint is of
    other recipes or of other texts.
    """
    recipe = recipes[-1]
    of = {"recipes": [asdict(each) for each in recipes], "texts": _fingerprint(batches)}
    rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in optimizers]
    losses, earlier_seconds = _restore(checkpoint, network, optimizers, of)
    done = len(losses)
    started = time.monotonic() - earlier_seconds
    network.train()
    drop(network, recipe.dropout)
    for step in range(done, len(batches)):
        passed = step / len(batches)
        if step >= recipe.warm_up_steps:  # before, the clock would be ahead of no step at all, and no two runs alike
            passed = max(passed, (time.monotonic() - started) / (60 * recipe.max_minutes))
        if passed >= 1:
            break
        factor = min(1, (step + 1) / recipe.warm_up_steps) * (1 - passed)
        for optimizer, of_groups in zip(optimizers, rates, strict=True):
            for group, rate in zip(optimizer.param_groups, of_groups, strict=True):
                group["lr"] = rate * factor
        losses.append(_step(optimizers, loss_of(batches[step]), recipe))
        if (step + 1) % _REPORT_EVERY_STEPS == 0:
            _report(losses, len(batches), time.monotonic() - started)
        if (step + 1) % _SAVE_EVERY_STEPS == 0:
            _save(checkpoint, network, optimizers, of, losses, time.monotonic() - started)
    network.eval()
    seconds = earlier_seconds
    if len(losses) > done:
        seconds = time.monotonic() - started
        _save(checkpoint, network, optimizers, of, losses, seconds)
    if not losses:
        raise SystemExit("no step was made: there is no text to learn from, or no time (--max-minutes)")
    first, last = losses[:_REPORT_EVERY_STEPS], losses[-_REPORT_EVERY_STEPS:]
    return Fitted(len(losses), len(batches), seconds, sum(first) / len(first), sum(last) / len(last))


def dense_optimizer(
    encoder: Iterable[nn.Parameter], pieces: Iterable[nn.Parameter], head: Iterable[nn.Parameter], recipe: Recipe
) -> torch.optim.Optimizer:
    """Only matrices of the encoder decay: neither what shifts and scales, nor the embedding (`pieces`), nor the head."""
    trained = list(encoder)
    matrices = [parameter for parameter in trained if parameter.ndim > 1]
    vectors = [parameter for parameter in trained if parameter.ndim < 2]
    return torch.optim.AdamW(
        [
            {"params": matrices, "lr": recipe.encoder_rate, "weight_decay": recipe.weight_decay},
            {"params": [*pieces, *vectors], "lr": recipe.encoder_rate, "weight_decay": 0.0},
            {"params": list(head), "lr": recipe.head_rate, "weight_decay": 0.0},
        ],
        fused=True,
    )


def batches_of_similar_length(
    texts: Sequence[Text], length: Callable[[Text], int], batch_texts: int, shuffler: random.Random
) -> Iterator[list[Text]]:
    """Every text once: neighbours in length within a window of 25 batches, so that little is padded and much is mixed."""
    window = _WINDOW_BATCHES * batch_texts
    mixed = list(texts)
    shuffler.shuffle(mixed)
    batches: list[list[Text]] = []
    for start in range(0, len(mixed), window):
        near = sorted(mixed[start : start + window], key=length)
        batches.extend(near[at : at + batch_texts] for at in range(0, len(near), batch_texts))
    shuffler.shuffle(batches)
    yield from batches


def _step(optimizers: Sequence[torch.optim.Optimizer], loss: torch.Tensor, recipe: Recipe) -> float:
    loss.backward()  # type: ignore[no-untyped-call]
    dense = [optimizer for optimizer in optimizers if not isinstance(optimizer, torch.optim.SparseAdam)]
    torch.nn.utils.clip_grad_norm_(
        [parameter for optimizer in dense for group in optimizer.param_groups for parameter in group["params"]],
        recipe.max_gradient,
    )
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    return loss.item()


def _fingerprint(batches: Sequence[object]) -> str:
    """Of the numbers of the pieces and of what is wanted of them, in their order."""
    digest = hashlib.sha256()
    for batch in batches:
        digest.update(repr(batch).encode())
    return digest.hexdigest()


def _report(losses: Sequence[float], planned: int, seconds: float) -> None:
    steps, recent = len(losses), losses[-_REPORT_EVERY_STEPS:]
    left = seconds * (planned / steps - 1) / 60
    log.info(
        "step %d of %d, loss %.4f, %.0f s, about %.0f minutes left", steps, planned, sum(recent) / len(recent), seconds, left
    )


def _save(
    file: Path,
    network: nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
    of: Mapping[str, Any],
    losses: Sequence[float],
    seconds: float,
) -> None:
    state = {
        "of": dict(of),
        "network": network.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "dice": torch.get_rng_state(),
        "losses": list(losses),
        "seconds": seconds,
    }
    unfinished = file.with_suffix(".unfinished")
    torch.save(state, unfinished)
    unfinished.replace(file)


def _restore(
    file: Path, network: nn.Module, optimizers: Sequence[torch.optim.Optimizer], of: Mapping[str, Any]
) -> tuple[list[float], float]:
    """The loss of each step that was made, and the seconds that they took together."""
    if not file.exists():
        return [], 0.0
    try:
        state: dict[str, Any] = torch.load(file, weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise SystemExit(f"{file} cannot be read ({type(error).__name__}): remove it to begin anew") from error
    if state.get("of") != of:
        raise SystemExit(
            f"{file} is of a training by another recipe or on other texts: go on with the same arguments, or remove the file"
        )
    network.load_state_dict(state["network"])
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    torch.set_rng_state(state["dice"])
    log.info("going on after step %d of an earlier training; remove %s to begin anew", len(state["losses"]), file)
    return state["losses"], state["seconds"]
