//! A token helper: a program with the argument `get`, `store` or `erase`. `store` reads the token
//! from stdin, and `get` prints it on stdout. If the helper fails, its error output is the
//! message.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::{fmt, fs};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use zeroize::Zeroizing;

use super::{TokenStoreError, trimmed};
use crate::exec::{CLIENT_SECRET, how_it_ended};
use crate::http::Deadline;
use crate::secret::Secret;
use crate::shell;

/// The maximum size of a helper's output, in bytes.
const MAX_OUTPUT: usize = 64 * 1024;

/// A program that keeps the token.
#[derive(Debug, Clone)]
pub(crate) struct Helper {
    path: PathBuf,
    /// The configuration file that names it.
    config: PathBuf,
}

impl fmt::Display for Helper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

impl Helper {
    /// Checks the program that the configuration file `config` names. Only an absolute path is
    /// accepted: a relative path would name another program in another folder.
    pub(super) fn new(program: String, config: &Path) -> Result<Self, TokenStoreError> {
        let path = PathBuf::from(&program);
        let reason = match fs::metadata(&path) {
            _ if !path.is_absolute() => "is not an absolute path",
            Err(_) => "does not exist",
            Ok(found) if !found.is_file() => "is not a file",
            Ok(found) if found.permissions().mode() & 0o111 == 0 => "is not executable",
            Ok(_) => return Ok(Self { path, config: config.to_owned() }),
        };
        Err(TokenStoreError::NoHelper { program, config: config.to_owned(), reason })
    }

    /// Whether both are the same program.
    pub(super) fn is_same_program(&self, other: &Self) -> bool {
        self.path == other.path
    }

    /// The command line that runs it by hand.
    pub(super) fn command(&self, operation: &str) -> String {
        shell::command(&[self.path.to_string_lossy().as_ref(), operation])
    }

    /// The command line that makes it executable.
    pub(super) fn chmod(&self) -> String {
        shell::command(&["chmod", "+x", &self.path.to_string_lossy()])
    }

    /// A hint: how to store the token without a helper.
    pub(super) fn without_helper_hint(&self) -> String {
        format!(
            "otherwise remove the line `token_helper` from {}, so that the token is stored in a file",
            self.config.display()
        )
    }

    pub(super) async fn store(
        &self,
        token: &Secret,
        address: &str,
        deadline: Deadline,
    ) -> Result<(), TokenStoreError> {
        self.run("store", Some(token), address, deadline).await.map(drop)
    }

    pub(super) async fn get(
        &self,
        address: &str,
        deadline: Deadline,
    ) -> Result<Option<Secret>, TokenStoreError> {
        let output = self.run("get", None, address, deadline).await?;
        let text = Zeroizing::new(String::from_utf8_lossy(&output.stdout).into_owned());
        Ok(trimmed(&text))
    }

    pub(super) async fn erase(&self, address: &str, deadline: Deadline) -> Result<(), TokenStoreError> {
        self.run("erase", None, address, deadline).await.map(drop)
    }

    /// # Errors
    /// The helper cannot be started, fails, prints more than `MAX_OUTPUT` bytes, or exceeds
    /// `deadline`.
    async fn run(
        &self,
        operation: &'static str,
        token: Option<&Secret>,
        address: &str,
        deadline: Deadline,
    ) -> Result<Output, TokenStoreError> {
        let helper = || self.clone();
        let work = async {
            // Through a shell, as in `vault`: a script without `#!` runs too.
            let mut child = Command::new("/bin/sh")
                .args(["-c", "exec \"$0\" \"$1\""])
                .arg(&self.path)
                .arg(operation)
                // Helpers may keep a token for each server.
                .env("VAULT_ADDR", address)
                .env("BAO_ADDR", address)
                .env_remove(CLIENT_SECRET)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()?;
            if let (Some(mut stdin), Some(token)) = (child.stdin.take(), token) {
                // A helper that reads nothing closes the pipe; its exit code says whether that is an error.
                let _ = stdin.write_all(token.reveal().as_bytes()).await;
            }
            let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
            // Read both pipes at once: a helper blocks when one of them is full.
            let (stdout, stderr) = tokio::try_join!(read(stdout), read(stderr))?;
            Ok(Output { status: child.wait().await?, stdout, stderr })
        };
        let output = match tokio::time::timeout(deadline.left(), work).await {
            Err(_) => {
                return Err(TokenStoreError::TimedOut {
                    helper: helper(),
                    operation,
                    limit: deadline.limit(),
                });
            }
            Ok(Err(source)) => return Err(TokenStoreError::Run { helper: helper(), source }),
            Ok(Ok(output)) => output,
        };
        if output.status.success() {
            return Ok(output);
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let said = match said {
            said if !said.is_empty() => format!(": {said}"),
            _ => format!(": {}", how_it_ended(output.status)),
        };
        Err(TokenStoreError::Helper { helper: helper(), operation, said })
    }
}

/// Reads a pipe to its end, at most `MAX_OUTPUT` bytes.
async fn read(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    // One allocation, because a growing buffer would leave copies of a secret in memory.
    let mut bytes = Vec::with_capacity(MAX_OUTPUT + 1);
    if let Some(pipe) = pipe {
        pipe.take(MAX_OUTPUT as u64 + 1).read_to_end(&mut bytes).await?;
    }
    if bytes.len() > MAX_OUTPUT {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it prints more than {MAX_OUTPUT} bytes"),
        ));
    }
    Ok(bytes)
}
