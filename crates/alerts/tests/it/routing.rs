//! Label sets and their receivers as `amtool config routes test` 0.25.0 gave them: `tests/data/routing/`.
use std::collections::BTreeMap;

use bellwether_alerts::RouteTree;
use bellwether_alerts::config::{AlertsConfig, RouteConfig};
use bellwether_core::Labels;
use bellwether_core::config::Validate;
use serde_json::Value;

fn check(golden: &str) -> usize {
    let golden: Value = serde_json::from_str(golden).unwrap();
    let route: RouteConfig = serde_json::from_value(golden["route"].clone()).unwrap();
    let tree = RouteTree::new(&route, &BTreeMap::new());
    AlertsConfig { route: Some(route), ..AlertsConfig::default() }.check().unwrap();
    let cases = golden["cases"].as_array().unwrap();
    for case in cases {
        let pairs = case["labels"].as_object().unwrap().iter();
        let labels = Labels::new(pairs.map(|(name, value)| (name, value.as_str().unwrap()))).unwrap();
        let got: Vec<_> = tree.matching(&labels).map(|route| route.receiver.as_str().to_owned()).collect();
        let want: Vec<_> =
            case["receivers"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        assert_eq!(got, want, "{labels}");
    }
    cases.len()
}

#[test]
fn every_recorded_label_set_goes_where_alertmanager_sent_it() {
    let organisation = check(include_str!("../data/routing/tree1_organisation.golden.json"));
    let matchers = check(include_str!("../data/routing/tree2_matchers.golden.json"));
    assert_eq!(organisation + matchers, 112);
}
