"""From trained weights to those of the artefact, and back: the same network within rounding, on a tiny graph made here."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import pytest

onnx = pytest.importorskip("onnx", reason="onnx is not installed: run 'make test-model'")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from processors.sentiment.conversion.floats import to_floats  # noqa: E402
from processors.sentiment.conversion.weights import quantise_embedding, quantise_matrices  # noqa: E402

PIECES, WIDTH, COLUMNS = 50, 64, 3
IDS = np.array([[4, 9, 9, 49], [0, 1, 2, 3]], dtype=np.int64)


@pytest.fixture
def values() -> npt.NDArray[np.int8]:
    """4-bit numbers of an embedding, the smallest and the largest among them."""
    found = np.random.default_rng(1).integers(-8, 8, (PIECES, WIDTH)).astype(np.int8)
    found[4, :2] = -8, 7
    return found


@pytest.fixture
def scales() -> npt.NDArray[np.float32]:
    return np.random.default_rng(2).uniform(0.01, 0.1, (PIECES, WIDTH // 32)).astype(np.float32)


def network(table: npt.NDArray[np.float32]) -> Any:
    """Looks up each number and multiplies what it finds."""
    matrix = np.random.default_rng(3).normal(0, 1, (table.shape[1], COLUMNS)).astype(np.float32)
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
        helper.make_node("MatMul", ["rows", "matrix"], ["logits"], name="last"),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["texts", "tokens"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["texts", "tokens", COLUMNS])],
        [numpy_helper.from_array(table, "table"), numpy_helper.from_array(matrix, "matrix")],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def run(model: Any) -> npt.NDArray[np.float32]:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found: npt.NDArray[np.float32] = session.run(["logits"], {"input_ids": IDS})[0]
    return found


def kinds(model: Any) -> list[str]:
    return [node.op_type for node in model.graph.node]


def test_eight_bits_say_nearly_the_same(values: npt.NDArray[np.int8], scales: npt.NDArray[np.float32]) -> None:
    """Matrices and the table; nothing of the 32-bit weights stays in the file."""
    model = network(values * scales.repeat(32, axis=1))
    wanted = run(model)
    assert quantise_matrices(model) == 1
    assert quantise_embedding(model)
    assert "MatMul" not in kinds(model)
    assert {tensor.name for tensor in model.graph.initializer}.isdisjoint({"table", "matrix"})
    assert np.abs(run(model) - wanted).max() < 0.02 * np.abs(wanted).max()


def test_widths_that_do_not_divide_stay() -> None:
    """Into blocks of 32, at least."""
    model = network(np.ones((PIECES, 50), dtype=np.float32))
    model.graph.initializer.pop()
    model.graph.initializer.append(numpy_helper.from_array(np.ones((50, COLUMNS), dtype=np.float32), "matrix"))
    assert quantise_matrices(model) == 0
    assert not quantise_embedding(model)
    assert kinds(model) == ["Gather", "MatMul"]


@pytest.mark.parametrize(("rows", "size"), [(384, 64), (192, 64), (96, 32)])
def test_blocks_are_as_large_as_divides_the_matrix(rows: int, size: int) -> None:
    """And say nearly the same, there and back."""
    table = np.random.default_rng(4).normal(0, 1, (PIECES, rows)).astype(np.float32)
    model = network(table)
    wanted = run(model)
    assert quantise_matrices(model) == 1
    (product,) = (node for node in model.graph.node if node.op_type == "MatMulNBits")
    assert {found.name: found.i for found in product.attribute}["block_size"] == size
    assert np.abs(run(model) - wanted).max() < 0.02 * np.abs(wanted).max()
    assert np.abs(run(to_floats(model)) - wanted).max() < 0.02 * np.abs(wanted).max()


def test_there_and_back(values: npt.NDArray[np.int8], scales: npt.NDArray[np.float32], tmp_path: Path) -> None:
    """The 4-bit table is kept to the last digit; floats made of the file compute what the file says."""
    pytest.importorskip("torch")
    from processors.sentiment.training.export import keep_embedding_blocks, quantise

    model = network(values * scales.repeat(32, axis=1))
    wanted = run(model)
    keep_embedding_blocks(model, (values, scales))
    assert kinds(model) == ["GatherBlockQuantized", "MatMul"]
    assert np.allclose(run(model), wanted, atol=1e-5)

    onnx.save(network(values * scales.repeat(32, axis=1)), tmp_path / "float.onnx")
    quantise(tmp_path / "float.onnx", tmp_path / "model.onnx", (values, scales))
    small = onnx.load(tmp_path / "model.onnx")
    assert kinds(small) == ["GatherBlockQuantized", "MatMulNBits"]
    said = run(small)
    floats = to_floats(onnx.load(tmp_path / "model.onnx"))
    assert kinds(floats) == ["Gather", "MatMul"]
    assert np.abs(run(floats) - said).max() < 0.02 * np.abs(said).max()
    assert np.abs(run(floats) - wanted).max() < 0.02 * np.abs(wanted).max()


def test_blocks_of_another_embedding_are_refused(values: npt.NDArray[np.int8], scales: npt.NDArray[np.float32]) -> None:
    """They would be those of another model."""
    pytest.importorskip("torch")
    from processors.sentiment.training.export import keep_embedding_blocks

    with pytest.raises(ValueError, match="hold another embedding"):
        keep_embedding_blocks(network(values * scales.repeat(32, axis=1) + 0.1), (values, scales))
