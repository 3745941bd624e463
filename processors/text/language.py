"""Language of a short post, with Turkish favoured: a mistaken "other language" hides a citizen's complaint.

The bundled model of py3langid is read on first use, half a second; nothing else here touches a file.
"""

import re
import unicodedata
from functools import lru_cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from processors.text.references import without_references

UNDETERMINED = "und"
TURKISH = "tr"

# What is written to a Turkish institution: its neighbours, its visitors and its citizens' mother tongues. Languages that
# a short Turkish text without diacritics is taken for (Indonesian, Uzbek, Turkmen, Hungarian, Swedish) are left out.
LANGUAGES = ("tr", "en", "ar", "az", "bg", "bs", "de", "el", "es", "fa", "fr", "he", "hy", "it", "ja", "ka", "kk", "ko",
             "ku", "ky", "nl", "pl", "pt", "ro", "ru", "sq", "uk", "ur", "zh")  # fmt: skip

_SURE = 0.9  # normalised confidence from which a Latin-script text is not Turkish
_TURKISH_RULED_OUT = 0.1
_HINTED = 0.15  # a platform's claim is believed from here, if Turkish is clearly less probable
_HINTED_TIMES = 3.0
_SCRIPT_IS_ENOUGH = 0.4  # other scripts: Turkish is out of the question anyway
_MIN_LETTERS = 3
_READ_CHARACTERS = 2_000

_LETTERS = re.compile(r"[^\W\d_]")


def detect(text: str, hint: str | None = None) -> str:
    """ISO 639-1 code, or "und" when the text has too little to tell. `hint` is what the platform claims."""
    cleaned = " ".join(without_references(text[:_READ_CHARACTERS]).replace("#", " ").split())
    letters = _LETTERS.findall(cleaned)
    claimed = _base(hint)
    if len(letters) < _MIN_LETTERS:
        return claimed or UNDETERMINED
    chances = dict(_identifier().rank(cleaned))
    if _is_latin(letters):
        return _latin(chances, claimed)
    best = max(chances, key=chances.__getitem__)
    return best if chances[best] >= _SCRIPT_IS_ENOUGH and best != TURKISH else claimed or UNDETERMINED


def _latin(chances: dict[str, float], claimed: str | None) -> str:
    best = max(chances, key=chances.__getitem__)
    turkish = chances[TURKISH]
    if chances[best] >= _SURE and turkish <= _TURKISH_RULED_OUT:
        return best
    if claimed in chances and chances[claimed] >= max(_HINTED, _HINTED_TIMES * turkish):
        return claimed
    return TURKISH


def _base(hint: str | None) -> str | None:
    """ "tr-TR" is "tr"; what is no language of two letters ("und", "qme") is no hint."""
    code = (hint or "").replace("_", "-").split("-")[0].lower()
    return code if re.fullmatch("[a-z]{2}", code) else None


def _is_latin(letters: list[str]) -> bool:
    latin = sum(unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    return 2 * latin >= len(letters)


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier
