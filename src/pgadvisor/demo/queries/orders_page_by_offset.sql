-- One row: an order on a page far behind.
select id, order_number, status, total_amount
from orders
order by id desc
limit 50 offset %(offset)s
