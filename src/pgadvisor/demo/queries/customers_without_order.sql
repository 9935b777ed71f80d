-- One row: a customer of a country, new in the window, who has not ordered.
select c.id, c.email
from customers c
where c.country = %(country)s
  and c.created_at >= %(since)s
  and c.id not in (select o.customer_id from orders o)
