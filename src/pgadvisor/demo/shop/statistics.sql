-- What the build itself read and wrote is no part of the shop's life. Before the vacuum, which
-- sets the numbers of rows and the time of the last analyze again.
select pg_stat_reset();
