//! This host's files with a layer above them, in namespaces of their own and without a network, and in it the programs of other
//! distributions, which `cargo xtask test` has fetched.

use std::time::{Duration, Instant};

use super::*;

/// How long it is waited for a tree.
const PATIENCE: Duration = Duration::from_secs(60);

/// What becomes the first process there: its mounts are seen by nobody else, and end with it. It takes in whose parents have died.
const MAKE: &str = r#"
set -e
mount -t tmpfs tmpfs "$1" && mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
for package in "$2"/*.deb; do
    [ ! -e "$package" ] || dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink
done
mount --rbind /dev dev && mount -t proc proc proc && mount -t tmpfs tmpfs run && mount -t tmpfs tmpfs tmp
chroot . ldconfig
: >ready
exec chroot . sh -c 'sleep infinity & wait'
"#;

pub(super) struct Tree {
    first: std::process::Child,
    shell: Vec<String>,
    _dir: tempfile::TempDir,
}

impl Tree {
    /// One for a test, or why there is none.
    pub(super) fn new() -> Result<Self, &'static str> {
        if !rustix::process::geteuid().is_root() {
            return Err("only root can make a tree of another system");
        }
        let Some(programs) = std::env::var_os("CARTHAGE_TEST_PROGRAMS") else {
            return Err("CARTHAGE_TEST_PROGRAMS is not set: `cargo xtask test` fetches them");
        };
        let dir = tempfile::tempdir().unwrap();
        let mut first = Command::new("unshare");
        first.args(["-m", "-n", "-p", "--fork", "--kill-child=SIGKILL", "/bin/sh", "-c", MAKE, "sh"]);
        first.arg(dir.path()).arg(programs).stdin(Stdio::null()).stdout(Stdio::null());
        let mut tree = Self { first: first.spawn().unwrap(), shell: Vec::new(), _dir: dir };
        tree.wait();
        Ok(tree)
    }

    fn wait(&mut self) {
        let children = format!("/proc/{0}/task/{0}/children", self.first.id());
        let deadline = Instant::now() + PATIENCE;
        while self.first.try_wait().unwrap().is_none() && Instant::now() < deadline {
            let all = fs::read_to_string(&children).unwrap_or_default();
            if let Some(inside) = all.split_whitespace().next()
                && Path::new(&format!("/proc/{inside}/root/ready")).exists()
            {
                let words = ["nsenter", "-t", inside, "-m", "-n", "-p", "-r", "-w", "env", "-i"];
                let settings = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C"];
                self.shell =
                    words.into_iter().chain(settings).chain(["/bin/sh"]).map(str::to_owned).collect();
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("there is no tree");
    }

    /// How a shell is started in it.
    pub(super) fn shell(&self) -> Vec<&str> {
        self.shell.iter().map(String::as_str).collect()
    }

    /// What a script writes that succeeds.
    #[track_caller]
    pub(super) fn run(&self, script: &str) -> String {
        let (said, errors) = run(&self.shell(), &format!("set -e\n{script}\necho succeeded"), b"");
        let said = String::from_utf8(said).unwrap();
        let Some(said) = said.strip_suffix("succeeded\n") else { panic!("{script}: {said}{errors}") };
        said.to_owned()
    }

    /// What differed in words, where all can be made as it is to be.
    #[track_caller]
    pub(super) fn makes(&self, blocks: &[Block]) -> Vec<String> {
        made(&self.shell(), blocks).into_iter().map(|change| change.what).collect()
    }

    /// What is said of a block that cannot be made as it is to be.
    #[track_caller]
    pub(super) fn fails(&self, block: Block) -> String {
        let Some(Outcome::Differs(_, ops)) = compare(&self.shell(), &[block]).pop() else {
            panic!("it does not differ")
        };
        let (_, said) = run(&self.shell(), &CHANGE, &orders(ID, &ops));
        let (done, of_it) = done(ID, said.as_bytes()).unwrap();
        assert_eq!(done, 0, "{said}");
        of_it
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // With the first process, all others end.
        if let Some(inside) = self.shell.get(2) {
            Command::new("kill").args(["-KILL", inside]).status().ok();
        }
        self.first.kill().ok();
        self.first.wait().ok();
    }
}
