"""From a torch network to an ONNX file in which a text's result does not depend on its neighbours."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MethodType
from typing import Any, Final

OPSET: Final = 17
_EXAMPLE_TOKENS: Final = 17
_FIRST_ORDINARY_TOKEN: Final = 5


def export_network(network: Any, path: Path) -> None:
    """Writes a torch module that makes logits (texts × columns) of `input_ids` and `attention_mask`, in 32-bit floats.

    Set its attention to "eager" before. Above 2 GB the weights lie in further files beside `path`.
    """
    import torch

    network.eval()
    ids = torch.randint(_FIRST_ORDINARY_TOKEN, 2 * _FIRST_ORDINARY_TOKEN, (2, _EXAMPLE_TOKENS))
    mask = torch.ones_like(ids)
    mask[1, _EXAMPLE_TOKENS // 2 :] = 0
    names = ["input_ids", "attention_mask"]
    axes = {name: {0: "texts", 1: "tokens"} for name in names} | {"logits": {0: "texts"}}
    with torch.no_grad(), _text_by_text(network), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tracer, about branches; the result is compared with torch's afterwards
        torch.onnx.export(
            network, (ids, mask), path, input_names=names, output_names=["logits"], dynamic_axes=axes,
            opset_version=OPSET, dynamo=False,
        )  # fmt: skip


@contextmanager
def _text_by_text(network: Any) -> Iterator[None]:
    """Linear layers that read one vector a text multiply each text's on its own.

    ONNX Runtime may multiply one row in another way than many (which it does depends on version and processor), so the
    last bits of a lone text could differ from those in a batch. With the weights on the left, each text is a product of
    its own. Layers that read one vector a token have many rows in any case and stay as they are.
    """
    from torch import nn

    changed = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    for layer in changed:
        layer.forward = MethodType(_multiply, layer)
    try:
        yield
    finally:
        for layer in changed:
            del layer.forward


def _multiply(layer: Any, rows: Any) -> Any:
    if rows.dim() != 2:
        return type(layer).forward(layer, rows)
    products = (layer.weight @ rows.unsqueeze(-1)).squeeze(-1)
    return products if layer.bias is None else products + layer.bias
