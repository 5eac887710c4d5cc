"""Settings: one list of them, and no mistake in them passes in silence."""

from pathlib import Path

import pytest
from dotenv import dotenv_values

from contract.errors import BadInput
from contract.settings import Settings, example, read_settings, variables

PROJECT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what the caller's own environment sets."""
    for name in variables():
        monkeypatch.delenv(name, raising=False)


def test_the_example_is_what_the_settings_say() -> None:
    generated = example()
    assert (PROJECT / ".env.example").read_text() == generated, "run `python -m contract.settings > .env.example`"


def test_the_example_read_as_it_stands_changes_nothing(tmp_path: Path) -> None:
    # Every line uncommented: each default is written in the form that is read.
    lines = [line[1:] if line.startswith("#PACE_") else line for line in example().splitlines()]
    (tmp_path / ".env").write_text("\n".join(lines))
    assert set(dotenv_values(tmp_path / ".env")) == variables()
    assert read_settings(tmp_path / ".env") == Settings(_env_file=None)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("PACE_GATEWAY__PORT=8100\nPACE_RANKER__THREADS=3\nSOMEBODY_ELSES=1\n")
    monkeypatch.setenv("PACE_GATEWAY__PORT", "8200")
    settings = read_settings(tmp_path / ".env")
    assert (settings.gateway.port, settings.ranker.threads) == (8200, 3)


def test_no_file_is_fine(tmp_path: Path) -> None:
    assert read_settings(tmp_path / ".env") == read_settings(None)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("PACE_GATEWAY_PORT", "PACE_GATEWAY__PORT"),
        ("PACE_REDIS__URI", "PACE_REDIS__URL"),
        ("pace_night__lakes", "PACE_NIGHT__LAKE"),
    ],
)
def test_an_unknown_variable_is_refused_with_what_was_meant(
    name: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "x")
    with pytest.raises(BadInput, match=rf"{name} is no setting; did you mean {meant}\?"):
        read_settings(None)


def test_a_wait_that_leaves_no_slate_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACE_SLATES__DAYS", "1")
    with pytest.raises(BadInput, match=r"PACE_SLATES: .*attribution_hours leave no slate"):
        read_settings(None)
    monkeypatch.setenv("PACE_SLATES__ATTRIBUTION_HOURS", "23")
    assert read_settings(None).slates.days == 1


def test_an_unknown_variable_in_the_file_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PACE_QQQ=1\n")
    with pytest.raises(BadInput, match=r"PACE_QQQ is no setting$"):
        read_settings(tmp_path / ".env")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PACE_GATEWAY__PORT", "80000"),
        ("PACE_GATEWAY__PORT", "eighty"),
        ("PACE_REDIS__TIMEOUT_SECONDS", "0"),
        ("PACE_LOG__LEVEL", "LOUD"),
        ("PACE_CANDIDATES__QUOTAS", '{"als": "much"}'),
        ("PACE_CANDIDATES__QUOTAS", "als=1"),
        ("PACE_CHECKS__OLDEST_EVENT", "long ago"),
        ("PACE_CHECKS__COVERAGE_MIN", "1.5"),
        ("PACE_PRUNE__WIDTHS", "[1.0, 0]"),
        ("PACE_PRUNE__LAYERS", "[0]"),
        ("PACE_PRUNE__LAYERS", "6"),
        ("PACE_TRAINING__HEAD_RATE", "inf"),
    ],
)
def test_a_bad_value_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadInput, match=name):
        read_settings(None)


@pytest.mark.parametrize(
    ("name", "field"), [("PACE_TRAINING__TASK", "task"), ("pace_night__positive_types", "positive.types")]
)
def test_a_variable_whose_fact_moved_to_the_scenario_is_refused_with_its_place(
    name: str, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "basket")
    with pytest.raises(BadInput, match=rf"{name} is no setting any more: it is `{field}` in .*PACE_NIGHT__SCENARIO"):
        read_settings(None)


def test_every_bad_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACE_GATEWAY__PORT", "0")
    monkeypatch.setenv("PACE_RANKER__THREADS", "none")
    with pytest.raises(BadInput, match=r"PACE_GATEWAY__PORT.*PACE_RANKER__THREADS"):
        read_settings(None)


def test_settings_do_not_change_once_read() -> None:
    settings = read_settings(None)
    with pytest.raises(ValueError, match="frozen"):
        settings.redis = settings.redis  # type: ignore[misc]
    with pytest.raises(ValueError, match="frozen"):
        settings.gateway.port = 1  # type: ignore[misc]


def test_what_listens_listens_on_loopback() -> None:
    settings = Settings(_env_file=None)
    assert settings.gateway.host == settings.ranker.host == settings.mail.host == "127.0.0.1"
    for url in (settings.redis.url, settings.events.url, settings.ranker.endpoint, settings.monitoring.prometheus_url):
        assert "//127.0.0.1:" in url
