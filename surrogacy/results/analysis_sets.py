"""Labels and descriptions of the analysis sets that come with the package, for screen, help and codebook."""

SET_DESCRIPTIONS = {
    "tactics-2022": "The six comparisons of the TACTICS final report, with its hazard ratios",
    "tactics-2022-ttup": "As tactics-2022, SPACE by TTUP and BRISK-TA by time to disease progression",
    "tactics-2022-updated": "As tactics-2022, with the updated TACTICS hazard ratio",
    "llovet-2019-pfs": "The 16 comparisons with PFS of Llovet 2019, as tabulated there",
    "llovet-2019-ttp": "The 16 comparisons with TTP of Llovet 2019, as tabulated there",
    "intermediate": "Every comparison in intermediate-stage disease",
    "advanced": "Every comparison in advanced disease",
    "advanced-first-line": "Advanced disease, first line",
    "advanced-second-line": "Advanced disease, second line",
    "advanced-immunotherapy": "Advanced disease, with an immune checkpoint inhibitor",
    "all": "Every comparison, whatever the stage",
}
SET_LABELS = {
    "tactics-2022": "TACTICS 2022",
    "tactics-2022-ttup": "TACTICS 2022, TTUP",
    "tactics-2022-updated": "TACTICS 2022, updated HR",
    "llovet-2019-pfs": "Llovet 2019",
    "llovet-2019-ttp": "Llovet 2019, TTP",
    "intermediate": "Intermediate stage",
    "advanced": "Advanced disease",
    "advanced-first-line": "Advanced, first line",
    "advanced-second-line": "Advanced, second line",
    "advanced-immunotherapy": "Advanced, immunotherapy",
    "all": "All comparisons",
}


def set_label(name: str) -> str:
    """Return the label of an analysis set; its name if it does not come with the package."""
    return SET_LABELS.get(name, name)
