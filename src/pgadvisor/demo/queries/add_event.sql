-- No row: writes one event.
insert into events (customer_id, kind, created_at, payload)
values (%(customer_id)s, %(kind)s, %(now)s,
        jsonb_build_object('sku', %(sku)s::text, 'campaign', %(campaign)s::text))
