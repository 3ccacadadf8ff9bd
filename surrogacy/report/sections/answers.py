"""Answers: one sentence per analysis set, the numbers to quote, and whether the other models agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.evaluation.answers import Answer, Check, answer
from surrogacy.report.captions import versions
from surrogacy.report.section import Detail, Entry, Grid, Heading, Note, Record, Section, phrase, text
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import (
    common_final_name,
    comparisons_in_words,
    endpoint_of,
    final_name,
    surrogate_names,
)
from surrogacy.results.estimate import CaveatCode, Estimate, ThresholdEffect, probability_words
from surrogacy.results.format import ABSENT, interval, listed, number, percent, settings_in_words, with_interval
from surrogacy.results.labels import SYMBOLS, estimate_label, model_label
from surrogacy.results.levels import LEVEL
from surrogacy.results.result import Result


def section(run: FitRun) -> Section:
    """Return the answer of every set, and the numbers to quote."""
    answers = answers_of(run)
    return Section(
        key="answer",
        answer=(*_title(run), *_blocks(run, answers), *_numbers(run, answers)),
        record={"answer": [_record(fit, answers[fit.name]) for fit in run.sets if fit.name in answers]},
    )


def answers_of(run: FitRun) -> dict[str, Answer]:
    """Return the answers by set; a set without a fit has none."""
    return {fit.name: reply for fit in run.sets if (reply := answer(fit.results)) is not None}


def surrogate_name(fit: SetFit) -> str:
    """Return the surrogate endpoints of a set, the most frequent first: ``PFS/TTP``."""
    reported = np.flatnonzero(np.isfinite(fit.effects.log_hr[:, 0]))
    counts = Counter(endpoint_of(fit.effects, int(i), "surrogate") for i in reported)
    return "/".join(name for name, _ in counts.most_common())


def _title(run: FitRun) -> Iterator[Detail]:
    final = common_final_name(fit.effects for fit in run.sets)
    pairs_alone = run.settings.pairs_table is not None
    surrogate = surrogate_name(run.sets[0]) if pairs_alone and run.sets else "PFS"
    where = "" if pairs_alone else " in hepatocellular carcinoma"
    yield Heading(f"Does {surrogate} predict {final}{where}?", versions(run.trials, run.settings.source_kind))


def _blocks(run: FitRun, answers: dict[str, Answer]) -> Iterator[Detail]:
    """Return name, size and answer of every set."""
    for fit in run.sets:
        patients = fit.effects.n_patients
        size = f"{comparisons_in_words(fit.effects)}, {len(fit.effects.trials)} trials"
        size += f", {patients:,.0f} patients" if patients == patients else ""
        label = set_label(fit.name)
        typed = f" ({fit.name})" if label != fit.name else ""
        yield Heading(label, f"{typed}: {size}")
        if fit.name in answers:
            yield Note(sentence(fit, answers[fit.name]))
        else:
            yield Note(text("answer_no_fit"), warning=True)


def sentence(fit: SetFit, reply: Answer) -> str:
    """Return the conclusion on a set with its numbers, and the surrogate threshold effect."""
    words = {"surrogate": surrogate_name(fit), "final": final_name(fit.effects)}
    conclusion = phrase("conclusions", reply.conclusion, **words)
    return f"{conclusion}: {_association(reply.quoted)}. {_threshold_sentence(reply, words)}".strip()


def _association(result: Result) -> str:
    """Return the number that tells how close the association is, with its interval."""
    name = next((name for name in ("r2_trial", "r", "sigma_cond") if name in result.estimates), None)
    if name is None:
        return ABSENT
    estimate: Estimate = result[name]
    label = {"r2_trial": "trial-level R²", "r": "weighted r"}.get(name)
    words = label or estimate_label(name, final_name(result.effects))
    if estimate.low is None or estimate.high is None:
        return f"{words} {with_interval(estimate)}"
    level = percent(estimate.level or LEVEL)
    return f"{words} {number(estimate.value)} ({level} interval {interval(estimate.low, estimate.high)})"


def _threshold_sentence(reply: Answer, words: dict[str, str]) -> str:
    threshold = reply.threshold
    if threshold is None:
        return ""
    unreliable = threshold.hr is not None and not reply.conclusion.is_shown
    status = "unreliable" if unreliable else threshold.status
    values = {"hr": number(threshold.hr), "hr_low": number(threshold.hr_other), "limits": _limits(threshold)}
    return phrase("thresholds", status, **values, **words)


def _limits(threshold: ThresholdEffect) -> str:
    """Return the interval of a threshold in parentheses, or the probability that it exists; empty without either."""
    uncertainty = threshold.uncertainty
    if uncertainty is None:
        return ""
    if uncertainty.low is None or uncertainty.high is None:
        return f" (exists with probability {probability_words(uncertainty.exists)})"
    return f" ({interval(uncertainty.low, uncertainty.high)})"


def threshold_cell(reply: Answer) -> str:
    """Return the surrogate threshold effect, or that there is none to rely on."""
    threshold = reply.threshold
    if threshold is None:
        return ABSENT
    if threshold.hr is not None and not reply.conclusion.is_shown:
        return "unreliable"
    return _threshold_words(threshold)


def _threshold_words(threshold: ThresholdEffect) -> str:
    """Return a threshold with its interval, or in short with the probability that it exists."""
    uncertainty = threshold.uncertainty
    if threshold.hr is None:
        return "none"
    if uncertainty is not None and uncertainty.low is None:
        return f"{threshold.value_words} (exists: {probability_words(uncertainty.exists)})"
    return f"{threshold.value_words}{threshold.uncertainty_words}"


def _other_size(result: Result, threshold: ThresholdEffect, quoted: ThresholdEffect | None) -> str:
    """Return the size of the new trial in a sentence, if the quoted threshold is that for a true effect."""
    if threshold.hr is None or threshold.new_n is None or (quoted is not None and quoted.new_n is not None):
        return ""
    return text("answer_other_size", model=model_label(result.model), n=f"{threshold.new_n:,.0f}")


def _numbers(run: FitRun, answers: dict[str, Answer]) -> Iterator[Detail]:
    """Return the numbers to quote, a row per set, or a row per model if there is a single set."""
    if not answers:
        return
    if len(answers) == 1:
        yield from _by_model(answers)
        return
    yield Heading()
    rows = [
        (
            set_label(name),
            _cell(reply.quoted, "r2_trial"),
            _cell(reply.quoted, "slope"),
            threshold_cell(reply),
            next((_cell(result, "r") for result in fit.results if "r" in result.estimates), ABSENT),
        )
        for name, reply in answers.items()
        for fit in run.sets
        if fit.name == name
    ]
    yield Grid(("", "Trial-level R²", "Slope", "Threshold (HR)", "Weighted r"), tuple(rows), compact=True, tight=True)
    yield Note(f"{_footnote(list(answers.values()))}{_checks_note(answers)}")


def _by_model(answers: Mapping[str, Answer]) -> Iterator[Detail]:
    """Return a row per model of the only set."""
    (reply,) = answers.values()
    rows, sizes = [], ""
    for result in (reply.quoted, *(check.result for check in reply.checks)):
        association = next((name for name in ("r", "r2_trial", "sigma_cond") if name in result.estimates), "r2_trial")
        threshold = result.estimates.get("ste_prediction")
        shown = ABSENT
        if result is reply.quoted:
            shown = threshold_cell(reply)
        elif isinstance(threshold, ThresholdEffect):
            shown = _threshold_words(threshold)
            sizes += _other_size(result, threshold, reply.threshold)
        symbol = "SD" if association == "sigma_cond" else SYMBOLS[association]  # short for the width of the screen
        words = f"{symbol} {_cell(result, association)}"
        rows.append((model_label(result.model), words, _cell(result, "slope"), shown))
    headings = ("Model", "Association (95% interval)", "Slope (95% interval)", "Threshold (HR)")
    yield Grid(headings, tuple(rows), compact=True)
    yield Note(f"{_footnote([reply])}{sizes}{_checks_note(answers)}")


def _cell(result: Result, name: str) -> str:
    estimate = result.estimates.get(name)
    return with_interval(estimate) if isinstance(estimate, Estimate) else ABSENT


def _footnote(answers: Sequence[Answer]) -> str:
    """Return model and interval of the quoted numbers, and the meaning of the threshold if there is one."""
    models = dict.fromkeys(model_label(reply.quoted.model) for reply in answers)
    methods = dict.fromkeys(
        _interval_words(estimate.method)
        for reply in answers
        if isinstance(estimate := reply.quoted.estimates.get("slope", reply.quoted.estimates.get("r")), Estimate)
    )
    thresholds = [(reply, threshold) for reply in answers if (threshold := reply.threshold) is not None]
    targets = dict.fromkeys(_target(threshold, final_name(reply.effects)) for reply, threshold in thresholds)
    shown = [threshold.uncertainty for _, threshold in thresholds if threshold.hr is not None and threshold.uncertainty]
    keys = [
        key
        for key, used in (
            ("answer_threshold_interval", any(uncertainty.low is not None for uncertainty in shown)),
            ("answer_threshold_exists", any(uncertainty.low is None for uncertainty in shown)),
        )
        if used
    ]
    words = {"uncertainty": "".join(map(text, keys))}
    quoted = text("answer_footnote", models=" or ".join(models), method=" or ".join(methods))
    return quoted + "".join(text("answer_threshold", target=target, size=size, **words) for target, size in targets)


def _interval_words(method: str) -> str:
    """Return the method of an interval without its remarks: ``95% interval by profile likelihood``."""
    name = method.partition(";")[0].partition(":")[0]
    return text("answer_interval_posterior" if name.startswith("posterior") else "answer_interval", method=name)


def _target(threshold: ThresholdEffect, final: str) -> tuple[str, str]:
    """Return the predicted effect on which a threshold is based, and the size of the new trial if it matters."""
    if threshold.new_n is None:
        return f"true {final} effect", ""
    return f"observed {final} effect", f" of {threshold.new_n:,.0f} patients"


def _checks_note(answers: Mapping[str, Answer]) -> str:
    """Return whether the other models agree with the quoted ones; empty if there are no other models."""
    where = set_label if len(answers) > 1 else lambda _: ""
    disagreements = [sentence for name, reply in answers.items() if (sentence := checks_sentence(reply, where(name)))]
    agreement = [text("answer_checks_agree")] if any(reply.checks for reply in answers.values()) else []
    return "".join(f" {sentence}" for sentence in disagreements or agreement)


def checks_sentence(reply: Answer, where: str = "") -> str:
    """Return the models that disagree with the quoted one about whether an association is shown."""
    disagreeing = [check for check in reply.checks if not check.agrees]
    if not disagreeing:
        return ""
    models = listed([model_label(check.result.model) for check in disagreeing])
    models += f" ({_evidence(disagreeing[0])})" if len(disagreeing) == 1 else ""
    key = "answer_checks_more" if disagreeing[0].conclusion.is_shown else "answer_checks_less"
    show = "shows" if len(disagreeing) == 1 else "show"
    sentence = text(key, where=f"{where}: " if where else "", models=models, show=show)
    return f"{sentence[0].upper()}{sentence[1:]}"


def _evidence(check: Check) -> str:
    name = "slope" if "slope" in check.result.estimates else "r"
    return f"{name} {_cell(check.result, name)}"


def _record(fit: SetFit, reply: Answer) -> Record:
    """Return the numbers to quote as a record."""
    threshold = reply.threshold
    estimates = {name: reply.quoted.estimates.get(name) for name in ("r2_trial", "r", "slope")}
    return {
        "set": fit.name,
        "model": reply.quoted.model,
        "settings": settings_in_words(reply.quoted),
        "conclusion": reply.conclusion.value,
        "sentence": sentence(fit, reply),
        "estimates": {name: estimate.record for name, estimate in estimates.items() if estimate is not None},
        "threshold": None if threshold is None else threshold.record,
        "checks": [
            {"model": check.result.model, "conclusion": check.conclusion.value, "agrees": check.agrees}
            for check in reply.checks
        ],
        "caveats": sorted({caveat.code.value for caveat in reply.quoted.caveats}),
    }


NOTE_RANKS = (
    CaveatCode.SAMPLING,
    CaveatCode.DISAGREEMENT,
    CaveatCode.UNVERIFIED,
    CaveatCode.PRIOR_DOMINATES,
    CaveatCode.MIXED_ENDPOINTS,
    CaveatCode.FEW_TRIALS,
    CaveatCode.LEFT_OUT,
    CaveatCode.BOUNDARY,
    CaveatCode.ADDED,
    CaveatCode.SCATTER,
    CaveatCode.BIAS,
    CaveatCode.ASSUMPTION,
    CaveatCode.APPROXIMATE_ERRORS,
)
"""Caveats that may change the interpretation, the most important first; the others are only counted."""
MOST_NOTES = 3


def notes_section(run: FitRun) -> Section:
    """Return at most three caveats per set, those first that change the interpretation most."""
    lines: list[Detail] = []
    for fit in run.sets:
        codes = {caveat.code for result in fit.results for caveat in result.caveats}
        words = [_not_fitted(fit)] if fit.failures or fit.not_fitted else []
        words += [_note(fit, code) for code in NOTE_RANKS if code in codes]
        more = len(words[MOST_NOTES:]) + len(codes - set(NOTE_RANKS))
        shown = words[:MOST_NOTES]
        noun = "more" if shown else "note" if more == 1 else "notes"
        shown += [f"{more} {noun}: --details"] if more else []
        if shown:
            where = f"{set_label(fit.name)}: " if len(run.sets) > 1 else ""
            lines.append(Entry("" if lines else "Notes", f"{where}{'; '.join(shown)}"))
    return Section(key="notes", answer=tuple(lines))


def _not_fitted(fit: SetFit) -> str:
    models = [*(failure.model for failure in fit.failures), *(entry.model for entry in fit.not_fitted)]
    return text("note_not_fitted", models=" and ".join(map(model_label, dict.fromkeys(models))))


def _note(fit: SetFit, code: CaveatCode) -> str:
    effects = fit.effects
    models = [result.model for result in fit.results if code in {caveat.code for caveat in result.caveats}]
    return phrase(
        "notes",
        code,
        k=len(effects),
        trials=len(effects.trials),
        unverified=int(effects.unverified.sum()),
        numbers=2 * len(effects),
        endpoints=len(surrogate_names(effects)),
        models=" and ".join(map(model_label, models)),
    )
