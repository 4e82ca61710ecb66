//! What the supervisor tells about itself.
use super::roster::Census;
use crate::{CollectError, Descriptor, Kind, Labels, MetricName, SampleSink, Unit};

/// One figure: what it is called, how it behaves, what it says.
struct Figure(&'static str, Kind, &'static str);

const TASKS: Figure = Figure("bellwether_tasks", Kind::Gauge, "Tasks that are alive, by state");
const ENDS: Figure = Figure("bellwether_task_ends_total", Kind::Counter, "Tasks that ended for good, by how");
const REFUSED: Figure =
    Figure("bellwether_tasks_refused_total", Kind::Counter, "Tasks that were not started");
const UP: Figure = Figure("bellwether_task_up", Kind::Gauge, "1 while the task runs, else 0");
const RESTARTS: Figure = Figure("bellwether_task_restarts_total", Kind::Counter, "Restarts of the task");
const PANICS: Figure = Figure("bellwether_task_panics_total", Kind::Counter, "Panics of the task");
const ERRORS: Figure = Figure("bellwether_task_errors_total", Kind::Counter, "Errors that the task returned");
const JOB_PANICS: Figure =
    Figure("bellwether_job_panics_total", Kind::Counter, "Panics of tasks that run once");
const JOB_ERRORS: Figure =
    Figure("bellwether_job_errors_total", Kind::Counter, "Errors of tasks that run once");

const ALL: [&Figure; 9] =
    [&TASKS, &ENDS, &REFUSED, &UP, &RESTARTS, &PANICS, &ERRORS, &JOB_PANICS, &JOB_ERRORS];

/// The descriptors of a supervisor's figures, and how a census becomes samples.
pub(super) struct Figures {
    descriptors: Vec<Descriptor>,
}

impl Figures {
    pub(super) fn new() -> Self {
        // Each name is valid; a test says so.
        let describe = |&Figure(name, ref kind, help): &Figure| {
            let name = MetricName::new(name).ok()?;
            Some(Descriptor { name, kind: *kind, unit: Unit::None, help: help.into() })
        };
        Self { descriptors: ALL.into_iter().filter_map(describe).collect() }
    }

    pub(super) fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    pub(super) fn tell(&self, census: &Census, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let mut tell = |figure: &Figure, labels: &Labels, value: f64| {
            let Some(descriptor) = self.descriptors.iter().find(|descriptor| descriptor.name == figure.0)
            else {
                return;
            };
            match figure.1 {
                Kind::Counter => out.counter(descriptor, labels, value),
                _ => out.gauge(descriptor, labels, value),
            }
        };
        let labelled = |name: &'static str, value: &'static str| {
            Labels::new([(name, value)]).map_err(|error| CollectError::new(error.to_string()))
        };
        let states =
            [("running", census.running), ("stopping", census.stopping), ("restarting", census.restarting)];
        for (state, count) in states {
            tell(&TASKS, &labelled("state", state)?, count as f64);
        }
        let ends = [("finished", census.finished), ("failed", census.failed), ("aborted", census.aborted)];
        for (end, count) in ends {
            tell(&ENDS, &labelled("end", end)?, count as f64);
        }
        tell(&REFUSED, &Labels::empty(), census.refused as f64);
        tell(&JOB_PANICS, &Labels::empty(), census.jobs.panics as f64);
        tell(&JOB_ERRORS, &Labels::empty(), census.jobs.errors as f64);
        for (task, runs, incidents) in &census.services {
            tell(&UP, task, f64::from(u8::from(*runs)));
            tell(&RESTARTS, task, incidents.restarts as f64);
            tell(&PANICS, task, incidents.panics as f64);
            tell(&ERRORS, task, incidents.errors as f64);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_a_valid_name() {
        assert_eq!(Figures::new().descriptors().len(), ALL.len());
    }
}
