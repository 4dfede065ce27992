#!/bin/sh
# Run once by PostgreSQL's image, when the database is made: the role that Grafana reads the views with.
# The monitor's migrations give it those views and nothing else.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set password="$(cat /run/secrets/grafana_postgres_password)" <<'SQL'
create role grafana login password :'password';
SQL
