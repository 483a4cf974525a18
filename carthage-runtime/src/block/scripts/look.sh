# Tells how things are, in the order in which they are asked for. Changes nothing.
look_path() {
    if [ -L "$path" ]; then
        frame link
        printf %s "$(readlink -- "$path")" >&4
    else
        frame plain
    fi
    [ -e "$path" ] || { frame none; return; }
    facts=$(stat -L -c '%f %s %u %g %U %G' -- "$path" 2>/dev/null) || { frame denied; return; }
    size=${facts#* }
    size=${size%% *}
    # Contents are wanted of all lengths, of what is short, and of what is as long as it is to be.
    if [ -f "$path" ] && [ -n "$contents" ] &&
        { [ "$contents" = all ] || [ "$size" -le 262144 ] || [ "$size" = "$contents" ]; }; then
        [ -r "$path" ] || { frame denied; return; }
        frame "$facts" read
        cat -- "$path" >&4
    else
        frame "$facts" unread
    fi
}
look_package() {
    state=$(package_is)
    frame "${state:-unknown}"
}
look_service() {
    runs=no enabled=no
    if has_systemd; then
        systemctl -q is-active -- "$name" 2>/dev/null && runs=yes
        systemctl -q is-enabled -- "$name" 2>/dev/null && enabled=yes
    elif [ -d /run/openrc ] && has rc-service; then
        rc-service -q -- "$name" status >/dev/null 2>&1 && runs=yes
        for level in sysinit boot default; do
            [ -e "/etc/runlevels/$level/$name" ] && enabled=yes
        done
    else
        frame unknown
        return
    fi
    frame "$runs $enabled"
}
look_user() {
    entry=$(passwd_of "$name")
    [ -n "$entry" ] || { frame none; return; }
    frame there
    printf '%s\n%s\n' "$entry" "$(id -nG "$name" 2>/dev/null)" >&4
}
look_keys() {
    entry=$(passwd_of "$name")
    [ -n "$entry" ] || { frame none; return; }
    entry=${entry#*:*:*:*:*:}
    home=${entry%%:*}
    frame home
    printf %s "$home" >&4
    path=$home/.ssh/authorized_keys contents=all
    look_path
}
look_checkout() {
    [ -e "$path" ] || { frame none; return; }
    has git || { frame unknown; return; }
    [ -e "$path/.git" ] || { frame other; return; }
    have=$(git_in rev-parse HEAD 2>/dev/null)
    case $revision in
        *[!0-9a-f]* | '') ;;
        *) if [ "${#revision}" -ge 40 ]; then frame "have $have $revision"; return; fi ;;
    esac
    # Where a tag leads to comes last.
    found=$(git_in ls-remote "$url" "${revision:-HEAD}" "refs/tags/$revision^{}" | tail -n 1)
    frame "have ${have:-none} ${found%%[!0-9a-f]*}"
}
look_guard() {
    if [ -n "$path" ]; then
        if [ -e "$path" ]; then frame same; else frame differs; fi
    elif words "$guard" >/dev/null 2>&1; then
        frame same
    else
        frame differs
    fi
}
while take && [ "$kind" != end ]; do "look_$kind"; done
frame end
