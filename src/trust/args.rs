//! What every `gp idp trust` takes.

use clap::{Args, ValueEnum};

use crate::args::{ScopeArgs, SessionArgs};

/// Who is to be let in.
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

/// What every target takes.
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

/// How a set-up, or what a check found, is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TrustFormat {
    /// Commands for a POSIX shell, with comments (the default)
    Commands,
    /// What is trusted, as JSON; with --check, what was found
    Json,
    /// Terraform, with comments
    Terraform,
    /// With --check, what was found, in lines (the default there)
    Text,
}
