-- one row: a statement that the log shows, made or brought up to date with its newest text
insert into logged_statements as s (target_id, datname, fingerprint, query, kind, queryid,
    first_seen_at, last_seen_at)
select %(target_id)s, n.*
from unnest(%(datnames)s::text[], %(fingerprints)s::text[], %(queries)s::text[], %(kinds)s::text[],
            %(queryids)s::bigint[], %(firsts)s::timestamptz[], %(lasts)s::timestamptz[]) as n
on conflict on constraint logged_statements_pkey do update
set query = case when excluded.last_seen_at >= s.last_seen_at then excluded.query else s.query end,
    kind = coalesce(excluded.kind, s.kind),
    queryid = coalesce(excluded.queryid, s.queryid),
    first_seen_at = least(s.first_seen_at, excluded.first_seen_at),
    last_seen_at = greatest(s.last_seen_at, excluded.last_seen_at)
