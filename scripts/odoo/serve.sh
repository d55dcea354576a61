#!/usr/bin/env bash
# Run the servers that provision.sh installed.
#
#   serve.sh start   VERSION [--workers N] [--db NAME] [--fresh] [--for-tests]   start PostgreSQL and Odoo, make
#                    the database from the template if it is missing (--fresh: in any case), wait until RPC
#                    answers. A server started --for-tests is stopped by the last test run that leaves it
#   serve.sh stop    VERSION      stop that Odoo (and PostgreSQL when no other uses it)
#   serve.sh restart VERSION DB   stop that Odoo and start it again, with database DB
#   serve.sh restart-postgresql VERSION   the same for its PostgreSQL, without a word to its clients
#   serve.sh status  [VERSION]
#   serve.sh fresh   VERSION DB   make database DB from the template. The server may be running as long as
#                    it has not opened that database yet: take a new name per test session, 0.2 s each
#   serve.sh drop    VERSION DB
#   serve.sh env     VERSION [DB] URL, database, login, key, pid, log, PostgreSQL port, folder, as NAME=value lines
#   serve.sh psql    VERSION DB [PSQL ARGUMENTS]
#   serve.sh shell   VERSION DB   odoo shell: Python on standard input
#   serve.sh odoo    VERSION ARGS run the odoo command itself
#
# VERSION is 19 or 14, or 19-threaded or 14-threaded: a server without workers beside the other one, at another
# port, for the same databases. So are 19-few and 14-few, which have no more than 12 connections to their database.
# --workers 0 is the threaded server, N>0 the prefork one (default ZENOO_ODOO_WORKERS or 2).
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

conf() {
    # as many databases as 14 has memory for it keeps open; with 0 it opens one anew at nearly each call
    local soft=68719476736
    as_user mkdir -p "$CACHE/$V/data" "$RUN"
    as_user tee "$CONF" >/dev/null <<CONF
[options]
db_host = $PGSOCK
db_port = $PGPORT
db_user = odoo
db_maxconn = $DBCONNS
data_dir = $CACHE/$V/data
http_interface = 127.0.0.1
http_port = $PORT
$( [ "$V" = 14 ] && echo "longpolling_port = $((PORT+1000))" || echo "gevent_port = $((PORT+1000))" )
list_db = True
admin_passwd = admin
max_cron_threads = 0
limit_memory_soft = ${ZENOO_ODOO_MEMORY_SOFT:-$soft}
limit_memory_hard = ${ZENOO_ODOO_MEMORY_HARD:-0}
limit_time_cpu = ${ZENOO_ODOO_TIME_CPU:-600}
limit_time_real = ${ZENOO_ODOO_TIME_REAL:-1200}
limit_request = ${ZENOO_ODOO_REQUESTS:-65536}
$( [ "$V" = 14 ] || quick_passwords )
CONF
}
quick_passwords() { # prints the settings: 19 hashes for 0.3 s at each login by password, a fifth of its time in the tests
    local addons=$CACHE/$V/addons
    as_user mkdir -p "$addons/quick_passwords"
    echo "{'name': 'Quick passwords', 'license': 'LGPL-3'}" | as_user tee "$addons/quick_passwords/__manifest__.py" >/dev/null
    echo 'from odoo.addons.base.models import res_users; res_users.MIN_ROUNDS = 1' |
        as_user tee "$addons/quick_passwords/__init__.py" >/dev/null
    echo "addons_path = $CACHE/$V/src/usr/lib/python3/dist-packages/odoo/addons,$addons"
    echo "server_wide_modules = base,rpc,web,quick_passwords"
}
odoo_cmd() { # sets CMD: the command line that starts this version's Odoo
    # By default a worker hangs up after 2 s without a word, which is less than a crowded machine may keep it waiting.
    local patience=ODOO_HTTP_SOCKET_TIMEOUT=6
    case $V in
        19) CMD=(env $patience "PYTHONPATH=$CACHE/19/src/usr/lib/python3/dist-packages" "$CACHE/19/venv/bin/python" "$CACHE/19/src/usr/bin/odoo") ;;
        14) local r=$CACHE/14/root l
            l=$(ls -d "$r"/usr/lib/*-linux-gnu "$r"/lib/*-linux-gnu | paste -sd:)
            CMD=(env $patience "LD_LIBRARY_PATH=$l" "PYTHONHOME=$r/usr" "PYTZ_TZDATADIR=$r/usr/share/zoneinfo"
                 "PYTHONPATH=$CACHE/14/src/usr/lib/python3/dist-packages" PYTHONWARNINGS=ignore
                 "$r/usr/bin/python3.9" "$CACHE/14/src/usr/bin/odoo") ;;
    esac
}
filestore() { echo "$CACHE/$V/data/filestore/$1"; }
drop() { # as the superuser: nobody else may end an autovacuum that is at work in that database
    psql_ -U zenoo-super -d postgres -c "set client_min_messages=error" -c "drop database if exists \"$1\" with (force)"
    as_user rm -rf "$(filestore "$1")"
}
fresh() {
    db_exists "$TEMPLATE" || die "no template: run provision.sh $V"
    drop "$1"
    psql_ -d postgres -c "create database \"$1\" template $TEMPLATE strategy ${ZENOO_ODOO_COPY:-file_copy}"
    [ ! -d "$(filestore "$TEMPLATE")" ] || as_user cp -al "$(filestore "$TEMPLATE")" "$(filestore "$1")"
}
wait_rpc() { # wait_rpc URL DB PID: until common.login answers
    python3 - "$@" <<'PY'
import json, sys, time, urllib.request
url, db, pid = sys.argv[1:]
def call(service, method, *args):
    body = json.dumps({"jsonrpc": "2.0", "method": "call", "id": 1, "params": {"service": service, "method": method, "args": args}}).encode()
    r = urllib.request.urlopen(urllib.request.Request(url + "/jsonrpc", body, {"Content-Type": "application/json"}), timeout=60)
    return json.load(r)
end = time.time() + 90
while time.time() < end:
    try: alive = open(f"/proc/{pid}/cmdline").read()
    except OSError: alive = ""
    if not alive: sys.exit("the server died")
    try:
        r = call("common", "login", db, "admin", "admin")
        if r.get("result"): sys.exit(0)
        sys.exit("login: " + json.dumps(r)[:500])
    except OSError: time.sleep(0.05)
sys.exit("no answer in 90 s")
PY
}
start() {
    local workers=${ZENOO_ODOO_WORKERS:-2} db=demo new=0 tests=0 t0 pid extra=()
    while [ $# -gt 0 ]; do case $1 in
        --workers) workers=$2; shift 2;; --workers=*) workers=${1#*=}; shift;;
        --db) db=$2; shift 2;; --fresh) new=1; shift;; --for-tests) tests=1; shift;;
        --) shift; extra=("$@"); break;;
        *) die "what is $1?";; esac; done
    [ -z "$MODE" ] || workers=0
    t0=$(now)
    [ -f "$CACHE/$V/.template" ] || die "Odoo $V is not installed: run provision.sh $V"
    if odoo_pid >/dev/null && [ $new = 1 ]; then stop_odoo; fi     # its open registry would outlive its database
    conf; pg_start
    db_exists demo || fresh demo
    if [ $new = 1 ] || ! db_exists "$db"; then fresh "$db"; fi
    if pid=$(odoo_pid); then say "Odoo $N already runs (pid $pid), its settings kept"; else
        if [ $tests = 1 ]; then as_user touch "$FOR_TESTS"; else as_user rm -f "$FOR_TESTS"; fi
        odoo_cmd
        # -d loads a registry once before the workers fork, of a database that stays: without it, 19 ends as soon as
        # a worker does. db-filter keeps other databases reachable.
        ( AS_EXEC=exec; as_user setsid "${CMD[@]}" -c "$CONF" -d demo --db-filter='.*' --workers="$workers" \
            --pidfile="$(pidfile)" "${extra[@]}" ) >>"$RUN/odoo-$N.log" 2>&1 </dev/null 8>&- 9>&- &
        pid=$!; disown
    fi
    wait_rpc "http://127.0.0.1:$PORT" "$db" "$pid" ||
        { tail -5 "$RUN/odoo-$N.log" >&2; die "Odoo $N did not come up, see $RUN/odoo-$N.log"; }
    say "Odoo $N up in $(since "$t0"), pid $pid, workers=$workers, log $RUN/odoo-$N.log"
    env_ "$db"
}
env_() {
    echo "ODOO_URL=http://127.0.0.1:$PORT"; echo "ODOO_DB=${1:-demo}"; echo "ODOO_LOGIN=admin"; echo "ODOO_PASSWORD=admin"
    echo "ODOO_API_KEY=$(cat "$CACHE/$V/apikey" 2>/dev/null || true)"
    echo "ODOO_PID=$(odoo_pid || true)"; echo "ODOO_PGPORT=$PGPORT"; echo "ODOO_HOME=$CACHE/$V"
    echo "ODOO_LOG=$RUN/odoo-$V.log"
}
stop_odoo() {
    local pid p i left
    pid=$(odoo_pid) || { say "Odoo $N was not running"; return 0; }
    kill -TERM "$pid"
    for i in $(seq 200); do ours "$pid" || break; sleep 0.05; done     # (a zombie has no command line)
    # what is left of that very server: a master that did not listen, its workers
    for i in $(seq 40); do
        left=""; for p in /proc/[0-9]*; do p=${p#/proc/}; if ours "$p"; then left="$left $p"; fi; done
        [ -n "$left" ] || break
        [ "$i" -lt 20 ] || kill -KILL $left 2>/dev/null || true
        sleep 0.05
    done
    as_user rm -f "$(pidfile)" "$FOR_TESTS"
    say "Odoo $N stopped"
}
pg_clients() { psql_ -d postgres -Atc "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"; }
stop() {
    local i
    stop_odoo
    pg_running || return 0
    if any_odoo; then return 0; fi
    for i in $(seq 20); do
        [ "$(pg_clients)" != 0 ] || { pg_stop; return; }
        sleep 0.05
    done
    say "PostgreSQL of $V left running: it has other clients"
}
status() {
    local pid
    if pid=$(odoo_pid); then echo "odoo $N: running, pid $pid, http://127.0.0.1:$PORT"
    elif [ -f "$CACHE/$V/.template" ]; then echo "odoo $N: installed, stopped"; else echo "odoo $N: not installed"; fi
    if [ -d "$PGDATA" ] && pg_running; then echo "   postgresql running: $PGSOCK and 127.0.0.1:$PGPORT"; fi
}

[ $# -ge 1 ] || { sed -n '2,23s/^# \{0,1\}//p' "$0"; exit 2; }
what=$1; shift
if [ "$what" = status ] && [ $# = 0 ]; then for v in 19 19-threaded 19-few 14 14-threaded 14-few; do use $v; status; done; exit; fi
use "${1:?version}"; shift
case $what in start|stop|restart*|fresh|drop) as_user mkdir -p "$RUN"; exec 8>"$CACHE/$V/.serve.lock"; flock 8 ;; esac
case $what in
    start) start "$@" ;;
    stop) stop ;;
    restart)
        mark=(); [ ! -e "$FOR_TESTS" ] || mark=(--for-tests)
        stop_odoo; start --workers 2 --db "${1:?database}" "${mark[@]}" ;;
    restart-postgresql) pg_stop; pg_start ;;
    status) status ;;
    fresh) pg_start; fresh "${1:?database}" ;;
    drop) pg_start; drop "${1:?database}" ;;
    env) env_ "$@" ;;
    conf) conf ;;
    psql) db=${1:?database}; shift; as_user "$(pg_bin)/psql" -U odoo -d "$db" "$@" ;;
    shell) odoo_cmd; as_user "${CMD[@]}" shell -c "$CONF" -d "${1:?database}" --no-http ;;
    odoo) odoo_cmd; as_user "${CMD[@]}" -c "$CONF" "$@" ;;
    *) die "what is $what?" ;;
esac
