//! What was signed or approved stands only while the filing reads so, and whoever agreed is told once; who was asked to look is
//! reminded until they did.

use docket_proto::events::filing::Event;
use docket_proto::filing::events::v1 as pb;
use uuid::Uuid;

use super::filing::*;

const CLIENT: Uuid = Uuid::from_u128(3);
const ATTORNEY: Uuid = Uuid::from_u128(6);
/// Keyed hashes of the text that was agreed to: under the catalogue of then, and under the one of now.
const THEN: [u8; 32] = [8; 32];
const NOW: [u8; 32] = [9; 32];
const ZONE: &str = "America/Chicago";

fn folded(events: impl IntoIterator<Item = Event>) -> Filing {
    events.into_iter().fold(Filing::default(), |filing, event| evolve(filing, &event))
}

fn after(filing: &Filing, events: &[Event]) -> Filing {
    events.iter().fold(filing.clone(), evolve)
}

fn drafted(representation: Option<Uuid>) -> Filing {
    let begun = Start {
        form: "N-400".into(),
        edition: "2025-01-20".into(),
        package: Uuid::from_u128(2),
        account: CLIENT,
        zone: ZONE.into(),
        continues: None,
        representation,
    };
    let fee = pb::FeeShown { quote_id: Uuid::nil().to_string(), total_cents: 0, content_mac: vec![7; 32] };
    folded(start(&Filing::default(), begun).unwrap().into_iter().chain([fee.into()]))
}

fn signed() -> Filing {
    let signed = pb::FilingSigned {
        content_mac: THEN.to_vec(),
        signed_at_us: 1_000,
        catalogue_version: "then".into(),
        ..Default::default()
    };
    after(&drafted(None), &[signed.into()])
}

/// Asked of the client, and approved.
fn approved() -> Filing {
    let draft = drafted(Some(Uuid::from_u128(5)));
    let asked = after(&draft, &ask_review(&draft, &checked(&draft, &[])).unwrap());
    let then = Checked { content_mac: THEN.to_vec(), ..checked(&asked, &[]) };
    after(&asked, &approve(&asked, &then, &THEN, (Some(ATTORNEY), "then")).unwrap())
}

/// As the edge sees it under another catalogue: the text is the same below its heading where `before` has its hash of then.
fn checked(filing: &Filing, before: &[[u8; 32]]) -> Checked {
    Checked {
        content_version: filing.content_version,
        not_ready: None,
        content_mac: NOW.to_vec(),
        content_macs_before: before.iter().map(|mac| mac.to_vec()).collect(),
        answers_mac: vec![7; 32],
        helpers: std::collections::BTreeSet::new(),
        last_day: None,
        parts: std::collections::BTreeMap::new(),
    }
}

fn overtaken(filing: &Filing) -> Overtaken {
    Overtaken {
        version: filing.version,
        representative: Some(ATTORNEY).filter(|_| filing.representation.is_some()),
        catalogue_version: "now".into(),
    }
}

fn signing() -> Sign {
    Sign {
        signer: CLIENT,
        role: "applicant".into(),
        capacity: Capacity::OneSelf,
        filer: Filer { age: Some(40), ..Filer::default() },
        ended: None,
        shown_mac: NOW.to_vec(),
        name_agrees: true,
        typed_name: "Ana Lima".into(),
        proven_name: String::new(),
        name_unproven: false,
        signed_at_us: 2_000,
        catalogue_version: "now".into(),
        sheet_json: "{}".into(),
        sheet_key: String::new(),
    }
}

#[test]
fn the_same_words_stay_signed_and_approved_under_whatever_catalogue_heads_them() {
    let signed = signed();
    assert!(send(&signed, &checked(&signed, &[THEN]), ZONE).is_ok());
    assert_eq!(send(&signed, &checked(&signed, &[]), ZONE).unwrap_err().reason, "CONTENT_CHANGED");
    let approved = approved();
    assert_eq!(approved.approved_under, "then");
    assert!(sign(&approved, &checked(&approved, &[THEN]), signing()).is_ok());
    assert_eq!(sign(&approved, &checked(&approved, &[]), signing()).unwrap_err().reason, "NOT_APPROVED");
}

#[test]
fn who_agreed_to_what_reads_otherwise_now_is_told_once_and_why_it_cannot_be_sent() {
    for (agreed, representative) in [(signed(), String::new()), (approved(), ATTORNEY.to_string())] {
        assert!(agreed.is_agreed());
        let events = void_signature(&agreed, &overtaken(&agreed)).unwrap();
        let [Event::SignatureVoided(voided)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((&voided.account_id, &voided.representative), (&CLIENT.to_string(), &representative));
        let over = after(&agreed, &events);
        assert!(over.overtaken && over.phase == Phase::Draft && !over.is_agreed());
        assert_eq!(over.worked, agreed.worked, "nobody worked on it");
        assert!(void_signature(&over, &overtaken(&over)).unwrap().is_empty(), "told once");
        let refusal = send(&over, &checked(&over, &[THEN]), ZONE).unwrap_err();
        assert!(refusal.reason == "NOT_SIGNED" && refusal.message.contains("reads otherwise"), "{refusal}");
    }
    // Signed as it reads now, nothing more is said of it.
    let agreed = signed();
    let over = after(&agreed, &void_signature(&agreed, &overtaken(&agreed)).unwrap());
    let again = after(&over, &sign(&over, &checked(&over, &[]), signing()).unwrap());
    assert!(!again.overtaken && again.is_agreed());
}

#[test]
fn nothing_ends_that_moved_on_meanwhile_was_sent_or_that_nobody_agreed_to() {
    let signed = signed();
    let stale = Overtaken { version: signed.version - 1, ..overtaken(&signed) };
    assert!(void_signature(&signed, &stale).is_err());
    let draft = drafted(None);
    assert!(void_signature(&draft, &overtaken(&draft)).unwrap().is_empty());
    let sent = after(&signed, &[pb::FilingSent::default().into()]);
    assert!(!sent.is_agreed() && sent.signature.is_some(), "what waits for its fee stays as it was signed");
    assert_eq!(void_signature(&sent, &overtaken(&sent)).unwrap_err().reason, "ALREADY_SUBMITTED");
}

#[test]
fn another_edition_tells_who_agreed_and_leaves_asked_who_was_asked() {
    let change = |filing: &Filing| {
        let change = EditionChange {
            edition: "2031-01-15".into(),
            questions: Vec::new(),
            answers_json: "{}".into(),
            attention_json: "[]".into(),
            overtaken: overtaken(filing),
        };
        change_edition(filing, change).unwrap()
    };
    for (agreed, events) in [(signed(), 2), (approved(), 2), (drafted(None), 1)] {
        let changed = change(&agreed);
        assert_eq!(changed.len(), events, "{changed:?}");
        let moved = after(&agreed, &changed);
        assert_eq!((moved.overtaken, moved.is_agreed()), (events == 2, false));
    }
    let draft = drafted(Some(Uuid::from_u128(5)));
    let asked = after(&draft, &ask_review(&draft, &checked(&draft, &[])).unwrap());
    assert!(after(&asked, &change(&asked)).awaits_review());
}

#[test]
fn a_client_is_reminded_of_each_day_once_until_they_looked() {
    let draft = drafted(Some(Uuid::from_u128(5)));
    let asked = after(&draft, &ask_review(&draft, &checked(&draft, &[])).unwrap());
    let (at, _) = asked.asked;
    assert!(remind_review(&asked, at - 1, 2).unwrap().is_empty(), "that was another time");
    let events = remind_review(&asked, at, 2).unwrap();
    let [Event::FilingReviewReminded(reminded)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((reminded.account_id.as_str(), reminded.days), (CLIENT.to_string().as_str(), 2));
    let reminded = after(&asked, &events);
    assert_eq!(reminded.worked, asked.worked, "to be reminded is no work");
    assert!(remind_review(&reminded, at, 2).unwrap().is_empty(), "once");
    assert_eq!(remind_review(&reminded, at, 5).unwrap().len(), 1);
    let back = after(&reminded, &give_back(&reminded, "The date.".into(), None).unwrap());
    assert!(remind_review(&back, at, 5).unwrap().is_empty());
    // Asked again it begins anew.
    let again = after(&back, &ask_review(&back, &checked(&back, &[])).unwrap());
    assert_eq!(again.asked, (again.version, 0));
    assert!(remind_review(&approved(), approved().asked.0, 2).unwrap().is_empty());
}

/// As it would go in if its fee were paid now.
fn held() -> Held {
    Held {
        edition_taken: true,
        not_ready: None,
        costs_cents: Ok(0),
        filer: Filer { age: Some(13), parent_signs: true, ..Filer::default() },
    }
}

#[test]
fn what_was_sent_goes_in_as_it_is_unless_time_changed_edition_signer_rules_or_fee() {
    let by_parent = pb::FilingSigned {
        content_mac: THEN.to_vec(),
        capacity: "parent".into(),
        ..pb::FilingSigned::default()
    };
    let sent = after(&drafted(None), &[by_parent.into(), pb::FilingSent::default().into()]);
    let reasons = |held: Held| {
        let changes = super::filing::overtaken(&sent, &held);
        changes.into_iter().map(|change| change.reason).collect::<Vec<_>>()
    };
    assert_eq!(reasons(held()), [""; 0]);
    assert_eq!(reasons(Held { edition_taken: false, ..held() }), ["EDITION_REFUSED"]);
    let blocked = docket_kernel::Refusal::state("NOT_READY", "A rule is in the way.");
    assert_eq!(reasons(Held { not_ready: Some(blocked.clone()), ..held() }), ["NOT_READY"]);
    let of_fourteen = Filer { age: Some(14), ..Filer::default() };
    assert_eq!(reasons(Held { filer: of_fourteen, ..held() }), ["SIGNS_SELF_FROM_14"]);
    assert_eq!(reasons(Held { costs_cents: Ok(5), ..held() }), ["FEE_OVERTAKEN"]);
    let unknown = docket_kernel::Refusal::state("FEE_UNKNOWN", "The fee hangs on more.");
    assert_eq!(reasons(Held { costs_cents: Err(unknown), ..held() }), ["FEE_UNKNOWN"]);
    let all = Held { edition_taken: false, not_ready: Some(blocked), costs_cents: Ok(5), filer: of_fourteen };
    assert_eq!(reasons(all), ["EDITION_REFUSED", "SIGNS_SELF_FROM_14", "NOT_READY", "FEE_OVERTAKEN"]);
}

#[test]
fn who_signed_for_a_child_that_is_14_by_then_may_sign_no_more_when_it_is_sent() {
    let by_parent = pb::FilingSigned { capacity: "parent".into(), ..pb::FilingSigned::default() };
    let signed = after(&drafted(None), &[by_parent.into()]);
    let of = |age| Filer { age: Some(age), parent_signs: age < 14, ..Filer::default() };
    assert_eq!(signer_stands(&signed, of(13)), Ok(()));
    assert_eq!(signer_stands(&signed, of(14)).unwrap_err().reason, "SIGNS_SELF_FROM_14");
    assert_eq!(signer_stands(&drafted(None), of(14)), Ok(()), "nobody signed");
}

#[test]
fn what_was_overtaken_is_a_draft_again_and_its_signer_is_told_once() {
    let package = Uuid::from_u128(2);
    let signed = signed();
    assert!(recall_overtaken(&signed, package, &overtaken(&signed)).is_empty(), "it was not sent");
    let sent = after(&signed, &[pb::FilingSent::default().into()]);
    let events = recall_overtaken(&sent, package, &overtaken(&sent));
    let [Event::FilingRecalled(_), Event::SignatureVoided(voided)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!((&voided.account_id, voided.representative.as_str()), (&CLIENT.to_string(), ""));
    let draft = after(&sent, &events);
    assert!(draft.overtaken && draft.phase == Phase::Draft && draft.fee.is_none() && !draft.is_agreed());
    assert!(recall_overtaken(&draft, package, &overtaken(&draft)).is_empty(), "once");
}
