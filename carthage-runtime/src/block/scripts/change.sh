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
# Done, too, if the system should be started again, or some repository cannot be read.
by_zypper() {
    zypper -n "$1" -- "$name"
    case $? in 0 | 102 | 103 | 106) ;; *) return 1 ;; esac
}
# What is not known is asked for once more with the lists of packages that there are by now.
install_package() {
    case $(packages_by) in
        dpkg)
            export DEBIAN_FRONTEND=noninteractive
            set -- apt-get -q -y -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold -o APT::Cmd::Pattern-Only=true
            case $present in
                no) "$@" remove "$name" ;;
                *) "$@" install "$name" || { "$@" update; "$@" install "$name"; } ;;
            esac
            ;;
        apk) case $present in no) apk del "$name" ;; *) apk add "$name" || { apk update; apk add "$name"; } ;; esac ;;
        pacman)
            case $present in
                no) pacman -R --noconfirm -- "$name" ;;
                # Later lists than those that the system was upgraded with are for the next upgrade, unless one is missing.
                *)
                    for list in $(pacman-conf --repo-list); do
                        [ -e "/var/lib/pacman/sync/$list.db" ] || { pacman -Sy --noconfirm; break; }
                    done
                    pacman -S --noconfirm --needed -- "$name"
                    ;;
            esac
            ;;
        rpm)
            if has dnf; then by=dnf; elif has yum; then by=yum; elif has zypper; then by=zypper; else by=; fi
            case $present.$by in
                *.) give_up "there is no program here that installs packages" ;;
                no.zypper) by_zypper remove ;;
                *.zypper) by_zypper install || { zypper -n refresh; by_zypper install; } ;;
                no.*) "$by" -q -y remove "$name" ;;
                # Quietly, nothing is said of a repository that cannot be read.
                *) "$by" -q -y install "$name" || { "$by" -q clean expire-cache; "$by" -y install "$name"; } ;;
            esac
            ;;
    esac 3<&- 4>&-
}
change_package() {
    install_package || return
    case $present.$(package_is) in
        no.there) give_up "$name is still installed" ;;
        yes.none) give_up "there is no package $name now: it is the name of something else" ;;
    esac
}
# Enables before it starts: what is stopped in between comes up with the machine.
change_service() {
    for verb in $verbs; do
        if has_systemd; then
            systemctl "$verb" -- "$name"
        else
            openrc_service
        fi 3<&- 4>&- || return
    done
}
openrc_service() {
    case $verb in
        enable) rc-update add "$name" default ;;
        disable)
            for level in sysinit boot default; do
                [ ! -e "/etc/runlevels/$level/$name" ] || rc-update del "$name" "$level" || return
            done
            ;;
        start)
            # What has died, or what kept it alive, counts as started until that is forgotten.
            rc-service -q -- "$name" status >/dev/null 2>&1
            case $? in 32 | 64) rc-service "$name" stop; rc-service "$name" zap ;; esac
            rc-service "$name" start
            ;;
        *) rc-service "$name" "$verb" ;;
    esac
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
