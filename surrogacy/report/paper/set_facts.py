"""Facts of an analysis set in words and numbers, for the texts of a paper."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from surrogacy.analysis.fit_run import SetFit
from surrogacy.evaluation.answers import Answer
from surrogacy.evaluation.cross_validation import CrossValidation
from surrogacy.report.paper import result_text
from surrogacy.report.sections.answers import surrogate_name, threshold_cell
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import endpoint_of, final_name, surrogate_names, with_article
from surrogacy.results.estimate import CaveatCode
from surrogacy.results.format import assumed_correlation, listed, number
from surrogacy.results.labels import model_label
from surrogacy.results.result import Result

MOST_REASONS = 8
OF_THE_DATA = (CaveatCode.UNVERIFIED, CaveatCode.ASSUMPTION, CaveatCode.ADDED)


@dataclass(frozen=True, eq=False)
class SetFacts:
    """Analysis set of a run.

    Parameters
    ----------
    fit : SetFit
    answer : Answer or None
        None if no model could be fitted.
    """

    fit: SetFit
    answer: Answer | None

    @property
    def label(self) -> str:
        """Label of the set."""
        return set_label(self.fit.name)

    @property
    def size(self) -> str:
        """Numbers of comparisons, trials and patients."""
        effects = self.fit.effects
        patients = effects.n_patients
        trials = len(effects.trials)
        words = f"{len(effects)} comparisons of {trials} trial{'' if trials == 1 else 's'}"
        return f"{words} ({patients:,.0f} patients)" if patients == patients else words

    @property
    def surrogates(self) -> str:
        """Surrogate endpoints with the numbers of comparisons that report them, the most frequent first."""
        effects = self.fit.effects
        known = np.flatnonzero(np.isfinite(effects.log_hr[:, 0]))
        counts = Counter(endpoint_of(effects, int(i), "surrogate") for i in known)
        if len(counts) == 1 and len(known) == len(effects):
            return f"{with_article(next(iter(counts)))} in all comparisons"
        return listed([f"{with_article(name)} in {count}" for name, count in counts.most_common()])

    @property
    def surrogate(self) -> str:
        """Surrogate endpoints, the most frequent first: ``PFS/TTP``."""
        return surrogate_name(self.fit)

    @property
    def surrogate_labels(self) -> tuple[str, ...]:
        """Surrogate endpoints in running text."""
        return tuple(map(with_article, surrogate_names(self.fit.effects)))

    @property
    def surrogate_list(self) -> str:
        """Surrogate endpoints, listed."""
        return listed(self.surrogate_labels)

    @property
    def final(self) -> str:
        """Final endpoint."""
        return final_name(self.fit.effects)

    @property
    def within(self) -> str:
        """Within-trial correlation where no source reports it; empty if all are reported."""
        return assumed_correlation(self.fit.effects).removesuffix(" (assumed)")

    @property
    def within_reported(self) -> int:
        """Comparisons with a reported within-trial correlation."""
        return int(self.fit.effects.rho_known.sum())

    @property
    def within_derived(self) -> int:
        """Comparisons whose within-trial correlation follows from their patients."""
        return sum(entry.correlation is not None for entry in self.fit.shared_patients)

    @property
    def sharing(self) -> tuple[str, ...]:
        """Comparisons that share a control arm with another one."""
        effects = self.fit.effects
        groups = Counter(filter(None, effects.control_group))
        return tuple(
            label for label, group in zip(effects.labels, effects.control_group, strict=True) if groups[group] > 1
        )

    @property
    def one_endpoint(self) -> int:
        """Comparisons in the fit with one endpoint alone."""
        return int((~self.fit.effects.complete).sum())

    @property
    def considered(self) -> int:
        """Comparisons that were considered for the set."""
        return len(self.fit.flow)

    @property
    def excluded(self) -> int:
        """Comparisons that were considered and excluded."""
        return sum(not entry.included for entry in self.fit.flow)

    @property
    def exclusions(self) -> str:
        """Reasons for exclusions with their numbers, the most frequent first; empty without exclusions."""
        predicted = {entry.comparison for entry in self.fit.analysis_set.surrogate_only}
        without_final = f"a surrogate effect without a usable hazard ratio for {self.final}"
        counts = Counter(
            without_final if entry.comparison in predicted else entry.reason
            for entry in self.fit.flow
            if not entry.included
        ).most_common()
        shown = [f"{reason} ({count})" for reason, count in counts[:MOST_REASONS]]
        more = sum(count for _, count in counts[MOST_REASONS:])
        return "; ".join([*shown, f"other reasons ({more})"] if more else shown)

    @property
    def by_rule(self) -> bool:
        """True if a rule selects the comparisons; otherwise a list names their hazard ratios."""
        return not self.fit.analysis_set.listed

    @property
    def sentence(self) -> str:
        """Association and threshold effect of the quoted model, with their intervals."""
        return "" if self.answer is None else result_text.main_result(self.answer, self.surrogate, self.final)

    @property
    def threshold_sentence(self) -> str:
        """Surrogate threshold effect of the quoted model, or the reason why there is none."""
        return "" if self.answer is None else result_text.threshold_sentence(self.answer, self.surrogate, self.final)

    @property
    def prior_sentence(self) -> str:
        """Overlap of prior and posterior, and how far the result depends on the prior; empty without a prior."""
        return "" if self.answer is None else result_text.prior_sentence(self.answer.quoted)

    @property
    def prior_dominates(self) -> bool:
        """True if the quoted result depends on the prior."""
        return self.answer is not None and self.answer.quoted.has_caveat(CaveatCode.PRIOR_DOMINATES)

    @property
    def sensitivity_sentence(self) -> str:
        """Range of the main estimate over other priors and other within-trial correlations."""
        return "" if self.answer is None else result_text.sensitivity_sentence(self.fit, self.answer.quoted)

    @property
    def quoted(self) -> str:
        """Label of the quoted model."""
        return "" if self.answer is None else model_label(self.answer.quoted.model)

    @property
    def threshold(self) -> str:
        """Surrogate threshold effect of the quoted model; empty if the model has no line."""
        return "" if self.answer is None or self.answer.threshold is None else threshold_cell(self.answer)

    @property
    def threshold_basis(self) -> str:
        """Band, level and size of the new trial of the threshold."""
        threshold = None if self.answer is None else self.answer.threshold
        return "" if threshold is None else threshold.band_and_size

    @property
    def checks(self) -> tuple[str, ...]:
        """Main estimates of every other model, and whether its conclusion differs."""
        if self.answer is None:
            return ()
        checks = {check.result.model: check for check in self.answer.checks}
        return tuple(result_text.check_words(result, checks.get(result.model)) for result in self.others)

    @property
    def others(self) -> tuple[Result, ...]:
        """Results of the models that are not quoted."""
        quoted = None if self.answer is None else self.answer.quoted
        return tuple(result for result in self.fit.results if result is not quoted)

    @property
    def cross_validation(self) -> CrossValidation | None:
        """Cross-validation of the quoted model, else of the first model that has one."""
        entries = self.fit.cross_validation
        quoted = None if self.answer is None else self.answer.quoted.model
        return next((entry for entry in entries if entry.model == quoted), next(iter(entries), None))

    @property
    def cross_validated(self) -> str:
        """Label of the model of the cross-validation."""
        return "" if self.cross_validation is None else model_label(self.cross_validation.model)

    @property
    def multiplier(self) -> str:
        """Standard-error multiplier of the cross-validation; empty without one."""
        scores = self.cross_validation
        return "" if scores is None else number(scores.baker_kramer_multiplier)

    @property
    def left_out_sentence(self) -> str:
        """Range of the main estimate if one trial is left out."""
        return "" if self.answer is None else result_text.left_out_sentence(self.fit, self.answer.quoted)

    @property
    def caveats(self) -> tuple[str, ...]:
        """Caveats of the quoted result, without that on the prior, which `prior_sentence` states."""
        caveats = () if self.answer is None else self.answer.quoted.caveats
        return tuple(caveat.text for caveat in caveats if caveat.code is not CaveatCode.PRIOR_DOMINATES)

    @property
    def data_caveats(self) -> tuple[str, ...]:
        """Sentences on values that were not verified, assumed or added: they belong to every text with a result."""
        return tuple(f"{text[:1].upper()}{text[1:]}." for text in self._data_caveats)

    @property
    def _data_caveats(self) -> tuple[str, ...]:
        caveats = () if self.answer is None else self.answer.quoted.caveats
        return tuple(caveat.text for caveat in caveats if caveat.code in OF_THE_DATA)

    @property
    def remarks(self) -> str:
        """Remarks within the parentheses after a number: dependence on the prior, and caveats on values."""
        prior = ("the result depends mostly on the prior",) if self.prior_dominates else ()
        return "".join(f"; {text}" for text in (*prior, *self._data_caveats))

    @property
    def failures(self) -> tuple[str, ...]:
        """Models that could not be fitted, and the reasons."""
        failed = [f"{model_label(failure.model)} ({failure.message})" for failure in self.fit.failures]
        return (*failed, *(f"{model_label(entry.model)} ({entry.reason})" for entry in self.fit.not_fitted))
