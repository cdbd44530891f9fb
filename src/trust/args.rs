//! The flags of every `gp idp trust` command.

use clap::{Args, ValueEnum};

use crate::args::{ScopeArgs, SessionArgs};

/// Who gets access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum For {
    /// Exactly the `sub` of this workspace or job: one branch, environment or pull request
    ThisSubject,
    /// Workspaces or jobs of this repository, on any branch, of any user
    ThisRepository,
    /// Workspaces or jobs of all repositories of the same organisation, group or user
    ThisOwner,
    /// Workspaces of this user, on any repository
    ThisUser,
    /// Every token of the issuer
    Any,
}

/// The flags that all targets share.
#[derive(Debug, Clone, Args)]
pub struct TrustArgs {
    /// Who gets access
    #[arg(long = "for", value_enum, value_name = "WHOM", default_value_t = For::ThisRepository)]
    pub whom: For,
    #[command(flatten)]
    pub scope: ScopeArgs,
    #[command(flatten)]
    pub session: SessionArgs,
}

/// The output formats of a setup or of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TrustFormat {
    /// Commands for a POSIX shell, with comments (the default)
    Commands,
    /// The setup as JSON; with --check, the report as JSON
    Json,
    /// Terraform, with comments
    Terraform,
    /// The report as text (the default with --check)
    Text,
}
