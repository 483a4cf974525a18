//! Models, customizations and providers that are written by hand, beside generated ones.

use carthage_e2e::lab;

#[test]
fn what_is_written_by_hand_is_deployed_like_the_rest() {
    let mut lab = lab!();
    lab.set("TESTLAB_SOURCE", "written");
    lab.deploy();
    assert_eq!(lab.exec("server", &["cat", "/srv/page", "/srv/published"]), "hello, world8006");
    assert_eq!(lab.exec("visitor", &["cat", "/srv/visited"]), "server on 8006: hello, world");
    lab.run(&["plan"]).code(0);
    let tasks = lab.run(&["list", "server"]).code(0);
    tasks.says("Serves a page; written by hand.").says("task:server/page.publish");
    // It starts before what depends on it, and its task is run by name like others.
    lab.run(&["run", "server/page.write"]).code(0);
    let checked = lab.run(&["check", "--deny-warnings"]).code(0);
    checked.says("starts after").says("value port").says("10.39.0.10/24");
}
