#!/bin/bash
# In the place of the entrypoint of MariaDB's image: an empty folder becomes a database with the root
# password of the given file; then the server, with the arguments that docker-compose.yml gives it.
set -euo pipefail
data=/var/lib/mysql
if [[ ! -d "$data/mysql" ]]; then
  mariadb-install-db --no-defaults --datadir="$data" --skip-test-db --auth-root-authentication-method=normal > /dev/null
fi
password=$(cat "$MARIADB_ROOT_PASSWORD_FILE")
cat > /tmp/first.sql << SQL
CREATE USER IF NOT EXISTS root@'%';
ALTER USER root@'%' IDENTIFIED BY '$password', root@localhost IDENTIFIED BY '$password';
GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
CREATE USER IF NOT EXISTS healthy@localhost;
SQL
exec mariadbd --no-defaults --datadir="$data" --socket=/run/mysqld/mysqld.sock \
  --pid-file=/run/mysqld/mysqld.pid --bind-address=0.0.0.0 --tmpdir=/tmp --init-file=/tmp/first.sql "$@"
