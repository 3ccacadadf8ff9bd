"""Codebook, data package and checksums of the tables, generated from `surrogacy.trials.columns`.

Run ``python -m surrogacy.trials.codebook`` after editing data/trials/ or the columns.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from surrogacy.results.analysis_sets import SET_DESCRIPTIONS
from surrogacy.trials.columns import OPTIONAL_EFFECTS, OPTIONAL_TABLES, PAIR_SET, RULE_SET, TABLES, Column
from surrogacy.trials.curated_tables import shipped_tables
from surrogacy.trials.trial_set import DATA_VERSION

TITLES = {
    "trials": "Comparisons: one row per experimental arm against a control arm",
    "effects": "Hazard ratios: one row per hazard ratio as printed in one source",
    "arms": "Arms: medians and later therapy, one row per arm as printed in one source",
    "at_risk": "Numbers at risk: one row per time under the survival curves of a comparison",
}
PRIMARY_KEYS = {"trials": ["comparison"], "effects": ["effect_id"], "at_risk": ["comparison", "endpoint", "months"]}
RULES = {
    "E006": "one row per comparison, endpoint and time in at_risk.csv",
    "E008": "counts are whole numbers, 0 or more",
    "E117": "follow_up_low and follow_up_high are both given, not negative and in order; the longest is above 0",
    "E118": (
        "the sum of progressions and deaths_without_progression is at most n_exp + n_ctl; an arm has at most as many "
        "events as patients"
    ),
    "E119": "numbers at risk do not exceed n_exp and n_ctl and never increase; their times are not negative",
    "E108": "one preferred row per arm in arms.csv",
    "E120": ("a median is above 0 and within its limits, which are in order and not negative; NR exceeds any number"),
    "E130": "an arm has at least one patient",
    "E131": "comparisons with one control arm have standard errors and correlations that allow a joint covariance",
    "W131": ("a standard error is at least sqrt(1 / n_exp + 1 / n_ctl): a smaller one needs more events than patients"),
    "W109": "an arm of an analysis has at most the patients of the comparison",
    "W155": (
        "the quotation of a hazard ratio contains it: the same value (0.62, .62, 0,62 or 0·62), a value with more "
        "decimals that rounds to it, or the inverse of a ratio printed as control over experimental"
    ),
    "W132": "a median is at most 240 months, a median OS at least 2 months",
    "E121": (
        "median OS is above median PFS and median TACE-PFS of the same arm (W122, a warning, for TTP, which censors "
        "deaths)"
    ),
}
OWN_TABLES = """A table given with `--add` or `--pairs` is wide (one row per comparison: `hr_pfs ... hr_os ...`) or
long (one row per hazard ratio, with a column `endpoint`). A heading is accepted only if all of its words are
understood: endpoint (OS, PFS, TTP, DFS, RFS, EFS, FFS ...), quantity, arm, limit and confidence level, in any order,
such as `PFS HR (95% CI)`, `os_ci_lower` or `Hazard Ratio (OS)`. Other columns are ignored with a warning. Two columns
with the same meaning are an error. In a wide table, the numbers of patients, `rho_within`, `ci_level`, `p_sides`,
`stage` and `class` may be given once for both endpoints; the headings of all other numbers name the endpoint. A
confidence level in a cell or heading is used; a contradiction with `ci_level` is an error. Standard errors, limits,
p-values, logarithms and events that contradict each other beyond rounding are warnings (W104, W105, W124 to W128).
Facts about a comparison may be given in any of its rows (W129 if rows contradict each other). `n` alone is split into
two arms of equal size. `--check` prints the interpretation of each column."""
OWN_MEDIANS = """A table given with `--add` or `--pairs` may have medians of each arm in months, `NR` if not
reached: `median_pfs_ctl`, `median_pfs_exp`, `median_os_ctl`, `median_os_exp`, their limits as `median_os_ctl_low`,
`median_os_ctl_high` (or all three in one cell, `30.8 (23.5-40.8)`), and `median_pps_ctl`, `median_pps_exp` with
`pps_definition` (default `reported`). `median_ttp_ctl`, `median_tace_pfs_ctl`, `mos_ctl`, `mpfs_exp_low` and
`median_os_control` are also understood; a median PFS is assumed to be of the endpoint of the hazard ratio. A long table
may instead have `median_ctl`, `median_exp_low` ... for the endpoint of the row. They become rows of arms.csv for the
run. If a comparison is already in the tables, its medians are kept (W109), and missing ones are added. With both hazard
ratios, `n_ctl`, `n_exp` and these medians, `python -m surrogacy.pps --add FILE --focus TRIAL` decomposes the trial;
`progressions`, `deaths_without_progression`, `follow_up_low` and `follow_up_high` replace assumptions."""
SCOPE = """A set with a rule on trials.csv selects comparisons by the design of the trial, never by its results:

1. Allocation: the patients of both arms were allocated at random in one trial. Phase, number of patients, masking and
   year do not matter.
2. Stage: the set `intermediate` contains the trials that enrolled intermediate-stage disease or patients for whom
   chemoembolisation was the treatment, the set `advanced` those that enrolled advanced disease (BCLC C, or no longer
   suitable for locoregional treatment). The definition of the trial decides. Trials that enrolled several stages
   without a main one are `mixed` and belong to `all` only.
3. Control: any treatment (placebo, best supportive care, systemic or locoregional treatment), except by point 4.
4. Locoregional versus locoregional: if both arms receive locoregional treatment (chemoembolisation, embolisation,
   radioembolisation, hepatic arterial infusion, ablation, radiotherapy) and differ only in it, that is in the
   procedure, the material, the dose, or a drug that the procedure delivers or activates, the class is `locoregional`.
   The rules of all sets exclude this class. A systemic drug added to the same locoregional treatment is not of this
   class, nor is a locoregional treatment compared with systemic treatment.
5. Line: `advanced-first-line` and `advanced-second-line` follow the line of systemic treatment. A drug added to
   chemoembolisation alone has the line `tace-combination` and belongs to neither.
6. `advanced-immunotherapy`: the experimental arm contains an immune checkpoint inhibitor, whether or not the control
   arm contains one.
7. Hazard ratios: OS, and PFS, else TACE-PFS, else TTP, in all randomised patients or the main analysis set, with
   limits, an exact p-value or numbers of events, at evidence `secondary` or better. A regional subgroup is never added
   to its trial. A comparison without such a pair stays in the tables, and the flow of the set gives the reason."""
type Json = str | int | bool | Sequence[Json] | Mapping[str, Json]

TITLE = "Hazard ratios of progression endpoints and overall survival in randomised trials of hepatocellular carcinoma"
FRICTIONLESS_TYPES = {
    "text": "string",
    "number": "number",
    "integer": "integer",
    "boolean": "boolean",
    "date": "string",
}


def codebook(version: str = DATA_VERSION) -> str:
    """Return CODEBOOK.md."""
    parts = [
        f"# Codebook of the trial tables, version {version}",
        "Generated from `surrogacy/trials/columns.py`; do not edit. Empty cells mean not reported. Hazard ratios are "
        "experimental over control: below 1 favours the experimental arm. Values are given as printed, because their "
        "decimals show the precision of rounding. Licence: CC BY 4.0.",
    ]
    for name, columns in TABLES.items():
        optional = " This table is optional in a folder of your own." if name in OPTIONAL_TABLES else ""
        parts += [f"## {name}.csv", f"{TITLES[name]}.{optional}", _table(columns)]
    parts += [
        "## Rules for counts, follow-up, medians and quotations",
        "A value that violates an E rule stops the run with file, line, column and remedy; W rules are warnings.",
        "\n".join(
            ["| code | rule |", "| --- | --- |", *(f"| {code} | {text} |" for code, text in sorted(RULES.items()))]
        ),
        "## A table of your own",
        OWN_TABLES.replace("\n", " "),
        "## Medians in a table of your own",
        OWN_MEDIANS.replace("\n", " "),
        "## sets/*.csv",
        "Each file defines an analysis set. It either lists pairs of hazard ratios (a fixed set) or gives a rule on "
        "trials.csv (a set that grows with the tables and uses the preferred rows with sufficient evidence).",
        "### Scope of the sets with a rule",
        SCOPE,
        _table(PAIR_SET),
        _table(RULE_SET),
        "\n".join(
            [
                "| set | comparisons |",
                "| --- | --- |",
                *(f"| `{name}` | {text} |" for name, text in SET_DESCRIPTIONS.items()),
            ]
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _table(columns: tuple[Column, ...]) -> str:
    lines = ["| column | type | required | content |", "| --- | --- | --- | --- |"]
    for column in columns:
        allowed = f" One of: {', '.join(f'`{value}`' for value in column.allowed)}." if column.allowed else ""
        required = "yes" if column.required else ""
        lines.append(f"| `{column.name}` | {column.kind} | {required} | {column.description}.{allowed} |")
    return "\n".join(lines)


def data_package(folder: Path, version: str = DATA_VERSION) -> dict[str, Json]:
    """Return datapackage.json (Data Package version 2) as a dictionary."""
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "surrogacy-hcc-trials",
        "title": TITLE,
        "version": version,
        "licenses": [{"name": "CC-BY-4.0", "path": "https://creativecommons.org/licenses/by/4.0/"}],
        "resources": [
            _resource(folder, name, columns)
            for name, columns in TABLES.items()
            if name not in OPTIONAL_TABLES or (folder / f"{name}.csv").is_file()
        ],
    }


def _resource(folder: Path, name: str, columns: tuple[Column, ...]) -> dict[str, Json]:
    path = folder / f"{name}.csv"
    if name == "effects":
        header = path.read_text(encoding="utf-8-sig").partition("\n")[0]
        columns += tuple(column for column in OPTIONAL_EFFECTS if column.name in re.split(r"\W", header))
    schema: dict[str, Json] = {
        "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
        "fields": [_field(column) for column in columns],
        "missingValues": [""],
    }
    if name in PRIMARY_KEYS:
        schema["primaryKey"] = PRIMARY_KEYS[name]
    if name != "trials":
        reference = {"resource": "trials", "fields": ["comparison"]}
        schema["foreignKeys"] = [{"fields": ["comparison"], "reference": reference}]
    return {
        "name": name,
        "path": path.name,
        "type": "table",
        "title": TITLES[name],
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": path.stat().st_size,
        "hash": f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}",
        "schema": schema,
    }


def _field(column: Column) -> dict[str, Json]:
    constraints: dict[str, Json] = {"required": True} if column.required else {}
    field: dict[str, Json] = {
        "name": column.name,
        "type": FRICTIONLESS_TYPES[column.kind],
        "description": column.description,
    }
    if column.allowed and column.kind == "text":
        constraints["enum"] = list(column.allowed)
    if column.allowed and column.kind == "integer":
        constraints["enum"] = [int(value) for value in column.allowed]
    if column.kind == "date":
        constraints["pattern"] = r"\d{4}(-\d{2}(-\d{2})?)?"
    if column.not_reached:
        field["missingValues"] = ["", "NR"]
    return {**field, "constraints": constraints} if constraints else field


def checksums(folder: Path) -> str:
    """Return SHA256SUMS of every table, set and the bibliography, in the form sha256sum reads."""
    files = sorted([*folder.glob("*.csv"), *folder.glob("*.bib"), *folder.glob("sets/*.csv")])
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n" for path in files
    )


def documents(folder: Path, version: str = DATA_VERSION) -> dict[str, str]:
    """Return every generated file of the folder, by name.

    Parameters
    ----------
    folder : Path
    version : str
        Version of the tables; a copy with further rows has another version than the shipped tables.
    """
    return {
        "CODEBOOK.md": codebook(version),
        "datapackage.json": json.dumps(data_package(folder, version), indent=2, ensure_ascii=False) + "\n",
        "SHA256SUMS": checksums(folder),
    }


if __name__ == "__main__":
    for file_name, text in documents(shipped_tables()).items():
        (shipped_tables() / file_name).write_text(text, encoding="utf-8")
