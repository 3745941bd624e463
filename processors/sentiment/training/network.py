"""The network: an encoder, the mean over its tokens, one linear layer; and how dropout is made while it is trained."""

import torch
from torch import nn
from torch.func import functional_call
from transformers import BertModel

from processors.sentiment.labels import CLASSES

_BYTE_VALUES = 256


class Dropout(nn.Module):
    """As torch's, in shares of 1/256.

    Its dice are bytes. torch draws a float for each value and on one core, a fifth of the time of a training step.
    """

    def __init__(self) -> None:
        super().__init__()
        self.share = 0.0

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        dropped = round(self.share * _BYTE_VALUES)
        if not self.training or not dropped:
            return values
        dice = torch.empty(-(-values.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
        kept = dice.view(torch.uint8)[: values.numel()].view(values.shape) >= dropped
        return values * kept.to(values.dtype).mul_(_BYTE_VALUES / (_BYTE_VALUES - dropped))


def drop(network: nn.Module, share: float) -> None:
    """From now on, in training."""
    for module in network.modules():
        if isinstance(module, Dropout):
            module.share = share


def states(encoder: BertModel, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Of each token, computed in bfloat16 from weights that are kept and learnt in floats (texts × tokens × width).

    Of the weights only those that scale and shift a norm stay floats. torch's autocast gives what lies between two
    products as floats, and spends a fifth of a training step on turning numbers from one form into the other.
    """
    halves = {
        name: parameter.bfloat16() for name, parameter in encoder.named_parameters()
        if "LayerNorm" not in name and "word_embeddings" not in name
    }  # fmt: skip
    words = encoder.get_input_embeddings()(ids).bfloat16()
    found: torch.Tensor = functional_call(
        encoder, halves, kwargs={"inputs_embeds": words, "attention_mask": mask}
    ).last_hidden_state
    return found


class MeanPoolClassifier(nn.Module):
    """The base model was trained to be read by the mean over its tokens, so the head reads it so too.

    A head on the first token, as `AutoModelForSequenceClassification` has it, would start from a place
    that the base model never used.
    """

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = Dropout()
        self.classify = nn.Linear(encoder.config.hidden_size, len(CLASSES))

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classify(self.dropout(self.read(input_ids, attention_mask)))
        return logits

    def read(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """The mean over the tokens that are no padding."""
        if self.training:
            found = states(self.encoder, input_ids, attention_mask).float()
        else:
            found = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weights = attention_mask.to(found.dtype)
        sums: torch.Tensor = (weights.unsqueeze(1) @ found).squeeze(1)
        return sums / weights.sum(1, keepdim=True)


def pad(batch: list[list[int]], pad_token_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, batch))
    ids = torch.full((len(batch), longest), pad_token_id)
    mask = torch.zeros((len(batch), longest), dtype=torch.long)
    for row, tokens in enumerate(batch):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = 1
    return ids, mask
