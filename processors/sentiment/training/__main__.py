"""Makes the bundled model: `python -m processors.sentiment.training --corpus FILE --development FILE …`."""

import argparse
import json
import logging
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from tokenizers import Tokenizer

from processors.sentiment.classifier import MAX_TOKENS
from processors.sentiment.prepare import prepare
from processors.sentiment.training import base, calibration, corpus, evaluation, export, vocabulary
from processors.sentiment.training.fit import Recipe, fit
from processors.sentiment.training.network import MeanPoolClassifier

log = logging.getLogger("processors.sentiment.training")

NAME = "nabiz-tr-small"


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    arguments = _arguments()
    recipe = Recipe(seed=arguments.seed, max_minutes=arguments.max_minutes)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(recipe.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    make(arguments, recipe)
    development = list(corpus.read_examples(arguments.development))
    figures = evaluation.evaluate(arguments.out, development)
    log.info("%s", json.dumps(figures, indent=2))


def make(arguments: argparse.Namespace, recipe: Recipe) -> None:
    examples = list(corpus.read_examples(arguments.corpus))
    kept_out = [row["text"] for path in (arguments.development, *arguments.exclude) for row in corpus.read_lines(path)]
    parts = corpus.split(examples, kept_out, recipe.seed)
    vocabulary_ = vocabulary.cut(base.tokenizer_path(), _vocabulary_texts(examples, arguments.unlabelled))
    export.write_tokenizer(vocabulary_.tokenizer, arguments.out)
    tokenizer = Tokenizer.from_file(str(arguments.out / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)

    weights = base.BaseWeights(base.weights_path())
    encoder = base.build_encoder(weights, vocabulary_.kept, vocabulary.PAD_TOKEN_ID)
    network = MeanPoolClassifier(encoder)
    fit(network, tokenizer, corpus.draw(parts, recipe.rounds, recipe.seed), recipe)

    values, scales = weights.embedding_blocks()
    with tempfile.TemporaryDirectory() as folder:
        export.export_network(network, Path(folder) / "float.onnx")
        embedding = (values[vocabulary_.kept], scales[vocabulary_.kept])
        export.quantise(Path(folder) / "float.onnx", arguments.out / "model.onnx", embedding)
    export.write_config(network, arguments.out)
    _calibrate(arguments.out, tokenizer, parts.held_back)


def _vocabulary_texts(examples: list[corpus.Example], unlabelled: list[Path]) -> list[str]:
    more = [prepare(row["text"]) for path in unlabelled for row in corpus.read_lines(path)]
    return [example.text for example in examples] + more


def _calibrate(folder: Path, tokenizer: Tokenizer, held_back: list[corpus.Example]) -> None:
    """With the exported model, so that what quantisation changed is calibrated too."""
    session = ort.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    rows = []
    for encoding in tokenizer.encode_batch([example.text for example in held_back]):
        ids = np.array([encoding.ids], dtype=np.int64)
        rows.append(session.run(["logits"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0])
    logits = np.array(rows, dtype=np.float64)
    temperature = calibration.temperature(logits, [example.label for example in held_back])
    threshold = calibration.threshold(logits, temperature, [example.source for example in held_back])
    export.write_calibration(NAME, temperature, threshold, folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m processors.sentiment.training", description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="labelled texts, JSON lines (.gz allowed)")
    parser.add_argument("--development", type=Path, required=True, help="labelled texts to measure on, never trained on")
    parser.add_argument("--exclude", type=Path, nargs="*", default=[], help="files whose texts must not be trained on")
    parser.add_argument("--unlabelled", type=Path, nargs="*", default=[], help="more texts to count pieces in")
    parser.add_argument("--out", type=Path, required=True, help="folder for the model's files")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument("--max-minutes", type=float, default=Recipe.max_minutes)
    return parser.parse_args()


if __name__ == "__main__":
    main()
