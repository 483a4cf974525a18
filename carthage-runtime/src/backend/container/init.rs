//! The first process of a container.

/// The command of every container: a script that does nothing but end orphans' remains and, when it is asked to end, ask
/// everything else to, and wait for it. An engine would kill whatever is left when its first process ends.
///
/// The signal is acted on in the handler itself: a mark that is looked at later could be set just before the shell begins to wait.
/// `wait` collects children that the shell was not told of, too, which is all that a first process has to do.
pub(super) const COMMAND: [&str; 3] = ["/bin/sh", "-c", SCRIPT];

const SCRIPT: &str = r#"
finish() {
    trap '' TERM
    kill -TERM -1 2>/dev/null
    while :; do
        others=
        for process in /proc/[0-9]*; do
            if [ "$process" != /proc/1 ]; then others=yes; fi
        done
        if [ -z "$others" ]; then exit 0; fi
        { sleep 0.05 2>/dev/null || sleep 1; } &
        wait $!
    done
}
trap finish TERM
while :; do
    sleep 2147483647 &
    wait $!
    if [ $? -eq 127 ]; then exit 127; fi
done
"#;
