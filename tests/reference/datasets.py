"""Effects of the reference data sets."""

import csv
from pathlib import Path

import numpy as np

from surrogacy.effects import Effects
from surrogacy.trials.standard_errors import standard_error_from_interval

DATA = Path(__file__).parent / "data"


def rows(name):
    with (DATA / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def hazard_ratios(name, surrogate=None, rho_within=0.5):
    found = [row for row in rows(name) if surrogate in (None, row["surrogate"])]
    number = [{key: float(row[key]) for key in row if key.startswith(("hr", "n_"))} for row in found]
    log_hr = np.log([[row["hr_s"], row["hr_t"]] for row in number])
    se = [[standard_error_from_interval(row[f"{e}_low"], row[f"{e}_high"]) for e in ("hr_s", "hr_t")] for row in number]
    n = [row["n_exp"] + row["n_ctl"] for row in number]
    return Effects.from_arrays(log_hr, se, rho_within, n=n, trial=[row["trial"] for row in found], name=name)


def outcomes(name, y=("y1", "y2"), variances=("V11", "V22"), covariance="V12"):
    """Effects from columns of estimates, variances and their covariance; NA is missing."""
    table = [
        {
            key: float("nan") if cell == "NA" else float(cell)
            for key, cell in row.items()
            if key in (*y, *variances, covariance)
        }
        for row in rows(name)
    ]
    values = np.array([[row[key] for key in y] for row in table])
    se = np.sqrt([[row[key] for key in variances] for row in table])
    rho = np.array([row.get(covariance, 0.0) for row in table]) / (se[:, 0] * se[:, 1])
    return Effects.from_arrays(values, se, np.nan_to_num(rho))
