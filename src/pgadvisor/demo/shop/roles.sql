-- The two roles of the shop: pages in a hurry, and reports with a work_mem of their own.
do $$
begin
    if not exists (select from pg_roles where rolname = 'shop_web') then
        create role shop_web login;
        create role shop_report login;
    end if;
end
$$;
alter role shop_report set work_mem = '2MB';
grant usage on schema public to shop_web, shop_report;
grant select, insert, update, delete on all tables in schema public to shop_web;
grant usage on all sequences in schema public to shop_web;
grant select on all tables in schema public to shop_report;
