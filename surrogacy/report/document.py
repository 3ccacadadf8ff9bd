"""results.json: every number of a run in one document, the same bytes for the same input and seed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

import surrogacy
from surrogacy.analysis.fit_run import Run, SetFit
from surrogacy.errors import data_warnings
from surrogacy.evaluation.differences import POWER_NOTE, Difference
from surrogacy.report.pps_words import decomposition_record
from surrogacy.results.endpoint_names import final_names, surrogate_names
from surrogacy.results.estimate import Estimate, ThresholdEffect
from surrogacy.results.requirements import LeftOut
from surrogacy.results.result import Result

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
        "data_warnings": [asdict(fault) for fault in data_warnings(run.trials.faults)],
        "fits": [fit_record(result) for one in analyses for result in one.results],
        "failures": failure_records(analyses),
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
        "differences": [difference_record(one) for one in run.differences],
        "verdicts": list(run.verdicts),
        "placement": list(run.placement),
        "not_placed": list(run.not_placed),
        "pps": decomposition_record(run.decompositions[0]) if run.decompositions else None,
        "pps_comparisons": [decomposition_record(one) for one in run.decompositions],
        "predictions": list(run.predictions),
        "changes": list(run.changes),
        "flow": flow(run),
    }


def failure_records(analyses: Sequence[SetFit]) -> list[dict[str, Any]]:
    """Return the models without a fit; ``left_out`` holds what the tables lack if that is the reason."""
    failed = [
        {"set": one.name, "model": model, "problem": text, "missing_data": False, "left_out": []}
        for one in analyses
        for model, text in one.failures
    ]
    return failed + [
        {
            "set": one.name,
            "model": entry.model,
            "problem": f"{entry.reason}. Remedy: {entry.remedy}",
            "missing_data": True,
            "left_out": [left_out_record(member) for member in entry.left_out],
        }
        for one in analyses
        for entry in one.not_fitted
    ]


def left_out_record(entry: LeftOut) -> dict[str, Any]:
    """Return a comparison that a model does not use as a record."""
    return {
        "comparison": entry.comparison,
        "label": entry.label,
        "missing": [requirement.value for requirement in entry.missing],
        "reason": entry.reason,
        "remedy": entry.remedy,
    }


def fit_record(result: Result) -> dict[str, Any]:
    """Return one fit as a record."""
    effects = result.effects
    patients = effects.n_patients
    return {
        "set": effects.name,
        "k": len(effects),
        "trials": len(effects.trials),
        "n": int(patients) if np.isfinite(patients) else None,
        "model": result.model,
        "settings": dict(result.settings),
        "estimates": {name: estimate_record(estimate) for name, estimate in result.estimates.items()},
        "problems": list(result.problems),
        "endpoints": {"surrogate": list(surrogate_names(effects)), "final": list(final_names(effects))},
        "left_out": [left_out_record(entry) for entry in result.left_out],
    }


def difference_record(difference: Difference) -> dict[str, Any]:
    """Return one difference as a record; ``power``, at the observed difference, is null, with the reason beside it."""
    contrasts = {
        name: asdict(contrast) | {"difference": contrast.difference.record}
        for name, contrast in difference.contrasts.items()
    }
    return asdict(difference) | {
        "contrasts": contrasts,
        "sentence": difference.sentence,
        "power": None,
        "power_note": POWER_NOTE,
    }


def estimate_record(estimate: Estimate | ThresholdEffect) -> dict[str, Any]:
    """Return one estimate as a record."""
    return dict(estimate.record)


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
