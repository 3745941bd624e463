"""Makes the bundled model, from the base weights to the finished folder: `make model`.

    python -m processors.sentiment.training --data ../shared/data [--out build/model]

Trains what restores diacritics (once), cuts the vocabulary, lets the base weights read posts without labels, fine-tunes,
exports, quantises, calibrates. `make model-card` then measures the result with the texts that this leaves beside the
folder, and writes the card.
"""

import argparse
import dataclasses
import json
import logging
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from processors.sentiment import BUNDLED_MODEL
from processors.sentiment.artefact import MAX_TOKENS, Description, Head
from processors.sentiment.classifier import HEAD
from processors.sentiment.conversion import calibration
from processors.sentiment.conversion.network_export import export_network
from processors.sentiment.conversion.tokenizer_files import write_tokenizer
from processors.sentiment.essence import essence
from processors.sentiment.labels import CLASSES, Label
from processors.sentiment.prepare import prepare_turkish
from processors.sentiment.text_model import TextModel
from processors.sentiment.training import base, corpus, diacritics, export, teachers, vocabulary
from processors.sentiment.training.fit import FineTuning, fit
from processors.sentiment.training.four_bits import FourBitEmbedding
from processors.sentiment.training.leaks import leaks
from processors.sentiment.training.loop import Fitted, Recipe
from processors.sentiment.training.masked import Masking, laden_pieces, learn_language
from processors.sentiment.training.network import MeanPoolClassifier
from processors.sentiment.training.pairs import Mix, PairRule, WideAndDeep, fit_mix, logits
from processors.text.diacritics import WEIGHTS_FILE

log = logging.getLogger("processors.sentiment.training")

NAME = "nabiz-tr-small"
FLOAT_FILE = "float.onnx"  # beside the folder of the model: what other quantisations are compared with


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    arguments = _arguments()
    if not (arguments.data / "sentiment").is_dir():
        raise SystemExit(
            f"no labelled texts in {arguments.data}: they are not part of this repository, name their folder with --data"
        )
    if arguments.only == "diacritics" or not WEIGHTS_FILE.exists():
        _train_diacritics(arguments.data)
    if arguments.only != "diacritics":
        make(arguments)


def make(arguments: argparse.Namespace) -> None:
    recipe = FineTuning(seed=arguments.seed, rounds=arguments.rounds, max_minutes=arguments.max_minutes)
    masking = Masking(seed=arguments.seed, rounds=arguments.masked_rounds, max_minutes=arguments.max_minutes)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(recipe.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    parts = _corpus(arguments.data, recipe.seed, arguments.without)
    trained_on = _trained_on(parts, arguments.seed)
    unseen = corpus.sample_unseen(
        corpus.read_examples(arguments.data / "sentiment" / "train.jsonl.gz"),
        [found.text for found in trained_on],
        arguments.seed,
    )
    _write_texts(arguments.out.parent / "trained-on.jsonl", trained_on)
    _write_texts(arguments.out.parent / "unseen.jsonl", unseen)
    if arguments.only == "texts":
        return
    taught = [] if arguments.without else _taught(arguments, parts, trained_on)
    rounds = list(corpus.draw(parts, taught, recipe.rounds, recipe.seed))
    log.info("%d texts drawn in %d rounds", sum(map(len, rounds)), recipe.rounds)

    cut = vocabulary.cut(
        base.tokenizer_path(), [example.text for example in rounds[0]] + list(map(prepare_turkish, _short_texts(arguments.data)))
    )
    write_tokenizer(cut.tokenizer, export.SPECIAL_TOKENS, arguments.out)
    tokenizer = Tokenizer.from_file(str(arguments.out / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    weights = base.BaseWeights(base.weights_path())
    network = MeanPoolClassifier(base.build_encoder(weights, cut.kept, vocabulary.PAD_TOKEN_ID))
    pieces = network.encoder.embeddings.word_embeddings
    embedding = FourBitEmbedding(pieces.weight.detach(), weights.embedding_blocks()[1][cut.kept])
    network.encoder.set_input_embeddings(embedding)
    labelled = _labelled(rounds)
    encoded = _numbers(tokenizer, [found.text for found in labelled])
    made: dict[str, Fitted] = {}
    if masking.rounds:
        posts = _posts_to_read(arguments.data, parts, unseen)
        laden = laden_pieces(encoded, labelled, tokenizer.get_vocab_size())
        made["masked"] = learn_language(network.encoder, tokenizer, posts, laden, masking, arguments.out.parent / "masked.pt")
        log.info("masked-language training: %s", made["masked"])
    made["fitted"] = fit(network, tokenizer, rounds, recipe, arguments.out.parent / "checkpoint.pt", after=(masking,))
    log.info("fine-tuning: %s", made["fitted"])

    network.encoder.set_input_embeddings(embedding.plain())
    rule = PairRule.fit(encoded, [found.shares.index(1) for found in labelled], tokenizer.get_vocab_size())
    mixed = _mixed(network, rule, tokenizer, parts.held_back)
    float_file = arguments.out.parent / FLOAT_FILE
    export_network(mixed, float_file)
    export.quantise(float_file, arguments.out / "model.onnx", embedding.blocks())
    export.write_config(network, arguments.out)
    export.write_description(_calibrated(arguments.out, parts.held_back), arguments.out)
    _write_record(arguments.out.parent / "training.json", recipe, made, rounds, mixed.mix)


def _mixed(deep: MeanPoolClassifier, rule: PairRule, tokenizer: Tokenizer, held_back: list[corpus.Example]) -> WideAndDeep:
    """With a rule over pairs that has learnt from the same labelled texts, in shares fitted on texts that neither has seen."""
    texts = _numbers(tokenizer, [prepare_turkish(example.text) for example in held_back])
    mix = fit_mix(logits(deep, texts), logits(rule, texts), [example.label for example in held_back])
    log.info("%s", mix)
    return WideAndDeep(deep, rule, mix)


def _labelled(rounds: list[list[corpus.Shown]]) -> list[corpus.Shown]:
    """Those from which something can be learnt of single words."""
    without = (*corpus.ONE_LABEL, teachers.SOURCE)
    return [found for texts in rounds for found in texts if found.source not in without]


def _numbers(tokenizer: Tokenizer, texts: list[str]) -> list[list[int]]:
    return [encoding.ids for encoding in tokenizer.encode_batch(texts)]


def _corpus(data: Path, seed: int, without: str | None) -> corpus.Corpus:
    """Without anything that repeats a text to be measured on."""
    labelled = list(corpus.read_examples(data / "sentiment" / "train.jsonl.gz"))
    labelled += corpus.read_complaints(data / "topic" / "municipal_complaints.jsonl")
    development = _development(data)
    leaking = set(leaks([example.text for example in labelled], development))
    log.info("%d labelled texts, %d left out: they repeat a development text", len(labelled), len(leaking))
    kept = [example for place, example in enumerate(labelled) if place not in leaking]
    return corpus.split(kept, development, seed, without=without)


def _write_texts(file: Path, examples: list[corpus.Example]) -> None:
    """What the baseline of the card is trained on, or texts of sources that no training has seen; they never leave this folder."""
    rows = ({"text": found.text, "label": CLASSES[found.label].value, "source": found.source} for found in examples)
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _trained_on(parts: corpus.Corpus, seed: int) -> list[corpus.Example]:
    labelled = [example for examples in parts.training.values() for example in examples]
    return labelled + corpus.invented(parts, seed, corpus.INVENTED_PER_ROUND)


def _taught(arguments: argparse.Namespace, parts: corpus.Corpus, labelled: list[corpus.Example]) -> list[corpus.Shown]:
    posts = _unlabelled_posts(arguments.data, parts)
    return teachers.taught(arguments.out.parent / "taught.jsonl", posts, labelled, arguments.teacher, arguments.threads)


def _development(data: Path) -> list[str]:
    return [row["text"] for row in corpus.read_lines(data / "sentiment" / "dev.jsonl")]


def _unlabelled_posts(data: Path, parts: corpus.Corpus) -> list[str]:
    """Posts of people that carry no label of sentiment, without copies of what is measured on."""
    return _once_and_not_measured(_offence(data), _development(data) + [example.text for example in parts.held_back])


def _posts_to_read(data: Path, parts: corpus.Corpus, unseen: list[corpus.Example]) -> list[str]:
    """Prepared, for the masked-language training, those nearest to the task first, but nothing like what is measured on."""
    texts = [example.text for examples in parts.training.values() for example in examples]
    texts += _offence(data) + _short_texts(data)
    measured = _development(data) + [example.text for example in parts.held_back + unseen]
    return [prepare_turkish(text) for text in _once_and_not_measured(texts, measured)]


def _once_and_not_measured(texts: list[str], measured: list[str]) -> list[str]:
    once = list({essence(text): text for text in texts}.values())
    leaking = set(leaks(once, measured))
    log.info("%d posts, %d left out: they repeat a text that is measured on", len(once), len(leaking))
    return [text for place, text in enumerate(once) if place not in leaking]


def _offence(data: Path) -> list[str]:
    return [row["text"] for row in corpus.read_lines(data / "offence" / "train.jsonl")]


def _short_texts(data: Path) -> list[str]:
    return [row["text"] for row in corpus.read_lines(data / "unlabelled" / "turkish_short_texts.jsonl.gz")]


def _train_diacritics(data: Path) -> None:
    files = (data / "unlabelled" / "turkish_short_texts.jsonl.gz", data / "sentiment" / "train.jsonl.gz")
    development = set(map(essence, _development(data)))
    texts = {row["text"] for file in files for row in corpus.read_lines(file)}
    kept = [text for text in sorted(texts) if essence(text) not in development]
    diacritics.train(kept, Recipe.seed).tofile(WEIGHTS_FILE)
    log.info("wrote %s", WEIGHTS_FILE.name)


def _calibrated(folder: Path, held_back: list[corpus.Example]) -> Description:
    """With the exported model, so that what quantisation changed is calibrated too."""
    neutral = Head(labels=tuple(CLASSES), temperature=1, threshold=0)
    description = Description(name=NAME, preparation="turkish", heads={HEAD: neutral})
    export.write_description(description, folder)
    model = TextModel(folder)
    logits = np.log(model.read([model.prepare(example.text) for example in held_back])[HEAD])
    temperature = calibration.temperature(logits, [example.label for example in held_back])
    shares = calibration.probabilities(logits / temperature)
    weight, threshold = calibration.weight_and_threshold(
        shares, [example.label for example in held_back], [example.source for example in held_back],
        CLASSES.index(Label.NEGATIVE),
    )  # fmt: skip
    fitted = neutral.model_copy(
        update={
            "temperature": round(temperature, 4), "threshold": round(threshold, 3), "weights": {Label.NEGATIVE.value: weight},
        }
    )  # fmt: skip
    return description.model_copy(update={"heads": {HEAD: fitted}})


def _write_record(file: Path, recipe: Recipe, made: dict[str, Fitted], rounds: list[list[corpus.Shown]], mix: Mix) -> None:
    """What the card says about the training."""
    sources = {example.source for round_ in rounds for example in round_}
    drawn = {source: sum(example.source == source for round_ in rounds for example in round_) for source in sorted(sources)}
    record = {
        "recipe": dataclasses.asdict(recipe), "mix": dataclasses.asdict(mix), "drawn": drawn, "torch": torch.__version__,
        **{name: dataclasses.asdict(training) for name, training in made.items()},
    }  # fmt: skip
    file.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make model", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with sentiment/, topic/ and unlabelled/")
    parser.add_argument(
        "--out", type=Path, default=Path("build/model"), help="folder for the model's files (default: %(default)s)"
    )
    parser.add_argument(
        "--teacher",
        type=Path,
        default=BUNDLED_MODEL,
        help="model that judges unlabelled posts for this one (default: the bundled one)",
    )
    parser.add_argument(
        "--without", choices=corpus.DRAWN_PER_ROUND, metavar="SOURCE",
        help="leave a source out altogether, and with it the teacher, which has seen it: how well is it judged then?",
    )  # fmt: skip
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument(
        "--rounds", type=int, default=FineTuning.rounds, help="of fine-tuning, about 35,000 texts each (default: %(default)s)"
    )
    parser.add_argument(
        "--masked-rounds", type=int, default=Masking.rounds,
        help="of masked-language training before it, 128,000 posts each; 0 leaves it out (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--max-minutes", type=float, default=Recipe.max_minutes, help="end each of the two trainings early")
    parser.add_argument(
        "--only", choices=("diacritics", "texts"), help="train the restoring of diacritics anew; or write the texts for the card"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
