#!/bin/sh
# Two roles. The owner of the database migrates it and nothing serves as it; the service works as another, which owns
# nothing and gets its rights by `warmthread db roles`. Neither is a superuser: row-level security, the second wall
# between clinics, binds no superuser.
set -eu
owner_password=$(cat /run/secrets/postgresql_owner_password)
password=$(cat /run/secrets/postgresql_password)
psql --username postgres --set ON_ERROR_STOP=1 --set owner_password="$owner_password" --set password="$password" <<'SQL'
CREATE ROLE warmthread LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
CREATE ROLE warmthread_service LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE warmthread OWNER warmthread;
SQL
