#!/bin/sh
# The role the service works as. It owns its database and is no superuser: row-level security, the second wall between
# clinics, binds no superuser.
set -eu
password=$(cat /run/secrets/postgresql_password)
psql --username postgres --set ON_ERROR_STOP=1 --set password="$password" <<'SQL'
CREATE ROLE warmthread LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE warmthread OWNER warmthread;
SQL
