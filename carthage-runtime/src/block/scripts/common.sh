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
git_in() { GIT_TERMINAL_PROMPT=0 git -c safe.directory="$path" -C "$path" "$@" 3<&- 4>&-; }
# Runs the words of a quoted `set -- …`, away from our streams.
words() (
    eval "$1"
    exec 3<&- 4>&-
    cd / && "$@"
)

take
