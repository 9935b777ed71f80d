-- One row: the customer with this address, however it was typed.
select id, email, full_name
from customers
where lower(email) = lower(%(email)s)
