"""The exact command of every task is pinned, and every verb takes the arguments that it is given."""

import importlib
import shlex

import pytest

from contract.settings import Settings
from jobs.__main__ import VERBS
from tests.dags.rendered_commands import COMMANDS, rendered_commands


def test_the_commands_are_those_that_are_committed() -> None:
    """On purpose? `python -m tests.dags.rendered_commands` writes them anew: look at the difference."""
    assert rendered_commands().splitlines() == COMMANDS.read_text().splitlines()


@pytest.mark.parametrize(
    "command", [line for line in COMMANDS.read_text().splitlines() if line.startswith(("python ", "spark-submit "))]
)
def test_a_verb_takes_its_arguments(command: str) -> None:
    words = shlex.split(command)
    start = next(place for place, word in enumerate(words) if word == "jobs" or word.endswith("jobs/__main__.py")) + 1
    verb, *arguments = words[start:]
    parser = importlib.import_module(VERBS[verb][0]).arg_parser(Settings(_env_file=None))
    parsed = parser.parse_args(arguments)
    if "--date" in arguments:
        assert parsed.date == "2011-11-20"
