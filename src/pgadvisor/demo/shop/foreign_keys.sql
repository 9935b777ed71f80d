-- Foreign keys, checked against the loaded rows. Without an index on the referencing column, on
-- purpose: order_items.product_id, payments.order_id, reviews.customer_id, events.customer_id
-- and (harmless, the table is tiny) categories.parent_id.
alter table categories
    add constraint categories_parent_id_fkey foreign key (parent_id) references categories (id);
alter table products
    add constraint products_category_id_fkey foreign key (category_id) references categories (id);
alter table inventory
    add constraint inventory_product_id_fkey foreign key (product_id) references products (id);
alter table orders
    add constraint orders_customer_id_fkey foreign key (customer_id) references customers (id);
alter table order_items
    add constraint order_items_order_id_fkey foreign key (order_id) references orders (id)
        on delete cascade;
alter table order_items
    add constraint order_items_product_id_fkey foreign key (product_id) references products (id);
alter table payments
    add constraint payments_order_id_fkey foreign key (order_id) references orders (id);
alter table reviews
    add constraint reviews_product_id_fkey foreign key (product_id) references products (id);
alter table reviews
    add constraint reviews_customer_id_fkey foreign key (customer_id) references customers (id);
alter table events
    add constraint events_customer_id_fkey foreign key (customer_id) references customers (id);
drop schema shop_build cascade;
