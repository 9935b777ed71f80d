-- one row: a span in which calls may be missing, newest first
select g.target, g.since, g.until, g.reason, g.statements
from pgadvisor.gaps g
where g.until > %(since)s and g.until <= %(until)s
order by g.until desc, g.target, g.reason
limit %(limit)s
