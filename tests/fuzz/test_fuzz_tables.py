"""Mutated tables through ``--check``: never a traceback, exit code 0, 2 or 3, and under a second each.

The short profile runs with the tests. By hand: ``python -m pytest tests/fuzz --hypothesis-profile=long`` (12,000
tables).
"""

import contextlib
import gc
import io
import time

import pytest
from hypothesis import given, settings

from surrogacy.fit import main
from tests.fuzz.mutations import WIDE, csv_files, workbook_files

PROFILE = settings.get_profile("long" if settings.get_current_profile_name() == "long" else "short")
SECONDS = 1.0


@pytest.fixture(scope="module", autouse=True)
def _imports(tmp_path_factory):
    """Load what the first command loads, so that the limit is of the table alone."""
    path = tmp_path_factory.mktemp("sound") / "own.csv"
    path.write_text("\n".join(WIDE))
    assert main(["--check", "--pairs", str(path), "--quiet"]) == 0


def check(path, option):
    out, err = io.StringIO(), io.StringIO()
    gc.disable()  # as the command does; thousands of examples in memory would be searched too
    start = time.process_time()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["--check", option, str(path)])
    seconds = time.process_time() - start
    gc.enable()
    assert seconds < SECONDS
    assert code in (0, 3), err.getvalue()
    assert "Traceback" not in err.getvalue()
    if code == 3:
        assert err.getvalue().strip()
        assert all(": E" in line or ": W" in line for line in err.getvalue().splitlines()), err.getvalue()[:2000]


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--pairs"])
@PROFILE
@given(content=csv_files)
def test_mutated_text(content, option, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "own.csv"
    path.write_bytes(content)
    check(path, option)


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--pairs"])
@PROFILE
@given(content=workbook_files)
def test_mutated_workbooks(content, option, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "own.xlsx"
    path.write_bytes(content)
    check(path, option)


@pytest.mark.slow
@PROFILE
@given(content=csv_files)
def test_mutated_text_beside_the_curated_table(content, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "own.csv"
    path.write_bytes(content)
    check(path, "--add")
