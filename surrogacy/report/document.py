"""results.json: every number of a run in one document, the same bytes for the same input and seed."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np

import surrogacy
from surrogacy.analysis import Run
from surrogacy.report.pps_words import decomposition_record
from surrogacy.results import Estimate, Result, ThresholdEffect

SCHEMA = "surrogacy.results/1"
SIGNIFICANT_DIGITS = 12


def document(run: Run, *, seed: int) -> dict[str, Any]:
    """Collect the numbers of a run.

    Parameters
    ----------
    run : Run
    seed : int

    Returns
    -------
    dict
        Ready for `dumps`.
    """
    analyses = run.analyses
    return {
        "schema": SCHEMA,
        "version": surrogacy.__version__,
        "data_version": run.trials.data_version,
        "seed": seed,
        "fits": [fit_record(result) for one in analyses for result in one.results],
        "failures": [{"set": one.name, "model": model, "problem": text} for one in analyses for model, text in one.failures],
        "rho_within_grid": [record for one in analyses for record in one.rho_within_grid],
        "prior_sensitivity": [record for one in analyses for record in one.prior_sensitivity],
        "nuts": [record for one in analyses for record in one.nuts],
        "power_scaling": [record for one in analyses for record in one.power_scaling],
        "leave_one_out": [record for one in analyses for record in one.leave_one_out],
        "cross_validation": [
            {"set": one.name, **found.summary(), "comparisons": list(found.records)}
            for one in analyses
            for found in one.robustness.cross_validation
        ],
        "external_validation": [{**found.summary(), "comparisons": list(found.records)} for found in run.external],
        "influence": [record for one in analyses for record in one.robustness.diagnostics],
        "delete_one": [record for one in analyses for record in one.robustness.delete_one],
        "choices": [record for one in analyses for record in one.robustness.choices],
        "subgroups": [record for one in analyses for record in one.robustness.subgroups],
        "intervals": [record for one in analyses for record in one.robustness.intervals],
        "differences": [asdict(found) | {"sentence": found.sentence} for found in run.differences],
        "verdicts": list(run.verdicts),
        "placement": list(run.placement),
        "pps": None if run.pps is None else decomposition_record(run.pps),
        "predictions": list(run.predictions),
        "changes": list(run.changes),
        "flow": flow(run),
    }


def fit_record(result: Result) -> dict[str, Any]:
    """Return one fit as a record."""
    effects = result.effects
    patients = effects.patients
    settings = dict(result.settings)
    if result.model.startswith("bivariate"):
        assumed = np.unique(effects.rho_within[~effects.rho_known])
        known = len(assumed) and "prior_rho_within" not in settings
        settings |= {
            "rho_within": float(assumed[0]) if known else None,
            "rho_within_reported": int(effects.rho_known.sum()),
        }
    return {
        "set": effects.name,
        "k": len(effects),
        "trials": len(effects.trials),
        "n": int(patients) if np.isfinite(patients) else None,
        "model": result.model,
        "settings": settings,
        "estimates": {name: estimate_record(estimate) for name, estimate in result.estimates.items()},
        "problems": list(result.problems),
    }


def estimate_record(estimate: Estimate | ThresholdEffect) -> dict[str, Any]:
    """Return one estimate as a record."""
    record = asdict(estimate)
    if isinstance(estimate, ThresholdEffect) and estimate.hr_other is None:
        del record["hr_other"]
    return record


def flow(run: Run) -> dict[str, Any]:
    """Where every comparison of the table went."""
    analyses, table = run.analyses, run.trials.trials
    sets = {
        one.name: {
            "in_fit": sorted(entry["comparison"] for entry in one.flow if entry["in_fit"]),
            "not_in_fit": {entry["comparison"]: entry["why"] for entry in one.flow if not entry["in_fit"]},
        }
        for one in analyses
    }
    considered = {entry["comparison"] for one in analyses for entry in one.flow}
    stage = dict(zip(table["comparison"], table["stage"], strict=True))
    elsewhere = {name: f"{stage[name]} stage: in no set of this run" for name in stage if name not in considered}
    return {"comparisons": len(stage), "sets": sets, "in_no_set": elsewhere}


def dumps(content: Any) -> str:
    """JSON with sorted keys and numbers rounded to 12 significant digits; NaN and infinity become null.

    Bytes of a file name that are not UTF-8 become escapes, so that the text can be written as UTF-8.
    """
    text = json.dumps(_plain(content), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        number = float(f"{float(value):.{SIGNIFICANT_DIGITS}g}") if np.isfinite(value) else None
        return 0.0 if number == 0 else number
    return value
