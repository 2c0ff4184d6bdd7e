//! A whole path on the terminal alone: a form is filled in from a file, read, signed, sent, paid and watched.
use crate::story::{exit_code, json, signed_in};
use crate::system::{System, root};
use serde_json::Value;
use std::io::Write as _;
use std::process::{Output, Stdio};

/// Runs a command and types lines into it.
fn typed(system: &System, arguments: &[&str], lines: &[&str]) -> Output {
    let mut command = system.command(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// The answers of somebody who lost a card, with the paper that is asked for, in a file.
fn answers_of(folder: &std::path::Path, sign_in: &Value) -> String {
    let email = sign_in["email"].as_str().unwrap();
    let run: String = email.chars().filter(char::is_ascii_digit).collect();
    let text = std::fs::read_to_string(root().join("tests/stories/answers/i-90.toml")).unwrap();
    let text = text
        .replace("{{applicant.a_number}}", &format!("A000{run}"))
        .replace("{{today-6y}}", "2019-05-04")
        .replace("{{today-3y}}", "2021-02-03")
        .replace("\"agency_error\"", "\"lost_stolen_destroyed\"");
    let answers: Value = serde_json::to_value(toml::from_str::<toml::Table>(&text).unwrap()).unwrap();
    std::fs::copy(root().join("tests/stories/evidence/letter.pdf"), folder.join("passport.jpg")).unwrap();
    let filing = serde_json::json!({
        "form": "I-90", "answers": answers, "evidence": [{ "kind": "passport", "path": "passport.jpg" }],
    });
    let path = folder.join("filing.json");
    std::fs::write(&path, filing.to_string()).unwrap();
    path.display().to_string()
}

#[test]
fn a_card_that_was_lost_is_asked_for_paid_and_watched_on_the_terminal() {
    let system = System::start();
    let came_of_it = system.play("free", |_| ());
    let tomas = &came_of_it.last().unwrap()["sign_ins"][0];
    signed_in(&system, tomas);
    let folder = tempfile::tempdir().unwrap();
    // What a file has wrong is said, and leaves no empty draft behind.
    let file = answers_of(folder.path(), tomas);
    let wrong = std::fs::read_to_string(&file).unwrap().replace("2019-05-04", "2019-02-30");
    let with_a_fault = folder.path().join("fault.json");
    std::fs::write(&with_a_fault, wrong).unwrap();
    assert_eq!(exit_code(&system, &["file", &with_a_fault.display().to_string()]), Some(3));
    let filings = json(&system, &["filings"]);
    assert!(filings.iter().all(|filing| filing["state"] != "draft"), "{filings:#?}");
    let told = &json(&system, &["file", &file])[0];
    assert_eq!(told["ready"], true, "{told:#}");
    let filing = told["name"].as_str().unwrap();
    a_file_goes_into_the_draft(&system, folder.path(), told);
    an_explanation_stays_as_it_is(&system, folder.path(), &file);
    a_page_is_looked_at(&system, folder.path(), filing);
    let secret = tomas["totp_secret"].as_str().unwrap();
    assert_eq!(
        exit_code(&system, &["send", filing]),
        Some(1),
        "a second factor is asked for, and nobody types"
    );
    assert_eq!(exit_code(&system, &["send", filing, "--totp-secret", secret]), Some(3), "it is not signed");

    // Read by itself; then asked as whom and by which name, and left.
    let read = &json(&system, &["review", filing])[0];
    assert!(read["text"].as_str().unwrap().contains("Tomás"), "{read:#}");
    let left = typed(&system, &["sign", filing], &["", ""]);
    let (shown, said) = (String::from_utf8_lossy(&left.stdout), String::from_utf8_lossy(&left.stderr));
    assert_eq!(left.status.code(), Some(1), "{said}");
    assert!(shown.contains("$415.00") && shown.contains(read["declaration"].as_str().unwrap()), "{shown}");
    assert!(said.contains("for yourself") && said.contains("nothing was signed"), "{said}");

    // Signed by typing: for oneself, and the name. Another name is refused.
    let other = ["sign", filing, "--name", "Rosa Other"];
    assert_eq!(exit_code(&system, &other), Some(3), "that is not the name in the form");
    let signed = typed(&system, &["sign", filing], &["1", "Tomás Calado"]);
    let said = String::from_utf8_lossy(&signed.stderr);
    assert!(signed.status.success() && said.contains(&format!("docket send {filing}")), "{said}");

    let sent = json(&system, &["submit", filing]).pop().unwrap();
    assert_eq!(sent["due_cents"], 41_500, "{sent:#}");
    let payment = sent["payment"].as_str().unwrap();
    let declined = system.command(&["pay", payment, "--card", "pm_card_chargeDeclined"]).output().unwrap();
    assert_eq!(declined.status.code(), Some(1), "{declined:?}");
    let paid = json(&system, &["pay", filing, "--card", "pm_card_visa"]).pop().unwrap();
    let receipt = paid["receipt_number"].as_str().unwrap();
    let case = &json(&system, &["status", receipt])[0];
    assert_eq!(case["form"], "I-90", "{case:#}");
    assert_eq!(
        exit_code(&system, &["pay", payment, "--card", "pm_card_visa"]),
        Some(3),
        "it is paid already"
    );
    // Nobody stands for anybody; under an appearance that is not there nothing is begun.
    assert!(json(&system, &["representations"]).is_empty());
    let nobody = uuid::Uuid::now_v7().to_string();
    assert_eq!(exit_code(&system, &["file", "I-90", "--representation", &nobody]), Some(5));
}

/// A page is saved as a picture, and who looked is listed.
fn a_page_is_looked_at(system: &System, folder: &std::path::Path, filing: &str) {
    let file = json(system, &["view", filing]).pop().unwrap();
    let name = file["name"].as_str().unwrap();
    assert_eq!(file["kind"], "passport", "{file:#}");
    let to = folder.join("page.png").display().to_string();
    let page = json(system, &["view", name, "--side", "300", "--to", &to]).pop().unwrap();
    assert_eq!((&page["page"], &page["height"]), (&1.into(), &300.into()), "{page:#}");
    assert_eq!(std::fs::metadata(&to).unwrap().len(), page["bytes"].as_u64().unwrap());
    assert_eq!(exit_code(system, &["view", name]), Some(2), "where to is not said");
    assert_eq!(exit_code(system, &["view", name, "--page", "99", "--to", &to]), Some(3));
    let seen = json(system, &["accesses", filing]);
    let looked = seen.iter().filter(|access| access["opened"] == "view").count();
    assert_eq!((looked, &seen[0]["stands_as"]), (1, &"applicant".into()), "{seen:#?}");
    let told = system.command(&["accesses", filing, "--language", "es"]).output().unwrap();
    let told = String::from_utf8_lossy(&told.stdout);
    assert!(told.contains("vio páginas de"), "{told}");
}

/// What a file says goes into a draft, and nothing that was answered otherwise there is lost without a word.
fn a_file_goes_into_the_draft(system: &System, folder: &std::path::Path, told: &Value) {
    let (filing, first) = (told["name"].as_str().unwrap(), &told["etag"]);
    let path = folder.join("more.json").display().to_string();
    let put = |file: Value, more: &[&str]| {
        std::fs::write(&path, file.to_string()).unwrap();
        let arguments = [&["file", path.as_str(), "--draft", filing, "--json"], more].concat();
        let output = system.command(&arguments).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let saved = |to: &str| {
        let to = folder.join(to).display().to_string();
        json(system, &["export", filing, "--to", &to]);
        let text = std::fs::read_to_string(format!("{to}/filing.json")).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let of = |answers: Value| serde_json::json!({ "answers": answers });
    let both =
        of(serde_json::json!({ "mother_given": "Estela", "father_given": "Ruy", "entry_port": "Newark" }));
    let (code, said) = put(both.clone(), &[]);
    assert!(
        code == Some(3) && said.contains("mother_given: \"Ester\"") && !said.contains("father_given"),
        "{said}"
    );
    assert_eq!(saved("nothing")["answers"]["entry_port"], Value::Null, "nothing was saved");
    assert_eq!(put(both, &["--keep"]).0, Some(0));
    let kept = saved("kept");
    assert_eq!(
        (&kept["answers"]["mother_given"], &kept["answers"]["entry_port"]),
        (&"Ester".into(), &"Newark".into())
    );
    assert_eq!(put(of(serde_json::json!({ "entry_port": "Boston" })), &["--replace"]).0, Some(0));

    // From a version before: what was answered since is told, by whomever; from the present one it goes in.
    let from = |etag: &Value| serde_json::json!({ "answers": { "entry_port": "Miami" }, "etag": etag });
    let (code, said) = put(from(first), &[]);
    assert!(code == Some(3) && said.contains("entry_port: \"Boston\""), "{said}");
    assert_eq!(put(from(first), &["--keep"]).0, Some(0));
    let present = saved("present");
    assert_eq!(present["answers"]["entry_port"], "Boston");
    assert_eq!(put(from(&present["etag"]), &[]).0, Some(0));
    assert_eq!(saved("moved")["answers"]["entry_port"], "Miami");
    assert_eq!(put(from(&1_000_000.into()), &[]).0, Some(1), "there is no such version");

    // A request that the fee be waived goes the same way.
    let waived = |hardship: &str| serde_json::json!({ "fee_waiver_answers": { "basis": ["financial_hardship"], "hardship": hardship } });
    assert_eq!(put(waived("The mill closed."), &[]).0, Some(0));
    assert_eq!(saved("waived")["fee_waiver_answers"]["hardship"], "The mill closed.");
    let (code, said) = put(waived("The clinic closed."), &[]);
    assert!(code == Some(3) && said.contains("The mill closed."), "{said}");
    // The answers to the form are saved by then, and that is said.
    let mut later = waived("The clinic closed.");
    later["answers"] = serde_json::json!({ "entry_port": "Elizabeth" });
    later["etag"] = saved("before the waiver")["etag"].clone();
    assert_eq!(put(waived("The mill closed for good."), &["--replace"]).0, Some(0));
    let (code, said) = put(later, &[]);
    assert!(code == Some(3) && said.contains("The answers to the form were saved."), "{said}");
    assert!(said.contains("The mill closed for good.") && !said.contains("Nothing was saved"), "{said}");
    assert_eq!(saved("half")["answers"]["entry_port"], "Elizabeth");
    json(system, &["waiver", filing, "--drop"]);
    assert_eq!(put(serde_json::json!({ "form": "N-400" }), &[]).0, Some(1), "it is another form");
    assert_eq!(exit_code(system, &["file", "--draft", filing]), Some(2), "which file?");
}

/// Why a paper cannot be had is not said otherwise by a file without a word.
fn an_explanation_stays_as_it_is(system: &System, folder: &std::path::Path, filing: &str) {
    const FIRST: &str = "It was stolen with my bag on 3 May.";
    let mut paper: Value = serde_json::from_str(&std::fs::read_to_string(filing).unwrap()).unwrap();
    paper["evidence"] = serde_json::json!([]);
    let path = folder.join("explained.json").display().to_string();
    let mut put = |why: &str, more: &[&str]| {
        paper["explanations"] = serde_json::json!({ "government_id_photo": why });
        std::fs::write(&path, paper.to_string()).unwrap();
        system.command(&[&["file", path.as_str(), "--json"], more].concat()).output().unwrap()
    };
    let begun = put(FIRST, &[]);
    let told: Value = serde_json::from_slice(&begun.stdout).unwrap();
    let draft = told["name"].as_str().unwrap();
    let saved = |to: &str| {
        let to = folder.join(to).display().to_string();
        json(system, &["export", draft, "--to", &to]);
        let text = std::fs::read_to_string(format!("{to}/filing.json")).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["cannot_be_provided"][0]["explanation"].clone()
    };
    let other = "The consulate gives none before autumn.";
    let asked = put(other, &["--draft", draft]);
    let said = String::from_utf8_lossy(&asked.stderr);
    assert!(
        asked.status.code() == Some(3) && said.contains(FIRST) && said.contains("Nothing was saved"),
        "{said}"
    );
    assert_eq!(saved("asked"), FIRST);
    assert!(put(other, &["--draft", draft, "--keep"]).status.success());
    assert_eq!(saved("kept as it was"), FIRST);
    assert!(put(other, &["--draft", draft, "--replace"]).status.success());
    assert_eq!(saved("replaced"), other);
    assert!(put(other, &["--draft", draft]).status.success(), "it is the same");
    json(system, &["abandon", draft, "--yes"]);
}

#[test]
fn the_office_is_answered_and_a_case_withdrawn_on_the_terminal() {
    let system = System::start();
    let came_of_it = system.play("moved", |_| ()).pop().unwrap();
    let sukarta = &came_of_it["sign_ins"][0];
    let receipt = came_of_it["receipt_number"].as_str().unwrap();
    let secret = sukarta["totp_secret"].as_str().unwrap();
    signed_in(&system, sukarta);

    let states = |told: &[Value]| told.iter().map(|one| one["state"].clone()).collect::<Vec<_>>();
    assert_eq!(states(&json(&system, &["respond"])), ["open", "answered"]);
    let asked = &json(&system, &["respond", receipt])[0];
    assert_eq!(asked["unanswered"], serde_json::json!(["government_id_photo"]), "{asked:#}");
    assert!(asked["derivation"].as_str().unwrap().contains("84d"), "{asked:#}");
    let to_send = ["respond", receipt, "--send", "--totp-secret", secret];
    assert_eq!(exit_code(&system, &to_send), Some(3), "nothing is attached");
    let letter = root().join("tests/stories/evidence/letter.pdf").display().to_string();
    assert_eq!(exit_code(&system, &["add", receipt, &letter]), Some(3), "all goes into the one answer");

    // Led: more is told, a file that is not there is asked for again, one that is there is attached, and may be taken off again.
    let photo = root().join("tests/stories/evidence/green-card-back.jpg").display().to_string();
    let led = typed(&system, &["respond", receipt], &["?", "not there.jpg", &photo, ""]);
    let (shown, said) = (String::from_utf8_lossy(&led.stdout), String::from_utf8_lossy(&led.stderr));
    assert!(led.status.success() && shown.contains("Due: 2"), "{shown}{said}");
    assert!(said.contains("There is no such file") && said.contains("103.2(b)(2)"), "{said}");
    assert!(said.contains(&format!("docket respond {receipt} --send")), "{said}");
    let off = &json(&system, &["respond", receipt, "--remove", "1"])[0];
    assert_eq!(off["files"], serde_json::json!([]), "{off:#}");
    // Why it cannot be provided stands in its place, in words enough, until that is taken back.
    let why = "It was stolen with my bag on 3 May, and the consulate gives none before autumn.";
    let led =
        typed(&system, &["respond", receipt, "--language", "es"], &["- robado", &format!("- {why}"), ""]);
    let (shown, said) = (String::from_utf8_lossy(&led.stdout), String::from_utf8_lossy(&led.stderr));
    assert!(
        led.status.success() && said.contains("✗ government_id_photo") && said.contains("anotado"),
        "{shown}{said}"
    );
    let lacking = &json(&system, &["respond", receipt])[0];
    assert_eq!(lacking["cannot_be_provided"][0]["explanation"], why, "{lacking:#}");
    assert_eq!(lacking["unanswered"], serde_json::json!([]), "{lacking:#}");
    let back = &json(&system, &["respond", receipt, "--cannot", "government_id_photo="])[0];
    assert_eq!(back["cannot_be_provided"], serde_json::json!([]), "{back:#}");
    assert_eq!(
        exit_code(&system, &["respond", receipt, "--cannot", &format!("lease={why}")]),
        Some(3),
        "nobody asked for it"
    );
    let wrong = format!("lease={photo}");
    assert_eq!(exit_code(&system, &["respond", receipt, "--attach", &wrong]), Some(3), "nobody asked for it");
    let named = format!("government_id_photo={photo}");
    let on = &json(&system, &["respond", receipt, "--attach", &named])[0];
    assert_eq!((&on["unanswered"], &on["state"]), (&serde_json::json!([]), &serde_json::json!("open")));

    let sent = &json(&system, &to_send)[0];
    assert_eq!((&sent["state"], &sent["late"]), (&"answered".into(), &false.into()), "{sent:#}");
    assert_eq!(exit_code(&system, &to_send), Some(3), "it is answered");
    assert_eq!(states(&json(&system, &["respond"])), ["answered", "answered"]);

    // What could not come with the answer is added to the case, or written about it.
    let added = &json(&system, &["add", receipt, &letter])[0];
    assert_eq!((&added["kind"], &added["file"]), (&"other".into(), &"letter.pdf".into()), "{added:#}");
    assert_eq!(exit_code(&system, &["add", receipt, &letter]), Some(3), "it is there already");
    let written =
        &json(&system, &["message", receipt, "The other side of the card follows.", "--topic", "correction"])
            [0];
    let thread = written["name"].as_str().unwrap();
    json(&system, &["message", thread, "It is the one that was sent."]);
    let read = &json(&system, &["message", receipt])[0];
    assert_eq!((read["messages"].as_array().map(Vec::len), &read["topic"]), (Some(2), &"correction".into()));

    let move_it = ["appointment", receipt, "biometrics", "--to", "2030-01-07T09:00", "--because", "illness"];
    assert_eq!(exit_code(&system, &move_it), Some(3), "there is none to be moved");
    assert_eq!(exit_code(&system, &["withdraw", receipt]), Some(1), "that it stays so is not confirmed");
    json(&system, &["withdraw", receipt, "--yes"]);
    let withdrawn = ["withdraw", receipt, "--yes"];
    assert_eq!(exit_code(&system, &withdrawn), Some(3), "once is enough");
}

#[test]
fn an_appearance_is_entered_consented_to_and_ended_on_the_terminal() {
    let system = System::start();
    let came_of_it = system.play("represented", |_| ()).pop().unwrap();
    let of = |role: &str| {
        let found = came_of_it["sign_ins"].as_array().unwrap().iter().find(|one| one["role"] == role);
        found.unwrap_or_else(|| panic!("no {role}"))
    };
    let (rosa, obi) = (of("applicant"), of("representative"));
    let factor = |who: &Value| who["totp_secret"].as_str().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let answers = |file: &str, names: [(&str, &str); 2]| {
        let text = std::fs::read_to_string(root().join("tests/stories/answers").join(file)).unwrap();
        let text = names.iter().fold(text, |text, (name, value)| text.replace(name, value));
        let answers: Value = serde_json::to_value(toml::from_str::<toml::Table>(&text).unwrap()).unwrap();
        let path = folder.path().join(file).with_extension("json");
        std::fs::write(&path, answers.to_string()).unwrap();
        path.display().to_string()
    };

    signed_in(&system, obi);
    let of_obi = [("{{representative.family_name}}", "Adeyemi"), ("{{representative.given_name}}", "Obi")];
    let file = answers("g-28-attorney.toml", of_obi);
    let enter = ["representation", "enter", &file, "--name", "Obi Adeyemi", "--totp-secret", &factor(obi)];
    let entered = &json(&system, &enter)[0];
    let (code, name) = (entered["code"].as_str().unwrap(), entered["name"].as_str().unwrap());
    assert_eq!((&entered["state"], &entered["forms"][0]), (&"prepared".into(), &"I-90".into()));

    // His session is kept: to sign in again he would have to wait for another code.
    let session = system.home().join("session.json");
    let his = session.with_file_name("session of obi.json");
    std::fs::rename(&session, &his).unwrap();

    // The client reads what was signed before anything is asked of her; nothing counts without her name.
    signed_in(&system, rosa);
    // Her account says that she reads Spanish, and so she need not say it.
    let hers = system.command(&["email"]).output().unwrap();
    assert!(String::from_utf8_lossy(&hers.stdout).contains("correo electrónico"), "{hers:?}");
    let seen = &json(&system, &["representation", "show", code])[0];
    assert!(seen["text"].as_str().unwrap().contains("Imagined Law"), "{seen:#}");
    let of_rosa = [("{{applicant.family_name}}", "Quispe Huamán"), ("{{applicant.given_name}}", "Rosa")];
    let file = answers("g-28-client.toml", of_rosa);
    let consent = ["representation", "consent", code, &file, "--totp-secret", &factor(rosa)];
    let left = typed(&system, &consent, &[""]);
    assert_eq!(left.status.code(), Some(1), "{left:?}");
    let consented = typed(&system, &consent, &["Rosa Quispe Huamán"]);
    let shown = String::from_utf8_lossy(&consented.stdout);
    assert!(consented.status.success() && shown.contains("active"), "{consented:?}");
    let listed = json(&system, &["representations"]);
    assert_eq!((&listed[0]["name"], &listed[0]["state"]), (&name.into(), &"active".into()), "{listed:#?}");
    // She says anew where papers go; what she does not name stays as it is on the form.
    let wish =
        ["representation", "wishes", name, "--cards", "representative", "--totp-secret", &factor(rosa)];
    let wishes = &json(&system, &wish)[0]["wishes"];
    let said = ["documents_to_representative", "notices_to_representative", "i94_to_client"];
    assert_eq!(said.map(|what| wishes[what] == true), [true; 3], "{wishes:#}");
    let receipt = came_of_it["receipt_number"].as_str().unwrap();
    let case = json(&system, &["status", receipt])[0]["name"].as_str().unwrap().to_owned();
    let form = folder.path().join("g-28.pdf").display().to_string();
    let saved = json(&system, &["representation", "form", &case.replace("cases", "filings"), "--out", &form]);
    assert_eq!(saved[0]["forms"][0], "I-90", "{saved:#?}");
    assert!(std::fs::read(&form).unwrap().starts_with(b"%PDF"));

    let end = ["representation", "end", name, "--totp-secret", &factor(rosa)];
    assert_eq!(json(&system, &end)[0]["state"], "ended");

    std::fs::rename(&his, &session).unwrap();
    let withdraw = ["representation", "withdraw", name, "--totp-secret", &factor(obi)];
    assert_eq!(exit_code(&system, &withdraw), Some(3), "it stands no longer");
}
