-- one row: how many gaps of one reason a target has in the whole history
select g.target, g.reason, count(*) as count
from pgadvisor.gaps g
group by g.target, g.reason
order by g.target, g.reason
