"""What `python -m ops.generate` writes is committed as it would write it now."""

from pathlib import Path

import pytest

from contract.keys import GRAMMAR
from contract.metrics import ALL
from ops.generate.__main__ import FILES, main

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", FILES)
def test_a_generated_file_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text() == FILES[name](), "run `python -m ops.generate` and commit the result"


def test_check_tells_what_is_out_of_date_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ops.generate.__main__.ROOT", tmp_path)
    assert main(["--check"]) == 1
    assert "docs/metrics.md is out of date" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
    assert main([]) == 0
    assert main(["--check"]) == 0
    assert (tmp_path / "docs" / "metrics.md").read_text() == FILES["docs/metrics.md"]()


def test_every_kind_of_key_and_every_metric_has_a_row() -> None:
    layout, metrics = FILES["docs/redis-layout.md"](), FILES["docs/metrics.md"]()
    for kind, (tag, _) in GRAMMAR.items():
        assert f"| {kind} | `<prefix>:g<generation>:{tag}" in layout
    for metric in ALL:
        assert f"| `{metric.name}` | {metric.type} |" in metrics
