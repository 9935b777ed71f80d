-- one row: a span in which calls may be missing, newest first
select t.name as target, g.since, g.until, g.reason, g.statements
from gaps g
join targets t on t.id = g.target_id
where g.until > %(since)s and g.until <= %(until)s
order by g.until desc, g.id desc
limit %(limit)s
