import pytest

from pgadvisor.collect.failures import connection_failure


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            'FATAL:  no pg_hba.conf entry for host "10.0.0.5", user "u", database "d", '
            "no encryption",
            "without SSL",
            "sslmode=require",
        ),
        ("FATAL:  sorry, too many clients already", "no free connection", "max_connections"),
        ("FATAL:  the database system is starting up", "is starting up", "Wait"),
        (
            'could not translate host name "db" to address: Name or service not known',
            "cannot be resolved",
            "host",
        ),
        ('FATAL:  Peer authentication failed for user "u"', "operating system account", "TCP"),
        ('FATAL:  permission denied for database "shop"', "may not connect", "GRANT CONNECT"),
        ("connection timeout expired", "did not answer in time", "firewall"),
        ("SSL error: certificate verify failed", "cannot be verified", "sslrootcert"),
        ("FATAL:  no such database: shop", "no database shop", "psql -l"),
        ('FATAL:  "trust" authentication failed', "does not accept our login", "pg_hba"),
    ],
)
def test_each_reason_has_its_own_hint(text: str, message: str, hint: str) -> None:
    failure = connection_failure(text, "db:5432/shop")

    assert failure.message.startswith("cannot connect to db:5432/shop: ")
    assert message in failure.message
    assert hint in failure.hint


def test_an_unknown_reason_is_shown_as_it_is() -> None:
    failure = connection_failure("FATAL:  Passwort-Authentifizierung\n fehlgeschlagen", "db:1/x")

    assert failure.message.endswith("FATAL: Passwort-Authentifizierung fehlgeschlagen")
    assert "psql" in failure.hint
