"""The moderated line exact and sampled: medians and limits of NUTS that `tests/models/test_moderated_line.py` holds the
exact
posterior to.

The sampled model draws the true surrogate effects from a normal distribution; with its SD fixed near 10 they are as
vague as in the
exact model, so that the two posteriors are the same. With a half-normal SD they are shrunken: what the vague ones leave
uncorrected.

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
    for words, prior in (("vague", Uniform(9.9, 10.1)), ("half-normal(0.5)", HalfNormal(0.5))):
        sampled = SampledModeratedLine(covariate="z", tau_surrogate=prior, chains=4, draws=10_000, seed=1).fit(
            with_factor
        )
        for name in (*COEFFICIENTS, "sigma_cond"):
            one, other = sampled[name], exact[name]
            numbers = [f"{value:.4f}" for value in (one.value, one.low, one.high, other.value, other.low, other.high)]
            print(f"{words:18}{name:24}" + "  ".join(numbers))
