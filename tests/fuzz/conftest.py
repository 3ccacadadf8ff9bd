"""Profiles of the fuzzer: ``short`` runs with the tests, ``--hypothesis-profile=long`` by hand."""

from hypothesis import HealthCheck, settings

settings.register_profile("long", max_examples=4000, deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile(
    "short", max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
