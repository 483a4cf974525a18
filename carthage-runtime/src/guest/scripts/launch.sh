# Runs a command to its end, and tells how it went; then the next one, as long as there may be one.
exec 3<&0 4>&2 5>&1 2>/dev/null
# Nobody writes to the input: that it ends means that whoever asked for the command is gone.
# The command may not have begun yet: it is looked for until this is over, and the dog with it.
watch() {
    {
        read -r _ <&3
        while :; do
            kill_marked "CARTHAGE_COMMAND=$id" KILL
            sleep 0.1 || sleep 1
        done
    } </dev/null >/dev/null 9>&- &
    dog=$!
}
run() {
    dog=
    [ "$input" = yes ] || watch
    as_user
    status=$?
    # Before anybody can know that the command is over, and close the input.
    if [ -n "$dog" ]; then
        kill -KILL "$dog"
        wait "$dog"
    fi
}
tell() {
    frame end "$status" >&4
    frame end "$status"
}
while read_line && { find_user || fail user 2>&4; } && [ "$again" = yes ]; do
    # This shell ends with whoever asked for the command, also while it waits below.
    { read -r _ <&3; kill -KILL "$$"; } </dev/null >/dev/null &
    leash=$!
    # This has ended when nobody holds descriptor 9 any more: then nobody holds the outputs either, and they may be the next one's.
    over=$(
        exec 9>&1 >&5
        run
        tell
        echo over >&9
    )
    kill -KILL "$leash"
    wait "$leash"
    [ "$over" = over ] || exit
    frame idle >&4
done
run
tell
# What the command did not read is taken, up to its end: some engines lose the output when it is not.
if [ "$input" = yes ]; then cat <&3 >/dev/null; fi
