-- one row: entries of the log of a target left out for one reason since it is read
select t.name as target, k.key as reason, sum(k.value::bigint)::bigint as count,
       max(l.updated_at) as last_at, sum(l.lines)::bigint as lines
from log_positions l
join targets t on t.id = l.target_id
cross join lateral jsonb_each_text(l.skipped) as k
where t.removed_at is null and l.updated_at > %(since)s and k.value::bigint > 0
  and (%(target)s::text is null or t.name = %(target)s)
group by t.name, k.key
order by t.name, k.key
