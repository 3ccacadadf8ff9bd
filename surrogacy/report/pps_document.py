"""results.json of a run on post-progression survival."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import surrogacy
from surrogacy.analysis.pps_run import PpsRun
from surrogacy.errors import data_warnings
from surrogacy.report.document import estimate_record, fit_record
from surrogacy.report.pps_tables import at_risk_records, audit_records, evidence_record, moderated_records
from surrogacy.report.pps_words import decomposition_record, residual_p_record
from surrogacy.results.estimate import Estimate, ThresholdEffect

SCHEMA = "surrogacy.pps/1"


def document(run: PpsRun, *, seed: int) -> dict[str, Any]:
    """Collect the numbers of a run.

    Parameters
    ----------
    run : PpsRun
    seed : int

    Returns
    -------
    dict
        Ready for `surrogacy.report.document.dumps`.
    """
    return {
        "schema": SCHEMA,
        "version": surrogacy.__version__,
        "data_version": run.trials.data_version,
        "seed": seed,
        "data_warnings": [asdict(fault) for fault in data_warnings(run.trials.faults)],
        "focus": None if run.focus is None else run.focus.comparison,
        "decompositions": [decomposition_record(one) for one in run.decompositions],
        "by_direct_death": [asdict(scenario) for scenario in run.by_direct_death],
        "at_risk": None
        if run.at_risk is None
        else {
            "models": at_risk_records(run.at_risk),
            "p": run.at_risk.p,
            "crude_ratios": [asdict(one) for one in run.at_risk.crude],
            "p_change": run.at_risk.p_change,
            "meeting": run.at_risk.meeting,
            "problems": list(run.at_risk.problems),
        },
        "every_trial": [decomposition_record(one) for one in run.every],
        "residual_p_values": residual_p_record(run.every),
        "not_decomposed": dict(run.refused),
        "coupling": [record for audit in run.audits for record in audit_records(audit)],
        "moderated": [
            fit_record(one.line.result)
            | {"moderator": one.line.moderator.words, "at": moderated_records(one), "evidence": evidence_record(one)}
            | {"leave_one_out": [_plain(vars(refit)) for refit in one.left_out]}
            for one in run.moderations
        ],
        "offset": None
        if run.offset is None
        else fit_record(run.offset.result)
        | {
            "against_line": estimate_record(run.offset.against_line.difference),
            "dilution_against_line": estimate_record(run.offset.dilution_against_line.difference),
        },
        "offset_sensitivity": [scenario.record for scenario in run.offset_sensitivity],
        "not_asked": list(run.failures),
    }


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    return {
        key: estimate_record(value) if isinstance(value, Estimate | ThresholdEffect) else value
        for key, value in record.items()
    }
