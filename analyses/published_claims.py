"""Run the analyses of this folder: output to docs/published-claims.md, figures to out/analyses/."""

import contextlib
import io
import runpy
from pathlib import Path

HERE = Path(__file__).parent
ORDER = (
    "tactics_2022_correlation",
    "llovet_2019",
    "jang_2016",
    "terashima_2018_slope",
    "hr_06_rule",
    "tactics_placement",
    "stage_difference",
    "endpoint_definition",
    "immunotherapy_era",
    "tactics_pps",
    "terashima_2016_coupling",
    "broglio_berry_2009",
)


def run(name: str) -> tuple[str, str, object]:
    """Return docstring, output and figure of a script."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        names = runpy.run_path(str(HERE / f"{name}.py"))
    return " ".join(names["__doc__"].split()), printed.getvalue(), names.get("figure")


def page(sections: dict[str, tuple[str, str]]) -> str:
    """Return the page, one section per script."""
    parts = [
        "# Published claims, recomputed\n\nEvery line gives `published -> recomputed`; lines that begin with `!` are "
        "caveats. `python analyses/published_claims.py` writes this page, and a test compares it with the output of "
        "the scripts.\n"
    ]
    for name, (doc, printed) in sections.items():
        parts.append(f"## {name}\n\n{doc}\n\n```\n{printed}```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    folder = Path("out") / "analyses"
    folder.mkdir(parents=True, exist_ok=True)
    sections = {}
    for name in ORDER:
        doc, printed, figure = run(name)
        sections[name] = (doc, printed)
        if figure is not None:
            figure.savefig(folder / f"{name}.png", dpi=200)
    (HERE.parent / "docs" / "published-claims.md").write_text(page(sections), encoding="utf-8")
