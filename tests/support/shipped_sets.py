"""Names of shipped analysis sets, from 6 to all comparisons."""

SHIPPED_SETS = (
    "tactics-2022",
    "llovet-2019-pfs",
    "llovet-2019-ttp",
    "intermediate",
    "advanced",
    "advanced-first-line",
    "advanced-second-line",
    "advanced-immunotherapy",
    "all",
)
