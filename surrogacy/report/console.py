"""The result on one screen of a terminal, or as plain text in a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from surrogacy.analysis.fit_run import Run, SetFit
from surrogacy.evaluation.placement import Focus, shown_placements
from surrogacy.report.pps_words import summary_line
from surrogacy.results.endpoint_names import common_final_name, final_name
from surrogacy.results.estimate import Estimate, ThresholdEffect
from surrogacy.results.format import number, settings_in_words, with_interval
from surrogacy.results.result import Result

# what tells how close the association is, where it is not rho_between
ASSOCIATION = {"weighted-pearson": "r", "weighted-regression": "r2_trial", "daniels-hughes": "sigma_cond"}
PLACES = {"inside-80": "inside 80% PI", "inside-95": "inside 95%, outside 80% PI", "outside-95": "outside 95% PI"}
SYMBOLS = {"r": "r", "r2_trial": "R²", "rho_between": "rho_between", "sigma_cond": "sigma_cond"}


def screen(run: Run) -> RenderableType:
    """Render a run."""
    parts = [_set_block(one) for one in run.analyses]
    for focus in run.focuses:
        parts += _placement(run, focus)
    if run.differences:
        parts += [_differences(run), Text("")]
    if run.predictions:
        parts += [Text("The new trial", style="bold"), _predictions(run), Text("")]
    if run.changes:
        parts.append(_changes(run.changes))
    return Group(*parts)


def _set_block(one: SetFit) -> RenderableType:
    effects = one.effects
    size = effects.patients
    patients = f", {size:,.0f} patients" if size == size else ""
    left_out = sum(not entry["in_fit"] for entry in one.flow)
    flow = f"; {left_out} more without a usable pair (see the flow)" if left_out else ""
    title = Text(f"{one.name}", style="bold")
    title.append(f"  {len(effects)} comparisons, {len(effects.trials)} trials{patients}{flow}", style="not bold")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for heading in ("Model", "Association (95% interval)", "Slope (95% interval)", "STE (HR)"):
        table.add_column(heading, overflow="fold")
    for result in one.results:
        fitted = f"; {result.size} comparisons" if result.left_out else ""
        model = f"{result.model}\n[dim]{settings_in_words(result)}{fitted}[/dim]"
        table.add_row(model, _association(result), _slope(result), _threshold(result))
    for model, text in one.failures:
        table.add_row(model, Text(f"not fitted: {text}", style="red"), "", "")
    for entry in one.not_fitted:
        table.add_row(entry.model, Text(f"not fitted: {entry.reason}", style="yellow"), "", "")
    lines = (
        _grid_line(one),
        _prior_line(one),
        *_nuts_lines(one),
        _left_out_line(one),
        _cross_validation_line(one),
        _carried_line(one),
    )
    notes = [Text(line) for line in lines if line]
    remedies = {
        entry.remedy: [other.model for other in one.not_fitted if other.remedy == entry.remedy]
        for entry in one.not_fitted
    }
    notes += [Text(f"to fit {' and '.join(models)}: {remedy}", style="yellow") for remedy, models in remedies.items()]
    seen: dict[str, list[str]] = {}
    for result in one.results:
        for problem in result.problems:
            seen.setdefault(problem, []).append(result.model)
    warnings = [
        Text(f"! {problem if len(models) == len(one.results) else f'{", ".join(models)}: {problem}'}", style="yellow")
        for problem, models in seen.items()
    ]
    return Group(title, table, *(Padding(note, (0, 0, 0, 2)) for note in (*notes, *warnings)), Text(""))


def _association(result: Result) -> str:
    candidates = (ASSOCIATION.get(result.model, "rho_between"), "r2_trial", "sigma_cond")
    name = next((name for name in candidates if name in result.estimates), None)
    if name is None:
        return "–"
    lines = []
    estimate: Estimate = result[name]
    lines.append(f"{SYMBOLS[name]} {with_interval(estimate)}")
    kind = estimate.kind.partition(";")[0]
    if "r_bootstrap" in result.estimates:
        bootstrap: Estimate = result["r_bootstrap"]
        lines.append(f"[dim]{kind}; bootstrap {number(bootstrap.low)} to {number(bootstrap.high)}[/dim]")
    else:
        lines.append(f"[dim]{kind}[/dim]")
    if name == "rho_between" and result["r2_trial"].value is not None:
        lines[0] = f"R² {with_interval(result['r2_trial'])}"
        lines[1] = f"[dim]rho_between {number(result['rho_between'].value)}; {kind}[/dim]"
    return "\n".join(lines)


def _slope(result: Result) -> str:
    if "slope" not in result.estimates or result["slope"].value is None:
        return "–"
    return f"{with_interval(result['slope'])}\n[dim]{result['slope'].kind.partition(';')[0]}[/dim]"


def _threshold(result: Result) -> str:
    if "ste_prediction" not in result.estimates:
        return "–"
    prediction: ThresholdEffect = result["ste_prediction"]
    at_80 = ""
    if "ste_prediction_80" in result.estimates:
        at_80 = f"; 80% band: {_other_band(result['ste_prediction_80'])}"
    mean = _other_band(result["ste_confidence"])
    return f"{prediction.value_words}\n[dim]{prediction.made}; band of the mean: {mean}{at_80}[/dim]"


def _other_band(threshold: ThresholdEffect) -> str:
    """Threshold by a band that is printed beside the main one."""
    if threshold.status == "benefit-without-surrogate-effect":
        return "none, benefit at a surrogate HR of 1"
    if threshold.band == "confidence":
        return "none" if threshold.hr is None else number(threshold.hr)
    return threshold.value_words


def _grid_line(one: SetFit) -> str:
    if not one.rho_within_grid:
        return ""
    model = one.rho_within_grid[-1]["model"]
    records = [record for record in one.rho_within_grid if record["model"] == model]
    cells = []
    for record in records:
        shown = (
            "failed"
            if "problem" in record
            else f"{number(record['r2_trial'])}{'*' if record['boundary'] else ''}/{number(record['slope'])}"
        )
        cells.append(f"{record['rho_within']:g}: {shown}")
    note = "  (* boundary)" if any(record.get("boundary") for record in records) else ""
    return f"R²/slope of {model} by rho_within  {'   '.join(cells)}{note}"


def _prior_line(one: SetFit) -> str:
    records = [record for record in one.prior_sensitivity if "problem" not in record]
    if not records:
        return ""
    low, high = (choose(records, key=lambda record: record["r2_trial"]) for choose in (min, max))
    default = records[0]
    return (
        f"R² of bivariate-bayes by prior: {number(low['r2_trial'])} ({low['prior']}) to {number(high['r2_trial'])} "
        f"({high['prior']}); with the default prior, prior and posterior of R² overlap by "
        f"{default['prior_overlap']:.0%}, their medians are {number(default['r2_trial_prior'])} and "
        f"{number(default['r2_trial'])}"
    )


def _nuts_lines(one: SetFit) -> list[str]:
    """The largest difference between an exact posterior and NUTS, a line a model."""
    lines = []
    for sampled in one.sampled:
        model = sampled.model.removesuffix("-nuts").replace("bivariate", "bivariate-bayes")
        records = [record for record in one.nuts if record["model"] == model]
        worst = max(records, key=lambda record: abs(record["difference"]))
        draws = sampled.draws["posterior"].sizes
        lines.append(
            f"{model}, exact against NUTS ({draws['chain'] * draws['draw']:,} draws): largest of {len(records)} differences "
            f"{abs(worst['difference']):.1f} Monte Carlo errors ({worst['estimate']}, {worst['summary']})"
        )
    return lines


def _left_out_line(one: SetFit) -> str:
    records = [
        record for record in one.leave_one_out if record["model"] == "weighted-pearson" and record.get("r") is not None
    ]
    if not records:
        return ""
    low, high = (choose(records, key=lambda record: record["r"]) for choose in (min, max))
    names = dict(zip(one.effects.trial, one.effects.labels, strict=True))
    return (
        f"r with one trial left out: {number(low['r'])} (without {names[low['left_out']]}) to "
        f"{number(high['r'])} (without {names[high['left_out']]})"
    )


def _cross_validation_line(one: SetFit) -> str:
    """How many observed final effects lie within the interval predicted from the other trials, by model."""
    names = dict(zip(one.effects.comparison, one.effects.labels, strict=True))
    cells = []
    for found in one.robustness.cross_validation:
        covered, of = found.coverage
        outside = f" (not {', '.join(names[name] for name in found.outside)})" if found.outside else ""
        cells.append(f"{found.model} {covered} of {of}{outside}")
    words = f"observed {final_name(one.effects)} HR within the 95% interval predicted from the other trials"
    return f"{words}: {'; '.join(cells)}" if cells else ""


def _carried_line(one: SetFit) -> str:
    """The single trials without which an interval of the slope would hold 0, or no longer, by model."""
    names = dict(zip(one.effects.trial, one.effects.labels, strict=True))
    cells = []
    for model in dict.fromkeys(record["model"] for record in one.robustness.delete_one):
        records = [
            record for record in one.robustness.delete_one if record["model"] == model and "slope_sign" in record
        ]
        changed = [record for record in records if record["slope_sign"] != records[0]["slope_sign"]]
        if changed:
            without = ", ".join(names[record["left_out"]] for record in changed)
            cells.append(f"{model} {records[0]['slope_sign']}, but not without any one of {without}")
    return f"95% interval of the slope: {'; '.join(cells)}" if cells else ""


def _differences(run: Run) -> RenderableType:
    """Difference in association between the sets."""
    table = Table(
        title="Is the association weaker?",
        box=box.SIMPLE_HEAD,
        title_justify="left",
        title_style="bold",
        pad_edge=False,
    )
    headings = ("Sets", "r", "Difference (95% interval)", "p", "P(R² smaller)", "Detectable")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for one in run.differences:
        r, r2 = one.contrasts["r"], one.contrasts.get("r2_trial")
        table.add_row(
            f"{escape(one.names[0])} against {escape(one.names[1])}\n[dim]{one.trials[0]} and {one.trials[1]} trials[/dim]",
            f"{number(r.first)} and {number(r.second)}",
            f"{with_interval(r.difference)}\n[dim]{r.difference.kind.partition(',')[0]}[/dim]",
            number(r.p),
            f"{number(None if r2 is None else r2.probability_first_smaller)}\n[dim]no data: "
            f"{number(None if r2 is None else r2.probability_no_data)}\nodds ratio: "
            f"{number(None if r2 is None else r2.odds_ratio_no_data, 1)}[/dim]",
            f"{number(one.detectable_difference)}\n[dim]{number(one.detectable)} v {number(r.second)}[/dim]",
        )
    table.caption = (
        "P(R² smaller): exact posteriors; no data: the same probability if the first set held no trial; odds ratio of "
        "the two, 1 if the trials of the first set change nothing. Detectable: smallest true difference of r, weaker "
        "in the first set, that these numbers of trials would find with 80% power. Details: tables/differences.md."
    )
    table.caption_justify = "left"
    return table


def _placement(run: Run, focus: Focus) -> list[RenderableType]:
    """Prediction of every line for a comparison in focus, at its own within-trial correlation and fitted without it."""
    shown = [placement for placement in shown_placements(run.placements) if placement.comparison == focus.comparison]
    if not shown:
        return []
    cuts = list(dict.fromkeys((placement.cut, placement.hr_surrogate) for placement in shown))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    final = final_name(focus.effects)
    for heading in ("Line", *(f"Predicted {final} HR (95% PI) from {number(hr)} ({cut})" for cut, hr in cuts)):
        table.add_column(heading, overflow="fold")
    for name in dict.fromkeys(placement.set for placement in shown):
        line = [placement for placement in shown if placement.set == name]
        cells = [
            f"{number(placement.predicted)} ({number(placement.low_95)} to {number(placement.high_95)})\n"
            f"[dim]P(≥ {number(placement.hr_final)} observed) = {number(placement.p_at_or_above)}; "
            f"{PLACES[placement.position]}[/dim]"
            for placement in line
        ]
        table.add_row(f"{escape(name)}\n[dim]{line[0].fitted}, k = {line[0].k}[/dim]", *cells)
    lines = [summary_line(one) for one in run.decompositions if one.inputs.comparison == focus.comparison]
    if focus is run.focuses[-1]:
        lines += [f"not placed: {entry['label']} ({entry['why']})" for entry in run.not_placed]
    title = Text(f"{focus.label} against the lines of {shown[0].model}", style="bold")
    return [title, table, *(Padding(Text(line), (0, 0, 0, 2)) for line in lines), Text("")]


def _predictions(run: Run) -> RenderableType:
    """What every line expects of a new trial."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    final = common_final_name(one.effects for one in run.analyses)
    for heading in ("Set", "Model", "Target", f"{final} HR (95% PI)", "80% PI", "P(HR < 1)"):
        table.add_column(heading, overflow="fold")
    for record in run.predictions:
        beyond = " †" if record["beyond_data"] else ""
        table.add_row(
            f"{escape(record['set'])} (k = {record['k']})",
            record["model"],
            record["target"],
            f"{number(record['predicted'])} ({number(record['low_95'])} to {number(record['high_95'])}){beyond}",
            f"{number(record['low_80'])} to {number(record['high_80'])}",
            number(record["p_below_1"]),
        )
    if any(record["beyond_data"] for record in run.predictions):
        table.caption = "† beyond the surrogate effects of the set: an extrapolation"
        table.caption_justify = "left"
    return table


def _changes(changes: Sequence[dict[str, Any]]) -> RenderableType:
    table = Table(title="What the added rows change", box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for heading in ("Set", "Model", "Quantity", "Comparisons", "Before", "After", "Change"):
        table.add_column(heading)
    for change in changes:
        before, after = change["before"], change["after"]
        difference = f"{after - before:+.3f}".replace("-", "−") if before is not None and after is not None else "–"
        sizes = f"{_used(change, 'before')} → {_used(change, 'after')}"
        table.add_row(
            change["set"], change["model"], change["estimate"], sizes, number(before, 3), number(after, 3), difference
        )
    models: dict[tuple[str, ...], dict[str, None]] = {}
    for change in changes:
        if change["left_out_after"]:
            reason = change["set"], ", ".join(change["left_out_after"]), change["reason"], change["remedy"]
            models.setdefault(reason, {})[change["model"]] = None
    if models:
        notes = [
            f"{name}, {' and '.join(of)}: {comparisons} left out, {reason}. Remedy: {remedy}."
            for (name, comparisons, reason, remedy), of in models.items()
        ]
        table.caption, table.caption_justify = "\n".join(notes), "left"
    return table


def _used(change: dict[str, Any], when: str) -> str:
    """Comparisons in the fit: ``27``, ``24 of 27``, or that the model was not fitted."""
    used, left_out = change[f"k_{when}"], len(change[f"left_out_{when}"])
    if used is None:
        return "not fitted"
    return f"{used} of {used + left_out}" if left_out else f"{used}"
