"""The walk over one statement: query blocks, their FROM items, and every expression in them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pglast import ast, enums

from pgadvisor.sql.conditions import Side, record
from pgadvisor.sql.derived import (
    Select,
    derived_outputs,
    named_outputs,
    static_names,
    union_outputs,
)
from pgadvisor.sql.expressions import nodes, output_name
from pgadvisor.sql.joins import JoinCondition, merge_columns, record_joins
from pgadvisor.sql.orderings import record_orderings
from pgadvisor.sql.recorder import Recorder, SubqueryFacts
from pgadvisor.sql.scopes import Base, Output, Reach, Relation, Scope
from pgadvisor.sql.strictness import strict_uses
from pgadvisor.sql.uses import TableUse

__all__ = ["ColumnsOf", "Walk"]

#: the columns of a table, None when it is not known: (schema or None, table) -> names
ColumnsOf = Callable[[str | None, str], Sequence[str] | None]
Outputs = tuple[tuple[str, Output], ...] | None


@dataclass(slots=True)
class Walk:
    """State of one walk. `ctes` are those visible here; a subquery works on a copy."""

    columns_of: ColumnsOf
    #: how often each unqualified relation name stands in the statement
    mentions: Mapping[str, int]
    #: walks INSERT, UPDATE, DELETE and MERGE
    modify: "Callable[[Walk, Any, Scope | None, str | None], None]"
    recorder: Recorder = field(default_factory=Recorder)
    ctes: dict[str, Relation] = field(default_factory=dict)

    def select(
        self,
        node: ast.SelectStmt,
        parent: Scope | None,
        name: str | None = None,
        *,
        is_exists: bool = False,
    ) -> Outputs:
        """Walk a SELECT, VALUES or set operation; its output columns, None when not all known.

        What EXISTS selects is never computed, so its targets need no columns.
        """
        before = self.ctes
        self.ctes = dict(before)
        self.with_clause(node.withClause, parent)
        outputs = (
            self._set_operation(node, parent, name)
            if node.op != enums.SetOperation.SETOP_NONE
            else self._plain_select(node, parent, name, is_exists)
        )
        self.ctes = before
        return outputs

    def with_clause(self, clause: ast.WithClause | None, parent: Scope | None) -> None:
        """Walk the CTEs in order; each sees those before it."""
        for cte in (clause.ctes or ()) if clause is not None else ():
            is_recursive = bool(clause is not None and clause.recursive)
            self.ctes[cte.ctename] = self._cte(cte, parent, is_recursive)

    def visit(self, value: Any, scope: Scope) -> list[ast.WindowDef]:
        """Note every column of an expression and walk its subqueries; the windows in it."""
        windows: list[ast.WindowDef] = []
        for node in nodes(value):
            if isinstance(node, ast.ColumnRef):
                self.recorder.reference(node, scope)
            elif isinstance(node, ast.SubLink):
                self._sublink(node, scope)
            elif isinstance(node, ast.SelectStmt):
                self.select(node, scope)
            elif isinstance(node, ast.WindowDef):
                windows.append(node)
        return windows

    def from_items(self, items: Sequence[Any], scope: Scope) -> list[JoinCondition]:
        """Add FROM items to the scope, in order; the joins between them, outermost first."""
        joins: list[JoinCondition] = []
        for item in items:
            self._from_item(item, scope, joins)
        return joins[::-1]

    def conditions(self, where: Any, joins: Sequence[JoinCondition], scope: Scope) -> None:
        """Walk WHERE and the joins' conditions and note what they mean."""
        for join in joins:
            self.visit(join.condition, scope)
        self.visit(where, scope)
        strict = strict_uses(where, scope)
        nullable = frozenset(use for join in joins for use in join.missing(strict))
        record(where, scope, self.recorder, Side(nullable=nullable))
        record_joins(joins, strict, scope, self.recorder)

    def table(self, node: ast.RangeVar, block: int, command: str = "select") -> Relation:
        """A new table use, as a relation for the scope."""
        name, schema = node.relname or "", node.schemaname
        columns = self.columns_of(schema, name)
        use = len(self.recorder.uses)
        alias = node.alias.aliasname if node.alias is not None else None
        self.recorder.uses.append(
            TableUse(
                id=use,
                block=block,
                schema=schema,
                name=name,
                alias=alias or name,
                command=command,
                is_known=columns is not None,
                is_only=not node.inh,
            )
        )
        outputs = {c: Output((Base(use, c),), Reach.DIRECT) for c in columns or ()}
        relation = Relation(
            alias or name, None if alias else schema, use, outputs, columns is not None
        )
        return _renamed(relation, node.alias)

    def _plain_select(
        self, node: ast.SelectStmt, parent: Scope | None, name: str | None, is_exists: bool
    ) -> Outputs:
        outer = parent.block if parent is not None else None
        scope = Scope(self.recorder.open_block("select", outer, name), parent)
        if node.valuesLists:
            self.visit(node.valuesLists, scope)
            width = len(node.valuesLists[0])
            return tuple((f"column{n + 1}", Output()) for n in range(width))
        joins = self.from_items(node.fromClause or (), scope)
        self.conditions(node.whereClause, joins, scope)
        windows = self._select_clauses(node, scope, is_exists)
        select = Select.of(node, windows)
        self.recorder.describe_block(scope.block, **select.block_fields())
        record_orderings(node, windows, scope, self.recorder)
        return derived_outputs(select, scope)

    def _select_clauses(
        self, node: ast.SelectStmt, scope: Scope, is_exists: bool
    ) -> list[ast.WindowDef]:
        windows: list[ast.WindowDef] = []
        targets = None if is_exists else node.targetList
        for clause in (targets, node.havingClause, node.windowClause):
            windows += self.visit(clause, scope)
        for clause in (node.groupClause, node.distinctClause, node.sortClause):
            windows += self._visit_keys(clause or (), node, scope)
        # LIMIT cannot see the block's columns, only those around it.
        self.visit((node.limitCount, node.limitOffset), scope)
        return [window for window in windows if window.partitionClause or window.orderClause]

    def _visit_keys(
        self, keys: Sequence[Any], node: ast.SelectStmt, scope: Scope
    ) -> list[ast.WindowDef]:
        """Sort keys may be names of output columns, which are no column references."""
        targets = node.targetList or ()
        names = {
            output_name(target)
            for target in targets
            if target.name or isinstance(target.val, ast.ColumnRef)
        }
        windows: list[ast.WindowDef] = []
        for key in keys:
            inner = key.node if isinstance(key, ast.SortBy) else key
            is_output = (
                isinstance(inner, ast.ColumnRef)
                and len(inner.fields or ()) == 1
                and getattr((inner.fields or (None,))[0], "sval", None) in names
            )
            if not is_output:
                windows += self.visit(inner, scope)
        return windows

    def _set_operation(
        self, node: ast.SelectStmt, parent: Scope | None, name: str | None
    ) -> Outputs:
        arms: list[Outputs] = []
        for arm in (node.larg, node.rarg):
            first = len(self.recorder.blocks)
            if arm is not None:
                arms.append(self.select(arm, parent, name))
            if first < len(self.recorder.blocks):
                self.recorder.describe_block(first, is_set_arm=True)
        has_limit = node.limitCount is not None or node.limitOffset is not None
        return union_outputs(arms, is_pushed=not has_limit)

    def _cte(self, cte: Any, parent: Scope | None, is_recursive: bool) -> Relation:
        name, query = str(cte.ctename), cte.ctequery
        aliases = [str(column.sval) for column in cte.aliascolnames or ()]
        is_self_reading = is_recursive and self.mentions.get(name, 0) > 1
        if is_self_reading and isinstance(query, ast.SelectStmt):
            names = aliases or static_names(query)
            has_more = cte.search_clause is not None or cte.cycle_clause is not None
            self.ctes[name] = Relation(
                name,
                columns=dict.fromkeys(names, Output()),
                is_complete=bool(names) and not has_more,
            )
        if not isinstance(query, ast.SelectStmt):
            self.modify(self, query, parent, name)
            return Relation(name)
        outputs = self.select(query, parent, name)
        inlined = cte.ctematerialized == enums.CTEMaterialize.CTEMaterializeNever or (
            cte.ctematerialized == enums.CTEMaterialize.CTEMaterializeDefault
            and self.mentions.get(name, 0) <= 1
        )
        reach = Reach.DIRECT if inlined and not is_self_reading else Reach.NONE
        relation = named_outputs(name, outputs, aliases, reach)
        if cte.search_clause is not None or cte.cycle_clause is not None:
            relation.is_complete = False
        return relation

    def _sublink(self, node: ast.SubLink, scope: Scope) -> None:
        boundary = Scope(scope.block, scope)
        recorder = self.recorder
        facts = len(recorder.facts)
        select = node.subselect
        assert isinstance(select, ast.SelectStmt), "the grammar allows nothing else"
        is_exists = node.subLinkType == enums.SubLinkType.EXISTS_SUBLINK
        outputs = self.select(select, boundary, is_exists=is_exists)
        recorder.sublinks[id(node)] = SubqueryFacts(
            outputs=tuple(output for _, output in outputs or ()),
            outer=frozenset(boundary.outer),
            facts=tuple(list(recorder.facts)[facts:]),
        )

    def _from_item(self, item: Any, scope: Scope, joins: list[JoinCondition]) -> list[Relation]:
        if isinstance(item, ast.JoinExpr):
            return self._join(item, scope, joins)
        if isinstance(item, ast.RangeTableSample):
            return self._from_item(item.relation, scope, joins)
        relation = self._single_item(item, scope)
        scope.relations.append(relation)
        return [relation]

    def _single_item(self, item: Any, scope: Scope) -> Relation:
        if isinstance(item, ast.RangeVar):
            cte = self.ctes.get(item.relname or "") if item.schemaname is None else None
            return self.table(item, scope.block) if cte is None else _aliased(cte, item.alias)
        alias = item.alias.aliasname if item.alias is not None else ""
        if isinstance(item, ast.RangeSubselect) and isinstance(item.subquery, ast.SelectStmt):
            # Without LATERAL it does not see the items beside it.
            parent = scope if item.lateral else Scope(scope.block, scope.parent)
            outputs = self.select(item.subquery, parent, alias or None)
            return _renamed(named_outputs(alias, outputs, (), Reach.DIRECT), item.alias)
        # Functions, XMLTABLE and JSON_TABLE may refer to the items before them.
        self.visit(tuple(getattr(item, name) for name in item if name != "alias"), scope)
        return _renamed(Relation(alias, columns={alias: Output()} if alias else {}), item.alias)

    def _join(self, node: ast.JoinExpr, scope: Scope, joins: list[JoinCondition]) -> list[Relation]:
        left = self._from_item(node.larg, scope, joins)
        right = self._from_item(node.rarg, scope, joins)
        merged = merge_columns(node, left, right, scope, self.recorder)
        condition = JoinCondition.of(node, left, right, merged)
        joins.append(condition)
        for use in condition.nullable:
            self.recorder.describe_use(use, is_nullable=True)
        return [*left, *right]


def _aliased(cte: Relation, alias: ast.Alias | None) -> Relation:
    name = alias.aliasname if alias is not None and alias.aliasname else cte.name
    return _renamed(Relation(name, None, None, cte.columns, cte.is_complete), alias)


def _renamed(relation: Relation, alias: ast.Alias | None) -> Relation:
    """Apply the column names of ``AS alias (a, b)``, from the left."""
    names = [str(n.sval) for n in (alias.colnames or ())] if alias is not None else []
    if not names:
        return relation
    outputs = list(relation.columns.values()) if relation.is_complete else []
    outputs += [Output()] * (len(names) - len(outputs))
    rest = list(relation.columns)[len(names) :] if relation.is_complete else []
    columns = dict(zip([*names, *rest], outputs, strict=True))
    return Relation(relation.name, relation.schema, relation.use, columns, relation.is_complete)
