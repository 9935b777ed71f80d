-- one row: how many gaps of one reason a target has in the whole history
select t.name as target, g.reason, count(*) as count
from gaps g
join targets t on t.id = g.target_id
group by t.name, g.reason
order by t.name, g.reason
