"""report.html in a browser: no request, names of symbols, tables that sort and copy, sources, and accessibility."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from html import unescape
from importlib import resources

import pytest

from surrogacy.fit import main
from surrogacy.report.bundle import write_bundle
from surrogacy.report.page.drawings import inline_svg
from tests.support.browser import chromium, visit

ARGUMENTS = ["tactics-2022", "--model", "weighted-regression", "bivariate-reml", "--quiet", "--format", "svg"]
COPY = """
let copied = null;
Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => { copied = text; } } });
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    assert main([*ARGUMENTS, "--out", str(out), "--bundle"]) in (0, 4)
    return out


@pytest.fixture(scope="module")
def page(folder):
    chromium()
    return folder / "report.html"


@pytest.mark.slow
def test_no_request_and_no_message_of_the_console(page, tmp_path):
    seen = visit(page, tmp_path, "return { resources: performance.getEntriesByType('resource').length };")
    assert seen.requests == []
    assert seen.console == []
    assert seen.outcome == {"resources": 0}


@pytest.mark.slow
def test_a_request_and_a_message_are_noticed(tmp_path):
    """The observation itself: a page without the policy requests its image, and its message is collected."""
    chromium()
    path = tmp_path / "page.html"
    path.write_text('<!doctype html><title>t</title><img src="http://example.invalid/a.png">', encoding="utf-8")
    seen = visit(
        path, tmp_path, "console.error('wrong'); await new Promise((done) => setTimeout(done, 500)); return {};"
    )
    assert seen.requests == ["http://example.invalid/a.png"]
    assert len(seen.console) == 1
    assert "wrong" in seen.console[0]


@pytest.mark.slow
def test_a_symbol_shows_the_trial_and_both_hazard_ratios(page, tmp_path):
    body = """
    const figure = document.getElementById("figure-bubble-tactics-2022");
    const symbols = [...figure.querySelectorAll(".symbol")];
    const tip = document.getElementById("tip");
    const shown = symbols.map((symbol) => {
      symbol.dispatchEvent(new PointerEvent("pointerenter"));
      return tip.hidden ? null : tip.textContent;
    });
    symbols[0].dispatchEvent(new PointerEvent("pointerleave"));
    const hidden = tip.hidden;
    symbols[0].focus();
    symbols[0].dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
    const second = document.activeElement === symbols[1] && !tip.hidden;
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
    const dialog = document.querySelector(":popover-open");
    return { shown, hidden, second, source: dialog && dialog.textContent };
    """
    outcome = visit(page, tmp_path, body).outcome
    assert len(outcome["shown"]) == 6
    assert "TACTICS\nTACE-PFS HR 0.59 (0.41 to 0.86)\nOS HR 0.86 (0.61 to 1.22)\n156 patients" in outcome["shown"]
    assert outcome["hidden"]
    assert outcome["second"]
    assert "doi:10." in outcome["source"]


@pytest.mark.slow
def test_every_hazard_ratio_has_its_source_one_click_away(page, tmp_path):
    body = """
    const rows = [...document.querySelectorAll("#table-effects tbody tr")];
    return rows.map((row) => {
      row.querySelector("button").click();
      const dialog = document.querySelector(":popover-open");
      return [row.cells[1].textContent, dialog.querySelector("h3").textContent, dialog.innerText];
    });
    """
    opened = visit(page, tmp_path, body).outcome
    assert len(opened) == 6
    assert all(label == title for label, title, _ in opened)
    tactics = next(text for label, _, text in opened if label == "TACTICS")
    for part in ("TACE-PFS: HR 0.59 (95% CI 0.41 to 0.87)", "OS: HR 0.86", "doi:10.", "Evidence: primary"):
        assert part in tactics


@pytest.mark.slow
def test_a_table_sorts_and_copies_as_csv(page, tmp_path):
    body = f"""
    {COPY}
    const table = document.querySelector("#table-effects table");
    const button = table.tHead.rows[0].cells[2].querySelector("button");
    const sizes = () => [...table.tBodies[0].rows].map((row) => row.cells[2].textContent);
    button.click();
    const up = sizes();
    const sorted = table.tHead.rows[0].cells[2].getAttribute("aria-sort");
    button.click();
    const down = sizes();
    document.querySelector("#table-effects .copy").click();
    await new Promise((done) => setTimeout(done));
    return {{ up, down, sorted, copied, status: document.getElementById("status").textContent }};
    """
    outcome = visit(page, tmp_path, body).outcome
    sizes = [float(size.replace(",", "")) for size in outcome["up"]]
    assert sizes == sorted(sizes)
    assert outcome["down"] == outcome["up"][::-1]
    assert outcome["sorted"] == "ascending"
    rows = list(csv.reader(io.StringIO(outcome["copied"])))
    assert rows[0][:3] == ["Set", "Comparison", "n"]
    assert len(rows) == 7
    assert [row[2] for row in rows[1:]] == outcome["down"]
    assert outcome["status"] == "effects.csv copied"


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
def test_no_serious_barrier(page, tmp_path, dark):
    library = (resources.files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    body = """
    const scheme = matchMedia("(prefers-color-scheme: dark)").matches;
    document.querySelectorAll("details").forEach((part) => { part.open = true; });
    const checked = await axe.run(document);
    const dialog = document.querySelector("[popover]");
    dialog.showPopover();
    const opened = await axe.run(dialog);
    const faults = [checked, opened].flatMap((result) => result.violations.map((fault) => [fault.id, fault.impact]));
    return { scheme, faults, passes: checked.passes.map((rule) => rule.id) };
    """
    outcome = visit(page, tmp_path, body, library=library, dark=dark).outcome
    assert outcome["scheme"] is dark
    assert outcome["faults"] == []
    assert {"color-contrast", "button-name", "heading-order"} <= set(outcome["passes"])


@pytest.mark.slow
def test_a_narrow_page_does_not_scroll_sideways(page, tmp_path):
    frame = tmp_path / "frame.html"
    frame.write_text(
        f'<!doctype html><title>t</title><iframe src="{page.as_uri()}" width="400" height="800"></iframe>',
        encoding="utf-8",
    )
    body = """
    const view = document.querySelector("iframe");
    view.srcdoc = PAGE;
    await new Promise((done) => { view.onload = done; });
    return { width: view.contentDocument.documentElement.scrollWidth, inner: view.contentWindow.innerWidth };
    """
    text = json.dumps(page.read_text(encoding="utf-8")).replace("</", "<\\/")
    outcome = visit(frame, tmp_path, f"const PAGE = {text}; {body}").outcome
    assert outcome["inner"] == 400
    assert outcome["width"] <= 400


def test_the_text_of_a_page_without_a_script(folder):
    """Names and hazard ratios are titles of the symbols, which browsers show without a script."""
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert "<title>TACTICS\nTACE-PFS HR 0.59 (0.41 to 0.86)\nOS HR 0.86 (0.61 to 1.22)\n156 patients</title>" in text
    assert text.count('class="symbol"') == 6 + 2 * 6 + 1  # bubble plot, two panels of the forest plot, placement


@pytest.mark.slow
def test_the_same_run_gives_the_same_bytes_with_another_hash_seed_folder_and_number_of_cores(folder, tmp_path):
    out = tmp_path / "a folder with another name"
    core = min(os.sched_getaffinity(0))
    command = [sys.executable, "-m", "surrogacy.fit", *ARGUMENTS, "--out", str(out), "--bundle"]
    environment = {**os.environ, "PYTHONHASHSEED": "20231127"}
    code = subprocess.run(
        command, env=environment, preexec_fn=lambda: os.sched_setaffinity(0, {core}), timeout=300, check=False
    ).returncode
    assert code in (0, 4)
    for name in ("results.json", "report.html", "tables.docx", "bundle.zip"):
        assert (out / name).read_bytes() == (folder / name).read_bytes(), name
    assert _files(out) == _files(folder)


def _files(folder):
    """Every file of a run but the record, which holds the times."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != "run.json")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.slow
def test_a_print_holds_the_rows_of_closed_tables(page, tmp_path):
    body = """
    const closed = () => document.querySelectorAll("details:not([open])").length;
    const before = closed();
    dispatchEvent(new Event("beforeprint"));
    const printed = closed();
    dispatchEvent(new Event("afterprint"));
    return [before, printed, closed()];
    """
    before, printed, after = visit(page, tmp_path, body).outcome
    assert before > 0
    assert printed == 0
    assert after == before


@pytest.mark.slow
def test_a_symbol_can_be_reached_with_the_keyboard_and_the_focus_returns(page, tmp_path):
    body = """
    const symbol = document.querySelector("#figure-forest-tactics-2022 .symbol");
    symbol.focus();
    symbol.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
    const inside = document.activeElement.closest("[popover]") !== null;
    document.activeElement.click();
    return { inside, returned: document.activeElement === symbol };
    """
    assert visit(page, tmp_path, body).outcome == {"inside": True, "returned": True}


def test_every_figure_has_the_alternative_text_of_its_file_and_its_caveats(folder):
    text = (folder / "report.html").read_text(encoding="utf-8")
    labels = dict(
        re.findall(r'<figure id="figure-([^"]*)">\n<div class="scroll picture"><svg [^>]*aria-label="([^"]*)"', text)
    )
    files = {path.name.removesuffix(".alt.txt"): path for path in (folder / "figures").glob("*.alt.txt")}
    assert labels.keys() == files.keys()
    for name, path in files.items():
        assert unescape(labels[name]) == " ".join(path.read_text(encoding="utf-8").split())
    captions = [
        re.findall(r"<p>(.*?)</p>", caption, re.DOTALL)
        for caption in re.findall(r"<figcaption [^>]*>(.*?)</figcaption>", text, re.DOTALL)
    ]
    assert len(captions) == len(files)
    for legend, details, abbreviations in captions:  # a paragraph each
        assert re.match(r"<b>Figure \d+\.</b> ", legend)
        assert re.match(r"\w+, [a-z]", abbreviations)
        assert "Caveat" in details
    assert any("Caveats: unverified: 3 of 12 hazard ratios" in details for _, details, _ in captions)


def test_values_that_are_not_used_and_the_reason_are_shown(folder):
    """The tables hold two cuts of TACTICS: the set uses the primary one, and the updated one is beside it."""
    text = (folder / "report.html").read_text(encoding="utf-8")
    tactics = re.search(r">TACTICS</h3>(.*?)</div>", text, re.DOTALL)[1]
    used, unused = tactics.split("Other values in the tables, not used here")
    assert "TACE-PFS: HR 0.59 (95% CI 0.41 to 0.87)" in used
    assert "TACE-PFS: HR 0.66 (95% CI 0.47 to 0.94)" in unused


def test_the_files_of_the_run_are_linked_and_no_others(folder):
    text = (folder / "report.html").read_text(encoding="utf-8")
    links = set(re.findall(r'href="(?!#|https:)([^"]*)"', text))
    assert {"tables.docx", "methods.md", "references.bib", "checklists.html", "tables", "figures"} <= links
    assert all((folder / link).exists() for link in links)


BAD_TABLE = """trial,n_exp,n_ctl,hr_pfs,ci_low_pfs,ci_high_pfs,hr_os,ci_low_os,ci_high_os,doi,quote
<b>A</b> "x",100,100,0.6,0.45,0.8,0.8,0.6,1.07,javascript:alert(2),"</div><script>alert(3)</script>"
B:exp,120,118,0.7,0.5,0.98,0.9,0.7,1.16,"10.1000/a""b<c>?d#e",
C'é,90,95,0.8,0.6,1.07,1.0,0.75,1.33,doi:10.1/x,
"D & ""E'",90,95,0.9,0.68,1.2,1.02,0.77,1.35,,
"""


@pytest.mark.slow
def test_names_and_sources_of_a_table_cannot_change_the_page(tmp_path):
    (tmp_path / "mine.csv").write_text(BAD_TABLE, encoding="utf-8")
    out = tmp_path / "out"
    (out / "pps").mkdir(parents=True)
    (out / "pps" / "report.html").write_text("of an earlier run", encoding="utf-8")
    arguments = ["--pairs", str(tmp_path / "mine.csv"), "--model", "weighted-regression", "--format", "svg", "--quiet"]
    assert main([*arguments, "--out", str(out)]) in (0, 4)
    text = (out / "report.html").read_text(encoding="utf-8")
    assert "alert(3)</script>" not in text
    assert 'href="javascript:' not in text
    assert 'href="https://doi.org/10.1000/a%22b%3Cc%3E%3Fd%23e"' in text
    assert text.count("https://doi.org/") == 2  # the surrogate and the final effect of B
    assert str(tmp_path) not in text
    assert '<a href="pps/report.html">Report on post-progression survival</a>' in text
    body = """
    const symbols = [...document.querySelectorAll("#figure-bubble-mine .symbol")];
    return symbols.map((symbol) => symbol.dataset.words.split("\\n")[0]).sort();
    """
    seen = visit(out / "report.html", tmp_path, body)
    assert seen.outcome == ['<b>A</b> "x"', "B:exp", "C'é", "D & \"E'"]
    assert seen.console == []


def test_the_folder_of_the_other_command_is_refused(tmp_path, capsys):
    """Its results would be removed."""
    record = '{"program": "surrogacy", "command": "python -m surrogacy.pps", "files": []}'
    (tmp_path / "run.json").write_text(record, encoding="utf-8")
    assert main([*ARGUMENTS, "--out", str(tmp_path)]) == 2
    assert "holds the results of python -m surrogacy.pps" in capsys.readouterr().err
    assert (tmp_path / "run.json").read_text(encoding="utf-8") == record


@pytest.mark.slow
def test_quick_writes_no_report(tmp_path):
    assert main([*ARGUMENTS, "--out", str(tmp_path), "--quick"]) in (0, 4)
    assert not (tmp_path / "report.html").exists()
    assert not list(tmp_path.glob("*.docx"))
    assert (tmp_path / "results.json").exists()


def test_the_bundle_holds_every_file_but_the_record(folder):
    with zipfile.ZipFile(folder / "bundle.zip") as bundle:
        names = set(bundle.namelist())
        assert bundle.read("results.json") == (folder / "results.json").read_bytes()
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files - names == {"run.json", "bundle.zip"}


def test_a_bundle_depends_on_contents_alone(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name / "tables").mkdir(parents=True)
        (tmp_path / name / "tables" / "a.csv").write_text("1\n", encoding="utf-8")
    (tmp_path / "second" / "tables" / "a.csv").touch()
    for name in ("first", "second"):
        write_bundle(tmp_path / name)
    assert (tmp_path / "first" / "bundle.zip").read_bytes() == (tmp_path / "second" / "bundle.zip").read_bytes()


def test_identifiers_of_two_figures_differ_and_names_are_escaped():
    svg = (
        '<?xml version="1.0"?><svg width="90.5pt" height="40pt" viewBox="0 0 90.5 40"><defs><path id="m1" '
        'd="M 1.23456 2 \nL 3 4.56789"/></defs><g id="comparison-a&lt;b"><use xlink:href="#m1"/></g></svg>'
    )
    shown = inline_svg(svg, "figure-x", "Plot of <A>", {"a<b": "A<B\nOS HR 0.8"}, {"a<b": "source-3"})
    assert shown.startswith(
        '<svg style="--width:90.5" viewBox="0 0 90.5 40" role="group" aria-label="Plot of &lt;A&gt;" '
        'aria-describedby="figure-x-caption">'
    )
    assert 'id="figure-x-m1" d="M 1.23 2 L 3 4.56"' in shown
    assert 'href="#figure-x-m1"' in shown
    assert '<g class="symbol" data-source="source-3" role="img" aria-label="A&lt;B; OS HR 0.8">' in shown
    assert "<title>A&lt;B\nOS HR 0.8</title>" in shown
