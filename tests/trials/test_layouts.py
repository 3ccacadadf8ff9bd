import numpy as np
import pytest

from surrogacy.trials.standard_errors import standard_error_from_interval
from surrogacy.trials.user_tables.table_files import read_user_table
from tests.support.effects import effects_of

# two trials, in the layouts and spellings that people have
PLAIN = """trial,n_exp,n_ctl,hr_surrogate,ci_low_surrogate,ci_high_surrogate,hr_final,ci_low_final,ci_high_final
A,200,190,0.70,0.55,0.89,0.85,0.66,1.09
B,150,160,0.90,0.70,1.16,0.95,0.72,1.25
"""
LAYOUTS = {
    "plain": PLAIN,
    "bom": "\ufeff" + PLAIN,
    "carriage returns": PLAIN.replace("\n", "\r"),
    "dos": PLAIN.replace("\n", "\r\n"),
    "semicolons and decimal commas": PLAIN.replace(",", ";").replace(".", ","),
    "semicolons and points": PLAIN.replace(",", ";"),
    "tabs": PLAIN.replace(",", "\t"),
    "mid-dots": PLAIN.replace(".", "\u00b7"),
    "blank lines": PLAIN.replace("\n", "\n\n"),
    "endpoint names": PLAIN.replace("_surrogate", "_pfs").replace("_final", "_os"),
    "capitals": PLAIN.replace("_surrogate", "_PFS").replace("_final", "_OS").replace("trial", "Study", 1),
    "lower and upper": """study,n.e,n.c,pfs_hr,pfs_lower,pfs_upper,os_hr,os_lower,os_upper
A,200,190,0.70,0.55,0.89,0.85,0.66,1.09
B,150,160,0.90,0.70,1.16,0.95,0.72,1.25
""",
    "one cell": """studlab,n_exp,n_ctl,hr_pfs,hr_os
A,200,190,0.70 (0.55-0.89),0.85 (0.66 to 1.09)
B,150,160,0.90 [0.70\u20131.16],"0.95 (95% CI, 0.72, 1.25)"
""",
    "reference files": """trial,surrogate,n_exp,n_ctl,hr_s,hr_s_low,hr_s_high,hr_t,hr_t_low,hr_t_high
A,PFS,200,190,0.70,0.55,0.89,0.85,0.66,1.09
B,PFS,150,160,0.90,0.70,1.16,0.95,0.72,1.25
""",
    "long": """trial,endpoint,n_exp,n_ctl,hr,ci_low,ci_high
A,PFS,200,190,0.70,0.55,0.89
A,OS,200,190,0.85,0.66,1.09
B,PFS,150,160,0.90,0.70,1.16
B,OS,150,160,0.95,0.72,1.25
""",
    "metafor": "study,outcome,n1i,n2i,yi,vi\n"
    + "\n".join(
        f"{trial},{endpoint},{a},{b},{np.log(hr):.12f},{standard_error_from_interval(low, high) ** 2:.12f}"
        for trial, a, b, pairs in (
            ("A", 200, 190, (("PFS", 0.70, 0.55, 0.89), ("OS", 0.85, 0.66, 1.09))),
            ("B", 150, 160, (("PFS", 0.90, 0.70, 1.16), ("OS", 0.95, 0.72, 1.25))),
        )
        for endpoint, hr, low, high in pairs
    )
    + "\n",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_effects(layout, tmp_path):
    path = tmp_path / "own.csv"
    path.write_bytes(LAYOUTS[layout].encode())
    effects = effects_of(path)
    assert effects.trial == ("A", "B")
    assert effects.n.tolist() == [390, 310]
    assert np.exp(effects.log_hr) == pytest.approx(np.array([[0.70, 0.85], [0.90, 0.95]]))
    expected = [
        [standard_error_from_interval(0.55, 0.89), standard_error_from_interval(0.66, 1.09)],
        [standard_error_from_interval(0.70, 1.16), standard_error_from_interval(0.72, 1.25)],
    ]
    assert effects.se == pytest.approx(np.array(expected))


def test_xlsx(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for line in PLAIN.splitlines():
        book.active.append([float(cell) if cell[0].isdigit() else cell for cell in line.split(",")])
    path = tmp_path / "own.xlsx"
    book.save(path)
    effects = effects_of(path)
    assert np.exp(effects.log_hr) == pytest.approx(np.array([[0.70, 0.85], [0.90, 0.95]]))
    assert effects.n.tolist() == [390, 310]


def test_confidence_levels_per_endpoint(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(PLAIN.replace("\n", ",ci_level_final\n", 1).replace("1.09", "1.09,0.90").replace("1.25", "1.25,95"))
    effects = effects_of(path)
    assert effects.se[0, 1] == pytest.approx(standard_error_from_interval(0.66, 1.09, 0.90))
    assert effects.se[1, 1] == pytest.approx(standard_error_from_interval(0.72, 1.25, 0.95))


def test_standard_errors_from_limits_then_p_then_events(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(
        "trial,endpoint,n_exp,n_ctl,hr,ci_low,ci_high,p,p_sides,events_exp,events_ctl\n"
        "A,PFS,200,190,0.70,0.55,0.89,0.5,,,\n"
        "A,OS,200,190,0.85,,,0.2,,,\n"
        "B,PFS,150,160,0.80,,,<0.05,,60,70\n"
        "B,OS,150,160,0.90,,,0.1,1,,\n"
    )
    effects = effects_of(path)
    assert effects.factors["surrogate_se_method"] == ("limits", "events")
    assert effects.factors["final_se_method"] == ("p", "p")
    assert effects.se[0, 1] == pytest.approx(abs(np.log(0.85)) / 1.2815516)  # two-sided 0.2
    assert effects.se[1, 1] == pytest.approx(abs(np.log(0.90)) / 1.2815516)  # one-sided 0.1
    assert effects.se[1, 0] == pytest.approx(np.sqrt(1 / 60 + 1 / 70))
    assert any("not from limits" in problem and "B PFS from events" in problem for problem in effects.problems)


def test_a_p_value_near_one_gives_only_a_rough_error(trials):
    effects = trials.analysis_set("intermediate")
    row = effects.comparison.index("tace-2")  # PFS 0.99, p = 0.94: rounding alone allows 0.06 to 0.21
    assert effects.factors["surrogate_se_method"][row] == "p"
    assert any("TACE-2 PFS from p, roughly" in problem for problem in effects.problems)


def test_line_numbers_count_lines_of_the_file(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text('trial,notes\nA,"two\nlines"\n\nB,x\n')
    assert [row.line for row in read_user_table(path).rows] == [2, 5]
