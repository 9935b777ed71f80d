-- One row: one of the three largest orders of a country in the window.
select shipping_country, order_number, contact_email, total_amount
from (
    select o.shipping_country, o.order_number, o.contact_email, o.total_amount,
           row_number() over (
               partition by o.shipping_country order by o.total_amount desc, o.id) as place
    from orders o
    where o.created_at >= %(since)s
) as ranked
where place <= 3
