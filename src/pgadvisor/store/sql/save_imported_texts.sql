-- one row: the text of an imported statement; what live collecting knows of it stays
insert into queries (target_id, dbid, queryid, query, fingerprint, kind, is_own, unreadable,
                     identity, tables, first_seen_at)
select %(target_id)s, t.dbid, t.queryid, t.query, t.fingerprint, t.kind, false, t.unreadable,
       t.identity,
       case when t.tables is not null
            then array(select jsonb_array_elements_text(t.tables)) end, t.first_seen_at
from unnest(%(dbids)s::bigint[], %(queryids)s::bigint[], %(queries)s::text[],
            %(fingerprints)s::text[], %(kinds)s::text[], %(unreadables)s::text[],
            %(identities)s::text[], %(tables)s::jsonb[], %(first_seen_ats)s::timestamptz[])
     as t (dbid, queryid, query, fingerprint, kind, unreadable, identity, tables, first_seen_at)
on conflict (target_id, dbid, queryid) do update
set query = coalesce(queries.query, excluded.query),
    fingerprint = coalesce(queries.fingerprint, excluded.fingerprint),
    kind = coalesce(queries.kind, excluded.kind),
    tables = coalesce(queries.tables, excluded.tables),
    unreadable = case when queries.query is null then excluded.unreadable else queries.unreadable end,
    first_seen_at = least(queries.first_seen_at, excluded.first_seen_at)
where excluded.first_seen_at < queries.first_seen_at
   or (queries.query is null and excluded.query is not null)
