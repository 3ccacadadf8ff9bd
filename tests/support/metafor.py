"""Bivariate model of metafor on exported files, where R has the package."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

PRINT = (
    'source("{script}", echo = FALSE); cat("\\nRESULT", sprintf("%.15g", c(coef(fit), fit$se, sqrt(fit$tau2), fit$rho, '
    "logLik(fit))))"
)


@cache
def has_metafor() -> bool:
    """Return whether Rscript is installed with metafor."""
    program = shutil.which("Rscript")
    return (
        program is not None
        and not subprocess.run([program, "-e", "library(metafor)"], capture_output=True, check=False).returncode
    )


def run_script(script: Path) -> dict[str, list[float]]:
    """Run an exported script, and return means, their standard errors, SDs, correlation and log likelihood."""
    result = subprocess.run(
        ["Rscript", "-e", PRINT.format(script=script.name)],
        cwd=script.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    values = list(map(float, result.stdout.rpartition("RESULT")[2].split()))
    names = ("mu", "se", "tau", "rho", "loglik")
    return dict(zip(names, (values[:2], values[2:4], values[4:6], values[6:7], values[7:8]), strict=True))
