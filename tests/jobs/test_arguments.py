"""What a verb's arguments may be."""

import pytest

from contract.settings import Settings
from jobs.__main__ import main
from jobs.model import adapt, evaluate, promote


@pytest.mark.parametrize("number", ["0", "-3", "2.5", "many"])
def test_a_count_is_one_or_more(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    for verb, name in ((adapt, "--epochs"), (evaluate, "--depth")):
        parser = verb.arg_parser(Settings(_env_file=None))
        with pytest.raises(SystemExit):
            parser.parse_args([f"{name}={number}"])
        assert f"argument {name}: '{number}': give a whole number, 1 or more" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["gate", "promote", "register", "train"])
def test_a_date_that_is_none_is_refused_by_every_verb(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--date", "2026-13-01"]) == 1
    assert f"pacesetter {verb}: BadInput: --date '2026-13-01': give YYYY-MM-DD or latest" in capsys.readouterr().err


def test_a_reason_has_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        promote.arg_parser(Settings(_env_file=None)).parse_args(["--force", " "])
    assert "argument --force: give the reason" in capsys.readouterr().err
