-- one row: the gaps of one reason that a target has in the window
select g.target, g.reason, count(*)::integer as count, coalesce(sum(g.statements), 0)::integer as statements,
       min(g.since) as first_at, max(g.until) as last_at, sum(g.seconds)::float8 as seconds
from pgadvisor.gaps g
where g.until > %(since)s and g.until <= %(until)s
  and (%(target)s::text is null or g.target = %(target)s)
group by g.target, g.reason
order by g.target, g.reason
