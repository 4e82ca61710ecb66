use bellwether_metrics::trading::{FeedMetrics, OrderMetrics};

use crate::allocations::allocations;
use crate::desk::Desk;

#[test]
fn the_events_of_an_order_and_of_a_feed_allocate_nothing() {
    let desk = Desk::new();
    let orders = OrderMetrics::register(&desk).unwrap();
    let mut feed = FeedMetrics::register(&desk).unwrap().open("itch-a");
    let mut page = String::new();
    let sent = desk.now();
    let mut day = || {
        let momentum = orders.at("XNYS", "momentum");
        for _ in 0..100 {
            let mut order = momentum.send(10.0);
            order.acked();
            order.filled(4.0);
            order.cancel_requested();
            order.cancel_rejected("too_late");
            order.replaced(20.0);
            order.rejected("price_band");
            order.filled(1.0);
            orders.rejected.with("price_band").increment();
            feed.received(feed.sequence().next().unwrap_or(0) + 1);
            feed.stamped(sent);
            feed.failed("checksum");
        }
        page.clear();
        desk.write_text(&mut page);
    };
    day();
    day();
    // Two texts to look the pair up with; none for the events.
    assert_eq!(allocations(day), 2);
}
