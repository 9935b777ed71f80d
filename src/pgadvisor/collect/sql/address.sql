-- One row: the address of the server as it sees itself, where the system identifier is hidden.
SELECT
    'address ' || coalesce(host(inet_server_addr()), 'local') || ':' || current_setting('port')
