"""Descriptions of the analysis sets that come with the package, for the help and the codebook."""

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
