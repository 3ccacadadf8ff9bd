"""Headless Chromium: open a page with a script of the test, and return what the script and the browser observed."""

import html
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # the services of the browser are not reached either
    "--no-first-run",
    "--hide-scrollbars",
    "--virtual-time-budget=20000",
)
OUTCOME = re.compile(r'<pre id="outcome">(.*?)</pre>', re.DOTALL)
NOT_A_PAGE = "not an origin"
SCRIPT = """
<script>{library}</script>
<script>
addEventListener("error", (event) => {{ window.failure = event.message; }});
(async () => {{
  let outcome;
  try {{ outcome = await (async () => {{ {body} }})(); }} catch (error) {{ outcome = {{ failure: String(error) }}; }}
  const pre = document.createElement("pre");
  pre.id = "outcome";
  pre.textContent = JSON.stringify(outcome);
  document.body.append(pre);
}})();
</script>
"""


@dataclass(frozen=True)
class Visit:
    """What the script returned, the lines of the console, and the addresses that were requested."""

    outcome: dict
    console: list
    requests: list


def chromium():
    """Return the path of the browser; without it skip the test, or fail in continuous integration."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        report = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        report("Chromium is not installed")
    return path


def visit(page: Path, folder: Path, body: str, *, library="", width=1280, height=900, dark=False):
    """Open a copy of a page, run the body of an asynchronous function in it, and return what happened."""
    browser, copy, log = chromium(), folder / f"copy-{page.name}", folder / "network.json"
    copy.write_text(page.read_text(encoding="utf-8") + SCRIPT.format(library=library, body=body), encoding="utf-8")
    options = [*OPTIONS, f"--window-size={width},{height}", f"--user-data-dir={folder / 'profile'}"]
    options += ["--blink-settings=preferredColorScheme=0"] if dark else []
    dumped = subprocess.run(
        [browser, *options, f"--log-net-log={log}", "--enable-logging=stderr", "--dump-dom", copy.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    outcome = OUTCOME.search(dumped.stdout)
    assert outcome is not None, dumped.stderr[-2000:]
    console = [line for line in dumped.stderr.splitlines() if "CONSOLE" in line]
    return Visit(json.loads(html.unescape(outcome[1])), console, _requests(log, copy))


def _requests(log, page):
    """Addresses that pages requested; the services of the browser itself have no page as initiator."""
    starts = [event.get("params", {}) for event in json.loads(log.read_text(encoding="utf-8"))["events"]]
    by_pages = {start["url"] for start in starts if "url" in start and start.get("initiator", NOT_A_PAGE) != NOT_A_PAGE}
    return sorted(address for address in by_pages if not address.startswith(("data:", page.as_uri())))
