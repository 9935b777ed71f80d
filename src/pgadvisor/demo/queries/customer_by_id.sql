-- One row: the customer.
select id, email, full_name, country, city, segment, last_seen_at
from customers
where id = %(customer_id)s
