use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::fs::{CWD, Mode, mkfifoat};
use tempfile::TempDir;

use super::*;
use crate::context::Context;
use crate::exit::Explain;
use crate::http::Deadline;

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_millis(20))
}

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn write(path: &Path, content: &str) -> Result<Receipt, FileError> {
    block_on(write_private(path, content.as_bytes(), Deadline::after(Duration::from_secs(5))))
}

fn acquire(path: &Path) -> Result<LockedFile, FileError> {
    block_on(LockedFile::acquire(path, soon()))
}

fn replace(path: &Path, content: &str) -> Result<Receipt, FileError> {
    acquire(path)?.replace(content.as_bytes())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[allow(clippy::print_stderr, reason = "the person who runs the tests needs this message")]
fn skipped(why: &str) {
    eprintln!("SKIPPED: {why}");
}

/// Whether this process is root: only root can create files of another user.
fn as_root(name: &str) -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        skipped(&format!("{name} needs root, to make files of another user"));
    }
    is_root
}

fn give_away(path: &Path) {
    std::os::unix::fs::lchown(path, Some(65534), Some(65534)).unwrap();
}

#[test]
fn new_files_and_folders_are_private() {
    let home = home();
    let path = home.path().join("a/b/token");
    write(&path, "one").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"one");
    let modes = [&path, &home.path().join("a/b"), &home.path().join("a")].map(|path| mode(path));
    assert_eq!(modes, [0o600, 0o700, 0o700]);
    write(&path, "two").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(names(path.parent().unwrap()), ["token"]);
}

#[test]
fn a_wider_mode_is_narrowed() {
    let home = home();
    let path = home.path().join("token");
    fs::write(&path, "old").unwrap();
    set_mode(&path, 0o644);
    write(&path, "new").unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_replaced_file_keeps_its_mode_and_a_new_one_is_private() {
    let home = home();
    let path = home.path().join("config");
    replace(&path, "old").unwrap();
    assert_eq!(mode(&path), 0o600);
    set_mode(&path, 0o640);
    replace(&path, "new").unwrap();
    assert_eq!((fs::read(&path).unwrap().as_slice(), mode(&path)), (&b"new"[..], 0o640));
}

#[test]
fn a_symlink_is_followed_and_kept() {
    let home = home();
    fs::create_dir(home.path().join("real")).unwrap();
    let (link, target) = (home.path().join("link"), home.path().join("real/token"));
    symlink("real/token", &link).unwrap();
    // The symlink dangles first, and then has a target.
    for content in ["one", "two"] {
        assert_eq!(write(&link, content).unwrap().path, target);
        assert_eq!(fs::read_to_string(&target).unwrap(), content);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}

#[test]
fn a_folder_and_a_loop_are_refused() {
    let home = home();
    assert!(matches!(write(home.path(), ""), Err(FileError::IsFolder { .. })));
    let link = home.path().join("loop");
    symlink(&link, &link).unwrap();
    assert!(matches!(write(&link, ""), Err(FileError::Write { .. })));
    assert_eq!(names(home.path()), ["loop"]);
}

#[test]
fn a_device_is_written_to_and_stays_a_device() {
    write(Path::new("/dev/null"), "x").unwrap();
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn a_pipe_without_a_reader_fails_at_the_deadline() {
    let home = home();
    let path = home.path().join("pipe");
    mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
    let error = block_on(write_private(&path, b"x", soon())).unwrap_err();
    assert!(matches!(error, FileError::Device { .. }), "{error}");
    assert!(error.hint().unwrap().starts_with("start the program that reads from the pipe"));
    assert_eq!(names(home.path()), ["pipe"]);
}

#[test]
fn hints_match_the_cause() {
    let hint = |path: &str| write(Path::new(path), "x").unwrap_err().hint();
    // The device has no old content, and no space can be freed.
    assert_eq!(hint("/dev/full").as_deref(), Some("name a regular file"));
    let elsewhere = "choose a place that you may write to, such as a file in your home folder";
    assert_eq!(hint("/proc/no-such-file").as_deref(), Some(elsewhere));
    let home = home();
    let folder = format!("{}/new/", home.path().display());
    let in_it = format!("give the path of a file, such as `{folder}FILE`");
    assert_eq!(hint(&folder), Some(in_it));
    assert_eq!(names(home.path()), [""; 0]);
}

#[test]
fn all_paths_to_a_file_share_one_lock() {
    let home = home();
    let (path, link) = (home.path().join("new/file"), home.path().join("link"));
    symlink("new/file", &link).unwrap();
    let held = acquire(&path).unwrap();
    for way in [&path, &link] {
        let lock = home.path().join("new/file.gp-lock");
        let error = acquire(way).unwrap_err();
        assert_eq!(error.to_string(), format!("another `gp idp` holds the lock {}", lock.display()));
    }
    drop(held);
    drop(acquire(&link).unwrap());
    assert_eq!(names(home.path()), ["link"]);
}

#[test]
fn a_lock_has_one_holder_at_a_time() {
    let home = home();
    let path = home.path().join("new/file");
    let (holders, most) = (AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let deadline = Deadline::after(Duration::from_secs(60));
                    let lock = block_on(LockedFile::acquire(&path, deadline)).unwrap();
                    most.fetch_max(holders.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    holders.fetch_sub(1, Ordering::SeqCst);
                    drop(lock);
                }
            });
        }
    });
    assert_eq!(most.load(Ordering::SeqCst), 1);
    // The folder may remain: another thread may have used it when its creator had finished.
    assert!(!home.path().join("new/file.gp-lock").exists());
}

#[test]
fn the_error_names_the_process_that_keeps_the_file_fresh() {
    let home = home();
    let (path, link) = (home.path().join("new/token"), home.path().join("link"));
    symlink("new/token", &link).unwrap();
    let kept = block_on(KeepFreshLock::take(&path)).unwrap();
    for name in [&path, &link] {
        let error = block_on(KeepFreshLock::take(name)).unwrap_err();
        let ours =
            matches!(error, FileError::KeptFresh { process: Some(id), .. } if id == std::process::id());
        assert!(ours, "{error}");
        // Other processes may write the file once.
        write(name, "new").unwrap();
    }
    drop(kept);
    // A killed process left its id behind.
    fs::write(home.path().join("new/token.gp-kept"), "41943040").unwrap();
    let kept = block_on(KeepFreshLock::take(&link)).unwrap();
    let id = fs::read_to_string(home.path().join("new/token.gp-kept")).unwrap();
    assert_eq!((id, kept.path()), (std::process::id().to_string(), link.as_path()));
    drop(kept);
    assert_eq!(names(&home.path().join("new")), ["token"]);
}

#[test]
fn a_device_cannot_be_kept_fresh() {
    let home = home();
    let path = home.path().join("pipe");
    mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
    let error = block_on(KeepFreshLock::take(&path)).unwrap_err();
    let expected = format!("{} is a named pipe, and only a file can be replaced", path.display());
    assert_eq!((error.to_string(), error.exit() as u8), (expected, 2));
    assert_eq!(names(home.path()), ["pipe"]);
}

/// A killed process leaves a lock file and a temporary file behind.
#[test]
fn the_next_writer_removes_the_files_of_a_killed_one() {
    let home = home();
    let path = home.path().join("token");
    fs::write(home.path().join("token.gp-lock"), "").unwrap();
    fs::write(home.path().join(".token.gp-new"), "a secret").unwrap();
    let locked = acquire(&path).unwrap();
    assert_eq!(names(home.path()), ["token.gp-lock"]);
    locked.write_private(b"new").unwrap();
    drop(locked);
    assert_eq!(names(home.path()), ["token"]);
}

/// A checkout can contain any file with any name.
#[test]
fn a_link_in_place_of_the_lock_file_is_neither_followed_nor_changed() {
    let home = home();
    let (path, lock) = (home.path().join("token"), home.path().join("token.gp-lock"));
    let victim = home.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    let kind_of = |error: FileError| match error {
        FileError::NotALock { kind, lock: named } => {
            assert_eq!(named, lock);
            kind
        }
        other => panic!("{other}"),
    };
    for target in ["victim", "not-there"] {
        symlink(target, &lock).unwrap();
        assert_eq!(kind_of(acquire(&path).unwrap_err()), "a symbolic link");
        fs::remove_file(&lock).unwrap();
    }
    fs::hard_link(&victim, &lock).unwrap();
    assert_eq!(kind_of(acquire(&path).unwrap_err()), "a file with several names (hard links)");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    assert_eq!(kind_of(acquire(&path).unwrap_err()), "a folder");
    fs::remove_dir(&lock).unwrap();
    mkfifoat(CWD, &lock, Mode::RUSR | Mode::WUSR).unwrap();
    assert_eq!(kind_of(acquire(&path).unwrap_err()), "a named pipe");
    fs::remove_file(&lock).unwrap();
    // The same holds for the name of the temporary file.
    let temporary = home.path().join(".token.gp-new");
    symlink("victim", &temporary).unwrap();
    fs::write(&path, "old").unwrap();
    write(&path, "new").unwrap();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(names(home.path()), ["token", "victim"]);
}

#[test]
fn one_of_several_hard_links_is_not_replaced() {
    let home = home();
    let (path, other) = (home.path().join("config"), home.path().join("other"));
    fs::write(&path, "old").unwrap();
    fs::hard_link(&path, &other).unwrap();
    for error in [write(&path, "new").unwrap_err(), replace(&path, "new").unwrap_err()] {
        assert!(matches!(error, FileError::HardLinked { .. }), "{error}");
    }
    assert_eq!(names(home.path()), ["config", "other"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
}

#[test]
fn a_file_of_another_user_in_a_shared_folder_is_refused() {
    if !as_root("a_file_of_another_user_in_a_shared_folder_is_refused") {
        return;
    }
    let home = home();
    set_mode(home.path(), 0o1777);
    let own = home.path().join("own");
    fs::write(&own, "mine").unwrap();
    let path = home.path().join("token");
    let refused = |kind: &str| {
        let error = write(&path, "secret").unwrap_err();
        assert_eq!(error.to_string(), format!("{} is {kind} of another user (id 65534)", path.display()));
        fs::remove_file(&path).unwrap();
    };
    symlink("own", &path).unwrap();
    give_away(&path);
    refused("a symbolic link");
    mkfifoat(CWD, &path, Mode::from_raw_mode(0o666)).unwrap();
    give_away(&path);
    // The pipe has a reader, so only the check can refuse it.
    let reader = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    refused("a named pipe");
    drop(reader);
    fs::write(&path, "").unwrap();
    give_away(&path);
    refused("a file");
    assert_eq!(fs::read_to_string(&own).unwrap(), "mine");
    // This user's own symlink in the same folder is followed.
    symlink("own", &path).unwrap();
    write(&path, "new").unwrap();
    assert_eq!(fs::read_to_string(&own).unwrap(), "new");
}

#[test]
fn root_keeps_the_owner_of_a_replaced_file() {
    if !as_root("root_keeps_the_owner_of_a_replaced_file") {
        return;
    }
    let home = home();
    let path = home.path().join("credentials");
    fs::write(&path, "old").unwrap();
    give_away(&path);
    replace(&path, "new").unwrap();
    let found = fs::metadata(&path).unwrap();
    assert_eq!(
        (found.uid(), found.gid(), fs::read_to_string(&path).unwrap().as_str()),
        (65534, 65534, "new")
    );
}

#[test]
fn a_file_is_created_with_its_content_or_not_at_all() {
    let home = home();
    let path = home.path().join("config.lock");
    create_complete(&path, b"mine").unwrap();
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("mine", 0o600));
    let error = create_complete(&path, b"other").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    fs::remove_file(&path).unwrap();
    symlink("elsewhere", &path).unwrap();
    assert_eq!(create_complete(&path, b"x").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(names(home.path()), ["config.lock"]);
}

fn context(home: &Path, runtime: &Path) -> Context {
    set_mode(runtime, 0o700);
    Context::silent([("HOME", home), ("XDG_RUNTIME_DIR", runtime)])
}

#[test]
fn the_private_folder_belongs_only_to_this_user() {
    let (home, runtime) = (home(), home());
    let ctx = context(home.path(), runtime.path());
    let folder = private_folder(&ctx).unwrap();
    assert_eq!((folder.clone(), mode(&folder)), (runtime.path().join("gp-idp"), 0o700));
    let refused = |ctx: &Context| {
        let error = private_folder(ctx).unwrap_err();
        assert!(matches!(error, FileError::NotPrivate { .. }), "{error}");
    };
    set_mode(&folder, 0o750);
    refused(&ctx);
    fs::remove_dir(&folder).unwrap();
    fs::create_dir(home.path().join("ssh")).unwrap();
    symlink(home.path().join("ssh"), &folder).unwrap();
    refused(&ctx);
    // Others can use the runtime folder, so the cache folder is used instead.
    set_mode(runtime.path(), 0o777);
    assert_eq!(private_folder(&ctx).unwrap(), home.path().join(".cache/gp-idp"));
    // A user who can write to the parent folder can replace the folder in it.
    set_mode(&home.path().join(".cache"), 0o777);
    refused(&ctx);
    set_mode(&home.path().join(".cache"), 0o1777);
    private_folder(&ctx).unwrap();
}

#[test]
fn a_temporary_folder_is_removed_on_drop_or_by_the_next_command() {
    let (home, runtime) = (home(), home());
    let ctx = context(home.path(), runtime.path());
    let own = runtime.path().join("gp-idp");
    let folder = TemporaryFolder::make(&ctx).unwrap();
    let path = folder.add("token.jwt", b"x").unwrap();
    assert_eq!((mode(&path), mode(folder.path()), folder.path().parent()), (0o600, 0o700, Some(&*own)));
    // Both folders are old: a killed process left one behind, and a running process uses the
    // other.
    let left = own.join("gp-idp-run-old");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("token.jwt"), "x").unwrap();
    let hour_ago = std::time::SystemTime::now() - Duration::from_secs(3600);
    for path in [&left, folder.path()] {
        fs::File::open(path).unwrap().set_modified(hour_ago).unwrap();
    }
    let other = TemporaryFolder::make(&ctx).unwrap();
    assert!(path.exists() && !left.exists());
    drop((folder, other));
    assert_eq!(names(&own), [""; 0]);
}

/// Examples are `sudo` with the user's `HOME`, and a shared folder in a container.
#[test]
fn a_symlink_of_another_user_leads_only_to_files_of_that_user() {
    if !as_root("a_symlink_of_another_user_leads_only_to_files_of_that_user") {
        return;
    }
    let (user, root) = (home(), home());
    give_away(user.path());
    let victim = root.path().join("shadow");
    fs::write(&victim, "precious").unwrap();
    let link = |name: &str, target: &Path| {
        let link = user.path().join(name);
        symlink(target, &link).unwrap();
        give_away(&link);
        link
    };
    let refused = |path: &Path| {
        let error = write(path, "secret").unwrap_err();
        assert!(error.to_string().ends_with("is a symbolic link of another user (id 65534)"), "{error}");
    };
    refused(&link("file", &victim));
    refused(&link("new", &root.path().join("new")));
    refused(&link("folder", root.path()).join("shadow"));
    assert_eq!(
        (fs::read_to_string(&victim).unwrap().as_str(), names(root.path())),
        ("precious", vec!["shadow".into()])
    );
    // A symlink to the user's own dotfiles is followed.
    let dotfiles = user.path().join("dotfiles");
    fs::create_dir(&dotfiles).unwrap();
    give_away(&dotfiles);
    write(&link(".aws", &dotfiles).join("credentials"), "new").unwrap();
    assert_eq!(names(&dotfiles), ["credentials"]);
    // The symlink is in the middle of a path, in a folder that everyone can write to.
    let shared = home();
    set_mode(shared.path(), 0o1777);
    symlink(&dotfiles, shared.path().join("link")).unwrap();
    give_away(&shared.path().join("link"));
    refused(&shared.path().join("link/token"));
}

#[test]
fn a_default_acl_of_the_folder_does_not_apply_to_a_replaced_file() {
    let home = home();
    let path = home.path().join("credentials");
    fs::write(&path, "old").unwrap();
    set_mode(&path, 0o640);
    let listed =
        std::process::Command::new("setfacl").args(["-d", "-m", "u:65534:rwx"]).arg(home.path()).status();
    if !listed.is_ok_and(|status| status.success()) {
        skipped(
            "a_default_acl_of_the_folder_does_not_apply_to_a_replaced_file needs setfacl and lists in the file system",
        );
        return;
    }
    replace(&path, "new").unwrap();
    let listed = std::process::Command::new("getfacl").arg("-cp").arg(&path).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(!listed.contains("65534") && !listed.contains("nobody"), "{listed}");
    assert_eq!(mode(&path), 0o640);
}

/// The folder was opened with the lock, so a folder that replaces it afterwards gets nothing.
#[test]
fn a_folder_that_replaces_the_locked_one_does_not_get_the_file() {
    let home = home();
    let (folder, moved, other) =
        (home.path().join("a"), home.path().join("moved"), home.path().join("other"));
    fs::create_dir(&folder).unwrap();
    fs::create_dir(&other).unwrap();
    let locked = acquire(&folder.join("token")).unwrap();
    fs::rename(&folder, &moved).unwrap();
    symlink(&other, &folder).unwrap();
    locked.write_private(b"secret").unwrap();
    drop(locked);
    assert_eq!((names(&moved), names(&other)), (vec!["token".to_owned()], vec![]));
}

#[test]
fn an_error_does_not_contain_a_random_name() {
    let home = home();
    fs::write(home.path().join("file"), "").unwrap();
    // Neither the user's own folder nor the one for temporary files can be written to.
    let nowhere = home.path().join("file").display().to_string();
    let ctx = Context::silent([("HOME", &*nowhere), ("TMPDIR", &*nowhere)]);
    let Err(FileError::Folder { path, source }) = TemporaryFolder::make(&ctx) else { panic!("no error") };
    assert_eq!((path.display().to_string(), source.to_string()), (nowhere, "not a directory".into()));

    let ctx = Context::silent([("HOME", home.path().to_str().unwrap())]);
    let folder = TemporaryFolder::make(&ctx).unwrap();
    let error = folder.add("no/such/folder", b"").unwrap_err();
    assert!(!error.to_string().contains("gp-idp-run-"), "{error}");
}

#[test]
fn a_new_line_waits_for_the_end_of_the_last_line() {
    let home = home();
    let path = home.path().join("log");
    fs::write(&path, "{\"a\":1}\n{\"a\":").unwrap();
    let log = LineFile::open(&path, b"{", "a log").unwrap();
    let writer = fs::OpenOptions::new().append(true).open(&path).unwrap();
    let rest = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(60));
        io::Write::write_all(&mut &writer, b"2}\n").unwrap();
    });
    log.add("{\"a\":3}\n").unwrap();
    rest.join().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
    // It waits no longer than a second.
    fs::write(&path, "{\"a\":").unwrap();
    LineFile::open(&path, b"{", "a log").unwrap().add("{\"a\":3}\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"a\":\n{\"a\":3}\n");
}
