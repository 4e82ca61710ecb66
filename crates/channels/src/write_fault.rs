//! What a failed write means for a notification.
use std::fmt;
use std::io::{self, ErrorKind};

use bellwether_alerts::SendError;
use bellwether_core::BlockingError;

/// Whether anything may have been written when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing was written yet.
    Before,
    /// Writing had begun.
    During,
}

/// What to do about a failed write to `target`.
///
/// Whatever somebody can free or mount again is tried again; what needs another configuration is not.
pub(crate) fn write_fault(target: impl fmt::Display, stage: Stage, error: &io::Error) -> SendError {
    let reason = format!("{target}: {error}");
    match error.kind() {
        ErrorKind::BrokenPipe
        | ErrorKind::InvalidFilename
        | ErrorKind::IsADirectory
        | ErrorKind::NotADirectory
        | ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem => SendError::permanent(reason),
        ErrorKind::FileTooLarge
        | ErrorKind::NotFound
        | ErrorKind::QuotaExceeded
        | ErrorKind::ResourceBusy
        | ErrorKind::StorageFull
        | ErrorKind::WouldBlock
        | ErrorKind::WriteZero => SendError::retry(reason),
        _ if stage == Stage::Before => SendError::retry(reason),
        _ => SendError::unknown(reason),
    }
}

/// What to do about a job that gave no result.
pub(crate) fn job_fault(error: &BlockingError) -> SendError {
    match error {
        BlockingError::Thread { .. } => SendError::retry(error),
        _ => SendError::unknown("the writer panicked"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: ErrorKind, stage: Stage) -> SendError {
        write_fault("audit.jsonl", stage, &io::Error::from(kind))
    }

    #[test]
    fn a_full_disk_is_tried_again_and_a_missing_permission_is_not() {
        assert_eq!(
            fault(ErrorKind::StorageFull, Stage::During).to_string(),
            "did not arrive, will be tried again: audit.jsonl: no storage space"
        );
        assert!(matches!(fault(ErrorKind::QuotaExceeded, Stage::During), SendError::Retry { .. }));
        assert!(matches!(fault(ErrorKind::PermissionDenied, Stage::Before), SendError::Permanent { .. }));
        assert!(matches!(fault(ErrorKind::BrokenPipe, Stage::During), SendError::Permanent { .. }));
    }

    #[test]
    fn an_error_of_an_unknown_kind_leaves_open_whether_it_arrived_only_if_writing_had_begun() {
        assert!(matches!(fault(ErrorKind::Other, Stage::Before), SendError::Retry { .. }));
        assert!(matches!(fault(ErrorKind::Other, Stage::During), SendError::Unknown { .. }));
    }
}
