"""SQL text and its syntax tree; the only importer of pglast."""

from pgadvisor.sql.fingerprint import fingerprint, normalized_query
from pgadvisor.sql.masking import MaskedText, mask_text
from pgadvisor.sql.messages import mask_message, mask_traceback
from pgadvisor.sql.parse import ParsedStatement, parse
from pgadvisor.sql.references import ColumnsOf, references
from pgadvisor.sql.render import render
from pgadvisor.sql.restoring import with_values
from pgadvisor.sql.statement import (
    MARKER,
    PLANNED_KINDS,
    StatementKind,
    is_explainable,
    is_own,
    is_read_only,
    is_utility,
    max_parameter,
    statement_kind,
)
from pgadvisor.sql.tables import tables_of
from pgadvisor.sql.unparsed import mask_expression, string_constants
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
from pgadvisor.sql.values import ValueMask

__all__ = [
    "MARKER",
    "PLANNED_KINDS",
    "Block",
    "ColumnsOf",
    "Disjunction",
    "Equality",
    "ExpressionPredicate",
    "Join",
    "MaskedText",
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
    "ValueMask",
    "fingerprint",
    "is_explainable",
    "is_own",
    "is_read_only",
    "is_utility",
    "mask_expression",
    "mask_message",
    "mask_text",
    "mask_traceback",
    "max_parameter",
    "normalized_query",
    "parse",
    "references",
    "render",
    "statement_kind",
    "string_constants",
    "tables_of",
    "with_values",
]
