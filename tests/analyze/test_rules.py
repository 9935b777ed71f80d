"""Each rule against a real server: tests/fixtures/sql/<rule>.sql says what it has to find."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pgadvisor.analyze import RULES, Analysis
from pgadvisor.analyze.rule import Rule
from pgadvisor.collect.explain import explain
from pgadvisor.records.statement import QueryId
from pgadvisor.records.workload import PlanSource, Query

if TYPE_CHECKING:
    from tests.analyze.conftest import Lab

FIXTURES = Path(__file__).parent.parent / "fixtures" / "sql"
_DIRECTIVE = re.compile(r"^-- (title|schema|query|expect|writes|settings|without): ?(.*)$")
_NUMBERS: dict[str, Callable[[str], Any]] = {"calls": int, "ms": float, "rows": int}
_TEMP = {"temp_blks_read", "temp_blks_written"}
_TEMP_TIMES = {"temp_blk_read_time", "temp_blk_write_time"}


@dataclass
class Case:
    rule: str
    title: str
    schema: str = ""
    #: options and text
    queries: list[tuple[str, str]] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    #: reasons that some query has to be given
    silences: list[str] = field(default_factory=list)
    #: words that have to stand in the reasoning, the risk or the lock
    words: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)
    has_hypopg: bool = True


def read_cases(rule: str, text: str) -> Iterator[Case]:
    """The cases of one file; see CONTRIBUTING.md for the format."""
    case: Case | None = None
    lines = [*text.splitlines(), "-- title: end"]
    kind, options, body = "", "", list[str]()
    for line in lines:
        found = _DIRECTIVE.match(line)
        if not found:
            body.append(line)
            continue
        if case is not None:
            _add(case, kind, options, "\n".join(body).strip())
        kind, options, body = found[1], found[2].strip(), []
        if kind == "title":
            if case is not None:
                yield case
            case = Case(rule=rule, title=options)


def _add(case: Case, kind: str, options: str, body: str) -> None:
    match kind:
        case "schema":
            case.schema += f"{body}\n"
        case "query":
            case.queries.append((options, body.removesuffix(";")))
        case "expect" if options.startswith("silence: "):
            case.silences.append(options.removeprefix("silence: "))
        case "expect" if options.startswith("words: "):
            case.words.append(options.removeprefix("words: "))
        case "expect":
            case.statements.append(options)
        case "writes":
            case.writes.append(options)
        case "settings":
            case.settings.append(options)
        case "without":
            case.has_hypopg = False


def all_cases() -> list[Any]:
    cases = [
        case
        for path in sorted(FIXTURES.glob("*.sql"))
        for case in read_cases(path.stem, path.read_text("utf-8"))
    ]
    return [pytest.param(case, id=f"{case.rule}: {case.title}") for case in cases]


def options_of(text: str) -> dict[str, Any]:
    """``calls=10 ms=3 observed`` as keyword arguments of `Lab.query`."""
    found: dict[str, Any] = {}
    for word in text.split():
        name, _, value = word.partition("=")
        if name in _NUMBERS:
            found[name] = _NUMBERS[name](value)
        elif name in _TEMP:
            found[name] = int(value)
        elif name in _TEMP_TIMES:
            found[name] = float(value)
        elif name == "user":
            found["users"] = (value,) if value else ()
        else:
            found[name] = True
    return found


def analysis_of(lab: "Lab", case: Case) -> Analysis:
    for statement in re.split(r";\n", case.schema):
        lab.conn.execute(statement.encode())
    for setting in case.settings:
        name, _, value = setting.partition("=")
        lab.settings[name.strip()] = value.strip()
        lab.conn.execute(f"select set_config('{name.strip()}', '{value.strip()}', false)".encode())
    for line in case.writes:
        table, *rates = line.split()
        inserted, updated, deleted = map(float, rates)
        lab.writes[table] = inserted, updated, deleted
    for options, text in case.queries:
        found = options_of(options)
        if found.pop("raised", False):  # the role got a larger work_mem since
            lab.role_settings[found["users"][0]] = {"work_mem": "64MB"}
        lab.query(text, **found)
    return rule_of(case.rule)(lab.situation(hypopg=case.has_hypopg))


@pytest.mark.parametrize("case", all_cases())
def test_rule_finds_what_its_fixture_says(lab: "Lab", case: Case) -> None:
    found = analysis_of(lab, case)
    reasons = "\n".join(f"{s.queryid}: {s.reason}" for s in found.skipped)
    statements = sorted(s for finding in found.findings for s in finding.statement.splitlines())
    assert statements == sorted(case.statements), reasons
    for silence in case.silences:
        assert silence in reasons
    said = " ".join(
        " ".join((f.reasoning, f.risk.lock, *f.risk.notes, str(dict(f.evidence))))
        for f in found.findings
    )
    for word in case.words:
        assert word in said
    helped = {e.queryid for f in found.findings for e in f.effects if e.improvement_ratio > 0}
    if case.rule == "missing-index":  # a query gets advice or a reason, never neither
        silent = {skipped.queryid for skipped in found.skipped}
        assert helped | silent == {query.queryid for query in lab.queries}
        assert not helped & silent


CREATING = [param for param in all_cases() if "CREATE INDEX" in str(param.values[0].statements)]


@pytest.mark.parametrize("case", CREATING)
def test_indexes_that_are_advised_do_what_was_promised(lab: "Lab", case: Case) -> None:
    """Really made: about as big as said, used by the planner, at about the cost that was said."""
    found = analysis_of(lab, case)
    assert lab.what_if is not None
    lab.what_if.reset()
    promised: dict[QueryId, float] = {}
    for finding in found.findings:
        for statement in finding.statement.splitlines():
            lab.conn.execute(statement.encode())
        promised |= {its.queryid: its.cost_after or 0.0 for its in finding.effects}
        for index in finding.evidence["indexes"]:
            # never much too small; columns that depend on each other make it too big
            real = size_of(lab, index["index_name"])
            assert 0.7 * real <= index["size_bytes"] <= 3 * real
    lab.conn.execute("analyze")
    if case.rule == "missing-index":
        for query in lab.queries:
            if query.queryid in promised:
                cost = cost_now(lab, query)
                assert cost == pytest.approx(promised[query.queryid], rel=0.5, abs=20)
    again = analysis_of_now(lab, case)
    assert not again.findings, "advice that was carried out is gone at the next analysis"
    for finding in found.findings:
        for statement in finding.undo.splitlines():
            lab.conn.execute(statement.encode())
    assert [f.key for f in analysis_of_now(lab, case).findings] == [f.key for f in found.findings]


def size_of(lab: "Lab", name: str) -> int:
    row = lab.conn.execute(
        """select coalesce(sum(pg_relation_size(t.relid)), pg_relation_size(c.oid))
           from pg_class c left join lateral pg_partition_tree(c.oid) t on true
           where c.relname = %s and c.relkind in ('i', 'I') group by c.oid""",
        [name],
    ).fetchone()
    assert row is not None
    return int(row[0])


def cost_now(lab: "Lab", query: Query) -> float:
    text = query.plans[0].example_query
    if query.plans[0].source is PlanSource.GENERIC_PLAN:
        text = query.query or ""
    return float(explain(lab.target(), text)["Plan"]["Total Cost"])


def analysis_of_now(lab: "Lab", case: Case) -> Analysis:
    """The same workload, with plans and catalog of this moment."""
    old, lab.queries = lab.queries, []
    for (options, text), _ in zip(case.queries, old, strict=True):
        lab.query(text, **options_of(options))
    return rule_of(case.rule)(lab.situation())


def rule_of(name: str) -> Rule:
    return next(r for r in RULES if getattr(r, "__name__", "") == name.replace("-", "_"))


def test_every_rule_has_a_fixture_that_finds_and_more_that_stay_silent() -> None:
    for rule in RULES:
        name = getattr(rule, "__name__", "").replace("_", "-")
        cases = list(read_cases(name, (FIXTURES / f"{name}.sql").read_text("utf-8")))
        finding = sum(bool(case.statements) for case in cases)
        assert finding
        assert len(cases) - finding >= finding
