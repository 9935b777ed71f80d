-- one row: how many recommendations of a database are in one state
select t.name as target, r.database_name, r.state, count(*) as count
from optimization_recommendations r
join targets t on t.id = r.target_id
group by t.name, r.database_name, r.state
order by t.name, r.database_name, r.state
