# Services: each has a directory of its own below "$base", in which are its command, its state and its log.
read_line
mkfifo_in() { rm -f "$1"; mkfifo -m 600 "$1"; }

# Ends a service, or what is left of one whose directory was taken away: asks first, then kills.
end_service() {
    old=CARTHAGE_SERVICE=$1
    kill_marked "$old" TERM
    waited=0
    while [ -n "$(marked "$old")" ] && [ "$waited" -lt "${grace:-50}" ]; do
        sleep 0.1 2>/dev/null || sleep 1
        waited=$((waited + 1))
    done
    kill_marked "$old" KILL
}

# Starts a service whose directory is complete, and waits until it runs.
begin_service() {
    dir=$1
    printf '%s\n' "$id" >"$dir/id"
    rm -f "$dir/exit" "$dir/pid"
    mkfifo_in "$dir/ready" || fail other "mkfifo failed"
    detach=
    command -v setsid >/dev/null && detach=setsid
    CARTHAGE_SERVICE="$dir" $detach /bin/sh -c "$supervise" </dev/null >/dev/null 2>&1 3>&- &
    read -r answer <"$dir/ready"
    rm -f "$dir/ready"
    case $answer in
        *" ok "*)
            pid=${answer##* ok }
            pid=${pid%%[!0-9]*}
            stat=$(cat "/proc/$pid/stat" 2>/dev/null)
            set -- ${stat##*) }
            printf '%s %s\n' "$pid" "${20:-0}" >"$dir/pid"
            ;;
    esac
}

alive() {
    read -r pid began <"$1/pid" 2>/dev/null || return 1
    [ -r "/proc/$pid/stat" ] || return 1
    stat=$(cat "/proc/$pid/stat" 2>/dev/null) || return 1
    set -- ${stat##*) }
    [ "$1" != Z ] && [ "${20}" = "$began" ]
}

case $operation in
    start)
        umask 077
        dir=$base/services/$name
        end_service "$dir"
        mkdir -p "$dir" || fail other "$dir cannot be made"
        printf '%s\n' "$spec" >"$dir/spec" && : >>"$dir/log" || fail other "$dir cannot be written"
        begin_service "$dir"
        case $answer in
            *" ok "*) ;;
            *" fail "*)
                rm -rf "$dir"
                reason=${answer##* fail }
                fail "${reason%?}"
                ;;
            *) rm -rf "$dir"; fail other "it ended before it was started" ;;
        esac
        ;;
    resume)
        umask 077
        first=$id
        count=0
        for dir in "$base"/services/*/; do
            [ -r "$dir/spec" ] || continue
            alive "${dir%/}" && continue
            # Who looked after it may still be about to write down how it ended.
            end_service "${dir%/}"
            count=$((count + 1))
            id=$first-$count-
            begin_service "${dir%/}"
        done
        id=$first
        ;;
    remove)
        end_service "$base/services/$name"
        rm -rf "$base/services/$name"
        ;;
    list)
        for dir in "$base"/services/*/; do
            dir=${dir%/}
            [ -r "$dir/spec" ] || continue
            if [ -r "$dir/exit" ]; then read -r state <"$dir/exit"; state="ended $state"
            elif alive "$dir"; then state="running $pid"
            else state="ended 137"; fi
            printf '%s %s\n' "${dir##*/}" "$state"
        done
        ;;
    forget)
        for dir in "$base"/services/*/; do end_service "${dir%/}"; done
        rm -rf "$base"
        rmdir "${base%/*}" 2>/dev/null || :
        ;;
esac
frame end 0 >&2
frame end 0
