"""Medians and limits of the moderated line by NUTS, the reference of `tests/models/test_moderated_line.py`.

The sampled model draws the true surrogate effects from a normal distribution. With an SD fixed near 10 they are as
vague as in the exact model, so that both posteriors are the same. With a half-normal prior on the SD the surrogate
effects are shrunken; the difference is the measurement error that vague true effects do not correct.

    python validation/moderated_against_nuts.py
"""

from dataclasses import replace

from surrogacy.models.moderated_line import ModeratedLine
from surrogacy.models.moderation import COEFFICIENTS
from surrogacy.models.moderator import plain_moderator
from surrogacy.models.priors import HalfNormal, Uniform
from surrogacy.models.sampled.moderated_line import SampledModeratedLine
from tests.support.effects import example

if __name__ == "__main__":
    effects, z = example()
    with_factor = replace(effects, covariates={"z": tuple(map(str, z))})
    exact = ModeratedLine().fit(effects, plain_moderator(z))
    for label, prior in (("vague", Uniform(9.9, 10.1)), ("half-normal(0.5)", HalfNormal(0.5))):
        sampled = SampledModeratedLine(covariate="z", tau_surrogate=prior, chains=4, draws=10_000, seed=1).fit(
            with_factor
        )
        for name in (*COEFFICIENTS, "sigma_cond"):
            estimates = sampled[name], exact[name]
            numbers = [f"{value:.4f}" for fit in estimates for value in (fit.value, fit.low, fit.high)]
            print(f"{label:18}{name:24}" + "  ".join(numbers))
