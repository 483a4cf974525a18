# Runs a container engine in the namespaces of this process: nothing of the host's is written to, but what it is told.
# Arguments: a directory of its own, and the command.
set -e
dir=$1
shift
ip link set lo up
for place in etc opt run var; do
    mkdir -p "$dir/over/$place/upper" "$dir/over/$place/work"
    mount -t overlay overlay -o "lowerdir=/$place,upperdir=$dir/over/$place/upper,workdir=$dir/over/$place/work" "/$place"
done
exec "$@"
