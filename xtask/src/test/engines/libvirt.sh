# The first process of the namespaces in which libvirt and its machines are: $1 is a directory of the test's own.
set -eu
mount --make-rprivate /
ip link set lo up
for place in etc:/etc/libvirt run:/run/libvirt lib:/var/lib/libvirt log:/var/log/libvirt cache:/var/cache/libvirt; do
    mkdir -p "${place#*:}"
    mount --bind "$1/${place%%:*}" "${place#*:}"
done
libvirtd --pid-file "$1/libvirtd.pid" &
daemon=$!
# Whatever the daemon leaves to us is reaped by waiting, too: libvirt waits in vain for a machine that stays a zombie.
wait "$daemon"
