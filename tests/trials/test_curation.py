"""Rows that a curator adds: defaults, rules, and the checked copy of the tables."""

import csv
import hashlib
import json
import shutil
from datetime import date

import pytest

import surrogacy
from surrogacy.errors import DataError, UsageError
from surrogacy.trials import curated_copy
from surrogacy.trials.curated_copy import write_copy
from surrogacy.trials.curation import (
    Curation,
    check_cells,
    check_quotation,
    complete_arm,
    complete_effect,
    complete_reference,
    complete_trial,
    identifier,
)
from surrogacy.trials.rows import Row
from tests.conftest import ROOT, TABLES

RELEASE = ROOT / "tests" / "data" / "trials-2026.11"
PUBLICATION = {"key": "lee-2026", "title": "Trial X: TACE & a drug", "author": "Lee, Anna", "year": "2026"}
PROOF = {"evidence": "primary", "where": "abstract"}
PFS = {"endpoint": "PFS", "hr": "0.59 (0.41-0.87)", "quote": "HR 0\u00b759 (95% CI 0\u00b741-0\u00b787)", **PROOF}
OS = {"endpoint": "OS", "hr": "0.86", "ci_low": "0.61", "ci_high": "1.22", "quote": "0,86; 0,61-1,22", **PROOF}


def curation(*effects, trial=None, publication=PUBLICATION, arms=()):
    reference = complete_reference(Row("--source", 0, dict(publication)))
    cells = {"label": "Trial X", "stage": "intermediate", "n_exp": "120", "n_ctl": "118", **(trial or {})}
    about = complete_trial(Row("--comparison", 0, cells), reference["key"])
    rows = [Row(f"--effect {cells['endpoint']}", 0, dict(cells)) for cells in effects]
    return Curation(
        (about,),
        tuple(complete_effect(row, about["comparison"], reference) for row in rows),
        tuple(complete_arm(Row("--arm", 0, dict(cells)), about["comparison"]) for cells in arms),
        (reference,),
    )


def faults(out, rows, source=TABLES):
    with pytest.raises(DataError) as raised:
        write_copy(source, out, rows)
    assert not out.exists()
    return [(fault.code, fault.file, fault.column) for fault in raised.value.faults]


def test_copy_is_fitted_like_the_tables_with_the_row(tmp_path):
    out = tmp_path / "mine"
    copy = write_copy(TABLES, out, curation(PFS, OS))
    assert (copy.comparisons, copy.fitted, copy.effects, copy.faults) == (("trial-x",), ("trial-x",), 2, ())
    assert copy.sets == ("all", "intermediate")
    earlier, later = surrogacy.read_trials().analysis_set("intermediate"), surrogacy.read_trials(out)
    effects = later.analysis_set("intermediate")
    assert effects.comparison == (*earlier.comparison, "trial-x")
    assert effects.n[-1] == 238
    assert (
        later.analysis_set("tactics-2022").comparison == surrogacy.read_trials().analysis_set("tactics-2022").comparison
    )
    row = next(effect for effect in later.reported if effect.effect_id == "trial-x:pfs:primary")
    assert (row.hr, row.ci_low, row.ci_high, row.ci_level, row.evidence) == (0.59, 0.41, 0.87, 0.95, "primary")


def test_files_of_the_copy(tmp_path):
    out = tmp_path / "mine"
    write_copy(TABLES, out, curation(PFS, OS))
    names = {path.relative_to(TABLES).as_posix() for path in TABLES.rglob("*") if path.is_file()}
    assert {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()} == names
    for name in names - {"trials.csv", "effects.csv", "sources.bib", "CHANGELOG.md", "SHA256SUMS", "CODEBOOK.md"}:
        if name != "datapackage.json":
            assert (out / name).read_bytes() == (TABLES / name).read_bytes()
    for name, rows in (("trials.csv", 1), ("effects.csv", 2)):
        before, after = ((folder / name).read_text(encoding="utf-8") for folder in (TABLES, out))
        assert after.startswith(before)
        assert len(list(csv.reader(after[len(before) :].splitlines()))) == rows
    for line in (out / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    package = json.loads((out / "datapackage.json").read_text())
    assert package["version"] == "mine"
    changes = (out / "CHANGELOG.md").read_text(encoding="utf-8")
    entry = f"## {date.today().isoformat()}, added rows\n\n- Added Trial X (trial-x): PFS 0.59 (0.41-0.87), primary, lee-2026;"
    earlier = (TABLES / "CHANGELOG.md").read_text(encoding="utf-8")
    first = earlier.index("## ")
    assert changes.startswith(earlier[:first] + entry)
    assert changes.endswith(earlier[first:])
    bibliography = (out / "sources.bib").read_text(encoding="utf-8")
    assert (
        "@misc{lee-2026,\n  author = {Lee, Anna},\n  title = {Trial X: TACE \\& a drug},\n  year = {2026},\n"
        in bibliography
    )


def test_rows_are_added_to_the_own_copy_again(tmp_path):
    out = tmp_path / "mine"
    write_copy(TABLES, out, curation(PFS, OS))
    second = curation(PFS, OS, trial={"label": "Trial Y", "stage": "advanced"})
    with pytest.raises(UsageError, match="not empty; to add to its tables give --trials"):
        write_copy(TABLES, out, second)
    copy = write_copy(out, out, second)
    assert copy.sets == ("advanced", "all")
    assert {"trial-x", "trial-y"} <= set(surrogacy.read_trials(out).trials["comparison"])
    assert (out / "sources.bib").read_text(encoding="utf-8").count("@misc{lee-2026,") == 1
    assert [path.name for path in out.glob(".surrogacy*")] == []


def test_an_endpoint_is_added_to_a_trial_of_the_tables(tmp_path):
    out = tmp_path / "mine"
    trial = {"comparison": "inaba-tsu68", "label": "Inaba 2013", "n_exp": "", "n_ctl": ""}
    copy = write_copy(TABLES, out, curation(OS, trial=trial))
    assert "intermediate" in copy.sets
    assert len(surrogacy.read_trials(out).trials) == len(surrogacy.read_trials().trials)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("effects", "trial", "expected"),
    [
        ([{**PFS, "hr": "0.95", "ci_low": "0.41", "ci_high": "0.87"}], {}, ("E101", "--effect PFS", "ci_high")),
        ([{**PFS, "hr": "half"}], {}, ("E008", "--effect PFS", "hr")),
        ([{**PFS, "ci_level": "1.95"}], {}, ("E104", "--effect PFS", "ci_level")),
        ([{**PFS, "p": "often"}], {}, ("E103", "--effect PFS", "p")),
        ([{**PFS, "endpoint": "PFZ"}], {}, ("E009", "--effect PFZ", "endpoint")),
        ([{**PFS, "quote": "HR 0.95"}], {}, ("W155", "--effect PFS", "quote")),
        ([{**PFS, "quote": ""}], {}, ("E007", "--effect PFS", "quote")),
        ([{**PFS, "where": ""}], {}, ("E007", "--effect PFS", "where")),
        ([{**PFS, "evidence": ""}], {}, ("E007", "--effect PFS", "evidence")),
        ([{**PFS, "hazard": "1"}], {}, ("E004", "--effect PFS", "hazard")),
        ([{**PFS, "read_in": "nobody-1999"}], {}, ("E006", "--effect PFS", "read_in")),
        ([PFS, PFS], {}, ("E006", "--effect PFS", "effect_id")),
        ([PFS, {**PFS, "analysis": "final"}], {}, ("E108", "--effect PFS", "preferred")),
        ([PFS], {"stage": ""}, ("E007", "--comparison", "stage")),
        ([PFS], {"stage": "early"}, ("E009", "--comparison", "stage")),
        ([PFS], {"label": ""}, ("E007", "--comparison", "label")),
        ([PFS], {"n_exp": "many"}, ("E008", "--comparison", "n_exp")),
        ([PFS], {"label": "TACTICS (2)", "comparison": "Tactics"}, ("E109", "--comparison", "comparison")),
        ([PFS], {"registry": "NCT01217034"}, ("E108", "--comparison", "registry")),
        ([PFS], {"trial": "leap-012"}, ("W110", "--comparison", "control_group")),
    ],
)
def test_errors_name_the_option_and_the_column_and_nothing_is_written(effects, trial, expected, tmp_path):
    assert expected in faults(tmp_path / "mine", curation(*effects, trial=trial))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"key": "lee 2026"}, "key"),
        ({"title": ""}, "title"),
        ({"year": "soon"}, "year"),
        ({"doi": "jhep.2026"}, "doi"),
        ({"title": "A {B trial"}, "title"),
        ({"editor": "Lee"}, "editor"),
    ],
)
def test_errors_of_the_publication(cells, column, tmp_path):
    publication = {**PUBLICATION, **cells}
    unverified = {**PFS, "evidence": "unverified"}
    assert ("--source", column) in {
        (file, name) for _, file, name in faults(tmp_path / "mine", curation(unverified, publication=publication))
    }


def test_address_of_a_doi_is_removed():
    for text in ("https://doi.org/10.1000/x", "http://dx.doi.org/10.1000/x", "doi: 10.1000/x", "10.1000/x"):
        row = complete_reference(Row("", 0, {**PUBLICATION, "doi": text}))
        assert row["doi"] == "10.1000/x"
        assert check_cells("source", row) == []


@pytest.mark.parametrize(
    ("hr", "quote", "codes"),
    [
        ("0.59", "HR 0.59", []),
        ("0.59", "a hazard ratio of 0\u00b759 was found", []),
        ("0.590", "HR=0,59", []),
        ("0.4", "HR 2.5 (1.66-7.56)", []),
        ("0.62", "HR 1.61", []),
        ("0.59", "HR 0.95", ["W155"]),
        ("0.59", "10.59 months", ["W155"]),
        ("0.6", "HR 0.59", []),
        ("0.59", "not given", ["W155"]),
        ("", "not given", []),
    ],
)
def test_quotation_contains_the_hazard_ratio(hr, quote, codes):
    assert [fault.code for fault in check_quotation(Row("", 0, {"hr": hr, "quote": quote}))] == codes


def test_medians_become_rows_of_arms(tmp_path):
    arm = {"arm": "exp", "median_os": "30.1", "median_pfs": "14.2", "pfs_endpoint": "PFS", "evidence": "primary"}
    write_copy(TABLES, tmp_path / "mine", curation(PFS, OS, arms=[arm, {**arm, "arm": "ctl", "median_os": "NR"}]))
    arms = surrogacy.read_trials(tmp_path / "mine").arms
    assert arms[arms["comparison"] == "trial-x"]["arm"].tolist() == ["exp", "ctl"]
    wrong = {**arm, "median_os": "3.1"}
    assert ("E121", "--arm", "median_os") in faults(tmp_path / "other", curation(PFS, OS, arms=[wrong]))


def test_a_warning_is_kept_and_the_rows_are_written(tmp_path):
    copy = write_copy(TABLES, tmp_path / "mine", curation({**PFS, "p": "0.4"}))
    assert [(fault.code, fault.severity, fault.file) for fault in copy.faults] == [
        ("W104", "warning", "--effect PFS"),
        ("W111", "info", "--effect PFS"),
    ]
    assert (copy.sets, copy.fitted) == (("all", "intermediate"), ())  # predicted for, not fitted


def test_an_unverified_trial_is_in_no_set(tmp_path):
    copy = write_copy(TABLES, tmp_path / "mine", curation({**PFS, "evidence": "unverified"}, OS))
    assert copy.sets == ()
    assert "No set includes them" in (tmp_path / "mine" / "CHANGELOG.md").read_text()


def test_tables_with_semicolons_without_bibliography_and_with_fewer_columns(tmp_path):
    source = tmp_path / "tables"
    shutil.copytree(RELEASE, source)
    (source / "at_risk.csv").unlink()
    (source / "SHA256SUMS").unlink()
    with (source / "effects.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    extraction = rows[0].index("extraction")
    with (source / "effects.csv").open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=";").writerows(row[:extraction] + row[extraction + 1 :] for row in rows)
    out = tmp_path / "mine"
    write_copy(source, out, curation({**PFS, "rho_within": "0.6"}, OS))
    effects = surrogacy.read_trials(out).analysis_set("intermediate")
    assert effects.rho_within[-1] == 0.6
    assert effects.rho_known.tolist() == [False] * (len(effects) - 1) + [True]
    assert not (out / "at_risk.csv").exists()
    resources = {
        resource["name"]: resource for resource in json.loads((out / "datapackage.json").read_text())["resources"]
    }
    assert set(resources) == {"trials", "effects", "arms"}
    assert resources["effects"]["schema"]["fields"][-1]["name"] == "rho_within"
    assert (out / "effects.csv").read_bytes().count(b"\r\n") == len(rows) + 2


def test_damaged_tables_are_not_given_new_checksums(tmp_path, own_tables):
    path = own_tables.folder / "effects.csv"
    path.write_bytes(path.read_bytes()[:-40])
    assert faults(tmp_path / "mine", curation(PFS), own_tables.folder)[0][0] == "E014"


@pytest.mark.parametrize("inside", ["", "sets", "new/copy"])
def test_shipped_tables_are_not_changed(inside):
    with pytest.raises(UsageError, match="the shipped tables are not changed"):
        write_copy(TABLES, TABLES / inside, curation(PFS))


@pytest.mark.slow
def test_an_interrupted_copy_leaves_the_folder_as_it_was(tmp_path, monkeypatch):
    out = tmp_path / "mine"
    write_copy(TABLES, out, curation(PFS, OS))
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}

    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(curated_copy, "_changes", stop)
    with pytest.raises(KeyboardInterrupt):
        write_copy(out, out, curation(PFS, OS, trial={"label": "Trial Y"}))
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    with pytest.raises(KeyboardInterrupt):
        write_copy(TABLES, tmp_path / "new", curation(PFS))
    assert not (tmp_path / "new").exists()


def test_identifiers():
    assert [identifier(text) for text in ("Trial X", " A--B (2) ", "\u8bd5\u9a8c 1", "TACE+drug")] == [
        "trial-x",
        "a-b-2",
        "\u8bd5\u9a8c-1",
        "tace-drug",
    ]
