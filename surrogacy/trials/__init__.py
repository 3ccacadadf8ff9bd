"""The trial tables: reading, checking, pairing. The only part of the package that reads data files."""

from surrogacy.trials.analysis_set import AnalysisSet, FlowEntry, Pairing
from surrogacy.trials.reading import read_pairs, read_trials
from surrogacy.trials.trial_set import DATA_VERSION, TrialSet

__all__ = ["DATA_VERSION", "AnalysisSet", "FlowEntry", "Pairing", "TrialSet", "read_pairs", "read_trials"]
