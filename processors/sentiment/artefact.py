"""A model as it lies in a folder: which files, what they say, and what is told to whoever brings another one.

The layout is Hugging Face's (configuration, tokenizer, weights, here as ONNX) with one file of ours, `nabiz.json`: how a
text is prepared, and the heads. A head is one question that the model answers about a text, with calibrated
probabilities; the text is tokenised and read once for all of them.
"""

import hashlib
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from processors.text.diacritics import WEIGHTS_FILE

DESCRIPTION_FILE: Final = "nabiz.json"
WEIGHTS: Final = "model.onnx"
FILES: Final = (WEIGHTS, "config.json", "tokenizer.json", "tokenizer_config.json", DESCRIPTION_FILE)
REMEDY: Final = "give the folder of a complete model: the bundled one, or one made by 'nabiz model import'"
MAX_TOKENS: Final = 96


class ModelUnusable(Exception):
    """The folder does not hold a model that this program can run; the message says what to do.

    Raised while loading only, so a process that has started will not meet it.
    """


class Head(BaseModel):
    """One question to a text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    output: str = Field(default="logits", min_length=1, description="name of the ONNX output, texts × columns")
    labels: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        min_length=2, description="label of each column; columns of one label add up"
    )
    temperature: float = Field(default=1.0, ge=0.01, le=100, allow_inf_nan=False, description="divides the logits: calibration")
    threshold: float = Field(
        default=0.5, ge=0, le=1, allow_inf_nan=False, description="confidence (the probability of the chosen label) below which the answer is `unsure`"
    )  # fmt: skip
    weights: dict[str, Annotated[float, Field(ge=0.1, le=10)]] = Field(
        default={}, description="what the probability of a label counts when the answer is chosen, 1 if not named: more for what "
        "must not be missed; the probabilities stay as they are",
    )  # fmt: skip

    @field_validator("labels")
    @classmethod
    def _tells_apart(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(labels)) < 2:
            raise ValueError(f"every column is {labels[0]}, and nothing is left to tell apart")
        return labels

    @model_validator(mode="after")
    def _weighs_its_own(self) -> Self:
        unknown = set(self.weights) - set(self.labels)
        if unknown:
            raise ValueError(f"weights for {', '.join(sorted(unknown))}, which no column is")
        return self


class Description(BaseModel):
    """The content of `nabiz.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="stands in every label, before the hash of the files"
    )  # fmt: skip
    preparation: Literal["turkish", "plain"] = Field(default="plain", description="see processors.sentiment.prepare")
    max_tokens: int = Field(default=MAX_TOKENS, ge=2, description="a longer text is cut")
    batch_texts: int = Field(default=32, ge=1, description="1 where the weights quantise a batch as a whole")
    heads: dict[str, Head] = Field(min_length=1)


def require_model(folder: Path) -> Description:
    """Look at a folder without loading the weights: milliseconds. Raises `ModelUnusable`."""
    if not folder.is_dir():
        raise ModelUnusable(f"no model folder at {folder}: {REMEDY}")
    try:
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise ModelUnusable(f"model folder {folder} lacks {', '.join(missing)}: {REMEDY}")
        for name in FILES:
            (folder / name).open("rb").close()
        return _read_description(folder / DESCRIPTION_FILE)
    except OSError as error:
        raise ModelUnusable(
            f"cannot read the model in {folder} ({error.strerror or error}): let the user who runs this read it, or {REMEDY}"
        ) from error


def fingerprint(folder: Path, description: Description) -> str:
    """12 hex characters that change with every file that decides a label.

    Not with the code of a preparation: one that is to give other forms gets a name of its own in `PREPARATIONS`.
    """
    digest = hashlib.sha256()
    files = [folder / name for name in FILES]
    if description.preparation == "turkish":
        files.append(WEIGHTS_FILE)
    for file in files:
        digest.update(file.name.encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]


def write_description(description: Description, folder: Path) -> None:
    """Over an earlier one."""
    (folder / DESCRIPTION_FILE).write_text(description.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _read_description(path: Path) -> Description:
    try:
        return Description.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ModelUnusable(f"{path} is broken: {where}: {first['msg']}: {REMEDY}") from error
