# Runs one command to its end, and tells how it went.
read_line
find_user || fail user
exec 3<&0
dog=
if [ "$input" = no ]; then
    # Nobody writes to it: that it ends means that whoever asked for the command is gone.
    { read -r _ <&3; kill_marked "$id" KILL; } </dev/null >/dev/null 2>&1 &
    dog=$!
fi
exec 4>&2 2>/dev/null
as_user
status=$?
exec 2>&4 4>&-
if [ -n "$dog" ]; then
    kill -KILL "$dog" 2>/dev/null
    wait "$dog" 2>/dev/null
fi
frame end "$status" >&2
frame end "$status"
