-- Helpers of the build, dropped at its end. All values derive from row numbers by hashing, never
-- from random(), so the data is the same on every machine and under every plan.
create schema shop_build;

-- A number in [0, 1) that looks random, the same for the same (i, seed).
create function shop_build.u(i bigint, seed bigint) returns double precision
    language sql immutable strict parallel safe as $$
    select (hashint8extended(i, seed) & 4503599627370495)::double precision / 4503599627370496
$$;

-- A rank in 1..n that follows a power law with exponent s (bounded Zipf), for u in [0, 1).
create function shop_build.zipf(u double precision, n bigint, s double precision) returns bigint
    language sql immutable strict parallel safe as $$
    select least(n, floor(power((power(n, 1 - s) - 1) * u + 1, 1 / (1 - s)))::bigint)
$$;

-- Spreads ranks over the ids 1..n, so that popular rows do not lie side by side.
create function shop_build.spread(rank bigint, n bigint) returns integer
    language sql immutable strict parallel safe as $$
    select (1 + mod(rank * 7919, n))::integer
$$;

-- The e-mail address of a customer, in mixed case as people type it.
create function shop_build.email(id bigint) returns text
    language sql immutable strict parallel safe as $$
    select (array['Ada', 'Ben', 'Cleo', 'Dan', 'Eva', 'Finn', 'Gus', 'Hana'])[1 + mod(id, 8)]
        || '.' || id || '@'
        || (array['example.com', 'example.org', 'example.net'])[1 + mod(id, 3)]
$$;
