//! The folders of the user.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Context;
use crate::exit::{Exit, Explain};

/// There is no usable home folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoFolder {
    /// Neither `HOME` nor the user database names one.
    #[error("`HOME` is not set, and the user database names no home folder for this user")]
    NoHome,
    #[error("`{variable}` is `{}`, which is not an absolute path", path.display())]
    Relative { variable: &'static str, path: PathBuf },
}

impl Explain for NoFolder {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("set `HOME` to the absolute path of your home folder".into())
    }
}

impl Context {
    /// The home folder: `HOME`, else the one in the user database.
    pub fn home(&self) -> Result<PathBuf, NoFolder> {
        match self.var_os("HOME").map(PathBuf::from) {
            Some(home) if home.is_absolute() => Ok(home),
            Some(home) => Err(NoFolder::Relative { variable: "HOME", path: home }),
            None => self.password_home.clone().ok_or(NoFolder::NoHome),
        }
    }

    /// The folder in a variable, if its path is absolute (XDG Base Directory Specification).
    pub fn folder(&self, variable: &str) -> Option<PathBuf> {
        self.var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
    }

    /// The folder for data that this user's processes share until the next boot: `XDG_RUNTIME_DIR`
    /// if it exists, belongs to the user and has mode 0700, as the XDG Base Directory Specification
    /// requires, else the cache folder.
    pub fn runtime_folder(&self) -> Result<PathBuf, NoFolder> {
        let own = rustix::process::geteuid().as_raw();
        let is_private = |folder: &PathBuf| {
            let found = fs::metadata(folder);
            found.is_ok_and(|found| found.is_dir() && found.uid() == own && found.mode() & 0o777 == 0o700)
        };
        match self.folder("XDG_RUNTIME_DIR").filter(is_private) {
            Some(folder) => Ok(folder),
            None => self.cache_folder(),
        }
    }

    /// The folder for cached data: `XDG_CACHE_HOME`, else `~/.cache`.
    pub fn cache_folder(&self) -> Result<PathBuf, NoFolder> {
        match self.folder("XDG_CACHE_HOME") {
            Some(folder) => Ok(folder),
            None => Ok(self.home()?.join(".cache")),
        }
    }

    /// Replaces a leading `~` by the home folder, as many tools do with paths in variables.
    pub fn expand_home(&self, path: &Path) -> Result<PathBuf, NoFolder> {
        match path.strip_prefix("~") {
            Ok(rest) => Ok(self.home()?.join(rest)),
            Err(_) => Ok(path.to_owned()),
        }
    }

    /// The folder for temporary files: `TMPDIR`, else `/tmp`.
    pub fn temp_dir(&self) -> PathBuf {
        self.var_os("TMPDIR").map_or_else(|| "/tmp".into(), PathBuf::from)
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    #[test]
    fn the_password_file_replaces_an_unset_home() {
        let home = |ctx: Context| ctx.home().map(|path| path.display().to_string());
        let relative = NoFolder::Relative { variable: "HOME", path: "x".into() };
        assert_eq!(home(Context::silent([("HOME", "/h")])), Ok("/h".into()));
        assert_eq!(home(Context::silent([("HOME", "x")])), Err(relative));
        for unset in [Context::silent([("", ""); 0]), Context::silent([("HOME", "")])] {
            assert_eq!(home(unset), Err(NoFolder::NoHome));
        }
        let ctx = Context::silent([("", ""); 0]).with_password_home(Some("/p".into()));
        assert_eq!(ctx.cache_folder(), Ok("/p/.cache".into()));
        assert_eq!(ctx.runtime_folder(), Ok("/p/.cache".into()));
        assert_eq!(ctx.expand_home(Path::new("~/x")), Ok("/p/x".into()));
        assert_eq!(ctx.expand_home(Path::new("~x")), Ok("~x".into()));
    }

    #[test]
    fn relative_xdg_folders_are_ignored() {
        let ctx = Context::silent([("HOME", "/h"), ("XDG_CACHE_HOME", "c"), ("XDG_RUNTIME_DIR", "r")]);
        assert_eq!(ctx.cache_folder(), Ok("/h/.cache".into()));
        assert_eq!(ctx.runtime_folder(), Ok("/h/.cache".into()));
    }

    #[test]
    fn a_runtime_folder_that_others_can_use_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let ctx = Context::silent([("HOME", OsString::from("/h")), ("XDG_RUNTIME_DIR", path.clone().into())]);
        for (mode, counts) in [(0o700, true), (0o755, false), (0o1777, false)] {
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
            let expected = if counts { path.clone() } else { "/h/.cache".into() };
            assert_eq!(ctx.runtime_folder(), Ok(expected), "{mode:o}");
        }
    }
}
