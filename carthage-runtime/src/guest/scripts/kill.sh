# Kills what belongs to a command, or sends its first process a signal.
read_line
if [ -n "$pid" ]; then kill "-$signal" "$pid"; else kill_marked "CARTHAGE_COMMAND=$command" KILL; fi
status=$?
frame end "$status" >&2
frame end "$status"
