"""Models sampled by the No-U-Turn sampler; PyMC, nutpie and ArviZ are loaded below this package only.

`sampling` holds what they share, `bivariate` the factorised likelihood that all of them are built on.
Importing the package itself loads none of the three.
"""
