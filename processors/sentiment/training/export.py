"""From the trained network to the files of the artefact.

Matrices become 8-bit blocks (MatMulNBits) that are multiplied by activations quantised within each
token, so a text's result does not depend on its neighbours; dynamic 8-bit quantisation takes one scale
for the whole batch and flips labels. The embedding stays in the 4-bit blocks of the base weights,
unchanged, since training froze it.
"""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantFormat
from onnxruntime.quantization.matmul_nbits_quantizer import (
    DefaultWeightOnlyQuantConfig,
    MatMulNBitsQuantizer,
)
from torch import nn

from processors.sentiment.labels import CLASSES
from processors.sentiment.training.base import BLOCK_VALUES
from processors.sentiment.training.network import MeanPoolClassifier

log = logging.getLogger(__name__)

_SPECIAL_TOKENS = {
    "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>",
    "mask_token": "<mask>", "cls_token": "<s>", "sep_token": "</s>",
}  # fmt: skip


class _RowByRow(nn.Module):
    """The same network with its last layer spelled as products and a sum: ONNX Runtime multiplies one row in
    another way than many, and the last bits of a lone text would differ from those in a batch."""

    def __init__(self, network: MeanPoolClassifier) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        mean = self.network.read(input_ids, attention_mask)
        head = self.network.classify
        return (mean.unsqueeze(1) * head.weight).sum(-1) + head.bias


def export_network(network: MeanPoolClassifier, path: Path) -> None:
    """Writes the network in 32-bit floats."""
    network.eval()
    network.encoder.set_attn_implementation("eager")
    ids = torch.randint(5, 1_000, (2, 17))
    mask = torch.ones_like(ids)
    mask[1, 10:] = 0
    names = ["input_ids", "attention_mask"]
    axes = {name: {0: "texts", 1: "tokens"} for name in names} | {"logits": {0: "texts"}}
    torch.onnx.export(
        _RowByRow(network), (ids, mask), path, input_names=names, output_names=["logits"], dynamic_axes=axes,
        opset_version=17, dynamo=False,
    )  # fmt: skip


def quantise(source: Path, target: Path, embedding: tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]) -> None:
    """`embedding`: 4-bit values and scales of the kept pieces; refused if they are not the network's own."""
    config = DefaultWeightOnlyQuantConfig(
        block_size=BLOCK_VALUES, is_symmetric=True, accuracy_level=4, bits=8,
        quant_format=QuantFormat.QOperator, op_types_to_quantize=("MatMul",), quant_axes=(("MatMul", 0),),
    )  # fmt: skip
    quantiser = MatMulNBitsQuantizer(onnx.load(source), algo_config=config)
    quantiser.process()
    model = quantiser.model.model
    _replace_embedding(model, *embedding)
    model.ir_version = max(model.ir_version, 10)
    onnx.save(model, target)
    log.info("%s: %.1f MB", target.name, target.stat().st_size / 1e6)


def _replace_embedding(model: Any, values: npt.NDArray[np.int8], scales: npt.NDArray[np.float32]) -> None:
    graph = model.graph
    stored = next(tensor for tensor in graph.initializer if tuple(tensor.dims) == values.shape)
    if not np.allclose(numpy_helper.to_array(stored), values * scales.repeat(BLOCK_VALUES, axis=1), atol=1e-6):
        raise ValueError("the embedding was trained: its 4-bit blocks no longer hold it")
    gather = next(node for node in graph.node if node.op_type == "Gather" and stored.name in node.input)
    place = list(graph.node).index(gather)
    replacement = helper.make_node(
        "GatherBlockQuantized", ["embedding_values", gather.input[1], "embedding_scales"], list(gather.output),
        domain="com.microsoft", gather_axis=0, quantize_axis=1, block_size=BLOCK_VALUES,
    )  # fmt: skip
    graph.initializer.remove(stored)
    graph.initializer.extend([_int4("embedding_values", values), numpy_helper.from_array(scales, "embedding_scales")])
    graph.node.remove(gather)
    graph.node.insert(place, replacement)
    if not any(opset.domain == "com.microsoft" for opset in model.opset_import):
        model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def _int4(name: str, values: npt.NDArray[np.int8]) -> Any:
    pairs = (values.reshape(-1, 2) & 15).astype(np.uint8)
    tensor = TensorProto(name=name, data_type=TensorProto.INT4, dims=values.shape)
    tensor.raw_data = (pairs[:, 0] | (pairs[:, 1] << 4)).tobytes()
    return tensor


def write_config(network: MeanPoolClassifier, folder: Path) -> None:
    config = network.encoder.config.to_dict()
    keep = (
        "model_type", "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
        "hidden_act", "max_position_embeddings", "type_vocab_size", "layer_norm_eps", "pad_token_id",
    )  # fmt: skip
    written = {name: config[name] for name in keep}
    written["id2label"] = {str(number): label.value for number, label in enumerate(CLASSES)}
    written["label2id"] = {label.value: number for number, label in enumerate(CLASSES)}
    _write(folder / "config.json", written)


def write_tokenizer(definition: dict[str, Any], folder: Path) -> None:
    text = json.dumps(definition, ensure_ascii=False, separators=(",", ":"))
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 512,
        "model_input_names": ["input_ids", "attention_mask"],
        **_SPECIAL_TOKENS,
    }
    _write(folder / "tokenizer_config.json", settings)


def write_calibration(name: str, temperature: float, threshold: float, folder: Path) -> None:
    calibration = {"name": name, "temperature": round(temperature, 4), "threshold": round(threshold, 3)}
    _write(folder / "calibration.json", calibration)


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
