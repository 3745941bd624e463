"""Why a model is not imported."""

from typing import Final

OTHER_MODEL: Final = "it cannot be imported; take another one, or the bundled one, which needs no import"


class ImportRefused(Exception):
    """The model, or what was asked for, cannot be imported; the message says why and what to do. Nothing was written."""


def shown(name: str) -> str:
    """A name out of a foreign file, safe to print."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)
