//! `expires_in` of RFC 6749 section 5.1, which some services write as a string.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// A number of seconds from now.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum ExpiresIn {
    Number(f64),
    Text(String),
    /// A value that cannot be used. It is ignored, so that the token in the same reply is not lost.
    Other(IgnoredAny),
}

impl ExpiresIn {
    /// The expiry time, in whole seconds. `None` if the value is not a number above zero.
    pub(crate) fn expiry_after(&self, now: Timestamp) -> Option<Timestamp> {
        let seconds = match self {
            Self::Number(seconds) => *seconds,
            Self::Text(text) => text.parse().ok()?,
            Self::Other(_) => return None,
        };
        // The cast stops at the limits of i64, which are far beyond the limits of a `Timestamp`.
        #[allow(clippy::cast_possible_truncation)]
        let seconds = seconds as i64;
        let now = Timestamp::from_second(now.as_second()).ok()?;
        (seconds > 0).then(|| now.checked_add(SignedDuration::from_secs(seconds)).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_strings_with_numbers() {
        let cases = [
            ("3599", Some(3599)),
            ("\"3599\"", Some(3599)),
            ("3599.0", Some(3599)),
            ("0", None),
            ("-1", None),
            ("1e300", None),
            ("\"soon\"", None),
            ("\"nan\"", None),
            ("{\"seconds\":1}", None),
        ];
        for (json, seconds) in cases {
            let read: ExpiresIn = serde_json::from_str(json).unwrap();
            assert_eq!(read.expiry_after(Timestamp::UNIX_EPOCH).map(Timestamp::as_second), seconds, "{json}");
        }
    }
}
