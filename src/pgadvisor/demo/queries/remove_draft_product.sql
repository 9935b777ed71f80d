-- No row: deletes a product; PostgreSQL then looks for lines of orders that refer to it.
delete from products where id = %(product_id)s
