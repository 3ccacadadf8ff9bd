"""Files of a folder of tables: analysis sets, lists of files, checksums, and tables cut short."""

import os
import re

import pytest

from surrogacy.fit import main
from surrogacy.trials import read_trials
from tests.support.fault_inputs import SETS

HISTORICAL = ("tactics", "llovet")  # sets that list their hazard ratios
BROKEN_SETS = {
    "set-of-two-trials.csv": (2, "E016", "the final effect to space"),
    "set-with-swapped-sides.csv": (2, "E016", "give an effect on OS in final_effect"),
    "set-with-a-row-twice.csv": (4, "E016", "already in the set"),
    "set-unknown-effect.csv": (2, "E006", "no effect with this identifier"),
    "set-without-patients.csv": (2, "E008", "not a number of patients"),
    "set-with-empty-cell.csv": (2, "E007", "final_effect is required"),
    "set-unknown-column.csv": (2, "E009", "no such column"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BROKEN_SETS)
@pytest.mark.parametrize("check", [True, False])
def test_broken_sets(name, check, own_tables, tmp_path, capsys):
    line, code, words = BROKEN_SETS[name]
    (own_tables.folder / "sets" / name).write_bytes(SETS[name])
    arguments = ["--check"] if check else [name.removesuffix(".csv"), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--trials", str(own_tables.folder)]) == 3
    shown = capsys.readouterr().err
    assert any(f"{name}:{line}: {code} error" in text and words in text for text in shown.splitlines()), shown
    assert not (tmp_path / "out").exists()


def test_exchanged_effects_are_noticed(own_tables, capsys):
    path = own_tables.folder / "sets" / "tactics-2022.csv"
    text = path.read_text().replace("space:os:primary-2", "X").replace("post-tace:os:final", "space:os:primary-2")
    path.write_text(text.replace("X", "post-tace:os:final"))
    assert main(["tactics-2022", "--trials", str(own_tables.folder), "--json"]) == 3
    shown = capsys.readouterr().err
    assert shown.count("E016") == 2


def test_a_rule_that_selects_nothing_is_a_warning(own_tables, capsys):
    (own_tables.folder / "sets" / "mine.csv").write_text("column,value\nstage,intermediat\nstage,advanced\n")
    assert main(["--check", "--trials", str(own_tables.folder)]) == 0
    assert "mine.csv:2: W136 warning" in capsys.readouterr().out


PAIR = "brisk-ta:ttp:final,brisk-ta:os:final"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (f"surrogate_effect,final_effect,n_exp,n_ctrl\n{PAIR},10,10\n", "E004", "n_ctrl"),
        (f"surrogate_effect,final_effect,column,value\n{PAIR},stage,advanced\n", "E004", "column"),
        *(
            (f"surrogate_effect,final_effect,n_exp\n{PAIR},{n}\n", "E008", "patients")
            for n in ("1_0", "\u0663", "1e3", "0", "9" * 300)
        ),
    ],
)
def test_sets_with_odd_columns_and_numbers(content, code, words, own_tables, capsys):
    (own_tables.folder / "sets" / "mine.csv").write_text(content)
    assert main(["--check", "--trials", str(own_tables.folder)]) == 3
    shown = capsys.readouterr().err
    assert f"{code} error" in shown
    assert words in shown


def test_rules_on_a_year(own_tables):
    own_tables("trials", {"comparison": "tactics"}, year="")
    (own_tables.folder / "sets" / "mine.csv").write_text("column,value\nyear,2008\nyear,2017\n")
    trials = read_trials(own_tables.folder)
    assert trials.check_sets() == []
    assert set(trials.analysis_set("mine").factors["year"]) == {"2008", "2017"}


def test_a_rule_whose_columns_exclude_each_other(own_tables, capsys):
    (own_tables.folder / "sets" / "mine.csv").write_text("column,value\nstage,intermediate\nline,second\n")
    assert main(["--check", "--trials", str(own_tables.folder)]) == 0
    assert "mine.csv: W136 warning" in capsys.readouterr().out


def test_a_rule_excludes_values(own_tables):
    own_tables("trials", {"comparison": "tace-2"}, **{"class": "locoregional"})
    excluding = "column,value\nstage,intermediate\nclass,not locoregional\n"
    (own_tables.folder / "sets" / "excluding.csv").write_text(excluding)
    trials = read_trials(own_tables.folder)
    reasons = {entry.comparison: entry.reason for entry in trials.analysis_set_with_flow("excluding").flow}
    assert reasons["tace-2"] == "the set excludes class locoregional"
    without = [name for name in trials.analysis_set("intermediate").comparison if name != "tace-2"]
    assert trials.analysis_set("excluding").comparison == tuple(without)
    (own_tables.folder / "sets" / "mine.csv").write_text("column,value\nclass,ici\nclass,Not  chemo\nyear,not 2022\n")
    assert trials.check_sets() == []
    mine = trials.analysis_set("mine")
    assert set(mine.factors["class"]) == {"ici"}
    assert "2022" not in mine.factors["year"]


def test_no_shipped_set_with_a_rule_includes_locoregional_comparisons(live_trials):
    table = live_trials.trials
    locoregional = set(table.loc[table["class"] == "locoregional", "comparison"])
    assert {"li-2022-haic-tace", "dosisphere", "trace-dhondt", "premiere"} < locoregional
    analyses = [
        live_trials.analysis_set_with_flow(name) for name in live_trials.sets if not name.startswith(HISTORICAL)
    ]
    assert len(analyses) == 6
    for analysis in analyses:
        assert not locoregional & set(analysis.effects.comparison), analysis.name
    flow = {entry.comparison: entry for entry in live_trials.analysis_set_with_flow("all").flow}
    assert {flow[name].reason for name in locoregional} == {"the set excludes class locoregional"}


@pytest.mark.slow
@pytest.mark.parametrize("row", ["class,not sirtt", "class,not", "stage,not early", "year,not 1850"])
def test_a_rule_that_excludes_an_unknown_value(row, own_tables, capsys):
    (own_tables.folder / "sets" / "mine.csv").write_text(f"column,value\nstage,advanced\n{row}\n")
    assert main(["--check", "--trials", str(own_tables.folder)]) == 0
    assert "mine.csv:3: W136 warning" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["sets/mine.csv", "at_risk.csv"])
def test_pipes_in_a_folder_of_tables(name, own_tables, capsys):
    (own_tables.folder / name).unlink(missing_ok=True)
    os.mkfifo(own_tables.folder / name)
    assert main(["--check", "--trials", str(own_tables.folder)]) in (0, 3)


def test_a_truncated_set(own_tables, capsys):
    path = own_tables.folder / "sets" / "tactics-2022.csv"
    raw = path.read_bytes()
    path.write_bytes(raw[: raw.index(b"\n", 200)])
    assert main(["--check", "--trials", str(own_tables.folder)]) == 3
    assert "tactics-2022.csv:" in capsys.readouterr().err
    path.write_bytes(raw[: raw.index(b"\n", 200) + 1])
    assert main(["--check", "--trials", str(own_tables.folder)]) == 0
    assert "tactics-2022.csv: W137 warning" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["at_risk.csv", "sets/all.csv"])
def test_a_listed_file_that_is_missing(name, own_tables, capsys):
    (own_tables.folder / name).unlink()
    assert main(["--check", "--trials", str(own_tables.folder)]) == 0
    assert f"{name}: W137 warning: SHA256SUMS lists this file" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "warnings"),
    [
        (lambda raw: re.sub(rb"^\w+", lambda digest: digest[0].upper(), raw, flags=re.MULTILINE), 0),
        (lambda raw: raw.replace(b"  ", b" *"), 0),
        (lambda raw: raw.replace(b"  ", b"  ./"), 0),
        (lambda raw: raw.replace(b"\n", b"\r\n"), 0),
        (lambda raw: raw[:100], 3),
        (lambda raw: b"", 4),
        (lambda raw: b"\xff\xfe", 4),
    ],
)
def test_forms_of_a_file_of_checksums(change, warnings, own_tables):
    path = own_tables.folder / "SHA256SUMS"
    path.write_bytes(change(path.read_bytes()))
    found = [fault for fault in read_trials(own_tables.folder).faults if fault.code == "W137"]
    assert len(found) == warnings


def test_shipped_sets_pass(trials):
    assert trials.check_sets() == []


@pytest.mark.parametrize("name", ["trials", "effects", "arms"])
def test_a_truncated_table(name, own_tables, capsys):
    path = own_tables.folder / f"{name}.csv"
    raw = path.read_bytes()
    for size in (len(raw) // 2, len(raw) - 1, len(raw) - 40):
        path.write_bytes(raw[:size])
        assert main(["--check", "--trials", str(own_tables.folder)]) == 3
        assert f"{name}.csv" in capsys.readouterr().err


def test_an_edited_table_is_a_warning(own_tables, capsys):
    own_tables("effects", {"effect_id": "brisk-ta:os:final"}, hr="0.91")
    assert main(["--check", "--trials", str(own_tables.folder)]) == 0
    assert "effects.csv: W137 warning" in capsys.readouterr().out
    (own_tables.folder / "SHA256SUMS").unlink()
    assert main(["--check", "--trials", str(own_tables.folder)]) == 0
    assert "W137" not in capsys.readouterr().out


def test_a_short_row_of_a_curated_table_is_an_error(own_tables, capsys):
    (own_tables.folder / "SHA256SUMS").unlink()
    path = own_tables.folder / "arms.csv"
    path.write_bytes(path.read_bytes() + b"tactics,exp\n")
    assert main(["--check", "--trials", str(own_tables.folder)]) == 3
    assert "E003" in capsys.readouterr().err
