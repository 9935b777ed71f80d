"""Masks what the store holds already: after an update, or a change from keep to hash or drop."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pgadvisor.errors import ConfigInvalid
from pgadvisor.pipeline.privacy import Privacy, privacy_of
from pgadvisor.plans import mask_plan
from pgadvisor.records.parameter import ParameterMode
from pgadvisor.records.workload import PlanCapture, PlanSource
from pgadvisor.sql import mask_expression, mask_message
from pgadvisor.store import Store
from pgadvisor.store.held_values import HELD, rewrite
from pgadvisor.store.plans import fingerprint_of

__all__ = ["mask_stored"]

Row = Mapping[str, Any]


def mask_stored(
    store: Store, progress: Callable[[str], None] = lambda table: None
) -> dict[str, int]:
    """Mask every value that the store holds, as the settings say; rows changed by table.

    All in one transaction. Raises `ConfigInvalid` where the settings keep values.
    """
    privacy = privacy_of(store)
    if privacy.mode is ParameterMode.KEEP:
        raise ConfigInvalid(
            "values are kept as they are: there is nothing to mask",
            hint="Set PGADVISOR_PARAMETERS=hash or drop for this command and for all that collect.",
        )
    masks: dict[str, Callable[[Row], Mapping[str, Any]]] = {
        "plans": partial(_plan, privacy),
        "queries": partial(_query, privacy),
        "running_statements": partial(_text, privacy),
        "logged_statements": partial(_text, privacy),
        "executions": partial(_parameters, privacy),
        "unexplained": _reason,
        "optimization_recommendations": partial(_evidence, privacy),
    }
    changed = {}
    with store.transaction() as conn:
        for held in HELD:
            progress(held.table)
            changed[held.table] = rewrite(conn, held, masks[held.table])
    return changed


def _plan(privacy: Privacy, row: Row) -> Mapping[str, Any]:
    capture = PlanCapture(
        captured_at=datetime.min.replace(tzinfo=UTC),
        database="",
        source=PlanSource.AUTO_EXPLAIN,
        query=row["example_query"],
        plan=row["plan"],
        extra=row["extra"],
    )
    masked = privacy.plan(capture)
    return {"example_query": masked.query, "plan": masked.plan, "extra": masked.extra}


def _query(privacy: Privacy, row: Row) -> Mapping[str, Any]:
    """The fingerprint anew: that of a raw utility text is a hash of its values without salt."""
    text = privacy.text(row["query"]) if row["query"] is not None else None
    if text is None or text == row["query"]:
        return {}
    return {"query": text, "fingerprint": fingerprint_of(text)}


def _text(privacy: Privacy, row: Row) -> Mapping[str, Any]:
    return {"query": privacy.text(row["query"])}


def _parameters(privacy: Privacy, row: Row) -> Mapping[str, Any]:
    values = [_without_value(privacy, one) for one in row["parameters"] or ()]
    return {"parameters": values} if values else {}


def _without_value(privacy: Privacy, stored: Mapping[str, Any]) -> dict[str, Any]:
    if privacy.mode is ParameterMode.DROP:
        return {}
    kept = {name: one for name, one in stored.items() if name != "value"}
    if stored.get("value") is None:
        return kept
    masked = privacy.values.masked(str(stored["value"]))
    more = {"hash": masked.hash, "bucket": masked.bucket}
    return kept | {name: one for name, one in more.items() if one is not None}


def _reason(row: Row) -> Mapping[str, Any]:
    return {"reason": mask_message(row["reason"])}


def _evidence(privacy: Privacy, row: Row) -> Mapping[str, Any]:
    """Conditions and sort keys of plan nodes are all that comes from statements."""
    evidence = dict(row["evidence"])
    nodes = evidence.get("plan_nodes")
    if isinstance(nodes, list):
        mask = partial(mask_expression, mask=privacy.values)
        evidence["plan_nodes"] = [{**node, **_conditions(node, mask)} for node in nodes]
    return {"evidence": evidence}


def _conditions(node: Mapping[str, Any], mask: Callable[[str], str]) -> dict[str, Any]:
    return mask_plan({key: node[key] for key in ("filter", "sort_key") if key in node}, mask)
