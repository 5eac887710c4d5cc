"""Reads a slo.yaml. What is wrong is told all at once, each line as `file:line: key: what, and how to mend it`."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError
from yaml.nodes import MappingNode, Node, SequenceNode

from contract.errors import BadInput
from contract.slo.checks import Place, Problem, problems
from contract.slo.schema import Slo
from contract.slo.tree import read_tree
from contract.slo.words import as_problem


def read_slo(path: Path) -> Slo:
    """Raises BadInput: the file cannot be read, is no YAML, or says what no rule can be made of."""
    tree, given = read_tree(path)
    if not isinstance(tree, MappingNode):
        raise BadInput(f"{path}:1: no objectives: begin with `objectives:` and list them below it")
    found = list(_written_twice(tree, (), set()))
    try:
        slo = Slo.model_validate(given)
    except ValidationError as error:
        found += [as_problem(detail) for detail in error.errors()]
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
