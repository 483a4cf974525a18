//! Values: expressions that mention their siblings, values that make themselves, keys for other people's types.

use carthage::prelude::*;
use carthage_tests::Paper;

#[injectable]
struct Seed(u64);

injection_key!(
    /// Where complaints go.
    pub AdminMail: String
);

trait Clock: Send + Sync {
    fn now(&self) -> u64;
}

injection_key!(Time: dyn Clock);

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> u64 {
        0
    }
}

/// Made from what is around.
#[injectable]
struct Certificate {
    text: String,
}

#[injectable]
impl Certificate {
    async fn new(#[inject] seed: &Seed, #[inject] mail: Option<&AdminMail>) -> Result<Self> {
        let mail = mail.ok_or("nobody to complain to")?;
        Ok(Self { text: format!("{} {}", seed.0, **mail) })
    }
}

#[derive(Clone)]
#[injectable]
struct Greeting(Secret<String>);

#[network(v4 = "10.1.0.0/24", pool = "10.1.0.1-10.1.0.9")]
struct Lan;

#[machine_model]
struct Web {
    #[link(address = "10.1.0.1-10.1.0.1")]
    eth0: Link<Lan>,
    #[inject]
    certificate: Arc<Certificate>,
    #[inject]
    time: Deferred<Time>,
    #[inject]
    nothing: Option<Arc<Nothing>>,
    #[customize(Page { text: format!("{}: {first:?} {:?}", certificate.text, eth0.address()), lan: eth0.clone() })]
    second: Page,
    #[customize(Page { text: "7".parse::<u8>()?.to_string(), lan: eth0 })]
    first: Page,
}

#[injectable]
enum Nothing {}

#[derive(Debug)]
struct Page {
    text: String,
    lan: Link<Lan>,
}

#[customization]
impl Page {
    #[setup_task]
    async fn write(&self, host: &Host, #[inject] greeting: Arc<Greeting>, #[inject] time: &Time) -> Result<()> {
        let text = format!("{} {:?} {}", self.text, self.lan.address(), time.now());
        host.write("/page", text + greeting.0.expose()).await
    }

    #[hash(write)]
    fn inputs(&self) -> &str {
        &self.text
    }

    #[check_completed(write)]
    async fn written(&self, host: &Host) -> Result<bool> {
        host.exists("/page").await
    }
}

#[layout(implementation = Paper)]
struct Top {
    #[provide(persist, Seed("7".parse()?))]
    seed: Arc<Seed>,
    #[provide(AdminMail(format!("root+{}@example.org", seed.0)))]
    mail: Arc<AdminMail>,
    #[provide]
    certificate: Arc<Certificate>,
    #[provide(Time(Arc::new(Stopped)))]
    time: Arc<Time>,
    #[provide(persist, Greeting(Secret::new("hello".to_owned())))]
    greeting: Arc<Greeting>,
    lan: Lan,
    web: [Web; 1],
}

fn main() {
    assert_eq!(const { Top::placement("web.1") }.fqdn(), "web-1");
}
