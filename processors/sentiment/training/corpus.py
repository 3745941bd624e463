"""The labelled texts: which may be used, which are held back, how often each source is drawn, and how they are varied.

A corpus file is JSON lines with `text`, `label` and `source`; names of sources are free, and only those
in `DRAWN_PER_ROUND` are used. None of the texts belongs in this repository, but for the invented ones in `phrases/`.
"""

import gzip
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from processors.sentiment.essence import essence
from processors.sentiment.labelled import read_labelled
from processors.sentiment.labels import CLASSES, Label
from processors.sentiment.prepare import prepare_turkish
from processors.sentiment.training import phrases
from processors.sentiment.training.leaks import Measured, apart
from processors.text import turkish
from processors.text.diacritics import plain

DRAWN_PER_ROUND = {
    "polistance": 5_000,
    "telecom-mentions": 7_000,
    "general-tweets-2022": 5_500,
    "mixed-reviews-tweets": 2_500,
    "university-mentions": 3_000,
    "store-reviews": 500,
    "complaints": 400,
    "municipal-complaints": 350,
}
"""Posts that mention an institution first; reviews and complaints for words that those lack. Complaints to municipalities
are all negative: drawn more often, they make thanks and questions on water and roads negative, too."""

ONE_LABEL = ("complaints", "municipal-complaints")
"""From these a rule over words learns nothing but that their subjects are bad."""
INVENTED_PER_ROUND = 3_600
TAUGHT_PER_ROUND = 7_000
SEED = 20261126
"""Of everything that is drawn for the bundled model."""
NEVER_DRAWN = ("weak-general-tweets-2015", "product-reviews", "movie-reviews")
"""Left out of training altogether: what the model makes of a source that it has never seen is measured on them."""
UNSEEN_PER_SOURCE = 1_500

HELD_BACK = {"polistance": 400, "telecom-mentions": 500, "general-tweets-2022": 300, "university-mentions": 200}
"""Never trained on; temperature and threshold are fitted on them. In the proportions of the development set."""

PLAIN_SHARE = 0.15
"""Of the texts of a round, typed without diacritics, as many people do."""
TYPED_BADLY_SHARE = 0.08

_SHARES = tuple(tuple(float(column == label) for column in range(len(CLASSES))) for label in range(len(CLASSES)))


@dataclass(frozen=True, slots=True)
class Example:
    """A text as it was written, the number of its label, and where it is from."""

    text: str
    label: int
    source: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A text as the network sees it in training, and how much of it each label is to have."""

    text: str
    shares: tuple[float, ...]
    source: str


Text = TypeVar("Text", Example, Shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    training: Mapping[str, list[Example]]
    held_back: list[Example]
    measured: Measured
    """The held back texts, too: an invented text of a few words can be one of them by chance."""


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def read_examples(path: Path) -> Iterator[Example]:
    for found in read_labelled(path):
        yield Example(found.text, CLASSES.index(found.label), found.source)


def read_complaints(path: Path) -> Iterator[Example]:
    """A file of nothing but complaints, whose `label` is a department."""
    for row in read_lines(path):
        yield Example(row["text"], 0, row["source"])


def split(examples: Iterable[Example], forbidden: Iterable[str], seed: int, *, without: str | None = None) -> Corpus:
    """Without copies, without texts whose copies disagree on the label, without a whole source, and without what repeats a
    forbidden text, or among what is trained on, a held back one.

    Raises ValueError where a source has too little.
    """
    forbidden = list(forbidden)
    by_essence: dict[str, list[Example]] = defaultdict(list)
    for example in apart(examples, Measured(forbidden), text_of):
        if example.source in DRAWN_PER_ROUND and example.source != without:
            by_essence[essence(example.text)].append(example)
    by_source: dict[str, list[Example]] = defaultdict(list)
    for found, copies in by_essence.items():
        if found and len({copy.label for copy in copies}) == 1:
            by_source[copies[0].source].append(copies[0])
    sources = [source for source in DRAWN_PER_ROUND if source != without]
    training, held_back = _hold_back(by_source, sources, random.Random(seed))
    calibrated_on = [example.text for example in held_back]
    held = Measured(calibrated_on)
    training = {source: apart(examples, held, text_of) for source, examples in training.items()}
    for source, left in training.items():
        if not left:
            raise ValueError(f"{source} has nothing but near copies of its texts that are held back")
    return Corpus(training=training, held_back=held_back, measured=Measured([*forbidden, *calibrated_on]))


def draw(corpus: Corpus, taught: Sequence[Shown], measured: Measured, rounds: int, seed: int) -> Iterator[list[Shown]]:
    """The texts of each round, varied and prepared, without those that this made repeat a measured one.

    A source goes on where its last round stopped.
    """
    shuffler = random.Random(seed)
    streams = {source: _endless(examples, shuffler) for source, examples in corpus.training.items()}
    made_up = _invented(seed, corpus.measured)
    unlabelled = _endless(taught, shuffler)
    for _ in range(rounds):
        drawn = [example for source in streams for example in islice(streams[source], DRAWN_PER_ROUND[source])]
        drawn += islice(made_up, INVENTED_PER_ROUND)
        shown = [Shown(example.text, _SHARES[example.label], example.source) for example in drawn]
        shown += islice(unlabelled, TAUGHT_PER_ROUND if taught else 0)
        varied = (replace(found, text=prepare_turkish(vary(found.text, shuffler))) for found in shown)
        yield [found for found in varied if found.text and not measured.is_repeated_by(found.text)]


def invented(corpus: Corpus, seed: int, count: int) -> list[Example]:
    """The first texts that the phrases give for a seed, without those that are measured on."""
    return list(islice(_invented(seed, corpus.measured), count))


def sample_unseen(
    examples: Iterable[Example], trained_on: Sequence[str], seed: int, *, without: str | None = None
) -> list[Example]:
    """UNSEEN_PER_SOURCE texts of each source that is never drawn, and of the one that was left out, but for those of which
    another source has a copy.

    Raises ValueError where a source has too few.
    """
    by_source: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        by_source[example.source].append(example)
    dice = random.Random(seed)
    sources = NEVER_DRAWN if without is None else (*NEVER_DRAWN, without)
    drawn = [example for source in sources for example in _some(by_source[source], source, dice)]
    return apart(drawn, Measured(trained_on), text_of)


def _some(examples: list[Example], source: str, dice: random.Random) -> list[Example]:
    if len(examples) < UNSEEN_PER_SOURCE:
        raise ValueError(f"{source} has {len(examples)} texts, and {UNSEEN_PER_SOURCE} are measured on")
    return dice.sample(examples, UNSEEN_PER_SOURCE)


def vary(text: str, dice: random.Random) -> str:
    """The same text as somebody else might have typed it."""
    if dice.random() < TYPED_BADLY_SHARE:
        text = _typed_badly(text, dice)
    return plain(turkish.lower(text)) if dice.random() < PLAIN_SHARE else text


def text_of(example: Example) -> str:
    return example.text


def _invented(seed: int, measured: Measured) -> Iterator[Example]:
    for text, label, _ in phrases.generate(seed):
        if not measured.is_repeated_by(text):
            yield Example(text, CLASSES.index(Label(label)), "invented")


def _typed_badly(text: str, dice: random.Random) -> str:
    """One letter in thirty is left out, doubled, or changes places with the next."""
    letters = list(text)
    for _ in range(1 + len(letters) // 30):
        place = dice.randrange(max(1, len(letters) - 1))
        kind = dice.randrange(3)
        if not letters or not letters[place].isalpha():
            continue
        if kind == 0:
            letters[place] = ""
        elif kind == 1:
            letters[place] *= 2
        elif place + 1 < len(letters):
            letters[place], letters[place + 1] = letters[place + 1], letters[place]
    return "".join(letters)


def _hold_back(
    by_source: Mapping[str, list[Example]], sources: Iterable[str], shuffler: random.Random
) -> tuple[dict[str, list[Example]], list[Example]]:
    training: dict[str, list[Example]] = {}
    held_back: list[Example] = []
    for source in sources:
        examples = by_source[source]
        shuffler.shuffle(examples)
        cut = HELD_BACK.get(source, 0)
        if len(examples) <= cut:
            raise ValueError(f"{source} has {len(examples)} usable texts, more than {cut} are needed")
        held_back.extend(examples[:cut])
        training[source] = examples[cut:]
    return training, held_back


def _endless(texts: Sequence[Text], shuffler: random.Random) -> Iterator[Text]:
    while texts:
        yield from shuffler.sample(texts, len(texts))
