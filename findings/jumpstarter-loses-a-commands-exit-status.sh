#!/bin/sh
# jumpstarter 0.9.0 says success of commands that have failed, in two places, each of which a CI job would rest on:
#
# - `jmp shell --exporter-config FILE -- COMMAND`, with an exporter of its own, ends with 0 whatever COMMAND ended with.
#   With an exporter elsewhere (`--tls-grpc HOST:PORT`) the same command's status comes.
# - `j` of jumpstarter-driver-shell 0.9.0 ends with 0 where the method's script has failed. Numbers come from the driver
#   as floating-point ones, as protobuf's Value has them; the client hands on 7.0, and `j` takes an int for a status.
#
# What helps: an exporter that listens, and a client that makes an int of the number.
#
# Seen with Debian 12's Python 3.11.2. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
exporter=
trap '[ -z "$exporter" ] || kill "$exporter" 2>/dev/null; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jumpstarter==0.9.0 jumpstarter-cli==0.9.0 \
    jumpstarter-driver-composite==0.9.0 jumpstarter-driver-shell==0.9.0 2>/dev/null
cat >"$folder/exporter.yaml" <<'YAML'
apiVersion: jumpstarter.dev/v1alpha1
kind: ExporterConfig
metadata: {namespace: default, name: one}
export:
  shell:
    type: jumpstarter_driver_shell.driver.Shell
    config: {methods: {fails: "exit 7"}}
YAML
PATH="$folder/venv/bin:$PATH"
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
jmp run --exporter-config "$folder/exporter.yaml" --tls-grpc-listener "127.0.0.1:$port" --tls-grpc-insecure \
    >"$folder/log" 2>&1 &
exporter=$!
tries=0
until python3 -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { cat "$folder/log"; echo "no exporter within 20 s"; exit 1; }
    sleep 0.2
done

status() {  # what is asked, and its exit status
    what=$1
    shift
    "$@" >"$folder/said" 2>&1 && found=0 || found=$?
    printf '%-62s %s\n' "$what" $found
    echo $found >>"$folder/found"
}
status 'jmp shell --exporter-config FILE -- sh -c "exit 5"' \
    jmp shell --exporter-config "$folder/exporter.yaml" -- sh -c 'exit 5'
status 'jmp shell --tls-grpc HOST:PORT -- sh -c "exit 5"' \
    jmp shell --tls-grpc "127.0.0.1:$port" --tls-grpc-insecure -- sh -c 'exit 5'
status 'jmp shell --tls-grpc HOST:PORT -- j shell fails  (exit 7)' \
    jmp shell --tls-grpc "127.0.0.1:$port" --tls-grpc-insecure -- j shell fails
grep -q 'fails return code: 7' "$folder/log" || { cat "$folder/log"; echo "the method was not run"; exit 1; }
[ "$(tr '\n' ' ' <"$folder/found")" = "0 5 0 " ] || { echo "no longer as found"; exit 1; }
echo "as found"
