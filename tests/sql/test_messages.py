"""Messages of a server keep their names and lose their values."""

import re
import traceback

import psycopg
import pytest

from pgadvisor.sql import mask_message, mask_traceback

KEPT = [
    'relation "orders" does not exist',
    'column "a" of relation "orders" does not exist',
    'column reference "id" is ambiguous',
    'missing FROM-clause entry for table "o"',
    'role "someone" does not exist',
    "permission denied for table orders",
    "operator does not exist: text = integer",
    "could not determine data type of parameter $1",
    "canceling statement due to statement timeout",
    'syntax error at or near "from"',
    'syntax error at or near "$1"',
    'duplicate key value violates unique constraint "people_email_key"',
    "argument of WHERE must be type boolean, not type integer",
]
MASKED = [
    ('invalid input syntax for type uuid: "secret"', 'invalid input syntax for type uuid: "***"'),
    ('value "98765432109" is out of range for type integer', None),
    ('invalid input value for enum mood: "secret"', None),
    ('date/time field value out of range: "secret"', None),
    ('syntax error at or near "secret"', None),
    ("unterminated quoted string at or near \"'secret\"", None),
    ("Key (email)=(secret) already exists.", "Key (email)=(***) already exists."),
    ("Key (a, b)=(secret, (secret)) is not present in table \"t\".", None),
    ("Failing row contains (1, secret, null).", "Failing row contains ***"),
    ('invalid value for parameter "work_mem": "secret"', None),
    ("invalid input syntax for type json: token 'secret'", None),
    ('invalid input syntax: "secret', None),
    ("division by zero\nLINE 1: select 'secret'\nDETAIL: secret", "division by zero"),
    ("number 987654321", "number 990000000"),
]  # fmt: skip


@pytest.mark.parametrize("message", KEPT)
def test_names_stay(message: str) -> None:
    assert mask_message(message) == message


@pytest.mark.parametrize(("message", "masked"), MASKED)
def test_values_go(message: str, masked: str | None) -> None:
    found = mask_message(message)
    assert "secret" not in found
    assert "98765" not in found
    assert masked is None or found == masked


@pytest.mark.parametrize(
    "text",
    [
        "select 'secret'::int",
        "select 'secret'::date",
        "select '{\"secret'::jsonb",
        "select 'secret' from",
        "insert into pg_temp.u values (1, 'secret')",
        "insert into pg_temp.u values (2, null)",
        "select pg_sleep('secret')",
        "select set_config('work_mem', 'secret', false)",
        "select 'secret' ~ '(secret'",
        "select to_date('secret', 'YYYY-MM')",
        "select '\\xsecret'::bytea",
    ],
)
def test_of_a_server(target_conn: psycopg.Connection[object], text: str) -> None:
    target_conn.execute("create temp table u (id int primary key, name text not null)")
    target_conn.execute("insert into u values (1, 'x')")
    with pytest.raises(psycopg.Error) as raised:
        target_conn.execute(text.encode())
    assert "secret" not in mask_message(str(raised.value))
    shown = mask_traceback("".join(traceback.format_exception(raised.value)))
    of_error = [line for line in shown.splitlines() if line.startswith("psycopg.")]
    assert of_error
    assert "secret" not in "".join(of_error)
    assert not re.search(r"^(LINE|DETAIL|CONTEXT)", shown, re.MULTILINE)


def test_a_traceback_keeps_its_frames_and_causes() -> None:
    def fail() -> None:
        try:
            raise ValueError("first 'secret'\nDETAIL: secret\n    secret")
        except ValueError as exc:
            raise RuntimeError('second "secret"') from exc

    with pytest.raises(RuntimeError) as raised:
        fail()
    shown = mask_traceback("".join(traceback.format_exception(raised.value)))
    assert "ValueError: first '***'" in shown
    assert 'RuntimeError: second "***"' in shown
    assert "The above exception was the direct cause" in shown
    assert "DETAIL" not in "\n".join(line for line in shown.splitlines() if "raise" not in line)
