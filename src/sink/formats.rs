//! Variables as lines for a shell to evaluate.
//!
//! The names of the formats are those of `aws configure export-credentials`.

use std::fmt::Display;

use clap::ValueEnum;

use crate::secret::Secret;
use crate::shell::{fish_quote, posix_quote, powershell_quote};

/// How environment variables are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ShellFormat {
    /// `export` lines for POSIX shells
    Env,
    /// `NAME=value` lines
    EnvNoExport,
    /// `set -gx` lines for fish
    Fish,
    /// `$Env:` lines for PowerShell
    #[value(name = "powershell")]
    PowerShell,
}

/// A variable for the environment of a child process or a shell. Any value may be a secret, so
/// every value is a [`Secret`].
pub(crate) type Variable = (&'static str, Secret);

/// One line for each variable, quoted so that the shell reads each value unchanged.
pub(crate) fn shell_lines<N: Display>(variables: &[(N, Secret)], format: ShellFormat) -> String {
    let line = |(name, value): &(N, Secret)| match format {
        ShellFormat::Env => format!("export {name}={}\n", posix_quote(value.reveal())),
        ShellFormat::EnvNoExport => format!("{name}={}\n", posix_quote(value.reveal())),
        ShellFormat::Fish => format!("set -gx {name} {}\n", fish_quote(value.reveal())),
        ShellFormat::PowerShell => format!("$Env:{name} = {}\n", powershell_quote(value.reveal())),
    };
    variables.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn a_shell_reads_every_value_back(text in "[^\\x00]{0,30}") {
            let script = shell_lines(&[("VALUE", Secret::new(text.clone()))], ShellFormat::Env) + "printf %s \"$VALUE\"";
            let output = Command::new("sh").arg("-c").arg(script).output().unwrap();
            prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
    }
}
