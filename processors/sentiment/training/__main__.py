"""Makes the bundled model, from the base weights to the finished folder: `make model`.

    python -m processors.sentiment.training --data ../shared/data [--out build/model]

Trains what restores diacritics (once), gathers the texts (once), cuts the vocabulary, lets the base weights read posts
without labels (if asked to), fine-tunes, exports, quantises, calibrates. `make model-card` then measures the result with
the texts that this leaves beside the folder, and writes the card.
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
from processors.sentiment.artefact import MAX_TOKENS, Description, Head, write_description
from processors.sentiment.classifier import HEAD
from processors.sentiment.conversion import calibration
from processors.sentiment.conversion.network_export import export_network
from processors.sentiment.conversion.tokenizer_files import write_tokenizer
from processors.sentiment.labels import CLASSES, Label
from processors.sentiment.prepare import prepare_turkish
from processors.sentiment.shares import as_shares
from processors.sentiment.text_model import TextModel
from processors.sentiment.training import base, corpus, diacritics, export, teachers, texts, vocabulary
from processors.sentiment.training.fit import FineTuning, fit
from processors.sentiment.training.four_bits import FourBitEmbedding
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
    needed = texts.SPELT_IN if arguments.only == "diacritics" else texts.COLLECTIONS
    missing = [name for name in needed if not (arguments.data / name).is_file()]
    if missing:
        raise SystemExit(
            f"{arguments.data} has no {', no '.join(missing)}: the texts are not part of this repository; name the folder that "
            "holds them with 'make model DATA=FOLDER', or here with --data"
        )
    if arguments.only == "diacritics" or not WEIGHTS_FILE.exists():
        _train_diacritics(arguments.data)
    if arguments.only != "diacritics":
        make(arguments)


def make(arguments: argparse.Namespace) -> None:
    recipe = FineTuning(seed=arguments.seed, rounds=arguments.rounds, max_minutes=arguments.max_minutes)
    masking = Masking(seed=arguments.seed, rounds=arguments.masked_rounds, max_minutes=arguments.max_minutes)
    build = arguments.out.parent
    choice = texts.Choice(
        seed=recipe.seed, rounds=recipe.rounds, without=arguments.without, teacher=arguments.teacher, threads=arguments.threads
    )
    found = texts.gather(arguments.data, build, choice)
    if arguments.only == "texts":
        return
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(recipe.seed)
    read = [example.text for example in found.rounds[0]] + list(map(prepare_turkish, texts.short_texts(arguments.data)))
    cut = vocabulary.cut(base.tokenizer_path(), read)
    tokenizer = Tokenizer.from_str(json.dumps(cut.tokenizer))
    tokenizer.enable_truncation(MAX_TOKENS)
    weights = base.BaseWeights(base.weights_path())
    network = MeanPoolClassifier(base.build_encoder(weights, cut.kept, vocabulary.PAD_TOKEN_ID))
    pieces = network.encoder.embeddings.word_embeddings
    embedding = FourBitEmbedding(pieces.weight.detach(), weights.embedding_blocks()[1][cut.kept])
    network.encoder.set_input_embeddings(embedding)
    labelled = _labelled(found.rounds)
    encoded = _numbers(tokenizer, [each.text for each in labelled])
    made: dict[str, Fitted] = {}
    if masking.rounds:
        laden = laden_pieces(encoded, labelled, tokenizer.get_vocab_size())
        made["masked"] = learn_language(network.encoder, tokenizer, found.posts, laden, masking, build / "masked.pt")
        log.info("masked-language training: %s", made["masked"])
    made["fitted"] = fit(network, tokenizer, found.rounds, recipe, build / "checkpoint.pt", after=(masking,))
    log.info("fine-tuning: %s", made["fitted"])

    network.encoder.set_input_embeddings(embedding.plain())
    rule = PairRule.fit(encoded, [each.shares.index(1) for each in labelled], tokenizer.get_vocab_size())
    mixed = _mixed(network, rule, tokenizer, found.held_back)
    export_network(mixed, build / FLOAT_FILE)
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_tokenizer(cut.tokenizer, export.SPECIAL_TOKENS, arguments.out)
    export.quantise(build / FLOAT_FILE, arguments.out / "model.onnx", embedding.blocks())
    export.write_config(network, arguments.out)
    write_description(_calibrated(arguments.out, found.held_back), arguments.out)
    _write_record(build / "training.json", choice, (recipe, masking), made, found.rounds, mixed.mix)


def _mixed(deep: MeanPoolClassifier, rule: PairRule, tokenizer: Tokenizer, held_back: list[corpus.Example]) -> WideAndDeep:
    """With a rule over pairs that has learnt from the same labelled texts, in shares fitted on texts that neither has seen."""
    numbers = _numbers(tokenizer, [prepare_turkish(example.text) for example in held_back])
    mix = fit_mix(logits(deep, numbers), logits(rule, numbers), [example.label for example in held_back])
    log.info("%s", mix)
    return WideAndDeep(deep, rule, mix)


def _labelled(rounds: list[list[corpus.Shown]]) -> list[corpus.Shown]:
    """Those from which something can be learnt of single words."""
    without = (*corpus.ONE_LABEL, teachers.SOURCE)
    return [found for drawn in rounds for found in drawn if found.source not in without]


def _numbers(tokenizer: Tokenizer, written: list[str]) -> list[list[int]]:
    return [encoding.ids for encoding in tokenizer.encode_batch(written)]


def _train_diacritics(data: Path) -> None:
    diacritics.train(texts.spelt(data), Recipe.seed).tofile(WEIGHTS_FILE)
    log.info("wrote %s", WEIGHTS_FILE.name)


def _calibrated(folder: Path, held_back: list[corpus.Example]) -> Description:
    """With the exported model, so that what quantisation changed is calibrated too."""
    raw = Head(labels=tuple(CLASSES), temperature=1, threshold=0)
    description = Description(name=NAME, preparation="turkish", heads={HEAD: raw})
    write_description(description, folder)
    model = TextModel(folder)
    logs = np.log(model.read([model.prepare(example.text) for example in held_back])[HEAD])
    temperature = calibration.temperature(logs, [example.label for example in held_back])
    weight, threshold = calibration.weight_and_threshold(
        as_shares(logs / temperature), [example.label for example in held_back], [example.source for example in held_back],
        CLASSES.index(Label.NEGATIVE),
    )  # fmt: skip
    fitted = raw.model_copy(
        update={
            "temperature": round(temperature, 4), "threshold": round(threshold, 3), "weights": {Label.NEGATIVE.value: weight},
        }
    )  # fmt: skip
    return description.model_copy(update={"heads": {HEAD: fitted}})


def _write_record(
    file: Path,
    choice: texts.Choice,
    recipes: tuple[FineTuning, Masking],
    made: dict[str, Fitted],
    rounds: list[list[corpus.Shown]],
    mix: Mix,
) -> None:
    """What was done, for the card and for whoever wants to do it again."""
    teacher = None if choice.without else TextModel(choice.teacher).version
    sources = {example.source for round_ in rounds for example in round_}
    drawn = {source: sum(example.source == source for round_ in rounds for example in round_) for source in sorted(sources)}
    record = {
        "recipe": dataclasses.asdict(recipes[0]), "masking": dataclasses.asdict(recipes[1]), "teacher": teacher, "threads": choice.threads,
        "mix": dataclasses.asdict(mix), "drawn": drawn, "torch": torch.__version__,
        **{name: dataclasses.asdict(training) for name, training in made.items()},
    }  # fmt: skip
    file.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is less than 1")
    return value


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m processors.sentiment.training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help=f"folder that holds {', '.join(texts.COLLECTIONS)}")
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
    parser.add_argument("--threads", type=_positive, default=2)
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument(
        "--rounds",
        type=_positive,
        default=FineTuning.rounds,
        help="of fine-tuning, about 35,000 texts each (default: %(default)s)",
    )
    parser.add_argument(
        "--masked-rounds", type=int, default=Masking.rounds,
        help="of masked-language training before it, 128,000 posts and about an hour each (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--max-minutes", type=float, default=Recipe.max_minutes, help="end a training early")
    parser.add_argument(
        "--only", choices=("diacritics", "texts"), help="train the restoring of diacritics anew; or gather the texts"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
