"""Run every analysis of this folder, write docs/published-claims.md from what they print, and save their figures in
out/analyses/.
"""

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
    """Docstring, output and figure of one script."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        found = runpy.run_path(str(HERE / f"{name}.py"))
    return " ".join(found["__doc__"].split()), printed.getvalue(), found.get("figure")


def page(sections: dict[str, tuple[str, str]]) -> str:
    """The page: published -> ours, a section a script."""
    parts = [
        "# Published claims, re-run\n\nEvery line reads `published -> ours`. Made by `python "
        "analyses/published_claims.py`; a test holds it equal to "
        "what the scripts print.\n"
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
