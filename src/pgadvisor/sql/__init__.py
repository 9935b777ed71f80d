"""SQL text and its syntax tree; the only importer of pglast."""

from pgadvisor.sql.fingerprint import fingerprint, normalized_query
from pgadvisor.sql.parse import ParsedStatement, parse
from pgadvisor.sql.references import ColumnsOf, references
from pgadvisor.sql.render import render
from pgadvisor.sql.statement import (
    MARKER,
    StatementKind,
    is_explainable,
    is_own,
    is_read_only,
    is_utility,
    max_parameter,
    statement_kind,
)
from pgadvisor.sql.uses import (
    Block,
    Disjunction,
    Equality,
    ExpressionPredicate,
    Join,
    NullTest,
    Operand,
    OtherPredicate,
    Pattern,
    Predicate,
    Range,
    References,
    SortColumn,
    TableUse,
    Unresolved,
)

__all__ = [
    "MARKER",
    "Block",
    "ColumnsOf",
    "Disjunction",
    "Equality",
    "ExpressionPredicate",
    "Join",
    "NullTest",
    "Operand",
    "OtherPredicate",
    "ParsedStatement",
    "Pattern",
    "Predicate",
    "Range",
    "References",
    "SortColumn",
    "StatementKind",
    "TableUse",
    "Unresolved",
    "fingerprint",
    "is_explainable",
    "is_own",
    "is_read_only",
    "is_utility",
    "max_parameter",
    "normalized_query",
    "parse",
    "references",
    "render",
    "statement_kind",
]
