//! The type for secret text.

use std::fmt;

use serde::{Deserialize, Deserializer, Serializer};
use zeroize::Zeroizing;

/// A token or key: no `Display`, a redacted `Debug`, zeroed on drop.
///
/// Only [`Secret::reveal`] returns the text, so a search for `reveal` finds every place where a
/// secret leaves the process.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes ownership of the text. The caller must keep no copy.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for a request header, a request body or a sink, never for a message.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Secret {
    /// Serializes the secret text, for JSON on stdout or in a private file. A field uses it
    /// explicitly: `#[serde(serialize_with = "Secret::serialize_revealed")]`.
    pub(crate) fn serialize_revealed<S: Serializer>(secret: &Self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.reveal())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Replaces everything in `text` that looks like a JWT.
///
/// A JWT begins with `eyJ`, the base64url form of `{"`.
pub fn redact_jwts(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("eyJ") {
        let (before, token) = rest.split_at(start);
        let end =
            token.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.=".contains(c))).unwrap_or(token.len());
        clean.push_str(before);
        clean.push_str(if end > 16 { "[redacted]" } else { &token[..end] });
        rest = &token[end..];
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        let secret = Secret::new("hunter2".into());
        assert_eq!(format!("{secret:?}"), "Secret([redacted])");
        assert_eq!(secret.reveal(), "hunter2");
    }

    #[test]
    fn only_jwts_are_redacted() {
        let cases = [
            (
                "unexpected argument 'eyJhbGciOiJub25lIn0.eyJhIjoxfQ.' found",
                "unexpected argument '[redacted]' found",
            ),
            ("eyJ is short", "eyJ is short"),
            ("no token here", "no token here"),
            ("a=eyJhbGciOiJub25lIn0.x.y b=eyJhbGciOiJub25lIn0.x.y", "a=[redacted] b=[redacted]"),
        ];
        for (text, expected) in cases {
            assert_eq!(redact_jwts(text), expected);
        }
    }
}
