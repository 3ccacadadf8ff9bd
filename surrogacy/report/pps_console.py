"""A run on post-progression survival on one screen."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from surrogacy.pps.analysis import PpsRun
from surrogacy.pps.at_risk import AtRiskComparison
from surrogacy.pps.coupling import CouplingAudit
from surrogacy.pps.decomposition import Decomposition
from surrogacy.pps.moderation import Moderation
from surrogacy.report.pps_tables import PARTS, months, percent
from surrogacy.report.words import number, with_interval


def screen(run: PpsRun) -> RenderableType:
    """Render a run."""
    parts: list[RenderableType] = []
    if run.main is not None:
        parts += [_decomposition(run), *_remarks(run.main.problems)]
        equal = run.main.equal_pps
        parts.append(
            _note(
                f"OS HR with one PPS in both arms: {number(equal.none, 3)} as PPS → 0, {number(equal.endless, 3)} as PPS → ∞ under this follow-up, "
                f"{number(equal.endless_complete, 3)} with complete follow-up; dilution alone needs a median PPS of {months(equal.needed)} months "
                f"for the observed {number(run.main.hazard_ratios['observed'].value, 3)}"
            )
        )
    if run.at_risk is not None:
        parts.append(_note(_timing(run.at_risk)))
    parts += [Text(""), Text(f"Every trial whose medians allow it ({len(run.every)})", style="bold"), _every(run.every)]
    parts += [Text(""), Text("Medians of arms: OS against a part of itself", style="bold"), _coupling(run.audits)]
    parts.append(_note("Descriptive: OS is PFS plus PPS, so these correlations are there without any surrogacy; see the nulls."))
    if run.moderations:
        title = f"Is the line of {run.set_name} flatter where PPS is longer?"
        parts += [Text(""), Text(title, style="bold"), _moderated(run.moderations)]
        parts += _remarks(dict.fromkeys(problem for one in run.moderations[:1] for problem in one.result.problems))
    parts += _remarks(run.failures)
    return Group(*parts)


def summary_line(one: Decomposition) -> str:
    """One line on the trial in focus for the report of the fit."""
    hr = one.hazard_ratios
    shares = ", ".join(f"{name} {percent(share)}" for name, share in one.shares.items())
    return (
        f"post-progression survival: with equal PPS in both arms the OS HR expected of {one.inputs.endpoint} HR {number(hr['pfs'].value, 3)} is "
        f"{number(hr['equal'].value, 3)}, with the PPS difference {number(hr['model'].value, 3)}, observed {number(hr['observed'].value, 3)}. Of the gap: "
        f"{shares}{'' if one.identified else '; the split is not identified'} (python -m surrogacy.pps)"
    )


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _note(words: str) -> RenderableType:
    return Padding(Text(words), (0, 0, 0, 2))


def _remarks(problems: Iterable[str]) -> list[RenderableType]:
    return [Padding(Text(f"! {problem}", style="yellow"), (0, 0, 0, 2)) for problem in problems]


def _decomposition(run: PpsRun) -> RenderableType:
    """The way from PFS to OS, a row a scenario."""
    assert run.focus is not None
    assert run.main is not None
    title = Text(f"{run.focus.name}: from the effect on {run.focus.endpoint} to that on OS", style="bold")
    table = _table("PFS effect, calibration", "HR PFS", "OS HR, equal PPS", "OS HR, own PPS", "Dilution", "Imbalance", "Residual")
    for one in run.decompositions:
        pps = " / ".join(number(value, 1) for value in one.calibration.median_pps)
        cells = [f"{one.calibration.scenario}, {one.calibration.name}\n[dim]model PPS {pps} months[/dim]"]
        cells += [number(one.hazard_ratios[key].value, 3) for key in ("pfs", "equal", "model")]
        cells += [percent(one.shares[key]).replace(" (", "\n[dim](", 1) + "[/dim]" for key in PARTS]
        table.add_row(*cells)
    observed = run.main.hazard_ratios["observed"]
    table.caption = (
        f"Control / experimental. Observed OS HR {with_interval(observed, 3)}. Shares of the gap in log HR, 95% intervals by simulated trials. "
        "L: PPS as reported; M: PPS fitted to the OS medians."
    )
    table.caption_justify = "left"
    return Group(title, table)


def _timing(found: AtRiskComparison) -> str:
    """When the curves meet, by the numbers at risk."""
    crude = ", ".join(f"{number(one.value)} from {one.start:g} to {one.stop:g} months" for one in found.crude)
    meeting = "" if found.meeting is None else f"the shares at risk meet between {found.meeting[0]:g} and {found.meeting[1]:g} months; "
    return f"numbers at risk: {meeting}crude rate ratios {crude}; constant against piecewise post-progression hazards: p = {number(found.p)}"


def _every(found: Iterable[Decomposition]) -> RenderableType:
    table = _table("Trial", "HR", "OS HR, equal PPS", "OS HR, own PPS", "OS HR, observed", "P(residual by chance)", "Split")
    for one in found:
        hr = one.hazard_ratios
        table.add_row(
            one.inputs.name, f"{one.inputs.endpoint} {number(hr['pfs'].value)}", *(with_interval(hr[key]) for key in ("equal", "model", "observed")),
            number(one.p_observed), "" if one.identified else "not identified",
        )  # fmt: skip
    return table


def _coupling(audits: Iterable[CouplingAudit]) -> RenderableType:
    table = _table("PPS", "r(OS, PPS)", "r(OS, PFS)", "r(PFS, PPS)", "If there were nothing: r(OS, PPS), r(OS, PFS)")
    for audit in audits:
        nulls = "; ".join(f"{null.name}: {number(null.mean[0])}, {number(null.mean[1])}" for null in audit.nulls)
        size = f"{audit.definition}\n[dim]{len(audit.arms)} arms, {len(audit.trials)} trials, weights: {audit.weights}[/dim]"
        table.add_row(size, *(with_interval(audit[name]) for name in ("r_os_pps", "r_os_pfs", "r_pfs_pps")), nulls)
    return table


def _moderated(found: Iterable[Moderation]) -> RenderableType:
    table = _table("Moderator", "k", "Slope (95% interval), low to high", "Difference of slopes", "P(flatter)")
    for one in found:
        places = one.at_quantiles()
        slopes = "\n".join(f"{record['label']}: {with_interval(record['slope'])}" for record in places)
        probability = one["p_slope_difference_negative"].value
        table.add_row(
            one.moderator.name, str(len(one.result.effects)), slopes, with_interval(one["slope_difference"]), number(probability)
        )
    return table
