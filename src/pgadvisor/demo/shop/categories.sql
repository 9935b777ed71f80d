-- categories: one row is a shelf of the shop; the first 20 are roots.
create table categories (
    id integer not null,
    parent_id integer,
    name text not null,
    slug text not null
);
comment on table categories is 'Shelves of the shop, two levels deep';

insert into categories
select i,
       case when i > 20 then 1 + mod(i, 20) end,
       'Category ' || i,
       'category-' || i
from generate_series(1, %(categories)s) as i;

alter table categories
    add constraint categories_pkey primary key (id),
    add constraint categories_slug_key unique (slug);
