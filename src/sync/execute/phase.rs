//! How a sync ended.

/// How a sync ended, in Argo CD's words where it has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperationPhase {
    /// All steps are done.
    Succeeded,
    /// A step failed.
    Failed,
    /// It never began: refused, locked, or not to be known.
    Error,
    /// A signal, or the loss of the lock, ended it after the steps in flight.
    Terminated,
}

impl OperationPhase {
    /// As Argo CD writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Error => "Error",
            Self::Terminated => "Terminated",
        }
    }
}
