//! Parses AWS credentials and config files as botocore does, and edits them line by line.
//!
//! Botocore, which the AWS CLI and boto3 use, is the strictest of the common readers. For one
//! duplicate key, it refuses the whole file with every profile. So this module refuses the same
//! files, names the line, and repairs nothing. If tools read a section differently, reading follows
//! botocore, and an edit is refused.
//!
//! Only [`Store`] opens files. Everything else works on text.

mod credentials;
mod edit;
mod error;
mod parse;
#[cfg(test)]
mod properties;
mod store;
#[cfg(test)]
mod tests;

use std::fmt;

pub use credentials::{EXPIRY, Effect, Keys, Rival, SOURCES, Source};
pub use error::ProfileError;
pub use store::{LockedStore, Store, StoreError};

use parse::{Key, Layout, Section};

/// One of the two files. They name their sections differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `~/.aws/credentials`, with sections such as `[dev]`.
    Credentials,
    /// `~/.aws/config`, with sections such as `[profile dev]`; only `[default]` has no prefix.
    Config,
}

/// A credentials or config file that botocore accepts.
#[derive(Clone)]
pub struct ProfileFile {
    kind: FileKind,
    /// The only copy of the values, which may be secret: `layout` has only positions and names.
    text: String,
    layout: Layout,
}

impl fmt::Debug for ProfileFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProfileFile({:?}, {} lines, [redacted])", self.kind, self.layout.line_count())
    }
}

impl ProfileFile {
    /// Parses a file. An empty text has no profiles. Returns an error for everything that botocore
    /// refuses.
    pub fn parse(text: &str, kind: FileKind) -> Result<Self, ProfileError> {
        Ok(Self { kind, layout: Layout::of(text)?, text: text.to_owned() })
    }

    /// Like [`ProfileFile::parse`], for bytes. Bytes that are not UTF-8 are an error, as in
    /// botocore.
    pub fn from_bytes(bytes: &[u8], kind: FileKind) -> Result<Self, ProfileError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::parse(text, kind),
            Err(error) => {
                let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
                // The added character makes `lines` count the line of the fault, even if the line
                // is empty.
                Err(ProfileError::NotText { line: parse::lines(&format!("{before}?")).count() })
            }
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names of the profiles, in the order of their sections.
    pub fn profiles(&self) -> Vec<String> {
        let mut names = Vec::new();
        for name in self.sections().iter().filter_map(|section| section.profile(self.kind)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// A value as botocore reads it. The case of the key does not matter. Continuation lines are
    /// joined by line breaks, and an indented block begins with a line break. A profile inherits
    /// the keys of `[DEFAULT]` that it does not set.
    pub fn get(&self, profile: &str, key: &str) -> Option<String> {
        Some(self.value(self.find(profile, key)?))
    }

    /// A setting of a service in a `[services NAME]` section of a config file, where the service is a key with
    /// an indented block (AWS SDK reference, "Service-specific endpoints").
    pub fn service_setting(&self, services: &str, service: &str, key: &str) -> Option<String> {
        let is_services_section =
            |section: &&Section| section.name.strip_prefix("services").map(parse::strip) == Some(services);
        let block = self.value(self.sections().iter().find(is_services_section)?.key(service)?);
        let mut settings = block.lines().filter_map(|line| line.split_once('='));
        settings
            .find(|(name, _)| parse::strip(name).eq_ignore_ascii_case(key))
            .map(|(_, value)| parse::strip(value).to_owned())
    }

    fn sections(&self) -> &[Section] {
        self.layout.sections()
    }

    fn value(&self, key: &Key) -> String {
        self.layout.value(&self.text, key)
    }

    /// The section that botocore uses for a profile. If there are several, such as `[profile a]`
    /// and `[profile "a"]`, botocore uses the last.
    fn section(&self, profile: &str) -> Option<&Section> {
        self.sections().iter().rfind(|section| section.profile(self.kind).as_deref() == Some(profile))
    }

    fn find(&self, profile: &str, key: &str) -> Option<&Key> {
        let section = self.section(profile)?;
        section.key(key).or_else(|| {
            self.sections().iter().filter(|section| section.is_default()).find_map(|section| section.key(key))
        })
    }
}
