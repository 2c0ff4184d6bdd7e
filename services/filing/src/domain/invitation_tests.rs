//! The rules of asking somebody to file a form in a package, one test each: who is asked, who answers, and how either side does without.

use docket_kernel::Refusal;
use docket_proto::events::filing::Event as FilingEvent;
use docket_proto::events::package::Event;
use docket_proto::filing::events::v1 as pb;
use uuid::Uuid;

use super::filing::{self, Filing, Phase, recall_left};
use super::package::*;

const ASKER: Uuid = Uuid::from_u128(1);
const ANA: Uuid = Uuid::from_u128(2);
const SPONSOR: Uuid = Uuid::from_u128(3);
const RUNS_OUT_US: i64 = 10_000;

fn given(events: impl IntoIterator<Item = Event>) -> Package {
    events.into_iter().fold(Package::default(), |package, event| evolve(package, &event))
}

fn then(package: &Package, events: Vec<Event>) -> Package {
    events.into_iter().fold(package.clone(), |package, event| evolve(package, &event))
}

fn ask(code: u8) -> Ask {
    Ask {
        asker: ASKER,
        account: ANA,
        form: "I-864".into(),
        most: 2,
        code_mac: vec![code; 32],
        now_us: 0,
        valid_until_us: RUNS_OUT_US,
        mail_to: "sol@example.test".into(),
        invitee_name: "Sol Sample".into(),
    }
}

fn asked(package: &Package, code: u8) -> Package {
    then(package, invite(package, ask(code), &[]).unwrap())
}

fn answer(number: u32, code: &[u8]) -> Answer {
    Answer { number, code_mac: code.to_vec(), account: SPONSOR, now_us: RUNS_OUT_US - 1, asker_open: true }
}

fn of_sponsor(filing: u128) -> Added {
    Added { filing: Uuid::from_u128(filing), account: SPONSOR, form: "I-864".into() }
}

fn of_ana() -> Added {
    Added { filing: ASKER, account: ANA, form: "I-485".into() }
}

/// One who was asked with code 1 and accepted as filing 9.
fn joined() -> Package {
    let one = asked(&Package::default(), 1);
    let events = accept(&one, &answer(1, &[1; 32]), of_sponsor(9), vec![of_ana()]).unwrap();
    then(&one, events)
}

fn reason<T: std::fmt::Debug>(refused: Result<T, Refusal>) -> &'static str {
    refused.unwrap_err().reason
}

#[test]
fn who_is_asked_answers_with_the_code_in_time_and_nobody_else_does() {
    let package = asked(&Package::default(), 1);
    let code = [1; 32];
    assert_eq!(package.answered(&answer(1, &code)).unwrap().form, "I-864");
    let sent = given([pb::PackageReadyForPayment::default().into()]);
    let sent = Package { invitations: package.invitations.clone(), ..sent };
    for (package, wrong) in [
        (&package, answer(1, &[2; 32])),
        (&package, answer(2, &code)),
        (&package, Answer { now_us: RUNS_OUT_US, ..answer(1, &code) }),
        (&package, Answer { asker_open: false, ..answer(1, &code) }),
        (&sent, answer(1, &code)),
    ] {
        assert_eq!(reason(package.answered(&wrong)), "CODE_UNKNOWN", "{wrong:?}");
        assert_eq!(reason(decline(package, &wrong)), "CODE_UNKNOWN");
        assert_eq!(reason(accept(package, &wrong, of_sponsor(9), vec![])), "CODE_UNKNOWN");
    }
    let own = Answer { account: ANA, ..answer(1, &code) };
    assert_eq!(reason(package.answered(&own)), "OWN_INVITATION");
    // After a package was recalled, a code that has not run out opens it again.
    let recalled = then(&sent, vec![pb::PackageRecalled {}.into()]);
    recalled.answered(&answer(1, &code)).unwrap();
}

#[test]
fn accepting_puts_the_filing_into_the_package_and_uses_the_code_up() {
    let package = joined();
    assert_eq!(package.filings, [ASKER, Uuid::from_u128(9)]);
    assert_eq!(package.joined().collect::<Vec<_>>(), [Uuid::from_u128(9)]);
    assert_eq!(reason(package.answered(&answer(1, &[1; 32]))), "CODE_UNKNOWN");
    assert!(package.waiting(1, 0).is_none(), "no mail is sent any more");
    // Who files it there already is asked in vain, but may have filed another form there.
    let again = asked(&package, 2);
    let twice = accept(&again, &answer(2, &[2; 32]), of_sponsor(10), vec![of_ana(), of_sponsor(9)]);
    assert_eq!(reason(twice), "IN_PACKAGE_ALREADY");
    let petition = Added { form: "I-130".into(), ..of_sponsor(9) };
    accept(&again, &answer(2, &[2; 32]), of_sponsor(10), vec![of_ana(), petition]).unwrap();
}

#[test]
fn no_more_are_asked_than_the_form_says_and_there_is_room_for() {
    let two = asked(&joined(), 2);
    assert_eq!(reason(invite(&two, ask(3), &[])), "TOO_MANY_ASKED");
    // Of another form others may be asked, and of this one once somebody is gone, said no, or let the code run out.
    invite(&two, Ask { form: "I-134".into(), ..ask(3) }, &[]).unwrap();
    invite(&two, ask(3), &[Uuid::from_u128(9)]).unwrap();
    invite(&then(&two, decline(&two, &answer(2, &[2; 32])).unwrap()), ask(3), &[]).unwrap();
    invite(&two, Ask { now_us: RUNS_OUT_US, ..ask(3) }, &[]).unwrap();

    let sent = given([pb::PackageReadyForPayment::default().into()]);
    assert_eq!(reason(invite(&sent, ask(1), &[])), "PACKAGE_SENT");
    let full = Package { filings: (0..19).map(Uuid::from_u128).collect(), ..Package::default() };
    let full = asked(&full, 1);
    assert_eq!(reason(invite(&full, ask(2), &[])), "TOO_MANY_FILINGS", "the last place is kept");
    let mut often = Package::default();
    for code in 0..30 {
        let number = u32::from(code) + 1;
        often = asked(&often, code);
        often = then(&often, withdraw(&often, ASKER, number).unwrap());
    }
    assert_eq!(reason(invite(&often, ask(30), &[])), "TOO_MANY_INVITATIONS");
}

#[test]
fn an_invitation_is_taken_back_by_who_made_it_until_it_is_accepted() {
    let package = asked(&Package::default(), 1);
    for (asker, number) in [(ASKER, 2), (Uuid::from_u128(7), 1)] {
        assert_eq!(reason(withdraw(&package, asker, number)), "INVITATION_UNKNOWN");
        assert_eq!(reason(to_release(&package, asker, number)), "INVITATION_UNKNOWN");
    }
    assert_eq!(reason(to_release(&package, ASKER, 1)), "INVITATION_OVER", "nobody is to be released");
    let back = then(&package, withdraw(&package, ASKER, 1).unwrap());
    assert_eq!(reason(back.answered(&answer(1, &[1; 32]))), "CODE_UNKNOWN");
    assert_eq!(reason(withdraw(&back, ASKER, 1)), "INVITATION_OVER");
    assert_eq!(reason(withdraw(&joined(), ASKER, 1)), "INVITATION_OVER");
}

#[test]
fn either_side_does_without_what_was_accepted_and_the_other_is_told() {
    let (package, filing) = (joined(), Uuid::from_u128(9));
    assert_eq!(to_release(&package, ASKER, 1).unwrap(), filing);
    let [Event::PackageFilerReleased(told)] = &release(1, filing, SPONSOR)[..] else { panic!("no release") };
    assert_eq!(told.account_id, SPONSOR.to_string());
    let released = then(&package, release(1, filing, SPONSOR));
    assert_eq!(reason(to_release(&released, ASKER, 1)), "INVITATION_OVER");
    assert!(step_back(&released, filing).is_empty() && !released.is_left_by(filing));

    let [Event::PackageFilerSteppedBack(told)] = &step_back(&package, filing)[..] else { panic!("no step") };
    assert_eq!((told.number, &told.asker_account_id), (1, &ANA.to_string()));
    let left = then(&package, step_back(&package, filing));
    assert!(left.is_left_by(filing) && left.joined().next().is_none());
    assert!(step_back(&left, filing).is_empty(), "once");
    assert!(step_back(&package, ASKER).is_empty(), "nobody was asked for that one");
}

#[test]
fn what_was_left_while_it_waited_for_the_fee_ends_when_it_is_recalled() {
    let package = Uuid::from_u128(5);
    let sent = Filing { phase: Phase::Sent, package, account: SPONSOR, ..Filing::default() };
    let events: Vec<FilingEvent> = recall_left(&sent, package);
    let after = events.iter().fold(sent.clone(), filing::evolve);
    assert_eq!(after.phase, Phase::Abandoned);
    assert!(recall_left(&Filing { phase: Phase::Submitted, ..sent }, package).is_empty(), "it went in");
}

#[test]
fn who_was_asked_does_not_send_the_package() {
    let package = joined();
    package.may_send(ASKER).unwrap();
    assert_eq!(reason(package.may_send(Uuid::from_u128(9))), "SENT_BY_WHO_ASKED");
}

#[test]
fn who_is_asked_is_named() {
    assert_eq!(invitee("  Sol Sample ").unwrap(), "Sol Sample");
    for wrong in ["", "  ", "So\nl", &"o".repeat(201)] {
        assert_eq!(reason(invitee(wrong)), "INVITEE_UNNAMED", "{wrong:?}");
    }
}
