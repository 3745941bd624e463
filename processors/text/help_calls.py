"""Whether a post calls for help: "enkaz altındayız", "bebek mahsur, su yükseliyor", "annem enkaz altında, vinç lazım".

Such a post must not be overlooked among thousands, whatever its tone: it is marked, and a human must look. The mark is
never a diagnosis, neither of what happened nor of whether it is true, and nobody may rely on it instead of 112.

A phrase says that somebody is in danger now. Said of oneself or a relative under rubble, in flames, gravely ill, it is
enough; what the news says in the same words ("3 kişi enkaz altında") needs a plea, a door number or a voice besides. Not
meant are figures of speech, "had we been", what is over or long ago, drills, remembrance, fiction, collections. "İmdat",
"yardım edin", "sesimi duyan var mı" are said of bills and exams far more often than in need: "müşteri hizmetleri imdat!"
is no call. An urgent one counts with a door number or when nothing else is said, any of them beside a danger. Being stuck
in traffic, at an airport or on a web page is none either, unless nature and somebody frail come into it. The phrases
stand in `help_phrases`.

Limits: Turkish only, and only these phrases: danger from rubble, water, fire, snow, illness, lost power for a breathing
device. Not violence, suicide, missing persons, animals, blood donors, nor needs after the rescue (tents, food). It misses
what is said in other words, does not know who speaks, and takes irony ("göçük altındayım, hat yine yok") at its word.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from processors.text import help_phrases
from processors.text.help_phrases import Phrases
from processors.text.references import without_references
from processors.text.tokens import folded

_READ_CHARACTERS: Final = 4_000  # who needs rescue writes less; the rest of an article only costs time
_WORD_PART: Final = re.compile(r"[^\W_]+|🆘")
_SENTENCE_END: Final = re.compile(r"[.!?…\n]")
_ABBREVIATED: Final = re.compile(r"mah|sok|sk|cad|cd|apt|bul|blv|no|kat|d|\d+")
_SOS: Final = "🆘"
_PLAIN: Final = (("ı", "i"), ("i\u0307", "i"), ("ş", "s"), ("ğ", "g"), ("ö", "o"), ("ü", "u"), ("ç", "c"), ("â", "a"), ("î", "i"))
_DRAWN_OUT: Final = re.compile(r"([^\W\d_])\1{2,}")


def calls_for_help(text: str) -> bool:
    """Whether the text says that somebody is in danger and needs rescue now. `text` as the privacy gate leaves it."""
    text = text[:_READ_CHARACTERS]
    if not _may_speak_of_danger(text):
        return False
    sentences = list(_sentences(without_references(text)))
    whole = " . ".join(sentences)
    if _says(help_phrases.OCCASIONS, whole):
        return False
    cried = _says(help_phrases.CRIES, whole)
    earnest = " . ".join(sentence for sentence in sentences if not _says_otherwise(sentence, cried=cried))
    return _only_cries(whole) or any(
        _says(rule.danger, earnest)
        and all(_says(phrases, whole) for phrases in rule.support)
        and not (rule.unless and _says(rule.unless, whole))
        for rule in help_phrases.RULES
    )


def _may_speak_of_danger(text: str) -> bool:
    """A first look, for the many texts that do not: Turkish letters are made plain at once, not word by word."""
    glimpse = text.lower()
    for letter, plain in _PLAIN:
        glimpse = glimpse.replace(letter, plain)
    return any(stem in glimpse for stem in help_phrases.STEMS) or _SOS in text


def _says_otherwise(sentence: str, *, cried: bool) -> bool:
    """Whether the danger that the sentence speaks of is none, or is over."""
    past = _says(help_phrases.OVER, sentence) or (not cried and _says(help_phrases.LONG_AGO, sentence))
    return _says(help_phrases.SAID_OTHERWISE, sentence) or (past and not _says(help_phrases.STILL, sentence))


def _only_cries(whole: str) -> bool:
    return _says(help_phrases.URGENT_CRIES, whole) and help_phrases.BARE.issuperset(whole.replace(".", " ").split())


def _sentences(text: str) -> Iterator[str]:
    """Folded words with a blank between them, sentence by sentence; letters that are drawn out ("imdaaat") stand once."""
    words: list[str] = []
    end = 0
    for token in folded(text):
        if words and _SENTENCE_END.search(text, end, token.start) and not _ABBREVIATED.fullmatch(words[-1]):
            yield " ".join(words)
            words = []
        words += ("sos" if part == _SOS else _DRAWN_OUT.sub(r"\1", part) for part in _WORD_PART.findall(token.text))
        end = token.end
    yield " ".join(words)


def _says(phrases: Phrases, text: str) -> bool:
    return _any_of(phrases).search(text) is not None


@cache
def _any_of(phrases: Phrases) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(map(_expression, phrases))})")


def _expression(phrase: str) -> str:
    """A phrase of help_phrases as a regular expression that ends where a word ends."""
    expression, blank = "", ""
    for element in phrase.split():
        if element.startswith(".."):
            expression += rf"(?: \w+){{0,{element[2:]}}}"
            blank = " "
        elif element == "$":
            expression += r"(?= \.|$)"
        elif element.startswith("!"):
            expression += rf"\b(?! ?{_one_of(element[1:].split('|'))}\b)"
        else:
            expression += blank + _one_of(element.split("|"))
            blank = " ?"
    return rf"{expression}\b"


def _one_of(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(_word, words))})"


def _word(word: str) -> str:
    if word.startswith("{"):
        return _one_of(help_phrases.WORDS[word.strip("{}")].split())
    return r"\d+" if word == "#" else word.replace("*", r"\w*")
