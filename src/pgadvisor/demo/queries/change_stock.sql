-- No row: takes pieces out of a warehouse.
update inventory
set quantity = greatest(0, quantity - %(pieces)s), updated_at = %(now)s
where product_id = %(product_id)s and warehouse_id = %(warehouse_id)s
