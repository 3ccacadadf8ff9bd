"""LibreOffice as the program that lays out Word documents."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

WORD = re.compile(r'<word xMin="([\d.]+)" yMin="[\d.]+" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)</word>')
PAGE = re.compile(r'<page width="([\d.]+)" height="([\d.]+)">(.*?)</page>', re.DOTALL)
POINTS = 72 / 25.4  # in a millimetre


@dataclass(frozen=True)
class PrintedPage:
    """Page of a document: its sides and the box around its words in mm, and the words."""

    width: float
    height: float
    left: float
    right: float
    bottom: float
    words: tuple[str, ...]


def office():
    """Return the path of LibreOffice with its writer; without it skip the test, or fail in continuous integration."""
    path = shutil.which("soffice")
    if path is None or not (Path(path).resolve().parent / "libswlo.so").exists() or shutil.which("pdftotext") is None:
        report = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        report("LibreOffice Writer or pdftotext is not installed")
    return path


def printed_pages(document: Path, folder: Path) -> list[PrintedPage]:
    """Return the pages of a Word document."""
    profile = f"-env:UserInstallation=file://{folder / 'profile'}"
    command = [office(), profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder), str(document)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    pdf = folder / document.with_suffix(".pdf").name
    boxes = subprocess.run(["pdftotext", "-bbox", str(pdf), "-"], check=True, capture_output=True, text=True).stdout
    return [_page(*match.groups()) for match in PAGE.finditer(boxes)]


def _page(width, height, content):
    words = WORD.findall(content)
    lefts, rights, bottoms = (tuple(float(word[i]) / POINTS for word in words) for i in range(3))
    return PrintedPage(
        float(width) / POINTS,
        float(height) / POINTS,
        min(lefts),
        max(rights),
        max(bottoms),
        tuple(word[3] for word in words),
    )
