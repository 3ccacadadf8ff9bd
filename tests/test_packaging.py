"""Lower bounds of the dependencies, and what the long description shows on a package index."""

import re
import tomllib
from importlib import metadata

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONSTRAINTS = dict(
    line.split("==")
    for line in (ROOT / "tests" / "constraints-lowest.txt").read_text().splitlines()
    if not line.startswith("#")
)


def bounds():
    extras = PROJECT["optional-dependencies"]
    required = [name for name in extras["test"] if name != "surrogacy[simulate]"]
    for requirement in (*PROJECT["dependencies"], *required, *extras["simulate"]):
        match = re.match(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?>=([0-9.]+)", requirement)
        assert match, f"{requirement} has no lower bound"
        yield match[1].lower().replace("_", "-"), match[2]


def test_every_lower_bound_is_the_one_that_is_tested():
    for name, bound in bounds():
        tested = CONSTRAINTS[name].split(".")
        assert tested[: len(bound.split("."))] == bound.split("."), name


def test_the_long_description_has_no_link_that_leads_nowhere():
    text = metadata.metadata("surrogacy").get_payload() or metadata.metadata("surrogacy")["Description"]
    assert "Does a treatment effect" in text
    assert not re.findall(r"\]\((?!https?:|#)[^)]*\)", text)
