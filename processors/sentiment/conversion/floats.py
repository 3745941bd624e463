"""Back from quantised weights to 32-bit floats: what other quantisations are made from and compared with."""

from typing import Any

import numpy as np
import numpy.typing as npt

_ZERO = 128


def to_floats(model: Any) -> Any:
    """The same model with plain products and lookups, changed in place: 8-bit matrices and the 4-bit embedding of the bundled one.

    Within rounding of 32-bit floats it computes what the quantised weights say.
    """
    from onnx import helper

    graph = model.graph
    tables = {tensor.name: tensor for tensor in graph.initializer}
    for node in list(graph.node):
        if node.op_type == "MatMulNBits":
            values, scales = (tables[name] for name in node.input[1:3])
            name = f"{node.input[1]}_floats"
            _add(graph, tables, name, _matrix(values, scales, node))
            node.CopyFrom(helper.make_node("MatMul", [node.input[0], name], list(node.output), name=node.name))
        elif node.op_type == "GatherBlockQuantized":
            values, scales = tables[node.input[0]], tables[node.input[2]]
            _add(graph, tables, "embedding_floats", _embedding(values, scales))
            node.CopyFrom(helper.make_node("Gather", ["embedding_floats", node.input[1]], list(node.output), name=node.name))
    used = {name for node in graph.node for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)
    return model


def _add(graph: Any, tables: dict[str, Any], name: str, values: npt.NDArray[np.float32]) -> None:
    from onnx import numpy_helper

    if name not in tables:
        tables[name] = numpy_helper.from_array(values, name)
        graph.initializer.append(tables[name])


def _matrix(values: Any, scales: Any, node: Any) -> npt.NDArray[np.float32]:
    from onnx import numpy_helper

    sizes = {attribute.name: attribute.i for attribute in node.attribute}
    columns, rows, block = sizes["N"], sizes["K"], sizes["block_size"]
    blocks = numpy_helper.to_array(values).reshape(columns, -1, block).astype(np.float32) - _ZERO
    scaled = blocks * numpy_helper.to_array(scales).reshape(columns, -1, 1)
    return np.ascontiguousarray(scaled.reshape(columns, rows).T)


def _embedding(values: Any, scales: Any) -> npt.NDArray[np.float32]:
    from onnx import numpy_helper

    pairs = np.frombuffer(values.raw_data, dtype=np.uint8)
    nibbles = np.stack([pairs & 15, pairs >> 4], axis=-1).astype(np.int8)
    signed = np.where(nibbles > 7, nibbles - 16, nibbles).reshape(tuple(values.dims)).astype(np.float32)
    stored = numpy_helper.to_array(scales)
    table: npt.NDArray[np.float32] = signed * stored.repeat(signed.shape[1] // stored.shape[1], axis=1)
    return table
