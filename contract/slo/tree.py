"""A file of YAML as values, and as nodes that know their lines. What cannot be read is told with its line as well."""

import re
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import Node, ScalarNode
from yaml.reader import ReaderError

from contract.errors import BadInput
from contract.slo.text import shown

# Objectives need five. Python itself gives up at some hundred, without saying where.
DEEPEST = 20
_KINDS = {"int": "whole number", "float": "number", "bool": "true or false", "timestamp": "date"}

# An escape such as \ud83d, as JSON has it for a half: no UTF-8 can be made of it.
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Refused(yaml.MarkedYAMLError):
    """YAML that we do not take. Its problem says how to mend it."""


class _Loader(yaml.SafeLoader):
    """Tells where a value stands that is none (2001-13-45), and where nesting goes on without an end."""

    _depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        self._depth += 1
        if self._depth > DEEPEST:
            problem = f"nested more than {DEEPEST} deep: close a bracket before, or write it flat"
            raise _Refused(problem=problem, problem_mark=self.get_mark())
        node: Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_object(self, node: Node, deep: bool = False) -> Any:
        try:
            value = super().construct_object(node, deep)
        # PyYAML lets through whatever Python says of the text.
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            kind = _KINDS.get(node.tag.rpartition(":")[2], node.tag)
            what = shown(node.value) if isinstance(node, ScalarNode) else "this"
            problem = f"{what} is no {kind} that can be read: change it, or put it in quotes where it is a text"
            raise _Refused(problem=problem, problem_mark=node.start_mark) from error
        if isinstance(value, str) and _SURROGATE.search(value):
            problem = f"{shown(value)} holds half a character: write the character itself"
            raise _Refused(problem=problem, problem_mark=node.start_mark)
        return value


def read_tree(path: Path) -> tuple[Node | None, Any]:
    """The nodes and the values; None and None of an empty file. Raises BadInput: it cannot be read, or is no YAML."""
    text = _text(path)
    try:
        # Twice: building values puts what is merged (`<<`) into the nodes, as if it stood there.
        return yaml.compose(text, Loader=_Loader), yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        if isinstance(error, _Refused):
            raise BadInput(f"{path}:{line}: {error.problem}") from error
        raise BadInput(f"{path}:{line}: no YAML: {error.problem}; mend the line, or the one before it") from error
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        found = f"U+{error.character:04X} is no character of a text"
        raise BadInput(f"{path}:{line}: {found}: take it out, or save the file as UTF-8") from error


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: {error}; name a file of objectives, such as ops/slo.yaml") from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{path}:{line}: byte 0x{data[error.start]:02x} is no UTF-8: save the file as UTF-8") from error
