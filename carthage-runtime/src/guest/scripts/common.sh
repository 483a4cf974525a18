# Begins every script. What is particular to this run comes as one line on standard input, as assignments.
n='
'
read_line() {
    # Whoever sends an empty line wants to know whether somebody is there.
    while IFS= read -r line || exit 0; [ -z "$line" ]; do echo; done
    eval "$line"
}
frame() { printf '\036%s %s\036' "$id" "$*"; }
fail() {
    frame fail "$*" >&2
    if [ -n "$dog" ]; then kill -KILL "$dog"; fi
    exit 127
}

# Processes know by their environment which command they belong to, or which service, and so do all that they start.
marked() { grep -lzxF "$1" /proc/[0-9]*/environ 2>/dev/null; }
kill_marked() {
    # Without a number it would be all that any layout runs here.
    [ -n "$1" ] || return 0
    rounds=0
    while found=$(marked "$1"); [ -n "$found" ] && [ "$rounds" -lt 100 ]; do
        for file in $found; do
            file=${file#/proc/}
            kill "-$2" "${file%%/*}" 2>/dev/null
        done
        [ "$2" = KILL ] || return 0
        rounds=$((rounds + 1))
    done
}

# Sets uid, gid, name, home and shell for "$user", or for whoever runs this; me is that one's number.
find_user() {
    # A server of ssh has looked up who logs in, and said so.
    if [ -z "$user" ] && [ -n "$SSH_CONNECTION" ] && [ -n "$HOME" ] && [ -n "$USER" ] && [ -n "$SHELL" ]; then
        me= uid= name=$USER home=$HOME shell=$SHELL
        return
    fi
    while read -r key me _; do [ "$key" = Uid: ] && break; done </proc/self/status
    wanted=${user:-$me}
    found=
    if [ -r /etc/passwd ]; then
        while IFS=: read -r name _ uid gid _ home shell; do
            if [ "$name" = "$wanted" ] || [ "$uid" = "$wanted" ]; then found=1; break; fi
        done </etc/passwd
    fi
    if [ -z "$found" ] && command -v getent >/dev/null; then
        entry=$(getent passwd "$wanted") && found=1
        IFS=: read -r name _ uid gid _ home shell <<END
$entry
END
    fi
    if [ -z "$found" ]; then
        case $wanted in
            0 | root) name=root uid=0 gid=0 home=/root shell= ;;
            *[!0-9]*) return 1 ;;
            *) name=$wanted uid=$wanted gid=$wanted home=/ shell= ;;
        esac
    fi
    shell=${shell:-/bin/sh}
}

# Runs "$child" as that user, with descriptor 4 as its standard error: what this shell says of its end is not the command's.
as_user() {
    if [ "$uid" = "$me" ]; then
        ( exec 2>&4 4>&-; export HOME="$home" USER="$name" LOGNAME="$name" SHELL="$shell"; eval "$child" )
        return
    fi
    [ "$me" = 0 ] || fail privilege "$me" 2>&4
    if setpriv --help 2>/dev/null | grep -q -e --reuid; then
        groups=--clear-groups
        [ -n "$found" ] && groups=--init-groups
        line="$line" HOME="$home" USER="$name" LOGNAME="$name" SHELL="$shell" \
            setpriv "--reuid=$uid" "--regid=$gid" "$groups" /bin/sh -c "$child" 2>&4 4>&-
    elif command -v su >/dev/null && [ -n "$found" ]; then
        line="$line" su -s /bin/sh "$name" -c "$child" 2>&4 4>&-
    else
        fail switch 2>&4
    fi
}
