//! What is inherited, at every override, and the one graph that it is in.

use carthage::deploy::Selection;
use carthage::model::Placement;
use carthage::prelude::*;

use super::{Toy, named, opened};

#[machine_model]
struct OfLayout;

#[machine_model]
struct OfEnclave;

#[machine_model]
struct OfModel;

#[machine_model]
#[depends_on(OfModel)]
struct Plain;

#[machine_model(override_dependencies = false)]
#[depends_on(OfModel)]
struct Same;

#[machine_model(override_dependencies = true)]
#[depends_on(OfModel)]
struct Alone;

#[machine_model(override_dependencies = Shop)]
#[depends_on(OfModel)]
struct PastShop;

#[machine_model(override_dependencies = Matrix)]
#[depends_on(OfModel)]
struct PastMatrix;

#[machine_model]
#[depends_on(OfModel)]
#[ignore_dependency(OfEnclave)]
struct Careless;

#[enclave]
#[depends_on(OfEnclave)]
struct Shop {
    plain: Plain,
    same: Same,
    alone: Alone,
    past_shop: PastShop,
    past_matrix: PastMatrix,
    careless: Careless,
    of_enclave: OfEnclave,
}

#[enclave(override_dependencies = true)]
struct Apart {
    #[member(name = "apart")]
    plain: Plain,
}

#[layout(name = "matrix", implementation = Toy)]
#[depends_on(OfLayout)]
struct Matrix {
    of_layout: OfLayout,
    of_model: OfModel,
    shop: Shop,
    apart: Apart,
}

#[tokio::test]
async fn what_counts_at_which_override() {
    let all = opened::<Matrix>(false).await.unwrap();
    let (layout, enclave, model) = ("of-layout", "of-enclave", "of-model");
    assert_eq!(all.needs("plain").await, [enclave, layout, model]);
    assert_eq!(all.needs("same").await, [enclave, layout, model]);
    assert_eq!(all.needs("alone").await, [layout, model], "the model's own machine needs the layout's");
    assert_eq!(all.needs("past-shop").await, [layout, model]);
    assert_eq!(all.needs("past-matrix").await, [layout, model]);
    assert_eq!(all.needs("careless").await, [layout, model]);
    assert_eq!(all.needs("of-enclave").await, [layout]);
    assert_eq!(all.needs("of-layout").await, Vec::<String>::new());
    let directly = |path: &str| -> Vec<_> {
        Matrix::placement(path).starts_after().into_iter().map(Placement::path).collect()
    };
    assert_eq!(directly("shop.plain"), ["of_layout", "of_model", "shop.of_enclave"]);
    assert_eq!(directly("shop.alone"), ["of_model"]);
    assert_eq!(directly("shop.past_shop"), ["of_layout", "of_model"]);
    assert_eq!(directly("shop.past_matrix"), ["of_model"]);
    assert_eq!(directly("shop.careless"), ["of_layout", "of_model"]);
    assert_eq!(directly("apart.plain"), ["of_model"]);
    // The one graph: what is taken in, in which order, and taken away.
    let report = all.deploy("plain").await;
    let done: Vec<_> = report.done.iter().map(|step| step.thing.as_str()).collect();
    assert_eq!((done.first(), done.last()), (Some(&"machine:of-layout"), Some(&"machine:plain")), "{done:?}");
    let plan = all.deployment.plan_destroy(&Selection::all()).await.unwrap();
    let gone: Vec<_> = plan.steps.iter().map(|step| step.thing.as_str()).collect();
    assert_eq!((gone.first(), gone.last()), (Some(&"machine:plain"), Some(&"machine:of-layout")), "{gone:?}");
    let stays = all.deployment.destroy(&named("of-enclave")).await.unwrap();
    assert_eq!(stays.skipped[0].why.to_string(), "`machine:plain` needs it and is not selected");
    all.destroy().await;
}
