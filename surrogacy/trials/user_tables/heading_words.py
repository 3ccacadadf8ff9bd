"""Vocabulary of headings: the words and phrases for endpoints, quantities, limits and arms, in lower case."""

from __future__ import annotations

import re
from collections.abc import Mapping

from surrogacy.trials.cells import squash
from surrogacy.trials.columns import EFFECTS, ENDPOINTS, OPTIONAL_EFFECTS, TRIALS, words


def _phrases(entries: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Split the phrases of each entry."""
    return {meaning: words(text, ", ") for meaning, text in entries.items()}


ENDPOINT_WORDS = _phrases(
    {
        "OS": "os, overall survival",
        "PFS": "pfs, progression free survival",
        "TACE-PFS": "tace pfs, tace specific pfs",
        "TTP": "ttp, time to progression, time to tumour progression, time to tumor progression",
        "TTUP": "ttup, time to untaceable progression",
        "TTDP": "ttdp, time to disease progression",
        "DFS": "dfs, disease free survival",
        "RFS": "rfs, relapse free survival, recurrence free survival",
        "EFS": "efs, event free survival",
        "FFS": "ffs, failure free survival",
        "TTF": "ttf, time to treatment failure",
        "DMFS": "dmfs, distant metastasis free survival",
        "MFS": "mfs, metastasis free survival",
        "LRFS": "lrfs",
        "CSS": "css, cancer specific survival",
        "DSS": "dss, disease specific survival",
        "PFS2": "pfs2",
        "ORR": "orr, objective response rate",
        "DCR": "dcr, disease control rate",
        "PCR": "pcr, pathological complete response",
        "surrogate": "surrogate, surr, surrogate endpoint, surrogate outcome",
        "final": "final, true, final endpoint, final outcome, true endpoint",
    }
)
KNOWN_ENDPOINTS = {
    **{squash(phrase): endpoint for endpoint, phrases in ENDPOINT_WORDS.items() for phrase in phrases},
    **{squash(endpoint): endpoint for endpoint in ENDPOINTS},
}
PPS_WORDS = ("pps", "post progression survival")
QUANTITY_WORDS = _phrases(
    {
        "hr": "hr, hazard ratio, hazard ratios",
        "se": "se, sei, sete, giv se, std err, stderr, std error, standard error",
        "variance": "vi, var, variance",
        "p": "p, p value, pval, log rank p, log rank p value, stratified log rank p, stratified log rank p value",
        "p_sides": "p sides, sides",
        "events": "events, event, number of events, no of events, cases",
        "estimate": "estimate",
        "n": (
            "n, ni, patients, patients n, n patients, number of patients, no of patients, participants, sample size, "
            "total, total n, n total"
        ),
        "level": "level",
        "alpha": "alpha, significance level",
        "rho_within": "rho, rho within, within, corr, cor, correlation, within trial correlation",
        "median": "median, med",
    }
)
BOUND_WORDS = _phrases(
    {
        "low": "low, lower, lo, ci start, l, ll, lcl, lci, lb, lower limit, lower bound, low limit, lower ci",
        "high": "high, upper, up, ci end, u, hi, ul, hl, ucl, uci, ub, upper limit, upper bound, high limit",
    }
)
INTERVAL_WORDS = words(
    "ci, confidence interval, conf interval, confidence limits, confidence limit, confidence, conf, limit", ", "
)
ARM_WORDS = _phrases(
    {
        "exp": "exp, experimental, treatment, treated, trt, intervention, active, experimental arm, treatment arm",
        "ctl": "ctl, control, ctrl, comparator, placebo, control arm",
    }
)
# letters that name an arm of a count or a median, and a role of an effect
LETTERS: Mapping[str, tuple[str, str]] = {
    "e": ("exp", ""),
    "c": ("ctl", ""),
    "t": ("exp", "final"),
    "s": ("", "surrogate"),
}
# words of other programs that combine several words of this vocabulary
COMPOUND_WORDS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "yi": (("quantity", "hr"), ("log", "")),
    "te": (("quantity", "hr"), ("log", "")),
    "giv mean": (("quantity", "hr"), ("log", "")),
    "deaths": (("quantity", "events"), ("endpoint", "OS")),
    "number of deaths": (("quantity", "events"), ("endpoint", "OS")),
    "no of deaths": (("quantity", "events"), ("endpoint", "OS")),
    "n1i": (("quantity", "n"), ("arm", "exp")),
    "n2i": (("quantity", "n"), ("arm", "ctl")),
    "n1": (("quantity", "n"), ("arm", "exp")),
    "n2": (("quantity", "n"), ("arm", "ctl")),
    "ne": (("quantity", "n"), ("arm", "exp")),
    "nc": (("quantity", "n"), ("arm", "ctl")),
    "ai": (("quantity", "events"), ("arm", "exp")),
    **{
        f"m{name.lower()}": (("quantity", "median"), ("endpoint", name))
        for name in ("OS", "PFS", "TTP", "PPS", "DFS", "RFS")
    },
}
COLUMN_WORDS = _phrases(
    {
        "trial": (
            "trial, study, studlab, slab, author, trial id, study id, acronym, study label, trial name, study name, "
            "trial label, first author, author year, study or subgroup, reference"
        ),
        "comparison": "comparison, comparison id",
        "endpoint": "endpoint, outcome, type, endpoint name, outcome name, analysis name",
        "year": "study year, publication year, year of publication",
        "stage": "bclc, bclc stage, disease stage, tumour stage, tumor stage, stage of disease",
        "line": "line of therapy, line of treatment, treatment line, therapy line",
        "class": "drug class, treatment class, class of treatment",
        "experimental": "experimental treatment",
        "control": "control treatment",
        "surrogate": "surrogate, surrogate endpoint, surrogate outcome",
        "final": "final, final endpoint, final outcome, true endpoint",
        "registry": "registry, nct, nct id, nct number, registration, registry number, registration number",
        "pps_definition": "pps definition",
    }
)
EFFECT_MEASURE = "name of the effect measure"
# columns of other programs that the models do not need, squashed, and their content
PROGRAM_COLUMNS: Mapping[str, str] = {
    **dict.fromkeys(("z", "zi", "zval", "zvalue", "statistic", "teststatistic"), "test statistic"),
    **dict.fromkeys(("df", "dof"), "degrees of freedom"),
    **dict.fromkeys(("wfixed", "wcommon", "wrandom", "weight", "weights", "weightfixed", "weightrandom"), "weight"),
    **dict.fromkeys(("sm", "measure", "effectmeasure"), EFFECT_MEASURE),
    **dict.fromkeys(("analysisgroup", "analysisnumber", "subgroupnumber"), "number of an analysis"),
    "footnotes": "footnotes",
    "oe": "observed minus expected events",
}
# columns that are ignored if another column names the trial or the endpoint
SECONDARY_WORDS = {"author", "trialid", "studyid", "acronym", "firstauthor", "authoryear", "reference", "type"}
FILLERS = words("of for the in with and value arm months month mo estimate iv random fixed")
ONLY_ALONE = frozenset(words("te yi vi ai ni in of up mo no med var cor limit true month within the arm"))

# quantities for which one value can be valid for both endpoints of a comparison
SHARED_QUANTITIES = {"n", "n_exp", "n_ctl", "rho_within", "ci_level", "p_sides"}
ENDPOINT_QUANTITIES = frozenset(
    words("hr log_hr estimate se variance p ci_low ci_high log_ci_low log_ci_high interval events_exp events_ctl")
)
TRIAL_COLUMNS = {column.name for column in TRIALS}
EFFECT_COLUMNS = {column.name for column in (*EFFECTS, *OPTIONAL_EFFECTS)}

MEANINGS = {
    "hr": "hazard ratio",
    "estimate": "hazard ratio or its logarithm",
    "log_hr": "log hazard ratio",
    "se": "standard error of the log hazard ratio",
    "variance": "variance of the log hazard ratio",
    "se_hr": "standard error of the hazard ratio or of its logarithm",
    "variance_hr": "variance of the hazard ratio or of its logarithm",
    "alpha": "significance level",
    "p": "p-value",
    "ci_low": "lower confidence limit",
    "ci_high": "upper confidence limit",
    "log_ci_low": "lower confidence limit of the log hazard ratio",
    "log_ci_high": "upper confidence limit of the log hazard ratio",
    "interval": "confidence limits",
    "events_exp": "events in the experimental arm",
    "events_ctl": "events in the control arm",
    "n": "patients, both arms together",
    "n_exp": "patients in the experimental arm",
    "n_ctl": "patients in the control arm",
    "ci_level": "confidence level",
    "p_sides": "sides of the p-value",
    "rho_within": "within-trial correlation",
    "median": "median survival time",
    "trial": "trial",
    "comparison": "comparison",
    "endpoint": "endpoint of the row",
    "surrogate": "name of the surrogate endpoint",
    "final": "name of the final endpoint",
}


def endpoint_name(text: str) -> str:
    """Return an endpoint in the spelling of the tables; an unknown name is kept as written.

    Examples
    --------
    >>> endpoint_name("Overall survival (OS)"), endpoint_name("PFS (central)")
    ('OS', 'PFS (central)')
    """
    parts = re.fullmatch(r"([^()]+)\(([^()]+)\)", text.strip())
    names = {KNOWN_ENDPOINTS.get(squash(part), "") for part in (parts.groups() if parts else (text,))}
    (name, *others) = names
    return text.strip() if others or not name else name
