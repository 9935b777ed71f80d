-- One row: the oid of our role.
SELECT current_user::regrole::oid::bigint AS userid
