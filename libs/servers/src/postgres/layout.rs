//! The data folder of one PostgreSQL: made when new, handed to the user that runs it, and a server started on it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{PostgresOptions, SUPERUSER};
use crate::error::Doing;
use crate::ports::{free_port, is_free};
use crate::process::Launch;
use crate::spawn::{only_our_environment, plain};
use crate::{Error, Process, TlsFiles, User};

/// Recovery after a crash reads the whole log since the last checkpoint.
const READY_PATIENCE: Duration = Duration::from_mins(1);

/// The places of one server, and who runs it.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) bin: PathBuf,
    pub(super) folder: PathBuf,
    pub(super) user: Option<User>,
}

impl Layout {
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Makes the data folder when there is none; gives the superuser's password, which is then proven in so many rounds.
    pub(super) fn prepare(&self, scram_rounds: &str) -> Result<String, Error> {
        let kept = self.folder.join("password");
        if self.data().join("PG_VERSION").is_file() {
            return fs::read_to_string(&kept).doing(|| format!("read {}", kept.display()));
        }
        let password = random_hex(24)?;
        write_private(&kept, &password, None)?;
        // initdb works in a folder of another name, so that one broken off leaves nothing that looks like data.
        let fresh = self.folder.join("data.new");
        if fresh.exists() {
            fs::remove_dir_all(&fresh).doing(|| format!("remove {}", fresh.display()))?;
        }
        fs::create_dir(&fresh).doing(|| format!("make {}", fresh.display()))?;
        fs::set_permissions(&fresh, Permissions::from_mode(0o700)).doing(|| "set modes".to_owned())?;
        self.give(&fresh)?;
        let handed = self.folder.join("password.initdb");
        write_private(&handed, &password, self.user)?;
        self.initdb(&fresh, &handed, scram_rounds)?;
        fs::remove_file(&handed).doing(|| format!("remove {}", handed.display()))?;
        fs::rename(&fresh, self.data()).doing(|| format!("rename {}", fresh.display()))?;
        Ok(password)
    }

    fn initdb(&self, data: &Path, password: &Path, scram_rounds: &str) -> Result<(), Error> {
        let mut command = plain(&self.bin.join("initdb"), self.user);
        only_our_environment(&mut command).arg("-D").arg(data).arg("--pwfile").arg(password).current_dir("/");
        command.args([
            "-U",
            SUPERUSER,
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--data-checksums",
        ]);
        command.arg("--set").arg(format!("scram_iterations={scram_rounds}"));
        command.arg("--no-sync"); // the first checkpoint of the server syncs
        let output = command.output().doing(|| "run initdb".to_owned())?;
        if output.status.success() {
            return Ok(());
        }
        Err(Error::Ended { name: "initdb", tail: String::from_utf8_lossy(&output.stderr).into_owned() })
    }

    /// Waits for what an earlier run, killed, has left running on this data; hurries the server after a second.
    ///
    /// Then the lock file is stale and goes. PostgreSQL would judge it by its process id alone, which may belong to
    /// another process by now, or to a dead one that nobody has taken note of.
    pub(super) fn end_previous(&self) {
        let data = self.data();
        let Some((pid, _)) = read_pid_file(&data) else { return };
        let begun = Instant::now();
        let mut hurried = false;
        while let Some(working) = processes_in(&data) {
            if working.is_empty() {
                let _ = fs::remove_file(data.join("postmaster.pid")); // the server may have removed it itself
                return;
            }
            if begun.elapsed() > READY_PATIENCE {
                return;
            }
            if !hurried && begun.elapsed() > Duration::from_secs(1) && working.contains(&pid) {
                hurried = true;
                let _ = Pid::from_raw(pid).map(|pid| kill_process(pid, Signal::INT)); // it may just have gone
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(super) fn write_hba(&self, options: &PostgresOptions) -> Result<(), Error> {
        let kind = if options.tls.is_some() { "hostssl" } else { "host" };
        let mut lines = vec![format!("{kind} all {SUPERUSER} 127.0.0.1/32 scram-sha-256")];
        lines.push(format!("{kind} replication {SUPERUSER} 127.0.0.1/32 scram-sha-256"));
        if options.hba.is_empty() {
            lines.push(format!("{kind} all all 127.0.0.1/32 scram-sha-256"));
        }
        lines.extend(options.hba.iter().cloned());
        write_private(&self.data().join("pg_hba.conf"), &format!("{}\n", lines.join("\n")), self.user)
    }

    /// Copies certificate and key to where the server's user may read them; gives the settings that name them.
    pub(super) fn tls(&self, tls: &TlsFiles) -> Result<Vec<(String, String)>, Error> {
        let mut probe = plain(&self.bin.join("postgres"), self.user);
        only_our_environment(&mut probe).arg("-D").arg(self.data()).args(["-C", "ssl_library"]);
        let library = probe.output().doing(|| "ask postgres for its TLS library".to_owned())?;
        if library.stdout.trim_ascii().is_empty() {
            return Err(Error::NoTls(self.bin.clone()));
        }
        let files = [
            ("ssl_cert_file", "server.crt", &tls.cert),
            ("ssl_key_file", "server.key", &tls.key),
            ("ssl_ca_file", "ca.crt", &tls.ca),
        ];
        let mut settings = vec![
            ("ssl".to_owned(), "on".to_owned()),
            ("ssl_min_protocol_version".to_owned(), "TLSv1.3".to_owned()),
        ];
        for (setting, name, from) in files {
            let text = fs::read_to_string(from).doing(|| format!("read {}", from.display()))?;
            write_private(&self.data().join(name), &text, self.user)?;
            settings.push((setting.to_owned(), name.to_owned()));
        }
        Ok(settings)
    }

    pub(super) fn start(
        &self,
        options: &PostgresOptions,
        settings: &[(String, String)],
    ) -> Result<(Process, u16), Error> {
        // A free port may be gone again when the server binds it: then another one.
        let mut tries_left = 5;
        loop {
            let port = options.port.map_or_else(free_port, Ok)?;
            if options.port.is_some() && !is_free(port) {
                return Err(Error::PortBusy(port));
            }
            match self.start_patiently(port, options, settings) {
                Err(Error::Ended { tail, .. }) if tail.contains("could not create any TCP/IP sockets") => {
                    tries_left -= 1;
                    if options.port.is_some() || tries_left == 0 {
                        return Err(Error::PortBusy(port));
                    }
                }
                other => return other.map(|process| (process, port)),
            }
        }
    }

    /// Tries again while the last sessions of a killed server still hold its shared memory; they notice its end soon.
    pub(super) fn start_patiently(
        &self,
        port: u16,
        options: &PostgresOptions,
        settings: &[(String, String)],
    ) -> Result<Process, Error> {
        let begun = Instant::now();
        loop {
            match self.start_on(port, options, settings) {
                Err(Error::Ended { tail, .. })
                    if tail.contains("is still in use") && begun.elapsed() < READY_PATIENCE =>
                {
                    thread::sleep(Duration::from_millis(50));
                }
                other => return other,
            }
        }
    }

    fn start_on(
        &self,
        port: u16,
        options: &PostgresOptions,
        settings: &[(String, String)],
    ) -> Result<Process, Error> {
        let mut arguments: Vec<OsString> = vec!["-D".into(), self.data().into()];
        arguments.extend(["-c".into(), format!("port={port}").into()]);
        for (name, value) in settings {
            arguments.extend(["-c".into(), format!("{name}={value}").into()]);
        }
        let mut process = Process::start(Launch {
            name: "PostgreSQL",
            program: self.bin.join("postgres"),
            arguments,
            user: self.user,
            stop_with: Signal::INT,
            log: self.folder.join("postgres.log"),
            launcher: options.launcher.clone(),
            scratch: options.scratch.then(|| self.folder.clone()),
        })?;
        // The server itself says "ready" in its lock file, next to its process id: no stranger on our port can.
        let pid = i32::try_from(process.pid()).expect("process ids are positive and fit");
        let data = self.data();
        let ready = process.wait_until(READY_PATIENCE, || {
            read_pid_file(&data).filter(|(owner, ready)| *owner == pid && *ready)
        });
        if let Err(error) = ready {
            process.release()?; // the data stays for another try
            return Err(error);
        }
        Ok(process)
    }

    fn give(&self, path: &Path) -> Result<(), Error> {
        let Some(user) = self.user else { return Ok(()) };
        chown(path, Some(user.uid), Some(user.gid)).doing(|| format!("give {} to nobody", path.display()))
    }
}

/// The living processes that work in a folder, as a server and its sessions do in its data; none where `/proc` is not.
fn processes_in(folder: &Path) -> Option<Vec<i32>> {
    let entries = fs::read_dir("/proc").ok()?.flatten();
    let working =
        entries.filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == folder));
    let pids: Vec<i32> = working.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    Path::new("/proc/self/cwd").exists().then_some(pids)
}

/// The process id in `postmaster.pid`, and whether its eighth line says that connections are taken.
fn read_pid_file(data: &Path) -> Option<(i32, bool)> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid = text.lines().next()?.trim().parse().ok()?;
    Some((pid, text.lines().nth(7).is_some_and(|status| status.trim() == "ready")))
}

/// Writes a file of mode 0600 in one step, owned by `user`.
fn write_private(path: &Path, text: &str, user: Option<User>) -> Result<(), Error> {
    let partial = path.with_extension("partial");
    let write = || {
        let _ = fs::remove_file(&partial);
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&partial)?;
        file.write_all(text.as_bytes())?;
        if let Some(user) = user {
            chown(&partial, Some(user.uid), Some(user.gid))?;
        }
        fs::rename(&partial, path)
    };
    write().doing(|| format!("write {}", path.display()))
}

/// `bytes` random bytes of the system in hexadecimal.
fn random_hex(bytes: usize) -> Result<String, Error> {
    let mut random = vec![0; bytes];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut random));
    read.doing(|| "read /dev/urandom".to_owned())?;
    Ok(random.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
}
