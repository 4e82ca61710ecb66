//! What the writer is asked for, and the queue in which it waits.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use sqlx::SqliteConnection;
use tokio::sync::{Notify, oneshot};

use crate::StoreError;
use crate::own_metrics::Figures;

/// What a write that is acknowledged outlives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Durability {
    /// A crash of the process. After a power cut it may be undone, as if it had not been asked for, but never half and never
    /// without what was written after it: it is on the disk with the next write that is acknowledged as synchronised.
    Committed,
    /// A power cut too: the disk has it.
    Synchronised,
}

/// With what a write shares its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Company {
    /// With whatever waits.
    Any,
    /// Not with what the feed adds.
    NoFeed,
}

/// What happens to a write when the disk is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rank {
    /// It gives way to those that stay.
    GivesWay,
    /// It fails only if there is no room for it alone.
    Stays,
}

/// A write that can be made, and made again after it was rolled back.
#[async_trait]
pub(crate) trait Write: Send + 'static {
    /// What comes of it.
    type Answer: Send + 'static;

    /// Makes the changes within a transaction that is open already.
    async fn write(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<Self::Answer>;

    /// The changes are committed, and as durable as was asked.
    fn committed(&mut self) {}

    /// What it outlives when it is acknowledged.
    fn durability(&self) -> Durability {
        Durability::Synchronised
    }

    /// With what it shares its transaction.
    fn company(&self) -> Company {
        Company::Any
    }

    /// What happens to it when the disk is full.
    fn rank(&self) -> Rank {
        Rank::Stays
    }
}

/// A write and who waits for it.
#[async_trait]
pub(super) trait Request: Send {
    /// Makes the changes.
    async fn write(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()>;

    /// Tells how it went.
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);

    /// See [`Write::durability`].
    fn durability(&self) -> Durability;

    /// See [`Write::company`].
    fn company(&self) -> Company;

    /// See [`Write::rank`].
    fn rank(&self) -> Rank;
}

struct Asked<W: Write> {
    write: W,
    answer: Option<W::Answer>,
    reply: oneshot::Sender<Result<W::Answer, StoreError>>,
}

#[async_trait]
impl<W: Write> Request for Asked<W> {
    async fn write(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        self.answer = Some(self.write.write(connection).await?);
        Ok(())
    }

    fn answer(mut self: Box<Self>, outcome: Result<(), StoreError>) {
        let reply = match (outcome, self.answer.take()) {
            (Ok(()), Some(answer)) => {
                self.write.committed();
                Ok(answer)
            }
            // An outcome without an answer is never told: every request of a committed group has written.
            (Ok(()), None) => return,
            (Err(error), _) => Err(error),
        };
        // Nobody waits any more: the write is made all the same.
        let _ = self.reply.send(reply);
    }

    fn durability(&self) -> Durability {
        self.write.durability()
    }

    fn company(&self) -> Company {
        self.write.company()
    }

    fn rank(&self) -> Rank {
        self.write.rank()
    }
}

/// Requests in the order in which they came. Bounded.
pub(crate) struct RequestQueue {
    state: Mutex<Waiting>,
    most: usize,
    wake: Arc<Notify>,
    figures: Arc<Figures>,
    database: String,
}

#[derive(Default)]
struct Waiting {
    requests: VecDeque<Box<dyn Request>>,
    closed: bool,
}

impl RequestQueue {
    pub(super) fn new(most: usize, wake: Arc<Notify>, figures: Arc<Figures>, database: &str) -> Self {
        Self { state: Mutex::default(), most, wake, figures, database: database.to_owned() }
    }

    /// Asks for a write and waits until it is committed, and as durable as it asks to be. Dropping the future does not take the request back.
    pub(super) async fn ask<W: Write>(&self, write: W) -> Result<W::Answer, StoreError> {
        let (reply, answer) = oneshot::channel();
        {
            let mut state = self.state.lock();
            if state.closed {
                return Err(self.closed());
            }
            if state.requests.len() >= self.most {
                self.figures.busy.increment();
                let reason = format!("{} requests wait for its writer, the most it takes", self.most);
                return Err(StoreError::Busy { database: self.database.clone(), reason });
            }
            state.requests.push_back(Box::new(Asked { write, answer: None, reply }));
            self.figures.queued.set(state.requests.len() as u64);
        }
        self.wake.notify_one();
        answer.await.unwrap_or_else(|_| Err(self.unanswered()))
    }

    /// Up to `most` requests.
    pub(super) fn take(&self, most: usize) -> Vec<Box<dyn Request>> {
        let mut state = self.state.lock();
        let count = state.requests.len().min(most);
        let taken = state.requests.drain(..count).collect();
        self.figures.queued.set(state.requests.len() as u64);
        taken
    }

    /// Takes no more requests. Those that wait are still answered.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.wake.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Lets go of everything that waits: those who asked hear that the store is closed.
    pub(super) fn abandon(&self) {
        let left = std::mem::take(&mut self.state.lock().requests);
        self.figures.queued.set(0);
        drop(left);
    }

    /// The request was let go of: with the store, or by a writer that failed in the middle of it.
    fn unanswered(&self) -> StoreError {
        if self.is_closed() {
            return self.closed();
        }
        let reason = "its writer failed and starts again; whether this was written is not known".to_owned();
        StoreError::Unavailable { database: self.database.clone(), reason }
    }

    fn closed(&self) -> StoreError {
        StoreError::Closed { database: self.database.clone() }
    }
}
