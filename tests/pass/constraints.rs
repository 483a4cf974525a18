//! Which value is meant: constraints, defaults, masks, instances for each asker, quotes, filters, other scopes.

use carthage::prelude::*;
use carthage_tests::Paper;

/// Where it is.
#[constraint]
struct Site(&'static str);

#[constraint]
pub struct Hall(u16);

mod roles {
    use carthage::prelude::*;

    #[constraint]
    pub enum Part {
        Primary,
        Replica,
    }
}
use roles::Part;

#[injectable]
struct Token(String);

#[injectable]
struct Port(u16);

#[injectable]
struct Made;

#[injectable]
impl Made {
    async fn new(
        #[inject(Site = "red")] red: &Token,
        #[inject(Site = "green", default = Token("none".to_owned()))] green: &Token,
        #[inject(default = Port("80".parse()?))] port: Arc<Port>,
    ) -> Result<Self> {
        assert!(red.0 != green.0 && port.0 > 0);
        Ok(Self)
    }
}

#[machine_model]
struct Web<const HALL: u16> {
    #[inject(Site = "red", Part = Part::Primary)]
    both: Arc<Token>,
    #[inject(roles::Part = roles::Part::Primary, Site = "red")]
    in_whatever_order: Arc<Token>,
    #[inject(Hall = HALL)]
    of_the_hall: Option<Arc<Token>>,
    #[inject(default = Port(8080))]
    port: Arc<Port>,
    #[inject(default = Port("8080".parse()?))]
    parsed: Arc<Port>,
    #[inject(Site = "red")]
    later: Deferred<Token>,
    #[inject(Site = "red")]
    anew: Quoted<Token>,
    #[inject(Site, Part = Part::Replica)]
    several: All<Token>,
    #[inject(name = spare)]
    spare: Placed<Db>,
    #[inject]
    password: Arc<Password>,
    #[customize(Page { port: port.0 + parsed.0 })]
    page: Page,
}

#[injectable]
struct Password(String);

struct Page {
    port: u16,
}

#[customization]
impl Page {
    #[setup_task]
    async fn write(
        &self,
        host: &Host,
        #[inject(Site = "red")] red: &Token,
        #[inject(Site)] all: All<Token>,
        #[inject] quoted: Quoted<Password>,
        #[inject(default = Port(1))] port: &Port,
    ) -> Result<()> {
        for (key, token) in all.visible().await? {
            host.write("/all", format!("{key} {} {} {}", token.0, red.0, self.port + port.0)).await?;
        }
        quoted.make().await?;
        Ok(())
    }
}

#[machine_model]
struct Db;

#[enclave]
#[mask(Port)]
#[mask(Token, Site = "blue")]
struct Inner {
    #[provide(Made)]
    made: Arc<Made>,
    #[inject(Site = "blue")]
    hidden: Option<Arc<Token>>,
    web: Web<7>,
}

#[mask(Password)]
#[enclave]
struct Outer {
    #[provide(Part = Part::Replica, Token("replica".to_owned()))]
    replica: Arc<Token>,
    #[provide(Password("inside".to_owned()))]
    password: Arc<Password>,
    inner: Inner,
}

#[layout(implementation = Paper)]
struct Top {
    #[provide(Site = "red", Token("red".to_owned()))]
    red: Arc<Token>,
    #[provide(Site = "blue", persist, Token(format!("not {}", red.0)))]
    blue: Arc<Token>,
    #[provide(Site = "red", Part = Part::Primary, Token("primary".to_owned()))]
    primary: Arc<Token>,
    #[provide(each, persist, |asker| Password(format!("{} {}", asker.fqdn(), red.0)))]
    password: Arc<Password>,
    #[provide(each, Port(80))]
    port: Arc<Port>,
    #[provide(from = outer.inner)]
    made: Arc<Made>,
    #[provide(Part = Part::Replica, from = outer)]
    replica: Arc<Token>,
    db: Db,
    #[member(name = "spare")]
    spare: Db,
    outer: Outer,
    #[member(name = "outside")]
    outside: Web<8>,
}

fn main() {
    assert!(Site::constraint("red") != Site::constraint("blue"));
    assert_eq!(Hall::constraint(7).to_string(), "Hall = 7");
    assert_eq!(Site::any().to_string(), "Site");
}
