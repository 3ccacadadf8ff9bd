"""Models sampled by the No-U-Turn sampler, the only modules that use PyMC, nutpie and ArviZ.

`nuts` contains the sampler and the settings common to all models, `blocks` the factorised likelihood. Importing the
package itself loads none of the three libraries.
"""
