-- one row: how far a log was read; lines and skipped entries add up
insert into log_positions as l (target_id, source, position, lines, skipped, updated_at)
values (%(target_id)s, %(source)s, %(position)s, %(lines)s, %(skipped)s, %(now)s)
on conflict (target_id, source) do update
set position = excluded.position, lines = l.lines + excluded.lines, updated_at = excluded.updated_at,
    skipped = (select coalesce(jsonb_object_agg(reason, n), '{}')
               from (select reason, sum(n::bigint) as n
                     from (select * from jsonb_each_text(l.skipped)
                           union all select * from jsonb_each_text(excluded.skipped)) e (reason, n)
                     group by reason) s)
