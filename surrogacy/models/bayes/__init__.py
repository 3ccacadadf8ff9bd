"""Former name of `surrogacy.models.sampled`; the public module `trivariate` keeps it until 1.0."""
