# Is the parent of a service: starts it, and writes down how it ended.
# Its environment says which; all that it starts is found by that, also when the directory is gone.
dir=$CARTHAGE_SERVICE
trap : TERM HUP INT
read -r mark <"$dir/id"
IFS= read -r line <"$dir/spec"
line="$line; id=$mark"
eval "$line"
exec 4>>"$dir/log" 5>"$dir/ready"
umask 022
frame() { printf '\036%s %s\036\n' "$id" "$*" >&5; }
fail() { frame fail "$*"; exit; }
find_user || fail user
as_user >&4
status=$?
# What a service has started ends with it.
kill_marked "CARTHAGE_COMMAND=$mark" KILL
umask 077
printf '%s\n' "$status" >"$dir/exit.new" && mv -f "$dir/exit.new" "$dir/exit"
