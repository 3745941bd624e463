"""Masked-language training before the fine-tuning: the encoder reads posts without labels, and guesses words that are hidden.

Whole words are hidden, and more often those that say how somebody feels (Devlin and others 2019, "BERT"; Gururangan and others
2020, "Don't Stop Pretraining"; Tian and others 2020, "SKEP").
"""

import logging
import math
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional
from transformers import BertModel

from processors.sentiment.training import loop
from processors.sentiment.training.corpus import Shown
from processors.sentiment.training.network import pad, states
from processors.sentiment.training.vocabulary import PAD_TOKEN_ID

log = logging.getLogger(__name__)

Counts = npt.NDArray[np.float64]

POST_TOKENS = 64
"""Of a post, the first; longer ones cost more than they teach."""
_FEWEST_TOKENS = 6  # with the two at its ends
_MASK = "<mask>"
_WORD_BEGINS = "▁"
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", _MASK)
_KEPT_SHARE, _OTHER_SHARE = 0.1, 0.1
"""Of the hidden words: left as they are, and another in their place, so that the encoder cannot trust what it sees."""
_LADEN_FROM = math.log(1.5)
_DOUBT_TEXTS = 10  # added to what is counted and to what is expected: a few texts prove nothing


@dataclass(frozen=True, kw_only=True)
class Masking(loop.Recipe):
    rounds: int = 0
    """None: on two cores it gave nothing, see ATTEMPTS.md."""
    posts: int = 128_000
    """A round, the first of those that are given; all of them would take half as long again."""
    encoder_rate: float = 2e-4
    warm_up_steps: int = 200
    hidden_share: float = 0.15
    hidden_share_when_laden: float = 0.4


class Guesser(nn.Module):
    """An encoder, and what guesses a piece from the state at its place; the embedding is read in both directions."""

    def __init__(self, encoder: BertModel, counts: torch.Tensor) -> None:
        """`counts` of the pieces, in the texts to train on: what is guessed at first."""
        super().__init__()
        width = encoder.config.hidden_size
        self.encoder = encoder
        self.change = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.log((counts.float() + 0.1) / counts.sum()))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """Logits, true places × pieces."""
        at_places = states(self.encoder, ids, mask)[places]
        with torch.autocast("cpu", torch.bfloat16):
            vectors = self.norm(functional.gelu(self.change(at_places)))
            logits: torch.Tensor = functional.linear(vectors, self.encoder.get_input_embeddings().weight, self.bias)
        return logits.float()


@dataclass(frozen=True, slots=True)
class Hider:
    """Chooses what is hidden, by torch's dice."""

    begins: torch.Tensor
    """For each piece: does a word begin with it?"""
    chances: torch.Tensor
    """For each piece: how often is a word hidden for it?"""
    mask_id: int

    @classmethod
    def of(cls, tokenizer: Tokenizer, laden: torch.Tensor, recipe: Masking) -> "Hider":
        pieces = [tokenizer.id_to_token(number) for number in range(tokenizer.get_vocab_size())]
        special = torch.tensor([piece in _SPECIAL for piece in pieces])
        begins = torch.tensor([piece.startswith(_WORD_BEGINS) for piece in pieces]) | special
        chances = torch.where(laden, recipe.hidden_share_when_laden, recipe.hidden_share).masked_fill(special, 0.0)
        return cls(begins, chances, tokenizer.token_to_id(_MASK))

    def hide(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What the encoder is shown, and the places (texts × tokens) that it is to guess: whole words."""
        words = self.begins[ids].long().cumsum(1)
        words -= words.min()
        shape = (len(ids), int(words.max()) + 1)
        chances = torch.zeros(shape).scatter_reduce(1, words, self.chances[ids], "amax")
        hidden = (torch.rand(shape) < chances).gather(1, words)
        fate = torch.rand(shape).gather(1, words)
        shown = torch.where(hidden & (fate >= _KEPT_SHARE + _OTHER_SHARE), self.mask_id, ids)
        others = torch.randint(len(self.begins), ids.shape)
        return torch.where(hidden & (fate < _OTHER_SHARE), others, shown), hidden


def laden_pieces(encoded: Sequence[Sequence[int]], labelled: Sequence[Shown], pieces: int) -> torch.Tensor:
    """For each piece: does one of the labels occur half as often again, or less by as much, in texts that have the piece?

    Compared with texts of the same source, whose subjects and whose share of complaints are their own.
    """
    classes = len(labelled[0].shares)
    texts_with: dict[str, Counts] = defaultdict(lambda: np.zeros((classes, pieces)))
    totals: dict[str, Counts] = defaultdict(lambda: np.zeros(classes))
    for ids, own in zip(encoded, labelled, strict=True):
        label = own.shares.index(1)
        texts_with[own.source][label, np.unique(ids)] += 1
        totals[own.source][label] += 1
    observed = sum(texts_with.values())
    expected = sum(np.outer(totals[source] / totals[source].sum(), found.sum(axis=0)) for source, found in texts_with.items())
    lift = np.log((observed + _DOUBT_TEXTS) / (expected + _DOUBT_TEXTS))
    return torch.from_numpy((np.abs(lift) >= _LADEN_FROM).any(axis=0))


def learn_language(
    encoder: BertModel, tokenizer: Tokenizer, texts: Sequence[str], laden: torch.Tensor, recipe: Masking, checkpoint: Path
) -> loop.Fitted:
    """Trains the encoder in place; see `loop.run`."""
    encoded = [found.ids[:POST_TOKENS] for found in tokenizer.encode_batch(list(texts)) if len(found.ids) >= _FEWEST_TOKENS]
    encoded = encoded[: recipe.posts]
    counts = torch.bincount(torch.tensor([piece for ids in encoded for piece in ids]), minlength=tokenizer.get_vocab_size())
    guesser = Guesser(encoder, counts)
    hider = Hider.of(tokenizer, laden, recipe)
    log.info("%d posts, %d pieces, %d of them laden", len(encoded), int(counts.sum()), int(laden.sum()))

    def loss_of(batch: list[list[int]]) -> torch.Tensor:
        ids, mask = pad(batch, PAD_TOKEN_ID)
        shown, hidden = hider.hide(ids)
        hidden[0, 0] |= ~hidden.any()  # a batch of short texts may hide nothing, and a mean over nothing is no number
        return functional.cross_entropy(guesser(shown, mask, hidden), ids[hidden])

    shuffler = random.Random(recipe.seed)
    batches = [
        batch
        for _ in range(recipe.rounds)
        for batch in loop.batches_of_similar_length(encoded, len, recipe.batch_texts, shuffler)
    ]
    return loop.run(guesser, [_optimizer(guesser, recipe)], batches, loss_of, (recipe,), checkpoint)


def _optimizer(guesser: Guesser, recipe: Masking) -> torch.optim.Optimizer:
    pieces = guesser.encoder.get_input_embeddings().weight
    trained = [parameter for parameter in guesser.encoder.parameters() if parameter is not pieces]
    head = [*guesser.change.parameters(), *guesser.norm.parameters(), guesser.bias]
    return loop.dense_optimizer(trained, [pieces], head, recipe)
