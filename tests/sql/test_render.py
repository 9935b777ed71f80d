"""Rendering changes the layout and nothing else."""

import pytest

from pgadvisor.sql import fingerprint, max_parameter, render


def test_one_clause_a_line() -> None:
    query = (
        "with x as (select a, count(*) from t left join u using (id) where t.b = $1 group by a)"
        " select x.a from x where x.a > 3 order by 1 desc limit 10"
    )
    lines = render(query).splitlines()
    assert "  GROUP BY a" in lines
    assert lines[-2:] == ["ORDER BY 1 DESC", "LIMIT 10"]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    "text",
    [
        "insert into t (a) values ($1) on conflict (a) do update set a = excluded.a returning *",
        "update t set (a, b) = (select 1, 2) from u where u.id = t.id",
        "merge into t using u on t.a = u.a when matched and t.b > 1 then delete",
        "select sum(a) filter (where b) over (partition by c order by d rows 2 preceding) from t",
        "select * from t, lateral (select 1) x where t.j @> '{\"a\": 1}' and t.n ilike $1",
        "select a::text, interval '1 day', 'it''s' from \"Weird Name\"",
        "create index concurrently i on t (lower(a)) include (b) where c is null",
        "select * from t where a in ($1 /*, ... */)",
    ],
)
def test_keeps_the_meaning(text: str) -> None:
    rendered = render(text)
    assert fingerprint(rendered) == fingerprint(text)
    assert max_parameter(rendered) == max_parameter(text)
    assert render(rendered) == rendered


@pytest.mark.parametrize(
    "text",
    ["select * from", "<insufficient privilege>", "", "select /*+ SeqScan(t) */ * from t"],
)
def test_falls_back_to_the_text(text: str) -> None:
    assert render(text) == text
