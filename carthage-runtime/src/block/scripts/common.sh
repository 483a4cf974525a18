# Begins both scripts of building blocks. Standard input is one line of assignments for each thing that is looked at or changed,
# and the contents of files right behind theirs. What is told goes to standard output in frames; what programs write, to standard error.
n='
'
exec 3<&0 4>&1 </dev/null >&2
umask 022
take() {
    IFS= read -r line <&3 || exit 1
    eval "$line"
}
frame() { printf '\036%s %s\036' "$id" "$*" >&4; }
has() { command -v "$1" >/dev/null; }

# The line of a user in passwd.
passwd_of() {
    if has getent; then
        getent passwd "$1"
    else
        while IFS= read -r entry; do
            case $entry in "$1":*) printf '%s\n' "$entry" && break ;; esac
        done </etc/passwd
    fi
}
# The programs that this system's packages are known to: others may be there as well, and know of none.
packages_by() {
    if has dpkg-query && [ -s /var/lib/dpkg/status ]; then
        echo dpkg
    elif has apk && [ -e /etc/apk/world ]; then
        echo apk
    elif has pacman && [ -e /var/lib/pacman/local ]; then
        echo pacman
    # What busybox calls so has no database.
    elif has rpm && rpm --version >/dev/null 2>&1; then
        echo rpm
    fi
}
# Whether the package $name is there, provided by another, or none; nothing where nobody knows.
package_is() {
    by=$(packages_by)
    case $by in
        dpkg)
            found=$(dpkg-query -W -f '${db:Status-Status} ' -- "$name" 2>/dev/null)
            case " $found" in *' installed '*) echo there; return ;; esac
            found=$(dpkg-query -W -f '${db:Status-Status}, ${Provides},\n' | grep -F -e ", $name," -e ", $name (")
            case $n$found in *"${n}installed,"*) echo provided; return ;; esac
            ;;
        apk) if apk info -e "$name" >/dev/null 2>&1; then echo there; return; fi ;;
        # Both also answer to names that are not the package's own.
        pacman)
            if found=$(pacman -Qq -- "$name" 2>/dev/null); then
                if [ "$found" = "$name" ]; then echo there; else echo provided; fi
                return
            fi
            ;;
        rpm)
            found=$(rpm -q --qf '%{NAME}\n%{NAME}.%{ARCH}\n' -- "$name" 2>/dev/null)
            case $n$found$n in *"$n$name$n"*) echo there; return ;; esac
            if rpm -q --whatprovides -- "$name" >/dev/null 2>&1; then echo provided; return; fi
            ;;
        *) return ;;
    esac
    echo none
}
has_systemd() { [ -d /run/systemd/system ] && has systemctl; }
git_in() { GIT_TERMINAL_PROMPT=0 git -c safe.directory="$path" -C "$path" "$@" 3<&- 4>&-; }
# Runs the words of a quoted `set -- …`, away from our streams.
words() (
    eval "$1"
    exec 3<&- 4>&-
    cd / && "$@"
)

take
