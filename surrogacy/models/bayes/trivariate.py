"""Former name of `surrogacy.models.sampled.trivariate`, kept until 1.0."""

from surrogacy.models.sampled.trivariate import *  # noqa: F403
