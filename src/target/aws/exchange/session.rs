//! The name and the duration of a role session.

use std::fmt;

use jiff::Timestamp;

use super::role::is_name_character;

/// `RoleSessionName`: what CloudTrail and the assumed role's ARN call the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSessionName(String);

/// Why a text is not a valid role session name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionNameError {
    /// Fewer than 2 or more than 64 characters.
    #[error("the name of a session has 2 to 64 characters, this has {0}")]
    Length(usize),
    /// A character that is not allowed.
    #[error(
        "`{character}` at character {at} cannot be in the name of a session: only A-Z a-z 0-9 _ + = , . @ - are allowed"
    )]
    Character {
        character: char,
        /// The position of the character, from 1.
        at: usize,
    },
}

impl RoleSessionName {
    const MIN: usize = 2;
    const MAX: usize = 64;

    /// Reads a name.
    ///
    /// The name is checked here, because the error of STS shows only a regular expression.
    pub fn parse(text: &str) -> Result<Self, SessionNameError> {
        if let Some((index, character)) = text.chars().enumerate().find(|(_, c)| !is_name_character(*c)) {
            return Err(SessionNameError::Character { character, at: index + 1 });
        }
        if !(Self::MIN..=Self::MAX).contains(&text.len()) {
            return Err(SessionNameError::Length(text.len()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The default, `<workspace id>-<unix seconds>`. Invalid characters of the id become `-`, and a
    /// long id is cut.
    ///
    /// The seconds are never cut, because they distinguish two sessions of one workspace.
    pub fn from_parts(workspace_id: &str, unix_seconds: u64) -> Self {
        let seconds = unix_seconds.to_string();
        let id: String = workspace_id
            .chars()
            .map(|c| if is_name_character(c) { c } else { '-' })
            .take(Self::MAX - 1 - seconds.len())
            .collect();
        let id = if id.is_empty() { "workspace" } else { &id };
        Self(format!("{id}-{seconds}"))
    }

    /// The default name for a workspace or job.
    pub(crate) fn of_workload(workload: Option<&str>, now: Timestamp) -> Self {
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        Self::from_parts(workload.unwrap_or("workspace"), seconds)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoleSessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `DurationSeconds`: how long the credentials of a session live.
///
/// The role's own maximum may be lower; only STS knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionDuration(u32);

/// A duration that no role allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionDurationError {
    /// Outside of the limits of AWS.
    #[error("a session lasts 900 to 43200 seconds (15 minutes to 12 hours), not {0}")]
    OfAws(u64),
    /// Longer than any known service that emulates STS allows, or zero.
    #[error("a session lasts up to 31536000 seconds (a year), not {0}")]
    OfService(u64),
}

impl SessionDuration {
    /// The shortest.
    pub const MIN: Self = Self(900);
    /// The longest, for a role whose maximum is 12 hours.
    pub const MAX: Self = Self(43200);

    /// Accepts 900 to 43200 seconds, the limits of AWS.
    pub fn from_seconds(seconds: u64) -> Result<Self, SessionDurationError> {
        u32::try_from(seconds)
            .map(Self)
            .ok()
            .filter(|duration| (Self::MIN..=Self::MAX).contains(duration))
            .ok_or(SessionDurationError::OfAws(seconds))
    }

    /// Accepts 1 to 31536000 seconds (a year), for a service that only emulates STS.
    pub fn from_seconds_lenient(seconds: u64) -> Result<Self, SessionDurationError> {
        const YEAR: u32 = 31_536_000;
        let duration = u32::try_from(seconds).ok().filter(|seconds| (1..=YEAR).contains(seconds));
        duration.map(Self).ok_or(SessionDurationError::OfService(seconds))
    }

    pub fn seconds(self) -> u64 {
        self.0.into()
    }
}

impl Default for SessionDuration {
    /// One hour, which every role allows.
    fn default() -> Self {
        Self(3600)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names() {
        let sixty_four = "n".repeat(64);
        let sixty_five = "n".repeat(65);
        let cases = [
            ("ab", Ok(())),
            ("Ann@example.org,dev=1+2_3.-", Ok(())),
            (&sixty_four, Ok(())),
            ("", Err("the name of a session has 2 to 64 characters, this has 0")),
            ("a", Err("the name of a session has 2 to 64 characters, this has 1")),
            (&sixty_five, Err("the name of a session has 2 to 64 characters, this has 65")),
            (
                "a b",
                Err(
                    "` ` at character 2 cannot be in the name of a session: only A-Z a-z 0-9 _ + = , . @ - are allowed",
                ),
            ),
            (
                "é1",
                Err(
                    "`é` at character 1 cannot be in the name of a session: only A-Z a-z 0-9 _ + = , . @ - are allowed",
                ),
            ),
        ];
        for (text, expected) in cases {
            let found = RoleSessionName::parse(text).map(|name| assert_eq!(name.to_string(), text));
            assert_eq!(found.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
        }
    }

    #[test]
    fn the_default_name_keeps_its_seconds() {
        let long = "w".repeat(80);
        let cases = [
            ("gitpodio-gitpod-abc", 1_700_000_000, "gitpodio-gitpod-abc-1700000000".to_owned()),
            ("a b/c", 1, "a-b-c-1".to_owned()),
            ("", 1_700_000_000, "workspace-1700000000".to_owned()),
            (&long, 1_700_000_000, format!("{}-1700000000", "w".repeat(53))),
            (&long, u64::MAX, format!("{}-18446744073709551615", "w".repeat(43))),
        ];
        for (id, seconds, expected) in cases {
            assert_eq!(RoleSessionName::from_parts(id, seconds).as_str(), expected);
        }
    }

    #[test]
    fn durations() {
        for (seconds, ok) in
            [(0, false), (899, false), (900, true), (3600, true), (43200, true), (43201, false)]
        {
            assert_eq!(SessionDuration::from_seconds(seconds).is_ok(), ok, "{seconds}");
        }
        assert_eq!(
            SessionDuration::from_seconds(u64::MAX).unwrap_err().to_string(),
            "a session lasts 900 to 43200 seconds (15 minutes to 12 hours), not 18446744073709551615"
        );
        assert_eq!(SessionDuration::default().seconds(), 3600);
        for (seconds, ok) in [(0, false), (60, true), (43201, true), (31_536_000, true), (31_536_001, false)]
        {
            assert_eq!(SessionDuration::from_seconds_lenient(seconds).is_ok(), ok, "{seconds}");
        }
    }

    proptest! {
        #[test]
        fn every_default_name_is_valid(id in ".{0,90}", seconds in any::<u64>()) {
            let name = RoleSessionName::from_parts(&id, seconds);
            prop_assert_eq!(RoleSessionName::parse(name.as_str()), Ok(name.clone()));
            let end = format!("-{seconds}");
            prop_assert!(name.as_str().ends_with(&end));
        }
    }
}
