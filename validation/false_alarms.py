"""Rates of false errors and false warnings of the checks on correct rows, in five printed styles.

Each row is a correct Wald result in the notation of a journal. The log HR is normal with mean -0.3 and SD 0.3; two
equal arms have 40 to 1,000 events in total. ``python validation/false_alarms.py [ROWS]`` prints one line per style
and writes ``validation/false_alarms.csv``.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.special import ndtr, ndtri

from surrogacy.trials.rows import Row
from surrogacy.trials.rules.agreement_rules import check_restatements
from surrogacy.trials.rules.effect_rules import check_effects

ROWS = 20_000
Style = Callable[[float, float, np.random.Generator], Row]


def decimals(digits: int) -> Style:
    """Return the style with a number of decimals and no p-value."""

    def style(log_hr: float, se: float, generator: np.random.Generator) -> Row:
        return _limits(log_hr, se, 0.95, digits)

    return style


def with_p(log_hr: float, se: float, generator: np.random.Generator) -> Row:
    """Print two decimals and p to two significant digits, or <0.001."""
    p = float(2 * ndtr(-abs(log_hr) / se))
    return {**_limits(log_hr, se, 0.95, 2), "p": f"{p:.2g}" if p >= 0.001 else "<0.001"}


def other_level(log_hr: float, se: float, generator: np.random.Generator) -> Row:
    """Print two decimals, limits at 90 or 97.5%, and a one-sided p for benefit."""
    level = float(generator.choice([0.90, 0.975]))
    p = float(ndtr(log_hr / se))
    printed = f"{p:.2g}" if p >= 0.001 else "<0.001"
    return {**_limits(log_hr, se, level, 2), "p": printed, "p_sides": "1", "ci_level": f"{level:g}"}


STYLES: dict[str, Style] = {
    "2 decimals": decimals(2),
    "1 decimal": decimals(1),
    "3 decimals": decimals(3),
    "2 decimals, two-sided p": with_p,
    "2 decimals, 90 or 97.5 %, one-sided p": other_level,
}


def _limits(log_hr: float, se: float, level: float, digits: int) -> Row:
    z = float(ndtri(0.5 + level / 2))
    values = {"hr": log_hr, "ci_low": log_hr - z * se, "ci_high": log_hr + z * se}
    return {name: f"{np.exp(value):.{digits}f}" for name, value in values.items()}


def count_alarms(style: Style, rows: int, seed: int) -> Counter[tuple[str, str]]:
    """Return the number of rows with a fault, by severity and code; ``any`` counts each row once.

    Parameters
    ----------
    style : callable
    rows, seed : int
    """
    generator = np.random.default_rng(seed)
    counts: Counter[tuple[str, str]] = Counter()
    for _ in range(rows):
        log_hr = float(generator.normal(-0.3, 0.3))
        events = int(generator.integers(40, 1001))
        se = float(np.sqrt(4 / events))
        printed = style(float(generator.normal(log_hr, se)), se, generator)
        row = Row("simulated", 2, {"comparison": "x", "endpoint": "OS", **printed})
        faults = [*check_effects([row]), *check_restatements(row)]
        counts.update({(fault.severity, fault.code) for fault in faults})
        counts.update({(fault.severity, "any") for fault in faults})
    return counts


def main(rows: int) -> None:
    """Print and write the rates."""
    with (Path(__file__).parent / "false_alarms.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["style", "rows", "errors", "warnings", "remarks", "codes"])
        for name, style in STYLES.items():
            counts = count_alarms(style, rows, seed=11)
            codes = " ".join(f"{code}:{n}" for (_, code), n in sorted(counts.items()) if code != "any")
            line = [name, rows, *(counts[severity, "any"] for severity in ("error", "warning", "info")), codes]
            writer.writerow(line)
            print(*line, sep=" | ")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
