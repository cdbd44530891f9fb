//! The failure of one process, shared with the processes that waited for its result.

use std::error::Error as StdError;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::exit::{Exit, Explain};
use crate::output::{Output, sanitise};

/// How long a failure is shared. A process that waits for longer sends its own request.
const MAX_AGE: SignedDuration = SignedDuration::from_secs(5);

/// A failure as its user sees it, without the action. Like stderr, it contains no secret.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SharedFailure {
    at: Timestamp,
    exit: Exit,
    causes: Vec<String>,
    details: Vec<(String, String)>,
    hint: Option<String>,
}

impl SharedFailure {
    pub(crate) fn of(failure: &Failure, at: Timestamp, out: &Output) -> Self {
        let shown = |text: &str| out.redact(&sanitise(text));
        // A hint may have several lines.
        let lines = |text: String| text.lines().map(shown).collect::<Vec<_>>().join("\n");
        Self {
            at,
            exit: failure.exit(),
            causes: failure.causes().iter().map(|cause| shown(cause)).collect(),
            details: failure
                .details()
                .iter()
                .map(|(name, value)| ((*name).to_owned(), shown(value)))
                .collect(),
            hint: failure.hint().map(lines),
        }
    }

    /// Whether the failure is recent, and happened after a waiting process began to wait at `began`.
    pub(crate) fn applies_to(&self, began: Timestamp, now: Timestamp) -> bool {
        began < self.at && self.at <= now && now.duration_since(self.at) <= MAX_AGE
    }
}

impl From<SharedFailure> for Failure {
    fn from(shared: SharedFailure) -> Self {
        let cause = |next, text| Some(Box::new(Cause { text, next }));
        let cause = shared.causes.into_iter().rev().fold(None, cause);
        // Names are `&'static str`, so these are leaked. A process ends after one such failure, so
        // the leak does not grow.
        let details = shared.details.into_iter().map(|(name, value)| (&*name.leak(), value)).collect();
        Repeated { cause, exit: shared.exit, details, hint: shared.hint }.into()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct Cause {
    text: String,
    #[source]
    next: Option<Box<Cause>>,
}

/// The same failure, in a process that was waiting.
#[derive(Debug)]
struct Repeated {
    cause: Option<Box<Cause>>,
    exit: Exit,
    details: Vec<(&'static str, String)>,
    hint: Option<String>,
}

impl fmt::Display for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            self.cause.as_ref().map_or("another process failed to get the credential", |cause| &cause.text),
        )
    }
}

impl StdError for Repeated {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_ref()?.source()
    }
}

impl Explain for Repeated {
    fn exit(&self) -> Exit {
        self.exit
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        self.details.clone()
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::error::CouldNot;
    use crate::output::Paint;

    const JWT: &str = "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln";

    #[derive(Debug, thiserror::Error)]
    #[error("AWS refused {JWT}")]
    struct Refused(#[source] std::io::Error);

    impl Explain for Refused {
        fn exit(&self) -> Exit {
            Exit::TargetRefused
        }

        fn details(&self) -> Vec<(&'static str, String)> {
            vec![("iss", "https://issuer.example".into()), ("longer", "x\ny".into())]
        }

        fn hint(&self) -> Option<String> {
            Some(format!("do this\nor that with {JWT}"))
        }
    }

    fn out() -> std::sync::Arc<Output> {
        Context::silent([("", ""); 0]).out
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000_000 + second).unwrap()
    }

    #[test]
    fn a_shared_failure_reads_the_same_and_holds_no_token() {
        let act = |failure: Failure| Err::<(), _>(failure).could_not(|| "act".into()).unwrap_err();
        let original = Failure::from(Refused(std::io::Error::other("reset")));
        let text = serde_json::to_string(&SharedFailure::of(&original, at(0), &out())).unwrap();
        assert!(!text.contains("eyJ"), "{text}");
        let read: SharedFailure = serde_json::from_str(&text).unwrap();
        let (original, repeated) = (act(original), act(read.into()));
        let text = |failure: &Failure| failure.render(Paint(false), &Context::silent([("", ""); 0]));
        assert_eq!(text(&original), text(&repeated));
        assert_eq!(repeated.exit(), Exit::TargetRefused);
        assert_eq!(repeated.causes().len(), 2);
    }

    #[test]
    fn a_shared_failure_applies_only_to_waiting_processes_and_for_five_seconds() {
        let shared = SharedFailure::of(&Refused(std::io::Error::other("reset")).into(), at(10), &out());
        let cases = [
            (9, 10, true),
            (0, 15, true),
            (0, 16, false),
            // The process began to wait afterwards, or at the same moment.
            (10, 10, false),
            (11, 12, false),
            // The clock was set back.
            (0, 9, false),
        ];
        for (began, now, counts) in cases {
            assert_eq!(shared.applies_to(at(began), at(now)), counts, "{began} {now}");
        }
    }
}
