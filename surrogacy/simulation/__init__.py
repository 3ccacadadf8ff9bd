"""Coverage of the intervals by simulation.

    Scenario -> simulate_chunk(scenario, seed) -> Outcome per procedure and target -> summarise -> Performance

A *topic* is a group of procedures that are compared with each other. It has one module with a function
``outcomes(sets: SimulatedSets) -> Iterable[Outcome]``. `TOPICS` of `surrogacy.simulation.chunks` contains the name of
the module, and `scenarios` of `surrogacy.simulation.scenarios` the scenarios of each topic.

A procedure computes an interval for every data set of ``sets`` (arrays, so that a chunk is computed at once) and
compares it with the true value, which follows from ``sets.scenario``. ``sets.maxima`` contains the REML estimates,
computed once for all procedures of a topic; ``sets.effects(i)`` is data set i for a model that fits one set at a time.
Random numbers of a procedure come from ``sets.generator(number)``, which depends on the seed of the chunk, so that a
chunk is a pure function of scenario and seed. Procedures and targets are named in words, which are printed in
docs/validation.md.

Examples
--------
>>> from dataclasses import replace
>>> from surrogacy.simulation.chunks import simulate_chunk
>>> from surrogacy.simulation.scenarios import scenarios
>>> scenario = replace(scenarios("correlation")[0], data_sets=20)
>>> outcome = simulate_chunk(scenario, seed=1)[0]
>>> outcome.procedure, outcome.coverage.shape
('Fisher, number of trials', (20,))
"""
