"""Reads a slo.yaml. What is wrong is told all at once, each line as `file:line: key: what, and how to mend it`."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from yaml.nodes import MappingNode, Node, SequenceNode

from contract.errors import BadInput
from contract.slo.checks import Place, Problem, problems
from contract.slo.schema import BoundObjective, BurnRate, EventObjective, Events, Notify, Patience, Slo, Targets

# By the last word of pydantic's path to them: a key, or the kind of an objective.
_SECTIONS: Mapping[Any, type[BaseModel]] = {
    "burn_rates": BurnRate,
    "patience": Patience,
    "targets": Targets,
    "notify": Notify,
    "events": EventObjective,
    "bound": BoundObjective,
    "total": Events,
    "good": Events,
    "bad": Events,
}


def read_slo(path: Path) -> Slo:
    """Raises BadInput: the file cannot be read, is no YAML, or says what no rule can be made of."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: {error}; name a file of objectives, such as ops/slo.yaml") from error
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        given = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadInput(f"{path}:{line}: no YAML: {error.problem}; mend the line, or the one before it") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadInput(f"{path}: no YAML that can be used: {error}") from error
    if not isinstance(tree, MappingNode):
        raise BadInput(f"{path}:1: no objectives: begin with `objectives:` and list them below it")
    found = list(_written_twice(tree, (), set()))
    try:
        slo = Slo.model_validate(given)
    except ValidationError as error:
        found += [_as_problem(detail) for detail in error.errors()]
    else:
        found += problems(slo)
    if found:
        raise BadInput("\n".join(_line(path, tree, problem) for problem in found))
    return slo


def _written_twice(node: Node, place: Place, seen: set[int]) -> Iterator[Problem]:
    """YAML takes the last of two equal keys without a word. `seen` are nodes that an alias may lead back to."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, MappingNode):
        keys = set()
        for key, value in node.value:
            if key.value in keys:
                yield (*place, key.value), "stands there twice: keep one"
            keys.add(key.value)
            yield from _written_twice(value, (*place, key.value), seen)
    elif isinstance(node, SequenceNode):
        for number, value in enumerate(node.value):
            yield from _written_twice(value, (*place, number), seen)


def _as_problem(detail: ErrorDetails) -> Problem:
    """Of an objective pydantic names the kind as well, which does not stand in the file as a key."""
    place = tuple(part for at, part in enumerate(detail["loc"]) if not (at == 2 and detail["loc"][0] == "objectives"))
    match detail["type"]:
        case "missing":
            return place[:-1], f"lacks `{place[-1]}`: add it"
        case "extra_forbidden":
            known = _known_keys(detail["loc"])
            near = get_close_matches(str(place[-1]), known, n=1)
            meant = f"did you mean `{near[0]}`? " if near else ""
            return place, f"no such key: {meant}known are {', '.join(known)}"
        case "union_tag_not_found" | "union_tag_invalid":
            return place, "needs a `kind`: write `kind: events` or `kind: bound`"
        case "value_error":
            return place, str(detail["ctx"]["error"])
        case _:
            return place, f"{detail['msg']}, not {detail['input']!r}: change it"


def _known_keys(place: Place) -> list[str]:
    """Of the section that the last part of `place` stands in."""
    section = next((_SECTIONS[part] for part in reversed(place[:-1]) if part in _SECTIONS), Slo)
    return list(section.model_fields)


def _line(path: Path, tree: Node, problem: Problem) -> str:
    place, what = problem
    named = ".".join(map(str, place))
    return f"{path}:{_line_of(tree, place)}: {f'{named}: ' if named else ''}{what}"


def _line_of(node: Node, place: Place) -> int:
    """Where the key or entry stands; of one that is not there, where the one around it begins."""
    line: int = node.start_mark.line + 1
    for part in place:
        if isinstance(node, MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if not found:
                break
            # Of a key that stands there twice, the second is too much.
            key, node = found[-1]
            line = key.start_mark.line + 1
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line
