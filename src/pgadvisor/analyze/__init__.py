"""Pure analysis: a workload, a catalog and what-if costs in, findings and reasons out."""

from pgadvisor.analyze.indexes.missing_foreign_key_index import missing_foreign_key_index
from pgadvisor.analyze.indexes.missing_index import missing_index
from pgadvisor.analyze.parameters.sort_or_hash_spills_to_disk import sort_or_hash_spills_to_disk
from pgadvisor.analyze.rule import Analysis, Progress, Rule, Situation, situation

__all__ = ["RULES", "Analysis", "Situation", "analyze", "situation"]

#: in the order they run
RULES: tuple[Rule, ...] = (
    missing_index,
    missing_foreign_key_index,
    sort_or_hash_spills_to_disk,
)


def analyze(given: Situation, progress: Progress = lambda share: None) -> Analysis:
    """What all rules find in a situation, and why they stay silent where they do."""
    whole = Analysis()
    for number, rule in enumerate(RULES):
        progress(number / len(RULES))
        whole += rule(given)
    progress(1.0)
    return whole
