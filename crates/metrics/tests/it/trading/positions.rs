use bellwether_core::Unit;
use bellwether_metrics::trading::{Mark, PositionMetrics, Preset};
use bellwether_metrics::{RegistryConfig, Value};

use crate::desk::{Desk, selector};

fn sum(desk: &Desk, name: &str, strategy: &str) -> Option<f64> {
    let series = selector(name).equal("strategy".try_into().unwrap(), strategy);
    desk.value(&series).map(|value| value.as_f64().unwrap())
}

#[test]
fn exposure_and_open_profit_by_hand_long_and_short() {
    let mark = Mark::new(300.0, 10.0, 11.5);
    assert_eq!((mark.exposure(), mark.unrealised()), (3_450.0, 450.0));
    let mark = Mark::new(-2.0, 5_010.0, 5_000.0).with_multiplier(50.0);
    assert_eq!((mark.exposure(), mark.unrealised()), (-500_000.0, 1_000.0));
}

#[test]
fn a_strategy_sums_its_positions_and_no_other() {
    let desk = Desk::new();
    let positions = PositionMetrics::register(&desk).unwrap();
    positions.at("a", "AAPL").mark(Mark::new(10.0, 100.0, 110.0));
    positions.at("a", "MSFT").mark(Mark::new(-5.0, 200.0, 190.0));
    positions.at("a", "MSFT").realised.add(-30.0);
    positions.at("b", "AAPL").mark(Mark::new(1.0, 100.0, 110.0));
    positions.at("c", "AAPL");
    assert_eq!(sum(&desk, "strategy_gross_exposure_usd", "a"), Some(2_050.0));
    assert_eq!(sum(&desk, "strategy_net_exposure_usd", "a"), Some(150.0));
    assert_eq!(sum(&desk, "strategy_pnl_usd", "a"), Some(120.0));
    assert_eq!(sum(&desk, "strategy_pnl_usd", "b"), Some(10.0));
    assert_eq!(sum(&desk, "strategy_pnl_usd", "c"), None, "nobody said anything of it");
}

#[test]
fn a_closed_position_has_no_open_profit_whatever_its_average() {
    let desk = Desk::new();
    let position = PositionMetrics::register(&desk).unwrap().at("a", "AAPL");
    position.mark(Mark::new(0.0, f64::NAN, 110.0));
    assert_eq!((position.unrealised.get(), position.exposure.get()), (Some(0.0), Some(0.0)));
    assert_eq!(desk.refused("not_finite"), 0.0);
    position.mark(Mark::new(1.0, 100.0, f64::NAN));
    assert_eq!((position.quantity.get(), position.exposure.get()), (Some(1.0), Some(0.0)));
    assert_eq!(desk.refused("not_finite"), 2.0);
    position.clear();
    assert_eq!(sum(&desk, "strategy_net_exposure_usd", "a"), None);
}

#[test]
fn the_currency_ends_the_names_and_is_the_unit() {
    let desk = Desk::new();
    let preset = Preset::new().with_currency(Unit::Other("eur".into()));
    preset.positions(&desk).unwrap().at("a", "SAP").realised.set(1.0);
    let snapshot = desk.snapshot();
    let family =
        snapshot.families.iter().find(|family| family.descriptor.name == "strategy_pnl_eur").unwrap();
    assert_eq!(family.descriptor.unit, Unit::Other("eur".into()));
}

#[test]
fn positions_beyond_the_bound_are_in_no_sum() {
    let desk = Desk::with(RegistryConfig::default().with_max_series_per_metric(3));
    let positions = PositionMetrics::register(&desk).unwrap();
    for id in 0..10 {
        positions.at("a", &format!("symbol {id}")).exposure.set(1.0);
    }
    assert_eq!(sum(&desk, "strategy_net_exposure_usd", "a"), Some(3.0));
    assert!(desk.own("bellwether_metrics_overflowed_total", None) > 0.0);
    assert_eq!(desk.values(&selector("position_exposure_usd")).len(), 4);
    assert!(matches!(desk.value(&selector("strategy_net_exposure_usd")), Some(Value::Gauge(3.0))));
}
