//! Alerting in the making.
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use bellwether_core::config::{ConfigPath, Problems, Validate};
use bellwether_core::resilience::Jitter;
use bellwether_core::{SampleWindows, SharedClock};
use chrono::TimeDelta;
use parking_lot::Mutex;

use super::{Alerts, Inner, Round, status};
use crate::alert_handle::Raised;
use crate::config::{AlertsConfig, ReceiverConfig, RouteConfig};
use crate::courier::{Courier, Patience, SafeOutbox, SteadyClock};
use crate::engine::Engine;
use crate::own_metrics::Figures;
use crate::rules::{Evaluator, RuleBuilder};
use crate::{
    AlertChannel, AlertHistory, ChannelName, MemoryAlertHistory, MemoryNotificationLog, MemoryOutbox,
    NotificationLog, Outbox, ReceiverName, RouteTree,
};

/// A channel, or why it could not be started.
type Started = Result<Arc<dyn AlertChannel>, String>;

/// Alerting in the making; every mistake is told by [`build`](Self::build), all at once.
#[must_use = "nothing runs before `build`"]
pub struct AlertsBuilder {
    clock: SharedClock,
    config: AlertsConfig,
    windows: Option<Arc<dyn SampleWindows>>,
    outbox: Option<Arc<dyn Outbox>>,
    history: Option<Arc<dyn AlertHistory>>,
    log: Option<Arc<dyn NotificationLog>>,
    rules: Vec<RuleBuilder>,
    channels: Vec<(ChannelName, Started)>,
    jitter: Jitter,
}

impl AlertsBuilder {
    pub(super) fn new(clock: &SharedClock, config: AlertsConfig) -> Self {
        Self {
            clock: SharedClock::clone(clock),
            config,
            windows: None,
            outbox: None,
            history: None,
            log: None,
            rules: Vec::new(),
            channels: Vec::new(),
            jitter: Jitter::from_system(),
        }
    }

    /// Where the samples are that rules judge.
    pub fn watch(mut self, windows: impl SampleWindows + 'static) -> Self {
        self.windows = Some(Arc::new(windows));
        self
    }

    /// What remembers deliveries, history and who was told, also when this process ends. Without it all three are in memory.
    pub fn remember<S>(self, store: S) -> Self
    where
        S: Outbox + AlertHistory + NotificationLog + 'static,
    {
        let store = Arc::new(store);
        self.outbox(Arc::clone(&store) as _).history(Arc::clone(&store) as _).log(store)
    }

    /// What remembers deliveries.
    pub fn outbox(mut self, outbox: Arc<dyn Outbox>) -> Self {
        self.outbox = Some(outbox);
        self
    }

    /// What remembers alerts that fired and were resolved.
    pub fn history(mut self, history: Arc<dyn AlertHistory>) -> Self {
        self.history = Some(history);
        self
    }

    /// What remembers who was told.
    pub fn log(mut self, log: Arc<dyn NotificationLog>) -> Self {
        self.log = Some(log);
        self
    }

    /// One more rule.
    pub fn rule(mut self, rule: RuleBuilder) -> Self {
        self.rules.push(rule);
        self
    }

    /// More rules.
    pub fn rules(mut self, rules: impl IntoIterator<Item = RuleBuilder>) -> Self {
        self.rules.extend(rules);
        self
    }

    /// One more channel.
    pub fn channel(mut self, channel: impl AlertChannel + 'static) -> Self {
        let channel: Arc<dyn AlertChannel> = Arc::new(channel);
        self.channels.push((channel.name().clone(), Ok(channel)));
        self
    }

    /// One more channel, that may have failed to start: then the others run, its state tells why, and each of its messages is a dead
    /// letter.
    pub fn channel_or_reason<C, E>(mut self, name: ChannelName, channel: Result<C, E>) -> Self
    where
        C: AlertChannel + 'static,
        E: fmt::Display,
    {
        match channel {
            Ok(channel) => self.channel(channel),
            Err(error) => {
                self.channels.push((name, Err(error.to_string())));
                self
            }
        }
    }

    /// Where the spread of retries comes from: a seeded source repeats the same waits in each run.
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// Alerting that is ready to run, or everything that is wrong with configuration, names, rules and channels.
    pub fn build(self) -> Result<Alerts, Problems> {
        let (config, root) = (&self.config, ConfigPath::root());
        let mut problems = Problems::new();
        config.validate(&root, &mut problems);
        let names: Vec<ChannelName> = self.channels.iter().map(|(name, _)| name.clone()).collect();
        config.validate_names(&names, &root, &mut problems);
        for (index, name) in names.iter().enumerate() {
            let twice = names.iter().take(index).any(|before| before == name);
            problems.require(&root.key("channels").key(name.as_str()), !twice, "two channels have this name");
        }
        let evaluator = Evaluator::build(self.rules, &root.key("rules"), &mut problems);
        let watched = self.windows.is_some() || evaluator.rules().len() == 0;
        problems.require(
            &root.key("rules"),
            watched,
            "there are rules but no samples to judge: say what to watch",
        );
        problems.into_result()?;

        let (route, receivers) = routing(config, &names);
        let by_name = |name: &ChannelName| names.iter().position(|known| known == name);
        let served = receivers.iter().map(|(receiver, config)| {
            let couriers = config.channels.iter().filter_map(by_name).collect();
            (receiver.clone(), couriers)
        });
        // Without a receiver of that name, a channel answers to its own.
        let mut receiving: BTreeMap<ReceiverName, Vec<usize>> = names
            .iter()
            .enumerate()
            .filter_map(|(index, name)| {
                Some((ReceiverName::new(name.as_str().to_owned()).ok()?, vec![index]))
            })
            .collect();
        receiving.extend(served);

        let steady = SteadyClock::new(self.clock.clone());
        let memory = MemoryOutbox::new(config.max_pending as usize);
        let outbox = Arc::new(SafeOutbox::new(self.outbox, memory, Patience::new(self.clock.clone())));
        let history = self.history.unwrap_or_else(|| {
            Arc::new(MemoryAlertHistory::new(config.max_history as usize, config.history_age.get()))
        });
        let log = self.log.unwrap_or_else(|| Arc::new(MemoryNotificationLog::default()));
        let mut jitter = self.jitter;
        let mut couriers = Vec::with_capacity(self.channels.len());
        let mut problems = Problems::new();
        for (name, channel) in self.channels {
            let delivery = config.channels.get(&name).unwrap_or(&config.delivery).clone();
            let seeded = Jitter::seeded(jitter.fraction().to_bits());
            let (steady, outbox, log) = (steady.clone(), Arc::clone(&outbox), Arc::clone(&log));
            match Courier::new(name.clone(), channel, delivery, steady, outbox, log, seeded) {
                Ok(courier) => couriers.push(Arc::new(courier)),
                Err(reason) => problems.push(&root.key("channels").key(name.as_str()), reason),
            }
        }
        problems.into_result()?;
        let engine = Engine::new(RouteTree::new(&route, &receivers), config.engine_settings());
        let inner = Inner {
            patience: Patience::new(self.clock.clone()),
            raised: Arc::new(Raised::new(self.clock.clone(), config.max_raised as usize)),
            clock: self.clock,
            steady,
            round: tokio::sync::Mutex::new(Round {
                next_evaluation: None,
                set_ahead: TimeDelta::zero(),
                unsaved: Vec::new(),
            }),
            evaluator: Mutex::new(evaluator),
            engine: Mutex::new(engine),
            windows: self.windows,
            evaluation_interval: config.evaluation_interval.get(),
            receivers: receiving,
            couriers,
            outbox,
            history,
            log,
            max_unsaved: config.max_history as usize,
            unsaved: AtomicUsize::new(0),
            figures: Figures::new(),
            lost: status::Lost::default(),
        };
        Ok(Alerts { inner: Arc::new(inner) })
    }
}

/// The routes and receivers of a configuration; without routes every alert goes to every channel, by name of the alert.
fn routing(
    config: &AlertsConfig,
    channels: &[ChannelName],
) -> (RouteConfig, BTreeMap<ReceiverName, ReceiverConfig>) {
    let mut receivers = config.receivers.clone();
    if let Some(route) = &config.route {
        return (route.clone(), receivers);
    }
    let mut route = RouteConfig::to(ReceiverName::EVERYONE);
    route.group_by = Some(vec![crate::ALERT_NAME.to_owned()]);
    receivers
        .insert(ReceiverName::EVERYONE, ReceiverConfig { channels: channels.to_vec(), send_resolved: true });
    (route, receivers)
}

impl fmt::Debug for AlertsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels: Vec<_> = self.channels.iter().map(|(name, channel)| (name, channel.is_ok())).collect();
        f.debug_struct("AlertsBuilder")
            .field("config", &self.config)
            .field("rules", &self.rules.len())
            .field("channels", &channels)
            .finish_non_exhaustive()
    }
}
