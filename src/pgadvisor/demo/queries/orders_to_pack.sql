-- One row: an order that waits to be packed, oldest first.
select id, order_number, shipping_country, created_at
from orders
where status = 'pending'
order by created_at
limit 100
