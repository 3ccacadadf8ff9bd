"""Labels of weights, estimates, models, classes, choices and columns, for screen, figure, caption and table alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.results.endpoint_names import final_name

Weights = Literal["n", "events", "inverse-variance", "sqrt-n", "none"]


@dataclass(frozen=True, eq=False)
class ComparisonWeights:
    """Weights of the comparisons in a correlation or a regression.

    Parameters
    ----------
    name : {"n", "events", "inverse-variance", "sqrt-n", "none"}
    values : (k,) array
    """

    name: Weights
    values: FloatArray

    @classmethod
    def by_patients(cls, effects: Effects) -> ComparisonWeights:
        """Weights by the number of patients; equal ones where a comparison does not state it."""
        known = bool(np.isfinite(effects.n).all())
        return cls("n", effects.n) if known else cls("none", np.ones(len(effects)))


WORDS: dict[Weights, str] = {
    "n": "number of patients",
    "events": "{final} events",
    "inverse-variance": "1 / variance of log HR({final})",
    "sqrt-n": "square root of the number of patients",
    "none": "unweighted",
}
IN_WORDS: dict[str, str] = {weights: words.format(final="OS") for weights, words in WORDS.items()}
ESTIMATES = {
    "z": "Fisher z",
    "r": "Weighted Pearson r",
    "r_bootstrap": "Weighted Pearson r, bootstrap",
    "spearman": "Spearman r",
    "r2_trial": "R² (trial level)",
    "rho_between": "ρ between trials",
    "mu_surrogate": "Mean log HR, surrogate",
    "mu_final": "Mean log HR, {final}",
    "tau_surrogate": "τ, surrogate",
    "tau_final": "τ, {final}",
    "intercept": "Intercept",
    "slope": "Slope",
    "sigma_cond": "Conditional SD of log HR({final})",
    "sigma_resid": "Residual SD of log HR({final})",
    "loglik": "Log-likelihood",
    "ste_prediction": "STE (HR), prediction band",
    "ste_confidence": "STE (HR), confidence band",
    "ste_prediction_80": "STE (HR), 80% prediction band",
    "ste_confidence_80": "STE (HR), 80% confidence band",
    "p_slope_positive": "P(slope > 0)",
    "prior_overlap": "Overlap of prior and posterior of R²",
    "r2_trial_prior": "R² (trial level), prior",
    "log_marginal_likelihood": "Log marginal likelihood",
    "grid_error": "Error of the quadrature (posterior SDs)",
    "rho_within": "ρ within trials",
}
SYMBOLS = {"r": "r", "r2_trial": "R²", "rho_between": "rho_between", "sigma_cond": "sigma_cond"}
ARM_ESTIMATES = {
    "r_os_pps": "r(OS, PPS)",
    "r_os_pfs": "r(OS, PFS)",
    "r_pfs_pps": "r(PFS, PPS)",
    "sd_ratio": "SD of PPS over that of PFS",
    "shapley_share": "Share of PPS in the variance of OS (Shapley)",
    "covariance_share": "Share of PPS in the variance of OS (covariance)",
    "median_os": "Median OS, months",
    "median_pfs": "Median PFS, months",
    "median_pps": "Median PPS, months",
    "pps_share": "PPS / OS, percentage points",
}
GAP_PARTS = {"dilution": "Dilution", "imbalance": "Imbalance of PPS", "residual": "Residual"}
OS_HAZARD_RATIOS = {
    "pfs": "HR PFS (PPS → 0)",
    "equal": "OS HR, equal PPS",
    "model": "OS HR, PPS as calibrated",
    "observed": "OS HR, observed",
}
SUMMARIES = {"low": "lower limit", "value": "median", "high": "upper limit"}
CHOICES = {
    "base": "as in this run",
    "rho_within": "ρ within",
    "weights": "weights",
    "endpoints": "endpoints",
    "data_cut": "data cut",
    "ci_level": "confidence levels",
    "min_evidence": "weakest evidence",
    "shared_control": "shared control arms",
}
CLASSES = {
    "tace-combination": "TACE combination",
    "antiangiogenic-tki": "antiangiogenic TKI",
    "antiangiogenic-mab": "antiangiogenic antibody",
    "ici": "ICI",
    "ici+antiangiogenic": "ICI + antiangiogenic",
    "ici+ici": "ICI + ICI",
    "chemo": "chemotherapy",
    "haic": "HAIC",
    "sirt": "SIRT",
    "other": "other",
    "": "class not given",
}
POSITIONS = {
    "inside-80": "inside 80% PI",
    "inside-95": "inside 95%, outside 80% PI",
    "outside-95": "outside 95% PI",
}
HEADINGS = {
    "arms": "Arms",
    "assumption": "Assumption",
    "baker_kramer_multiplier": "SE multiplier",
    "beyond_data": "Beyond the data",
    "boundary": "Boundary",
    "calibration_intercept": "Calibration intercept",
    "calibration_slope": "Calibration slope",
    "comparison": "Comparison",
    "cooks_distance": "Cook's distance",
    "correlates": "Correlation of",
    "coverage": "Within the 95% interval",
    "coverage_80": "Within the 80% interval",
    "covered": "Within 95%",
    "cut": "Data cut",
    "definition": "PPS",
    "detectable_difference": "Detectable with 80% power",
    "deviance": "Deviance",
    "dfbetas_intercept": "DFBETAS, intercept",
    "dfbetas_slope": "DFBETAS, slope",
    "dffits": "DFFITS",
    "diagnosis": "Diagnosis",
    "difference": "Difference",
    "estimate": "Quantity",
    "exact": "Exact",
    "external": "Studentised residual",
    "factor": "Factor",
    "fitted": "Fitted",
    "formula": "Formula",
    "free": "Fitted hazards",
    "hat": "Hat",
    "high": "95% high",
    "high_80": "80% high",
    "high_95": "95% high",
    "hr_final": "Observed HR",
    "hr_high": "95% high",
    "hr_low": "95% low",
    "hr_observed": "Observed HR",
    "hr_os": "OS HR (Cox limit)",
    "hr_predicted": "Predicted HR",
    "hr_surrogate": "HR (surrogate)",
    "intercept": "Intercept",
    "item": "Item",
    "k": "k",
    "kind": "How",
    "label": "Comparison",
    "left_out": "Left out",
    "level": "Level",
    "likelihood": "Likelihood",
    "low": "95% low",
    "low_80": "80% low",
    "low_95": "95% low",
    "mean_width": "Mean width (log)",
    "model": "Model",
    "moderator": "Moderator",
    "monte_carlo_error": "Monte Carlo error",
    "not_predicted": "Not predicted",
    "note": "Note",
    "odds_ratio_no_data": "Odds ratio",
    "of": "Of",
    "outside": "Outside 95%",
    "p": "p",
    "p_at_or_above": "P(at or above)",
    "p_below_1": "P(HR < 1)",
    "percentile": "Percentile",
    "permutation_p": "Permutation p",
    "place": "Quantile or level",
    "position": "Observed HR lies",
    "predicted": "Predicted HR",
    "prior": "Prior",
    "probability_first_smaller": "P(smaller in the first)",
    "probability_no_data": "The same if the first held no trial",
    "problem": "Not fitted",
    "quantity": "Quantity",
    "r": "r",
    "r2_conditional": "Conditional R²",
    "r2_trial": "R² (trial level)",
    "r2_trial_high": "R² 95% high",
    "r2_trial_low": "R² 95% low",
    "r_change": "Change",
    "r_high": "95% high",
    "r_low": "95% low",
    "reason": "Reason",
    "recipe": "Interval",
    "remedy": "Remedy",
    "residual": "Residual (log)",
    "rho_between": "ρ between",
    "rho_between_change": "Change of ρ",
    "rho_within": "ρ within",
    "rmse": "RMSE (log)",
    "sampled": "NUTS",
    "scheme": "Scheme",
    "set": "Set",
    "share": "Share",
    "sigma_cond": "Conditional SD",
    "sign_agreement": "Same side of 1",
    "slope": "Slope",
    "slope_change": "Change of slope",
    "slope_high": "Slope 95% high",
    "slope_low": "Slope 95% low",
    "slope_sign": "Slope by its interval",
    "source": "Source",
    "status": "Status",
    "ste_prediction": "STE (HR)",
    "ste_prediction_change": "Change of STE",
    "ste_prediction_status": "STE status",
    "summary": "Summary",
    "target": "Target",
    "trials": "Trials",
    "value": "Value",
    "variable": "Quantity",
    "variance": "Variance",
    "variance_covariance": "… covariance",
    "variance_parameters": "… parameters",
    "variance_residual": "… residual",
    "variance_sampling": "… sampling",
    "variance_sigma_cond": "… sigma_cond",
    "variance_surrogate_error": "… surrogate",
    "varied": "Varied",
    "weight": "Weight",
    "why": "Why not",
    "words": "In words",
}


def weights_in_words(weights: Weights, effects: Effects) -> str:
    """Return the weights in words, with the name of the final endpoint of the set."""
    return WORDS[weights].format(final=final_name(effects))


def estimate_labels(final: str) -> dict[str, str]:
    """Return the labels of all estimates, with the name of the final endpoint."""
    return {name: label.replace("{final}", final) for name, label in ESTIMATES.items()}


def estimate_label(name: str, final: str) -> str:
    """Return the label of an estimate; its name where it has none."""
    label = ESTIMATES.get(name.removesuffix("_delta"), name).replace("{final}", final)
    return f"{label}, delta method" if name.endswith("_delta") else label


def model_label(name: str) -> str:
    """Return the name of a model for running text: ``bivariate reml``."""
    return name.replace("-", " ")


def choice_heading(name: str) -> str:
    """Return the label of a choice as a heading; a Greek letter, which is a symbol, stays small."""
    label = CHOICES[name]
    return label.capitalize() if label[0].isascii() else label
