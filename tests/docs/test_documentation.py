"""The documentation against the code: links lead somewhere, names exist, nothing is left out."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from contract.settings import variables
from jobs.__main__ import VERBS

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "data").rglob("*.md"))]
DECISIONS = ROOT / "docs" / "decisions"


def read(name: str) -> str:
    return (ROOT / name).read_text()


def anchors(page: Path) -> set[str]:
    """The anchors that a Markdown page has, as web hosts make them of titles."""
    titles = re.findall(r"(?m)^#+ (.+)$", without_code(page.read_text()))
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def without_code(text: str) -> str:
    return re.sub(r"(?ms)^```.*?^```$", "", text)


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_relative_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert ROOT in [target, *target.parents], link
        if anchor:
            assert anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_file_that_is_named_exists(page: Path) -> None:
    """`jobs/events/load.py` and the like, in running text."""
    if page.name == "CHANGELOG.md":  # names what was, too
        return
    tops = "contract|reranker|jobs|online|plugins|dags|ops|docker|docs|tests|benchmarks|data"
    named = re.findall(rf"`((?:{tops})/[\w./-]+)`", without_code(page.read_text()))
    assert [name for name in named if not (ROOT / name).exists() and not (ROOT / f"{name}.py").exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_setting_that_is_named_exists(page: Path) -> None:
    named = set(re.findall(r"\bPACE_[A-Z0-9_]*[A-Z0-9]\b", page.read_text()))
    assert named - variables() == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_verb_that_is_named_exists(page: Path) -> None:
    named = re.findall(r"python -m jobs (\w+)", page.read_text())
    assert set(named) - set(VERBS) - {"VERB"} == set()


def test_every_module_of_ours_that_is_to_be_run_exists() -> None:
    for page in PAGES:
        for module in re.findall(r"python -m ((?:contract|ops|benchmarks|tests|online)[\w.]*)", page.read_text()):
            path = ROOT / module.replace(".", "/")
            assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), f"{page.name}: {module}"


def test_every_decision_is_listed() -> None:
    listed = {name for name in links(DECISIONS / "README.md") if "/" not in name}
    assert listed == {page.name for page in DECISIONS.glob("*.md")} - {"README.md"}


def tasks_of(dag: Path) -> list[str]:
    """The ids of the jobs that a DAG's file makes: `task_id`, or the verb."""
    calls = [
        node
        for node in ast.walk(ast.parse(dag.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("spark_job", "python_job", "model_job", "approval")
    ]
    return [
        next((ast.literal_eval(k.value) for k in call.keywords if k.arg == "task_id"), ast.literal_eval(call.args[0]))
        for call in calls
    ]


@pytest.mark.parametrize("dag", sorted((ROOT / "dags").glob("*.py")), ids=lambda dag: dag.stem)
def test_the_runbook_has_a_section_for_the_dag_and_a_row_for_every_task(dag: Path) -> None:
    _, _, after = read("docs/runbook/dags.md").partition(f"## {dag.stem}\n")
    section = after.partition("\n## ")[0]
    assert section
    assert [task for task in tasks_of(dag) if f"| `{task}` |" not in section] == []
    assert tasks_of(dag) or dag.stem == "sla_check"


def test_the_tree_of_the_architecture_is_the_tree() -> None:
    """Every package and every folder of the two large ones has a line."""
    tree = read("docs/architecture.md").partition("## The tree")[2].partition("```")[2].partition("```")[0]
    named = {line.split()[0].rstrip("/") for line in tree.splitlines() if line.strip()}
    packages = {
        "contract",
        "reranker",
        "jobs",
        "online",
        "plugins",
        "dags",
        "ops",
        "docker",
        "tests",
        "benchmarks",
        "data",
    }
    folders = {
        folder.name
        for parent in ("jobs", "online", "contract", "ops")
        for folder in (ROOT / parent).iterdir()
        if (folder / "__init__.py").exists()
    }
    assert packages | folders <= named


def test_the_hooks_run_what_the_environment_has() -> None:
    """Local hooks alone: nothing is fetched; and the settings' own check of them holds."""
    hooks = yaml.safe_load(read(".pre-commit-config.yaml"))
    assert [repository["repo"] for repository in hooks["repos"]] == ["local"]
    programs = {hook["entry"].split()[0] for hook in hooks["repos"][0]["hooks"]}
    assert programs <= {f".venv/bin/{name}" for name in ("ruff", "mypy", "lint-imports", "python")} | {"bash"}
    dev = " ".join(tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"]["dev"])
    for package in ("ruff", "mypy", "import-linter", "pre-commit"):
        assert package in dev


def test_the_licence_is_apache_2() -> None:
    assert "Apache License\n                           Version 2.0, January 2004" in read("LICENSE")
    assert tomllib.loads(read("pyproject.toml"))["project"]["license"] == "Apache-2.0"
