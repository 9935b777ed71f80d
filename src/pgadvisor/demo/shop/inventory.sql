-- inventory: one row is the stock of a product in a warehouse.
create table inventory (
    product_id integer not null,
    warehouse_id smallint not null,
    quantity integer not null,
    updated_at timestamptz not null
);
comment on table inventory is 'Stock by product and warehouse';

insert into inventory
select p, w, (shop_build.u(p * 4 + w, 21) * 500)::integer, %(now)s
from generate_series(1, %(products)s) as p, generate_series(1, 3) as w;

alter table inventory add constraint inventory_pkey primary key (product_id, warehouse_id);
