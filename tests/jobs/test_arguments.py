"""What a verb's arguments may be."""

import pytest

from contract.settings import Settings
from jobs.model import adapt, evaluate


@pytest.mark.parametrize("number", ["0", "-3", "2.5", "many"])
def test_a_count_is_one_or_more(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    for verb, name in ((adapt, "--epochs"), (evaluate, "--depth")):
        parser = verb.arg_parser(Settings(_env_file=None))
        with pytest.raises(SystemExit):
            parser.parse_args([f"{name}={number}"])
        assert f"argument {name}: '{number}': give a whole number, 1 or more" in capsys.readouterr().err
