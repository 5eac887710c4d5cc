"""What is no YAML, or no value, is told with its line too."""

from pathlib import Path

import pytest

from tests.contract.slo_file import LINES, told, written

TEXT = "\n".join(LINES.values()) + "\n"


@pytest.mark.parametrize(
    ("data", "line", "said"),
    [
        (TEXT.replace("are quick", "sont r\u00e9ussis").encode("latin-1"), 9, "byte 0xe9 is no UTF-8: save"),
        (TEXT.encode("utf-16"), 1, "is no UTF-8: save the file as UTF-8"),
        (TEXT.encode("utf-16-le"), 1, "U+0000 is no character of a text: take it out, or save the file as UTF-8"),
        (TEXT.replace("are quick", "are \0quick").encode(), 9, "U+0000 is no character of a text"),
        (TEXT.replace("86400", "9" * 5000).encode(), 20, "is no whole number that can be read"),
        (TEXT.replace("A day at most", "2001-13-45").encode(), 18, "'2001-13-45' is no date that can be read"),
        (TEXT.replace("A day at most", "!!timestamp soon").encode(), 18, "'soon' is no date that can be read"),
        (TEXT.replace("A day at most", "!!bool soon").encode(), 18, "'soon' is no true or false that can be read"),
        (TEXT.replace("86400", '!!int ""').encode(), 20, "'' is no whole number that can be read"),
        (TEXT.replace("A day at most", '"a \\ud83d day"').encode(), 18, "'a \\ud83d day' holds half a character"),
        (TEXT.replace("86400", "[" * 5000 + "]" * 5000).encode(), 20, "nested more than 20 deep"),
        (TEXT.replace("86400", "[" * 5000).encode(), 20, "nested more than 20 deep"),
    ],
    ids=["latin-1", "utf-16", "utf-16 without a mark", "nul", "digits", "date", "no date", "bool", "int",
         "half", "deep", "open"],
)  # fmt: skip
def test_the_line_is_told(tmp_path: Path, data: bytes, line: int, said: str) -> None:
    path = tmp_path / "slo.yaml"
    path.write_bytes(data)
    (only,) = told(path)
    assert only.startswith(f"{path}:{line}: ")
    assert said in only
    assert len(only) < 300


def test_aliases_that_multiply_are_told_in_a_line(tmp_path: Path) -> None:
    """Six lists, each of ten times the one before: written out they would be a million texts."""
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 6)]
    path = written(tmp_path, l1="\n".join(levels) + "\nbudget: *a5\njudged: *a5\nminimum_events: *a5\nnotify: *a5")
    assert max(map(len, told(path))) < 300
