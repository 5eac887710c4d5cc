"""Settings out of the environment and `.env`, every variable checked; `.env.example` out of the settings."""

import json
import os
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from dotenv import dotenv_values
from pydantic import ValidationError

from contract.errors import BadInput
from contract.settings.tree import Settings

# Facts of the dataset that were settings once: where the scenario's file has them now.
MOVED = {
    "PACE_NIGHT__SESSION_GAP_SECONDS": "sessions.gap_seconds",
    "PACE_NIGHT__RATING_POSITIVE_FROM": "positive.rating_from",
    "PACE_NIGHT__POSITIVE_TYPES": "positive.types",
    "PACE_TRAINING__TASK": "task",
}


def read_settings(env_file: str | Path | None = ".env") -> Settings:
    """Settings from the environment and `env_file`.

    Raises BadInput that names each variable that does not hold, and each PACE_ variable that is no setting.
    """
    given = {**(dotenv_values(env_file) if env_file else {}), **os.environ}
    _refuse_unknown(set(given))
    _refuse_broken_json(given)
    try:
        return Settings(_env_file=env_file)
    except ValidationError as error:
        lines = [
            f"{_variable(problem['loc'])}: {problem['msg']} (is {problem['input']!r})" for problem in error.errors()
        ]
        raise BadInput("settings: " + "; ".join(lines)) from error


def variables() -> set[str]:
    """The name of every environment variable that is a setting."""
    return {
        _variable((name, field))
        for name, section in Settings.model_fields.items()
        for field in section.annotation.model_fields  # type: ignore[union-attr]
    }


def _variable(path: Sequence[object]) -> str:
    return "PACE_" + "__".join(str(part) for part in path).upper()


def _refuse_unknown(names: set[str]) -> None:
    known = variables()
    for name in sorted(name for name in names if name.upper().startswith("PACE_") and name.upper() not in known):
        if field := MOVED.get(name.upper()):
            raise BadInput(
                f"settings: {name} is no setting any more: it is `{field}` in the file that PACE_NIGHT__SCENARIO names "
                "(ops/scenario.yaml)"
            )
        near = get_close_matches(name.upper(), known, 1)
        raise BadInput(f"settings: {name} is no setting" + (f"; did you mean {near[0]}?" if near else ""))


def _refuse_broken_json(given: dict[str, str | None]) -> None:
    """Lists and maps are read as JSON; pydantic-settings would name their section alone."""
    values = {name.upper(): value for name, value in given.items()}
    for name, section in Settings.model_fields.items():
        for field, info in section.annotation.model_fields.items():  # type: ignore[union-attr]
            default = info.get_default(call_default_factory=True)
            value = values.get(_variable((name, field)))
            if not isinstance(default, tuple | dict) or value is None:
                continue
            wanted, called = (dict, "map") if isinstance(default, dict) else (list, "list")
            try:
                given_kind = isinstance(json.loads(value), wanted)
            except ValueError:
                given_kind = False
            if not given_kind:
                written = json.dumps(default)
                raise BadInput(
                    f"settings: {_variable((name, field))}: no JSON {called} (is {value!r}); its default is written "
                    f"{written}"
                )


def example() -> str:
    """The text of `.env.example`: every setting with its default, commented out."""
    lines = ["# Every setting and its default. Copy to .env and uncomment what you change.", ""]
    for name, section in Settings.model_fields.items():
        lines.append(f"# --- {name}")
        for field, info in section.annotation.model_fields.items():  # type: ignore[union-attr]
            default = info.get_default(call_default_factory=True)
            if isinstance(default, tuple | dict):
                default = json.dumps(default)
            if info.description:
                lines.append(f"# {info.description}")
            lines.append(f"#{_variable((name, field))}={default}")
        lines.append("")
    return "\n".join(lines)
