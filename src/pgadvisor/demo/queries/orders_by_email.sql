-- One row: an order of whoever gave this address.
select id, order_number, status, total_amount, created_at
from orders
where contact_email = %(email)s
