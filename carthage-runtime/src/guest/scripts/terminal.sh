# Runs one command on the terminal that this is started on.
frame() { :; }
fail() { echo "$*" >&2; exit 127; }
eval "$line"
find_user || fail "there is no user $user"
exec 4>&2
as_user
exit
