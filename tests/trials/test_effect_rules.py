"""Every rule on a broken table: exit 3 (or a warning), one line naming the cell, no traceback, out/ untouched."""

import csv

import pytest

import surrogacy
from surrogacy.fit import main
from surrogacy.trials.rows import Row
from surrogacy.trials.rules.effect_rules import check_p, check_symmetry
from tests.support.pinned_tables import PINNED_TABLES

HEADER = "trial,n_exp,n_ctl,hr_surrogate,ci_low_surrogate,ci_high_surrogate,hr_final,ci_low_final,ci_high_final"
GOOD = "MADE-UP,200,190,0.70,0.55,0.89,0.85,0.66,1.09"


def run(arguments, capsys, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    code = main([*arguments, "--out", str(out)])
    shown = capsys.readouterr()
    assert sorted(path.name for path in out.iterdir()) == ["mine.txt"]
    assert "Traceback" not in shown.err + shown.out
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".out")] == []
    return code, shown


def lines_with(code, text):
    return [line for line in text.splitlines() if f": {code} " in line]


# --- a cell of the curated tables --------------------------------------------------------------------------------

TACTICS_EXP = {"comparison": "tactics", "arm": "exp"}
AT_36 = {"comparison": "tactics", "endpoint": "OS", "months": "36"}
CELLS = {
    "E006 twice": ("effects", {"effect_id": "brisk-ta:os:final"}, {"effect_id": "space:os:primary"}, "effect_id"),
    "E006 reference": ("effects", {"effect_id": "brisk-ta:os:final"}, {"comparison": "brisk-xx"}, "comparison"),
    "E007": ("trials", {"comparison": "tactics"}, {"stage": ""}, "stage"),
    "E008": ("effects", {"effect_id": "brisk-ta:os:final"}, {"hr": "o.9"}, "hr"),
    "E008 comma": ("effects", {"effect_id": "brisk-ta:os:final"}, {"hr": "0,9"}, "hr"),
    "E008 whole": ("trials", {"comparison": "tactics"}, {"n_exp": "80.5"}, "n_exp"),
    "E009": ("trials", {"comparison": "tactics"}, {"stage": "early"}, "stage"),
    "E101 negative": ("effects", {"effect_id": "brisk-ta:os:final"}, {"hr": "-0.105"}, "hr"),
    "E101 order": ("effects", {"effect_id": "brisk-ta:os:final"}, {"ci_low": "1.66"}, "ci_low"),
    "E101 outside": ("effects", {"effect_id": "brisk-ta:os:final"}, {"ci_high": "0.88"}, "ci_high"),
    "E102": ("effects", {"effect_id": "brisk-ta:os:final"}, {"ci_low": "0.066"}, "ci_low"),
    "E103": ("effects", {"effect_id": "brisk-ta:os:final"}, {"p": "1.5"}, "p"),
    "E104": ("effects", {"effect_id": "brisk-ta:os:final"}, {"ci_level": "0.05"}, "ci_level"),
    "E108 preferred": ("effects", {"effect_id": "tactics:tace-pfs:primary"}, {"preferred": "true"}, "preferred"),
    "E108 registry": ("trials", {"comparison": "tactics"}, {"registry": "NCT00494299"}, "registry"),
    "W110": ("trials", {"comparison": "himalaya-durva"}, {"control_group": ""}, "control_group"),
    "E008 negative": ("trials", {"comparison": "tactics"}, {"progressions": "-121"}, "progressions"),
    "E008 month": ("trials", {"comparison": "tactics"}, {"follow_up_low": "52 months"}, "follow_up_low"),
    "E117 negative": ("trials", {"comparison": "tactics"}, {"follow_up_low": "-52"}, "follow_up_low"),
    "E117 order": ("trials", {"comparison": "tactics"}, {"follow_up_low": "114"}, "follow_up_low"),
    "E117 missing": ("trials", {"comparison": "tactics"}, {"follow_up_high": ""}, "follow_up_high"),
    "E117 nobody": (
        "trials",
        {"comparison": "tactics"},
        {"follow_up_high": "0", "follow_up_low": "0"},
        "follow_up_high",
    ),
    "E118": ("trials", {"comparison": "tactics"}, {"progressions": "144"}, "progressions"),
    "E006 at risk": ("at_risk", AT_36, {"comparison": "tactic"}, "comparison"),
    "E006 time": ("at_risk", {**AT_36, "months": "48"}, {"months": "36.0"}, "months"),
    "E008 at risk": ("at_risk", AT_36, {"at_risk_ctl": "-34"}, "at_risk_ctl"),
    "E009 at risk": ("at_risk", AT_36, {"endpoint": "survival"}, "endpoint"),
    "E119 rises": ("at_risk", AT_36, {"at_risk_exp": "58"}, "at_risk_exp"),
    "E119 above n": ("at_risk", {**AT_36, "months": "0"}, {"at_risk_ctl": "80"}, "at_risk_ctl"),
    "E119 time": ("at_risk", AT_36, {"months": "-36"}, "months"),
    "E008 median": ("arms", TACTICS_EXP, {"median_os": "three years"}, "median_os"),
    "E108 arm": ("arms", {"comparison": "rtog-1112", "preferred": "false"}, {"preferred": "true"}, "preferred"),
    "E120 negative": ("arms", TACTICS_EXP, {"median_os": "-36.2"}, "median_os"),
    "E120 zero": ("arms", TACTICS_EXP, {"median_pps": "0"}, "median_pps"),
    "E120 limits": ("arms", TACTICS_EXP, {"median_os_low": "45"}, "median_os_low"),
    "E120 lower": ("arms", TACTICS_EXP, {"median_os_low": "37"}, "median_os_low"),
    "E120 upper": ("arms", TACTICS_EXP, {"median_pfs_high": "22.7"}, "median_pfs_high"),
    "E120 negative limit": ("arms", TACTICS_EXP, {"median_pfs_low": "-18.4"}, "median_pfs_low"),
    "E120 limit not reached": ("arms", TACTICS_EXP, {"median_pfs_low": "NR"}, "median_pfs_low"),
    "E120 median not reached": ("arms", TACTICS_EXP, {"median_os": "NR"}, "median_os_high"),
    "E121": ("arms", TACTICS_EXP, {"median_os": "22.8"}, "median_os"),
    "E121 not reached": ("arms", TACTICS_EXP, {"median_pfs": "NR"}, "median_os"),
}


@pytest.mark.parametrize("case", CELLS)
def test_errors_in_a_cell(case, own_tables, capsys, tmp_path):
    table, where, cells, column = CELLS[case]
    line = own_tables(table, where, **cells)
    code, shown = run(["--trials", str(own_tables.folder)], capsys, tmp_path)
    assert code == 3
    (found,) = lines_with(case.split()[0], shown.err)
    value = next(iter(cells.values()))
    # W110 and the second of two equal cells are reported where they clash; the others where they were spoiled
    assert f"{table}.csv:{line}: " in found or case.startswith(("W110", "E006 twice", "E108"))
    assert f"{column} = " in found or column in found
    # a median that is not reached is wrong beside another cell
    assert not value or repr(value) in found or case.startswith("E006 twice") or "not reached" in case
    assert "Fix: " in found


WARNINGS = {
    "W103": ("effects", {"effect_id": "brisk-ta:os:final"}, {"hr": "0.80"}),
    "W104": ("effects", {"effect_id": "brisk-ta:os:final"}, {"p": "0.01"}),
    "W105": ("effects", {"effect_id": "brisk-ta:os:final"}, {"events_exp": "20", "events_ctl": "20"}),
    # se of 0.66-1.23 is 0.159; 111 + 111 events imply 0.134 of a 90 % interval read as 95 %: ratio 0.84 the other way
    "W106": ("effects", {"effect_id": "brisk-ta:os:final"}, {"events_exp": "56", "events_ctl": "56"}),
    "W107": ("effects", {"effect_id": "each:pfs:primary"}, {"hr": "1.61", "ci_low": "1.27", "ci_high": "2.04"}),
    "W109": ("trials", {"comparison": "brisk-ta"}, {"n_exp": "349"}),
    "W112": ("effects", {"effect_id": "tactics:os:final"}, {"data_cut": "2017-01-01"}),
    "W111": ("effects", {"effect_id": "brisk-ta:os:final"}, {"preferred": "false"}),
    "I114": ("effects", {"effect_id": "reflect:pfs:primary"}, {"preferred": "false"}),
    "W122": ("arms", {"comparison": "asia-pacific", "arm": "exp"}, {"median_pfs": "6.6"}),
    "W115": ("effects", {"effect_id": "light:pfs:primary"}, {"adjusted": "unstratified"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", WARNINGS)
def test_warnings_are_printed_and_do_not_stop_the_check(case, own_tables, capsys, tmp_path, trials):
    table, where, cells = WARNINGS[case]
    line = own_tables(table, where, **cells)
    # these are reported on the row that clashes with the one that was changed
    elsewhere = {"W109": "arms.csv:", **dict.fromkeys(("W111", "I114", "W115"), "effects.csv:")}
    own = f"{own_tables.folder}/{elsewhere.get(case, f'{table}.csv:{line}: ')}"
    code, shown = run(["--trials", str(own_tables.folder), "--check"], capsys, tmp_path)
    assert code == 0
    baseline = {str(found).split(": ", 1)[1] for found in trials.faults}
    new = [found for found in lines_with(case, shown.out) if found.split(": ", 1)[1] not in baseline]
    assert any(own in found and "Fix: " in found for found in new), shown.out


def test_warnings_under_strict(own_tables, capsys, tmp_path):
    assert run(["--trials", str(own_tables.folder), "--check", "--strict"], capsys, tmp_path)[0] == 5


def test_all_faults_in_one_go(own_tables, capsys, tmp_path):
    own_tables("effects", {"effect_id": "brisk-ta:os:final"}, ci_low="1.66")
    own_tables("effects", {"effect_id": "tactics:os:final"}, ci_high="0.5")
    own_tables("trials", {"comparison": "sharp"}, n_exp="many")
    code, shown = run(["--trials", str(own_tables.folder)], capsys, tmp_path)
    assert code == 3
    assert len(shown.err.splitlines()) == 3


# --- the curated tables as files ---------------------------------------------------------------------------------


def test_missing_folder_file_and_column(own_tables, capsys, tmp_path):
    assert run(["--trials", str(tmp_path / "nowhere")], capsys, tmp_path)[0] == 3
    (own_tables.folder / "arms.csv").unlink()
    assert main(["--trials", str(own_tables.folder)]) == 3
    assert ": E001 " in capsys.readouterr().err
    effects = own_tables.folder / "effects.csv"
    effects.write_text(effects.read_text().replace("effect_id", "id", 1))
    (own_tables.folder / "arms.csv").write_bytes((PINNED_TABLES / "arms.csv").read_bytes())
    assert main(["--trials", str(own_tables.folder)]) == 3
    shown = capsys.readouterr().err
    assert "E004 error: id" in shown
    assert "E005 error: effect_id" in shown


def test_a_set_with_an_unknown_effect(own_tables, capsys, tmp_path):
    path = own_tables.folder / "sets" / "mine.csv"
    path.write_text("surrogate_effect,final_effect\ntactics:tace-pfs:primary,tactics:os:nowhere\n")
    code, shown = run(["mine", "--trials", str(own_tables.folder)], capsys, tmp_path)
    assert code == 3
    assert "mine.csv:2: E006 error: final_effect = 'tactics:os:nowhere'" in shown.err


def test_numbers_at_risk_fall_from_the_size_of_the_arm(own_tables, capsys, tmp_path):
    own_tables("at_risk", AT_36, at_risk_exp="58")
    found = lines_with("E119", run(["--trials", str(own_tables.folder)], capsys, tmp_path)[1].err)
    assert "the number at risk exceeds 57, the number at 24 months" in found[0]


def test_tables_without_counts_follow_up_and_numbers_at_risk(own_tables):
    new = {"progressions", "deaths_without_progression"}
    (own_tables.folder / "at_risk.csv").unlink()
    path = own_tables.folder / "trials.csv"
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows, names = list(reader), reader.fieldnames
    old_names = [name for name in names if name not in new and not name.startswith("follow_up")]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, old_names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    trials = surrogacy.read_trials(own_tables.folder)
    assert trials.at_risk.empty
    assert list(trials.at_risk.columns)[:5] == ["comparison", "endpoint", "months", "at_risk_exp", "at_risk_ctl"]
    assert trials.trials["progressions"].isna().all()
    assert len(trials.analysis_set("tactics-2022")) == 6


def test_counts_of_an_added_row(capsys, tmp_path):
    path = tmp_path / "own.csv"
    columns = f"{HEADER},stage,progressions,deaths_without_progression,follow_up_low,follow_up_high"
    path.write_text(f"{columns}\n{GOOD},intermediate,300,20,12.5,40\n")
    for trials in (surrogacy.read_trials(PINNED_TABLES, path), surrogacy.trials.read_pairs(path)):
        (row,) = trials.trials[trials.trials["comparison"] == "MADE-UP"].to_dict("records")
        assert (row["progressions"], row["deaths_without_progression"]) == (300, 20)
        assert (row["follow_up_low"], row["follow_up_high"]) == (12.5, 40)
    # of a comparison that the table has, the table's counts are kept, and the user is told
    path.write_text("trial,endpoint,hr,ci_low,ci_high,progressions\ntactics,OS,0.80,0.57,1.12,99\n")
    trials = surrogacy.read_trials(PINNED_TABLES, path)
    assert trials.trials.set_index("comparison").loc["tactics", "progressions"] == 121
    assert any(found.code == "W109" and found.column == "progressions" for found in trials.faults)


# --- a user's own table ------------------------------------------------------------------------------------------

OWN = {
    "E001 empty": ("", "E001"),
    "E001 binary": (b"\xff\xfe\x00h\x00i", "E001"),
    "E002": (f"{HEADER},trial\n{GOOD},X\n", "E002"),
    "E003": (f"{HEADER}\n{GOOD},0.5\n", "E003"),
    "E005": ("trial,hr\nA,0.8\n", "E005"),
    "E005 trial": ("hr_pfs,hr_os\n0.8,0.9\n", "E005"),
    "E007": (f"{HEADER}\n{GOOD.replace('0.85', '')}\n", "E007"),
    "E008": (f"{HEADER}\n{GOOD.replace('0.55', 'about 0.55')}\n", "E008"),
    "E009": (f"{HEADER},stage\n{GOOD},early\n", "E009"),
    "E101": (f"{HEADER}\n{GOOD.replace('0.55', '0.95')}\n", "E101"),
    "E102": (f"{HEADER}\n{GOOD.replace('0.55', '0.055')}\n", "E102"),
    "E105": (f"{HEADER},rho_within\n{GOOD},1.5\n", "E105"),
    "E008 negative": (f"{HEADER},progressions\n{GOOD},-5\n", "E008"),
    "E117": (f"{HEADER},follow_up_low,follow_up_high\n{GOOD},40,12\n", "E117"),
    "E117 alone": (f"{HEADER},follow_up_high\n{GOOD},40\n", "E117"),
    "E118": (f"{HEADER},deaths_without_progression\n{GOOD},400\n", "E118"),
    "E002 medians": (f"{HEADER},median_os_ctl,mos_ctl\n{GOOD},20,21\n", "E002"),
    "E010 medians": (f"{HEADER},median_ctl\n{GOOD},20\n", "E010"),
    "E008 median": (f"{HEADER},median_os_ctl\n{GOOD},about 20\n", "E008"),
    "E009 PPS": (f"{HEADER},median_pps_ctl,pps_definition\n{GOOD},12,guessed\n", "E009"),
    "E108 medians": (
        "trial,endpoint,hr,ci_low,ci_high,median_os_ctl\nA,PFS,0.7,0.55,0.89,20\nA,OS,0.85,0.66,1.09,21\n",
        "E108",
    ),
    "E120": (f"{HEADER},mos_ctl\n{GOOD},-20\n", "E120"),
    "E120 limits": (f"{HEADER},median_os_ctl,median_os_ctl_low\n{GOOD},20,21\n", "E120"),
    "E120 cell": (f"{HEADER},median_os_ctl\n{GOOD},20 (22-25)\n", "E120"),
    "E121": (f"{HEADER},median_pfs_exp,median_os_exp\n{GOOD},20,8\n", "E121"),
    "E106": ("trial,n_exp,n_ctl,hr_pfs,se_pfs,hr_os,se_os\nA,10,10,0.8,-0.1,0.9,0.1\n", "E106"),
    "E001 header": (f"{HEADER}\n", "E001"),
    "E108": (f"{HEADER}\n{GOOD}\n{GOOD}\n", "E108"),
    "W110": (f"{HEADER},comparison\n{GOOD},a1\n{GOOD},a2\n", "W110"),
    "W113": (f"{HEADER},evidence,stage\n{GOOD},unverified,advanced\n", "W113"),
    "W113 memory": (f"{HEADER},evidence,stage\n{GOOD},memory,advanced\n", "W113"),
}


@pytest.mark.parametrize("option", ["--add", "--pairs"])
@pytest.mark.parametrize("case", OWN)
def test_errors_in_a_users_table(case, option, capsys, tmp_path):
    content, code = OWN[case]
    path = tmp_path / "own.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    exit_code, shown = run([option, str(path)], capsys, tmp_path)
    assert exit_code == 3, shown
    found = lines_with(code, shown.err)
    assert found, shown.err
    assert all(str(path) in line and "Fix: " in line for line in found)


def test_unverified_rows_enter_when_asked_for(capsys, tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(f"{HEADER},evidence,stage\n{GOOD},unverified,advanced\n")
    assert (
        main(["advanced", "--add", str(path), "--min-evidence", "unverified", "--json", "--model", "weighted-pearson"])
        == 0
    )
    assert "MADE-UP" in capsys.readouterr().out


def test_a_decimal_slip_is_named(capsys, tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(f"{HEADER}\n{GOOD.replace('0.55', '0.055')}\n")
    main(["--pairs", str(path)])
    assert "decimal slip? ci_low 0.55" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("hr", "low", "high", "flagged"),
    [
        ("0.59", "0.41", "0.87", False),  # TACTICS: a = 0.016
        ("1.1", "0.9", "1.4", False),  # SIRveNIB: one decimal explains it
        ("0.90", "0.72", "1.20", True),  # CALGB 80802 if every digit were printed: a = 0.063
        ("0.90", "0.7", "1.2", False),  # with limits of one decimal
    ],
)
def test_rounding_is_taken_into_account(hr, low, high, flagged):
    row = Row("x", 2, {"hr": hr, "ci_low": low, "ci_high": high, "comparison": "a", "endpoint": "OS"})
    assert bool(list(check_symmetry(row))) is flagged


@pytest.mark.parametrize(
    ("cells", "flagged"),
    [
        (
            {"hr": "1.20", "ci_low": "0.95", "ci_high": "1.52", "p": "0.936", "p_sides": "1"},
            False,
        ),  # one-sided under harm
        ({"hr": "0.95", "ci_low": "0.80", "ci_high": "1.13", "p": "<0.001"}, True),  # a bound that cannot be
        ({"hr": "0.46", "ci_low": "0.37", "ci_high": "0.56", "p": "<0.0001"}, False),
        ({"hr": "0.90", "ci_low": "0.66", "ci_high": "1.23", "p": "0.5", "ci_level": "100"}, False),  # E104's business
    ],
)
def test_p_values(cells, flagged):
    assert bool(list(check_p(Row("x", 2, {**cells, "comparison": "a", "endpoint": "OS"})))) is flagged
