"""Tables of a user in which some cells are blank, and what the command makes of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
from scipy.special import ndtri

from surrogacy.fit import main

COLUMNS = (
    "trial",
    "n_exp",
    "n_ctl",
    "hr_pfs",
    "ci_low_pfs",
    "ci_high_pfs",
    "hr_os",
    "ci_low_os",
    "ci_high_os",
    "stage",
)
HAZARD_RATIOS_AND_PATIENTS = Path(__file__).parents[1] / "data/public_cases/hazard_ratios_and_patients.csv"
LIMITS = ("ci_low_pfs", "ci_high_pfs", "ci_low_os", "ci_high_os")
NO_LIMITS = ("T03", "T09", "T21")


def simulated_rows(trials=27, seed=5):
    """Rows of a made-up set: log HR(OS) = 0.6 log HR(PFS) with scatter, Wald limits of both."""
    generator = np.random.default_rng(seed)
    rows = []
    for i in range(trials):
        n = int(generator.integers(100, 500))
        x = generator.normal(-0.3, 0.25)
        true = np.array([x, 0.6 * x + generator.normal(0, 0.06)])
        se = 2 / np.sqrt(2 * n * np.array([0.8, 0.6]))
        y = true + generator.multivariate_normal([0, 0], np.outer(se, se) * [[1, 0.5], [0.5, 1]])
        cells = [f"{np.exp(value):.4f}" for j in (0, 1) for value in y[j] + np.array([0, -1, 1]) * ndtri(0.975) * se[j]]
        rows.append(
            dict(zip(COLUMNS, [f"T{i + 1:02d}", n, n, *cells, ("intermediate", "advanced")[i % 2]], strict=True))
        )
    return rows


def write_rows(folder, blank, rows=None, name="own"):
    """Write rows with some cells blanked, ``blank={column: trials}``, and give the path."""
    path = folder / f"{name}.csv"
    rows = [dict(row) for row in rows or simulated_rows()]
    for row in rows:
        row.update({column: "" for column, of in blank.items() if of is ... or row["trial"] in of})
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def run(path, *options):
    return main(["--pairs", str(path), *options])


def document_of(path, capsys, *options):
    assert run(path, "--json", *options) == 0
    shown = capsys.readouterr()
    return json.loads(shown.out), shown.err


def fit_of(document, model):
    (fit,) = (fit for fit in document["fits"] if fit["model"] == model)
    return fit
