-- One row: one of the fifty newest orders.
select id, order_number, customer_id, status, total_amount, created_at
from orders
order by created_at desc
limit 50
