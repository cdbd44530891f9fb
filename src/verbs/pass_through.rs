//! `gp <anything else>`: runs the next `gp` on PATH, so that its commands still work after this
//! one is installed. If this program is called through a link with another name, such as `gitpod`
//! or `ona`, it runs the next program of that name.
//!
//! The next program is the first executable file of that name on PATH that is not this program
//! (nor a symlink or hard link to it) and that did not get the same command line before. The last
//! rule ends the loop of a wrapper script that calls `gp` again, and it skips copies of this
//! program. `GP_PASSED_ON` records which arguments were handed to which programs. The record is
//! valid for the process that was started and for its children, because `exec` keeps the process
//! id, and only for the same arguments. Otherwise, only the count in it is used: it limits all
//! other loops.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::{CommandExt, parent_id};
use std::path::{Path, PathBuf};
use std::{fs, io, process};

use crate::context::Context;
use crate::error::Failure;
use crate::exit::{Exit, Explain};
use crate::hardening::with_original_limit;

const RECORD_VARIABLE: &str = "GP_PASSED_ON";
const MAX_HAND_OVERS: usize = 16;

#[derive(Debug, thiserror::Error)]
enum PassError {
    #[error(
        "`{program} {command}` is not a command of this `gp`, and there is no other `{program}` on PATH to hand it to"
    )]
    NoOther { program: String, command: String },
    #[error(
        "`{program} {command}` was handed on {MAX_HAND_OVERS} times: the `{program}` programs on PATH call each other in a circle"
    )]
    Loop { program: String, command: String },
    #[error("could not run {}", path.display())]
    Exec {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl Explain for PassError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoOther { .. } | Self::Loop { .. } => Exit::Usage,
            Self::Exec { .. } => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoOther { program, .. } => Some(format!(
                "for commands other than `gp idp` and `gp completion`, put the folder of Gitpod's own `{program}` on PATH, after the folder of this one"
            )),
            Self::Loop { program, .. } => Some(format!("see them all with `type -a {program}`")),
            Self::Exec { path, .. } => Some(format!(
                "`{}` is the next program of this name on PATH, but the system cannot run it: install it again for this system, or remove it",
                path.display()
            )),
        }
    }
}

/// The record `COUNT:PROCESS:ARGUMENTS:PROGRAM…` in `GP_PASSED_ON`: the number of hand-overs, the
/// id of the last process, the hash of the arguments, and the programs that got them.
struct HandOverRecord {
    count: usize,
    arguments: String,
    tried: Vec<PathBuf>,
}

impl HandOverRecord {
    fn read(value: Option<&OsStr>, args: &[OsString]) -> Self {
        let mut fields = value.map(OsStr::as_bytes).unwrap_or_default().split(|b| *b == b':');
        let number = |field: Option<&[u8]>| {
            field.and_then(|bytes| std::str::from_utf8(bytes).ok()?.parse::<u32>().ok())
        };
        let count = number(fields.next()).map_or(0, |count| count as usize);
        let process = number(fields.next());
        let arguments = fingerprint(args);
        let same = fields.next() == Some(arguments.as_bytes());
        let ours = same && process.is_some_and(|id| id == process::id() || id == parent_id());
        let tried = fields.filter(|_| ours).map(|path| PathBuf::from(OsStr::from_bytes(path))).collect();
        Self { count, arguments, tried }
    }

    fn write(&self, next: &Path) -> OsString {
        let mut value = format!("{}:{}:{}", self.count + 1, process::id(), self.arguments).into_bytes();
        for path in self.tried.iter().map(PathBuf::as_path).chain([next]) {
            value.push(b':');
            value.extend_from_slice(path.as_os_str().as_bytes());
        }
        OsString::from_vec(value)
    }
}

/// The FNV-1a hash with 64 bits. The arguments may be too long for the environment. The standard
/// library's hash may differ between builds of this program.
fn fingerprint(args: &[OsString]) -> String {
    // No argument holds a NUL.
    let bytes = args.iter().flat_map(|arg| arg.as_bytes().iter().chain(&[0]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:x}")
}

/// Replaces this process. Returns only if this fails.
pub(super) fn run(args: &[OsString], ctx: &Context) -> Result<u8, Failure> {
    let command = args.first().map(|arg| arg.to_string_lossy().into_owned()).unwrap_or_default();
    let record = HandOverRecord::read(ctx.var_os(RECORD_VARIABLE), args);
    if record.count >= MAX_HAND_OVERS {
        return Err(PassError::Loop { program: ctx.program().to_owned(), command }.into());
    }
    let Some(next) = next(ctx, &record.tried) else {
        return Err(PassError::NoOther { program: ctx.program().to_owned(), command }.into());
    };
    let mut command = process::Command::new(&next);
    command.arg0(ctx.program()).args(args).env(RECORD_VARIABLE, record.write(&next));
    let source = with_original_limit(|| command.exec());
    Err(PassError::Exec { path: next, source }.into())
}

/// The next program of this name on PATH.
pub(crate) fn next(ctx: &Context, tried: &[PathBuf]) -> Option<PathBuf> {
    let own = ctx.exe().and_then(|exe| identity(exe));
    let path = ctx.var_os("PATH")?;
    std::env::split_paths(path)
        // Somebody else may control the folder of an empty or relative entry.
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(ctx.program()))
        .find(|candidate| is_program(candidate) && identity(candidate) != own && !tried.contains(candidate))
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Device and inode, which symlinks and hard links share.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}
