"""A run on post-progression survival on one screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from surrogacy.analysis.pps_run import Moderated, PpsRun
from surrogacy.pps.at_risk import AtRiskComparison
from surrogacy.pps.coupling import CouplingAudit
from surrogacy.pps.decomposition import Decomposition
from surrogacy.pps.dilution_regression import Offset
from surrogacy.pps.shares import log_hr_words, share_words
from surrogacy.report.pps_tables import PARTS
from surrogacy.report.pps_words import months, residual_p_words
from surrogacy.results.format import number, with_interval


def screen(run: PpsRun) -> RenderableType:
    """Render a run."""
    parts: list[RenderableType] = []
    if run.main is not None:
        parts += [_decomposition(run), *_remarks(run.main.problems)]
        equal = run.main.equal_pps
        parts.append(
            _note(
                f"OS HR with one PPS in both arms ({run.main.calibration.label}): {number(equal.none, 3)} as PPS → 0, {number(equal.endless, 3)} as PPS → ∞ under this follow-up, "
                f"{number(equal.endless_complete, 3)} with complete follow-up; dilution alone needs a median PPS of {months(equal.needed)} months "
                f"for the observed {number(run.main.hazard_ratios['observed'].value, 3)}"
            )
        )
    if run.at_risk is not None:
        parts.append(_note(_timing(run.at_risk)))
    parts += [Text(""), Text(f"Every trial whose medians allow it ({len(run.every)})", style="bold"), _every(run.every)]
    parts += [Text(""), Text("Medians of arms: OS against a part of itself", style="bold"), _coupling(run.audits)]
    parts.append(
        _note(
            "Descriptive, no surrogacy: OS is PFS plus PPS, and most of the size of these correlations is there without any relation of the two."
        )
    )
    if run.moderations:
        title = f"Does the line of {run.set_name} depend on PPS, stage or line of treatment?"
        parts += [Text(""), Text(title, style="bold"), _moderated(run.moderations)]
        parts += [_note(_evidence(one)) for one in run.moderations]
        parts += _remarks(run.moderations[0].line.result.problems)
    if run.offset is not None:
        parts.append(_note(_offset(run, run.offset)))
    parts += _remarks(run.failures)
    return Group(*parts)


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
    table = _table(
        "PFS effect, calibration",
        "HR PFS",
        "OS HR, equal PPS",
        "OS HR, own PPS",
        *(f"{name.capitalize()}, log HR" for name in PARTS),
    )
    for one in run.decompositions:
        pps = " / ".join(number(value, 1) for value in one.calibration.median_pps)
        cells = [f"{one.calibration.scenario}, {one.calibration.name}\n[dim]model PPS {pps} months[/dim]"]
        cells += [number(one.hazard_ratios[key].value, 3) for key in ("pfs", "equal", "model")]
        cells += [f"{log_hr_words(one.effects[key])}\n[dim]{share_words(one.shares[key])}[/dim]" for key in PARTS]
        table.add_row(*cells)
    observed = run.main.hazard_ratios["observed"]
    table.caption = (
        f"Control / experimental. Observed OS HR {with_interval(observed, 3)}. Parts of the gap in log HR with 95% intervals by simulated "
        "trials; below them shares of the gap with 95% Fieller sets, unbounded where the gap may be 0. Share of deaths and follow-up held "
        "fixed. L: PPS as reported; M: PPS fitted to the OS medians."
    )
    table.caption_justify = "left"
    return Group(title, table)


def _timing(found: AtRiskComparison) -> str:
    """When the curves meet, by the numbers at risk."""
    crude = ", ".join(f"{number(one.value)} from {one.start:g} to {one.stop:g} months" for one in found.crude)
    meeting = (
        ""
        if found.meeting is None
        else f"the shares at risk meet between {found.meeting[0]:g} and {found.meeting[1]:g} months; "
    )
    return f"numbers at risk: {meeting}crude rate ratios {crude}; constant against piecewise post-progression hazards: p = {number(found.p)}"


def _every(found: Sequence[Decomposition]) -> RenderableType:
    """One line a trial; intervals are in the table of the folder."""
    table = _table("Trial", "PFS effect", "HR", "OS HR: equal PPS", "own PPS", "observed", "p of the residual")
    for one in found:
        hr = (number(one.hazard_ratios[key].value) for key in ("pfs", "equal", "model", "observed"))
        table.add_row(escape(one.inputs.name), one.inputs.endpoint, *hr, number(one.p_residual))
    unclear = sum(not one.identified for one in found)
    table.caption = (
        f"{residual_p_words(found)} The split into dilution, imbalance and residual is not identified in {unclear} of "
        f"{len(found)}; tables/every_trial.md holds the intervals."
    )
    table.caption_justify = "left"
    return table


def _coupling(audits: Iterable[CouplingAudit]) -> RenderableType:
    table = _table(
        "PPS", "r(OS, PPS)", "r(OS, PFS)", "r(PFS, PPS)", "Without any relation, 95% of: r(OS, PPS), r(OS, PFS)"
    )
    for audit in audits:
        nulls = "\n".join(f"{null.name}: {', '.join(_range(limits) for limits in null.range)}" for null in audit.nulls)
        size = f"{audit.definition}\n[dim]{len(audit.arms)} arms, {len(audit.trials)} trials, weights: {audit.weights}[/dim]"
        table.add_row(size, *(with_interval(audit[name]) for name in ("r_os_pps", "r_os_pfs", "r_pfs_pps")), nulls)
    return table


def _range(limits: tuple[float, float]) -> str:
    return f"{number(limits[0])} to {number(limits[1])}"


def _moderated(found: Iterable[Moderated]) -> RenderableType:
    table = _table(
        "Moderator", "k", "Slope (95% interval), low to high", "Difference of slopes", "P(slope falls)", "Permutation p"
    )
    for one in found:
        line = one.line
        slopes = "\n".join(f"{record['label']}: {with_interval(record['slope'])}" for record in line.at_quantiles())
        table.add_row(
            line.moderator.name,
            str(len(line.result.effects)),
            slopes,
            with_interval(line["slope_difference"]),
            number(line["p_slope_difference_negative"].value),
            number(one.permutation.p),
        )
    return table


def _evidence(one: Moderated) -> str:
    """Difference of slopes that these comparisons would find, and how well the moderator predicts."""
    wanted = one.needed_for_dilution
    if wanted is None:
        words = (
            f"a true difference of slopes of {number(one.needed.detectable)} either way would be found with "
            f"{one.needed.wanted:.0%} power"
        )
    else:
        needed = "no number of comparisons" if wanted.comparisons is None else f"{wanted.comparisons} comparisons"
        words = (
            f"power {wanted.power:.0%} for the {number(wanted.slope_difference)} that dilution alone would give; "
            f"{needed} like these for {wanted.wanted:.0%}"
        )
    return (
        f"{one.line.moderator.name}: {words}; log score of the trials left out, less that of the plain line: "
        f"{with_interval(one.score.difference, 1)}"
    )


def _offset(run: PpsRun, found: Offset) -> str:
    """How far dilution alone is compatible with the OS effects, and what that rests on."""
    shares = [scenario.share.value for scenario in run.offset_sensitivity if scenario.share and scenario.share.value]
    span = (
        f"; {number(min(shares))} to {number(max(shares))} under other assumptions on follow-up and deaths without progression (tables/offset_sensitivity.md)"
        if shares
        else ""
    )
    assumed = "; ".join(problem for problem in found.result.problems if problem not in found.result.effects.problems)
    return (
        f"OS effects on what dilution alone leaves of the PFS effects (calibration M of the control arms, k = {len(found.result.effects)}): intercept {with_interval(found['intercept'])}, share "
        f"{with_interval(found['share'])}{span}; dilution alone is intercept 0 and share 1. Log score against the plain line "
        f"{with_interval(found.against_line.difference, 1)}. {assumed}"
    )
