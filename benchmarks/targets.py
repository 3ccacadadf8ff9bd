"""The benchmarks, the lines of their table and the targets."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

EARLIER = "0.3.0"
Numbers = dict[str, float]


@dataclass(frozen=True)
class Row:
    """Line of the table: a number of this version against one of 0.3.0 or of another program.

    ``theirs`` names the number of the peer if it differs from ``ours``; the ratio is at most ``target``.
    """

    label: str
    ours: str
    target: Fraction | None = None
    theirs: str = ""
    peer: str = EARLIER
    unit: str = "ms"

    def line(self, present: Numbers, earlier: Numbers) -> str:
        """Line in Markdown."""
        theirs = (earlier if self.peer.startswith(EARLIER) else present).get(self.theirs or self.ours)
        if theirs is None:
            return f"| {self.label} | {self.peer} | not installed | | | {shown(self.target)} | |\n"
        ratio = present[self.ours] / theirs
        numbers = f"{theirs:.1f} {self.unit} | {present[self.ours]:.1f} {self.unit} | {shown(ratio)}"
        outcome = "" if self.target is None else "reached" if ratio <= self.target else "**not reached**"
        return f"| {self.label} | {self.peer} | {numbers} | {shown(self.target)} | {outcome} |\n"


@dataclass(frozen=True)
class Benchmark:
    """Script that prints numbers as JSON, its lines of the table, and its options for this version."""

    script: str
    rows: tuple[Row, ...]
    options: tuple[str, ...] = ()
    with_earlier: bool = True


def shown(ratio: float | Fraction | None) -> str:
    """Ratio with two decimals, or 1/n below 0.05."""
    return "" if ratio is None else f"{float(ratio):.2f}" if ratio >= Fraction(1, 20) else f"1/{float(1 / ratio):.0f}"


def exact() -> tuple[Row, ...]:
    single = "simulated, k = 21"
    return (
        Row("Exact fit with all summaries, 21 simulated trials", single, Fraction("0.35")),
        Row("Exact fit, tactics-2022", "tactics-2022", Fraction("0.35")),
        Row("Exact fit, intermediate", "intermediate", Fraction("0.12")),
        Row("Exact fit, llovet-2019-pfs", "llovet-2019-pfs"),
        Row("Exact fit, advanced", "advanced"),
        Row("Exact fits without each of 16 trials", "leave-one-out", Fraction("0.25")),
        Row(
            "Exact fit, per data set of 1,000",
            "data set of 1,000",
            Fraction("0.08"),
            single,
            f"{EARLIER}, one data set",
        ),
    )


def samplers(**targets: Fraction | None) -> tuple[Row, ...]:
    label = "Exact fit with all summaries, 21 simulated trials"
    return tuple(Row(label, "exact", target, peer, peer) for peer, target in targets.items())


def reml(k: int) -> tuple[Row, ...]:
    label, profile = f"REML with profile intervals, {k} trials", f"profile, k = {k}"
    return (
        Row(label, profile, Fraction("0.15")),
        Row(label, profile, Fraction(1), f"metafor, k = {k}", "metafor without them"),
        Row(f"REML with delta intervals, {k} trials", f"delta, k = {k}"),
        Row(f"REML with delta intervals, {k} trials", f"delta, k = {k}", None, f"mixmeta, k = {k}", "mixmeta"),
    )


def run(label: str, target: str) -> tuple[Row, ...]:
    return (
        Row(f"Default run {label}, wall time", "wall", Fraction(target), unit="s"),
        Row(f"Default run {label}, CPU time", "CPU", Fraction(target), unit="s"),
        Row(f"Default run {label}, peak memory", "memory", Fraction(1), unit="MB"),
    )


MODELS = ("--quick", "--model", "weighted-pearson", "weighted-regression", "bivariate-reml", "bivariate-bayes")
BENCHMARKS = {
    "exact": Benchmark("exact_timings.py", exact()),
    "jags": Benchmark("posterior.py", samplers(JAGS=Fraction(1, 120)), with_earlier=False),
    "nuts": Benchmark("posterior.py", samplers(nutpie=None, PyMC=None), ("--nuts",), with_earlier=False),
    "reml": Benchmark("reml.py", tuple(chain.from_iterable(map(reml, (6, 21, 60)))), ("--peers",)),
    "run": Benchmark("default_run.py", run("as shipped", "0.8")),
    "models": Benchmark("default_run.py", run("with the models and files of 0.3.0", "0.5"), MODELS),
}
