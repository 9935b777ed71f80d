-- One row: the id of the new order, for each of its two lines.
with fresh as (
    select nextval('orders_id_seq') as id
), placed as (
    insert into orders (id, order_number, customer_id, contact_email, status, total_amount,
                        shipping_country, shipping_city, created_at, updated_at)
    select id, 1000000000 + id * 10, %(customer_id)s, %(email)s, 'pending', 49.90,
           'DE', 'City 1', %(now)s, %(now)s
    from fresh
    returning id
)
insert into order_items (order_id, line_number, product_id, quantity, unit_price)
select placed.id, line.number, line.product_id, 1, 24.95
from placed
cross join (values (1, %(product_id)s), (2, %(other_product_id)s)) as line (number, product_id)
returning order_id
