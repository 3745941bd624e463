"""Fetches a model by its name from the Hugging Face hub, for `nabiz model import`: the only place where anything
about models is asked of the network.

Only files that are read, in the root of the repository, are fetched: no code, no weights of other frameworks. They stay in
the library's cache, so that a second try does not fetch them again.
"""

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from processors.sentiment.importing.refusal import ImportRefused

_HUB_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_SMALL_FILES: Final = re.compile(
    r"config\.json|tokenizer\.json|tokenizer_config\.json|special_tokens_map\.json|added_tokens\.json|vocab\.(?:txt|json)|merges\.txt"
    r"|[\w.-]+\.model"
)
_WEIGHTS: Final = (
    re.compile(r"model(?:-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json"),
    re.compile(r"pytorch_model(?:-\d+-of-\d+)?\.bin|pytorch_model\.bin\.index\.json"),
)
_TIMEOUT_SECS: Final = 20
_BY_HAND: Final = (
    "download the repository on a machine with network (for example 'hf download {name} --local-dir FOLDER'), "
    "bring the folder here, and run: nabiz model import FOLDER …"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    folder: Path
    revision: str


def is_hub_name(name: str) -> bool:
    """OWNER/NAME, and no folder of that name here."""
    return _HUB_NAME.fullmatch(name) is not None and not Path(name).exists()


def download(
    name: str,
    accept: Callable[[bytes], None],
    say: Callable[[str], None],
    *,
    endpoint: str | None = None,
    cache: Path | None = None,
) -> Download:
    """Says first that it uses the network, and how much. Raises `ImportRefused`.

    config.json comes first: what `accept` raises on its content is raised before the weights are fetched.
    """
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.constants import ENDPOINT, HF_HUB_CACHE
    from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError is the one of the library below
        GatedRepoError,
        HFValidationError,
        HTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    hub = endpoint or ENDPOINT
    say(f"there is no folder {name} here: asking {hub} over the network for the model of that name …")
    try:
        about = HfApi(endpoint=hub).model_info(name, files_metadata=True, timeout=_TIMEOUT_SECS)
        files = {file.rfilename: file.size or 0 for file in about.siblings or ()}
        wanted = wanted_files(files)
        revision = str(about.sha)

        def fetch(names: Iterable[str]) -> Path:
            return Path(
                snapshot_download(name, revision=revision, allow_patterns=list(names), endpoint=hub, cache_dir=cache)
            )  # fmt: skip

        if "config.json" not in wanted:
            raise ImportRefused(f"{name} has no config.json: it is no model that transformers can load")
        accept((fetch(["config.json"]) / "config.json").read_bytes())
        size = sum(files[file] for file in wanted) / 1e6
        say(f"fetching {len(wanted)} files, {size:,.0f} MB, of {name} at {revision[:12]} into {cache or HF_HUB_CACHE} …")
        return Download(folder=fetch(wanted), revision=revision)
    except OfflineModeIsEnabled as error:
        raise ImportRefused(f"HF_HUB_OFFLINE forbids to ask the network: unset it, or {_BY_HAND.format(name=name)}") from error
    except GatedRepoError as error:
        raise ImportRefused(
            f"{name} is given only to who accepted its terms: accept them on its page, then log in with 'hf auth login', or "
            f"{_BY_HAND.format(name=name)}"
        ) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise ImportRefused(
            f"there is no folder {name} here, and no public model of that name at {hub}: check the spelling"
        ) from error
    except (HTTPError, OSError) as error:
        raise ImportRefused(f"{hub} cannot be reached ({_reason(error)}): {_BY_HAND.format(name=name)}") from error


def wanted_files(files: Iterable[str]) -> list[str]:
    """Of a repository's files those that an import reads: safetensors where there are any, else torch's own weights."""
    names = sorted(files)
    small = [name for name in names if _SMALL_FILES.fullmatch(name)]
    for pattern in _WEIGHTS:
        weights = [name for name in names if pattern.fullmatch(name)]
        if weights:
            return small + weights
    return small


def _reason(error: BaseException) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
