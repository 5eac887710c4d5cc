"""The gateway's image is small because of what it does not import."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "tokenizers", "reranker", "pyspark", "airflow", "pandas", "pyarrow", "online.ranker")


@pytest.mark.parametrize("module", ["online.gateway.__main__", "online.gateway.wsgi"])
def test_the_gateway_imports_no_model_and_no_batch(module) -> None:
    asked = f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])"

    found = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"


def test_importing_reads_no_settings_and_opens_nothing() -> None:
    asked = "import online.gateway.wsgi, online.gateway.__main__, online.ranker.__main__"

    found = subprocess.run(
        [sys.executable, "-c", asked], env={"PACE_GATEWAY__PORT": "no port"}, capture_output=True, text=True
    )

    assert found.returncode == 0, found.stderr


def test_a_setting_that_does_not_hold_is_said_in_one_line() -> None:
    for module in ("online.gateway", "online.ranker"):
        found = subprocess.run(
            [sys.executable, "-m", module], env={"PACE_GATEWAY__PORT": "no port"}, capture_output=True, text=True
        )

        assert found.returncode == 2
        assert "PACE_GATEWAY__PORT" in found.stderr
        assert "Traceback" not in found.stderr
