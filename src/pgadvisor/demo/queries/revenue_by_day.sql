-- One row: a day of the last weeks with its revenue.
select date_trunc('day', created_at) as day, count(*) as orders, sum(total_amount) as revenue
from orders
where created_at >= %(since)s
group by 1
order by 1
