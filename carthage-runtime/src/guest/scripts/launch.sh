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
# Before anybody can know that the command is over, and close the input.
if [ -n "$dog" ]; then kill -KILL "$dog"; fi
frame end "$status" >&4
frame end "$status"
if [ -n "$dog" ]; then wait "$dog"; fi
# What the command did not read is taken, up to its end: some engines lose the output when it is not.
if [ "$input" = yes ]; then cat <&3 >/dev/null; fi
