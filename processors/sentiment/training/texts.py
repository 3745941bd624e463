"""The texts of a training: read, compared with what is measured on, judged by teachers, varied and prepared.

That takes minutes and fills the memory, so it is done once, in a process of its own (`make model`), and kept beside the
model; a training that goes on reads what is kept. None of these files leaves that folder.
"""

import dataclasses
import hashlib
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import processors
from processors.sentiment import BUNDLED_MODEL
from processors.sentiment.artefact import fingerprint, require_model
from processors.sentiment.essence import essence
from processors.sentiment.labels import CLASSES
from processors.sentiment.prepare import prepare_turkish
from processors.sentiment.training import corpus, teachers
from processors.sentiment.training.corpus import Example, Shown
from processors.sentiment.training.leaks import Measured, apart

log = logging.getLogger(__name__)

_LABELLED, _DEVELOPMENT = "sentiment/train.jsonl.gz", "sentiment/dev.jsonl"
_SHORT = "unlabelled/turkish_short_texts.jsonl.gz"
_COMPLAINTS, _OFFENCE = "topic/municipal_complaints.jsonl", "offence/train.jsonl"
SPELT_IN = (_LABELLED, _DEVELOPMENT, _SHORT)
COLLECTIONS = (*SPELT_IN, _COMPLAINTS, _OFFENCE)
"""The files that are read; the restoring of diacritics reads the first three."""
TRAINED_ON = "trained-on.jsonl"
UNSEEN = "unseen.jsonl"
"""By these two `make model-card` measures: what the baseline is trained on, and sources that no training has seen."""
_HELD_BACK, _ROUNDS, _POSTS = "held-back.jsonl", "rounds.jsonl", "posts.jsonl"
_KEPT = (TRAINED_ON, UNSEEN, _HELD_BACK, _ROUNDS, _POSTS)
_CODE = (".py", ".yaml", ".bin")
_MARK = "texts.of"
"""Written last, with a fingerprint of whatever the files were made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What decides which texts are taken, but for the collections."""

    seed: int
    rounds: int
    without: str | None = None
    """A source that is left out altogether, and with it the teacher, which has seen it."""
    teacher: Path = BUNDLED_MODEL
    threads: int = 2


@dataclass(frozen=True, slots=True)
class Texts:
    held_back: list[Example]
    rounds: list[list[Shown]]
    """What the fine-tuning is shown, varied and prepared."""
    posts: list[str]
    """What the masked-language training reads, prepared, those nearest to the task first."""


def gather(data: Path, build: Path, choice: Choice) -> Texts:
    """From `build` where it has them of the same collections, choice and code; else they are made there."""
    of, mark = _fingerprint(data, choice), build / _MARK
    if not mark.exists() or mark.read_text(encoding="utf-8") != _seal(of, build):
        mark.unlink(missing_ok=True)
        _make(data, build, choice)
        mark.write_text(_seal(of, build), encoding="utf-8")
    rounds: list[list[Shown]] = [[] for _ in range(choice.rounds)]
    for row in corpus.read_lines(build / _ROUNDS):
        rounds[row["round"]].append(Shown(row["text"], tuple(row["shares"]), row["source"]))
    return Texts(
        list(corpus.read_examples(build / _HELD_BACK)), rounds, [row["text"] for row in corpus.read_lines(build / _POSTS)]
    )


def _seal(of: str, build: Path) -> str:
    """What they were made of, and what they hold."""
    return f"{of} {_of_files(file for file in (build / name for name in _KEPT) if file.exists())}"


def development(data: Path) -> list[str]:
    """What nothing may be trained on."""
    return _texts(data / _DEVELOPMENT)


def shown(build: Path) -> list[str]:
    """Whatever a training learns labels from, each once: as drawn, varied and prepared."""
    return sorted(set(_texts(build / _ROUNDS)))


def measured(data: Path, build: Path) -> dict[str, list[str]]:
    """What nothing that is shown may repeat, by what it is for."""
    return {"development": development(data), "held back": _texts(build / _HELD_BACK), "unseen": _texts(build / UNSEEN)}


def short_texts(data: Path) -> list[str]:
    return _texts(data / _SHORT)


def spelt(data: Path) -> list[str]:
    """Of which the restoring of diacritics learns how words are written; labels are not read."""
    found = {*short_texts(data), *_texts(data / _LABELLED)}
    return apart(sorted(found), Measured(development(data)), str)


def _make(data: Path, build: Path, choice: Choice) -> None:
    build.mkdir(parents=True, exist_ok=True)
    read = _labelled(data)
    parts = corpus.split(read, development(data), choice.seed, without=choice.without)
    labelled = [example for examples in parts.training.values() for example in examples]
    trained_on = labelled + corpus.invented(parts, choice.seed, corpus.INVENTED_PER_ROUND)
    unseen = corpus.sample_unseen(read, [found.text for found in trained_on], choice.seed, without=choice.without)
    for name, examples in ((TRAINED_ON, trained_on), (UNSEEN, unseen), (_HELD_BACK, parts.held_back)):
        _write(build / name, ({**dataclasses.asdict(found), "label": CLASSES[found.label].value} for found in examples))

    offence = _texts(data / _OFFENCE)
    kept_away = Measured([text for of_kind in measured(data, build).values() for text in of_kind])
    posts = _once_and_not_measured([example.text for example in labelled] + offence + short_texts(data), kept_away)
    _write(build / _POSTS, ({"text": prepare_turkish(text)} for text in posts))

    taught: list[Shown] = []
    if choice.without is None:
        judged = _once_and_not_measured(offence, kept_away)
        taught = teachers.taught(build / "taught.jsonl", judged, trained_on, choice.teacher, choice.threads, code=_code())
    rounds = corpus.draw(parts, taught, kept_away, choice.rounds, choice.seed)
    drawn = ({"round": number, **dataclasses.asdict(found)} for number, texts in enumerate(rounds) for found in texts)
    _write(build / _ROUNDS, drawn)


def _labelled(data: Path) -> list[Example]:
    return [*corpus.read_examples(data / _LABELLED), *corpus.read_complaints(data / _COMPLAINTS)]


def _once_and_not_measured(texts: list[str], kept_away: Measured) -> list[str]:
    once = list({essence(text): text for text in texts}.values())
    kept = apart(once, kept_away, str)
    log.info("%d posts, %d left out: they repeat a text that is measured on", len(once), len(once) - len(kept))
    return kept


def _fingerprint(data: Path, choice: Choice) -> str:
    """Changes when the texts may change."""
    digest = hashlib.sha256(fingerprint(choice.teacher, require_model(choice.teacher)).encode())
    digest.update(repr((choice.seed, choice.rounds, choice.without)).encode())
    digest.update(_code().encode())
    digest.update(_of_files(data / name for name in COLLECTIONS).encode())
    return digest.hexdigest()


def _code() -> str:
    """Changes with whatever makes or reads the texts; with more than need be."""
    parts = (Path(processors.__path__[0]) / part for part in ("text", "sentiment"))
    return _of_files(found for part in parts for found in part.rglob("*") if found.suffix in _CODE)


def _of_files(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _texts(file: Path) -> list[str]:
    return [row["text"] for row in corpus.read_lines(file)]


def _write(file: Path, rows: Iterable[dict[str, Any]]) -> None:
    with file.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
