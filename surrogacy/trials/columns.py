"""Columns of the trial tables: the one source of the checks, the codebook and the data package."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal


def words(text: str, separator: str | None = None) -> tuple[str, ...]:
    """Split a list of words, at blanks unless another separator is given."""
    return tuple(text.split(separator))


Kind = Literal["text", "number", "integer", "boolean", "date"]

PATTERNS = {
    # [0-9], because \d matches digits of other scripts, which the data frame cannot convert
    "number": r"[-+]?([0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][-+]?[0-9]{1,2})?",
    "integer": r"[0-9]{1,9}(\.00?)?",
    "boolean": r"true|false",
    "date": r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?",
}
NOT_REACHED = "NR"
EVIDENCE = ("primary", "secondary", "unverified")
VERIFIED = EVIDENCE[:2]
# accepted in a user's table
EVIDENCE_ALIASES = {"memory": "unverified", "read-primary": "primary", "read-secondary": "secondary"}
STAGES = ("intermediate", "advanced", "mixed")
LINES = ("first", "second", "tace-combination")
CLASSES = words(
    "tace-combination antiangiogenic-tki antiangiogenic-mab ici ici+antiangiogenic ici+ici chemo haic sirt "
    "locoregional other"
)
ENDPOINTS = words("OS PFS TACE-PFS TTP TTUP TTDP TTFS TFST symptomatic-PFS TTES/VI TTP-MVI/EHS TTP-MVI TTP-EHS")
SURROGATES = ("PFS", "TACE-PFS", "TTP")  # in order of preference
FINALS = ("OS",)
REVIEWS = ("central", "investigator", "NR")
ADJUSTMENTS = ("unstratified", "stratified", "adjusted", "NR")
PPS_DEFINITIONS = ("reported", "median-difference", "model", "area")


@dataclass(frozen=True)
class Column:
    """Column of a table.

    Parameters
    ----------
    name : str
    description : str
        Content, with its unit.
    kind : {"text", "number", "integer", "boolean", "date"}
    required : bool
        Whether every row must have a value.
    allowed : tuple of str
        Permitted values; empty = any.
    not_reached : bool
        Whether ``NR`` (not reached) is allowed instead of a number.
    """

    name: str
    description: str
    kind: Kind = "text"
    required: bool = False
    allowed: tuple[str, ...] = ()
    not_reached: bool = False


def is_valid(column: Column, text: str) -> bool:
    """Return whether a text is valid in a column."""
    if column.allowed and text not in column.allowed:
        return False
    return column.kind not in PATTERNS or re.fullmatch(PATTERNS[column.kind], text) is not None


TRIALS = (
    Column("comparison", "Identifier of the comparison: one experimental arm against one control arm", required=True),
    Column("trial", "Identifier of the trial; comparisons of one trial share it", required=True),
    Column("label", "Short name for figures", required=True),
    Column("registry", "Registry number (ClinicalTrials.gov, ISRCTN, ...)"),
    Column("phase", "Phase of the trial", allowed=("2", "2/3", "3")),
    Column("year", "Year of the main publication", kind="integer"),
    Column("stage", "Stage of disease that the trial enrolled", required=True, allowed=STAGES),
    Column("line", "Line of therapy", allowed=LINES),
    Column(
        "class",
        "Class of the experimental treatment; locoregional = the arms differ only in a locoregional treatment",
        allowed=CLASSES,
    ),
    Column("experimental", "Experimental treatment"),
    Column("control", "Control treatment"),
    Column(
        "control_group",
        "Name of the control arm where comparisons of one trial share it; empty = not shared. The same name in "
        "two trials means two arms",
    ),
    Column("n_exp", "Patients in the experimental arm, as analysed", kind="integer"),
    Column("n_ctl", "Patients in the control arm, as analysed", kind="integer"),
    Column("masking", "Blinding", allowed=("double-blind", "open-label")),
    Column("region", "Where patients were enrolled", allowed=("asia", "west", "global")),
    Column("countries", "Countries or sites as printed"),
    Column("crossover", "Crossover to the experimental treatment, as far as read"),
    Column("population", "Patients"),
    Column(
        "progressions",
        "Progressions that are events of the trial's progression endpoint, both arms together",
        kind="integer",
    ),
    Column(
        "deaths_without_progression",
        "Deaths without progression that are events of that endpoint, both arms together",
        kind="integer",
    ),
    Column(
        "follow_up_low",
        "Potential follow-up of the last patient randomised, months: data cut minus last randomisation",
        kind="number",
    ),
    Column(
        "follow_up_high",
        "Potential follow-up of the first patient randomised, months: data cut minus first randomisation. Both for "
        "the data cut of the preferred OS hazard ratio; whole months if the source prints no days",
        kind="number",
    ),
    Column("follow_up_source", "BibTeX key and place in the source of these counts and months, with a short quotation"),
    Column("follow_up_evidence", "Evidence of these counts and months, as in effects.csv", allowed=EVIDENCE),
    Column("source", "BibTeX key of the main publication, in sources.bib"),
    Column("notes", "Further remarks"),
)

EFFECTS = (
    Column("effect_id", "Stable identifier, comparison:endpoint:analysis", required=True),
    Column("comparison", "Comparison, as in trials.csv", required=True),
    Column("endpoint", "Endpoint", required=True, allowed=ENDPOINTS),
    Column("population", "Patients analysed: all = all randomised or the paper's main analysis set", required=True),
    Column("analysis", "Analysis as the source names it", required=True),
    Column("data_cut", "Data cut (YYYY-MM-DD, YYYY-MM or YYYY)", kind="date"),
    Column("preferred", "Whether this row is used for its comparison and endpoint", kind="boolean", required=True),
    Column("preferred_reason", "Reason for the preference among the rows of the comparison and endpoint"),
    Column(
        "hr", "Hazard ratio as printed, experimental over control; below 1 favours the experimental arm", kind="number"
    ),
    Column("ci_low", "Lower confidence limit as printed", kind="number"),
    Column("ci_high", "Upper confidence limit as printed", kind="number"),
    Column("ci_level", "Level of the interval, 0 to 1", kind="number"),
    Column("p", "p-value as printed; < marks an upper bound, from which no standard error is derived"),
    Column("p_sides", "1 = one-sided, 2 = two-sided", kind="integer", allowed=("1", "2")),
    Column("events_exp", "Events in the experimental arm", kind="integer"),
    Column("events_ctl", "Events in the control arm", kind="integer"),
    Column(
        "n_exp",
        "Patients in the experimental arm of this analysis, if they differ from those in trials.csv",
        kind="integer",
    ),
    Column(
        "n_ctl", "Patients in the control arm of this analysis, if they differ from those in trials.csv", kind="integer"
    ),
    Column("adjusted", "Adjustment of the hazard ratio; NR = not read", allowed=ADJUSTMENTS),
    Column("criteria", "Response criteria of a progression endpoint; NR = not read"),
    Column("review", "Who assessed progression; NR = not read", allowed=REVIEWS),
    Column("source", "BibTeX key of the publication of the number"),
    Column("doi", "DOI of that publication"),
    Column("pmid", "PubMed number of that publication"),
    Column("read_in", "BibTeX key of the source that was read; empty = none was read"),
    Column("where", "Place in that source"),
    Column(
        "quote",
        "Short quotation as evidence, which contains the hazard ratio (W155); empty = no quotation was kept, as the "
        "notes state, or the row is unverified",
    ),
    Column(
        "evidence",
        "primary = read in the paper or abstract of the trial; secondary = read in another source; unverified = not "
        "read in any source",
        required=True,
        allowed=EVIDENCE,
    ),
    Column("extraction", "Extraction rounds that entered or confirmed the row"),
    Column("notes", "Conflicts, corrections and doubts"),
)

ARMS = (
    Column("comparison", "Comparison, as in trials.csv", required=True),
    Column("arm", "exp = experimental, ctl = control", required=True, allowed=("exp", "ctl")),
    Column("label", "Treatment of the arm"),
    Column(
        "preferred",
        "Whether this row is used for its arm; a value that it lacks comes from another verified row of the arm, a "
        "median only from one of the same analysis",
        kind="boolean",
        required=True,
    ),
    Column("n", "Patients in the arm", kind="integer"),
    Column("median_os", "Median overall survival, months; NR = not reached", kind="number", not_reached=True),
    Column("median_os_low", "Lower 95 % limit, months", kind="number", not_reached=True),
    Column("median_os_high", "Upper 95 % limit, months; NR = not reached", kind="number", not_reached=True),
    Column("median_pfs", "Median of the progression endpoint, months", kind="number", not_reached=True),
    Column("median_pfs_low", "Lower 95 % limit, months", kind="number", not_reached=True),
    Column("median_pfs_high", "Upper 95 % limit, months", kind="number", not_reached=True),
    Column("pfs_endpoint", "Progression endpoint of the median", allowed=ENDPOINTS),
    Column("median_pps", "Median post-progression survival as printed, months", kind="number", not_reached=True),
    Column("pps_definition", "Derivation of that post-progression survival", allowed=PPS_DEFINITIONS),
    Column("post_therapy_pct", "Patients with any later therapy, % of the arm", kind="number"),
    Column("post_systemic_pct", "Patients with later systemic therapy, % of the arm", kind="number"),
    Column("orr_pct", "Objective response rate, %", kind="number"),
    Column("quote", "Short quotation as evidence"),
    Column("evidence", "As in effects.csv", required=True, allowed=EVIDENCE),
    Column("extraction", "Extraction rounds"),
    Column("notes", "Conflicts, corrections and doubts"),
)

AT_RISK = (
    Column("comparison", "Comparison, as in trials.csv", required=True),
    Column("endpoint", "Endpoint of the survival curves", required=True, allowed=ENDPOINTS),
    Column("months", "Months since randomisation", kind="number", required=True),
    Column("at_risk_exp", "Patients at risk in the experimental arm", kind="integer", required=True),
    Column("at_risk_ctl", "Patients at risk in the control arm", kind="integer", required=True),
    Column("source", "BibTeX key of the source that was read"),
    Column("where", "Place in that source"),
    Column("quote", "Short quotation as evidence"),
    Column("evidence", "As in effects.csv", required=True, allowed=EVIDENCE),
)

TABLES = {"trials": TRIALS, "effects": EFFECTS, "arms": ARMS, "at_risk": AT_RISK}
OPTIONAL_TABLES = ("at_risk",)  # a user's folder need not contain them

# Columns that only a user's table may have.
OPTIONAL_EFFECTS = (
    Column("se", "Standard error of log HR, if a source prints it instead of limits", kind="number"),
    Column("rho_within", "Within-trial correlation of the two log hazard ratios, if reported", kind="number"),
)

PAIR_SET = (
    Column("surrogate_effect", "effect_id of the surrogate", required=True),
    Column("final_effect", "effect_id of the final endpoint", required=True),
    Column("n_exp", "Patients in the experimental arm as the source tabulated them", kind="integer"),
    Column("n_ctl", "Patients in the control arm as the source tabulated them", kind="integer"),
    Column("note", "Remark"),
)
RULE_SET = (
    Column("column", "Column of trials.csv", required=True),
    Column(
        "value",
        "Required value; rows for one column mean or, rows for different columns mean and. `not` before a value "
        "excludes it",
        required=True,
    ),
)
