"""Files of a figure: PDF and SVG written together equal those that matplotlib writes one by one."""

import re

import numpy as np
import pytest

from surrogacy.figures._style import style
from surrogacy.figures.bubble import plot_bubble
from surrogacy.figures.forest import plot_forest
from surrogacy.figures.posterior import plot_posterior
from surrogacy.figures.saving import WITHOUT_DATES, save
from surrogacy.models import BivariateBayes, WeightedRegression
from surrogacy.output.page_style import DEFAULT_PAGE
from tests.support.pinned_tables import pinned_trials

NUMBER = re.compile(r"-?\d+\.?\d*")
LENGTHS_OF_TEXT = 0.15  # points: the two formats of matplotlib round the widths of texts differently


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "plot"),
    [(WeightedRegression, plot_bubble), (WeightedRegression, plot_forest), (BivariateBayes, plot_posterior)],
)
def test_pdf_and_svg_together_are_those_of_matplotlib(model, plot, tmp_path):
    with style(DEFAULT_PAGE):
        axes = plot(model().fit(pinned_trials().analysis_set("tactics-2022")))
        figure = (axes[0] if isinstance(axes, tuple) else axes).figure
        save(figure, tmp_path / "together", ("pdf", "svg"))
        for ending in ("pdf", "svg"):
            figure.savefig(tmp_path / f"apart.{ending}", metadata=WITHOUT_DATES[ending], dpi="figure")
    pdf, svg = (
        [(tmp_path / f"{name}.{ending}").read_bytes() for name in ("together", "apart")] for ending in ("pdf", "svg")
    )
    assert pdf[0] == pdf[1]
    texts = [file.decode() for file in svg]
    assert NUMBER.sub("#", texts[0]) == NUMBER.sub("#", texts[1])
    together, apart = (np.array(NUMBER.findall(text), float) for text in texts)
    assert np.abs(together - apart).max() < LENGTHS_OF_TEXT
