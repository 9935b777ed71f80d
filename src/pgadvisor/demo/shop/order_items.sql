-- order_items: one row is a line of an order, 1 to 4 of them each.
create table order_items (
    order_id bigint not null,
    line_number smallint not null,
    product_id integer not null,
    quantity smallint not null,
    unit_price numeric(10, 2) not null
);
comment on table order_items is 'Lines of the orders';

insert into order_items
select o,
       n,
       shop_build.spread(
           shop_build.zipf(shop_build.u(o * 4 + n, 52), %(products)s, 0.8), %(products)s),
       1 + (power(shop_build.u(o * 4 + n, 53), 4) * 6)::integer,
       round((3 + 400 * power(shop_build.u(o * 4 + n, 54), 3))::numeric, 2)
from generate_series(1, %(orders)s) as o
cross join lateral generate_series(1, 1 + (shop_build.u(o, 51) * 3)::integer) as n;

alter table order_items add constraint order_items_pkey primary key (order_id, line_number);
