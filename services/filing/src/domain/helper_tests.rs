//! The rules of helpers and co-signers, one test each: who is asked, who signs with the code, and what is not signed without them.

use std::collections::{BTreeMap, BTreeSet};

use docket_kernel::Refusal;
use docket_proto::events::filing::Event;
use docket_proto::filing::events::v1 as pb;
use uuid::Uuid;

use super::filing::*;

const FILER: Uuid = Uuid::from_u128(3);
const HELPER: Uuid = Uuid::from_u128(4);
const INTERPRETER: HelperRole = HelperRole::Interpreter;
const RUNS_OUT_US: i64 = 10_000;

fn given(events: impl IntoIterator<Item = Event>) -> Filing {
    events.into_iter().fold(Filing::default(), |filing, event| evolve(filing, &event))
}

/// A draft with its fee shown, at version 2; the fee stands for the answers of `checked`.
fn draft() -> Vec<Event> {
    let begun = pb::DraftStarted { account_id: FILER.to_string(), ..Default::default() };
    let fee = pb::FeeShown { quote_id: Uuid::nil().to_string(), total_cents: 1, content_mac: vec![7; 32] };
    vec![begun.into(), fee.into()]
}

fn checked(filing: &Filing, helpers: &[HelperRole]) -> Checked {
    Checked {
        content_version: filing.content_version,
        not_ready: None,
        content_mac: vec![8; 32],
        content_macs_before: Vec::new(),
        answers_mac: vec![7; 32],
        helpers: helpers.iter().copied().collect::<BTreeSet<_>>(),
        last_day: None,
        parts: BTreeMap::new(),
    }
}

fn ask(filing: &Filing, role: HelperRole, code: u8) -> Result<Vec<Event>, Refusal> {
    let code = HelperCode { mac: vec![code; 32], valid_until_us: RUNS_OUT_US };
    ask_helper(filing, &checked(filing, &[INTERPRETER]), role, (code, String::new()))
}

fn asked(code: u8) -> Event {
    ask(&given(draft()), INTERPRETER, code).unwrap().remove(0)
}

fn a_signature(code: u8) -> HelperSign {
    HelperSign {
        role: INTERPRETER,
        account: HELPER,
        code_mac: vec![code; 32],
        shown_mac: vec![8; 32],
        name_agrees: true,
        language_agrees: true,
        signed: pb::HelperSigned {
            role: "interpreter".into(),
            account_id: HELPER.to_string(),
            content_mac: vec![8; 32],
            signed_at_us: RUNS_OUT_US - 1,
            statement: "I read all of it.".into(),
            ..Default::default()
        },
    }
}

fn helper_signs(filing: &Filing, sign: HelperSign) -> Result<Vec<Event>, Refusal> {
    sign_as_helper(filing, &checked(filing, &[INTERPRETER]), sign)
}

fn filer_signs(filing: &Filing, helpers: &[HelperRole]) -> Result<Vec<Event>, Refusal> {
    sign(filing, &checked(filing, helpers), the_filers())
}

fn the_filers() -> Sign {
    Sign {
        signer: FILER,
        role: "petitioner".into(),
        capacity: Capacity::OneSelf,
        filer: Filer { age: Some(40), ..Filer::default() },
        ended: None,
        shown_mac: vec![8; 32],
        name_agrees: true,
        typed_name: "Ina Example".into(),
        proven_name: String::new(),
        name_unproven: false,
        signed_at_us: RUNS_OUT_US,
        catalogue_version: "1".into(),
        sheet_json: String::new(),
        sheet_key: String::new(),
    }
}

fn reason(outcome: Result<Vec<Event>, Refusal>) -> &'static str {
    outcome.expect_err("it should be refused").reason
}

#[test]
fn only_a_helper_whom_the_form_names_is_asked() {
    let begun = given(draft());
    assert_eq!(reason(ask(&begun, HelperRole::Preparer, 1)), "HELPER_NOT_NAMED");
    assert_eq!(HelperRole::read("friend", 0).unwrap_err().reason, "HELPER_ROLE_UNKNOWN");
    for role in HelperRole::ALONE {
        assert_eq!(HelperRole::read(role.as_str(), 0).unwrap(), role);
    }
    assert_eq!(HelperRole::read("preparer", 1).unwrap_err().reason, "HELPER_ROLE_UNKNOWN", "there is one");
    let [Event::HelperAsked(e)] = &ask(&begun, INTERPRETER, 1).unwrap()[..] else { panic!("{begun:?}") };
    assert_eq!((e.role.as_str(), e.code_mac.as_slice()), ("interpreter", [1; 32].as_slice()));
    let gone = given(draft().into_iter().chain([pb::DraftAbandoned::default().into()]));
    assert_eq!(reason(ask(&gone, INTERPRETER, 1)), "DRAFT_GONE");
}

#[test]
fn a_code_lets_another_than_the_filer_sign_once_in_time_until_a_newer_one() {
    let waits = given(draft().into_iter().chain([asked(1)]));
    let late = pb::HelperSigned { signed_at_us: RUNS_OUT_US, ..a_signature(1).signed };
    for (wrong, why) in [
        (a_signature(2), "CODE_UNKNOWN"),
        (HelperSign { role: HelperRole::Preparer, ..a_signature(1) }, "CODE_UNKNOWN"),
        (HelperSign { signed: late, ..a_signature(1) }, "CODE_UNKNOWN"),
        (HelperSign { account: FILER, ..a_signature(1) }, "OWN_HELPER"),
        (HelperSign { shown_mac: vec![9; 32], ..a_signature(1) }, "CONTENT_CHANGED"),
        (HelperSign { name_agrees: false, ..a_signature(1) }, "NAME_DIFFERS"),
        (HelperSign { language_agrees: false, ..a_signature(1) }, "LANGUAGE_DIFFERS"),
    ] {
        assert_eq!(reason(helper_signs(&waits, wrong)), why);
    }
    let unnamed = sign_as_helper(&waits, &checked(&waits, &[]), a_signature(1));
    assert_eq!(reason(unnamed), "HELPER_NOT_NAMED");
    let no = Some(Refusal::state("NOT_READY", "No.").way_out("Do."));
    let not_ready = Checked { not_ready: no, ..checked(&waits, &[INTERPRETER]) };
    assert_eq!(reason(sign_as_helper(&waits, &not_ready, a_signature(1))), "NOT_READY");

    let anew = given(draft().into_iter().chain([asked(1), asked(2)]));
    assert_eq!(reason(helper_signs(&anew, a_signature(1))), "CODE_UNKNOWN");
    let signed = helper_signs(&anew, a_signature(2)).unwrap();
    let once = given(draft().into_iter().chain([asked(1), asked(2)]).chain(signed));
    assert_eq!(reason(helper_signs(&once, a_signature(2))), "CODE_UNKNOWN");
    assert_eq!(reason(ask(&once, INTERPRETER, 3)), "HELPER_SIGNED");
    let given = once.helper_signed(INTERPRETER, &[8; 32]).unwrap();
    assert_eq!((given.account, given.signed_at_us), (HELPER, RUNS_OUT_US - 1));
    assert_eq!(once.content_version, anew.content_version, "a helper's signature changes nothing of it");
}

#[test]
fn nothing_is_signed_without_the_helpers_own_signature_of_this_very_text() {
    let both = [INTERPRETER, HelperRole::Preparer];
    let begun = given(draft());
    assert!(filer_signs(&begun, &[]).is_ok());
    for (helpers, role) in [(&both[..1], "interpreter"), (&both[1..], "preparer"), (&both, "interpreter")] {
        let refusal = filer_signs(&begun, helpers).unwrap_err();
        assert_eq!(refusal.reason, "HELPER_UNSIGNED");
        assert_eq!(refusal.facts, [("role".to_owned(), role.to_owned())]);
        assert!(!refusal.way_out.is_empty());
    }
    let signed = helper_signs(&given(draft().into_iter().chain([asked(1)])), a_signature(1)).unwrap();
    let after: Vec<Event> = draft().into_iter().chain([asked(1)]).chain(signed).collect();
    let helped = given(after.clone());
    assert!(filer_signs(&helped, &both[..1]).is_ok());
    assert_eq!(reason(filer_signs(&helped, &both)), "HELPER_UNSIGNED");
    // A change: the text is another one then, and so is its hash.
    let other = Checked { content_mac: vec![9; 32], ..checked(&helped, &[INTERPRETER]) };
    assert!(helped.helper_signed(INTERPRETER, &other.content_mac).is_none());
    let code = HelperCode { mac: vec![3; 32], valid_until_us: RUNS_OUT_US };
    assert!(ask_helper(&helped, &other, INTERPRETER, (code, String::new())).is_ok(), "asked anew");
}

#[test]
fn a_code_that_waits_opens_nothing_once_the_filing_is_signed_or_sent() {
    let filer = filer_signs(&given(draft()), &[]).unwrap();
    let events: Vec<Event> = draft().into_iter().chain([asked(1)]).chain(filer).collect();
    let signed = given(events.clone());
    assert_eq!(reason(helper_signs(&signed, a_signature(1))), "CODE_UNKNOWN");
    let edited = pb::DraftAnswered { questions: vec!["basis".into()], answers_json: String::new() };
    let again = given(events.clone().into_iter().chain([edited.into()]));
    assert_eq!(reason(helper_signs(&again, a_signature(1))), "CODE_UNKNOWN");
    let sent = given(events.into_iter().chain([pb::FilingSent::default().into()]));
    assert_eq!(reason(helper_signs(&sent, a_signature(1))), "ALREADY_SUBMITTED");
    assert!(sent.lets_help(INTERPRETER, &[1; 32], HELPER, 1).is_err());
}

const CO_SIGNER: HelperRole = HelperRole::CoSigner;

fn ask_co_signer(filing: &Filing, checked: &Checked) -> Result<Vec<Event>, Refusal> {
    let code = HelperCode { mac: vec![1; 32], valid_until_us: RUNS_OUT_US };
    ask_helper(filing, checked, CO_SIGNER, (code, String::new()))
}

/// A draft whose co-signer was asked.
fn joint() -> Vec<Event> {
    let begun = given(draft());
    let asked = ask_co_signer(&begun, &checked(&begun, &[CO_SIGNER])).unwrap();
    draft().into_iter().chain(asked).collect()
}

fn co_signature() -> HelperSign {
    let signed = pb::HelperSigned {
        role: "co_signer".into(),
        signs_as: "spouse".into(),
        name_proven: true,
        ..a_signature(1).signed
    };
    HelperSign { role: CO_SIGNER, signed, ..a_signature(1) }
}

fn co_signs(filing: &Filing, sign: HelperSign) -> Result<Vec<Event>, Refusal> {
    sign_as_helper(filing, &checked(filing, &[CO_SIGNER]), sign)
}

/// A draft that the co-signer signed.
fn co_signed() -> Vec<Event> {
    let signed = co_signs(&given(joint()), co_signature()).unwrap();
    joint().into_iter().chain(signed).collect()
}

fn changed() -> Event {
    pb::DraftAnswered { questions: vec!["basis".into()], answers_json: String::new() }.into()
}

#[test]
fn nothing_that_two_sign_is_signed_by_the_filer_before_the_other_one() {
    let begun = given(joint());
    let refusal = filer_signs(&begun, &[CO_SIGNER]).unwrap_err();
    assert_eq!(refusal.reason, "CO_SIGNER_UNSIGNED");
    assert!(refusal.message.contains("8 CFR 103.2(a)(2)") && refusal.way_out.contains("paper"));
    assert_eq!(reason(filer_signs(&begun, &[INTERPRETER, CO_SIGNER])), "HELPER_UNSIGNED");
    let both = given(co_signed());
    assert!(filer_signs(&both, &[CO_SIGNER]).is_ok());
    assert_eq!(reason(ask_co_signer(&both, &checked(&both, &[CO_SIGNER]))), "HELPER_SIGNED");
    assert_eq!(both.helper_signed(CO_SIGNER, &[8; 32]).unwrap().signs_as, "spouse");
    // Where one files alone nobody else is asked.
    assert!(filer_signs(&begun, &[]).is_ok());
    assert_eq!(reason(ask_co_signer(&begun, &checked(&begun, &[]))), "HELPER_NOT_NAMED");
}

#[test]
fn a_co_signer_is_asked_for_what_is_ready_and_is_another_than_the_filer_under_the_name_in_the_form() {
    let begun = given(draft());
    let no = Some(Refusal::state("NOT_READY", "No.").way_out("Do."));
    let not_ready = Checked { not_ready: no, ..checked(&begun, &[CO_SIGNER]) };
    assert_eq!(reason(ask_co_signer(&begun, &not_ready)), "NOT_READY");
    let waits = given(joint());
    for (wrong, why) in [
        (HelperSign { account: FILER, ..co_signature() }, "OWN_HELPER"),
        (HelperSign { code_mac: vec![2; 32], ..co_signature() }, "CODE_UNKNOWN"),
        (HelperSign { shown_mac: vec![9; 32], ..co_signature() }, "CONTENT_CHANGED"),
        (HelperSign { name_agrees: false, ..co_signature() }, "NAME_DIFFERS"),
        (HelperSign { language_agrees: false, ..co_signature() }, "LANGUAGE_DIFFERS"),
    ] {
        assert_eq!(reason(co_signs(&waits, wrong)), why);
    }
    let own = waits.lets_help(CO_SIGNER, &[1; 32], FILER, 1).unwrap_err();
    assert!(own.message.contains("together with you"), "{own}");
    for (proven, may) in
        [(NameProven::AsInTheForm, true), (NameProven::None, true), (NameProven::Another, false)]
    {
        assert_eq!(may_co_sign(proven).is_ok(), may, "{proven:?}");
    }
    assert_eq!(may_co_sign(NameProven::Another).unwrap_err().reason, "NOT_THE_CO_SIGNER");
}

#[test]
fn a_change_ends_what_the_co_signer_was_asked_and_signed_even_when_it_is_taken_back() {
    // The text is the same again, and so is its hash.
    let again = given(co_signed().into_iter().chain([changed(), changed()]));
    assert!(again.helper_signed(CO_SIGNER, &[8; 32]).is_none());
    assert_eq!(reason(filer_signs(&again, &[CO_SIGNER])), "CO_SIGNER_UNSIGNED");
    let asked = given(joint().into_iter().chain([changed()]));
    assert_eq!(reason(co_signs(&asked, co_signature())), "CODE_UNKNOWN");
    // An interpreter's code goes on, and the hash says what the signature counts for.
    let helper = given(draft().into_iter().chain([self::asked(1), changed()]));
    assert!(helper.lets_help(INTERPRETER, &[1; 32], HELPER, 1).is_ok());
    let anew = ask_co_signer(&again, &checked(&again, &[CO_SIGNER])).unwrap();
    let anew = given(co_signed().into_iter().chain([changed(), changed()]).chain(anew));
    let signed = co_signs(&anew, co_signature()).unwrap();
    let signed = signed.iter().fold(anew, evolve);
    assert!(filer_signs(&signed, &[CO_SIGNER]).is_ok(), "signed anew");
}

#[test]
fn who_was_asked_for_a_joint_petition_learns_nothing_of_the_waiver_that_it_became() {
    // Even where the code is still there, as when only the day changed who takes part.
    let waits = given(joint());
    let alone = checked(&waits, &[]);
    assert_eq!(shows_to(&alone, CO_SIGNER).unwrap_err().reason, "CODE_UNKNOWN");
    assert_eq!(reason(sign_as_helper(&waits, &alone, co_signature())), "CODE_UNKNOWN");
    assert_eq!(shows_to(&alone, INTERPRETER).unwrap_err().reason, "HELPER_NOT_NAMED");
    assert!(shows_to(&checked(&waits, &[CO_SIGNER]), CO_SIGNER).is_ok());
}

#[test]
fn an_officer_looks_at_a_co_signer_under_a_name_that_is_not_proven() {
    for (name_proven, said) in [(true, "self"), (false, "self_other_name")] {
        let signed = pb::HelperSigned { name_proven, ..co_signature().signed };
        let both = joint().into_iter().chain([signed.into()]).collect::<Vec<Event>>();
        let filer = filer_signs(&given(both.clone()), &[CO_SIGNER]).unwrap();
        let package = Uuid::nil();
        let sent = pb::FilingSent { package_id: package.to_string(), ..Default::default() };
        let sent = given(both.into_iter().chain(filer).chain([sent.into()]));
        let settled = Settled {
            package,
            payment: None,
            authorised_at_us: RUNS_OUT_US,
            family: "conditions_removal".into(),
            other_name: false,
            facts: pb::DerivedFacts::default(),
            gives_address: false,
            represented: None,
        };
        let [Event::FilingSubmitted(e)] = &submit(&sent, settled).unwrap()[..] else { panic!("{sent:?}") };
        assert_eq!(e.facts.as_ref().unwrap().signed_as, said);
    }
}

const FIRST: HelperRole = HelperRole::OneOf(1);
const SECOND: HelperRole = HelperRole::OneOf(2);

/// Two of a family, each with a part of their own under a hash of its own.
fn family(filing: &Filing) -> Checked {
    let parts = [(FIRST, vec![11; 32]), (SECOND, vec![12; 32])].into_iter().collect();
    Checked { parts, ..checked(filing, &[FIRST, SECOND]) }
}

fn ask_member(filing: &Filing, role: HelperRole, mail_to: &str) -> Result<Vec<Event>, Refusal> {
    let mac = vec![u8::try_from(role.person()).unwrap(); 32];
    let code = HelperCode { mac, valid_until_us: RUNS_OUT_US };
    ask_helper(filing, &family(filing), role, (code, mail_to.to_owned()))
}

fn member_signature(role: HelperRole, account: u128) -> HelperSign {
    let person = u8::try_from(role.person()).unwrap();
    let account = Uuid::from_u128(account);
    let signed = pb::HelperSigned {
        role: "co_signer".into(),
        person: person.into(),
        account_id: account.to_string(),
        content_mac: vec![10 + person; 32],
        signs_as: "family_member".into(),
        name_proven: true,
        ..a_signature(1).signed
    };
    HelperSign {
        role,
        account,
        code_mac: vec![person; 32],
        shown_mac: vec![10 + person; 32],
        signed,
        ..a_signature(1)
    }
}

fn member_signs(filing: &Filing, sign: HelperSign) -> Result<Vec<Event>, Refusal> {
    sign_as_helper(filing, &family(filing), sign)
}

/// A draft of which both were asked.
fn family_asked() -> Vec<Event> {
    let begun = given(draft());
    let (first, second) = (ask_member(&begun, FIRST, ""), ask_member(&begun, SECOND, "lia@example.test"));
    draft().into_iter().chain(first.unwrap()).chain(second.unwrap()).collect()
}

/// A draft that both signed.
fn family_signed() -> Vec<Event> {
    let asked = given(family_asked());
    let first = member_signs(&asked, member_signature(FIRST, 4)).unwrap();
    let second = member_signs(&asked, member_signature(SECOND, 5)).unwrap();
    family_asked().into_iter().chain(first).chain(second).collect()
}

fn filer_signs_for_family(filing: &Filing) -> Result<Vec<Event>, Refusal> {
    let Err(refusal) = filer_signs(filing, &[FIRST, SECOND]) else {
        panic!("the parts have hashes of their own")
    };
    assert_eq!(refusal.reason, "CO_SIGNER_UNSIGNED");
    sign(filing, &family(filing), the_filers())
}

#[test]
fn each_of_several_signs_their_own_part_in_an_account_of_their_own_before_the_filer_does() {
    let asked = given(family_asked());
    let refusal = filer_signs_for_family(&asked).unwrap_err();
    assert_eq!(refusal.facts, [("role".to_owned(), "co_signer:1".to_owned())]);
    for (wrong, why) in [
        (HelperSign { role: FIRST, ..member_signature(SECOND, 5) }, "CODE_UNKNOWN"),
        (HelperSign { shown_mac: vec![12; 32], ..member_signature(FIRST, 4) }, "CONTENT_CHANGED"),
        (HelperSign { shown_mac: vec![8; 32], ..member_signature(FIRST, 4) }, "CONTENT_CHANGED"),
        (HelperSign { account: FILER, ..member_signature(FIRST, 4) }, "OWN_HELPER"),
        (HelperSign { name_agrees: false, ..member_signature(FIRST, 4) }, "NAME_DIFFERS"),
    ] {
        assert_eq!(reason(member_signs(&asked, wrong)), why);
    }
    let first = member_signs(&asked, member_signature(FIRST, 4)).unwrap();
    let one = given(family_asked().into_iter().chain(first));
    assert_eq!(reason(filer_signs_for_family(&one)), "CO_SIGNER_UNSIGNED");
    assert_eq!(reason(ask_member(&one, FIRST, "")), "HELPER_SIGNED");
    assert_eq!(reason(member_signs(&one, member_signature(SECOND, 4))), "ONE_ACCOUNT_EACH");
    assert_eq!(reason(ask_member(&one, HelperRole::OneOf(3), "")), "HELPER_NOT_NAMED");
    let both = given(family_signed());
    let signed = filer_signs_for_family(&both).unwrap();
    let sent = given(family_signed().into_iter().chain(signed).chain([pb::FilingSent::default().into()]));
    for role in [FIRST, SECOND] {
        assert_eq!(sent.helper_went(role, &[8; 32]).unwrap().signs_as, "family_member");
    }
    assert_eq!(sent.co_signers().collect::<Vec<_>>(), [Uuid::from_u128(4), Uuid::from_u128(5)]);
}

#[test]
fn a_change_ends_what_several_were_asked_and_signed_and_tells_those_who_had_signed() {
    let both = given(family_signed());
    let changes = answer(&both, 0, vec!["until".into()], "{}".into()).unwrap();
    let [_, Event::CoSignaturesEnded(ended)] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!(ended.accounts, [4, 5].map(|account| Uuid::from_u128(account).to_string()));
    let after = given(family_signed().into_iter().chain(changes));
    assert_eq!(
        (after.worked, after.co_signers().count()),
        (after.version - 1, 0),
        "it is no work of its own"
    );
    assert_eq!(reason(filer_signs_for_family(&after)), "CO_SIGNER_UNSIGNED");
    // Nobody had signed: nobody is told, and the codes are dead all the same.
    let asked = given(family_asked());
    let changes = answer(&asked, 0, vec!["until".into()], "{}".into()).unwrap();
    assert_eq!(changes.len(), 1);
    let after = given(family_asked().into_iter().chain(changes));
    assert_eq!(reason(member_signs(&after, member_signature(FIRST, 4))), "CODE_UNKNOWN");
}

#[test]
fn what_was_asked_is_taken_back_and_a_signature_is_not() {
    let asked = given(family_asked());
    let withdrawn = withdraw_helper(&asked, FIRST, 1).unwrap();
    let after = given(family_asked().into_iter().chain(withdrawn));
    assert_eq!(reason(member_signs(&after, member_signature(FIRST, 4))), "CODE_UNKNOWN");
    assert!(member_signs(&after, member_signature(SECOND, 5)).is_ok(), "the other one's is good");
    assert_eq!(reason(withdraw_helper(&after, FIRST, 1)), "HELPER_NOT_ASKED");
    assert_eq!(reason(withdraw_helper(&asked, FIRST, RUNS_OUT_US)), "HELPER_NOT_ASKED");
    assert_eq!(reason(withdraw_helper(&given(family_signed()), FIRST, 1)), "HELPER_NOT_ASKED");
    assert!(ask_member(&after, FIRST, "").is_ok(), "asked anew");
}

#[test]
fn a_mail_goes_to_an_address_and_not_without_end() {
    let Event::HelperAsked(by_mail) =
        ask_member(&given(draft()), FIRST, "lia@example.test").unwrap().remove(0)
    else {
        panic!("another event")
    };
    assert!(by_mail.by_mail && by_mail.mail_to == "lia@example.test" && by_mail.person == 1);
    assert_eq!(invited_at(" Lia@Example.TEST ").unwrap(), "Lia@example.test");
    assert_eq!(invited_at("  ").unwrap(), "");
    assert_eq!(invited_at("lia").unwrap_err().reason, "EMAIL_MALFORMED");
    let most = given(draft().into_iter().chain(std::iter::repeat_n(Event::from(by_mail), 30)));
    assert_eq!(reason(ask_member(&most, FIRST, "lia@example.test")), "TOO_MANY_INVITATIONS");
    assert!(ask_member(&most, FIRST, "").is_ok(), "handed over it is asked still");
}
