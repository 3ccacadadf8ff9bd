"""Planning: a trial on the screen and as a record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from math import isfinite

from surrogacy.pps.planning import Plan
from surrogacy.report.section import BLANK, Cell, Grid, Heading, Note, Section, text
from surrogacy.results.format import number, percent, value_and_interval
from surrogacy.survival.trial_design import Design

ROWS = {
    "hr": ("Expected hazard ratio (Cox limit)", 3),
    "events": ("Expected events", 0),
    "power": ("Power", 3),
    "median_p": ("Median two-sided p", 4),
    "n": ("Patients needed for {power} power", 0),
}


def section(plan: Plan) -> Section:
    """Return what to expect of a trial, PFS and OS side by side, and what PPS alone would give."""
    control, experimental = plan.patients
    title = f"A trial of {plan.n} patients ({control} control, {experimental} experimental)"
    headings = ("", "PFS", "OS", "OS if only PPS differed")
    joint = text(
        "joint",
        both=number(plan["power_os_given_pfs"].value, 3),
        small_p=number(plan.power_os_given_p_pfs(0.001), 3),
        correlation=number(plan["correlation"].value),
    )
    problems = (Note(problem, warning=True) for problem in plan.problems)
    details = (
        Heading(title),
        Heading(remark=_design(plan)),
        Grid(headings, tuple(_rows(plan))),
        Note(joint),
        Note(text("planning_method")),
    )
    return Section(
        key="planning",
        answer=(
            Note(_answer(plan)),
            BLANK,
            Heading(title),
            Heading(remark=_design(plan)),
            Grid(headings, tuple(_rows(plan)), compact=True),
            Note(joint),
        ),
        details=(*details, *problems),
        record={
            "schema": "surrogacy.plan/1",
            "design": asdict(plan.design),
            "patients": {"control": control, "experimental": experimental},
            "power": plan.power,
            "estimates": {name: estimate.record for name, estimate in plan.estimates.items()},
            "simulated": {name: estimate.record for name, estimate in plan.simulated.items()},
            "problems": list(plan.problems),
        },
    )


def _answer(plan: Plan) -> str:
    """Return the power for OS of a trial, and the patients that the wanted power needs."""
    needed = plan["n_os"].value
    key = "plan_answer" if needed is not None and isfinite(needed) else "plan_answer_impossible"
    values = {name: number(plan[f"hr_{name}"].value) for name in ("pfs", "os")}
    powers = {f"power_{name}": percent(plan[f"power_{name}"].value) for name in ("pfs", "os")}
    patients = number(needed, 0)
    return text(key, n=plan.n, needed=patients, power=percent(plan.power), **values, **powers)


def _design(plan: Plan) -> str:
    design = plan.design
    return text(
        "design",
        pfs=f"{design.pfs[0]:g} / {design.pfs[1]:.3g}",
        pps=f"{design.pps[0]:.3g} / {design.pps[1]:.3g}",
        source=" (from the median OS of the control arm)" if plan.from_median_os else "",
        os_name="OS" if plan.from_median_os else "implied median OS",
        os=" / ".join(f"{plan[f'median_os_{arm}'].value:.3g}" for arm in ("control", "experimental")),
        accrual=design.accrual,
        follow_up=design.follow_up,
        loss=design.loss,
        crossover=percent(design.crossover),
        exits="" if design.shape == 1.0 else f"Weibull shape {design.shape:g} before progression, ",
        deaths=_deaths(design),
        alpha=design.alpha,
    )


def _deaths(design: Design) -> str:
    """Return the shares of PFS events that are deaths, if there are any."""
    shares = " / ".join(percent(share) for share in dict.fromkeys(design.direct_death))
    return f"{shares} of PFS events deaths, " if any(design.direct_death) else ""


def _rows(plan: Plan) -> Iterator[tuple[str | Cell, ...]]:
    for name, (words, digits) in ROWS.items():
        names = (f"{name}_pfs", f"{name}_os", f"{name}_os_pps_only")
        yield (words.format(power=percent(plan.power)), *(_cell(plan, column, digits) for column in names))


def _cell(plan: Plan, name: str, digits: int) -> Cell:
    estimate, simulated = plan.estimates.get(name), plan.simulated.get(name)
    text = "" if estimate is None else number(estimate.value, digits)
    if simulated is None:
        return Cell(text)
    return Cell(text, f"simulated {value_and_interval(simulated.value, simulated.low, simulated.high, digits)}")
