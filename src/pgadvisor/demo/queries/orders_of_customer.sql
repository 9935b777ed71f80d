-- One row: one of the twenty newest orders of a customer.
select id, order_number, status, total_amount, created_at
from orders
where customer_id = %(customer_id)s
order by created_at desc
limit 20
