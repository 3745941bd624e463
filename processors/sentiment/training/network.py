"""The network: an encoder, the mean over its tokens, one linear layer."""

import torch
from torch import nn
from transformers import BertModel

from processors.sentiment.labels import CLASSES


class MeanPoolClassifier(nn.Module):
    """The base model was trained to be read by the mean over its tokens, so the head reads it so too.

    A head on the first token, as `AutoModelForSequenceClassification` has it, would start from a place
    that the base model never used.
    """

    def __init__(self, encoder: BertModel, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(encoder.config.hidden_size, len(CLASSES))

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classify(self.dropout(self.read(input_ids, attention_mask)))
        return logits

    def read(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """The mean over the tokens that are no padding."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state.float()
        weights = attention_mask.to(states.dtype)
        sums: torch.Tensor = (weights.unsqueeze(1) @ states).squeeze(1)
        return sums / weights.sum(1, keepdim=True)


def pad(batch: list[list[int]], pad_token_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, batch))
    ids = torch.full((len(batch), longest), pad_token_id)
    mask = torch.zeros((len(batch), longest), dtype=torch.long)
    for row, tokens in enumerate(batch):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = 1
    return ids, mask
