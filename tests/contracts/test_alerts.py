"""The alert rules parse, and speak of figures that the services keep."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY

import pyispyb_auth.figures
import pyispyb_chassis.figures
import pyispyb_ssx.figures

ROOT = Path(__file__).parents[2]
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
SCRAPED = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text())
KEPT_BY = (pyispyb_auth.figures, pyispyb_chassis.figures, pyispyb_ssx.figures)
PROMETHEUS_OWN = {"up": {"job", "instance"}}
MADE_BY_SCRAPING = {"job", "instance", "le"}


def kept() -> dict[str, set[str]]:
    """Each figure by the name it is scraped by, with its labels."""
    assert KEPT_BY, "what keeps figures is imported"
    found: dict[str, set[str]] = dict(PROMETHEUS_OWN)
    for collector, names in REGISTRY._collector_to_names.items():  # noqa: SLF001 - no public list
        for name in names:
            found[name] = set(getattr(collector, "_labelnames", ())) | MADE_BY_SCRAPING
    return found


def selectors(node: Any) -> Iterator[Any]:
    """Every selector of an expression."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for name in ("expr", "lhs", "rhs", "vector_selector", "args"):
        inner = getattr(node, name, None)
        for one in inner if isinstance(inner, list) else [inner]:
            if one is not None:
                yield from selectors(one)


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_a_rule_speaks_of_what_is_kept(rule: dict[str, Any]) -> None:
    used = list(selectors(promql_parser.parse(rule["expr"])))
    assert used
    for selector in used:
        assert selector.name in kept()
        for matcher in selector.matchers.matchers:
            assert matcher.name in kept()[selector.name], matcher.name


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_a_rule_says_what_to_do(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert set(rule["annotations"]) == {"summary", "look"}
    by = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    lists = re.findall(r"by \(([\w, ]+)\)", rule["expr"])
    grouped = {name for names in lists for name in names.split(", ")}
    assert by <= (grouped or {"job", "instance"})


def test_names_are_given_once() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


def test_each_service_is_scraped_at_its_inside_port() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for name in ("auth", "core", "ssx"):
        inside = compose[name]["environment"][f"ISPYB_{name.upper()}__INSIDE_LISTEN"]
        [job] = [one for one in SCRAPED["scrape_configs"] if one["job_name"] == name]
        [found] = job["dns_sd_configs"]
        assert (found["names"], found["port"]) == ([name], int(inside.rpartition(":")[2]))
