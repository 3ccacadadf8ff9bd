"""Rules that a row of effects must obey; each yields faults that name the cell and the likely cure.

E codes stop the run, W codes are printed and counted, I codes only inform.

References
----------
Parmar, Torri, Stewart (1998), doi:10.1002/(SICI)1097-0258(19981230)17:24<2815::AID-SIM110>3.0.CO;2-8.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence

from scipy.special import ndtr, ndtri

from surrogacy.effects import standard_error_from_events, standard_error_from_interval
from surrogacy.errors import Fault, Severity
from surrogacy.trials.reading import Row

ASYMMETRY_ERROR = 0.25
ASYMMETRY_WARNING = 0.05
P_FACTOR = 3.0
EVENTS_RATIO = (0.7, 1.4)
MEDIAN_FACTOR = 1.15
MEDIAN_EACH = 1.05  # and each clearly on its own side of 1
# ratio of standard errors that a wrong confidence level makes: read as 95 %, truly 90 % or 99 %
LEVEL_RATIOS = {0.90: float(ndtri(0.95) / ndtri(0.975)), 0.99: float(ndtri(0.995) / ndtri(0.975))}


def number(row: Row, column: str) -> float | None:
    """Cell as a number; None if it is empty or no number."""
    try:
        value = float(row.get(column, ""))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def exact_p(row: Row) -> float | None:
    """Exact p-value of a row; None if there is none or it is a bound such as <0.001."""
    text = row.get("p", "").strip().lstrip("=").strip()
    try:
        p = float(text)
    except ValueError:
        return None
    return p if 0 < p < 1 else None


def bound_of_p(row: Row) -> float | None:
    """Bound that a p-value is said to lie below, such as 0.001 for ``<0.001``."""
    match = re.fullmatch(r"<\s*(\d*\.?\d+(?:[eE]-?\d+)?)", row.get("p", "").strip())
    return float(match[1]) if match else None


def level_of(row: Row) -> float:
    """Confidence level of a row's limits, 0.95 unless stated; ``95`` is read as 0.95."""
    level = number(row, "ci_level")
    if level is None:
        return 0.95
    return level / 100 if level > 1 else level


def half_unit(text: str) -> float:
    """Largest rounding error of a printed number; fewer than two decimals count as one decimal."""
    decimals = len(re.sub(r"[eE].*", "", text).partition(".")[2])
    return 0.5 * 10.0 ** -(decimals if decimals >= 2 else 1)


def _spread(row: Row, column: str) -> tuple[float, float]:
    """Range that a printed number may stand for."""
    value, half = float(row[column]), half_unit(row[column])
    return max(value - half, 1e-9), value + half


def _make(code: str, severity: Severity, row: Row, column: str, rule: str, fix: str) -> Fault:
    place = row.get("_file", ""), int(row.get("_line", "0") or 0)
    who = row.get("comparison", "")
    endpoint = row.get("endpoint", "")
    return Fault(code, severity, *place, f"{who} {endpoint}".strip(), column, row.get(column, ""), rule, fix)


def check_order(row: Row) -> Iterator[Fault]:
    """E101: hazard ratio and limits positive, and in order."""
    hr, low, high = (number(row, column) for column in ("hr", "ci_low", "ci_high"))
    for column, value in (("hr", hr), ("ci_low", low), ("ci_high", high)):
        if value is not None and value <= 0:
            fix = (
                "give the hazard ratio itself, or name the column log_hr"
                if column == "hr"
                else "give the limit as a hazard ratio"
            )
            yield _make("E101", "error", row, column, "a hazard ratio or limit must be above 0", fix)
            return
    if low is not None and high is not None and low >= high:
        yield _make(
            "E101",
            "error",
            row,
            "ci_low",
            f"the lower limit {low:g} is not below the upper limit {high:g}",
            "swap or re-read the limits",
        )
    elif hr is not None and low is not None and low > hr:
        yield _make("E101", "error", row, "ci_low", f"the lower limit is above the hazard ratio {hr:g}", _slip(row))
    elif hr is not None and high is not None and high < hr:
        yield _make("E101", "error", row, "ci_high", f"the upper limit is below the hazard ratio {hr:g}", _slip(row))


def _asymmetry(hr: float, low: float, high: float) -> float:
    return abs(0.5 * (math.log(low) + math.log(high)) - math.log(hr)) / (math.log(high) - math.log(low))


def _slip(row: Row) -> str:
    """The decimal slip that would repair a row, if one does."""
    values = {column: float(row[column]) for column in ("hr", "ci_low", "ci_high") if number(row, column)}
    if len(values) == 3:
        repairs = []
        for column, value in values.items():
            for factor in (10.0, 0.1):
                hr, low, high = ({**values, column: value * factor}[name] for name in ("hr", "ci_low", "ci_high"))
                if low < hr < high and _asymmetry(hr, low, high) < ASYMMETRY_WARNING:
                    repairs.append((math.log(high / low), f"{column} {value * factor:.4g}"))
        if repairs:  # the narrower interval is the likelier
            return f"decimal slip? {' or '.join(text for _, text in sorted(repairs))} would fit: re-read"
    return "re-read the hazard ratio and its limits"


def check_symmetry(row: Row) -> Iterator[Fault]:
    """E102, W103: limits lie symmetrically about the hazard ratio on the log scale, up to rounding."""
    hr, low, high = (number(row, column) for column in ("hr", "ci_low", "ci_high"))
    if hr is None or low is None or high is None or not 0 < low < high or not low <= hr <= high:
        return
    a = _asymmetry(hr, low, high)
    if a > ASYMMETRY_ERROR:
        rule = f"the limits are far from symmetric about the hazard ratio on the log scale (a = {a:.2f})"
        yield _make("E102", "error", row, "ci_low", rule, _slip(row))
        return
    if a <= ASYMMETRY_WARNING:
        return
    hr_range, low_range, high_range = (_spread(row, column) for column in ("hr", "ci_low", "ci_high"))
    centre = [0.5 * (math.log(lo) + math.log(hi)) for lo, hi in zip(low_range, high_range, strict=True)]
    # a Cox interval is symmetric before rounding: can any unrounded values behind the printed ones be?
    if centre[0] <= math.log(hr_range[1]) and math.log(hr_range[0]) <= centre[1]:
        return
    rule = f"limits not symmetric about the hazard ratio (a = {a:.2f}), and rounding does not explain it"
    yield _make("W103", "warning", row, "hr", rule, f"{_slip(row)}, or the estimates come from different models")


def check_p(row: Row) -> Iterator[Fault]:
    """W104: the p-value, exact or a bound, follows from the limits, up to rounding."""
    hr, low, high = number(row, "hr"), number(row, "ci_low"), number(row, "ci_high")
    p, bound, level = exact_p(row), bound_of_p(row), level_of(row)
    if hr is None or low is None or high is None or not 0 < low <= hr <= high or low == high or not 0.5 <= level < 1:
        return
    sides = int(number(row, "p_sides") or 2)
    implied = []
    for h in _spread(row, "hr"):
        for lo in _spread(row, "ci_low"):
            for hi in _spread(row, "ci_high"):
                if lo < hi:
                    z = abs(math.log(h)) / standard_error_from_interval(lo, hi, level)
                    implied.append(sides * float(ndtr(-z)))
    if min(_spread(row, "hr")) <= 1 <= max(_spread(row, "hr")):
        implied.append(sides * 0.5)
    least, most = min(implied), max(implied)
    central = sides * float(ndtr(-abs(math.log(hr)) / standard_error_from_interval(low, high, level)))
    wrong = bound is not None and least > P_FACTOR * bound
    if p is not None:
        if sides == 1 and p > 0.5:  # the tail on the other side
            p = 1 - p
        apart = p > P_FACTOR * most or p < least / P_FACTOR
        wrong = apart or ((p < 0.05) != (central < 0.05) and not least <= 0.05 <= most)
    if wrong:
        rule = f"the limits imply p = {central:.2g} ({'one' if sides == 1 else 'two'}-sided)"
        yield _make("W104", "warning", row, "p", rule, "re-read p, whether it is one-sided, and the level of the interval")


def check_events(row: Row) -> Iterator[Fault]:
    """W105, W106: the standard error agrees with the number of events."""
    low, high = number(row, "ci_low"), number(row, "ci_high")
    d_exp, d_ctl = number(row, "events_exp"), number(row, "events_ctl")
    if low is None or high is None or not d_exp or not d_ctl or not 0 < low < high:
        return
    ratio = standard_error_from_interval(low, high, level_of(row)) / standard_error_from_events(d_exp, d_ctl)
    if not EVENTS_RATIO[0] <= ratio <= EVENTS_RATIO[1]:
        rule = f"the limits give {ratio:.2f} times the standard error that {d_exp:.0f} + {d_ctl:.0f} events imply"
        yield _make("W105", "warning", row, "ci_low", rule, "re-read limits, their level and the events")
        return
    for level, expected in LEVEL_RATIOS.items():
        if abs(ratio / expected - 1) < 0.03:
            rule = f"the limits give {ratio:.2f} times the standard error that the events imply, as if they were {level:.0%} limits"
            yield _make(
                "W106", "warning", row, "ci_level", rule, f"check whether the level is {level:.0%} (or another than 95%)"
            )


def check_level(row: Row) -> Iterator[Fault]:
    """E104: the confidence level is a probability."""
    level = number(row, "ci_level")
    if level is not None and not 0.5 <= level_of(row) < 1:
        yield _make(
            "E104", "error", row, "ci_level", "a confidence level lies between 0.5 and 1", "give 0.95 for a 95% interval"
        )


def check_p_range(row: Row) -> Iterator[Fault]:
    """E103: a p-value is a probability."""
    text = row.get("p", "")
    if not text:
        return
    match = re.fullmatch(r"[<>=≤≥]*\s*(\d*\.?\d+(?:[eE]-?\d+)?)", text)
    if match is None or not 0 <= float(match[1]) <= 1:
        yield _make(
            "E103",
            "error",
            row,
            "p",
            "a p-value is a number from 0 to 1, with < before it for a bound",
            "write 0.03 or <0.001, and put one-sided into p_sides",
        )


def check_rho(row: Row) -> Iterator[Fault]:
    """E105: a within-trial correlation lies in [-1, 1]."""
    rho = number(row, "rho_within")
    if rho is not None and abs(rho) > 1:
        yield _make(
            "E105",
            "error",
            row,
            "rho_within",
            "a correlation lies between -1 and 1",
            "give the correlation of the two log hazard ratios",
        )


def check_se(row: Row) -> Iterator[Fault]:
    """E106: a standard error is positive."""
    se = number(row, "se")
    if se is not None and se <= 0:
        yield _make(
            "E106", "error", row, "se", "a standard error must be above 0", "give the standard error of the log hazard ratio"
        )


EFFECT_RULES: tuple[Callable[[Row], Iterator[Fault]], ...] = (
    check_order,
    check_symmetry,
    check_p_range,
    check_p,
    check_level,
    check_events,
    check_rho,
    check_se,
)


def check_effects(rows: Sequence[Row]) -> list[Fault]:
    """Every rule on every row."""
    return [found for row in rows for rule in EFFECT_RULES for found in rule(row)]


def check_preferred(rows: Sequence[Row]) -> Iterator[Fault]:
    """E108: at most one preferred row a comparison and endpoint."""
    seen: dict[tuple[str, str], Row] = {}
    for row in rows:
        if row.get("preferred") != "true":
            continue
        key = (row.get("comparison", ""), row.get("endpoint", ""))
        if key in seen:
            first = seen[key]
            rule = f"a second preferred row for this comparison and endpoint (the first: {first['_file']}:{first['_line']})"
            yield _make(
                "E108",
                "error",
                row,
                "preferred",
                rule,
                "set preferred to false in one of them, or give the rows different trials",
            )
        else:
            seen[key] = row


def check_registry(rows: Sequence[Row]) -> Iterator[Fault]:
    """E108: one registry number, one trial."""
    seen: dict[str, Row] = {}
    for row in rows:
        for number_text in filter(None, re.split(r"\s*[/;,]\s*", row.get("registry", ""))):
            first = seen.setdefault(number_text, row)
            if first["trial"] != row["trial"]:
                rule = f"the same registry number as trial {first['trial']} ({first['_file']}:{first['_line']})"
                yield _make("E108", "error", row, "registry", rule, "give both rows the same trial, or correct the number")


def check_shared_control(rows: Sequence[Row]) -> Iterator[Fault]:
    """W110: comparisons of one trial say whether they share the control arm."""
    by_trial: dict[str, list[Row]] = {}
    for row in rows:
        by_trial.setdefault(row["trial"], []).append(row)
    for members in by_trial.values():
        for row in members[1:]:
            if any(not member.get("control_group") for member in members):
                rule = (
                    f"the trial has {len(members)} comparisons, and control_group does not say whether they share a control arm"
                )
                fix = "give control_group in each: the same name if the arm is shared, different names if not"
                yield _make("W110", "error", row, "control_group", rule, fix)


def check_patients(trials: Sequence[Row], arms: Sequence[Row]) -> Iterator[Fault]:
    """W109: the number of patients agrees between the tables."""
    known = {row["comparison"]: row for row in trials}
    for arm in arms:
        trial = known.get(arm["comparison"])
        column = f"n_{arm['arm']}"
        n, stated = number(arm, "n"), number(trial, column) if trial else None
        if arm.get("preferred") == "true" and n and stated and n != stated:
            rule = f"{n:.0f} patients here, {stated:.0f} in {column} of the trial table"
            yield _make("W109", "warning", arm, "n", rule, "settle which is right, or note which analysis set each is of")


def check_direction(effects: Sequence[Row], arms: Sequence[Row]) -> Iterator[Fault]:
    """W107: the hazard ratio points the same way as the medians."""
    medians: dict[tuple[str, str], dict[str, float]] = {}
    for arm in arms:
        if arm.get("preferred") != "true":
            continue
        for endpoint, column in (("OS", "median_os"), (arm.get("pfs_endpoint", ""), "median_pfs")):
            value = number(arm, column)
            if value and value > 0 and endpoint:
                medians.setdefault((arm["comparison"], endpoint), {})[arm["arm"]] = value
    for row in effects:
        pair = medians.get((row.get("comparison", ""), row.get("endpoint", "")), {})
        hr = number(row, "hr")
        if row.get("preferred") != "true" or hr is None or hr <= 0 or len(pair) < 2:
            continue
        ratio = pair["ctl"] / pair["exp"]
        opposite = math.log(ratio) * math.log(hr) < 0 and min(abs(math.log(ratio)), abs(math.log(hr))) > math.log(MEDIAN_EACH)
        if opposite and max(ratio / hr, hr / ratio) > MEDIAN_FACTOR:
            rule = f"the medians ({pair['exp']:g} v {pair['ctl']:g} months) point the other way (control/experimental = {ratio:.2f})"
            yield _make("W107", "warning", row, "hr", rule, "check whether the hazard ratio is inverted, or the hazards cross")


def check_pairs(effects: Sequence[Row], surrogates: Sequence[str], final: str) -> Iterator[Fault]:
    """W111, W112, I114, W115 on the preferred rows that would be paired."""
    by_comparison: dict[str, dict[str, Row]] = {}
    for row in effects:
        if row.get("preferred") == "true" and number(row, "hr") is not None:
            by_comparison.setdefault(row["comparison"], {})[row["endpoint"]] = row
    for endpoints in by_comparison.values():
        surrogate = next((endpoints[name] for name in surrogates if name in endpoints), None)
        last = endpoints.get(final)
        if surrogate is None and last is not None:
            rule = f"{final} without {', '.join(surrogates)}: left out of the fit"
            yield _make("W111", "info", last, "endpoint", rule, "add the surrogate effect if it is published")
        elif surrogate is not None and last is None:
            rule = f"{surrogate['endpoint']} without {final}: left out of the fit"
            yield _make("W111", "info", surrogate, "endpoint", rule, f"add the {final} effect if it is published")
        elif surrogate is not None and last is not None:
            early, late = last.get("data_cut", ""), surrogate.get("data_cut", "")
            if early and late and early[: len(late)] < late[: len(early)]:
                rule = f"{final} is from an earlier data cut ({early}) than {surrogate['endpoint']} ({late})"
                yield _make(
                    "W112", "warning", last, "data_cut", rule, "pair the two endpoints from one data cut if both are reported"
                )
            if surrogate["endpoint"] != surrogates[0]:
                rule = f"the surrogate is {surrogate['endpoint']}, not {surrogates[0]}"
                yield _make("I114", "info", surrogate, "endpoint", rule, "choose with --endpoints, or keep the endpoints apart")
            kinds = {row.get("adjusted", "NR") or "NR" for row in (surrogate, last)} - {"NR"}
            if len(kinds) > 1:
                rule = f"the two hazard ratios differ in adjustment ({' and '.join(sorted(kinds))})"
                yield _make("W115", "info", last, "adjusted", rule, "pair hazard ratios of one kind if both are reported")
