//! Who passes packets on, and to whom.

use carthage::prelude::*;

/// The numbers of the sites that there are; the layout provides it.
#[injectable]
pub struct Sites(pub Vec<u8>);

/// Passes on packets that are for others.
#[derive(Default)]
pub struct Forwarding;

#[customization]
impl Forwarding {
    /// Tell the kernel.
    #[setup_task]
    async fn forward(&self, host: &Host) -> Result<()> {
        host.run(["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]).await?;
        Ok(())
    }

    /// A machine that was started anew has forgotten it.
    #[invalidator(forward)]
    async fn still_forwards(&self, host: &Host) -> Result<bool> {
        Ok(host.run(["cat", "/proc/sys/net/ipv4/ip_forward"]).await?.text() == "1")
    }
}

/// Ways to the sites.
pub struct Routes {
    /// By this router, everything; else, each site by its own router on the uplink.
    by: Option<String>,
    /// The site that needs none.
    own: Option<u8>,
}

impl Routes {
    /// For what is in a site: everything by its router.
    pub fn by_router(site: u8) -> Self {
        Self { by: Some(format!("10.81.{site}.1")), own: Some(site) }
    }

    /// For the router of a site.
    pub fn to_others(site: u8) -> Self {
        Self { by: None, own: Some(site) }
    }

    /// For what is on the uplink itself.
    pub fn to_all() -> Self {
        Self { by: None, own: None }
    }

    fn wanted(&self, sites: &Sites) -> Vec<[String; 2]> {
        match &self.by {
            Some(router) => vec![["10.80.0.0/12".to_owned(), router.clone()]],
            None => {
                let others = sites.0.iter().filter(|site| Some(**site) != self.own);
                others.map(|site| [format!("10.81.{site}.0/24"), format!("10.80.0.{site}")]).collect()
            }
        }
    }
}

#[customization]
impl Routes {
    /// Set the routes.
    #[setup_task]
    async fn set(&self, host: &Host, #[inject] sites: &Sites) -> Result<()> {
        for [to, via] in self.wanted(sites) {
            host.run(["ip", "route", "replace", &to, "via", &via]).await?;
        }
        Ok(())
    }

    /// A machine that was started anew has forgotten them, and there may be more sites now.
    #[invalidator(set)]
    async fn still_there(&self, host: &Host, #[inject] sites: &Sites) -> Result<bool> {
        let all = host.run(["ip", "route", "show"]).await?.text();
        let lines: Vec<_> = all.lines().collect();
        let is_set =
            |[to, via]: &[String; 2]| lines.iter().any(|line| line.starts_with(&format!("{to} via {via} ")));
        Ok(self.wanted(sites).iter().all(is_set))
    }
}
