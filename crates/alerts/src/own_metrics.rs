//! What alerting tells about itself.
use bellwether_core::{CollectError, Descriptor, Kind, Labels, MetricName, SampleSink, Severity, Unit};

use crate::alerts::AlertsStatus;
use crate::courier::ChannelRecord;
use crate::{ChannelState, ChannelStatus};

/// One figure: what it is called, how it behaves, its unit, what it says.
struct Figure(&'static str, Kind, Unit, &'static str);

const fn counter(name: &'static str, help: &'static str) -> Figure {
    Figure(name, Kind::Counter, Unit::None, help)
}

const fn gauge(name: &'static str, help: &'static str) -> Figure {
    Figure(name, Kind::Gauge, Unit::None, help)
}

const FIRING: Figure = gauge("bellwether_alerts_firing", "Alerts that fire, by severity");
const HELD: Figure =
    gauge("bellwether_alerts_held", "Alerts that the engine holds, ended ones not yet told included");
const GROUPS: Figure = gauge("bellwether_alert_groups", "Groups of alerts that are told together");
const WAITING: Figure = gauge("bellwether_alerts_waiting", "Raised alerts that wait to be taken up");
const OVERFLOWED: Figure =
    counter("bellwether_alerts_overflowed_total", "Raised alerts that gave way in a full queue, by severity");
const FIRED: Figure = counter("bellwether_alerts_fired_total", "Alerts that began to fire, by severity");
const REFRESHED: Figure = counter("bellwether_alerts_refreshed_total", "Raises of alerts that fired already");
const RESOLVED: Figure = counter("bellwether_alerts_resolved_total", "Alerts that ended, by severity");
const REFUSED: Figure =
    counter("bellwether_alerts_refused_total", "Alerts not taken because there are as many as may be");
const EVICTED: Figure = counter("bellwether_alerts_evicted_total", "Alerts that gave way to worse ones");
const LOST_ENDS: Figure = counter(
    "bellwether_alert_ends_lost_total",
    "Ends of alerts that nobody is told of because as many wait to be told as may be",
);
const MERGED: Figure = counter(
    "bellwether_alert_groups_overflowed_total",
    "Alerts told with others because there are as many groups as may be",
);
const NOTIFICATIONS: Figure = counter("bellwether_notifications_total", "Notifications that were made");
const NOT_TOLD: Figure = counter(
    "bellwether_notifications_lost_total",
    "Notifications that were made anew because they could not be stored",
);
const EVALUATIONS: Figure = counter("bellwether_rule_evaluations_total", "Evaluations of all rules");
const SERIES_OVERFLOWED: Figure = counter(
    "bellwether_rule_series_overflowed_total",
    "Label sets not judged because a rule follows as many as it may",
);
const RULE_REFUSED: Figure = counter(
    "bellwether_rule_alerts_refused_total",
    "Alerts of rules that could not be built from their labels",
);
const FORGOTTEN: Figure = counter(
    "bellwether_rule_series_forgotten_total",
    "Label sets forgotten because they had no data for as long as their rule remembers",
);
const RULE_PANICS: Figure =
    counter("bellwether_rule_panics_total", "Times that a rule was not judged because its samples panicked");
const SPILLED: Figure = counter(
    "bellwether_deliveries_spilled_total",
    "Deliveries from memory because the outbox did not answer",
);
const DELIVERIES_OVERFLOWED: Figure = counter(
    "bellwether_deliveries_overflowed_total",
    "Deliveries given up because memory had no room for them",
);
const OUTBOX_ERRORS: Figure =
    counter("bellwether_outbox_errors_total", "Times that the outbox failed to answer");
const HISTORY_ERRORS: Figure =
    counter("bellwether_alert_history_errors_total", "Times that the alert history failed to answer");
const LOST_CHANGES: Figure =
    counter("bellwether_alert_changes_lost_total", "Changes of alerts that the history was never told");
const STATE: Figure = gauge("bellwether_channel_state", "1 for the state that the channel is in, else 0");
const PENDING: Figure = gauge("bellwether_channel_pending", "Messages that wait for the channel");
const ATTEMPTS: Figure = counter("bellwether_channel_attempts_total", "Attempts to deliver");
const DELIVERED: Figure = counter("bellwether_channel_delivered_total", "Messages that arrived");
const RETRIES: Figure =
    counter("bellwether_channel_retries_total", "Attempts that failed and were to be made again");
const DEAD: Figure = counter("bellwether_channel_dead_letters_total", "Messages that were given up");
const SKIPPED: Figure =
    counter("bellwether_channel_skipped_total", "Messages not sent because the channel is disabled");
const TIMEOUTS: Figure = counter("bellwether_channel_timeouts_total", "Attempts without an answer in time");
const PANICS: Figure = counter("bellwether_channel_panics_total", "Times that the channel panicked");
const LIMITED: Figure = counter(
    "bellwether_channel_rate_limited_total",
    "Attempts that the service refused because there were too many",
);
const HELD_BACK: Figure =
    counter("bellwether_channel_held_back_total", "Times that a message waited for our own rate limit");
const UNLOGGED: Figure = counter(
    "bellwether_channel_unlogged_total",
    "Deliveries that could not be written to the notification log",
);
const SUPERSEDED: Figure = counter(
    "bellwether_channel_superseded_total",
    "Messages not sent because a newer one of their group said it all",
);
const SECONDS: Figure =
    Figure("bellwether_channel_attempt_seconds", Kind::Histogram, Unit::Seconds, "How long attempts took");

const ALL: [&Figure; 38] = [
    &FIRING,
    &HELD,
    &GROUPS,
    &WAITING,
    &OVERFLOWED,
    &FIRED,
    &REFRESHED,
    &RESOLVED,
    &REFUSED,
    &EVICTED,
    &LOST_ENDS,
    &MERGED,
    &NOTIFICATIONS,
    &NOT_TOLD,
    &EVALUATIONS,
    &SERIES_OVERFLOWED,
    &RULE_REFUSED,
    &FORGOTTEN,
    &RULE_PANICS,
    &SPILLED,
    &DELIVERIES_OVERFLOWED,
    &OUTBOX_ERRORS,
    &HISTORY_ERRORS,
    &LOST_CHANGES,
    &STATE,
    &PENDING,
    &ATTEMPTS,
    &DELIVERED,
    &RETRIES,
    &DEAD,
    &SKIPPED,
    &TIMEOUTS,
    &PANICS,
    &LIMITED,
    &HELD_BACK,
    &UNLOGGED,
    &SUPERSEDED,
    &SECONDS,
];

/// The descriptors of alerting's figures, and how a status becomes samples.
pub(crate) struct Figures {
    descriptors: Vec<Descriptor>,
}

impl Figures {
    pub(crate) fn new() -> Self {
        // Each name is valid; a test says so.
        let describe = |Figure(name, kind, unit, help): &Figure| {
            let name = MetricName::new(*name).ok()?;
            Some(Descriptor { name, kind: *kind, unit: unit.clone(), help: (*help).into() })
        };
        Self { descriptors: ALL.into_iter().filter_map(describe).collect() }
    }

    pub(crate) fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    pub(crate) fn tell<'a>(
        &self,
        status: &AlertsStatus,
        channels: impl Iterator<Item = (ChannelStatus, &'a ChannelRecord)>,
        out: &mut dyn SampleSink,
    ) -> Result<(), CollectError> {
        let find = |figure: &Figure| self.descriptors.iter().find(|descriptor| descriptor.name == figure.0);
        let mut tell = |figure: &Figure, labels: &Labels, value: u64| match (find(figure), &figure.1) {
            (Some(descriptor), Kind::Counter) => out.counter(descriptor, labels, value as f64),
            (Some(descriptor), _) => out.gauge(descriptor, labels, value as f64),
            (None, _) => {}
        };
        let wrong = |error: bellwether_core::LabelsError| CollectError::new(error.to_string());
        for (figure, by_severity) in [(&FIRING, &status.firing), (&OVERFLOWED, &status.overflowed)] {
            for (severity, count) in by_severity {
                tell(figure, &Labels::new([("severity", severity.as_str())]).map_err(wrong)?, *count);
            }
        }
        let (engine, rules) = (&status.engine, &status.rules);
        for (figure, by_severity) in
            [(&FIRED, &engine.fired_by_severity), (&RESOLVED, &engine.resolved_by_severity)]
        {
            for (severity, count) in Severity::ALL.into_iter().zip(by_severity) {
                tell(figure, &Labels::new([("severity", severity.as_str())]).map_err(wrong)?, *count);
            }
        }
        for (figure, value) in [
            (&HELD, status.held),
            (&GROUPS, status.groups),
            (&WAITING, status.waiting),
            (&REFRESHED, engine.refreshed),
            (&REFUSED, engine.refused),
            (&EVICTED, engine.evicted),
            (&LOST_ENDS, engine.lost_ends),
            (&MERGED, engine.overflowed_groups),
            (&NOTIFICATIONS, engine.notifications),
            (&NOT_TOLD, engine.not_told),
            (&EVALUATIONS, rules.evaluations),
            (&SERIES_OVERFLOWED, rules.overflowed),
            (&RULE_REFUSED, rules.refused),
            (&FORGOTTEN, rules.forgotten),
            (&RULE_PANICS, rules.panics),
            (&SPILLED, status.spilled),
            (&DELIVERIES_OVERFLOWED, status.overflowed_deliveries),
            (&OUTBOX_ERRORS, status.outbox_errors),
            (&HISTORY_ERRORS, status.history_errors),
            (&LOST_CHANGES, status.lost_changes),
        ] {
            tell(figure, &Labels::empty(), value);
        }
        let mut spreads = Vec::new();
        for (channel, record) in channels {
            let (labels, counts) = (&record.labels, &channel.counts);
            for state in ChannelState::WORDS {
                let stated =
                    Labels::new([("state", state)]).and_then(|state| labels.merged(&state)).map_err(wrong)?;
                tell(&STATE, &stated, u64::from(channel.state.as_str() == state));
            }
            for (figure, value) in [
                (&PENDING, counts.pending),
                (&ATTEMPTS, counts.attempts),
                (&DELIVERED, counts.delivered),
                (&RETRIES, counts.retries),
                (&DEAD, counts.dead_letters),
                (&SKIPPED, counts.skipped),
                (&TIMEOUTS, counts.timeouts),
                (&PANICS, counts.panics),
                (&LIMITED, counts.rate_limited),
                (&HELD_BACK, counts.held_back),
                (&UNLOGGED, counts.unlogged),
                (&SUPERSEDED, counts.superseded),
            ] {
                tell(figure, labels, value);
            }
            spreads.extend(record.seconds.as_ref().map(|seconds| (labels, seconds.snapshot())));
        }
        if let Some(descriptor) = find(&SECONDS) {
            for (labels, spread) in spreads {
                out.histogram(descriptor, labels, &spread);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_a_valid_name_of_its_own() {
        let figures = Figures::new();
        assert_eq!(figures.descriptors().len(), ALL.len());
        let mut names: Vec<_> =
            figures.descriptors().iter().map(|descriptor| descriptor.name.clone()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        let counts = |descriptor: &&Descriptor| descriptor.kind == Kind::Counter;
        assert!(figures.descriptors().iter().filter(counts).all(|it| it.name.as_str().ends_with("_total")));
    }
}
