# One operation on a file. What fails says so with the text of the program that failed.
read_line
message=
# The messages of programs, so that they can be told.
tell() { message=$("$@" 2>&1) || fail other "$message"; }
stat_of() { stat -c '%f %s %u %g' -- "$path" || fail other "stat failed"; }
exists() { [ -e "$path" ] || [ -L "$path" ]; }
case $operation in
    stat) if exists; then stat_of; fi ;;
    read)
        exists || fail missing
        [ ! -d "$path" ] || fail directory
        [ -r "$path" ] || fail denied
        frame ok 0 >&2
        cat -- "$path"
        ;;
    write)
        parent=${path%/*}
        parent=${parent:-/}
        [ -d "$parent" ] || tell mkdir -p -- "$parent"
        if [ -L "$path" ]; then path=$(readlink -f -- "$path") || fail other "its link leads nowhere"; fi
        [ ! -d "$path" ] || fail directory
        new=${path%/*}/.carthage-$id
        owner=
        if [ -e "$path" ]; then
            owner=$(stat -c '%u:%g' -- "$path")
            [ -n "$mode" ] || mode=$(stat -c '%a' -- "$path")
        fi
        message=$( (umask 077; : >"$new") 2>&1) || fail other "$message"
        trap 'rm -f -- "$new"' EXIT
        frame ok 0 >&2
        # What was cut off on its way is not there.
        message=$({ cat >"$new" && [ "$(wc -c <"$new")" -eq "$length" ] && chmod "${mode:-644}" "$new" &&
            { [ -z "$owner" ] || chown "$owner" "$new"; } && mv -f -- "$new" "$path"; } 2>&1)
        ;;
    list)
        exists || fail missing
        [ -d "$path" ] || fail file
        cd -- "$path" || fail denied
        for name in .* *; do
            case $name in . | ..) continue ;; esac
            if [ -e "$name" ] || [ -L "$name" ]; then printf '%s\0' "$name"; fi
        done
        ;;
    directory)
        tell mkdir -p -- "$path"
        if [ -n "$mode" ]; then tell chmod "$mode" "$path"; fi
        ;;
    remove) tell rm -rf -- "$path" ;;
    hosts)
        # In place: an engine may have mounted it.
        rest=$(sed '/^# carthage begin$/,/^# carthage end$/d' /etc/hosts 2>/dev/null)
        { printf '%s\n' "$rest" '# carthage begin'; printf '%s' "$hosts"; echo '# carthage end'; } >/etc/hosts ||
            fail other "/etc/hosts cannot be written"
        ;;
esac
status=$?
frame end "$status $message" >&2
frame end "$status"
