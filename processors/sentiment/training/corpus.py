"""The labelled texts: which may be used, which are held back, and how often each source is drawn.

A corpus file is JSON lines with `text`, `label` and `source`; names of sources are free, and only those
in `DRAWN_PER_ROUND` are used. None of the texts belongs in this repository.
"""

import gzip
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from processors.sentiment.labels import CLASSES
from processors.sentiment.prepare import prepare

DRAWN_PER_ROUND = {
    "polistance": 4_500,
    "telecom-mentions": 5_500,
    "general-tweets-2022": 3_500,
    "mixed-reviews-tweets": 2_500,
    "university-mentions": 2_000,
    "store-reviews": 500,
    "complaints": 400,
}
"""Posts that mention an institution first; reviews and complaints for words that those lack."""

HELD_BACK = {"polistance": 400, "telecom-mentions": 500, "general-tweets-2022": 300, "university-mentions": 200}
"""Never trained on; temperature and threshold are fitted on them. In the proportions of the development set."""

_NOT_A_LETTER = re.compile(r"[\W\d_]+")


@dataclass(frozen=True, slots=True)
class Example:
    text: str
    label: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    training: Mapping[str, list[Example]]
    held_back: list[Example]


def read_lines(path: Path) -> Iterator[dict[str, str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def read_examples(path: Path) -> Iterator[Example]:
    for row in read_lines(path):
        yield Example(prepare(row["text"]), CLASSES.index(row["label"]), row["source"])


def split(examples: Iterable[Example], forbidden: Iterable[str], seed: int) -> Corpus:
    """Without copies, without texts whose copies disagree on the label, and without the forbidden ones."""
    seen = {_essence(text) for text in forbidden}
    by_essence: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        if example.source in DRAWN_PER_ROUND:
            by_essence[_essence(example.text)].append(example)
    by_source: dict[str, list[Example]] = defaultdict(list)
    for essence, copies in by_essence.items():
        if essence and essence not in seen and len({copy.label for copy in copies}) == 1:
            by_source[copies[0].source].append(copies[0])
    return _hold_back(by_source, random.Random(seed))


def draw(corpus: Corpus, rounds: int, seed: int) -> list[list[Example]]:
    """The texts of each round. A source goes on where its last round stopped, and starts anew at its end."""
    shuffler = random.Random(seed)
    drawn: list[list[Example]] = [[] for _ in range(rounds)]
    for source, count in DRAWN_PER_ROUND.items():
        endless = _endless(corpus.training[source], shuffler)
        for round_ in drawn:
            round_.extend(next(endless) for _ in range(count))
    return drawn


def _essence(text: str) -> str:
    """What two copies of a post share, whatever their links, names, digits and signs."""
    words = prepare(text).replace("@kişi", " ").replace("http", " ")
    return _NOT_A_LETTER.sub("", words.lower())


def _hold_back(by_source: Mapping[str, list[Example]], shuffler: random.Random) -> Corpus:
    training: dict[str, list[Example]] = {}
    held_back: list[Example] = []
    for source in DRAWN_PER_ROUND:
        examples = by_source[source]
        shuffler.shuffle(examples)
        cut = HELD_BACK.get(source, 0)
        held_back.extend(examples[:cut])
        training[source] = examples[cut:]
    return Corpus(training=training, held_back=held_back)


def _endless(examples: list[Example], shuffler: random.Random) -> Iterator[Example]:
    while True:
        shuffled = shuffler.sample(examples, len(examples))
        yield from shuffled
