//! The settings of a profile for temporary credentials or for a `credential_process`.

use std::fmt;

use super::{FileKind, ProfileError, ProfileFile};

/// The key for the expiry of a profile's credentials, in RFC 3339. No SDK reads it. The name comes
/// from saml2aws; shell prompts and other helpers read it.
pub const EXPIRY: &str = "x_security_token_expires";

const ID: &str = "aws_access_key_id";
const SECRET: &str = "aws_secret_access_key";
const TOKEN: &str = "aws_session_token";
/// The older name of the session token. Botocore still prefers it, so an old value makes new keys
/// invalid.
const OLD_TOKEN: &str = "aws_security_token";
const PROCESS: &str = "credential_process";

/// The settings of a profile that say where its credentials come from.
pub const SOURCES: [&str; 15] = [
    ID,
    SECRET,
    TOKEN,
    OLD_TOKEN,
    PROCESS,
    "credential_source",
    "login_session",
    "role_arn",
    "source_profile",
    "sso_account_id",
    "sso_region",
    "sso_role_name",
    "sso_session",
    "sso_start_url",
    "web_identity_token_file",
];

const GO: &str = "the SDK for Go refuses";
const GO_AND_JAVA: &str = "the SDKs for Go and Java refuse";

/// Settings that are no source of credentials by themselves. Each comes with the SDKs that refuse a profile that has
/// this setting and another source.
const CONFLICTING_SETTINGS: [(&str, &str); 5] = [
    ("credential_source", GO),
    ("source_profile", GO),
    ("sso_region", GO_AND_JAVA),
    ("sso_session", GO_AND_JAVA),
    ("sso_start_url", GO_AND_JAVA),
];

#[derive(Clone, Copy)]
pub struct Keys<'a> {
    /// The access key id, `ASIA…`.
    pub access_key_id: &'a str,
    pub secret_access_key: &'a str,
    pub session_token: &'a str,
    /// The expiry, in RFC 3339.
    pub expires: &'a str,
}

impl fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys([redacted], expires: {:?})", self.expires)
    }
}

/// Where a profile's credentials are meant to come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Keys in the credentials file.
    Keys,
    /// A `credential_process` in the config file.
    Process,
    /// An endpoint in environment variables. SDKs prefer every source of credentials in a profile
    /// to the endpoint.
    Endpoint,
}

/// A setting of the same profile that is another source of credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rival {
    pub key: &'static str,
    /// The line it is on, from 1.
    pub line: usize,
    pub effect: Effect,
}

/// How SDKs treat another source of credentials beside the written one. The SDKs for Python
/// (botocore, which the AWS CLI uses), Go, Java and Node differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Botocore and other SDKs use this setting and ignore the written credentials.
    Preferred,
    /// Only the SDK for Java uses this setting.
    PreferredByJava,
    /// The SDKs that are named here refuse the profile.
    ProfileRefused(&'static str),
    /// No SDK uses this setting.
    Ignored,
}

impl Rival {
    /// The harm that this setting, which is at `place`, does to `written`; `None` if it does no harm.
    pub fn harm(&self, place: &str, written: &str) -> Option<String> {
        match self.effect {
            Effect::Preferred => Some(format!("some SDKs use {place}, not {written}")),
            Effect::PreferredByJava => Some(format!("the SDK for Java prefers {place} to {written}")),
            Effect::ProfileRefused(who) => Some(format!("{who} the profile because of {place}")),
            Effect::Ignored => None,
        }
    }
}

/// Whether a `credential_process` runs this program.
fn is_own(command: &str) -> bool {
    let words: Vec<&str> = command.split_whitespace().collect();
    let has = |wanted: &[&str]| words.windows(wanted.len()).any(|found| found == wanted);
    (has(&["idp", "login", "aws"]) || has(&["idp", "login-aws"]))
        && (has(&["--format", "process"]) || has(&["--format=process"]))
}

impl ProfileFile {
    /// Writes temporary credentials to a profile and removes an `aws_security_token`. Returns the
    /// rivals in this file.
    pub fn write_credentials(
        &mut self,
        profile: &str,
        keys: Keys<'_>,
        force: bool,
    ) -> Result<Vec<Rival>, ProfileError> {
        let values = [
            (ID, keys.access_key_id),
            (SECRET, keys.secret_access_key),
            (TOKEN, keys.session_token),
            (EXPIRY, keys.expires),
        ];
        if let Some((key, _)) = values.iter().find(|(_, value)| value.is_empty()) {
            return Err(ProfileError::Unwritable { key: (*key).to_owned(), reason: "its value is empty" });
        }
        let mut edits: Vec<_> = values.map(|(key, value)| (key, Some(value))).into();
        edits.push((OLD_TOKEN, None));
        self.replace(profile, &edits, force, &[OLD_TOKEN])?;
        Ok(self.rivals(profile, Source::Keys))
    }

    /// Writes a `credential_process` to a profile of the config file, and removes the profile's
    /// keys there. Returns the rivals in this file. [`ProfileFile::remove_keys`] is for the
    /// credentials file, because SDKs prefer its keys to the command.
    pub fn write_credential_process(
        &mut self,
        profile: &str,
        command: &str,
        force: bool,
    ) -> Result<Vec<Rival>, ProfileError> {
        if command.is_empty() {
            return Err(ProfileError::Unwritable { key: PROCESS.to_owned(), reason: "its value is empty" });
        }
        let mut edits = vec![(PROCESS, Some(command))];
        edits.extend([ID, SECRET, TOKEN, OLD_TOKEN, EXPIRY].map(|key| (key, None)));
        self.replace(profile, &edits, force, &[])?;
        Ok(self.rivals(profile, Source::Process))
    }

    /// Removes only the keys of a profile and their expiry. Returns the rivals in this file.
    pub fn remove_keys(&mut self, profile: &str, force: bool) -> Result<Vec<Rival>, ProfileError> {
        let edits = [ID, SECRET, TOKEN, OLD_TOKEN, EXPIRY].map(|key| (key, None));
        self.replace(profile, &edits, force, &[ID])?;
        Ok(self.rivals(profile, Source::Process))
    }

    /// Whether the `credential_process` of a profile runs this program.
    pub fn has_own_process(&self, profile: &str) -> bool {
        self.get(profile, PROCESS).is_some_and(|command| is_own(&command))
    }

    /// The program and the arguments of a `credential_process` that runs this program.
    pub fn own_process(&self, profile: &str) -> Option<(String, Vec<String>)> {
        let command = self.get(profile, PROCESS).filter(|command| is_own(command))?;
        let mut words = shlex::split(&command)?.into_iter();
        Some((words.next()?, words.collect()))
    }

    /// Removes a `credential_process` that runs this program, because the SDK for Java prefers it
    /// to keys. Returns `true` if there was one and the profile then has none.
    pub fn remove_own_process(&mut self, profile: &str) -> Result<bool, ProfileError> {
        if !self.has_own_process(profile) {
            return Ok(false);
        }
        self.set(profile, &[(PROCESS, None)])?;
        // A `credential_process` in `[DEFAULT]` applies to every profile, so it is kept.
        Ok(self.find(profile, PROCESS).is_none())
    }

    /// The settings of a profile in this file that compete with `source`. Those that botocore prefers come first, in
    /// botocore's order. SDKs merge both files, so the caller has to check the other file too.
    pub fn rivals(&self, profile: &str, source: Source) -> Vec<Rival> {
        let first = ["role_arn", "web_identity_token_file", "sso_account_id", "sso_role_name"];
        let mut order: Vec<(&'static str, Effect)> = first.map(|key| (key, Effect::Preferred)).into();
        match (source, self.kind) {
            (Source::Endpoint, _) => order = SOURCES.map(|key| (key, Effect::Preferred)).into(),
            (Source::Keys, _) => {
                order.extend([("login_session", Effect::Ignored), (PROCESS, Effect::PreferredByJava)]);
            }
            // If both files have the same setting, SDKs use the one in the credentials file.
            (Source::Process, FileKind::Credentials) => {
                order.extend([ID, "login_session", PROCESS].map(|key| (key, Effect::Preferred)));
            }
            (Source::Process, FileKind::Config) => order.push(("login_session", Effect::Preferred)),
        }
        if source != Source::Endpoint {
            order.extend(CONFLICTING_SETTINGS.map(|(key, who)| (key, Effect::ProfileRefused(who))));
        }
        // `sso_region` without `sso_start_url` does not configure SSO.
        order.retain(|(key, _)| *key != "sso_region" || self.find(profile, "sso_start_url").is_some());
        let rival =
            |(key, effect)| self.find(profile, key).map(|found| Rival { key, line: found.line + 1, effect });
        order.into_iter().filter_map(rival).collect()
    }

    /// Edits a profile. Returns an error if this would overwrite a long-lived key without `force`,
    /// or if the profile would still inherit one of the keys `unwanted` from `[DEFAULT]`.
    fn replace(
        &mut self,
        profile: &str,
        edits: &[(&str, Option<&str>)],
        force: bool,
        unwanted: &[&str],
    ) -> Result<(), ProfileError> {
        if !force && let Some(line) = self.long_lived(profile) {
            return Err(ProfileError::LongLived { profile: profile.to_owned(), line });
        }
        let mut new = self.clone();
        new.set(profile, edits)?;
        for &key in unwanted {
            if let Some(found) = new.find(profile, key) {
                let (profile, key) = (profile.to_owned(), key.to_owned());
                return Err(ProfileError::Inherited { profile, key, line: found.line + 1 });
            }
        }
        *self = new;
        Ok(())
    }

    /// The line, from 1, of a profile's own access key id, if it is a long-lived key of an IAM
    /// user.
    fn long_lived(&self, profile: &str) -> Option<usize> {
        let key = self.section(profile)?.key(ID)?;
        let value = self.value(key);
        // Botocore keeps quotes as a part of the value. An edit would still lose the key inside the
        // quotes.
        let id = value.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
        id.to_ascii_uppercase().starts_with("AKIA").then_some(key.line + 1)
    }
}
