//! Services of a system that OpenRC has brought up.

use super::tree::Tree;
use super::*;

/// Brings it up, with nothing else than these services.
const BOOT: &str = r#"
rm -rf /etc/init.d/* /etc/runlevels/*/*
service() { cat >"/etc/init.d/$1" && chmod +x "/etc/init.d/$1"; }
service probe <<'end'
#!/sbin/openrc-run
supervisor=supervise-daemon
command=/bin/sleep
command_args=100000
pidfile=/run/probe.pid
end
service broken <<'end'
#!/sbin/openrc-run
start() { echo out of luck; return 1; }
end
openrc sysinit && openrc default
"#;

#[test]
fn services_of_openrc() {
    let tree = match Tree::new() {
        Ok(tree) => tree,
        Err(why) => return println!("skipped: block::tests::openrc::services_of_openrc: {why}"),
    };
    let wanted = || -> [Block; 1] { [Service::named("probe").running().enabled().into()] };
    let unknown = compare(&tree.shell(), &wanted());
    assert!(matches!(&unknown[..], [Outcome::Blocked(why)] if why.contains("OpenRC")), "{unknown:?}");
    tree.run(BOOT);
    let is = || {
        tree.run(
            "rc-service probe status >/dev/null && echo runs; find /etc/runlevels -name probe -printf '%h ' | sed s,/etc/runlevels/,,g",
        )
    };
    assert_eq!(tree.makes(&wanted()), ["enables and starts service probe"]);
    assert_eq!(is(), "runs\ndefault ");
    assert!(tree.makes(&wanted()).is_empty(), "once more, nothing differs");
    // Somebody stops it; somebody sees to it that it does not come up; it dies, and what would have started it again.
    tree.run("rc-service probe stop");
    assert_eq!(tree.makes(&wanted()), ["starts service probe"]);
    tree.run("rc-update del probe default");
    assert_eq!(tree.makes(&wanted()), ["enables service probe"]);
    tree.run("kill -9 $(cat /run/probe.pid) && kill -9 $(pidof sleep | sed 's/ [0-9]*$//')");
    assert_eq!(tree.makes(&wanted()), ["starts service probe"]);
    // What comes up in another runlevel is enabled, too.
    tree.run("rc-update del probe default && rc-update add probe boot");
    assert!(tree.makes(&wanted()).is_empty());
    // What is not said stays.
    assert_eq!(tree.makes(&[Service::named("probe").stopped().into()]), ["stops service probe"]);
    let gone = [Service::named("probe").stopped().disabled().into()];
    assert_eq!(tree.makes(&gone), ["disables service probe"]);
    assert_eq!(tree.run("find /etc/runlevels -name probe"), "");
    // Of one that cannot be started, and of one that is not there, it is said why.
    let said = tree.fails(Service::named("broken").running().into());
    assert!(said.contains("out of luck") && said.contains("broken failed to start"), "{said}");
    for nowhere in [Service::named("nowhere").running(), Service::named("nowhere").enabled()] {
        let said = tree.fails(nowhere.into());
        assert!(said.contains("`nowhere' does not exist"), "{said}");
    }
}
