"""surrogacy export: files for other programs, read back and fitted."""

import csv
import json

import numpy as np
import pytest

import surrogacy
from surrogacy.cli import add, template
from surrogacy.cli.export import FORMAT_NAMES, main
from surrogacy.effects import Effects
from surrogacy.models import BivariateRandomEffects
from surrogacy.report.exports.formats import FORMATS, export_texts, reported, sampling_covariance
from tests.conftest import ROOT
from tests.support.metafor import has_metafor, run_script

RELEASE = ROOT / "tests" / "data" / "trials-2026.11"
REFERENCE = json.loads((ROOT / "tests" / "reference" / "metafor_export.json").read_text())
TOLERANCES = {"mu": 1e-5, "se": 1e-5, "tau": 1e-5, "rho": 5e-5, "loglik": 1e-7}  # of the optimiser of metafor
SMALL = "tactics-2022"


@pytest.fixture(scope="module")
def release():
    return surrogacy.read_trials(RELEASE)


@pytest.fixture
def export(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        return main([*arguments, "--trials", str(RELEASE)])

    return run


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def fitted(effects):
    fit = BivariateRandomEffects(method="reml").fit(effects)
    return {
        "mu": [fit["mu_surrogate"].value, fit["mu_final"].value],
        "se": [fit["mu_surrogate"].se, fit["mu_final"].se],
        "tau": [fit["tau_surrogate"].value, fit["tau_final"].value],
        "rho": [fit["rho_between"].value],
        "loglik": [fit["loglik"].value],
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", REFERENCE)
def test_metafor_fits_the_exported_file_as_the_package_fits_the_set(name, release):
    fit = fitted(release.analysis_set(name))
    for quantity, values in REFERENCE[name].items():
        assert fit[quantity] == pytest.approx(values, abs=TOLERANCES[quantity]), quantity


@pytest.mark.slow
@pytest.mark.skipif(not has_metafor(), reason="R with the package metafor is not installed")
@pytest.mark.parametrize("name", ["intermediate", "advanced"])
def test_the_exported_script_runs(name, export, tmp_path, release):
    assert export(name, "--format", "metafor") == 0
    result = run_script(tmp_path / f"{name}-metafor.R")
    for quantity, values in fitted(release.analysis_set(name)).items():
        assert result[quantity] == pytest.approx(values, abs=TOLERANCES[quantity]), quantity
        assert result[quantity] == pytest.approx(REFERENCE[name][quantity], abs=TOLERANCES[quantity]), quantity


@pytest.mark.slow
@pytest.mark.parametrize("name", ["intermediate", "all", SMALL, "llovet-2019-ttp"])
def test_metafor_file_is_read_back(name, export, tmp_path, release):
    assert export(name, "--format", "metafor") == 0
    effects, pairs = release.analysis_set(name), surrogacy.read_pairs(tmp_path / f"{name}-metafor.csv")
    back = pairs.pair(surrogate=pairs.surrogates)
    back = back.take([back.comparison.index(comparison) for comparison in effects.comparison])
    assert np.abs(back.log_hr - effects.log_hr).max() < 1e-12
    assert np.abs(back.se - effects.se).max() < 1e-12
    assert np.abs(back.rho_within - effects.rho_within).max() < 1e-12
    members = np.arange(len(effects))
    assert np.abs(back.sampling_covariance(members) - effects.sampling_covariance(members)).max() < 1e-12
    np.testing.assert_array_equal(back.n, effects.n)


def test_covariance_file_is_that_of_the_set(export, tmp_path, release):
    assert export("intermediate", "--format", "metafor") == 0
    effects = release.analysis_set("intermediate")
    with (tmp_path / "intermediate-metafor-V.csv").open(newline="") as file:
        matrix = np.array([list(map(float, row)) for row in csv.reader(file)])
    table = rows(tmp_path / "intermediate-metafor.csv")
    np.testing.assert_array_equal(np.diag(matrix), [float(row["vi"]) for row in table])
    np.testing.assert_array_equal(matrix, matrix.T)
    at = [i for i, row in enumerate(table) if row["control_group"]]
    assert len(at) == 4  # two comparisons with one control arm
    np.testing.assert_array_equal(matrix[np.ix_(at, at)], effects.sampling_covariance([7, 8]))
    assert np.count_nonzero(matrix) == 4 * len(effects) + 8


def test_numbers_have_seventeen_digits(export, tmp_path, release):
    effects = release.analysis_set("advanced")
    columns = {"metafor": ("yi", "sei"), "meta": ("TE", "seTE"), "revman": ("log[Hazard Ratio]", "SE")}
    for name, (estimate, error) in columns.items():
        assert export("advanced", "--format", name) == 0
        table = rows(tmp_path / f"advanced-{name}.csv")
        assert sorted(float(row[estimate]) for row in table) == sorted(effects.log_hr.ravel().tolist())
        assert sorted(float(row[error]) for row in table) == sorted(effects.se.ravel().tolist())
    assert export("advanced", "--format", "mvmeta") == 0
    table = rows(tmp_path / "advanced-mvmeta.csv")
    assert [[float(row[name]) for name in ("y1", "y2")] for row in table] == effects.log_hr.tolist()
    assert [float(row["S12"]) for row in table] == effects.cov[:, 0, 1].tolist()


def test_files_of_each_format(export, tmp_path, capsys):
    files = {
        "metafor": {".csv", "-V.csv", ".R"},
        "meta": {".csv", ".R"},
        "revman": {".csv"},
        "mvmeta": {".csv", ".do"},
    }
    assert set(files) == set(FORMAT_NAMES) == set(FORMATS)
    for name, endings in files.items():
        assert export(SMALL, "--format", name, "--out", f"sub/{name}.csv") == 0
        written = {path.name for path in (tmp_path / "sub").glob(f"{name}[.-]*")}
        assert written == {f"{name}{ending}" for ending in endings}
        shown = capsys.readouterr().out
        assert shown.startswith(
            "tactics-2022: 6 comparisons of 6 trials; surrogate TTP, PFS, TACE-PFS; final endpoint OS"
        )
        assert f"Files: sub/{name}.csv" in shown
    assert {path.name[0] for path in (tmp_path / "sub").iterdir()} == {"m", "r"}  # no temporary file remains
    for script in (*(tmp_path / "sub").glob("*.R"), *(tmp_path / "sub").glob("*.do")):
        text = script.read_text()
        assert f'"{script.stem}.csv"' in text
        assert "@" not in text
        assert "unverified: 5 of 12 hazard ratios" in text


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["intermediat", "--format", "metafor"], 2, ["intermediat", "intermediate"]),
        (["", "--format", "metafor"], 2, ["SET", "empty"]),
        ([SMALL, "--format", "stata"], 2, ["stata", "metafor", "mvmeta"]),
        ([SMALL], 2, ["--format"]),
        ([SMALL, "--format", "meta", "--out", "x.txt"], 2, ["--out x.txt", "ends with .csv"]),
        ([SMALL, "--format", "meta", "--endpoints", "PFZ"], 2, ["PFZ"]),
        ([SMALL, "--format", "meta", "--rho-within", "2"], 2, ["[-1, 1]"]),
        ([SMALL, "--format", "meta", "--add", "nothing.csv"], 3, ["nothing.csv", "does not exist"]),
        ([SMALL, "--format", "meta", "--out", "/proc/nothing/x.csv"], 2, ["--out /proc/nothing"]),
    ],
)
def test_errors(arguments, code, words, export, tmp_path, capsys):
    assert export(*arguments) == code
    error = capsys.readouterr().err
    for word in words:
        assert word in error
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("existing", ["x.csv", "x-V.csv", "x.R"])
def test_an_existing_file_is_not_replaced(existing, export, tmp_path, capsys):
    (tmp_path / existing).write_text("mine")
    assert export(SMALL, "--format", "metafor", "--out", "x.csv") == 2
    assert f"--out {existing}: it exists already" in capsys.readouterr().err
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(existing, "mine")]


def test_comparison_without_standard_error_is_named(export, tmp_path, capsys):
    own = "trial,stage,hr_pfs,ci_low_pfs,ci_high_pfs,hr_os,ci_low_os,ci_high_os\nBare,intermediate,0.6,,,0.8,0.6,1.07\n"
    (tmp_path / "own.csv").write_text(own)
    assert export("intermediate", "--format", "meta", "--add", "own.csv") == 0
    assert "1 of 10 comparisons left out, no standard error of PFS: Bare. Remedy: give confidence limits" in (
        capsys.readouterr().err
    )
    assert len(rows(tmp_path / "intermediate-meta.csv")) == 18


def test_shared_control_arm_needs_a_format_with_covariances(export, capsys):
    assert export("intermediate", "--format", "mvmeta") == 0
    assert "would count it twice. Remedy: --shared-control combine, or --format metafor" in capsys.readouterr().err
    assert export("intermediate", "--format", "mvmeta", "--shared-control", "combine", "--out", "b.csv") == 0
    assert "twice" not in capsys.readouterr().err
    assert export("intermediate", "--format", "metafor") == 0
    assert "twice" not in capsys.readouterr().err


def test_effects_without_one_endpoint_or_patients():
    effects = Effects.from_arrays([[-0.5, np.nan], [-0.1, 0.2]], [[0.2, np.nan], [0.1, 0.3]], n=[np.nan, 101])
    assert [(entry.index, entry.side) for entry in reported(effects)] == [(0, 0), (1, 0), (1, 1)]
    np.testing.assert_allclose(
        sampling_covariance(effects), [[0.04, 0, 0], [0, 0.01, 0.015], [0, 0.015, 0.09]], atol=1e-16
    )
    lines = export_texts(effects, "mvmeta", "x", [])["x.csv"].splitlines()
    assert lines[1].split(",")[3:] == ["", "0.040000000000000008", "", "", ""]
    assert lines[2].endswith(",101")
    for name, column in (("metafor", 6), ("meta", 5), ("revman", 4)):
        table = list(csv.reader(export_texts(effects, name, "x", [])["x.csv"].splitlines()))
        assert len(table) == 4
        assert table[1][column] == ""


def test_comments_of_a_script_stay_on_one_line():
    effects = Effects.from_arrays([[-0.5, -0.2]], [[0.2, 0.25]])
    text = export_texts(effects, "meta", "x", ["a label with\nstop('code')"])["x.R"]
    assert "# a label with stop('code')\n" in text


def test_round_trip_of_the_template(export, tmp_path):
    """The template is filled in, added to a set, exported, and read back."""
    assert template.main(["mine.csv"]) == 0
    with (tmp_path / "mine.csv").open(newline="", encoding="utf-8-sig") as file:
        headings = next(csv.reader(file))
    trials = [
        {"trial": "Mine A", "n_exp": 101, "n_ctl": 99, "hr_surrogate": 0.617, "hr_os": 0.913, "comparison": ""},
        {"trial": "Mine B", "n_exp": 150, "n_ctl": 150, "hr_surrogate": 0.48, "hr_os": 0.71, "surrogate": "TTP"},
    ]
    limits = [
        {"ci_low_surrogate": 0.441, "ci_high_surrogate": 0.863, "ci_low_os": 0.677, "ci_high_os": 1.231},
        {"ci_low_surrogate": 0.37, "ci_high_surrogate": 0.62, "ci_low_os": 0.52, "ci_high_os": 0.97},
    ]
    with (tmp_path / "mine.csv").open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, headings)
        for trial, interval in zip(trials, limits, strict=True):
            writer.writerow({"stage": "intermediate", **trial, **interval})
    assert export("intermediate", "--format", "metafor", "--add", "mine.csv") == 0
    effects = surrogacy.read_trials(RELEASE, tmp_path / "mine.csv").analysis_set("intermediate")
    assert effects.comparison[-2:] == ("Mine A", "Mine B")
    pairs = surrogacy.read_pairs(tmp_path / "intermediate-metafor.csv")
    back = pairs.pair(surrogate=pairs.surrogates)
    back = back.take([back.comparison.index(name) for name in effects.comparison])
    for field in ("log_hr", "se", "rho_within", "n"):
        assert np.abs(getattr(back, field) - getattr(effects, field)).max() < 1e-12
    assert back.covariates["surrogate"] == effects.covariates["surrogate"]


def test_template_is_imported(tmp_path, monkeypatch, capsys):
    """The template with its two examples alone has no rows; a row below them becomes a curated trial."""
    monkeypatch.chdir(tmp_path)
    assert template.main(["mine.csv"]) == 0
    assert add.main(["--import", "mine.csv"]) == 3
    with (tmp_path / "mine.csv").open(newline="", encoding="utf-8-sig") as file:
        headings = next(csv.reader(file))
    cells = {"trial": "Mine A", "stage": "advanced", "hr_surrogate": "0.62", "hr_os": "0.91", "evidence": "primary"}
    limits = {"ci_low_surrogate": "0.45", "ci_high_surrogate": "0.86", "ci_low_os": "0.68", "ci_high_os": "1.22"}
    with (tmp_path / "mine.csv").open("a", newline="", encoding="utf-8") as file:
        csv.DictWriter(file, headings).writerow({**cells, **limits})
    assert add.main(["--import", "mine.csv"]) == 0
    shown = capsys.readouterr()
    assert shown.err.count("W152 warning: Mine A") == 2  # the template has no columns for place and quotation
    assert "1 comparison and 2 hazard ratios added (mine-a)" in shown.out
