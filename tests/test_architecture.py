"""Order of imports, contents and size of the modules, and what stays unloaded; size and imports of the tests."""

import ast
import json
import re
import shutil
import subprocess
import sys
from functools import cache

import pytest

import surrogacy
from surrogacy import models
from tests.conftest import ROOT

PACKAGE = ROOT / "surrogacy"
# A module imports from its own folder and from earlier entries; entries of one line do not import each other.
ORDER = (
    ("errors",),
    ("arrays",),
    ("effects",),
    ("output",),
    ("results",),
    ("survival", "stats"),
    ("trials",),
    ("models",),
    ("evaluation",),
    ("simulation",),
    ("pps",),
    ("analysis",),
    ("figures",),
    ("report",),
    ("cli",),
    ("fit", "__main__"),
)
LEVELS = {name: level for level, names in enumerate(ORDER) for name in names}
MODULES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
HEAVY = (
    "numpy",
    "scipy",
    "pandas",
    "pandera",
    "statsmodels",
    "matplotlib",
    "pymc",
    "arviz",
    "nutpie",
    "rich",
    "docx",
    "pybtex",
    "jinja2",
)


def module_name(path, root=ROOT):
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@cache
def syntax_tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path):
    """Names of imported modules and objects, and whether each is imported for annotations alone."""
    nodes = list(ast.walk(syntax_tree(path)))
    blocks = (node for node in nodes if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    typing_only = {child for block in blocks for child in ast.walk(block)}
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, node in typing_only) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from ((f"{node.module}.{alias.name}", node in typing_only) for alias in node.names)


def import_graph(root):
    """Modules that each module of the package under ``root`` imports when it runs."""
    paths = {module_name(path, root): path for path in (root / "surrogacy").rglob("*.py")}

    def module_of(name):
        return name if name in paths else name.rpartition(".")[0]

    return {
        own: {module_of(name) for name, typing_only in imports(path) if not typing_only} & set(paths) - {"surrogacy"}
        for own, path in paths.items()
    }


def upward_imports(graph):
    """Imports against the order of the folders; the module that starts a command may import the command."""
    for own, imported in graph.items():
        for name in imported if own not in ("surrogacy", "surrogacy.pps.__main__") else ():
            mine, other = own.split(".")[1], name.split(".")[1]
            if LEVELS[other] >= LEVELS[mine] and other != mine:
                yield f"{own} imports {name}"
            if (mine, other) == ("figures", "models"):
                yield f"{own} imports {name}: a figure is handed a result"


def circles(graph):
    """Circles among modules, each as the list of its modules."""
    state, path = {}, []

    def visit(name):
        state[name] = "open"
        path.append(name)
        for other in sorted(graph[name]):
            if state.get(other) == "open":
                yield [*path[path.index(other) :], other]
            elif other not in state:
                yield from visit(other)
        path.pop()
        state[name] = "done"

    for name in sorted(graph):
        if name not in state:
            yield from visit(name)


def faults_of_test_file(path):
    """More than 400 lines, an import from a test, and an import inside a function."""
    text = path.read_text(encoding="utf-8")
    if len(text.splitlines()) > 400:
        yield "more than 400 lines"
    for name, _ in imports(path):
        if any(part.startswith("test_") or re.search(r"\d{4}$", part) for part in name.split(".")):
            yield f"imports the test {name}"
    for function in (node for node in ast.walk(syntax_tree(path)) if isinstance(node, ast.FunctionDef)):
        if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(function)):
            yield f"{function.name} imports"


def test_imports_follow_the_order_of_the_folders_without_circles():
    graph = import_graph(ROOT)
    assert len(graph) == len(MODULES)
    assert list(upward_imports(graph)) == []
    assert list(circles(graph)) == []


def test_an_upward_import_and_a_circle_are_noticed(tmp_path):
    copy = tmp_path / "surrogacy"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "*.ttf"))
    with (copy / "stats" / "power.py").open("a") as file:
        file.write("\nfrom surrogacy.models.priors import Priors\n")
    with (copy / "effects.py").open("a") as file:
        file.write("\ndef late():\n    from surrogacy.arrays import numbers\n")
    with (copy / "arrays.py").open("a") as file:
        file.write("\nfrom surrogacy.effects import Effects\n")
    graph = import_graph(tmp_path)
    assert set(upward_imports(graph)) == {
        "surrogacy.stats.power imports surrogacy.models.priors",
        "surrogacy.arrays imports surrogacy.effects",
    }
    assert [set(circle) for circle in circles(graph)] == [{"surrogacy.arrays", "surrogacy.effects"}]


def test_top_of_the_package():
    entries = {path.name for path in PACKAGE.iterdir()} - {"__init__.py", "__main__.py", "py.typed", "__pycache__"}
    assert len(entries) <= 17
    assert {entry.removesuffix(".py") for entry in entries} <= set(LEVELS)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_libraries_stay_in_their_rooms(path):
    own = module_name(path)
    for name in (name for name, typing_only in imports(path) if not typing_only):
        top = name.split(".")[0]
        if top == "matplotlib":
            assert own.startswith("surrogacy.figures"), f"{own} imports {name}"
        if top in ("pymc", "pytensor", "nutpie", "arviz"):
            assert own.startswith("surrogacy.models.sampled"), f"{own} imports {name}"
        if top == "argparse":
            assert own.startswith("surrogacy.cli")
        if top == "docx":
            assert re.fullmatch(r"surrogacy\.report\.(\w+\.)?word", own)
        if top == "jinja2":
            assert own.startswith(("surrogacy.report.page", "surrogacy.report.paper"))
        if top == "pybtex":
            assert own.startswith("surrogacy.report.paper")
        if top == "pandera":
            assert own == "surrogacy.trials.schema"


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_size_and_printing(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 350
    assert path.name != "utils.py"
    calls = {ast.unparse(node.func) for node in ast.walk(syntax_tree(path)) if isinstance(node, ast.Call)}
    if not module_name(path).startswith(
        ("surrogacy.cli", "surrogacy.fit", "surrogacy.__main__", "surrogacy.pps.__main__")
    ):
        assert not calls & {"print", "sys.exit", "exit"}, path
    if not module_name(path).startswith(("surrogacy.report", "surrogacy.output", "surrogacy.trials.codebook")):
        assert not any(call.endswith((".write_text", ".write_bytes", ".to_csv")) for call in calls), path


def test_no_test_is_long_and_none_imports_a_test():
    assert {path: faults for path in TESTS if (faults := list(faults_of_test_file(path)))} == {}


def test_faults_of_a_test_file_are_noticed(tmp_path):
    path = tmp_path / "test_long.py"
    path.write_text("from tests.stats.test_scatter import line\n\ndef test():\n    import re\n" + "#\n" * 400)
    assert list(faults_of_test_file(path)) == [
        "more than 400 lines",
        "imports the test tests.stats.test_scatter.line",
        "test imports",
    ]


@pytest.mark.parametrize("code", ["import surrogacy", "import surrogacy.fit; surrogacy.fit.main(['--help'])"])
def test_nothing_heavy_is_loaded(code):
    script = (
        f"import sys, json, io, contextlib\nwith contextlib.redirect_stdout(io.StringIO()): "
        f"{code}\nprint(json.dumps(sorted(sys.modules)))"
    )
    loaded = json.loads(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    )
    assert not set(HEAVY) & set(loaded)


def test_public_names_can_be_imported():
    for name in surrogacy.__all__:
        assert getattr(surrogacy, name) is not None
    for name in ("WeightedPearson", "WeightedRegression", "BivariateRandomEffects"):
        assert getattr(models, name).__name__ == name
    with pytest.raises(AttributeError):
        surrogacy.nothing  # noqa: B018
