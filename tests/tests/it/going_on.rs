//! What an operator asks for on the terminal while the line is cut in the midst of the answer, or the service is replaced: it
//! goes on, and says what it would have said.
use crate::books::superuser;
use crate::story::signed_in;
use crate::system::System;
use docket_testkit::Way;
use serde_json::Value;
use sqlx::{Connection as _, Executor as _, PgConnection};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const CASES: &str = "case-status";
const ROWS: &str = "status-projection";
/// Cuts of each answer, one for each run of the command: from the greeting to the last bytes.
const CUTS: u64 = 4;

/// Where an operator works: the system as it is, but for two services, to which a way leads that can be cut.
struct Desk<'a> {
    system: &'a System,
    folder: TempDir,
    ways: BTreeMap<&'static str, Way>,
    /// The ways', and a test's.
    runtime: Runtime,
}

impl<'a> Desk<'a> {
    fn of(system: &'a System, sign_in: &Value) -> Self {
        let runtime = Runtime::new().unwrap();
        let (mut addresses, mut ways) = (system.addresses(), BTreeMap::new());
        for service in [CASES, ROWS] {
            let url = addresses["grpc"][service].as_str().unwrap();
            let port: u16 = url.rsplit(':').next().unwrap().parse().unwrap();
            let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let way = runtime.block_on(Way::to(server));
            addresses["grpc"][service] = format!("https://localhost:{}", way.address().port()).into();
            ways.insert(service, way);
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("docket.json"), addresses.to_string()).unwrap();
        let desk = Self { system, folder, ways, runtime };
        let text = |field: &str| sign_in[field].as_str().unwrap();
        let (email, password, secret) = (text("email"), text("password"), text("totp_secret"));
        desk.done(&["sign-in", "--email", email, "--password", password, "--totp-secret", secret]);
        desk.done(&["step-up", "--totp-secret", secret]);
        desk
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.system.command(arguments);
        command.env("DOCKET_HOME", self.folder.path());
        command
    }

    fn done(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docket {}: {said}", arguments.join(" "));
        output
    }

    /// What the command says, a value a line.
    fn told(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.done(&[arguments, &["--json"]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Runs the command undisturbed, and then with a cut after each part of what comes from the service; `look` at what it says.
    /// Gives how many bytes come.
    fn cut_everywhere(&self, service: &str, arguments: &[&str], mut look: impl FnMut(&[Value])) -> u64 {
        let way = &self.ways[service];
        let whole = self.bytes_of(service, || look(&self.told(arguments)));
        for part in 0..CUTS {
            let bytes = whole * (2 * part + 1) / (2 * CUTS);
            way.cut_after(bytes, 1);
            look(&self.told(arguments));
            assert_eq!(way.to_come(), 0, "docket {} was cut after {bytes} of {whole}", arguments.join(" "));
        }
        whole
    }

    /// What comes from a service meanwhile.
    fn bytes_of(&self, service: &str, work: impl FnOnce()) -> u64 {
        let before = self.ways[service].carried();
        work();
        self.ways[service].carried() - before
    }

    /// How the projection's rows stand.
    fn projection(&self) -> Value {
        self.told(&["log", "projection", "list"]).remove(0)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[test]
fn an_operators_command_goes_on_whatever_becomes_of_the_line_and_of_the_service() {
    let system = System::start();
    let told = system.play("role-ends", |_| ()).pop().unwrap();
    let sign_ins = told["sign_ins"].as_array().unwrap();
    let of_the = |role: &str| sign_ins.iter().find(|person| person["role"] == role).unwrap();
    let desk = Desk::of(&system, of_the("operator"));
    what_one_service_cannot_tell_hides_nothing_of_the_others(&desk);
    wherever_the_line_is_cut_it_goes_on_and_says_the_same(&desk);
    a_check_of_a_log_is_begun_again_when_its_service_is_replaced(&desk);
    who_follows_a_log_goes_on_behind_the_last_event_when_its_service_is_replaced(&desk, of_the("applicant"));
}

fn wherever_the_line_is_cut_it_goes_on_and_says_the_same(desk: &Desk<'_>) {
    let head = desk.told(&["log", "verify"])[0]["to"].as_u64().unwrap();
    assert!(head > 5, "{head}");
    desk.cut_everywhere(CASES, &["log", "verify"], |told| {
        assert_eq!((&told[0]["sound"], &told[0]["to"]), (&true.into(), &head.into()), "{told:?}");
    });
    let (limit, all) = (head.to_string(), (1..=head).collect::<Vec<_>>());
    for tail in [&["--follow", "--limit", limit.as_str()][..], &[]] {
        desk.cut_everywhere(CASES, &[&["log", "tail", "--after", "0"][..], tail].concat(), |told| {
            let seen: Vec<u64> = told.iter().map(|event| event["position"].as_u64().unwrap()).collect();
            assert_eq!(seen, all, "each once and in order");
        });
    }
    let file = desk.file("cases.log").display().to_string();
    desk.cut_everywhere(CASES, &["log", "export", "--to", &file], |told| {
        assert_eq!(told[0]["events"], head);
        desk.done(&["log", "import", &file]);
    });
    let mut cases = Vec::new();
    desk.cut_everywhere(ROWS, &["log", "projection", "rebuild"], |told| {
        assert_eq!((&told[0]["done"], &told[0]["stopped"]), (&true.into(), &0.into()), "{told:?}");
        cases.push(told[0]["cases"].as_u64());
    });
    let bytes = desk.cut_everywhere(ROWS, &["log", "projection", "compare"], |told| {
        assert_eq!(told[0]["differing"], 0, "{told:?}");
        cases.push(told[0]["equal"].as_u64());
    });
    assert!(cases[0] > Some(0) && cases.iter().all(|one| *one == cases[0]), "{cases:?}");
    for bytes in [1, bytes * 7 / 8] {
        desk.done(&["log", "projection", "rebuild"]);
        let built = desk.projection()["beside"]["generation"].clone();
        desk.ways[ROWS].cut_after(bytes, 1);
        let switched = desk.told(&["log", "projection", "switch", "--reason", "a drill"]);
        assert_eq!((desk.ways[ROWS].to_come(), &switched[0]["differing"]), (0, &0.into()), "{switched:?}");
        assert_eq!(desk.projection()["live"]["generation"], built, "switched, and once");
    }
}

/// Each service tells what it knows though one of them is away, and the end says that not all did.
fn what_one_service_cannot_tell_hides_nothing_of_the_others(desk: &Desk<'_>) {
    let file = desk.file("docket.json");
    let all_there = std::fs::read_to_string(&file).unwrap();
    let mut addresses: Value = serde_json::from_str(&all_there).unwrap();
    // Nobody listens there.
    addresses["grpc"]["filing"] = "https://localhost:1".into();
    std::fs::write(&file, addresses.to_string()).unwrap();
    for (asked, figures) in [
        (&["stats"][..], 5),
        (&["relay", "status"][..], 5),
        (&["park", "list"][..], 0),
        (&["park", "skipped"][..], 0),
    ] {
        let output = desk.command(&[&["log"][..], asked, &["--json"]].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{asked:?}: {}", String::from_utf8_lossy(&output.stderr));
        let told = String::from_utf8(output.stdout).unwrap();
        let told: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let (away, others): (Vec<_>, Vec<_>) = told.iter().partition(|one| one["away"].is_string());
        assert_eq!(away.iter().map(|one| one["service"].as_str().unwrap()).collect::<Vec<_>>(), ["filing"]);
        assert_eq!(others.len(), figures, "{asked:?}: {told:?}");
    }
    std::fs::write(&file, all_there).unwrap();
}

fn who_follows_a_log_goes_on_behind_the_last_event_when_its_service_is_replaced(
    desk: &Desk<'_>,
    somebody: &Value,
) {
    let identity = ["log", "--service", "identity"];
    let head = desk.told(&[&identity[..], &["verify"]].concat())[0]["to"].as_u64().unwrap();
    let limit = (head + 1).to_string();
    let follow = ["tail", "--follow", "--after", "0", "--limit", &limit, "--json"];
    let mut tail = desk.command(&[&identity[..], &follow].concat()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let mut position = || {
        let event: Value = serde_json::from_str(&lines.next()?.unwrap()).unwrap();
        event["position"].as_u64()
    };
    for expected in 1..=head {
        assert_eq!(position(), Some(expected));
    }
    desk.system.kill_after("identity", Duration::ZERO);
    desk.system.recover();
    // Another sign-in is another event.
    signed_in(desk.system, somebody);
    assert_eq!(position(), Some(head + 1));
    assert!(tail.wait().unwrap().success());
    assert_eq!(position(), None);
}

/// The check went with its process: it is begun again at the next one.
fn a_check_of_a_log_is_begun_again_when_its_service_is_replaced(desk: &Desk<'_>) {
    let whole = desk.bytes_of(CASES, || drop(desk.told(&["log", "verify"])));
    // While somebody has the table nothing of it can be read, and it is told again and again how far the check is.
    let locked = desk.runtime.block_on(async {
        let mut locked = PgConnection::connect(&superuser(desk.system, "cases")).await.unwrap();
        locked.execute("BEGIN; LOCK TABLE log.event IN ACCESS EXCLUSIVE MODE").await.unwrap();
        locked
    });
    let before = desk.ways[CASES].carried();
    let mut check = desk.command(&["log", "verify", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    while desk.ways[CASES].carried() < before + 2 * whole {
        std::thread::park_timeout(Duration::from_millis(20));
    }
    desk.system.kill_after(CASES, Duration::ZERO);
    desk.runtime.block_on(locked.close()).unwrap();
    desk.system.recover();
    let mut told = String::new();
    check.stdout.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(check.wait().unwrap().success());
    assert_eq!(serde_json::from_str::<Value>(&told).unwrap()["sound"], true, "{told}");
}
