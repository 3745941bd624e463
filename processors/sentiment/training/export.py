"""From the trained network to the files of the artefact.

Matrices become 8-bit blocks, as `processors.sentiment.conversion` makes them. The embedding stays in the 4-bit
blocks that it was trained in.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from processors.sentiment.conversion.tokenizer_files import write_json
from processors.sentiment.conversion.weights import quantise_matrices
from processors.sentiment.labels import CLASSES
from processors.sentiment.training.base import BLOCK_VALUES
from processors.sentiment.training.network import MeanPoolClassifier

log = logging.getLogger(__name__)

Blocks = tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]

SPECIAL_TOKENS = {
    "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>",
    "mask_token": "<mask>", "cls_token": "<s>", "sep_token": "</s>",
}  # fmt: skip


def quantise(source: Path, target: Path, embedding: Blocks) -> None:
    """`embedding`: 4-bit values and scales of the kept pieces; refused if they are not the network's own."""
    model = onnx.load(source)
    quantise_matrices(model)
    keep_embedding_blocks(model, embedding)
    onnx.save(model, target)
    log.info("%s: %.1f MB", target.name, target.stat().st_size / 1e6)


def keep_embedding_blocks(model: Any, embedding: Blocks) -> None:
    """Replace the embedding in floats by the 4-bit blocks of the same numbers, in place."""
    values, scales = embedding
    graph = model.graph
    stored = next(tensor for tensor in graph.initializer if tuple(tensor.dims) == values.shape)
    if not np.allclose(numpy_helper.to_array(stored), values * scales.repeat(BLOCK_VALUES, axis=1), atol=1e-6):
        raise ValueError("these 4-bit blocks hold another embedding than the network")
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
    write_json(folder / "config.json", written)
