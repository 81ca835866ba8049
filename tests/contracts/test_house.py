"""The places that must agree: services, commands, pins, documents, names."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from pyispyb_local.first_steps import first_steps
from pyispyb_local.plan import SERVICES

ROOT = Path(__file__).parents[2]
ROOMS = (
    "chassis",
    "gateway",
    "local",
    "deploy",
    "conformance",
    *[f"services/{name}" for name in SERVICES],
)
MODULES = sorted(
    path.relative_to(ROOT) for room in ROOMS for path in (ROOT / room / "src").rglob("*.py")
)
PACKAGES = (
    "pyispyb_chassis",
    "pyispyb_gateway",
    "pyispyb_local",
    "pyispyb_deploy",
    "pyispyb_conformance",
    *[f"pyispyb_{s}" for s in SERVICES],
)
DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for pattern in ("*.md", "docs/**/*.md", "gateway/*.md", "services/*/*.md")
    for path in ROOT.glob(pattern)
)
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc"}


def text(path: str | Path) -> str:
    """A file of the tree."""
    return (ROOT / path).read_text(encoding="utf-8")


def toml(path: str) -> dict:
    """A TOML file of the tree."""
    return tomllib.loads(text(path))


def name_of(requirement: str) -> str:
    """A package's name as the index writes it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[=<>~!\[; ]", requirement, maxsplit=1)[0]).lower()


def named_in_makefile(variable: str) -> list[str]:
    """The words of a Makefile variable."""
    return re.search(rf"^{variable} := (.*)$", text("Makefile"), re.MULTILINE)[1].split()


PINS = [line for line in text("constraints.txt").splitlines() if line]
TARGETS = dict(re.findall(r"^([a-z-]+):.*?## (.*)$", text("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("line", PINS)
def test_a_pin_is_a_name_and_a_version_and_names_no_index(line: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)
    assert not any(word in line for word in ("://", "--index", "--find-links"))


@pytest.mark.parametrize("room", ROOMS)
def test_every_dependency_is_pinned(room: str) -> None:
    named = {name_of(one) for one in toml(f"{room}/pyproject.toml")["project"]["dependencies"]}
    ours = {package.replace("_", "-") for package in PACKAGES}
    assert named - ours <= {name_of(pin) for pin in PINS}


def test_every_tool_is_pinned() -> None:
    tools = [line for line in text("requirements-dev.in").splitlines() if not line.startswith("#")]
    assert {name_of(tool) for tool in tools} <= {name_of(pin) for pin in PINS}
    assert all(name_of(tool) == tool.lower() for tool in tools), "names only, versions are pins"


def test_no_pin_is_for_a_package_of_ours() -> None:
    assert not [pin for pin in PINS if pin.lower().startswith("pyispyb")]


def test_the_places_that_list_the_services_agree() -> None:
    folders = {path.name for path in (ROOT / "services").iterdir() if (path / "src").is_dir()}
    compose = yaml.safe_load(text("docker-compose.yml"))["services"]
    kong = yaml.safe_load(text("gateway/kong.yml"))
    contracts = toml("pyproject.toml")["tool"]["importlinter"]
    independent = next(one for one in contracts["contracts"] if one["type"] == "independence")
    assert folders == set(SERVICES)
    assert set(named_in_makefile("SERVICES")) == folders
    assert set(named_in_makefile("ROOMS")) == set(ROOMS)
    assert folders <= set(compose)
    assert folders <= {service["name"].split("-")[0] for service in kong["services"]}
    assert set(contracts["root_packages"]) == set(PACKAGES)
    assert {f"pyispyb_{name}" for name in folders} <= set(independent["modules"])


def test_readme_shows_what_make_run_prints() -> None:
    assert f"```bash\n{first_steps()}\n```" in text("README.md")


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_command_that_a_document_names_exists(document: Path) -> None:
    block = re.compile(r"`make ([a-z-]+)[^`]*`|^make ([a-z-]+)", re.MULTILINE)
    named = {first or second for first, second in block.findall(text(document))}
    assert named <= set(TARGETS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_link_between_documents_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", text(document))
    here = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in here if not (ROOT / document.parent / link).exists()] == []


def test_make_alone_lists_every_target() -> None:
    assert {"run", "stop", "logs", "test", "check", "format", "contracts", "pins"} < set(TARGETS)
    phony = set(re.findall(r"^\.PHONY: (\S+)$", text("Makefile"), re.MULTILINE))
    assert phony - {"peers"} == set(TARGETS)


def test_ci_runs_everything_and_forgives_nothing() -> None:
    script = text(".ci/run")
    assert "set -euo pipefail" in script
    assert script.rstrip().endswith("exec make check")
    assert re.search(r"^check: lint test ", text("Makefile"), re.MULTILINE)
    for path in (".ci/run", "Makefile"):
        assert not re.search(r"\|\| *(true|:)\b", text(path)), path


def test_contributing_says_it_in_six_lines_each() -> None:
    parts = re.split(r"^## ", text("CONTRIBUTING.md"), flags=re.MULTILINE)[1:]
    titles = [part.splitlines()[0] for part in parts]
    assert titles == [
        "Declare a noun",
        "Add a workflow",
        "Add an authentication provider",
        "Add a service",
    ]
    for part in parts:
        assert re.findall(r"^(\d)\. ", part, re.MULTILINE) == list("123456"), part.splitlines()[0]


def test_contributing_names_places_that_exist() -> None:
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", text("CONTRIBUTING.md"))
    places = [
        place
        for place in named
        if not place.startswith(("resources", "operations", "providers", "pyispyb_local"))
    ]
    assert len(places) > 5
    assert [place for place in places if not (ROOT / place).exists()] == []


@pytest.mark.parametrize(
    "record", sorted((ROOT / "docs/decisions").glob("*.md")), ids=lambda p: p.stem
)
def test_a_decision_record_is_short_and_whole(record: Path) -> None:
    lines = record.read_text(encoding="utf-8").splitlines()
    number = int(record.name[:4])
    assert lines[0].startswith(f"# {number}. ")
    assert len(lines) < 30
    assert any(line.startswith("Status: ") for line in lines)
    headings = [line for line in lines if line.startswith("## ")]
    assert headings == ["## Context", "## Decision", "## Consequences"]


def test_decision_records_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs/decisions").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_says_in_one_line_what_it_holds(module: Path) -> None:
    said = ast.get_docstring(ast.parse(text(module)))
    assert said, "no docstring"
    assert not DRAWERS & set(module.with_suffix("").parts)


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_leaves_nothing_for_later(module: Path) -> None:
    assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", text(module))


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_typed_and_licensed(room: str) -> None:
    recipe = toml(f"{room}/pyproject.toml")["project"]
    package = recipe["name"].replace("-", "_")
    assert (ROOT / room / "src" / package / "py.typed").exists()
    assert recipe["license"] == "Apache-2.0"
    assert recipe["requires-python"] == ">=3.11"
