"""The examples of the docstrings run and give what they show."""

import doctest
from importlib import import_module

import pytest

from tests.conftest import ROOT

MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "surrogacy").rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)
FOLDERS = ("models", "evaluation", "survival", "stats", "pps")


@pytest.mark.parametrize("folder", FOLDERS)
def test_folders_with_public_functions_have_examples(folder):
    assert any(module.startswith(f"surrogacy.{folder}.") for module in MODULES)


@pytest.mark.slow
@pytest.mark.parametrize(
    "module",
    [
        pytest.param(module, marks=[pytest.mark.nuts] if module.startswith("surrogacy.models.sampled.") else [])
        for module in MODULES
    ],
)
def test_examples(module, capsys):
    result = doctest.testmod(import_module(module))
    assert result.failed == 0, capsys.readouterr().out
    assert result.attempted > 0
