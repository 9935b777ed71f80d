"""What of the user's values reaches the store: nothing raw, unless the settings say so."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from hashlib import blake2b
from typing import Any

from pgadvisor.errors import NotParsable
from pgadvisor.plans import PARAMETERS, mask_explained, mask_plan
from pgadvisor.records.log import Execution, LoggedStatement
from pgadvisor.records.parameter import MaskedValue, ParameterMode
from pgadvisor.records.server import RunningStatement
from pgadvisor.records.statement import StatementText
from pgadvisor.records.workload import PlanCapture
from pgadvisor.sql import (
    MaskedText,
    ValueMask,
    fingerprint,
    mask_expression,
    mask_text,
    parse,
    statement_kind,
)
from pgadvisor.store import Store
from pgadvisor.store.salt import load_salt

__all__ = ["MASKED_VALUES", "Privacy", "privacy_of"]

#: key in a stored plan's `extra`: n of $n to what is known of its value
MASKED_VALUES = "Masked Values"

_LONGEST_CACHED = 10_000
#: at the end of a value longer than auto_explain.log_parameter_max_length
_CUT_OFF = "..."
_PARAMETER = re.compile(r"\$(\d+) = (?:(NULL)|'((?:[^']|'')*)')")


@dataclass(frozen=True, slots=True)
class Privacy:
    """Masks what is about to be stored, as the settings say."""

    values: ValueMask

    @property
    def mode(self) -> ParameterMode:
        """What is kept: keep, hash or drop."""
        return self.values.mode

    def text(self, query: str) -> str:
        """A statement's text without its constants and comments."""
        return mask_text(query, self.values).text

    def statement(self, text: StatementText) -> StatementText:
        """A text of pg_stat_statements: those of utility statements hold their constants."""
        masked = self.text(text.query)
        return text if masked == text.query else replace(text, query=masked)

    def running(self, statement: RunningStatement) -> RunningStatement:
        """A statement seen while it ran."""
        return replace(statement, query=self.text(statement.query))

    def plan(self, capture: PlanCapture) -> PlanCapture:
        """A plan: its text, its tree and what stands beside it. Shape and fingerprint stay."""
        if self.mode is ParameterMode.KEEP:
            return capture
        masked = mask_text(capture.query, self.values)
        mask = partial(mask_expression, mask=self.values)
        given = dict(capture.extra)
        values = given.pop(MASKED_VALUES, {})  # of a plan that is masked again
        found = {**self._logged_parameters(given), **masked.values}
        values = values | {str(number): _as_json(value) for number, value in found.items()}
        extra = mask_explained(given, mask)
        if values and self.mode is ParameterMode.HASH:
            extra[MASKED_VALUES] = values
        return replace(capture, query=masked.text, plan=mask_plan(capture.plan, mask), extra=extra)

    def execution(
        self,
        logged: LoggedStatement,
        *,
        threshold_ms: float | None = None,
        sample_rate: float | None = None,
    ) -> Execution:
        """A logged statement as it may be stored: values masked, its sampling noted.

        Fingerprint and kind are those of the masked text: that of a raw utility statement
        would be a hash of its password without salt.
        """
        masked = mask_text(logged.query, self.values)
        # few texts are long, and a cache full of those would be large
        identify = _identity if len(masked.text) <= _LONGEST_CACHED else _identity.__wrapped__
        identity, kind = identify(masked.text)
        return Execution(
            logged_at=logged.logged_at,
            database=logged.database,
            query=masked.text,
            fingerprint=identity,
            duration_ms=logged.duration_ms,
            kind=kind,
            user=logged.user,
            application_name=logged.application_name,
            pid=logged.pid,
            queryid=logged.queryid,
            threshold_ms=threshold_ms,
            sample_rate=sample_rate,
            parameters=self._parameters(logged, masked),
        )

    def _parameters(self, logged: LoggedStatement, masked: MaskedText) -> tuple[MaskedValue, ...]:
        given = [self.values.masked(value) for value in logged.parameters]
        last = max(masked.values, default=0)
        unknown = MaskedValue()
        return (
            *given,
            *(masked.values.get(n, unknown) for n in range(len(given) + 1, last + 1)),
        )

    def _logged_parameters(self, extra: Mapping[str, Any]) -> dict[int, MaskedValue]:
        """auto_explain's "Query Parameters": $1 = 'value', $2 = NULL; cut values say nothing."""
        logged = extra.get(PARAMETERS)
        if not isinstance(logged, str):
            return {}
        return {
            int(match[1]): self.values.masked(None if match[2] else match[3].replace("''", "'"))
            for match in _PARAMETER.finditer(logged)
            if not (match[3] or "").endswith(_CUT_OFF)
        }


def privacy_of(store: Store) -> Privacy:
    """How values are masked before they reach this store; its salt is read once a process."""
    salt = store.salt
    if salt is None:
        with store.transaction() as conn:
            salt = store.salt = load_salt(conn)
    return Privacy(ValueMask(store.parameters, salt))


@lru_cache(maxsize=4096)
def _identity(masked: str) -> tuple[str, str | None]:
    try:
        return fingerprint(masked), str(statement_kind(parse(masked)))
    except NotParsable:
        digits = blake2b(masked.encode(), digest_size=8).hexdigest()[:15]
        return f"x{digits}", None


def _as_json(value: MaskedValue) -> dict[str, Any]:
    return {key: kept for key, kept in asdict(value).items() if kept is not None}
