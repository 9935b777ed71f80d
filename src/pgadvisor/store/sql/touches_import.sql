-- one row: whether a window touches history that was imported
select exists (select from imported_spans i
               where i.since < %(until)s and i.until > %(since)s) as touches_import
