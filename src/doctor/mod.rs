//! What every `gp idp doctor` shares: the report, and the links from the supervisor to a verified ID token.

pub mod identity;
pub mod report;
