//! A channel that keeps what it is sent.
use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::{AlertChannel, ChannelName, Notification, Receipt, SendError};

/// A channel that keeps what it is sent, and answers as it is told to. Clones are one channel.
#[derive(Debug, Clone)]
pub struct RecordingChannel {
    name: ChannelName,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    enabled: bool,
    answers: VecDeque<Answer>,
    received: Vec<Notification>,
    attempts: Vec<Notification>,
    closed: u32,
}

/// What a [`RecordingChannel`] does with an attempt.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Answer {
    /// Takes the message.
    Take,
    /// Fails so.
    Fail(SendError),
    /// Takes the message, and then says that it may have arrived or not.
    TakeUnknown,
    /// Never answers.
    Hang,
    /// Panics.
    Panic,
}

impl RecordingChannel {
    /// A channel that takes everything.
    pub fn new(name: ChannelName) -> Self {
        let state = State {
            enabled: true,
            answers: VecDeque::new(),
            received: Vec::new(),
            attempts: Vec::new(),
            closed: 0,
        };
        Self { name, state: Arc::new(Mutex::new(state)) }
    }

    /// What to do with the next attempts, one after the other; those after them are taken.
    pub fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state.lock().answers.extend(answers);
    }

    /// Switches it on or off.
    pub fn set_enabled(&self, enabled: bool) {
        self.state.lock().enabled = enabled;
    }

    /// What it took, in order.
    pub fn received(&self) -> Vec<Notification> {
        self.state.lock().received.clone()
    }

    /// The titles of what it took, in order.
    pub fn titles(&self) -> Vec<String> {
        self.state.lock().received.iter().map(Notification::title).collect()
    }

    /// Every attempt that was made, in order.
    pub fn attempts(&self) -> Vec<Notification> {
        self.state.lock().attempts.clone()
    }

    /// How often it was closed.
    pub fn closed(&self) -> u32 {
        self.state.lock().closed
    }
}

#[async_trait]
impl AlertChannel for RecordingChannel {
    fn name(&self) -> &ChannelName {
        &self.name
    }

    fn enabled(&self) -> bool {
        self.state.lock().enabled
    }

    #[allow(clippy::panic, reason = "a panic is what was asked for")]
    async fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let answer = {
            let mut state = self.state.lock();
            state.attempts.push(notification.clone());
            let answer = state.answers.pop_front().unwrap_or(Answer::Take);
            if matches!(answer, Answer::Take | Answer::TakeUnknown) {
                state.received.push(notification.clone());
            }
            answer
        };
        match answer {
            Answer::Take => Ok(Receipt::delivered()),
            Answer::TakeUnknown => Err(SendError::unknown("the connection broke before the answer")),
            Answer::Fail(error) => Err(error),
            Answer::Hang => std::future::pending().await,
            Answer::Panic => panic!("asked to panic"),
        }
    }

    async fn close(&self) -> Result<(), SendError> {
        self.state.lock().closed += 1;
        Ok(())
    }
}
