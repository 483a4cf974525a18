//! Building blocks that programs of the machine carry out: packages by apt, users and their keys.

use carthage_e2e::lab;

use crate::edits::is_planned_and_done;

#[test]
fn packages_users_and_keys_are_made_so_and_stay_so() {
    if !rustix::process::geteuid().is_root() {
        println!(
            "skipped: installed::packages_users_and_keys_are_made_so_and_stay_so: only root can have the users that apt needs"
        );
        return;
    }
    let mut lab = lab!();
    lab.set("TESTLAB_SOURCE", "installed");
    lab.deploy();
    let server = |command: &str| lab.exec("server", &["sh", "-c", command]);
    assert_eq!(server("cat /usr/share/carthage-probe/mark"), "probed\n");
    assert_eq!(server("getent passwd operator | cut -d : -f 3,6,7"), "4711:/srv/operator:/bin/sh\n");
    let keys = "/srv/operator/.ssh/authorized_keys";
    assert_eq!(server(&format!("cat {keys}")), "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ operator@one\n");
    let owned = format!("cd {keys}/.. && stat -c '%n %U %a' . authorized_keys");
    let owned = owned.replace("/authorized_keys/..", "");
    assert_eq!(server(&owned), ". operator 700\nauthorized_keys operator 600\n");
    lab.run(&["plan"]).code(0).says("nothing to do");

    // Somebody has taken it all away.
    server(
        "dpkg -P carthage-probe && userdel operator && echo 'ssh-rsa AAAAB3 guest@two' >/srv/operator/.ssh/authorized_keys",
    );
    is_planned_and_done(
        &lab,
        &[
            "run task:server/has.package: `package carthage-probe` differs",
            "run task:server/has.people: `user operator` and `authorized key of operator` differ",
        ],
    );
    assert_eq!(server("cat /usr/share/carthage-probe/mark"), "probed\n");
    let both = "ssh-rsa AAAAB3 guest@two\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ operator@one\n";
    assert_eq!(server(&format!("cat {keys}")), both, "what others have put there stays");

    // Edits of the layout: a package that is not to be there, a user in one more group.
    lab.set("TESTLAB_PROBE", "false");
    lab.set("TESTLAB_STAFF", "true");
    lab.deploy();
    assert_eq!(lab.exec("server", &["sh", "-c", "ls /usr/share/carthage-probe 2>/dev/null | wc -l"]), "0\n");
    assert_eq!(lab.exec("server", &["id", "-Gn", "operator"]), "operator staff\n");
    lab.run(&["plan"]).code(0).says("nothing to do");
    lab.destroy();
}
