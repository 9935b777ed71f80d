"""Gives the texts of a workload the values back that the target still knows.

Nothing of it is stored: the workload lives as long as one analysis.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pgadvisor.collect.known_values import fetch_known_values
from pgadvisor.collect.target import Target
from pgadvisor.errors import NotParsable
from pgadvisor.pipeline.privacy import MASKED_VALUES, Privacy
from pgadvisor.records.catalog import Catalog
from pgadvisor.records.parameter import ParameterMode
from pgadvisor.records.workload import PlanSource, StoredPlan, Workload
from pgadvisor.sql import with_values

__all__ = ["with_known_values"]


def with_known_values(
    target: Target, workload: Workload, catalog: Catalog, privacy: Privacy
) -> Workload:
    """The workload with example texts as good as can be had for the planner.

    A masked value whose hash is that of a common value of the target is that value; of numbers
    and times the bucket is put. What nobody knows stays a parameter.
    """
    if privacy.mode is not ParameterMode.HASH or not any(_masked_values(workload)):
        return workload
    values = fetch_known_values(target, catalog.tables)
    known = {privacy.values.hash_of(value): value for value in values}
    queries = tuple(
        replace(query, plans=tuple(_restored(plan, known) for plan in query.plans))
        for query in workload.queries
    )
    return replace(workload, queries=queries)


def _masked_values(workload: Workload) -> Iterator[Mapping[str, Any]]:
    plans = (plan for query in workload.queries for plan in query.plans)
    return (plan.extra[MASKED_VALUES] for plan in plans if MASKED_VALUES in plan.extra)


def _restored(plan: StoredPlan, known: Mapping[str, str]) -> StoredPlan:
    masked = plan.extra.get(MASKED_VALUES)
    if plan.source is not PlanSource.AUTO_EXPLAIN or not isinstance(masked, Mapping):
        return plan
    found = {int(number): _value(one, known) for number, one in masked.items()}
    values = {number: value for number, value in found.items() if value is not None}
    try:
        return replace(plan, example_query=with_values(plan.example_query, values))
    except NotParsable:
        return plan  # a text that was cut off is no example anyway


def _value(masked: Mapping[str, Any], known: Mapping[str, str]) -> str | None:
    value = known.get(str(masked.get("hash")))
    return value if value is not None else masked.get("bucket")
