//! The service account, lifetime and scopes of a request to Google.

use std::fmt;
use std::time::Duration;

/// The scope for everything that IAM allows.
pub const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The e-mail address or the numeric ID of a service account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccount(String);

impl ServiceAccount {
    /// # Errors
    /// A sentence that shows the right form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let numeric = text.len() >= 15 && text.bytes().all(|b| b.is_ascii_digit());
        let address = text.split_once('@').is_some_and(|(name, domain)| {
            let plain = |part: &str| {
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b))
            };
            plain(name) && plain(domain) && domain.ends_with("gserviceaccount.com")
        });
        if numeric || address {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "`{text}` is not a service account: write it like `NAME@PROJECT_ID.iam.gserviceaccount.com`"
            ))
        }
    }

    /// The text that was parsed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How long a service account's access token lives, in whole seconds: 600 to 43200 (AIP-4117).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime(u64);

impl Lifetime {
    /// # Errors
    /// A sentence that shows the right form.
    pub fn new(duration: Duration) -> Result<Self, String> {
        let seconds = duration.as_secs();
        if duration.subsec_nanos() == 0 && (600..=43200).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err("a service account's access token lives for 10m to 12h, in whole seconds: write it like `3600s` or `1h`".into())
        }
    }

    pub fn seconds(self) -> u64 {
        self.0
    }
}

/// Checks that `text` is a scope of Google: an https URL, `openid`, `email` or `profile`.
///
/// # Errors
/// A sentence that shows the right form.
pub fn check_scope(text: &str) -> Result<(), String> {
    let url = text.starts_with("https://") && !text.contains(|c: char| c.is_whitespace() || c == '"');
    if url || matches!(text, "openid" | "email" | "profile") {
        Ok(())
    } else {
        Err(format!("`{text}` is not a scope: write the full URL, like `{CLOUD_PLATFORM}`"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn service_accounts() {
        let cases = [
            ("deploy@example-project.iam.gserviceaccount.com", true),
            ("1234-compute@developer.gserviceaccount.com", true),
            ("deploy@example.com:project.iam.gserviceaccount.com", true),
            ("104567890123456789012", true),
            ("deploy", false),
            ("deploy@example.com", false),
            ("@example-project.iam.gserviceaccount.com", false),
            ("a/b@example-project.iam.gserviceaccount.com", false),
            ("projects/-/serviceAccounts/deploy@p.iam.gserviceaccount.com", false),
            ("123", false),
        ];
        for (text, good) in cases {
            assert_eq!(ServiceAccount::parse(text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn lifetimes() {
        let cases = [(599, false), (600, true), (43200, true), (43201, false)];
        for (seconds, good) in cases {
            assert_eq!(Lifetime::new(Duration::from_secs(seconds)).is_ok(), good, "{seconds}");
        }
        assert!(Lifetime::new(Duration::from_millis(600_500)).is_err());
    }

    #[test]
    fn scopes() {
        for (text, good) in
            [(CLOUD_PLATFORM, true), ("email", true), ("cloud-platform", false), ("https://a b", false)]
        {
            assert_eq!(check_scope(text).is_ok(), good, "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_account_has_no_delimiter_of_a_url(text in "\\PC{0,12}@?\\PC{0,12}gserviceaccount.com") {
            if let Ok(account) = ServiceAccount::parse(&text) {
                prop_assert!(!account.0.contains(['/', '?', '#', '%', ' ']), "{}", account);
            }
        }
    }
}
