-- One row: a product of a long list of ids.
select id, name, price from products where id in %(product_ids)s
