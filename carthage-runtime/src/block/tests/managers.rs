//! Packages by the real programs, from directories of packages that are made here.

use super::tree::Tree;
use super::*;

/// What to do so that the system is one of these: its database, its programs, and a repository at `/srv/NAME`.
struct Manager {
    name: &'static str,
    becomes: &'static str,
    /// Asks its database for packages.
    asks: &'static str,
    /// Makes `late` known, after lists of packages were read; nothing if that was tried with the same lists.
    adds: &'static str,
    /// Names one more repository, of which there is nothing.
    breaks: &'static str,
}

/// Calls `pack NAME VERSION PROVIDES REQUIRES` for each package.
const PACKAGES: &str = "
pack base 1 '' ''
pack probe 1 probing ''
pack probe-extra 2 '' ''
pack probe-1 3 '' ''
pack needy 1 '' nowhere-to-be-found
";

/// Each takes the system from the one before it.
const MANAGERS: [Manager; 5] = [
    Manager {
        name: "apt",
        becomes: r#"
            mkdir -p /srv/apt && cd /srv/apt
            pack() {
                rm -rf t && mkdir -p t/DEBIAN t/opt && echo "$2" >"t/opt/$1"
                printf '%s\n' "Package: $1" "Version: $2" 'Architecture: all' 'Maintainer: Nobody <nobody@example.org>' \
                    ${3:+"Provides: $3"} ${4:+"Depends: $4"} 'Description: a probe' >t/DEBIAN/control
                dpkg-deb --root-owner-group --build t "$1.deb" >/dev/null
                cat t/DEBIAN/control >>Packages
                printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$1.deb" "$(wc -c <"$1.deb")" \
                    "$(sha256sum "$1.deb" | cut -d ' ' -f 1)" >>Packages
            }
            PACKAGES
            cp Packages early && pack late 4 '' '' && mv Packages later && mv early Packages
            rm -rf /etc/apt/sources.list.d /etc/apt/apt.conf.d && mkdir /etc/apt/sources.list.d /etc/apt/apt.conf.d
            echo 'APT::Sandbox::User "root";' >/etc/apt/apt.conf.d/root
            echo 'deb [trusted=yes] file:/srv/apt ./' >/etc/apt/sources.list
            rm -rf /var/lib/apt/lists"#,
        asks: "dpkg-query -W",
        adds: "cd /srv/apt && mv later Packages",
        breaks: "echo 'deb [trusted=yes] file:/srv/broken ./' >>/etc/apt/sources.list",
    },
    Manager {
        name: "dnf",
        becomes: r#"
            : >/var/lib/dpkg/status
            mkdir -p /srv/rpm /etc/rpm /etc/yum.repos.d && cd /srv/rpm
            echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros
            pack() {
                printf '%s\n' "Name: $1" "Version: $2" 'Release: 1' 'Summary: a probe' 'License: MIT' 'BuildArch: noarch' \
                    ${3:+"Provides: $3"} ${4:+"Requires: $4"} '%description' 'A probe.' '%install' \
                    "mkdir -p %{buildroot}/opt && echo $2 >%{buildroot}/opt/$1" '%files' "/opt/$1" >/tmp/spec
                rpmbuild -bb --quiet --define '_topdir /tmp/rpm' --define '_rpmdir /srv/rpm' /tmp/spec
            }
            PACKAGES
            pack late 4 '' ''
            createrepo_c -q -x 'late*' /srv/rpm
            printf '[main]\ninstallroot=/\nreleasever=1\nskip_if_unavailable=True\n' >/etc/dnf/dnf.conf
            printf '[ours]\nname=ours\nbaseurl=file:///srv/rpm\ngpgcheck=0\n' >/etc/yum.repos.d/ours.repo
            # What is known of no package at all counts as broken.
            dnf -q -y install base"#,
        asks: "rpm -q",
        adds: "createrepo_c -q /srv/rpm",
        breaks: r"printf '[broken]\nname=broken\nbaseurl=file:///srv/broken\ngpgcheck=0\n' >/etc/yum.repos.d/broken.repo",
    },
    Manager {
        // Which is what the distributions that have dnf call it as well.
        name: "yum",
        becomes: "mv /usr/bin/dnf-3 /usr/bin/yum && rm -f /usr/bin/dnf /etc/yum.repos.d/broken.repo",
        asks: "rpm -q",
        adds: "",
        breaks: r"printf '[broken]\nname=broken\nbaseurl=file:///srv/broken\ngpgcheck=0\n' >/etc/yum.repos.d/broken.repo",
    },
    Manager {
        name: "zypper",
        becomes: r#"
            rm /usr/bin/yum
            createrepo_c -q -x 'late*' /srv/rpm
            mkdir -p /etc/zypp/repos.d
            printf '[ours]\nname=ours\nenabled=1\nautorefresh=0\nbaseurl=file:///srv/rpm\ngpgcheck=0\n' >/etc/zypp/repos.d/ours.repo"#,
        asks: "rpm -q",
        adds: "createrepo_c -q /srv/rpm",
        breaks: r"printf '[broken]\nname=broken\nenabled=1\nautorefresh=1\nbaseurl=file:///srv/broken\ngpgcheck=0\n' >/etc/zypp/repos.d/broken.repo",
    },
    Manager {
        name: "pacman",
        becomes: r#"
            mkdir -p /srv/pacman /var/lib/pacman/local && cd /srv/pacman
            pack() {
                rm -rf t && mkdir -p t/opt "db/$1-$2-1" && echo "$2" >"t/opt/$1"
                printf '%s\n' "pkgname = $1" "pkgver = $2-1" 'pkgdesc = a probe' 'arch = any' 'size = 2' \
                    ${3:+"provides = $3"} ${4:+"depend = $4"} >t/.PKGINFO
                tar -C t -czf "$1.pkg.tar.gz" .PKGINFO opt
                printf '%%%s%%\n%s\n\n' FILENAME "$1.pkg.tar.gz" NAME "$1" VERSION "$2-1" ARCH any ISIZE 2 \
                    CSIZE "$(wc -c <"$1.pkg.tar.gz")" ${3:+PROVIDES "$3"} ${4:+DEPENDS "$4"} >"db/$1-$2-1/desc"
            }
            PACKAGES
            tar -C db -czf ours.db $(ls db)
            rm -r db && pack late 4 '' '' && tar -C db -czf late.db $(ls db)
            printf '[options]\nArchitecture = auto\nSigLevel = Never\n[ours]\nServer = file:///srv/pacman\n' >/etc/pacman.conf"#,
        asks: "pacman -Q",
        adds: r"printf '[late]\nServer = file:///srv/pacman\n' >>/etc/pacman.conf",
        breaks: r"printf '[broken]\nServer = file:///srv/broken\n' >>/etc/pacman.conf",
    },
];

fn package(name: &str) -> Block {
    Package::named(name).into()
}

fn absent(name: &str) -> Block {
    Package::named(name).absent().into()
}

#[test]
fn packages_by_each_manager() {
    let tree = match Tree::new() {
        Ok(tree) => tree,
        Err(why) => {
            return println!("skipped: block::tests::managers::packages_by_each_manager: {why}");
        }
    };
    for Manager { name, becomes, asks, adds, breaks } in MANAGERS {
        println!("{name}");
        tree.run(&becomes.replace("PACKAGES", PACKAGES));
        assert_eq!(tree.makes(&[package("probe"), absent("probe-extra")]), ["installs package probe"]);
        tree.run(&format!("{asks} probe"));
        assert_eq!(tree.run("cat /opt/probe"), "1\n");
        // Neither its version nor what it provides belongs to its name.
        assert!(tree.makes(&[absent("probe-1"), package("probing"), absent("probing")]).is_empty());
        assert_eq!(
            tree.makes(&[absent("probe"), package("probe-1"), package("probe-extra")]),
            ["removes package probe", "installs package probe-1", "installs package probe-extra"]
        );
        assert_eq!(tree.run("cd /opt && cat probe*"), "3\n2\n");
        assert_eq!(tree.makes(&[package("probing")]), ["installs package probing"]);
        assert_eq!(tree.makes(&[absent("probe")]), ["removes package probe"]);
        if name == "dnf" {
            // It knows what is meant, and the next look would not.
            let said = tree.fails(package("probe-1-1.noarch"));
            assert!(said.contains("there is no package probe-1-1.noarch now"), "{said}");
            assert_eq!(tree.makes(&[absent("probe")]), ["removes package probe"]);
        }
        let said = tree.fails(package("needy"));
        assert!(said.contains("nowhere-to-be-found"), "{said}");
        // What cannot be read hides nothing of what can, and is told of where something is missing; but pacman wants all or none.
        tree.run(breaks);
        let is_fatal = name == "pacman";
        if is_fatal {
            let said = tree.fails(package("probe"));
            assert!(said.contains("broken"), "{said}");
            tree.run("sed -i /broken/d /etc/pacman.conf");
        }
        let said = tree.fails(package("no-such"));
        assert!(said.contains("no-such") && (is_fatal || said.contains("broken")), "{said}");
        assert_eq!(tree.makes(&[package("probe")]), ["installs package probe"]);
        if !adds.is_empty() {
            tree.run(adds);
            assert_eq!(tree.makes(&[package("late")]), ["installs package late"]);
            assert_eq!(tree.makes(&[absent("late")]), ["removes package late"]);
        }
        let all = [absent("probe"), absent("probe-1"), absent("probe-extra")];
        assert_eq!(tree.makes(&all).len(), 3);
        assert_eq!(tree.run("ls /opt | grep -c probe || true"), "0\n");
    }
}
