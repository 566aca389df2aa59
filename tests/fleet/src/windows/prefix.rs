//! Wine: a prefix a host, copied from one a language that is kept under `target/`, as making one
//! takes 10 s. Files are copied as links, so that a copy costs nothing; the registry's are real.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::needs;
use crate::error::{Error, Result, Tried};
use crate::{folder, process};

/// A Windows' language, and with it the code page that console programs write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English: 437.
    En,
    /// Chinese: 936.
    Zh,
    /// Japanese: 932.
    Ja,
    /// Korean: 949.
    Ko,
    /// Russian: 866.
    Ru,
}

impl Language {
    fn locale(self) -> &'static str {
        match self {
            Self::En => "en_US",
            Self::Zh => "zh_CN",
            Self::Ja => "ja_JP",
            Self::Ko => "ko_KR",
            Self::Ru => "ru_RU",
        }
    }
}

/// Programs that Wine only pretends to have and that nobody needs yet: they refuse.
const REFUSED: [&str; 5] = ["certutil", "systeminfo", "icacls", "wevtutil", "setx"];
/// Programs of ours in the place of such.
const SHIMS: [&str; 4] = ["chcp", "where", "tasklist", "schtasks"];

/// A host's prefix; removed when dropped.
#[derive(Debug)]
pub(crate) struct Prefix {
    path: PathBuf,
    language: Language,
    /// Held while the prefix is in use, so that what was left behind can be told apart.
    _lock: File,
}

impl Prefix {
    /// A fresh one.
    pub(crate) fn new(language: Language) -> Result<Self> {
        let cache = folder::target().join("ioms-wine");
        fs::create_dir_all(&cache).tried(cache.to_string_lossy())?;
        let gate = lock(&cache.join(format!("{}.lock", language.locale())))?;
        let template = template(&cache, language)?;
        remove_left_behind(&cache);
        let path = cache.join(format!("host-{:x}", rand::random::<u32>()));
        let held = lock(&path.with_extension("lock"))?;
        let prefix = Self {
            path,
            language,
            _lock: held,
        };
        copy(&template, &prefix.path)?;
        drop(gate);
        Ok(prefix)
    }

    pub(crate) fn drive_c(&self) -> PathBuf {
        self.path.join("drive_c")
    }

    /// The server's arguments and environment.
    pub(crate) fn serve_in(&self, command: &mut Command) {
        command.args([
            "--exec",
            "wine",
            "--winepath",
            "C:\\ps;C:\\shims",
            "--prefix",
        ]);
        command.arg(&self.path);
        environment(command, self.language);
    }
}

impl Drop for Prefix {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
        let _ = fs::remove_file(self.path.with_extension("lock"));
    }
}

/// The prefix of a language that others are copied from, made where it isn't there. The caller
/// holds its lock.
fn template(cache: &Path, language: Language) -> Result<PathBuf> {
    let template = cache.join(language.locale());
    let programs = needs::sources().join("wine");
    let powershell = needs::named("IOMS_PWSH_WIN").ok();
    let stamp = stamp(&programs, powershell.as_deref())?;
    let stamp_file = template.join("stamp");
    if fs::read_to_string(&stamp_file).is_ok_and(|made| made == stamp) {
        return Ok(template);
    }
    let fresh = cache.join(format!("{}.new", language.locale()));
    for old in [&fresh, &template] {
        if old.exists() {
            fs::remove_dir_all(old).tried(old.to_string_lossy())?;
        }
    }
    make_locale(cache, language)?;
    boot(&fresh, language)?;
    compile(&programs, &fresh.join("drive_c"))?;
    if let Some(powershell) = powershell {
        let folder = fresh.join("drive_c/ps");
        copy(&powershell, &folder)?;
        let exe = folder.join("powershell.exe");
        fs::copy(folder.join("pwsh.exe"), &exe).tried(exe.to_string_lossy())?;
    }
    fs::rename(&fresh, &template).tried(template.to_string_lossy())?;
    fs::write(&stamp_file, stamp).tried("stamp")?;
    Ok(template)
}

/// What a template is made of: it is made anew when this changes.
fn stamp(programs: &Path, powershell: Option<&Path>) -> Result<String> {
    let mut text = format!("{powershell:?}\n");
    if let Some(folder) = powershell {
        text.push_str(&fs::read_to_string(folder.join(".sum")).unwrap_or_default());
    }
    let mut sources: Vec<_> = fs::read_dir(programs)
        .tried(programs.to_string_lossy())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    sources.sort();
    for source in sources {
        text.push_str(&fs::read_to_string(&source).tried(source.to_string_lossy())?);
    }
    Ok(text)
}

/// A locale of our own: the machine's need not have it, and root need not be asked.
fn make_locale(cache: &Path, language: Language) -> Result<()> {
    let folder = cache.join("locales");
    fs::create_dir_all(&folder).tried(folder.to_string_lossy())?;
    let (name, target) = (
        language.locale(),
        folder.join(format!("{}.UTF-8", language.locale())),
    );
    if target.is_dir() {
        return Ok(());
    }
    let target = target.to_string_lossy();
    // --no-archive: into the folder, not into the machine's.
    process::run(
        "localedef",
        &["--no-archive", "-i", name, "-f", "UTF-8", &target],
    )
    .map(drop)
}

/// Makes a prefix, a Windows 10, and waits until Wine has written it.
fn boot(prefix: &Path, language: Language) -> Result<()> {
    let version = [
        "reg",
        "add",
        "HKCU\\Software\\Wine",
        "/v",
        "Version",
        "/d",
        "win10",
        "/f",
    ];
    let steps: [(&str, &[&str]); 3] = [
        ("wineboot", &["-i"]),
        ("wine", &version),
        ("wineserver", &["-w"]),
    ];
    for (program, args) in steps {
        let mut command = Command::new(process::find(program)?);
        command
            .args(args)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", prefix.parent().unwrap_or(prefix))
            .env("WINEPREFIX", prefix)
            .env("WINEDEBUG", "-all");
        environment(&mut command, language);
        let status = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !status.tried(program)?.success() {
            return Err(Error::NotReady {
                what: format!("Wine ({program} {})", args.join(" ")),
                said: String::new(),
            });
        }
    }
    Ok(())
}

/// What makes Wine a Windows of this language.
fn environment(command: &mut Command, language: Language) {
    command
        .env("LC_ALL", format!("{}.UTF-8", language.locale()))
        .env("LOCPATH", folder::target().join("ioms-wine/locales"))
        // Without it .NET dies under Wine 8 at its first finalizer.
        .env("DOTNET_EnableWriteXorExecute", "0");
}

/// Builds our own programs for Windows.
fn compile(sources: &Path, drive_c: &Path) -> Result<()> {
    let shims = drive_c.join("shims");
    fs::create_dir_all(&shims).tried(shims.to_string_lossy())?;
    let build = |source: &str, target: PathBuf| {
        let source = sources.join(source);
        let (source, target) = (source.to_string_lossy(), target.to_string_lossy());
        let args = ["-O2", "-municode", "-o", &target, &source];
        // Only those with a wide `main` may have -municode.
        let args = if source.ends_with("schtasks.c") {
            &args[..]
        } else {
            &[args[0], args[2], args[3], args[4]][..]
        };
        process::run("x86_64-w64-mingw32-gcc", args).map(drop)
    };
    build("winrshost.c", drive_c.join("windows/winrshost.exe"))?;
    for name in SHIMS {
        // Windows' own is chcp.com, which is also found first.
        let file = if name == "chcp" {
            "chcp.com".to_owned()
        } else {
            format!("{name}.exe")
        };
        build(&format!("{name}.c"), shims.join(file))?;
    }
    for name in REFUSED {
        build("refuse.c", shims.join(format!("{name}.exe")))?;
    }
    Ok(())
}

/// Copies a folder: files as links where that is possible, the registry's files really.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let (from_text, to_text) = (from.to_string_lossy(), to.to_string_lossy());
    if process::run("cp", &["-al", &from_text, &to_text]).is_err() {
        let _ = fs::remove_dir_all(to);
        process::run("cp", &["-a", &from_text, &to_text])?;
    }
    for name in ["system.reg", "user.reg", "userdef.reg", ".update-timestamp"] {
        let (source, target) = (from.join(name), to.join(name));
        if source.is_file() {
            fs::remove_file(&target).tried(target.to_string_lossy())?;
            fs::copy(&source, &target).tried(target.to_string_lossy())?;
        }
    }
    Ok(())
}

/// Removes prefixes whose test was killed. The caller holds a lock of the cache.
fn remove_left_behind(cache: &Path) {
    let entries = fs::read_dir(cache).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !name.starts_with("host-") || path.extension().is_none_or(|ending| ending != "lock") {
            continue;
        }
        if File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(path.with_extension(""));
            let _ = fs::remove_file(&path);
        }
    }
}

/// An exclusive lock, held until the file is closed.
fn lock(path: &Path) -> Result<File> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path);
    let file = file.tried(path.to_string_lossy())?;
    file.lock().tried(path.to_string_lossy())?;
    Ok(file)
}
