-- one row: the text of a queryid; a hidden one is completed when it becomes visible
insert into queries (target_id, dbid, queryid, query, fingerprint, kind, is_own, unreadable,
                     tables, first_seen_at)
select %(target_id)s, t.dbid, t.queryid, t.query, t.fingerprint, t.kind, t.is_own, t.unreadable,
       case when t.tables is not null
            then array(select jsonb_array_elements_text(t.tables)) end, %(now)s
from unnest(%(dbids)s::bigint[], %(queryids)s::bigint[], %(queries)s::text[],
            %(fingerprints)s::text[], %(kinds)s::text[], %(owns)s::boolean[],
            %(unreadables)s::text[], %(tables)s::jsonb[])
     as t (dbid, queryid, query, fingerprint, kind, is_own, unreadable, tables)
on conflict (target_id, dbid, queryid) do update
set query = excluded.query, fingerprint = excluded.fingerprint, kind = excluded.kind,
    is_own = excluded.is_own, unreadable = excluded.unreadable, tables = excluded.tables
where queries.query is null
