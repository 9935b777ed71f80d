-- One row: the id of a product that nobody can order yet.
insert into products (category_id, sku, name, description, price, attributes, is_active,
                      created_at, updated_at)
values (%(category_id)s, 'DRAFT-' || nextval('products_id_seq'), 'Draft', 'To be written',
        1.00, '{}', false, %(now)s, %(now)s)
returning id as product_id
