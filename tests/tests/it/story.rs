//! The stories go through, and the command line shows what came of them.
use crate::reference::{self, fits};
use crate::system::{System, play_apart, root};
use crate::{books, new_form, scan};
use docket_cli::story::file::Story;
use serde_json::Value;
use std::collections::BTreeSet;

/// The stories after the first.
pub(crate) const OTHERS: &[&str] = &[
    "abroad",
    "appointed",
    "family",
    "fee-waiver",
    "free",
    "intent-to-deny",
    "interpreted",
    "joint",
    "moved",
    "referred",
    "rejected",
    "represented",
    "revoked",
    "role-ends",
    "together",
    "transferred",
    "trouble-with-money",
    "voided",
    "waived",
    "withdrawal",
];
/// Stories in which services are away, played by the drills.
pub(crate) const DRILLS: &[&str] = &["arrows"];
/// Stories that turn the clock, each in an environment of its own.
pub(crate) const APART: &[&str] = &["exam-missed", "in-time", "left-alone", "nobody-came", "too-late"];

#[test]
fn a_permanent_resident_becomes_a_citizen() {
    let system = System::start();
    let told = system.play("tests/stories/naturalization.toml", |_| ());
    let story = std::fs::read_to_string(root().join("tests/stories/naturalization.toml")).unwrap();
    let steps = told.iter().filter(|line| line["step"].is_u64()).count();
    assert_eq!(steps, story.matches("[[step]]").count(), "every step was played");
    let came_of_it = told.last().unwrap();
    let receipt = came_of_it["receipt_number"].as_str().expect("a receipt number");
    as_anybody(&system, receipt);
    as_the_officer(&system, receipt, &came_of_it["sign_ins"][1]);
    as_the_applicant(&system, receipt, &came_of_it["sign_ins"][0]);
    // A case belongs to those in it; its log is nobody's but the operators'.
    assert_eq!(exit_code(&system, &["log", "stats"]), Some(6));
    as_the_operator(&system, &came_of_it["sign_ins"][2]);
    as_two_operators(&system, [&came_of_it["sign_ins"][2], &came_of_it["sign_ins"][3]]);
    // A system whose cases are kept does not have its clock turned.
    let refused = system.command(&["story", APART[0]]).output().unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("environment of its own"), "{refused:?}");
    // On the same system, beside what is there already.
    for story in OTHERS {
        system.play(story, |_| ());
    }
    books::check(&system);
    scan::finds_nothing(&system);
    reached(&books::kinds(&system));
    scan::finds_what_is_planted(&system);
}

/// Events that a story reaches by chance: a mail that could not be delivered on a slow day and whom it did not reach, a notice
/// that came too late then. They stand on the page all the same.
const BY_CHANCE: [&str; 4] = [
    "delivery.failed.v1",
    "notice.not_issued.v1",
    "case.addressee_not_reached.v1",
    "case.addressee_search_ended.v1",
];

/// Every event of the contract is reached by a story, or stands on the page of those that are not, and none on both sides; what
/// stories apart reach is read from what somebody must see in them. What the page says above the list stays.
fn reached(kinds: &BTreeSet<String>) {
    let apart = APART.iter().flat_map(|story| seen_in(story));
    let apart: BTreeSet<String> = apart.chain(new_form::found()).collect();
    let is_reached = |kind: &String| kinds.contains(kind) && !BY_CHANCE.contains(&kind.as_str());
    let unreached = reference::kinds().into_iter().filter(|kind| !is_reached(kind) && !apart.contains(kind));
    let unreached: BTreeSet<String> = unreached.collect();
    let file = "tests/stories/unreached.txt";
    let page = std::fs::read_to_string(root().join(file)).unwrap();
    let (notes, listed): (Vec<&str>, Vec<&str>) = page.lines().partition(|line| line.starts_with('#'));
    if std::env::var_os("DOCKET_ACCEPT").is_some() {
        let page: Vec<&str> = notes.into_iter().chain(unreached.iter().map(String::as_str)).collect();
        fits(file, &(page.join("\n") + "\n"));
        return;
    }
    let listed: BTreeSet<String> = listed.into_iter().map(str::to_owned).collect();
    let new: Vec<_> = unreached.difference(&listed).collect();
    assert!(new.is_empty(), "no story reaches {new:?}: add one, or {file} with DOCKET_ACCEPT=1");
    let old: Vec<_> = listed.difference(&unreached).collect();
    assert!(old.is_empty(), "a story reaches {old:?}: take it off {file}");
}

/// The kinds of events of cases that somebody must see in a story, and those that somebody must find in a log.
fn seen_in(story: &str) -> BTreeSet<String> {
    let file = root().join(format!("tests/stories/{story}.toml"));
    let story = Story::read(&file).unwrap();
    let views = story.step.iter().filter_map(|step| step.get("see")?.as_table());
    let lines = views.flat_map(|see| see.values()).filter_map(|view| view.get("lines")?.as_array()).flatten();
    let lines = lines.filter_map(|line| Some(format!("case.{}.v1", line.as_str()?)));
    lines.chain(found_in_logs(&story)).collect()
}

/// The kinds of events that somebody must find in a log.
pub(crate) fn found_in_logs(story: &Story) -> BTreeSet<String> {
    let found =
        story.step.iter().filter_map(|step| step.get("do")?.get("find_in_log")?.get("kinds")?.as_array());
    found.flatten().filter_map(|kind| kind.as_str().map(str::to_owned)).collect()
}

/// Two whole systems at once on one machine: each plays a story, and neither knows of the other's case.
#[test]
fn two_systems_on_one_machine_do_not_disturb_each_other() {
    let systems = std::thread::scope(|scope| {
        let starting = [scope.spawn(System::start), scope.spawn(System::start)];
        starting.map(|starting| starting.join().unwrap())
    });
    let receipts = std::thread::scope(|scope| {
        let playing = systems.each_ref().map(|system| scope.spawn(|| system.play("free", |_| ())));
        playing.map(|playing| {
            playing.join().unwrap().last().unwrap()["receipt_number"].as_str().unwrap().to_owned()
        })
    });
    for (system, [own, others]) in systems.iter().zip([[0, 1], [1, 0]]) {
        assert_eq!(json(system, &["status", &receipts[own]])[0]["form"], "I-90");
        assert_eq!(exit_code(system, &["status", &receipts[others]]), Some(5), "the other one's case");
        books::check(system);
    }
}

/// Each on a system of its own, whose books are right afterwards, and which is searched as the one of the other stories is.
#[test]
fn stories_that_turn_the_clock_leave_right_books_and_nothing_in_the_clear() {
    for story in APART {
        let system = System::start_apart(&[]);
        system.play(story, |_| ());
        books::check(&system);
        scan::finds_nothing(&system);
        scan::finds_what_is_planted(&system);
    }
}

#[test]
fn an_environment_that_is_made_for_a_story_is_thrown_away() {
    play_apart("in-time");
}

#[test]
fn every_story_is_played_by_a_test_and_can_be_read() {
    let folder = root().join("tests/stories");
    let listed = docket_cli::story::list(&folder).unwrap();
    let names: Vec<&str> = listed.iter().filter_map(|(path, ..)| path.file_stem()?.to_str()).collect();
    let mut played = [&["naturalization"], OTHERS, DRILLS, APART].concat();
    played.sort_unstable();
    assert_eq!(names, played, "a new story is added to OTHERS");
    for (path, ..) in &listed {
        let story = Story::read(path).unwrap();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap();
        assert_eq!(story.turns_clock, APART.contains(&name), "{name}");
    }
}

/// Anybody with the whole number sees a title and nothing else; an unknown number is refused.
fn as_anybody(system: &System, receipt: &str) {
    let public = json(system, &["status", receipt]);
    assert_eq!(public[0]["form"], "N-400");
    assert!(public[0].get("timeline").is_none());
    assert!(matches!(exit_code(system, &["status", "DKT0000000000"]), Some(3 | 5)));
    assert_eq!(exit_code(system, &["status"]), Some(2));
    let forms = json(system, &["forms"]);
    assert!(forms.iter().any(|form| form["form"] == "N-400"));
    let form = json(system, &["forms", "n400"]);
    assert!(form[0]["questions"].as_array().is_some_and(|questions| questions.len() > 50));
}

fn as_the_officer(system: &System, receipt: &str, sign_in: &Value) {
    signed_in(system, sign_in);
    let queue = json(system, &["officer", "worklist", "--queue", "mine"]);
    assert!(queue.iter().all(|item| item["name"].as_str().is_some_and(|name| name.starts_with("cases/"))));
    let case = &json(system, &["officer", "open", receipt])[0];
    let kinds: Vec<&str> =
        case["timeline"].as_array().unwrap().iter().filter_map(|line| line["kind"].as_str()).collect();
    assert!(kinds.contains(&"case.background_check_returned.v1"), "officers see the checks: {kinds:?}");
    // A decided case takes no second decision, and a decision needs a fresh second factor.
    let name = case["name"].as_str().unwrap();
    assert_eq!(exit_code(system, &["officer", "decide", name, "approve"]), Some(6));
    let late = ["officer", "act", name, "intend-denial", "--grounds", "Too late.", "--item", "passport"];
    assert_eq!(exit_code(system, &late), Some(3), "nothing is intended any more when a case is decided");
}

fn as_the_applicant(system: &System, receipt: &str, sign_in: &Value) {
    signed_in(system, sign_in);
    let case = &json(system, &["status", receipt])[0];
    assert_eq!(case["title_id"], "11");
    let kinds: Vec<&str> =
        case["timeline"].as_array().unwrap().iter().filter_map(|line| line["kind"].as_str()).collect();
    assert!(!kinds.iter().any(|kind| kind.contains("background_check") || kind.contains("recommended")));
    let spanish = &json(system, &["status", receipt, "--language", "es"])[0];
    assert_ne!(spanish["title"], case["title"]);
    let notices = json(system, &["inbox"]);
    assert_eq!(notices.len(), 8, "{notices:#?}");
    let pdf = tempfile::NamedTempFile::new().unwrap();
    let (name, to) = (notices[0]["name"].as_str().unwrap(), pdf.path().display().to_string());
    assert_eq!(exit_code(system, &["inbox", "--save", name, "--to", &to]), Some(0));
    assert!(std::fs::read(pdf.path()).unwrap().starts_with(b"%PDF-"));
    let paper = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(
        paper.path(),
        r#"{"form": "N-400", "answers": {"basis": "lpr_5_years", "lpr_since": "2026-01-01"}}"#,
    )
    .unwrap();
    let filing = &json(system, &["file", &paper.path().display().to_string()])[0];
    assert!(
        filing["findings"].as_array().unwrap().iter().any(|finding| finding["rule"] == "early-5"),
        "{filing:#}"
    );
    assert_eq!(filing["ready"], false);
    led_through_a_form(system);
    let papers = Papers::new();
    filed_together(system, &papers);
    led_through_the_papers(system, &papers);
    papers_named_in_a_file(system, &papers);
}

/// `docket file` on the terminal: the guide finds the form, the questions are asked in order, a wrong line again.
fn led_through_a_form(system: &System) {
    let lines = [
        // Which form? A card, lost; begin the one that is offered.
        "card",
        "2",
        "1",
        // Who you are: first a word that is no choice, then why it is asked, then an answer. Then the reason, and enough.
        "because",
        "?",
        "1",
        "lost stolen destroyed",
        "!",
    ];
    let (told, asked) = typed(system, &["file"], &lines);
    assert_eq!(told["form"], "I-90");
    assert!(told["missing"].as_array().unwrap().iter().any(|field| field == "app_dob"), "{told:#}");
    assert!(
        !told["missing"].as_array().unwrap().iter().any(|field| field == "reason"),
        "it was answered: {told:#}"
    );
    assert!(asked.contains("What about your card?"), "{asked}");
    // Gone on with another day: what was answered is not asked again.
    let name = told["name"].as_str().unwrap();
    let (again, asked) = typed(system, &["file", name], &["!"]);
    assert_eq!(again["name"], told["name"]);
    assert_eq!(asked.matches("> ").count(), 1, "one question, then the end: {asked}");
    assert_eq!(exit_code(system, &["file", "N-999"]), Some(3));
}

/// What one form of a package tells of the person is not asked in the next one.
fn filed_together(system: &System, papers: &Papers) {
    let told = serde_json::json!({
        "form": "I-765",
        "answers": { "app_family_name": "Reyes", "app_given_name": "Yolanda", "app_dob": "1985-03-11" },
    });
    let work = &json(system, &["file", &papers.answers(&told)])[0];
    let with = work["name"].as_str().unwrap();
    let (travel, asked) = typed(system, &["file", "I-131", "--with", with], &["!"]);
    assert!(asked.contains("3 answers are taken over from other forms of this package."), "{asked}");
    assert!(asked.contains("= Date of birth: 1985-03-11"), "{asked}");
    assert!(!travel["missing"].as_array().unwrap().iter().any(|field| field == "app_dob"), "{travel:#}");
    assert_eq!(exit_code(system, &["file", with, "--with", with]), Some(1));
}

/// A person's own files, in a folder with a blank in its name: a photograph, a letter, and a text that is called a PDF.
struct Papers(tempfile::TempDir);

impl Papers {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("my papers ").tempdir().unwrap();
        let specimen = |name: &str| root().join("tests/stories/evidence").join(name);
        std::fs::copy(specimen("green-card-front.jpg"), folder.path().join("pasaporte José.jpg")).unwrap();
        std::fs::copy(specimen("letter.pdf"), folder.path().join("letter.pdf")).unwrap();
        std::fs::write(folder.path().join("card.pdf"), "This is no PDF.\n").unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// Writes a file of answers beside them.
    fn answers(&self, answers: &Value) -> String {
        let path = self.path("answers.json");
        std::fs::write(&path, answers.to_string()).unwrap();
        path
    }
}

/// Back to a question; then the checklist: a file that is refused, one that is taken, and words why another cannot be had.
fn led_through_the_papers(system: &System, papers: &Papers) {
    let (refused, taken) = (papers.path("card.pdf"), papers.path("pasaporte José.jpg"));
    let lines = [
        "1",
        "lost stolen destroyed",
        // Back to the reason: kept as it is; back once more, and another one. Then to the papers.
        "<",
        "",
        "<",
        "never received",
        "+",
        // The identity document: what it names is not there; a text that is called a PDF; more is asked; a passport.
        "nothing.pdf",
        &refused,
        "",
        "",
        "?",
        &taken,
        "passport",
        "no",
        // The last notice: too few words, then enough of them. That is all: back at the question, and enough.
        "- lost",
        "-",
        "It was sent to an address where none of us lived by then.",
        "",
        "!",
    ];
    let (told, asked) = typed(system, &["file", "I-90"], &lines);
    assert_eq!(asked.matches("now: the card was lost, stolen or destroyed").count(), 2, "{asked}");
    assert!(asked.contains("There is no such file: nothing.pdf"), "{asked}");
    assert!(asked.contains("✗ card.pdf: "), "the refusal is told: {asked}");
    assert!(asked.contains("8 CFR 103.2(b)(2)"), "{asked}");
    assert!(asked.contains("✓ attached: pasaporte Jos_.jpg"), "{asked}");
    assert!(asked.contains("✗ Last notice about the card: "), "{asked}");
    assert!(!asked.contains('%'), "no progress where nobody sits at the terminal: {asked}");
    assert_eq!(told["attached"].as_array().unwrap().len(), 1, "{told:#}");
    assert_eq!(told["attached"][0]["kind"], "passport");
    assert_eq!(told["attached"][0]["media_type"], "image/jpeg");
    assert_eq!(told["explained"], serde_json::json!(["notice_never_received"]));
    assert_eq!(told["evidence"], serde_json::json!([]), "nothing is lacking: {told:#}");
    // Gone on with in Spanish: the checklist says what is there.
    let name = told["name"].as_str().unwrap();
    let (again, asked) = typed(system, &["file", name, "--language", "es"], &["+", "!"]);
    assert!(asked.contains("adjunto: pasaporte Jos_.jpg"), "{asked}");
    assert_eq!(again["attached"], told["attached"]);
    // In another filing the passport need not be sent again.
    let (told, asked) = typed(system, &["file", "I-90"], &["1", "never received", "+", "=", "!"]);
    assert!(asked.contains("You gave such a paper before: pasaporte Jos_.jpg (I-90)."), "{asked}");
    assert_eq!(told["attached"][0]["kind"], "passport", "{told:#}");
    assert_ne!(told["name"], again["name"]);
    // This one is given up, which can be done once.
    let abandon = ["abandon", told["name"].as_str().unwrap(), "--yes"];
    assert_eq!(exit_code(system, &abandon), Some(0));
    assert_eq!(exit_code(system, &abandon), Some(3), "it is given up already");
}

/// An answers file that names evidence: all of it is attached; one that names a file that is not there leaves nothing behind.
fn papers_named_in_a_file(system: &System, papers: &Papers) {
    let with = |evidence: Value| {
        papers.answers(&serde_json::json!({
            "form": "I-90",
            "answers": { "resident_kind": "permanent_resident", "reason": "never_received" },
            "evidence": evidence,
            "explanations": { "notice_never_received": "It was sent to an address where none of us lived by then." },
        }))
    };
    let passport = serde_json::json!({ "kind": "passport", "path": "pasaporte José.jpg" });
    let letter =
        serde_json::json!({ "kind": "i797_approval", "path": "letter.pdf", "foreign_language": true });
    let kinds = |told: &Value| -> Vec<String> {
        let attached = told["attached"].as_array().unwrap().iter();
        attached.map(|evidence| evidence["kind"].as_str().unwrap().to_owned()).collect()
    };
    let told = &json(system, &["file", &with(serde_json::json!([passport, letter]))])[0];
    assert_eq!(kinds(told), ["passport", "i797_approval"], "{told:#}");
    assert_eq!(told["explained"], serde_json::json!(["notice_never_received"]));
    assert_eq!(told["evidence"], serde_json::json!(["translation"]), "of the letter in another language");

    let filings = json(system, &["filings"]).len();
    let missing = with(serde_json::json!([passport, { "kind": "i797_approval", "path": "nothing.pdf" }]));
    let output = system.command(&["file", &missing]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("nothing.pdf"), "{said}");
    assert_eq!(json(system, &["filings"]).len(), filings, "nothing was begun");

    let refused = with(serde_json::json!([passport, { "kind": "i797_approval", "path": "card.pdf" }]));
    let output = system.command(&["file", &refused, "--json"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(3) && said.contains("card.pdf"), "{said}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(kinds(&told), ["passport"], "what was stored is told: {told:#}");
}

/// Runs a command, types lines into it; gives what it says at last, and what it asked.
fn typed(system: &System, arguments: &[&str], lines: &[&str]) -> (Value, String) {
    use std::io::Write as _;
    use std::process::Stdio;
    let mut command = system.command(arguments);
    let piped = command.arg("--json").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{}", lines.join("\n")).unwrap();
    let output = child.wait_with_output().unwrap();
    let asked = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{asked}");
    let printed = String::from_utf8(output.stdout).unwrap();
    (serde_json::from_str(printed.lines().last().unwrap()).unwrap(), asked)
}

/// The operator looks into every log, proves them, and builds the projection again; nobody's data is seen in the clear.
fn as_the_operator(system: &System, sign_in: &Value) {
    signed_in(system, sign_in);
    let stats = patiently(system, &["log", "stats"]);
    assert_eq!(stats.len(), 6, "every service tells of its log");
    let consumers = stats.iter().flat_map(|log| log["consumers"].as_array().unwrap());
    assert!(consumers.clone().count() >= 10);
    for consumer in consumers {
        assert!(consumer["head"].is_u64(), "the owner says where its log ends: {consumer}");
    }
    let relays = json(system, &["log", "relay", "status"]);
    assert!(relays.iter().all(|relay| relay["lag"] == 0 && relay["epoch"] == 1), "{relays:#?}");
    assert!(json(system, &["log", "park", "list"]).is_empty());

    let tail = json(system, &["log", "tail", "-n", "5", "--category", "case"]);
    let positions: Vec<u64> = tail.iter().map(|event| event["position"].as_u64().unwrap()).collect();
    assert!(positions.len() == 5 && positions.is_sorted(), "{positions:?}");
    let last = tail[4]["position"].to_string();
    let event = &json(system, &["log", "event", &last])[0];
    assert_eq!(event["payload"], tail[4]["payload"]);
    assert!(event["metadata"]["actor"].as_str().is_some_and(|actor| actor.contains(':')), "{event}");
    let stream = event["stream"].as_str().unwrap();
    let versions = |arguments: &[&str]| -> Vec<u64> {
        let events = json(system, &[&["log", "stream", stream], arguments].concat());
        events.iter().map(|event| event["version"].as_u64().unwrap()).collect()
    };
    let all = versions(&[]);
    assert_eq!(all, (1..=all.len() as u64).collect::<Vec<_>>());
    assert_eq!(versions(&["--backwards", "--limit", "1"]), [all.len() as u64]);
    assert_eq!(versions(&["--as-of-position", &last]), all);
    let answers = ["log", "--service", "filing", "tail", "--kind", "filing.draft_answered.v1", "-n", "1"];
    let answered = &json(system, &answers)[0];
    let sealed = answered["payload"].as_object().unwrap().values().filter_map(Value::as_str);
    assert!(sealed.clone().any(|value| value.starts_with("sealed:filing:")), "{answered:#}");
    assert_eq!(exit_code(system, &["log", "event", "99999999"]), Some(5));
    assert_eq!(exit_code(system, &["log", "--service", "nobody", "event", "1"]), Some(1));

    for log in &stats {
        let service = log["service"].as_str().unwrap();
        let found = &json(system, &["log", "--service", service, "verify"])[0];
        assert_eq!(found["sound"], true, "{service}: {found}");
        assert!(found["to"].as_u64() >= log["head"].as_u64());
    }
    assert_eq!(json(system, &["log", "verify", "--stream", stream])[0]["to"], all.len());
    guarded_acts(system, sign_in);
}

/// What asks the operator for a fresh second factor.
fn guarded_acts(system: &System, sign_in: &Value) {
    let file = tempfile::tempdir().unwrap();
    let file = file.path().join("cases.log").display().to_string();
    assert_eq!(exit_code(system, &["log", "projection", "rebuild"]), Some(6), "a second factor is asked for");
    assert_eq!(exit_code(system, &["log", "export", "--to", &file]), Some(6));
    let secret = sign_in["totp_secret"].as_str().unwrap();
    assert_eq!(exit_code(system, &["step-up", "--totp-secret", secret]), Some(0));

    let built = &json(system, &["log", "projection", "rebuild"])[0];
    assert_eq!((&built["done"], &built["stopped"]), (&Value::Bool(true), &0.into()), "{built}");
    let compared = &json(system, &["log", "projection", "compare"])[0];
    assert_eq!((&compared["equal"], &compared["differing"]), (&built["cases"], &0.into()), "{compared}");
    let switched = &json(system, &["log", "projection", "switch", "--reason", "a drill"])[0];
    assert_eq!(switched["projection"]["live"]["generation"], 2, "{switched}");
    assert!(switched["took_us"].as_u64().is_some_and(|took_us| took_us < 1_000_000), "{switched}");
    assert_eq!(
        switched["projection"]["live"]["cases"], switched["projection"]["beside"]["cases"],
        "{switched}"
    );
    let back = &json(system, &["log", "projection", "rollback", "--reason", "the drill is over"])[0];
    assert_eq!(back["projection"]["live"]["generation"], 1, "{back}");

    let exported = &json(system, &["log", "export", "--to", &file])[0];
    assert!(exported["events"].as_u64().is_some_and(|events| events > 20), "{exported}");
    assert_eq!(exit_code(system, &["log", "import", &file]), Some(0));
    proven_to_a_stranger(system, &file);
    let kept = &json(system, &["log", "verify", "--kept", &file])[0];
    assert_eq!(kept["sound"], true, "{kept}");
    let elsewhere = ["log", "--service", "filing", "verify", "--kept", &file];
    assert_eq!(exit_code(system, &elsewhere), Some(3), "a checkpoint of another log");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert_eq!(exit_code(system, &["log", "import", &file]), Some(1), "one bit was changed");
    assert_eq!(exit_code(system, &["log", "park", "redrive"]), Some(0));
    let nothing =
        ["log", "--service", "filing", "park", "skip", "cases-0", "case-none", "1", "--reason", "drill"];
    assert_eq!(exit_code(system, &nothing), Some(3), "nothing is parked, so nothing is skipped");
    assert_eq!(exit_code(system, &["log", "park", "skipped"]), Some(0));
}

/// A program that shares no code with us takes the file and a proof out of it, and neither of them when it was changed.
fn proven_to_a_stranger(system: &System, file: &str) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (proof, spoilt) = (at("proof.json"), at("spoilt"));
    assert_eq!(exit_code(system, &["log", "prove", "7", file, "--to", &proof]), Some(0));
    assert_eq!(exit_code(system, &["log", "prove", "99999999", file, "--to", &spoilt]), Some(1));
    let mut proven: Value = serde_json::from_slice(&std::fs::read(&proof).unwrap()).unwrap();
    let key = proven["public_key"].as_str().unwrap().to_owned();
    let takes = |option: &str, file: &str| {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../libs/eventlog/tests/verify_chain.py");
        let mut python = std::process::Command::new("python3");
        python.args(["-B", program, option, file, "--key", &key]).output().unwrap().status.success()
    };
    assert!(takes("--export", file) && takes("--proof", &proof));
    proven["path"].as_array_mut().unwrap().swap(0, 1);
    std::fs::write(&spoilt, proven.to_string()).unwrap();
    assert!(!takes("--proof", &spoilt), "two hashes of the path were changed about");
    let whole = std::fs::read(file).unwrap();
    std::fs::write(&spoilt, &whole[..whole.len() - 100]).unwrap();
    assert!(!takes("--export", &spoilt), "its end is gone");
}

/// Two operators destroy the keys of the filing in every service; a certificate over all of them says so, and the logs still
/// prove themselves.
fn as_two_operators(system: &System, [one, other]: [&Value; 2]) {
    let answers = ["log", "--service", "filing", "tail", "--kind", "filing.draft_answered.v1", "-n", "1"];
    let filing = json(system, &answers)[0]["stream"].as_str().unwrap().replacen("filing-", "filing:", 1);
    let at_identity = |arguments: &[&str]| {
        json(system, &[&["log", "--service", "identity", "subject"], arguments].concat())
    };
    let asked = &at_identity(&["erase", &filing, "--reason", "asked", "--legal-basis", "gdpr.17.1.a"])[0];
    let request = asked["id"].as_str().unwrap();
    let alone = ["log", "--service", "identity", "subject", "approve", request];
    assert_eq!(exit_code(system, &alone), Some(3), "who asked cannot approve");
    // A hold in one service: the others answer, this one waits.
    let hold = |word: &str, more: &[&str]| {
        let act = ["log", "--service", "payments", "subject", word, &filing, "--reason", "suit-1"];
        assert_eq!(exit_code(system, &[&act[..], more].concat()), Some(0), "{word}");
    };
    hold("hold", &[]);
    signed_in(system, other);
    patiently(system, &["log", "--service", "identity", "stats"]);
    let secret = other["totp_secret"].as_str().unwrap();
    assert_eq!(exit_code(system, &["step-up", "--totp-secret", secret]), Some(0));
    at_identity(&["approve", request]);
    let state = || patiently(system, &["log", "subject", "answers", request]).remove(0);
    let waiting =
        until(state, |erasure| erasure["missing"].as_array().is_some_and(|missing| missing.len() == 1));
    assert_eq!((&waiting["missing"][0], &waiting["completion"]), (&"payments".into(), &Value::Null));
    hold("release", &["--why", "settled"]);
    let done = until(state, |erasure| !erasure["completion"].is_null());
    let certificate: Value = serde_json::from_str(done["completion"]["statement"].as_str().unwrap()).unwrap();
    let services = certificate["certificates"].as_array().unwrap().iter();
    let services: Vec<&str> = services.filter_map(|one| one["service"].as_str()).collect();
    assert_eq!(services, ["identity", "case-status", "filing", "notifications", "payments"]);
    assert_eq!(certificate["subject"], *filing);
    for service in services {
        let found = &json(system, &["log", "--service", service, "verify"])[0];
        assert_eq!(found["sound"], true, "{service}: {found}");
    }
    signed_in(system, one);
}

/// Looks again until it is as it should be.
fn until(look: impl Fn() -> Value, good: impl Fn(&Value) -> bool) -> Value {
    let begun = std::time::Instant::now();
    loop {
        let seen = look();
        if good(&seen) {
            return seen;
        }
        assert!(begun.elapsed() < std::time::Duration::from_mins(1), "it stays so: {seen:#}");
    }
}

/// A role takes a moment to reach every service: the first command is asked until it is answered.
fn patiently(system: &System, arguments: &[&str]) -> Vec<Value> {
    let begun = std::time::Instant::now();
    while begun.elapsed() < std::time::Duration::from_secs(10) && exit_code(system, arguments) != Some(0) {}
    json(system, arguments)
}

pub(crate) fn signed_in(system: &System, sign_in: &Value) {
    let text = |field: &str| sign_in[field].as_str().expect("a text").to_owned();
    let (email, password, secret) = (text("email"), text("password"), text("totp_secret"));
    let arguments = ["sign-in", "--email", &email, "--password", &password, "--totp-secret", &secret];
    assert_eq!(exit_code(system, &arguments), Some(0), "sign-in of the {}", text("role"));
}

/// What a command prints with `--json`, a value a line.
pub(crate) fn json(system: &System, arguments: &[&str]) -> Vec<Value> {
    let output = system.command(arguments).arg("--json").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "docket {}: {said}", arguments.join(" "));
    let printed = String::from_utf8(output.stdout).unwrap();
    printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

pub(crate) fn exit_code(system: &System, arguments: &[&str]) -> Option<i32> {
    system.command(arguments).output().unwrap().status.code()
}
