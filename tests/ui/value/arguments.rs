use carthage::prelude::*;

#[constraint]
struct Site(&'static str);

#[injectable]
struct Token(String);

#[machine_model]
struct Worker {
    #[inject(site = "red")]
    lower: Arc<Token>,
    #[inject(defalt = Token(String::new()))]
    misspelt: Arc<Token>,
    #[inject(Site)]
    which: Arc<Token>,
    #[inject(Site = "red", Site = "blue")]
    twice: Arc<Token>,
    #[inject(default = Token(String::new()))]
    absent: Option<Arc<Token>>,
    #[inject(name = token)]
    name: Arc<Token>,
    #[inject(default = Token(twice.0.clone()))]
    of_another: Arc<Token>,
    #[inject(default)]
    nothing: Arc<Token>,
}

#[layout(implementation = Sandbox)]
struct Lab {
    #[provide(ech, Token(String::new()))]
    each: Arc<Token>,
    #[provide(each, from = lab)]
    both: Arc<Token>,
    #[provide(Token(String::new()), Token(String::new()))]
    several: Arc<Token>,
}

#[mask]
#[machine_model]
struct Nothing;

#[mask(Token)]
#[network(v4 = "10.0.0.0/24")]
struct Net;

#[mask(Token)]
struct Plain;

fn main() {}
