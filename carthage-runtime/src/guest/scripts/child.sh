# Becomes the command. Runs in a process of its own, as the user that it is for.
n='
'
eval "$line"
unset line child
frame() { printf "\036%s %s\036$eol" "$id" "$*" >&"$channel"; }
# On a terminal, people read it.
if [ "$input" = keep ]; then frame() { [ "$1" = ok ] || echo "it cannot be run: $2" >&2; }; fi
# Its number is where this link leads to: the file that tells it is long, and read byte by byte.
cd -P /proc/self 2>/dev/null || { frame fail other "/proc is missing"; exit 127; }
pid=${PWD##*/}
case $cwd in /* | '') ;; *) cwd=$OLDPWD/$cwd ;; esac
if [ -n "$cwd" ]; then
    cd -- "$cwd" 2>/dev/null || { frame fail cwd; exit 127; }
else
    cd -- "$HOME" 2>/dev/null || cd /
fi
unset OLDPWD
PATH=${PATH:+$PATH:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LANG=${LANG:-C.UTF-8}
export PATH LANG
eval "$environment"
program=
case $1 in
    */*) program=$1 ;;
    *)
        set -f
        IFS=:
        for directory in $PATH; do
            if [ -f "${directory:-.}/$1" ] && [ -x "${directory:-.}/$1" ]; then
                program=${directory:-.}/$1
                break
            fi
        done
        unset IFS
        set +f
        ;;
esac
if [ -z "$program" ] || ! [ -e "$program" ]; then frame fail missing; exit 127; fi
if [ -d "$program" ] || ! [ -x "$program" ]; then frame fail denied; exit 126; fi
# Whoever sits at a terminal does not want to know.
[ "$input" = keep ] || frame ok "$pid"
export CARTHAGE_COMMAND="$id"
case $input in
    keep) exec "$@" ;;
    yes) exec "$@" <&3 3<&- 5>&- ;;
    *) exec "$@" </dev/null 3<&- 5>&- ;;
esac
