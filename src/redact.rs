//! Removes the secrets of this run from text for people.
//!
//! A server may repeat a secret that it was sent: unchanged, in another case, percent-encoded, in
//! base64, as part of base64 data, or cut off at either end. So text and secrets are compared in a
//! normal form, and every sequence of [`MIN_MATCH`] bytes that also occurs in a secret is removed, or
//! the whole secret if it is shorter. A secret of fewer than [`SHORTEST`] bytes is not removed: it
//! may be part of any word, and the gaps would reveal it.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use crate::secret::{Secret, redact_jwts};

/// The minimum length of a secret that is removed, in bytes.
const SHORTEST: usize = 8;
/// So many consecutive bytes of a secret are removed.
const MIN_MATCH: usize = 16;
/// The maximum number of secrets: a command that renews for days gets ever more of them.
const MAX_SECRETS: usize = 64;

const REDACTED: &str = "[redacted]";

/// The secrets of one run.
#[derive(Default)]
pub(crate) struct Redactor {
    /// The most recently used last.
    held: VecDeque<Secret>,
    /// Those that [`Redactor::take_new`] has not returned yet.
    new: Vec<Secret>,
}

impl Redactor {
    /// From now on, `secret` is removed.
    pub(crate) fn add_secret(&mut self, secret: &Secret) {
        if secret.reveal().len() < SHORTEST {
            return;
        }
        let known = self.held.len();
        self.held.retain(|held| held.reveal() != secret.reveal());
        if self.held.len() == known && self.new.len() < MAX_SECRETS {
            self.new.push(secret.clone());
        }
        if self.held.len() == MAX_SECRETS {
            self.held.pop_front();
        }
        self.held.push_back(secret.clone());
    }

    /// The secrets that were added since the last call.
    pub(crate) fn take_new(&mut self) -> Vec<Secret> {
        std::mem::take(&mut self.new)
    }

    /// `text` without the secrets, and without everything that looks like a JWT.
    pub(crate) fn redact(&self, text: &str) -> String {
        let forms: Vec<Zeroizing<Vec<u8>>> =
            self.held.iter().flat_map(|secret| forms(secret.reveal())).collect();
        let mut windows = HashSet::new();
        for form in forms.iter().filter(|form| form.len() >= SHORTEST) {
            windows.extend(form.windows(form.len().min(MIN_MATCH)));
        }
        let lengths: BTreeSet<usize> = windows.iter().map(|window| window.len()).collect();
        let (bytes, starts) = normal_form(text);
        let mut hidden: Vec<Range<usize>> = Vec::new();
        for at in 0..bytes.len() {
            let holds =
                |length: &&usize| bytes.get(at..at + **length).is_some_and(|window| windows.contains(window));
            let Some(length) = lengths.iter().rev().find(holds) else { continue };
            let (mut begin, mut end) = (starts[at], starts.get(at + length).copied().unwrap_or(text.len()));
            while !text.is_char_boundary(begin) {
                begin -= 1;
            }
            while !text.is_char_boundary(end) {
                end += 1;
            }
            match hidden.last_mut() {
                Some(last) if begin <= last.end => last.end = last.end.max(end),
                _ => hidden.push(begin..end),
            }
        }
        let mut clean = String::with_capacity(text.len());
        let mut written = 0;
        for stretch in hidden {
            clean.push_str(&text[written..stretch.start]);
            clean.push_str(REDACTED);
            written = stretch.end;
        }
        clean.push_str(&text[written..]);
        redact_jwts(&clean)
    }
}

/// The normal forms of a secret: plain, and in base64 at each of the three possible alignments.
fn forms(secret: &str) -> impl Iterator<Item = Zeroizing<Vec<u8>>> {
    let plain = Zeroizing::new(normal_form(secret).0);
    let encoded = (0..3).map(|before| {
        let bytes = Zeroizing::new([&[0; 2][..before], secret.as_bytes()].concat());
        let text = Zeroizing::new(STANDARD_NO_PAD.encode(&*bytes));
        // Without the characters that also hold bits of the neighbouring bytes.
        let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        Zeroizing::new(normal_form(&text[from..to]).0)
    });
    std::iter::once(plain).chain(encoded.collect::<Vec<_>>())
}

/// `text` percent-decoded, in lower case, with the same characters for base64 and base64url; and
/// the offset in `text` of each byte.
fn normal_form(text: &str) -> (Vec<u8>, Vec<usize>) {
    let (mut bytes, mut starts) = (Vec::with_capacity(text.len()), Vec::with_capacity(text.len()));
    for (at, byte) in text.bytes().enumerate() {
        bytes.push(byte);
        starts.push(at);
        // In a loop, because text may be encoded twice.
        while let [.., b'%', high, low] = bytes[..] {
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let (Some(high), Some(low)) = (digit(high), digit(low)) else { break };
            let left = bytes.len() - 3;
            bytes.truncate(left);
            starts.truncate(left + 1);
            bytes.push(high << 4 | low);
        }
    }
    for byte in &mut bytes {
        *byte = match byte.to_ascii_lowercase() {
            // Form encoding has `+` for a space.
            b'+' | b' ' => b'-',
            b'/' => b'_',
            other => other,
        };
    }
    (bytes, starts)
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
    use proptest::prelude::*;
    use url::form_urlencoded::byte_serialize;

    use super::*;

    fn holding(secrets: &[&str]) -> Redactor {
        let mut redactor = Redactor::default();
        for secret in secrets {
            redactor.add_secret(&Secret::new((*secret).to_owned()));
        }
        redactor
    }

    #[test]
    fn each_spelling_of_a_secret_is_removed() {
        const SECRET: &str = "s3cret/Of+the~client=";
        let all_percent: String =
            SECRET.bytes().flat_map(|byte| ["%".to_owned(), format!("{byte:02x}")]).collect();
        let spellings = [
            SECRET.to_owned(),
            SECRET.to_lowercase(),
            SECRET.to_uppercase(),
            byte_serialize(SECRET.as_bytes()).collect(),
            byte_serialize(byte_serialize(SECRET.as_bytes()).collect::<String>().as_bytes()).collect(),
            all_percent,
            STANDARD.encode(SECRET).trim_end_matches('=').to_owned(),
            URL_SAFE_NO_PAD.encode(SECRET),
            // Cut off at one end.
            SECRET[..SECRET.len() - 3].to_owned(),
            SECRET[2..].to_owned(),
        ];
        let redactor = holding(&[SECRET, "another secret"]);
        for spelling in spellings {
            let clean = redactor.redact(&format!("ü says \"{spelling}\" and {spelling}."));
            assert_eq!(clean, "ü says \"[redacted]\" and [redacted].", "{spelling}");
        }
        assert_eq!(redactor.redact("a client has no secret"), "a client has no secret");
    }

    #[test]
    fn a_secret_inside_base64_is_removed() {
        const SECRET: &str = "s3cret-of-the-client";
        for id in ["", "i", "id", "ids"] {
            for encode in
                [STANDARD.encode(format!("{id}:{SECRET}!")), URL_SAFE.encode(format!("{id}:{SECRET}!"))]
            {
                let clean = holding(&[SECRET]).redact(&encode);
                assert!(clean.contains(REDACTED) && clean.len() < 24, "{clean}");
            }
        }
    }

    #[test]
    fn a_short_secret_is_not_removed() {
        assert_eq!(holding(&["secret", ""]).redact("no secret here"), "no secret here");
        assert_eq!(holding(&["password"]).redact("no password here"), "no [redacted] here");
    }

    #[test]
    fn only_the_latest_secrets_are_removed() {
        let mut redactor = holding(&["the-first-secret"]);
        for number in 0..MAX_SECRETS {
            redactor.add_secret(&Secret::new(format!("secret-number-{number:03}")));
            redactor.add_secret(&Secret::new("used-all-the-time".into()));
        }
        assert_eq!(redactor.held.len(), MAX_SECRETS);
        let clean = redactor.redact("used-all-the-time, secret-number-063, the-first-secret");
        assert_eq!(clean, "[redacted], [redacted], the-first-secret");
    }

    proptest! {
        #[test]
        fn a_secret_in_any_text_is_removed(before in ".{0,20}", secret in ".{8,40}", after in ".{0,20}") {
            let clean = holding(&[&secret]).redact(&format!("{before}{secret}{after}"));
            prop_assert!(!clean.contains(&secret), "{}", clean);
        }

        #[test]
        fn text_without_a_secret_is_unchanged(text in "[^e]{0,60}") {
            prop_assert_eq!(holding(&["eeeeeeeeee"]).redact(&text), text);
        }
    }
}
