#!/bin/bash
# Installs the release that contains this script, on Debian, as root, beside the running release. Switches to it when no
# run is in progress. After a failure, run it again: it continues. The release's folder has dist/, deploy/,
# requirements.lock and settings.env. Your own settings are in /etc/starschema/local.env, which the script never changes.
set -euo pipefail
release=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
current=/opt/starschema
home=/var/lib/starschema
etc=/etc/starschema
units=(starschema-code starschema-daemon starschema-web)
export DEBIAN_FRONTEND=noninteractive

say() { echo "install: $*"; }
fail() { say "$*" >&2; exit 1; }

shopt -s nullglob
wheels=("$release"/dist/*.whl)
[[ ${#wheels[@]} == 1 ]] || fail "$release/dist must contain one wheel, but has ${#wheels[@]}: run \`make wheel\`"
[[ -s $release/settings.env ]] || fail "$release/settings.env is missing: \`terraform output -raw dotenv\` prints it"
[[ -L $current || ! -e $current ]] || fail "$current exists and isn't a link to a release: move it away"

say "Debian's packages"
dpkg --configure -a # completes an installation that a reboot interrupted
install=(apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300
  ca-certificates curl postgresql python3-venv)
"${install[@]}" >/dev/null 2>&1 || { apt-get update -qq; "${install[@]}" >/dev/null; }

say "the user starschema, and the database for runs"
id starschema >/dev/null 2>&1 || useradd --system --home-dir "$home" --create-home starschema
systemctl enable --quiet --now postgresql
sql() { runuser -u postgres -- psql -qtAX -c "$1"; }
[[ $(sql "select 1 from pg_roles where rolname = 'starschema'") ]] || sql "create role starschema login"
[[ $(sql "select 1 from pg_database where datname = 'starschema'") ]] || sql "create database starschema owner starschema"

say "settings, and RDS's certificates"
install -d "$etc"
{
  cat "$release/settings.env"
  cat <<END
DAGSTER_HOME=$home
STARSCHEMA_SCRATCH=$home/scratch
STARSCHEMA_SOURCE_CA=$etc/rds.pem
STARSCHEMA_SCHEDULE_ON=true
STARSCHEMA_UI_URL=http://127.0.0.1:3000
END
} >"$etc/settings.env.new"
[[ -e $etc/local.env ]] || echo "# One NAME=value per line. These override settings.env." >"$etc/local.env"
if curl -fsS --retry 2 -o "$etc/rds.pem.new" https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem; then
  mv "$etc/rds.pem.new" "$etc/rds.pem"
elif [[ -s $etc/rds.pem ]]; then
  say "RDS's certificates can't be downloaded; keeping the existing ones"
else
  fail "RDS's certificates can't be downloaded"
fi

if [[ ! -e $release/.venv/installed ]]; then
  say "the project and its packages, at the versions in requirements.lock"
  venv=$release/.venv
  python3 -m venv --clear "$venv"
  awk '/^[^ ]/ { uv = /^uv==/ } uv' "$release/requirements.lock" >"$venv/uv.lock"
  "$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r "$venv/uv.lock"
  hash=$(sha256sum "${wheels[0]}" | cut -d ' ' -f 1)
  echo "starschema_assets @ file://${wheels[0]} --hash=sha256:$hash" >"$venv/wheel"
  "$venv/bin/uv" pip install -q --no-cache --compile-bytecode --require-hashes --python "$venv/bin/python" \
    --constraints "$release/requirements.lock" -r "$venv/wheel"
  touch "$venv/installed"
fi

# Runs a program of the running release with its Dagster instance
dagster() { # PYTHON-OR-PROGRAM ARGUMENTS…
  runuser -u starschema -- env -C / DAGSTER_HOME="$home" "$current/.venv/bin/$1" "${@:2}"
}
under_way() {
  dagster python -c '
from dagster import DagsterInstance, DagsterRunStatus as S, RunsFilter
print(DagsterInstance.get().get_runs_count(RunsFilter(statuses=[S.STARTING, S.STARTED, S.CANCELING])))'
}
# Only the daemon starts runs, so no run starts while it is stopped. During a run the daemon must monitor it.
stop_between_runs() {
  local runs=1 told=
  while [[ $runs != 0 ]]; do
    systemctl start starschema-daemon
    runs=$(under_way)
    if [[ $runs != 0 ]]; then
      [[ $told ]] || say "waiting for the run in progress"
      told=yes
      sleep 5
    else
      systemctl stop starschema-daemon
      runs=$(under_way)
    fi
  done
  systemctl stop "${units[@]}"
}
start() { # RELEASE: makes it the current release and starts it
  ln -sfn "$1" "$current"
  install -m 644 "$1"/deploy/*.service /etc/systemd/system/
  install -m 644 "$1/deploy/dagster.yaml" "$home/dagster.yaml"
  install -m 755 "$1/deploy/starschema-update" /usr/local/sbin/
  systemctl daemon-reload
  [[ ! $before ]] || dagster dagster instance migrate >/dev/null 2>&1
  systemctl enable --quiet "${units[@]}"
  systemctl restart "${units[@]}"
}
answers() {
  local deadline=$((SECONDS + 120))
  local entry='locationOrLoadError { __typename ... on PythonError { message } }'
  local query="{\"query\": \"{ workspaceOrError { ... on Workspace { locationEntries { $entry } } } }\"}"
  rm -f "$home/answer"
  until curl -fsS -o "$home/answer" --max-time 10 --json "$query" http://127.0.0.1:3000/graphql 2>/dev/null &&
    grep -q RepositoryLocation "$home/answer"; do
    ((SECONDS < deadline)) || return 1
    sleep 1
  done
}

before=$(readlink "$current" || true)
[[ -e $before/.venv/installed ]] || before=
if [[ $before ]]; then
  stop_between_runs
  cp "$etc/settings.env" "$etc/settings.env.before"
fi
say "starting $(basename "$release")"
mv "$etc/settings.env.new" "$etc/settings.env"
start "$release"
if ! answers; then
  journalctl --no-pager --output=cat --lines=20 --unit=starschema-code --unit=starschema-web >&2
  [[ ! -e $home/answer ]] || sed 's/\\n/\n/g' "$home/answer" >&2
  [[ $before && $before != "$release" ]] || fail "Dagster doesn't respond: see above"
  mv "$etc/settings.env.before" "$etc/settings.env"
  systemctl stop "${units[@]}"
  start "$before"
  fail "Dagster doesn't respond: see above. The previous release is running again."
fi
[[ $release != /opt/starschema-releases/* ]] ||
  find /opt/starschema-releases -mindepth 1 -maxdepth 1 ! -path "$release" ! -path "$before" -exec rm -r {} +

read -r host port < <(sed -nE 's|^STARSCHEMA_SOURCE_URL=mysql[^/]*//([^/]*@)?([^/:@]+):?([0-9]*)/.*|\2 \3|p' \
  "$etc/settings.env" "$etc/local.env" | tail -n 1) || true
if [[ ${host:-} ]] && ! timeout 10 bash -c "</dev/tcp/$host/${port:-3306}" 2>/dev/null; then
  fail "Dagster is running, but this machine can't reach the database $host:${port:-3306}: check security groups and routes"
fi
say "done: Dagster is running on http://127.0.0.1:3000 of this machine"
