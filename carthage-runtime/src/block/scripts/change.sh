# Changes things, in the order in which they come; the first that fails is the last. How far it came stands between what programs
# write, so that it is known whose that is.
frame() { printf '\036%s %s\036\n' "$id" "$*" >&2; }
give_up() {
    [ -z "$1" ] || printf '%s\n' "$1"
    frame failed
    exit 0
}
new=
trap '[ -z "$new" ] || rm -f -- "$new"' EXIT
whole=
dd iflag=fullblock bs=1 count=0 2>/dev/null && whole=1
# Writes the next $length bytes of the input, and takes no more of it.
receive() {
    if [ -z "$whole" ]; then
        [ "$length" -eq 0 ] || dd ibs=1 obs=4096 "count=$length"
    else
        [ "$length" -lt 65536 ] || dd iflag=fullblock bs=65536 "count=$((length / 65536))"
        [ "$((length % 65536))" -eq 0 ] || dd iflag=fullblock "bs=$((length % 65536))" count=1
    fi <&3 2>/dev/null
}
# Owner and group first: a change of them takes away bits of the mode.
belong() {
    if [ -n "$owner" ]; then chown "$owner" "$1" || return; fi
    if [ -n "$group" ]; then chgrp "$group" "$1" || return; fi
    [ -z "$mode" ] || chmod "$mode" "$1"
}
change_write() {
    parent=${path%/*}
    [ -d "${parent:-/}" ] || mkdir -p -- "$parent" || return
    if [ -L "$path" ]; then
        path=$(readlink -f -- "$path") || give_up "the link $path leads nowhere"
    fi
    [ ! -d "$path" ] || give_up "$path is a directory"
    new=${path%/*}/.carthage-$id
    (umask 077 && : >"$new") && receive >"$new" || return
    [ "$(wc -c <"$new")" -eq "$length" ] || give_up "what $path is to hold did not arrive"
    if [ -e "$path" ]; then
        owner=${owner:-$(stat -c %u -- "$path")}
        group=${group:-$(stat -c %g -- "$path")}
        mode=${mode:-$(stat -c %a -- "$path")}
    fi
    mode=${mode:-644}
    belong "$new" || return
    # Not every `sync` takes the name of a file.
    sync "$new" 2>/dev/null
    mv -f -- "$new" "$path" && new=
}
change_directory() { mkdir -p -- "$path" && belong "$path"; }
change_attributes() { belong "$path"; }
change_symlink() {
    parent=${path%/*}
    [ -d "${parent:-/}" ] || mkdir -p -- "$parent" || return
    ln -sfn -- "$to" "$path"
}
change_remove() { rm -f -- "$path"; }
change_package() {
    if has apt-get; then
        export DEBIAN_FRONTEND=noninteractive
        set -- apt-get -q -y -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold
        case $present in
            no) "$@" remove "$name" ;;
            *) "$@" install "$name" || { "$@" update && "$@" install "$name"; } ;;
        esac
    elif has apk; then
        case $present in no) apk del "$name" ;; *) apk add "$name" || { apk update && apk add "$name"; } ;; esac
    elif has dnf; then
        case $present in no) dnf -q -y remove "$name" ;; *) dnf -q -y install "$name" ;; esac
    elif has yum; then
        case $present in no) yum -q -y remove "$name" ;; *) yum -q -y install "$name" ;; esac
    elif has zypper; then
        case $present in no) zypper -n remove "$name" ;; *) zypper -n install "$name" ;; esac
    elif has pacman; then
        case $present in no) pacman -R --noconfirm "$name" ;; *) pacman -S --noconfirm --needed "$name" ;; esac
    else
        echo "there is no program here that installs packages"
        false
    fi 3<&- 4>&-
}
# Enables before it starts: what is stopped in between comes up with the machine.
change_service() {
    for verb in $verbs; do
        if [ -d /run/systemd/system ] && has systemctl; then
            systemctl "$verb" -- "$name"
        else
            case $verb in
                enable) rc-update add "$name" default ;;
                disable) rc-update del "$name" default ;;
                *) rc-service "$name" "$verb" ;;
            esac
        fi 3<&- 4>&- || return
    done
}
change_user() {
    if [ "$made" = no ] && has useradd; then
        set -- -m
        # A group of that name is taken for the user's own.
        ! grep -q "^$name:" /etc/group || set -- "$@" -g "$name"
        [ -z "$system" ] || set -- "$@" -r
        [ -z "$uid" ] || set -- "$@" -u "$uid"
        [ -z "$home" ] || set -- "$@" -d "$home"
        [ -z "$shell" ] || set -- "$@" -s "$shell"
        useradd "$@" "$name" || return
    elif [ "$made" = no ]; then
        set -- -D
        ! grep -q "^$name:" /etc/group || set -- "$@" -G "$name"
        [ -z "$system" ] || set -- "$@" -S
        [ -z "$uid" ] || set -- "$@" -u "$uid"
        [ -z "$home" ] || set -- "$@" -h "$home"
        [ -z "$shell" ] || set -- "$@" -s "$shell"
        adduser "$@" "$name" || return
    elif [ -n "$uid$home$shell" ]; then
        has usermod || give_up "there is no usermod here that changes a user"
        set --
        [ -z "$uid" ] || set -- "$@" -u "$uid"
        [ -z "$home" ] || set -- "$@" -d "$home"
        [ -z "$shell" ] || set -- "$@" -s "$shell"
        usermod "$@" "$name" || return
    fi
    for group in $groups; do
        if has usermod; then usermod -a -G "$group" "$name"; else addgroup "$name" "$group"; fi || return
    done
}
change_keys() {
    if ! [ -d "${path%/*}" ]; then
        mkdir -p -m 700 -- "${path%/*}" && chown "$owner:$(id -g "$owner")" "${path%/*}" || return
    fi
    group=$(id -g "$owner") && change_write
}
change_checkout() {
    has git || give_up "there is no git here"
    if ! [ -e "$path/.git" ]; then
        mkdir -p -- "$path" && git_in init -q || return
    fi
    git_in fetch -q --tags "$url" "${revision:-HEAD}" && git_in checkout -q --detach FETCH_HEAD
}
change_run() { words "$command"; }
while take && [ "$kind" != end ]; do
    "change_$kind" || give_up
    frame done
done
frame end
