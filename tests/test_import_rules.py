"""Import rules that import-linter cannot see: names inside a library, and folders that are no package.

The rules between packages are in pyproject.toml and run with `make lint`.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("contract", "reranker", "jobs", "online", "plugins", "dags", "ops")
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def imported(source: str) -> set[str]:
    """Every module and name that a source imports, wherever in it, as dotted names."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def within(names: set[str], modules: tuple[str, ...]) -> set[str]:
    """Those of `names` that are one of `modules`, or inside one."""
    return {name for name in names if any(name == module or name.startswith(f"{module}.") for module in modules)}


def test_an_import_inside_a_function_is_seen() -> None:
    source = "def f():\n    from transformers import AutoTokenizer as T\n    import torch.nn\n"
    assert imported(source) == {"transformers", "transformers.AutoTokenizer", "torch.nn"}
    assert within({"torch.nn", "torchmetrics"}, ("torch",)) == {"torch.nn"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_encoding_touches_the_tokenizer(path: Path) -> None:
    tokenizers = ("tokenizers", "transformers.AutoTokenizer", "transformers.PreTrainedTokenizerFast")
    if path != ROOT / "reranker" / "encoding.py":
        assert within(imported(path.read_text()), tokenizers) == set()


@pytest.mark.parametrize("path", sorted((ROOT / "dags").glob("*.py")), ids=lambda path: path.name)
def test_a_dag_names_jobs_as_strings(path: Path) -> None:
    """The scheduler parses DAGs all the time: it must not load Spark or a model for that."""
    ours = within(imported(path.read_text()), ("contract", "reranker", "jobs", "online", "ops", "pacesetter_airflow"))
    assert {name.split(".")[0] for name in ours} <= {"contract", "pacesetter_airflow"}
    heavy = ("torch", "transformers", "pyspark", "great_expectations", "pandas", "numpy")
    assert within(imported(path.read_text()), heavy) == set()


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("online.gateway.app", ("torch", "transformers", "pyspark", "airflow", "pandas", "reranker")),
        ("contract.store.reader", ("torch", "pyspark", "flask", "airflow", "zmq")),
        ("pacesetter_airflow.jobs", ("torch", "pyspark", "jobs", "online", "reranker")),
    ],
)
def test_an_import_really_loads_nothing_heavy(module: str, absent: tuple[str, ...], tmp_path: Path) -> None:
    """As the interpreter sees it, through every library: what is declared above could still come by a detour."""
    program = f"import sys, {module}; print([name for name in {absent!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PATH": "", "AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"
