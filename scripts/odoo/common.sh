# Shared settings of provision.sh and serve.sh (sourced, not run).
#
#   ZENOO_ODOO_CACHE    everything lives here: downloads, venvs, sources, database cluster
#                       (default ~/.cache/zenoo-odoo; for root, /var/cache/zenoo-odoo when
#                       the home folder is closed to other users)
#   ZENOO_ODOO_USER     unprivileged account that runs everything (only used when root;
#                       created if missing; default zenoo-odoo)
#   ZENOO_ODOO_PORT_19 / ZENOO_ODOO_PORT_14       HTTP ports (default 8019 / 8014), the threaded servers' 10
#                       above, and those with few database connections 20
#   ZENOO_ODOO_PGPORT_19 / ZENOO_ODOO_PGPORT_14   loopback ports of the private PostgreSQL clusters,
#                       one per Odoo version (default 5419 / 5414: below the range that systems hand out to clients)

set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say()  { printf '%s\n' "$*" >&2; }
die()  { printf 'error: %s\n' "$*" >&2; exit 1; }
now()  { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN{printf "%.1fs", b-a}'; }

IS_ROOT=0; [ "$(id -u)" = 0 ] && IS_ROOT=1
if [ $IS_ROOT = 1 ]; then RUNUSER=${ZENOO_ODOO_USER:-zenoo-odoo}; else RUNUSER=$(id -un); fi

default_cache() {
    local c="${XDG_CACHE_HOME:-$HOME/.cache}/zenoo-odoo" d
    if [ $IS_ROOT = 1 ]; then                       # the run user must be able to walk to it
        d=$c
        while [ "$d" != / ]; do
            if [ -d "$d" ] && [ "$d" != "$c" ]; then
                case $(stat -c %A "$d") in *x|*t) ;; *) echo /var/cache/zenoo-odoo; return;; esac
            fi
            d=$(dirname "$d")
        done
    fi
    echo "$c"
}
CACHE=${ZENOO_ODOO_CACHE:-$(default_cache)}
RUN=$CACHE/run

# use VERSION: sets V, the settings of that version's database cluster, and those of the server: N is
# its name, the VERSION given, MODE is `-threaded`, `-few` or nothing
use() {
    case $1 in
        19|19-threaded|19-few) PORT=${ZENOO_ODOO_PORT_19:-8019}; PGPORT=${ZENOO_ODOO_PGPORT_19:-5419} ;;
        14|14-threaded|14-few) PORT=${ZENOO_ODOO_PORT_14:-8014}; PGPORT=${ZENOO_ODOO_PGPORT_14:-5414} ;;
        *) die "no Odoo version '$1' here (19 or 14, with -threaded or -few)" ;;
    esac
    N=$1; V=${1%-*}; MODE=${1#"$V"}
    case $MODE in -threaded) PORT=$((PORT+10)); DBCONNS=64 ;; -few) PORT=$((PORT+20)); DBCONNS=12 ;; *) DBCONNS=32 ;; esac
    CONF=$CACHE/$V/odoo$MODE.conf; FOR_TESTS=$CACHE/$V/.for-tests$MODE
    PGDATA=$CACHE/$V/pg/data; PGSOCK=$CACHE/$V/pg/sock; TEMPLATE=template_odoo_$V
    # a unix socket path holds at most 107 bytes
    if [ ${#PGSOCK} -gt 80 ]; then PGSOCK=/tmp/zenoo-odoo-$V-$(printf %s "$CACHE" | cksum | cut -d' ' -f1); fi
}

# as_user CMD...: run CMD as the unprivileged account, with a small clean environment
# (AS_EXEC=exec in a background subshell makes $! the pid of CMD itself)
as_user() {
    local e=(env -i "HOME=$CACHE/home" "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
             "LANG=C.UTF-8" "TZ=UTC" "PGHOST=${PGSOCK:-}" "PGPORT=${PGPORT:-}")
    local v; for v in ${!PIP_@} http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY SSL_CERT_FILE REQUESTS_CA_BUNDLE; do
        [ -n "${!v+x}" ] && e+=("$v=${!v}")
    done
    if [ $IS_ROOT = 1 ]; then
        ${AS_EXEC:-} setpriv --reuid="$RUNUSER" --regid="$(id -gn "$RUNUSER")" --clear-groups "${e[@]}" "$@"
    else
        ${AS_EXEC:-} "${e[@]}" "$@"
    fi
}

# the newest PostgreSQL server binaries on this machine
pg_bin() {
    local d
    d=$(ls -d /usr/lib/postgresql/*/bin "$CACHE"/pgdist/usr/lib/postgresql/*/bin 2>/dev/null | sort -V | while read -r d; do [ -x "$d/initdb" ] && echo "$d"; done | tail -1)
    if [ -z "$d" ] && command -v initdb >/dev/null; then d=$(dirname "$(readlink -f "$(command -v initdb)")"); fi
    [ -n "$d" ] && echo "$d"
}

pg_running() { [ -s "$PGDATA/postmaster.pid" ] && as_user "$(pg_bin)/pg_ctl" -D "$PGDATA" status >/dev/null 2>&1; }
pg_start() {
    pg_running && return 0
    as_user mkdir -p "$PGSOCK" "$RUN"
    as_user "$(pg_bin)/pg_ctl" -D "$PGDATA" -l "$RUN/postgresql-$V.log" -w -t 30 start >/dev/null 8>&- 9>&- ||
        { tail -5 "$RUN/postgresql-$V.log" >&2; die "PostgreSQL did not start (port $PGPORT taken?)"; }
}
pg_stop() { pg_running && as_user "$(pg_bin)/pg_ctl" -D "$PGDATA" -m fast -w stop >/dev/null || true; }
psql_() { as_user "$(pg_bin)/psql" -X -q -v ON_ERROR_STOP=1 -U odoo "$@"; }
db_exists() { [ "$(psql_ -d postgres -Atc "select 1 from pg_database where datname='$1'")" = 1 ]; }

# the server N: its pid file, whether a pid is that server, its pid when it runs
pidfile() { echo "$RUN/odoo-$N.pid"; }
ours() { [ -r "/proc/$1/cmdline" ] && tr '\0' ' ' < "/proc/$1/cmdline" 2>/dev/null | grep -q -F -- "-c $CONF "; }
odoo_pid() { # prints the pid when that server runs
    local p; p=$(cat "$(pidfile)" 2>/dev/null || true)
    [ -n "$p" ] && ours "$p" && echo "$p"
}
any_odoo() { ( for n in "$V" "$V-threaded" "$V-few"; do use "$n"; odoo_pid && exit; done; exit 1 ) >/dev/null; }   # does one of version V run?
