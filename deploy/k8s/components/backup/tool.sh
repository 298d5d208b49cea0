#!/bin/sh
# Runs ArangoDB's own tools, in ArangoDB's own image, for the container beside it. They meet in the folder HANDOVER:
#
#   request    what to run, an argument a line, the tool first; taken away when it is begun
#   status     its exit status, when it has ended
#   alive      touched every few seconds
#   end        there is no more to do
#
# What the tool says is this container's log.
set -u
umask 077
handover=${HANDOVER:?}
running=

stop() {
    [ -z "$running" ] || kill "$running" 2>/dev/null
    kill "$beating" 2>/dev/null
    exit 0
}

beat() {
    # Also while a tool runs there may be no more to do: whoever asked has given up.
    while [ ! -e "$handover/end" ]; do
        : > "$handover/alive"
        sleep 2
    done
    kill -TERM $$
}

answer() {
    echo "$1" > "$handover/status.new"
    mv "$handover/status.new" "$handover/status"
}

run() {
    set --
    while IFS= read -r argument; do
        set -- "$@" "$argument"
    done < "$handover/request"
    rm "$handover/request"
    case ${1:-} in
        arangodump | arangorestore) ;;
        *) echo "tool.sh does not run ${1:-nothing}" >&2; answer 2; return ;;
    esac
    "$@" &
    running=$!
    status=0
    wait "$running" || status=$?
    running=
    answer "$status"
}

beat &
beating=$!
trap stop TERM INT
while [ ! -e "$handover/end" ]; do
    if [ -e "$handover/request" ]; then
        run
    else
        sleep "${POLL:-1}" &
        wait $!
    fi
done
stop
