//! Faults that a local service can simulate. The service answers without checking the request, to
//! test how a caller handles the answer.

use std::fmt;
use std::str::FromStr;

/// The kinds of fault that one service can simulate.
pub trait FaultKind: Copy + 'static {
    /// The kinds with their names, sorted by name.
    const KINDS: &'static [(&'static str, Self)];
}

/// One fault, for the first requests or for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault<K> {
    kind: K,
    /// How many requests still get this fault; `None`: all.
    times: Option<u32>,
}

/// The text is not a valid fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultError {
    known: Vec<&'static str>,
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.known.join(", ");
        write!(f, "write NAME, or NAME:COUNT with a count from 1, where NAME is one of {known}")
    }
}

impl std::error::Error for FaultError {}

impl<K: FaultKind> Fault<K> {
    /// The names of all faults, sorted.
    pub fn names() -> Vec<&'static str> {
        K::KINDS.iter().map(|(name, _)| *name).collect()
    }

    /// Uses the fault for one request. `None` if it is used up.
    pub(super) fn take(&mut self) -> Option<K> {
        self.take_if(|_| true)
    }

    /// As [`Fault::take`], if the request can have a fault of this kind.
    pub(super) fn take_if(&mut self, applies: impl FnOnce(K) -> bool) -> Option<K> {
        if !applies(self.kind) {
            return None;
        }
        if let Some(times) = &mut self.times {
            *times = times.checked_sub(1)?;
        }
        Some(self.kind)
    }
}

impl<K: FaultKind> FromStr for Fault<K> {
    type Err = FaultError;

    /// `NAME` for always, `NAME:COUNT` for the first COUNT requests.
    fn from_str(text: &str) -> Result<Self, FaultError> {
        let unknown = || FaultError { known: Self::names() };
        let (name, times) = match text.split_once(':') {
            Some((name, count)) => {
                (name, Some(count.parse().ok().filter(|count| *count > 0).ok_or_else(unknown)?))
            }
            None => (text, None),
        };
        let (_, kind) = K::KINDS.iter().find(|(known, _)| *known == name).ok_or_else(unknown)?;
        Ok(Self { kind: *kind, times })
    }
}

#[cfg(test)]
mod tests {
    use crate::dev::{AwsFault, VaultFault};

    #[test]
    fn faults_are_named_and_counted() {
        let mut twice: AwsFault = "throttling:2".parse().unwrap();
        let taken = [twice.take(), twice.take(), twice.take()];
        assert_eq!(taken.map(|kind| kind.is_some()), [true, true, false]);
        let mut once: VaultFault = "signature:1".parse().unwrap();
        assert!(once.take_if(|_| false).is_none());
        assert!(once.take_if(|_| true).is_some() && once.take().is_none());
        let mut always: AwsFault = "html-page".parse().unwrap();
        assert!((0..9).all(|_| always.take().is_some()));
        for text in
            ["", "throttling:", "throttling:0", "throttling:-1", "throttling:x", "Throttling", "nonsense"]
        {
            let error = text.parse::<AwsFault>().unwrap_err().to_string();
            assert!(error.ends_with("token-too-old, too-many-requests, verification-key"), "{text}: {error}");
        }
        assert_eq!("sealed".parse::<AwsFault>().unwrap_err().known, AwsFault::names());
        "sealed".parse::<VaultFault>().unwrap();
    }

    #[test]
    fn names_are_sorted() {
        assert!(AwsFault::names().is_sorted() && VaultFault::names().is_sorted());
    }
}
