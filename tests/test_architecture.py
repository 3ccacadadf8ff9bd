"""Who may import whom, and what stays unloaded."""

import ast
import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "surrogacy"
LAYERS = [
    {"errors"}, {"streams"}, {"levels", "array_checks"}, {"effects"}, {"endpoint_names", "requirements"}, {"results", "weights", "shared_control"}, {"estimands"}, {"mixtures", "bootstrap", "intervals", "scatter", "correlation_power"}, {"trials"}, {"models"}, {"new_trial", "prediction", "validation", "influence", "cross_validation", "subgroups", "difference", "verdicts"}, {"placement"}, {"robustness"}, {"pps"}, {"changes"}, {"analysis"},
    {"figures"}, {"report"}, {"command"}, {"fit"}, {"__main__"},
]  # fmt: skip
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))
HEAVY = ("numpy", "scipy", "pandas", "pandera", "statsmodels", "matplotlib", "pymc", "arviz", "nutpie", "rich")


COMMANDS = ("surrogacy.fit", "surrogacy.pps.__main__")


def layer(name):
    top = "fit" if name in COMMANDS else name.split(".")[1] if name.count(".") else ""
    return next((i for i, names in enumerate(LAYERS) if top in names), -1)


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports(path, *, at_run_time_only=False):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if at_run_time_only and node in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_point_down(path):
    own = module_name(path)
    for name in imports(path, at_run_time_only=True):
        if name.startswith("surrogacy."):
            assert layer(name) <= layer(own), f"{own} imports {name}"
            assert {own.split(".")[1], name.split(".")[1]} != {"models", "figures"}, f"{own} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_libraries_stay_in_their_rooms(path):
    own = module_name(path)
    for name in imports(path, at_run_time_only=True):
        top = name.split(".")[0]
        if top in ("matplotlib", "adjustText"):
            assert own.startswith("surrogacy.figures"), f"{own} imports {name}"
        if top in ("pymc", "pytensor", "nutpie", "arviz"):
            assert own.startswith("surrogacy.models.sampled"), f"{own} imports {name}"
        if top == "argparse":
            assert own in COMMANDS
        if top == "pandera":
            assert own == "surrogacy.trials.schema"


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_size_and_printing(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    assert path.name != "utils.py"
    calls = {ast.unparse(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)}
    if module_name(path) not in (*COMMANDS, "surrogacy.cli.terminal", "surrogacy.__main__"):
        assert not calls & {"print", "sys.exit", "exit"}, path
    if not module_name(path).startswith(("surrogacy.report", "surrogacy.trials.codebook")):
        assert not any(call.endswith((".write_text", ".write_bytes", ".to_csv")) for call in calls), path


@pytest.mark.parametrize("code", ["import surrogacy", "import surrogacy.fit; surrogacy.fit.main(['--help'])"])
def test_nothing_heavy_is_loaded(code):
    script = f"import sys, json, io, contextlib\nwith contextlib.redirect_stdout(io.StringIO()): {code}\nprint(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)
    assert not set(HEAVY) & set(loaded)


def test_public_names_can_be_imported():
    import surrogacy
    from surrogacy import models

    for name in surrogacy.__all__:
        assert getattr(surrogacy, name) is not None
    for name in ("WeightedPearson", "WeightedRegression", "BivariateRandomEffects"):
        assert getattr(models, name).__name__ == name
    with pytest.raises(AttributeError):
        surrogacy.nothing  # noqa: B018
