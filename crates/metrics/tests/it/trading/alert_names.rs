//! The table of what must be alerted on names only metrics that there are.

use std::time::Duration;

use bellwether_metrics::trading::{FeedMetrics, Mark, OrderMetrics, PositionMetrics, QueueMetrics};

use crate::desk::Desk;

#[test]
fn every_metric_of_the_alert_table_and_of_the_pages_is_told() {
    let desk = Desk::new();
    let orders = OrderMetrics::register(&desk).unwrap().at("XNYS", "a");
    orders.send(1.0).filled(1.0);
    orders.rejected.with("x").increment();
    orders.cancels_rejected.with("x").increment();
    let mut feed = FeedMetrics::register(&desk).unwrap().open("f");
    feed.received(1);
    feed.failed("x");
    let position = PositionMetrics::register(&desk).unwrap().at("a", "x");
    position.mark(Mark::new(1.0, 1.0, 1.0));
    position.realised.set(0.0);
    QueueMetrics::register(&desk).unwrap().at("q", Some(1)).popped(Duration::ZERO);
    let page = desk.text();

    let sources = [
        include_str!("../../../src/trading.rs"),
        include_str!("../../../src/trading/orders.rs"),
        include_str!("../../../src/trading/feeds.rs"),
        include_str!("../../../src/trading/positions.rs"),
        include_str!("../../../src/trading/queues.rs"),
    ];
    let rows = sources.iter().flat_map(|source| source.lines()).filter(|line| line.contains(" | "));
    let words = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    let names = words.map(|word| word.split('{').next().unwrap()).filter(|name| {
        ["order", "feed_", "tick_", "position_", "strategy_", "queue_", "bellwether_"]
            .iter()
            .any(|start| name.starts_with(start) && name.contains('_'))
    });
    let mut checked = 0;
    for name in names {
        assert!(page.contains(&format!("# TYPE {name} ")), "{name} is in no page");
        checked += 1;
    }
    assert!(checked > 60, "{checked} names");
}
