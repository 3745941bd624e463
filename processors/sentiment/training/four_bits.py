"""An embedding that is trained in the 4 bits that it will be kept in."""

from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from processors.sentiment.training.base import BLOCK_VALUES

SMALLEST, LARGEST = -8, 7


class FourBitEmbedding(nn.Module):
    """Looks up what the 4 bits say, and learns as if it had looked up the floats (a straight-through estimator).

    The scales of the blocks (rows × blocks) stay those of the base weights; only whole steps of them can be learnt. An
    embedding trained in floats and rounded afterwards is another one than the layers above it were trained with.
    """

    scales: torch.Tensor

    def __init__(self, floats: torch.Tensor, scales: npt.NDArray[np.float32]) -> None:
        super().__init__()
        self.weight = nn.Parameter(floats.clone())
        self.register_buffer("scales", torch.from_numpy(scales))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Vectors of the pieces; the gradient is sparse, since a batch holds few of them."""
        floats = functional.embedding(ids, self.weight, sparse=True)
        kept = _rounded(floats, self.scales[ids])
        return floats + (kept - floats).detach()

    def blocks(self) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
        """Values -8…7 (rows × columns) and scales (rows × blocks), as the artefact keeps them."""
        steps = _steps(self.weight.detach(), self.scales)
        return cast("npt.NDArray[np.int8]", steps.to(torch.int8).numpy()), self.scales.numpy()

    def plain(self) -> nn.Embedding:
        """The same vectors in an ordinary layer, for the export."""
        return nn.Embedding.from_pretrained(_rounded(self.weight.detach(), self.scales))


def _rounded(floats: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    return _steps(floats, scales) * scales.repeat_interleave(BLOCK_VALUES, dim=-1)


def _steps(floats: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    return (floats / scales.repeat_interleave(BLOCK_VALUES, dim=-1)).round().clamp(SMALLEST, LARGEST)
