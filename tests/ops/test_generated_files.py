"""What `python -m ops.generate` writes is committed as it would write it now."""

from pathlib import Path

import pytest
import yaml

from contract.keys import GRAMMAR
from contract.metrics import ALL
from contract.slo import read_slo
from ops.generate.__main__ import OBJECTIVES, generated, main

ROOT = Path(__file__).parents[2]
FILES = generated(read_slo(OBJECTIVES))


@pytest.mark.parametrize("name", FILES)
def test_a_generated_file_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text() == FILES[name], "run `python -m ops.generate` and commit the result"


def test_no_dashboard_is_left_of_what_is_no_longer_generated() -> None:
    there = {str(path.relative_to(ROOT)) for path in (ROOT / "ops" / "grafana" / "dashboards").iterdir()}
    assert there <= set(FILES)


def test_check_tells_what_is_out_of_date_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", "--into", str(tmp_path)]) == 1
    assert "docs/metrics.md is out of date" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
    assert main(["--into", str(tmp_path)]) == 0
    assert main(["--check", "--into", str(tmp_path)]) == 0
    assert (tmp_path / "docs" / "metrics.md").read_text() == FILES["docs/metrics.md"]


def test_a_drill_has_objectives_of_its_own(tmp_path: Path) -> None:
    """Windows of seconds come out in the names of the series, in the alerts and in the routes."""
    (tmp_path / "slo.yaml").write_text(
        """
budget: 10m
judged: 20s
evaluation: 1s
minimum_events: 5
burn_rates:
  - {severity: page, factor: 14.4, long: 30s, short: 5s}
  - {severity: ticket, factor: 1, long: 2m, short: 20s}
notify: {group_wait: 1s, heartbeat_url: "http://127.0.0.1:1/beat"}
objectives:
  - name: all_full
    kind: events
    description: Nearly all are at level full
    percent: 99
    total: {metric: rec_level_total}
    good: {metric: rec_level_total, where: {level: full}}
"""
    )
    assert main(["--objectives", str(tmp_path / "slo.yaml"), "--into", str(tmp_path)]) == 0
    rules = yaml.safe_load((tmp_path / "ops" / "rules" / "slo.yml").read_text())["groups"][0]
    assert rules["interval"] == "1s"
    assert {rule.get("record") for rule in rules["rules"]} >= {
        "slo:sli_error:ratio_rate5s", "slo:sli_error:ratio_rate30s", "slo:sli_error:ratio_rate2m",
        "slo:sli_error:ratio_rate10m", "pace:events:increase30s",
    }  # fmt: skip
    assert [rule["labels"]["severity"] for rule in rules["rules"] if rule.get("alert") == "AllFullBurn"] == [
        "page",
        "ticket",
    ]
    routes = yaml.safe_load((tmp_path / "ops" / "alertmanager.yml").read_text())
    assert routes["route"]["group_wait"] == "1s"
    assert {"name": "heartbeat", "webhook_configs": [{"url": "http://127.0.0.1:1/beat"}]} in routes["receivers"]


def test_a_mistake_in_the_objectives_is_told_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "slo.yaml").write_text(
        "objectives:\n- {kind: bound, name: a, description: b, gauge: nobody, at_most: 1}\n"
    )
    assert main(["--objectives", str(tmp_path / "slo.yaml"), "--into", str(tmp_path / "out")]) == 1
    assert f"{tmp_path}/slo.yaml:2: objectives.0.gauge: nobody is exposed by nobody" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


FRESH = "objectives:\n- {kind: bound, name: %s, description: b, gauge: rec_candidates_age_seconds, at_most: 1}\n"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder" / "ops" / "rules" / "slo.yml").mkdir(parents=True)
    for into in ("/proc/x", tmp_path / "file", tmp_path / "folder"):
        assert main(["--into", str(into)]) == 1
        told = capsys.readouterr().err
        assert told.startswith(f"pacesetter generate: {into}")
        assert told.endswith("; choose another folder with --into\n")


def test_a_file_of_other_bytes_is_out_of_date(tmp_path: Path) -> None:
    assert main(["--into", str(tmp_path)]) == 0
    (tmp_path / "docs" / "metrics.md").write_bytes(b"\xff")
    assert main(["--check", "--into", str(tmp_path)]) == 1


def test_check_advises_what_it_was_called_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own, into = tmp_path / "my slo.yaml", tmp_path / "out"
    own.write_text(FRESH % "generation_fresh")
    assert main(["--check", "--objectives", str(own), "--into", str(into)]) == 1
    told = capsys.readouterr().out.splitlines()
    again = f"run `python -m ops.generate --objectives '{own}' --into {into}`"
    assert f"ops/rules/slo.yml is out of date: {again}" in told
    assert main(["--check", "--objectives", str(own)]) == 1
    told = capsys.readouterr().out.splitlines()
    assert (
        told[0] == f"ops/rules/slo.yml is out of date: run `python -m ops.generate --objectives '{own}'` and commit it"
    )


def test_an_objective_without_its_pages_is_told_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No mistake: whoever has a runbook elsewhere keeps it there."""
    own = tmp_path / "slo.yaml"
    own.write_text(FRESH % "brand_new")
    assert main(["--objectives", str(own), "--into", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().err.splitlines() == [
        f"pacesetter generate: warning: brand_new has no page docs/runbook/BrandNew{kind}.md, which its alert names: "
        "write it, or say in `runbook_url` where your runbook is"
        for kind in ("Miss", "Unknown")
    ]
    own.write_text(FRESH % "generation_fresh")
    assert main(["--objectives", str(own), "--into", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().err == ""


def test_alerts_link_the_runbook_where_it_can_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "slo.yaml"
    own.write_text("runbook_url: https://git.example.com/pages/runbook/\n" + FRESH % "brand_new")
    assert main(["--objectives", str(own), "--into", str(tmp_path)]) == 0
    assert capsys.readouterr().err == ""
    groups = yaml.safe_load((tmp_path / "ops/rules/slo.yml").read_text())["groups"]
    links = {
        rule["alert"]: rule["annotations"]["runbook_url"]
        for group in groups
        for rule in group["rules"]
        if "alert" in rule
    }
    assert links["BrandNewMiss"] == "https://git.example.com/pages/runbook/BrandNewMiss.md"
    assert links["Watchdog"] == "https://git.example.com/pages/runbook/Watchdog.md"


def test_every_kind_of_key_and_every_metric_has_a_row() -> None:
    layout, metrics = FILES["docs/redis-layout.md"], FILES["docs/metrics.md"]
    for kind, (tag, _) in GRAMMAR.items():
        assert f"| {kind} | `<prefix>:g<generation>:{tag}" in layout
    for metric in ALL:
        assert f"| `{metric.name}` | {metric.type} |" in metrics
