"""Last line of the screen: what to open first, and the material for a paper."""

import pytest

from surrogacy.cli.run import files_line
from surrogacy.cli.terminal import show

ALWAYS = ("results.json", "run.json", "tables/a.csv", "figures/a.svg")
PAPER = ("report.html", "tables.docx", "methods.docx", "references.md")


@pytest.mark.parametrize(
    ("files", "line"),
    [
        ((*ALWAYS, *PAPER), "open out/report.html; for a paper: tables.docx, methods.docx, references.md, figures/"),
        ((*ALWAYS, "report.html"), "open out/report.html; also results.json, tables/, figures/, run.json"),
        ((*ALWAYS, "bundle.zip"), "out/: results.json, tables/, figures/, bundle.zip, run.json"),
    ],
)
def test_the_line_names_what_the_run_wrote(files, line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for file in files:
        (tmp_path / "out" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / file).touch()
    (out,) = tmp_path.iterdir()
    assert files_line(out.relative_to(tmp_path)) == line
    show([], line, details=False)
    shown = capsys.readouterr().out.splitlines()[-1]
    assert shown == f"Files      {line}"
    assert len(shown) <= 100
