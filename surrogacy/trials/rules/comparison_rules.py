"""Rules for several rows: those of a comparison, those of a trial, and the two effects of a pair."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from surrogacy.errors import Fault
from surrogacy.results.endpoint_names import FINAL, SURROGATE, endpoint_label
from surrogacy.trials.cells import number
from surrogacy.trials.rows import Row, fault

MEDIAN_FACTOR = 1.15
MEDIAN_EACH = 1.05  # least distance of each ratio from 1


def check_preferred(rows: Sequence[Row]) -> Iterator[Fault]:
    """E108: at most one preferred row per comparison and endpoint."""
    seen: dict[tuple[str, str], Row] = {}
    named: set[str] = set()
    for row in rows:
        if row.get("preferred") != "true":
            continue
        first = seen.setdefault((row.get("comparison", ""), row.get("endpoint", "")), row)
        if first is row:
            continue
        where = f"the first: {first.place()}"
        if "hr" not in row.headings:  # of the curated table
            rule = f"this comparison and endpoint have a second preferred row ({where})"
            yield fault("E108", row, "preferred", rule, "set preferred to false in one of them")
        elif row.place() not in named:  # a wide row has two effects and one place
            named.add(row.place())
            rule = f"this comparison and endpoint have a second row ({where})"
            fix = (
                "if these are two comparisons of one trial, name each in a column comparison, and give both the same "
                "control_group if they share the control arm; if they are one comparison, keep one row"
            )
            yield fault("E108", row, "comparison", rule, fix)


def check_registry(rows: Sequence[Row]) -> Iterator[Fault]:
    """E108: a registry number belongs to one trial."""
    seen: dict[str, Row] = {}
    for row in rows:
        for number_text in filter(None, re.split(r"\s*[/;,]\s*", row.get("registry", ""))):
            first = seen.setdefault(number_text, row)
            if first["trial"] != row["trial"]:
                rule = f"trial {first['trial']} has the same registry number ({first.place()})"
                yield fault("E108", row, "registry", rule, "give both rows the same trial, or correct the number")


def check_shared_control(rows: Sequence[Row]) -> Iterator[Fault]:
    """W110: comparisons of one trial state whether they share a control arm."""
    by_trial: dict[str, list[Row]] = {}
    for row in rows:
        by_trial.setdefault(row["trial"], []).append(row)
    for members in by_trial.values():
        if all(member.get("control_group") for member in members):
            continue
        for row in members[1:]:
            rule = (
                f"the trial has {len(members)} comparisons, and control_group does not say whether they share a "
                "control arm"
            )
            fix = "fill control_group in each row: one name if the arm is shared, different names if not"
            yield fault("W110", row, "control_group", rule, fix, severity="error")


def check_shared_patients(rows: Sequence[Row]) -> Iterator[Fault]:
    """W141: comparisons of a user's table that share a control arm state the same number of patients for it.

    In the curated table the control arm of one comparison may be part of another (randomised at the same time).
    """
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        if row.get("control_group") and number(row, "n_ctl") and "n_ctl" in row.headings:
            kept = first.setdefault((row["trial"], row["control_group"]), row)
            if number(kept, "n_ctl") != number(row, "n_ctl"):
                rule = f"{kept['comparison']} states {kept['n_ctl']} patients for the same control arm"
                fix = "correct one of the numbers, or give the arms different names in control_group"
                yield fault("W141", row, "n_ctl", rule, fix)


def check_patients(trials: Sequence[Row], arms: Sequence[Row]) -> Iterator[Fault]:
    """W109: the number of patients agrees between the tables."""
    known = {row["comparison"]: row for row in trials}
    for arm in arms:
        trial = known.get(arm["comparison"])
        column = f"n_{arm['arm']}"
        n, stated = number(arm, "n"), number(trial, column) if trial else None
        if arm.get("preferred") == "true" and n and stated and n != stated:
            rule = f"{n:.0f} patients here, {stated:.0f} in {column} of the trial table"
            yield fault("W109", arm, "n", rule, "correct one of the numbers, or note the analysis population of each")


def check_direction(effects: Sequence[Row], arms: Sequence[Row]) -> Iterator[Fault]:
    """W107: the hazard ratio has the same direction as the medians."""
    medians: dict[tuple[str, str], dict[str, float]] = {}
    for arm in arms:
        if arm.get("preferred") != "true":
            continue
        # a table may give the endpoint of its medians, but only the role of its hazard ratios
        of_os, of_pfs = ("OS", FINAL), (arm.get("pfs_endpoint", ""), SURROGATE)
        for endpoint, column in (*((name, "median_os") for name in of_os), *((name, "median_pfs") for name in of_pfs)):
            value = number(arm, column)
            if value and value > 0 and endpoint:
                medians.setdefault((arm["comparison"], endpoint), {})[arm["arm"]] = value
    for row in effects:
        pair = medians.get((row.get("comparison", ""), row.get("endpoint", "")), {})
        hr = number(row, "hr")
        if row.get("preferred") != "true" or hr is None or hr <= 0 or len(pair) < 2:
            continue
        ratio = pair["ctl"] / pair["exp"]
        log_ratio, log_hr = math.log(ratio), math.log(hr)
        opposite = log_ratio * log_hr < 0 and min(abs(log_ratio), abs(log_hr)) > math.log(MEDIAN_EACH)
        if opposite and max(ratio / hr, hr / ratio) > MEDIAN_FACTOR:
            rule = (
                f"the medians ({pair['exp']:g} v {pair['ctl']:g} months) favour the other arm (control/experimental "
                f"{ratio:.2f})"
            )
            fix = "check whether the hazard ratio is inverted; it may be right if the survival curves cross"
            yield fault("W107", row, "hr", rule, fix)


def check_pairs(effects: Sequence[Row], surrogates: Sequence[str], finals: Sequence[str]) -> Iterator[Fault]:
    """W111, W112, I114, W115: the preferred rows of a comparison can be paired, and belong together."""
    by_comparison: dict[str, dict[str, Row]] = {}
    for row in effects:
        if row.get("preferred") == "true" and number(row, "hr") is not None:
            by_comparison.setdefault(row["comparison"], {})[row["endpoint"]] = row
    for endpoints in by_comparison.values():
        surrogate = next((endpoints[name] for name in surrogates if name in endpoints), None)
        last = next((endpoints[name] for name in finals if name in endpoints), None)
        final = " or ".join(map(endpoint_label, finals))
        if surrogate is None and last is not None:
            rule = (
                f"{final} without {', '.join(map(endpoint_label, surrogates))}: the comparison is left out of the fit"
            )
            yield fault("W111", last, "endpoint", rule, "add the surrogate effect if it is published", severity="info")
        elif surrogate is not None and last is None:
            label = endpoint_label(surrogate["endpoint"])
            rule = (
                f"{label} without {final}: the comparison is not fitted; its {final} effect is predicted from {label} "
                "if that has a standard error"
            )
            fix = f"add the {final} effect if it is published"
            yield fault("W111", surrogate, "endpoint", rule, fix, severity="info")
        elif surrogate is not None and last is not None:
            early, late = last.get("data_cut", ""), surrogate.get("data_cut", "")
            if early and late and early[: len(late)] < late[: len(early)]:
                rule = f"{final} is from an earlier data cut ({early}) than {surrogate['endpoint']} ({late})"
                fix = "pair the two endpoints from one data cut if both are reported"
                yield fault("W112", last, "data_cut", rule, fix)
            if surrogate["endpoint"] != surrogates[0]:
                rule = f"the surrogate is {surrogate['endpoint']}, not {surrogates[0]}"
                yield fault("I114", surrogate, "endpoint", rule, "use --endpoints to choose the surrogate endpoint")
            kinds = {row.get("adjusted", "NR") or "NR" for row in (surrogate, last)} - {"NR"}
            if len(kinds) > 1:
                rule = f"the two hazard ratios differ in adjustment ({' and '.join(sorted(kinds))})"
                fix = "pair hazard ratios of one kind if both are reported"
                yield fault("W115", last, "adjusted", rule, fix, severity="info")
