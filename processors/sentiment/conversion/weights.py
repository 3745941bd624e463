"""8-bit weights: a quarter of the size, and quicker, with nearly all labels of the 32-bit network.

Numbers become blocks of 8-bit integers with one scale each. Matrices (MatMulNBits) are multiplied by activations that are
quantised within each token, so a text's result does not depend on its neighbours; dynamic 8-bit quantisation takes one
scale for the whole batch and flips labels.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

MATRIX_BLOCKS: Final = (64, 32)
"""Values of a column that share a scale: the more, the less the kernels have to do (`make bench-model` compares 64 with 32). With 128
they no longer compute the same for one row as for many, so that a label hung on the neighbours in one text of a thousand."""
_ROW_BLOCK: Final = 32
"""Of a table: its rows are looked up, so larger blocks would save no time."""
_BITS: Final = 8
_LARGEST: Final = 127
_ZERO: Final = 128
"""What MatMulNBits takes for nought when it is given no zero points."""
_MULTIPLY_IN_8_BITS: Final = 4
_IR_VERSION: Final = 10
_DOMAIN: Final = "com.microsoft"
_PIECES: Final = "input_ids"

Floats = npt.NDArray[np.float32]


def quantise_matrices(model: Any, sizes: Sequence[int] = MATRIX_BLOCKS) -> int:
    """Replace the weights of products in place, and say how many; a matrix that no size of blocks divides stays.

    Of `sizes`, the first that divides a matrix is taken.
    """
    from onnx import helper

    graph = model.graph
    tables = {tensor.name: tensor for tensor in graph.initializer}
    products = [node for node in graph.node if node.op_type == "MatMul" and _fits(tables.get(node.input[1]), sizes)]
    made: dict[str, list[Any]] = {}
    for product in products:
        name = product.input[1]
        if name not in made:
            made[name] = _matrix_blocks(tables[name], sizes)
        rows, columns = tables[name].dims
        replacement = helper.make_node(
            "MatMulNBits", [product.input[0], *(tensor.name for tensor in made[name])], list(product.output), domain=_DOMAIN,
            name=product.name, K=rows, N=columns, bits=_BITS, block_size=_block(rows, sizes), accuracy_level=_MULTIPLY_IN_8_BITS,
        )  # fmt: skip
        product.CopyFrom(replacement)
    for tensors in made.values():
        graph.initializer.extend(tensors)
    _remove_unused(graph, set(made))
    if products:
        _announce(model)
    return len(products)


def quantise_embedding(model: Any) -> bool:
    """Replace the table that the numbers of the pieces are looked up in, in place; False where there is none that divides into blocks.

    Only standard operators: the values and the scales of the wanted rows are looked up, and multiplied.
    """
    graph = model.graph
    tables = {tensor.name: tensor for tensor in graph.initializer if len(tensor.dims) == 2 and tensor.dims[1] % _ROW_BLOCK == 0}
    lookups = [node for node in graph.node if node.op_type == "Gather" and node.input[1] == _PIECES and node.input[0] in tables]
    if len(lookups) != 1:
        return False
    (lookup,) = lookups
    table = tables[lookup.input[0]]
    place = list(graph.node).index(lookup)
    tensors, nodes = _block_lookup(table, lookup.output[0])
    graph.initializer.extend(tensors)
    graph.node.remove(lookup)
    for offset, node in enumerate(nodes):
        graph.node.insert(place + offset, node)
    _remove_unused(graph, {table.name})
    return True


def _fits(tensor: Any, sizes: Sequence[int]) -> bool:
    return tensor is not None and len(tensor.dims) == 2 and _block(tensor.dims[0], sizes) > 0


def _block(rows: int, sizes: Sequence[int]) -> int:
    """0: the matrix does not divide into blocks."""
    return next((size for size in sizes if rows % size == 0), 0)


def _matrix_blocks(tensor: Any, sizes: Sequence[int]) -> list[Any]:
    """Blocks and scales as MatMulNBits wants them: columns × blocks × values, shifted to be unsigned."""
    from onnx import numpy_helper

    values, scales = _blocks(np.ascontiguousarray(numpy_helper.to_array(tensor).T), _block(tensor.dims[0], sizes))
    shifted = (values.astype(np.int16) + _ZERO).astype(np.uint8)
    return [
        numpy_helper.from_array(shifted, f"{tensor.name}_8_bits"),
        numpy_helper.from_array(scales, f"{tensor.name}_scales"),
    ]


def _block_lookup(table: Any, output: str) -> tuple[list[Any], list[Any]]:
    from onnx import TensorProto, helper, numpy_helper

    values, scales = _blocks(numpy_helper.to_array(table), _ROW_BLOCK)
    rows, blocks, _ = values.shape
    shapes = {
        "embedding_block_shape": [0, 0, blocks, _ROW_BLOCK],
        "embedding_row_shape": [0, 0, -1],
        "embedding_last_axis": [3],
    }
    tensors = [
        numpy_helper.from_array(values.reshape(rows, -1), "embedding_8_bits"),
        numpy_helper.from_array(scales, "embedding_scales"),
        *(numpy_helper.from_array(np.array(shape, dtype=np.int64), name) for name, shape in shapes.items()),
    ]
    nodes = [
        helper.make_node("Gather", ["embedding_8_bits", _PIECES], ["embedding_rows"]),
        helper.make_node("Cast", ["embedding_rows"], ["embedding_numbers"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["embedding_numbers", "embedding_block_shape"], ["embedding_blocks"]),
        helper.make_node("Gather", ["embedding_scales", _PIECES], ["embedding_row_scales"]),
        helper.make_node("Unsqueeze", ["embedding_row_scales", "embedding_last_axis"], ["embedding_block_scales"]),
        helper.make_node("Mul", ["embedding_blocks", "embedding_block_scales"], ["embedding_scaled"]),
        helper.make_node("Reshape", ["embedding_scaled", "embedding_row_shape"], [output]),
    ]
    return tensors, nodes


def _blocks(table: Floats, size: int) -> tuple[npt.NDArray[np.int8], Floats]:
    """The rows of a table in blocks (rows × blocks × values), and the scale of each block."""
    blocks = table.reshape(len(table), -1, size)
    scales = (np.abs(blocks).max(axis=2) / _LARGEST).astype(np.float32)
    divisors = np.where(scales > 0, scales, 1)[..., None]
    values = np.clip(np.rint(blocks / divisors), -_LARGEST, _LARGEST).astype(np.int8)
    return values, scales


def _remove_unused(graph: Any, names: set[str]) -> None:
    used = {name for node in graph.node for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name in names - used]:
        graph.initializer.remove(tensor)


def _announce(model: Any) -> None:
    from onnx import helper

    if not any(opset.domain == _DOMAIN for opset in model.opset_import):
        model.opset_import.append(helper.make_opsetid(_DOMAIN, 1))
    model.ir_version = max(model.ir_version, _IR_VERSION)
