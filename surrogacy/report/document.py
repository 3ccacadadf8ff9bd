"""results.json: every number of a run in one document, the same bytes for the same input and seed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

import surrogacy
from surrogacy.errors import data_warnings
from surrogacy.report.section import Record, Section
from surrogacy.trials import TrialSet

FIT_SCHEMA = "surrogacy.results/1"
PPS_SCHEMA = "surrogacy.pps/1"
SIGNIFICANT_DIGITS = 12


def document(schema: str, trials: TrialSet, sections: Sequence[Section], *, seed: int) -> Record:
    """Return the numbers of a run, ready for `dumps`.

    Parameters
    ----------
    schema : str
    trials : TrialSet
    sections : sequence of Section
    seed : int
    """
    record = {
        "schema": schema,
        "version": surrogacy.__version__,
        "data_version": trials.data_version,
        "seed": seed,
        "data_warnings": [asdict(fault) for fault in data_warnings(trials.faults)],
    }
    return record | {key: value for section in sections for key, value in section.record.items()}


def dumps(content: Any) -> str:
    """Return JSON with sorted keys and numbers rounded to 12 significant digits; NaN and infinity become null.

    Bytes of a file name that are not UTF-8 become escapes, so that the text can be written as UTF-8.
    """
    text = json.dumps(_plain(content), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
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
