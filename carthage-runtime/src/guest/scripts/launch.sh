# Runs one command to its end, and tells how it went.
read_line
find_user || fail user
exec 3<&0
dog=
if [ "$input" = no ]; then
    # Nobody writes to it: that it ends means that whoever asked for the command is gone.
    # The command may not have begun yet: it is looked for until this is over, and the dog with it.
    {
        read -r _ <&3
        while :; do
            kill_marked "CARTHAGE_COMMAND=$id" KILL
            sleep 0.1 || sleep 1
        done
    } </dev/null >/dev/null 2>&1 &
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
# What the command did not read is taken, up to its end: some engines lose the output when it is not.
if [ "$input" = yes ]; then cat <&3 >/dev/null; fi
