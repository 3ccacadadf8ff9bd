"""Tables with natural forms of single cells; ``python -m tests.support.natural_cells FOLDER`` writes all tables."""

import sys
from datetime import datetime
from pathlib import Path

from tests.support.natural_tables import (
    HEADINGS,
    INTERVALS,
    LAYOUTS,
    LONG,
    LONG_HEADINGS,
    NUMBERS,
    ROWS,
    NaturalTable,
    changed,
    lines,
    sheet_of,
    with_column,
)

MEDIANS = ["median_os_exp", "median_os_ctl"]
CELLS = (
    NaturalTable(
        "immature-survival.csv",
        lines(
            [
                HEADINGS,
                *ROWS,
                ["Delta", "90", "90", "0.70", "0.50", "0.98", "NR", "NE", "NE"],
                ["Epsilon", "90", "90", "0.70", "0.50", "0.98", "", "", ""],
                ["Zeta", "90", "90", "0.70", "0.50", "0.98", "immature", "", ""],
            ]
        ),
        remarks=frozenset({"W111"}),
        words=("Delta PFS", "Epsilon PFS", "Zeta PFS", "PFS without OS"),
    ),
    NaturalTable(
        "points-between-thousands.csv",
        lines(changed(0, "n_exp", "1.100")),
        faults=frozenset({("E008", 2, "n_exp")}),
        words=("did you mean 1100?",),
        refused=True,
    ),
    NaturalTable(
        "limit-not-estimable.csv",
        lines([HEADINGS, *ROWS, ["Delta", "90", "90", "0.70", "0.50", "0.98", "0.90", "0.60", "NE"]]),
        remarks=frozenset({"I107"}),
        words=("Delta OS", "no standard error can be derived"),
    ),
    NaturalTable(
        "name-and-year.csv",
        lines([["Study (year)", *HEADINGS[1:], "Publication year"], *([*row, "2020"] for row in ROWS)]),
    ),
    NaturalTable(
        "p-in-the-cell.csv",
        lines(
            [
                ["Study", "n_exp", "n_ctl", "PFS HR (95% CI)", "OS HR (95% CI)"],
                *(
                    [*row[:3], f"{row[3]}; P = {p}", row[4]]
                    for row, p in zip(INTERVALS, ("0.003", "0.004", "0.08"), strict=True)
                ),
            ]
        ),
    ),
    NaturalTable(
        "forms-of-p.csv",
        lines(with_column("p_os", ["P=0.13", "NS", "p > 0.05"])),
        remarks=frozenset({"I146"}),
        words=("'NS'",),
    ),
    NaturalTable(
        "text-instead-of-p.csv",
        lines(with_column("p_os", ["0.13", "see text", "0"])),
        faults=frozenset({("W146", 3, "p_os"), ("W146", 4, "p_os")}),
    ),
    NaturalTable("bounds-of-p.csv", lines(with_column("log-rank p PFS", ["0.003*", "p≤0.01", "<0.3"]))),
    NaturalTable("missing-p.csv", lines(with_column("p_os", ["NA", ".", "N/A"]))),
    NaturalTable(
        "counts-in-words.csv",
        lines(
            [
                HEADINGS,
                [ROWS[0][0], "n = 100", "100 patients", *ROWS[0][3:]],
                *ROWS[1:],
            ]
        ),
    ),
    NaturalTable(
        "medians-with-units.csv",
        lines(
            [
                [*HEADINGS, *MEDIANS],
                [*ROWS[0], "23.4 months", "18.2 mo"],
                [*ROWS[1], "NR", "30.1 (25.0-NE)"],
                [*ROWS[2], "-", "N/A"],
            ]
        ),
    ),
    NaturalTable(
        "bounds-of-medians.csv",
        lines([[*HEADINGS, *MEDIANS], [*ROWS[0], ">36", "2.5 years"], *([*row, "", ""] for row in ROWS[1:])]),
        faults=frozenset({("E008", 2, "median_os_exp"), ("E008", 2, "median_os_ctl")}),
        words=("write NR if the median was not reached", "did you mean 30.0?"),
        refused=True,
    ),
    NaturalTable(
        "percentages.csv",
        lines(changed(1, "hr_pfs", "70%")),
        faults=frozenset({("E008", 3, "hr_pfs")}),
        words=("did you mean 0.7?",),
        refused=True,
    ),
    NaturalTable(
        "date-for-a-number.xlsx",
        sheet_of([NUMBERS[0], [*NUMBERS[1][:3], datetime(2026, 5, 12), *NUMBERS[1][4:]], *NUMBERS[2:]]),
        faults=frozenset({("E008", 2, "hr_pfs")}),
        words=("a spreadsheet has converted the entry to a date", "12-5"),
        refused=True,
    ),
    NaturalTable(
        "date-in-text.csv",
        lines(changed(2, "ci_high_os", "12-May")),
        faults=frozenset({("E008", 4, "ci_high_os")}),
        words=("a spreadsheet has converted the entry to a date",),
        refused=True,
    ),
    NaturalTable(
        "interval-as-date.csv",
        lines([["trial", "HR PFS", "CI PFS", "HR OS", "CI OS"], ["Alpha", "0.62", "5-Dec", "0.80", "0.60-1.07"]]),
        faults=frozenset({("E008", 2, "CI PFS")}),
        words=("a spreadsheet has converted the entry to a date",),
        refused=True,
    ),
    NaturalTable(
        "trial-as-date.xlsx",
        sheet_of([NUMBERS[0], *NUMBERS[1:], [datetime(2026, 3, 1), *NUMBERS[1][1:]]]),
        faults=frozenset({("W149", 5, "trial")}),
        words=("a spreadsheet may have converted it",),
    ),
    NaturalTable(
        "total-number.csv",
        lines([["trial", "N", *HEADINGS[3:]], *([row[0], str(2 * int(row[1])), *row[3:]] for row in ROWS)]),
        faults=frozenset({("W134", 1, "N")}),
        words=("1:1 allocation is assumed",),
    ),
    NaturalTable(
        "stages.csv",
        lines(with_column("Stage", ["Intermediate", "BCLC B", "BCLC-C"])),
        remarks=frozenset({"I143"}),
        words=("this is read as intermediate", "this is read as advanced"),
    ),
    NaturalTable(
        "stage-not-known.csv",
        lines(with_column("stage", ["intermediat", "stage B", "early"])),
        faults=frozenset({("E009", 2, "stage"), ("E009", 4, "stage")}),
        words=("did you mean 'intermediate'",),
        refused=True,
    ),
    NaturalTable(
        "lines-of-therapy.csv",
        lines(with_column("line", ["1L", "2nd line", "first-line"])),
        remarks=frozenset({"I143"}),
        words=("this is read as first", "this is read as second"),
    ),
    NaturalTable(
        "classes.csv",
        lines(with_column("class", ["TACE + systemic", "ICI + antiangiogenic", "Haic"])),
        faults=frozenset({("W143", 2, "class")}),
        words=("did you mean 'tace-combination'",),
    ),
    NaturalTable(
        "misspelt-heading.csv",
        lines([[*HEADINGS[:3], "hr_psf", *HEADINGS[4:]], *ROWS]),
        faults=frozenset({("E005", 1, "")}),
        words=("'hr_psf' (did you mean 'hr_pfs'?)",),
        refused=True,
    ),
    NaturalTable(
        "misspelt-endpoint.csv",
        lines(
            [
                [*LONG_HEADINGS, "final"],
                *([*row, "OS"] for row in LONG),
                ["Delta", "PSF", "90", "90", "0.7", "0.5", "0.98", "OS"],
            ]
        ),
        faults=frozenset({("W147", 8, "endpoint")}),
        remarks=frozenset({"W111"}),
        words=("did you mean 'PFS'",),
    ),
    NaturalTable(
        "deaths.csv",
        lines(
            [
                [*HEADINGS, "deaths exp", "deaths ctl"],
                *([*row, deaths, deaths] for row, deaths in zip(ROWS, ("92", "120", "102"), strict=True)),
            ]
        ),
    ),
    NaturalTable(
        "one-endpoint.csv",
        lines([["study", "HR", "lower", "upper"], *([row[0], *row[3:6]] for row in ROWS)]),
        faults=frozenset({("E005", 1, "")}),
        words=("no column names its endpoint", "add a column endpoint"),
        refused=True,
    ),
    NaturalTable(
        "forest-plot.csv",
        lines(
            [
                [
                    "Study or Subgroup",
                    "Outcome",
                    "Experimental Total",
                    "Control Total",
                    "Weight",
                    "Hazard Ratio IV, Random, 95% CI",
                ],
                *([row[0], row[1], *row[2:4], "33.3%", f"{row[4]} [{row[5]}; {row[6]}]"] for row in LONG),
                ["Heterogeneity: Tau² = 0.00; Chi² = 1.2 (P = 0.55); I² = 0%", "", "", "", "", ""],
            ]
        ),
        faults=frozenset({("W145", 8, "first cell")}),
        remarks=frozenset({"I004"}),
    ),
    NaturalTable(
        "pooled-row.csv",
        lines([HEADINGS, *ROWS, ["Total (95% CI)", "370", "370", "0.71", "0.61", "0.83", "0.89", "0.76", "1.04"]]),
        faults=frozenset({("E018", 5, "trial")}),
        refused=True,
    ),
    NaturalTable(
        "thousands.csv",
        lines(changed(0, "n_exp", '"1,100"')),
        faults=frozenset(),
    ),
)
TABLES = (*LAYOUTS, *CELLS)


def main(folder: Path) -> None:
    """Write every table into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in TABLES:
        (folder / table.name).write_bytes(table.content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
