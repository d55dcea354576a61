#!/usr/bin/env bash
# Install real Odoo servers for tests, from the machine's own Debian mirror and PyPI only.
#
#   provision.sh [19] [14]      (default: 19)
#
# Idempotent: every step leaves a stamp with what it was made from and is skipped while the stamp
# holds. Nothing is installed system-wide except, when root and missing: an unprivileged account,
# PostgreSQL's server and python3-venv. See common.sh for the environment variables.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
T0=$(now)

# Modules of the template database; --skip-auto-install keeps the rest out (iap, sms, phone_validation...).
MODULES_19=${ZENOO_ODOO_MODULES_19:-base,rpc,contacts,product}
MODULES_14=${ZENOO_ODOO_MODULES_14:-base,contacts,product}
SUITE_19=${ZENOO_ODOO_SUITE_19:-sid}
SUITE_14=${ZENOO_ODOO_SUITE_14:-bullseye}

step() { STEP=$1; TS=$(now); }
done_() { say "$(printf '%-34s %8s' "$STEP" "$(since "$TS")")"; }
# stamped FILE WANT: true when FILE holds exactly WANT
stamped() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }
stamp() { printf %s "$2" | as_user tee "$1" >/dev/null; }

apt_host() {   # install Debian packages of this machine's own release
    [ $IS_ROOT = 1 ] || die "$* missing: run once as root, or install it"
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 && return
    apt-get update -qq >/dev/null
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# --- the account, the folders, the tools -----------------------------------------------------------
base_setup() {
    if [ $IS_ROOT = 1 ] && ! id "$RUNUSER" >/dev/null 2>&1; then
        useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$RUNUSER"
    fi
    mkdir -p "$CACHE"
    [ $IS_ROOT = 1 ] && chown "$RUNUSER:" "$CACHE"
    as_user test -w "$CACHE" || die "$RUNUSER cannot write $CACHE (is a parent folder closed? set ZENOO_ODOO_CACHE)"
    as_user mkdir -p "$CACHE"/{home,run,apt,deb}
    exec 9>"$CACHE/.lock"; flock 9
    if [ -z "$(pg_bin)" ]; then
        step "postgresql (apt)"
        if [ ! -e /etc/postgresql-common/createcluster.conf ]; then      # no cluster on 5432, please
            mkdir -p /etc/postgresql-common
            echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
        fi
        apt_host postgresql
        [ -n "$(pg_bin)" ] || die "no initdb after installing postgresql"
        done_
    fi
    if ! /usr/bin/python3 -c 'import ensurepip' 2>/dev/null; then
        step "python3-venv (apt)"; apt_host python3-venv; done_
    fi
}

# --- apt of another suite, without touching the machine's own lists ----------------------------------
mirror() {  # the main archive of this machine's apt configuration
    { awk '/^URIs:/{for(i=2;i<=NF;i++) print $i}' /etc/apt/sources.list.d/*.sources 2>/dev/null || true
      awk '$1=="deb"{for(i=2;i<=NF;i++) if ($i ~ /^[a-z]+:\/\//) {print $i; break}}' /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true
    } | grep -v -E 'security|backports' | grep -E '/debian/?$' | head -1
}
apt_suite() { # apt_suite SUITE apt-get|apt-cache ARGS...
    local s=$1 tool=$2 d=$CACHE/apt/$1; shift 2
    as_user "$tool" -o Dir::Etc::SourceList="$d/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State="$d/state" -o Dir::State::Lists="$d/lists" -o Dir::State::status="$d/status" -o Dir::Cache="$d/cache" \
        -o Debug::NoLocking=1 -o Acquire::Languages=none -o APT::Sandbox::User= -o APT::Update::Post-Invoke=/bin/true \
        -o Acquire::Check-Valid-Until=false -o Acquire::GzipIndexes=true -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -q "$@"
}
apt_lists() { # fetch the lists of SUITE when absent
    local s=$1 d=$CACHE/apt/$1 m
    m=$(mirror); [ -n "$m" ] || die "no Debian mirror found in the apt configuration"
    as_user mkdir -p "$d/lists/partial" "$d/cache/archives/partial" "$d/state"
    as_user touch "$d/status"
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$m" "$s" | as_user tee "$d/sources.list" >/dev/null
    ls "$d"/lists/*_Packages* >/dev/null 2>&1 || apt_suite "$s" apt-get update >"$RUN/apt-$s.log" 2>&1 || die "apt-get update of $s failed, see $RUN/apt-$s.log"
}
download() { # download SUITE FOLDER PACKAGE...: with fresh lists once more when the first try fails (a stale list)
    local s=$1 folder=$2 i; shift 2
    for i in 1 2; do
        apt_lists "$s"
        ( cd "$folder" && apt_suite "$s" apt-get download "$@" >"$RUN/apt-$s.log" 2>&1 ) && return
        as_user rm -rf "$CACHE/apt/$s/lists"
    done
    tail -3 "$RUN/apt-$s.log" >&2; die "download from $s failed, see $RUN/apt-$s.log"
}
fetch_deb() { # fetch_deb SUITE PACKAGE: prints the path of the .deb, downloading it only when absent
    ls "$CACHE/deb/$2"_*.deb >/dev/null 2>&1 || download "$1" "$CACHE/deb" "$2"
    ls "$CACHE/deb/$2"_*.deb | tail -1
}

# --- Odoo 19: sources of sid's odoo-19, Python packages of PyPI ---------------------------------------
python_19() { # an interpreter that Odoo 19 accepts and the run user can execute
    local p
    for p in ${ZENOO_ODOO_PYTHON:-} /usr/bin/python3.11 /usr/bin/python3.12 /usr/bin/python3.10 /usr/bin/python3; do
        [ -x "$p" ] && as_user "$p" -c 'import sys,ensurepip; sys.exit(not (3,10)<=sys.version_info[:2]<(3,13))' 2>/dev/null && { echo "$p"; return; }
    done
    die "no Python 3.10 to 3.12 that $RUNUSER can run (set ZENOO_ODOO_PYTHON)"
}
# Left out of the sources: translations, tests, the web client's scripts and styles (RPC needs none of
# them; images stay, modules load some), the localisations, and the package's stray second copy of the
# addons. ZENOO_ODOO_FULL=1 keeps everything.
TRIM=(--exclude='*/i18n' --exclude='*/i18n_extra' --exclude='*/static/lib' --exclude='*/static/fonts' --exclude='*/static/tests'
      --exclude='*/static/src/*.js' --exclude='*/static/src/*.scss' --exclude='*/addons/*/tests' --exclude='*/addons/l10n_*'
      --exclude='*/dist-packages/addons' --exclude='*/dist-packages/setup')
[ "${ZENOO_ODOO_FULL:-0}" = 1 ] && TRIM=(--exclude='*/dist-packages/addons')

unpack() { # unpack VERSION DEB
    local v=$1 deb=$2 want
    want="$(basename "$deb") ${TRIM[*]}"
    stamped "$CACHE/$v/.src" "$want" && return
    as_user rm -rf "$CACHE/$v/src"; as_user mkdir -p "$CACHE/$v/src"
    dpkg-deb --fsys-tarfile "$deb" | as_user tar -x -C "$CACHE/$v/src" --no-same-owner "${TRIM[@]}"
    stamp "$CACHE/$v/.src" "$want"
}
venv_19() {
    local want py
    py=$(python_19); want="$("$py" --version) $(sha256sum < "$HERE/requirements-19.txt")"
    stamped "$CACHE/19/.venv" "$want" && return
    as_user rm -rf "$CACHE/19/venv"; as_user mkdir -p "$CACHE/19"
    as_user "$py" -m venv "$CACHE/19/venv"
    if ! stamped "$CACHE/wheels/.done" "$want"; then
        as_user mkdir -p "$CACHE/wheels"
        as_user "$CACHE/19/venv/bin/pip" download -q --no-cache-dir --no-deps --only-binary :all: -d "$CACHE/wheels" -r /dev/stdin \
            < "$HERE/requirements-19.txt" >"$RUN/pip-19.log" 2>&1 || { tail -5 "$RUN/pip-19.log" >&2; die "pip download failed"; }
        stamp "$CACHE/wheels/.done" "$want"
    fi
    as_user "$CACHE/19/venv/bin/pip" install -q --no-cache-dir --no-deps --no-compile --no-index --find-links "$CACHE/wheels" -r /dev/stdin \
        < "$HERE/requirements-19.txt" >"$RUN/pip-19.log" 2>&1 || { tail -5 "$RUN/pip-19.log" >&2; die "pip failed"; }
    stamp "$CACHE/19/.venv" "$want"
}
install_19() {
    local deb pid rc=0
    step "19: venv and sources"
    venv_19 & pid=$!
    deb=$(fetch_deb "$SUITE_19" odoo-19)
    unpack 19 "$deb"
    wait $pid || rc=$?
    [ $rc = 0 ] || die "the Python environment of Odoo 19 failed"
    done_
}

# --- Odoo 14: everything from bullseye, Python 3.9 included ---------------------------------------------
# The package's Python dependencies and the libraries under them are unpacked side by side into one
# folder, which then runs on this machine's own libc: no chroot, no root, nothing installed.
NOT_14='^(libc6|gcc-10-base|coreutils|dpkg|tar|sed|perl.*|libperl.*|debconf|sgml-base|xml-core|ucf|sensible-utils|openssl|ca-certificates|mailcap|mime-support|media-types|readline-common|libacl1|libattr1|libselinux1|libpcre2-8-0|libgdbm.*|fonts-.*|fontconfig.*|libjs-.*)$'
python_14() { # python_14 DEB
    local deb=$1 want deps d list
    deps=$(dpkg-deb -f "$deb" Depends | tr ',' '\n' | sed 's/[(|:].*//; s/ //g' | grep '^python3-' | grep -v -E '^python3-(pydot|suds|usb|serial)$')
    want="$(basename "$deb") $(echo $deps) $NOT_14"
    stamped "$CACHE/14/.root" "$want" && return
    apt_lists "$SUITE_14"
    as_user rm -rf "$CACHE/14/root"; as_user mkdir -p "$CACHE/14/root" "$CACHE/deb/14"
    list=$(apt_suite "$SUITE_14" apt-get -s install --no-install-recommends $deps 2>/dev/null | awk '/^Inst/{print $2}' | grep -v -E "$NOT_14")
    [ -n "$list" ] || die "apt could not resolve the dependencies of odoo-14"
    for d in $list; do ls "$CACHE/deb/14/${d}"_*.deb >/dev/null 2>&1 || echo "$d"; done | as_user tee "$CACHE/deb/14.missing" >/dev/null
    if [ -s "$CACHE/deb/14.missing" ]; then
        download "$SUITE_14" "$CACHE/deb/14" $(cat "$CACHE/deb/14.missing")
    fi
    for d in $list; do
        dpkg-deb --fsys-tarfile "$CACHE/deb/14/${d}"_*.deb | as_user tar -x -C "$CACHE/14/root" --no-same-owner --exclude=./usr/share/doc --exclude=./usr/share/man
    done
    # Debian's docutils and pytz look under /usr/share: point them into the folder (pytz: see serve.sh)
    as_user sed -i "s#'/usr/share/docutils/'#'$CACHE/14/root/usr/share/docutils/'#" "$CACHE/14/root/usr/lib/python3/dist-packages/docutils/__init__.py"
    stamp "$CACHE/14/.root" "$want"
}
install_14() {
    local deb
    step "14: Python 3.9 and sources"
    deb=$(fetch_deb "$SUITE_14" odoo-14)
    unpack 14 "$deb"
    python_14 "$deb"
    done_
}

# --- the private PostgreSQL cluster ---------------------------------------------------------------------
cluster() {
    local b want; b=$(pg_bin); want=$("$b/postgres" --version | sed -E 's/.* ([0-9]+)\..*/\1/')
    if [ ! -s "$PGDATA/PG_VERSION" ]; then
        step "$V: database cluster"
        as_user mkdir -p "$CACHE/$V/pg"
        as_user "$b/initdb" -D "$PGDATA" -U zenoo-super --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >/dev/null
        done_
    fi
    [ "$(cat "$PGDATA/PG_VERSION")" = "$want" ] ||
        die "the cluster in $PGDATA is of PostgreSQL $(cat "$PGDATA/PG_VERSION"), the binaries of $want: remove $CACHE/$V/pg"
    as_user tee "$PGDATA/postgresql.auto.conf" >/dev/null <<CONF
# written by provision.sh: a throwaway cluster for tests, loopback only
listen_addresses = '127.0.0.1'
port = $PGPORT
unix_socket_directories = '$PGSOCK'
max_connections = 200
shared_buffers = 256MB
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 1GB
min_wal_size = 80MB
checkpoint_timeout = 30min
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
CONF
    pg_start
    as_user "$b/psql" -X -q -U zenoo-super -d postgres -Atc "select 1 from pg_roles where rolname='odoo'" | grep -q 1 ||
        as_user "$b/psql" -X -q -U zenoo-super -d postgres -c "create role odoo login createdb"
}

# --- the template database -----------------------------------------------------------------------------
template() { # template MODULES
    local mods=$1 want
    want="$(cat "$CACHE/$V/.src") $mods $(cat "$PGDATA/PG_VERSION") $(cksum < "$HERE/prepare_template.py")"
    if stamped "$CACHE/$V/.template" "$want" && db_exists "$TEMPLATE"; then return; fi
    step "$V: template ($mods)"
    "$HERE/serve.sh" conf "$V"
    if db_exists "$TEMPLATE"; then
        psql_ -d postgres -c "alter database $TEMPLATE is_template false" -c "alter database $TEMPLATE allow_connections true" \
            -c "drop database $TEMPLATE with (force)"
    fi
    as_user rm -rf "$CACHE/$V/data/filestore/$TEMPLATE" "$CACHE/$V/apikey"
    "$HERE/serve.sh" odoo "$V" -d "$TEMPLATE" -i "$mods" $( [ "$V" = 19 ] && echo --skip-auto-install ) --without-demo=all \
        --stop-after-init --no-http >"$RUN/init-$V.log" 2>&1 || true
    [ "$(psql_ -d "$TEMPLATE" -Atc "select count(*) from ir_module_module where name in ('base','product') and state='installed'" 2>/dev/null)" = 2 ] ||
        { grep -E 'ERROR|CRITICAL|Error' "$RUN/init-$V.log" | tail -5 >&2; die "initialisation of Odoo $V failed, see $RUN/init-$V.log"; }
    # the API key and the second user, the same in every database copied from the template
    { printf "KEY_FILE = '%s'\n" "$CACHE/$V/apikey"; cat "$HERE/prepare_template.py"; } |
        "$HERE/serve.sh" shell "$V" "$TEMPLATE" >"$RUN/prepare-$V.log" 2>&1 || true
    [ -s "$CACHE/$V/apikey" ] || { tail -3 "$RUN/prepare-$V.log" >&2; die "the template was not prepared, see $RUN/prepare-$V.log"; }
    psql_ -d "$TEMPLATE" -c "vacuum analyze" >/dev/null 2>&1 || true
    psql_ -d postgres -c "alter database $TEMPLATE is_template true" -c "alter database $TEMPLATE allow_connections false"
    stamp "$CACHE/$V/.template" "$want"
    done_
}

# Stop PostgreSQL if this script started it, unless a server was started on it meanwhile.
leave() {
    [ $WAS_UP = 0 ] || return 0
    ( exec 8>"$CACHE/$V/.serve.lock"; flock 8; any_odoo || pg_stop )
}

VERSIONS=("$@"); [ ${#VERSIONS[@]} -gt 0 ] || VERSIONS=(19)
for v in "${VERSIONS[@]}"; do use "$v"; done
unset V PGDATA PGSOCK PGPORT
base_setup
for v in "${VERSIONS[@]}"; do
    use "$v"
    WAS_UP=0; if [ -s "$PGDATA/PG_VERSION" ] && pg_running; then WAS_UP=1; fi
    trap leave EXIT
    as_user mkdir -p "$CACHE/$v"
    "install_$v"
    cluster
    m=MODULES_$v; template "${!m}"
    leave
done
trap - EXIT
say "ready in $(since "$T0"): $CACHE ($(du -sh "$CACHE" 2>/dev/null | cut -f1))"
