"""A planned trial on the screen and as a record."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from surrogacy.pps.planning import Plan
from surrogacy.results.format import number

ROWS = {
    "hr": ("Expected hazard ratio (Cox limit)", 3),
    "events": ("Expected events", 0),
    "power": ("Power", 3),
    "median_p": ("Median two-sided p", 4),
    "n": ("Patients needed", 0),
}


def plan_record(found: Plan) -> dict[str, Any]:
    """Everything of a plan, for JSON."""
    return {
        "schema": "surrogacy.plan/1",
        "design": asdict(found.design),
        "patients": {"control": found.patients[0], "experimental": found.patients[1]},
        "power": found.power,
        "estimates": {name: estimate.record for name, estimate in found.estimates.items()},
        "simulated": {name: estimate.record for name, estimate in found.simulated.items()},
        "problems": list(found.problems),
    }


def plan_screen(found: Plan) -> RenderableType:
    """What to expect of a trial, PFS and OS side by side, and what only PPS would give."""
    design = found.design
    follow_up = f"accrual {design.accrual:g}, then {design.follow_up:g} months of follow-up"
    title = Text(
        f"A trial of {found.n} patients ({found.patients[0]} control, {found.patients[1]} experimental)", style="bold"
    )
    pps = " (from the median OS of the control arm)" if found.from_median_os else ""
    os = " / ".join(f"{found[f'median_os_{arm}'].value:.3g}" for arm in ("control", "experimental"))
    about = Text(
        f"median PFS {design.pfs[0]:g} / {design.pfs[1]:.3g}, PPS {design.pps[0]:.3g} / {design.pps[1]:.3g}{pps}, "
        f"{'OS' if found.from_median_os else 'implied median OS'} {os} months (control / experimental), {follow_up}, "
        f"loss {design.loss:g} a month, crossover {design.crossover:.0%}, two-sided alpha {design.alpha:g}"
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for heading in ("", "PFS", "OS", "OS if only PPS differed"):
        table.add_column(heading, overflow="fold")
    for name, (words, digits) in ROWS.items():
        if name == "n":
            words = f"Patients needed for {found.power:.0%} power"
        cells = []
        for column in (f"{name}_pfs", f"{name}_os", f"{name}_os_pps_only"):
            estimate = found.estimates.get(column)
            cell = "" if estimate is None else number(estimate.value, digits)
            simulated = found.simulated.get(column)
            if simulated is not None:
                cell += f"\n[dim]simulated {number(simulated.value, digits)} ({number(simulated.low, digits)} to {number(simulated.high, digits)})[/dim]"
            cells.append(cell)
        table.add_row(words, *cells)
    given = f"P(OS significant | PFS significant) = {number(found['power_os_given_pfs'].value, 3)}"
    given += f"; if p(PFS) = 0.001: {number(found.power_os_given_p_pfs(0.001), 3)}; correlation of the two log-rank statistics {number(found['correlation'].value)}"
    problems = [Padding(Text(f"! {problem}", style="yellow"), (0, 0, 0, 2)) for problem in found.problems]
    how = Text(
        "By formula: large-sample law of the two log-rank statistics in the illness-death model with constant hazards."
    )
    return Group(title, about, table, Padding(Text(given), (0, 0, 0, 2)), Padding(how, (0, 0, 0, 2)), *problems)
