"""docker-compose.yml as tests read it."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
FILE = ROOT / "docker-compose.yml"
SECRETS_VARIABLE = "NABIZ_SECRETS"
_REFERENCE = re.compile(r"\$(?:(\$)|\{(\w+)(?:(:[-?])([^}]*))?\}|(\w+))")


def compose(**variables: str) -> dict[str, Any]:
    """The file with its references to variables filled in as Docker Compose does. Raises KeyError with the file's own message."""
    text = FILE.read_text(encoding="utf-8")
    return filled(yaml.safe_load(text), {SECRETS_VARIABLE: "./deploy/secrets"} | variables)  # type: ignore[no-any-return]


def filled(value: Any, variables: dict[str, str]) -> Any:
    """Every text in a nest of dictionaries and lists."""
    if isinstance(value, dict):
        return {key: filled(entry, variables) for key, entry in value.items()}
    if isinstance(value, list):
        return [filled(entry, variables) for entry in value]
    return _REFERENCE.sub(lambda match: _value(match, variables), value) if isinstance(value, str) else value


def _value(match: re.Match[str], variables: dict[str, str]) -> str:
    dollar, name, operator, operand, bare = match.groups()
    if dollar:
        return "$"
    found = variables.get(name or bare, "")
    if found or operator is None:
        return found
    if operator == ":?":
        raise KeyError(operand)
    return str(operand)
