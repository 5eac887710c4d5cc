"""docker/Dockerfile without Docker: what it copies and installs is there, and the gateway's image stays small."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONSTRAINED = {
    re.split(r"[=\[;]", line, maxsplit=1)[0].lower().replace("_", "-")
    for line in (ROOT / "constraints.txt").read_text().splitlines()
}


def stages() -> dict[str, tuple[str, str]]:
    """Each target's parent and text."""
    found = re.findall(r"(?ms)^FROM (\S+) AS (\w+)\n(.*?)(?=^FROM |\Z)", DOCKERFILE)
    return {name: (parent, text.replace("\\\n", " ")) for parent, name, text in found}


def lineage(target: str) -> str:
    """The text of a target and of all that it is built on, oldest first."""
    parent, text = stages()[target]
    return (lineage(parent) if parent in stages() else "") + text


def test_compose_builds_targets_that_exist() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    targets = {service["build"]["target"] for service in services.values() if "build" in service}
    assert targets == {"gateway", "ranker", "spark", "airflow"}
    assert targets <= set(stages())


def test_every_extra_is_one_of_pyproject() -> None:
    extras = {extra for group in re.findall(r'"\.\[([\w,]+)\]"', DOCKERFILE) for extra in group.split(",")}
    assert extras == {"gateway", "ranker", "jobs", "airflow", "postgres"}
    assert extras <= set(PROJECT["optional-dependencies"])


def test_every_install_of_packages_is_constrained() -> None:
    installs = re.findall(r"pip install (.*)", DOCKERFILE.replace("\\\n", " "))
    assert installs
    assert all(line.startswith(("-c constraints.txt", "--no-deps")) for line in installs)


def test_every_dependency_of_the_images_is_in_the_constraints() -> None:
    extras = PROJECT["optional-dependencies"]
    wanted = [
        *PROJECT["dependencies"],
        *(d for e in ("gateway", "ranker", "jobs", "airflow", "postgres") for d in extras[e]),
    ]
    names = {re.split(r"[<>=\[;~! ]", dependency, maxsplit=1)[0].lower().replace("_", "-") for dependency in wanted}
    assert names - CONSTRAINED == set()


def test_the_gateway_has_neither_torch_nor_airflow_nor_spark() -> None:
    text = lineage("gateway")
    assert '".[gateway]"' in text
    for heavy in ("torch", "ranker]", "jobs]", "airflow]", "openjdk", "COPY reranker", "COPY jobs"):
        assert heavy not in text, heavy


def test_what_is_copied_exists_and_is_let_into_the_context() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for sources in re.findall(r"(?m)^COPY (?:--\S+ )*(.+)$", DOCKERFILE):
        for source in sources.split()[:-1]:
            assert list(ROOT.glob(source)), source
            assert source in let_in or source.split("/")[0] in let_in, source


def test_nothing_secret_reaches_an_image() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert not any("env" in line for line in ignored if line.startswith("!"))


def test_no_image_runs_as_root() -> None:
    for target in ("gateway", "ranker", "spark", "airflow"):
        users = re.findall(r"(?m)^USER (\S+)$", lineage(target))
        assert users[-1] == "pacesetter", target
