//! What alerting tells about itself.
use std::collections::BTreeSet;

use bellwether_alerts::config::AlertsConfig;
use bellwether_alerts::testing::RecordingChannel;
use bellwether_alerts::{Alert, Alerts, ChannelName};
use bellwether_core::{
    Clock, Collect, Descriptor, Labels, ManualClock, SampleSink, Severity, SpreadSnapshot, SummarySnapshot,
};
use chrono::DateTime;

use crate::block_on;

#[derive(Default)]
struct Told(Vec<(String, String, f64)>);

impl SampleSink for Told {
    fn counter(&mut self, descriptor: &Descriptor, labels: &Labels, total: f64) {
        self.gauge(descriptor, labels, total);
    }
    fn gauge(&mut self, descriptor: &Descriptor, labels: &Labels, value: f64) {
        self.0.push((descriptor.name.to_string(), labels.to_string(), value));
    }
    fn histogram(&mut self, descriptor: &Descriptor, labels: &Labels, spread: &SpreadSnapshot) {
        self.0.push((descriptor.name.to_string(), labels.to_string(), spread.count() as f64));
    }
    fn summary(&mut self, descriptor: &Descriptor, labels: &Labels, summary: &SummarySnapshot) {
        self.gauge(descriptor, labels, summary.count as f64);
    }
}

impl Told {
    fn value(&self, name: &str, labels: &str) -> Option<f64> {
        self.0.iter().find(|it| it.0 == name && it.1 == labels).map(|it| it.2)
    }
}

#[test]
fn every_figure_that_is_described_is_told_once_per_label_set() {
    block_on(async {
        let clock = ManualClock::starting_at(DateTime::UNIX_EPOCH);
        let mail = RecordingChannel::new(ChannelName::new("mail").unwrap());
        let alerts = Alerts::builder(&clock.shared(), AlertsConfig::default()).channel(mail).build().unwrap();
        let alert = Alert::builder("A", clock.now()).severity(Severity::Critical).build().unwrap();
        alerts.handle().raise(alert);
        let due = alerts.run_due().await.unwrap();
        clock.advance_to(due);
        alerts.run_due().await;
        let mut told = Told::default();
        alerts.collect(&mut told).unwrap();
        let names: BTreeSet<_> = told.0.iter().map(|it| it.0.clone()).collect();
        let described: BTreeSet<_> = alerts.descriptors().iter().map(|it| it.name.to_string()).collect();
        assert_eq!(names, described);
        let places: BTreeSet<_> = told.0.iter().map(|it| (&it.0, &it.1)).collect();
        assert_eq!(places.len(), told.0.len());
        assert_eq!(told.value("bellwether_alerts_firing", r#"{severity="critical"}"#), Some(1.0));
        assert_eq!(told.value("bellwether_alerts_fired_total", r#"{severity="critical"}"#), Some(1.0));
        assert_eq!(told.value("bellwether_alerts_fired_total", r#"{severity="info"}"#), Some(0.0));
        assert_eq!(told.value("bellwether_alerts_resolved_total", r#"{severity="critical"}"#), Some(0.0));
        assert_eq!(told.value("bellwether_channel_delivered_total", r#"{channel="mail"}"#), Some(1.0));
        assert_eq!(told.value("bellwether_channel_attempt_seconds", r#"{channel="mail"}"#), Some(1.0));
        assert_eq!(told.value("bellwether_channel_state", r#"{channel="mail",state="ready"}"#), Some(1.0));
        assert_eq!(told.value("bellwether_channel_state", r#"{channel="mail",state="degraded"}"#), Some(0.0));
    });
}
