"""Files of a figure: those that are written together equal those that matplotlib writes one by one."""

import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from surrogacy.figures._style import style
from surrogacy.figures.bubble import plot_bubble
from surrogacy.figures.forest import plot_forest
from surrogacy.figures.posterior import plot_posterior
from surrogacy.figures.saving import PNG_DPI, TOGETHER, WITHOUT_DATES, save
from surrogacy.figures.symbols import IdentifiedSymbols
from surrogacy.models import BivariateBayes, WeightedRegression
from surrogacy.output.page_style import DEFAULT_PAGE
from tests.support.pinned_tables import pinned_trials

NUMBER = re.compile(r"-?\d+\.?\d*")
POSITION = 0.15  # points: the formats of matplotlib round the widths of texts differently
MOVED = 0.02  # share of the pixels: a text may move by a pixel


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "plot"),
    [(WeightedRegression, plot_bubble), (WeightedRegression, plot_forest), (BivariateBayes, plot_posterior)],
)
def test_the_formats_together_are_those_of_matplotlib(model, plot, tmp_path):
    with style(DEFAULT_PAGE):
        axes = plot(model().fit(pinned_trials().analysis_set("tactics-2022")))
        figure = (axes[0] if isinstance(axes, tuple) else axes).figure
        before = figure.dpi
        save(figure, tmp_path / "together", TOGETHER)
        assert figure.dpi == before
        for ending in ("svg", "png", "pdf"):
            if ending == "pdf":  # the discs that identify symbols in the SVG are not in the PDF
                for disc in figure.findobj(IdentifiedSymbols):
                    disc.remove()
            figure.savefig(tmp_path / f"apart.{ending}", metadata=WITHOUT_DATES[ending], dpi=PNG_DPI)
    pdf, svg, pixels = (
        [(tmp_path / f"{name}.{ending}").read_bytes() for name in ("together", "apart")] for ending in TOGETHER
    )
    assert pdf[0] == pdf[1]
    texts = [re.sub(r"base64,[^\"]*|id=\"image[^\"]*", "", file.decode()) for file in svg]
    assert NUMBER.sub("#", texts[0]) == NUMBER.sub("#", texts[1])
    together, apart = (np.array(NUMBER.findall(text), float) for text in texts)
    assert np.abs(together - apart).max() < POSITION
    images = [np.asarray(Image.open(BytesIO(file)).convert("RGB")).astype(int) for file in pixels]
    assert images[0].shape == images[1].shape
    assert (np.abs(images[0] - images[1]).max(axis=2) > 0).mean() < MOVED
