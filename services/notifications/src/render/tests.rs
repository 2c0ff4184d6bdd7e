//! Every kind is set in both languages, and says what it must.

use docket_forms::Catalogue;
use docket_proto::events::case::Event;

use super::*;
use crate::domain::{facts, said_date, samples};

fn page(kind: NoticeKind, event: &Event, language: &str, name: &str) -> Page {
    let posted_on = "2026-03-02".parse().unwrap();
    let (facts, _) = facts(&samples::matter(), event, posted_on, &Catalogue::embedded()).unwrap();
    Page {
        notice_id: "0199aaaa-0000-7000-8000-000000000001".into(),
        version: template_version(kind),
        title: crate::texts::title(crate::texts::Language::En, kind),
        official_name: kind.official_name(),
        form_of_notice: form_of_notice(kind),
        language: language.into(),
        form: "N-400".into(),
        name: name.into(),
        address: vec!["4 Fictitious Row, Apt 2".into(), "Albany, NY 12207".into()],
        representative: Vec::new(),
        original_to_representative: false,
        office: crate::offices::printed("NBC"),
        notice_date: said_date(posted_on),
        facts,
    }
}

fn render(kind: NoticeKind, page: &Page) -> Vec<u8> {
    let renderer = Renderer::new(None).unwrap();
    let pdf = renderer.render(kind, page, "2026-03-02T15:00:00Z".parse().unwrap()).unwrap();
    // To look at: the folder named by this variable gets every page that the tests set.
    if let Ok(folder) = std::env::var("DOCKET_NOTICES_TO") {
        std::fs::write(format!("{folder}/{}-{}.pdf", kind.id(), page.language), &pdf).unwrap();
    }
    pdf
}

/// The text of a PDF, with blanks and line ends as single blanks.
fn text(pdf: &[u8]) -> String {
    let document = lopdf::Document::load_mem(pdf).unwrap();
    let pages: Vec<u32> = document.get_pages().keys().copied().collect();
    let text = document.extract_text(&pages).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_kind_is_set_in_both_languages_as_a_tagged_document_for_archives() {
    for kind in NoticeKind::ALL {
        for language in ["en", "es"] {
            let page = page(kind, &samples::event(kind), language, "Ana Lúcia Verdemar");
            let pdf = render(kind, &page);
            let text = text(&pdf);
            for said in [
                page.title.as_str(),
                page.official_name,
                "Ana Lúcia Verdemar",
                "What you must do",
                "Page 1 of",
            ] {
                assert!(text.contains(said), "{kind:?} {language}: {said:?} is not in {text:?}");
            }
            assert!(text.contains("DKT1234567897"), "{kind:?}");
            assert_eq!(text.contains("Resumen en español"), language == "es", "{kind:?} {language}");
            let document = lopdf::Document::load_mem(&pdf).unwrap();
            assert!(document.catalog().unwrap().has(b"StructTreeRoot"), "{kind:?} is not tagged");
        }
    }
}

#[test]
fn who_acts_for_the_party_is_named_with_an_address_and_nobody_where_nobody_does() {
    let (kind, event) = (NoticeKind::Receipt, samples::event(NoticeKind::Receipt));
    let mut page = page(kind, &event, "en", "Ana Lúcia Verdemar");
    let label = "REPRESENTATIVE, WHO IS TOLD THE SAME";
    assert!(!text(&render(kind, &page)).contains(label));
    page.representative = vec!["Obi Kaltner".into(), "5 Invented Square".into(), "Reno, NV 89501".into()];
    let text = text(&render(kind, &page));
    for said in [label, "Obi Kaltner, 5 Invented Square, Reno, NV 89501", "Page 1 of 1"] {
        assert!(text.contains(said), "{said:?} is not in {text:?}");
    }
}

#[test]
fn the_address_of_record_stands_below_the_name_line_by_line() {
    let (kind, event) = (NoticeKind::CardReturned, samples::event(NoticeKind::CardReturned));
    let mut page = page(kind, &event, "en", "Ana Lúcia Verdemar");
    page.address = ["c/o Bo Sample", "Rua Inventada 1, 3.º Esq.", "1000-001 Lisboa", "PORTUGAL"]
        .map(String::from)
        .into();
    let text = text(&render(kind, &page));
    let lines = "Ana Lúcia Verdemar c/o Bo Sample Rua Inventada 1, 3.º Esq. 1000-001 Lisboa PORTUGAL";
    assert!(text.contains(lines), "{lines:?} is not in {text:?}");
}

#[test]
fn a_move_of_somebody_else_says_that_the_accounts_own_address_stays() {
    let kind = NoticeKind::MoveConfirmed;
    let mut event = samples::event(kind);
    let own = text(&render(kind, &page(kind, &event, "en", "Ana Lúcia Verdemar")));
    assert!(own.contains("Your address of record was changed") && own.contains("for your account"), "{own}");
    if let Event::MoveRecorded(event) = &mut event {
        event.for_another = true;
    }
    let childs = text(&render(kind, &page(kind, &event, "es", "Ana Lúcia Verdemar")));
    for said in
        ["for whom you signed Form AR-11", "your own account stays as it is", "INA 265(c)", "DKT1234567905"]
    {
        assert!(childs.contains(said), "{said:?} is not in {childs:?}");
    }
}

#[test]
fn a_request_prints_its_due_date_and_how_it_was_counted() {
    for (kind, due, derivation, words) in [
        (NoticeKind::Rfe, "Tuesday, May 26, 2026", "2026-03-02 + 84d", "We cannot extend this date"),
        (NoticeKind::Continuation, "Wednesday, April 1, 2026", "2026-03-02 + 30d", "8 CFR 335.7"),
    ] {
        let mut event = samples::event(kind);
        let explained = "Please send the transcript of 2025 *with* #panic() in it.";
        if let Event::EvidenceRequested(event) = &mut event {
            event.explanation = explained.into();
        }
        if let Event::ExaminationContinued(event) = &mut event {
            event.explanation = explained.into();
        }
        let pdf = render(kind, &page(kind, &event, "es", "Ana Lúcia Verdemar"));
        let text = text(&pdf);
        let asked = "Tax transcripts or certified returns";
        for said in [due, derivation, words, asked, explained, "America/Los_Angeles", "one response only"] {
            assert!(text.contains(said), "{kind:?}: {said:?} is not in {text:?}");
        }
    }
}

#[test]
fn an_intended_denial_prints_its_grounds_what_is_held_against_the_party_and_how_to_answer() {
    let mut event = samples::event(NoticeKind::Noid);
    let Event::DenialIntended(intended) = &mut event else { unreachable!() };
    intended.grounds = "The lease *does not* show that you lived together, #panic().".into();
    intended.derogatory_information = "A petition of 2019 names another spouse.".into();
    let kind = NoticeKind::Noid;
    for language in ["en", "es"] {
        let text = text(&render(kind, &page(kind, &event, language, "Ana Lúcia Verdemar")));
        for said in [
            "Wednesday, April 1, 2026",
            "2026-03-02 + 30d",
            "The lease *does not* show that you lived together, #panic().",
            "A petition of 2019 names another spouse.",
            "This is not a decision",
            "We cannot extend this date",
            "one response only",
            "You have the right to answer this",
        ] {
            assert!(text.contains(said), "{language}: {said:?} is not in {text:?}");
        }
        assert!(!text.contains("What else we ask for"), "nothing else is asked for");
    }
}

#[test]
fn an_intended_revocation_says_that_the_approval_stands_why_and_until_when_it_is_answered() {
    let mut event = samples::event(NoticeKind::Noir);
    let Event::RevocationIntended(intended) = &mut event else { unreachable!() };
    intended.grounds = "The lease *does not* show that you lived together, #panic().".into();
    intended.derogatory_information = "A petition of 2019 names another spouse.".into();
    let kind = NoticeKind::Noir;
    let text = text(&render(kind, &page(kind, &event, "es", "Ana Lúcia Verdemar")));
    for said in [
        "the approval stands",
        "la aprobación sigue en pie",
        "Wednesday, April 1, 2026",
        "The lease *does not* show that you lived together, #panic().",
        "A petition of 2019 names another spouse.",
        "We cannot extend this date",
        "one response only",
        "8 CFR 205.2(b)",
    ] {
        assert!(text.contains(said), "{said:?} is not in {text:?}");
    }
}

#[test]
fn a_revocation_says_where_and_until_when_it_is_appealed_and_how_long_a_motion_may_come() {
    let kind = NoticeKind::Revocation;
    for (form, english, spanish) in [
        ("I-130", "Form EOIR-29", "formulario EOIR-29"),
        ("I-140", "Administrative Appeals Office", "Oficina de Apelaciones Administrativas"),
    ] {
        let event = samples::event(kind);
        let matter = crate::domain::Matter { form: form.into(), ..samples::matter() };
        let posted_on = "2026-03-02".parse().unwrap();
        let (facts, _) = facts(&matter, &event, posted_on, &Catalogue::embedded()).unwrap();
        let page = Page { form: form.into(), facts, ..page(kind, &event, "es", "Ana Lúcia Verdemar") };
        let text = text(&render(kind, &page));
        // 15 days to appeal, 30 for a motion (8 CFR 205.2(d), 103.5(a)(1)(i)).
        for said in
            [english, spanish, "Tuesday, March 17, 2026", "Wednesday, April 1, 2026", "Bona fides not shown"]
        {
            assert!(text.contains(said), "{form}: {said:?} is not in {text:?}");
        }
    }
}

#[test]
fn an_approval_that_the_law_ended_says_what_happened_when_and_that_there_is_no_appeal() {
    let kind = NoticeKind::RevocationByLaw;
    let mut event = samples::event(kind);
    let Event::ApprovalRevokedByLaw(revoked) = &mut event else { unreachable!() };
    revoked.findings = "You sent the *decree*, #panic().".into();
    let ended = text(&render(kind, &page(kind, &event, "es", "Ana Lúcia Verdemar")));
    for said in [
        "the marriage was legally ended",
        "el matrimonio terminó legalmente",
        "Friday, February 20, 2026",
        "You sent the *decree*, #panic().",
        "8 CFR 205.1(a)(3)",
        "no appeal",
        "nothing is decided there by this notice",
    ] {
        assert!(ended.contains(said), "{said:?} is not in {ended:?}");
    }
    let Event::ApprovalRevokedByLaw(revoked) = &mut event else { unreachable!() };
    revoked.cause = "petitioner_died".into();
    let died = text(&render(kind, &page(kind, &event, "en", "Ana Lúcia Verdemar")));
    assert!(died.contains("INA 204(l)") && !ended.contains("INA 204(l)"), "{died:?}");
}

#[test]
fn a_termination_is_told_before_with_its_grounds_and_says_then_what_may_be_done_about_it() {
    let kind = NoticeKind::Noit;
    let intended = text(&render(kind, &page(kind, &samples::event(kind), "es", "Ana Lúcia Verdemar")));
    for said in ["the status stands", "su estatus sigue en pie", "Wednesday, April 1, 2026", "236.23(d)"] {
        assert!(intended.contains(said), "{said:?} is not in {intended:?}");
    }
    let kind = NoticeKind::Termination;
    for (form, rights, due) in
        [("I-821", "Administrative Appeals Office", true), ("I-821D", "no appeal and no motion", false)]
    {
        let matter = crate::domain::Matter { form: form.into(), ..samples::matter() };
        let posted_on = "2026-03-02".parse().unwrap();
        let (facts, _) = facts(&matter, &samples::event(kind), posted_on, &Catalogue::embedded()).unwrap();
        let page = Page { form: form.into(), facts, ..page(kind, &samples::event(kind), "es", "Ana Lúcia") };
        let text = text(&render(kind, &page));
        assert!(text.contains(rights) && text.contains("Continuous residence"), "{form}: {text:?}");
        assert_eq!(text.contains("Wednesday, April 1, 2026"), due, "{form}: {text:?}");
    }
}

#[test]
fn an_answer_about_a_correction_says_whether_it_was_made() {
    use docket_proto::case_status::events::v1 as pb;
    let kind = NoticeKind::InquiryAnswer;
    for (event, said) in [
        (Event::from(pb::NameCorrected::default()), "We corrected it in this case"),
        (pb::BirthDateCorrected::default().into(), "We corrected it in this case"),
        (pb::CorrectionRefused::default().into(), "We did not correct it"),
    ] {
        let text = text(&render(kind, &page(kind, &event, "es", "Ana Lúcia Verdemar")));
        assert!(text.contains(said) && text.contains("error en un nombre"), "{said:?} is not in {text:?}");
    }
}

#[test]
fn a_motion_of_the_office_says_whether_there_is_something_to_answer() {
    let kind = NoticeKind::OwnMotion;
    let mut event = samples::event(kind);
    let against = text(&render(kind, &page(kind, &event, "es", "Ana Lúcia Verdemar")));
    let Event::CaseReopenedOnOwnMotion(reopened) = &mut event else { unreachable!() };
    (reopened.favorable, reopened.deadline) = (true, None);
    let favorable = text(&render(kind, &page(kind, &event, "es", "Ana Lúcia Verdemar")));
    for said in ["may decide it against you", "Wednesday, April 1, 2026", "do not come", "335.5"] {
        assert!(against.contains(said), "{said:?} is not in {against:?}");
    }
    for said in ["to decide it for you", "The record was read wrong.", "para decidirlo a su favor"] {
        assert!(favorable.contains(said), "{said:?} is not in {favorable:?}");
    }
    assert!(!favorable.contains("How to answer"), "nothing is to be answered");
}

#[test]
fn an_answer_to_a_request_to_expedite_says_which_it_is_and_that_there_is_no_appeal() {
    for (granted, words) in
        [(true, "comes before others"), (false, "You may ask again when there are new facts")]
    {
        let event = docket_proto::case_status::events::v1::ExpediteDecided { granted, ..Default::default() };
        let kind = NoticeKind::ExpediteDecision;
        let text = text(&render(kind, &page(kind, &event.into(), "es", "Ana Lúcia Verdemar")));
        for said in [words, "no appeal against this answer", "Policy Manual"] {
            assert!(text.contains(said), "{granted}: {said:?} is not in {text:?}");
        }
    }
}

#[test]
fn a_denial_says_in_both_languages_what_may_be_done_about_it() {
    let kind = NoticeKind::Denial;
    for (form, abandoned, english, spanish) in [
        ("N-400", false, "Form N-336", "formulario N-336"),
        ("I-140", false, "Administrative Appeals Office", "Oficina de Apelaciones Administrativas"),
        ("I-130", false, "Form EOIR-29", "formulario EOIR-29"),
        ("N-336", false, "United States district court", "tribunal federal de distrito"),
        ("I-821D", false, "no appeal and no motion", "No hay apelación ni moción"),
        ("I-485", false, "This decision cannot be appealed", "formulario I-290B"),
        ("I-140", true, "A denial for abandonment cannot be appealed", "formulario I-290B"),
    ] {
        let mut event = samples::event(kind);
        let Event::CaseDenied(denied) = &mut event else { unreachable!() };
        denied.abandoned = abandoned;
        let matter = crate::domain::Matter { form: form.into(), ..samples::matter() };
        let posted_on = "2026-03-02".parse().unwrap();
        let (facts, _) = facts(&matter, &event, posted_on, &Catalogue::embedded()).unwrap();
        let page = Page { form: form.into(), facts, ..page(kind, &event, "es", "Ana Lúcia Verdemar") };
        let text = text(&render(kind, &page));
        for said in [english, spanish] {
            assert!(text.contains(said), "{form}: {said:?} is not in {text:?}");
        }
        assert_eq!(text.contains("Form I-290B"), !["N-400", "N-336", "I-821D"].contains(&form), "{form}");
    }
}

#[test]
fn a_referral_says_that_it_is_no_denial_why_and_what_comes_next() {
    let mut event = samples::event(NoticeKind::Referral);
    let Event::CaseReferred(referred) = &mut event else { unreachable!() };
    referred.reasons = "What you fear is not *because of* a ground of the law, #panic().".into();
    let kind = NoticeKind::Referral;
    let text = text(&render(kind, &page(kind, &event, "es", "Ana Lúcia Verdemar")));
    for said in [
        "This is not a denial",
        "Esto no es una denegación",
        "8 CFR 208.14(c)(1)",
        "No nexus",
        "What you fear is not *because of* a ground of the law, #panic().",
        "Notice to Appear",
        "Form EOIR-33",
        "There is no appeal and no motion with us",
    ] {
        assert!(text.contains(said), "{said:?} is not in {text:?}");
    }
    assert!(!text.contains("I-290B"), "nothing is filed here against it");
}

#[test]
fn a_transfer_names_the_office_and_what_stays() {
    let (kind, event) = (NoticeKind::Transfer, samples::event(NoticeKind::Transfer));
    let page =
        Page { office: crate::offices::printed("FO-CHI"), ..page(kind, &event, "es", "Ana Lúcia Verdemar") };
    let text = text(&render(kind, &page));
    for said in [
        "moved to the Docket Field Office, Chicago",
        "because that office decides the cases of where you live",
        "Your receipt number, the date of receipt, each due date",
        "Su número de recibo y sus plazos siguen igual",
    ] {
        assert!(text.contains(said), "{said:?} is not in {text:?}");
    }
}

#[test]
fn who_did_not_come_is_told_what_to_do_and_until_when() {
    use docket_proto::case_status::events::v1::{BiometricsMissed, InterviewMissed};
    let kind = NoticeKind::AppointmentMissed;
    let (english, spanish) = ("by Wednesday, April 1, 2026", "miércoles, 1 de abril de 2026");
    for (event, said) in [
        (samples::event(kind), vec![english, spanish, "2026-03-02 + 30d", "8 CFR 335.6"]),
        // As it was recorded before it had a day.
        (InterviewMissed::default().into(), vec!["within 30 days after the day of the interview"]),
        (BiometricsMissed::default().into(), vec!["We may treat your case as abandoned"]),
    ] {
        let text = text(&render(kind, &page(kind, &event, "es", "Ana Lúcia Verdemar")));
        for said in said.into_iter().chain(["Nothing is decided by that", "Con esto no se decide nada"]) {
            assert!(text.contains(said), "{said:?} is not in {text:?}");
        }
    }
}

/// What a page with this name says of characters that stand as numbers.
const NUMBERED: &str = "Each stands as its Unicode number";

#[test]
fn names_are_printed_in_the_scripts_of_the_fonts_and_else_by_the_numbers_of_their_characters() {
    let kind = NoticeKind::Receipt;
    let named = |name: &str| text(&render(kind, &page(kind, &samples::event(kind), "es", name)));
    for name in [
        "Nguyễn Thị Ánh",
        "Ołena Žižka",
        "Олена Шевченко",
        "Γιώργος",
        "שרה לוי",
        "محمد علي",
        "Արամ",
        "გიორგი",
        "राहुल",
    ] {
        let text = named(name);
        assert!(!text.contains(NUMBERED) && !text.contains("[U+"), "{name}: {text}");
    }
    for (name, numbers) in
        [("王小明", "[U+738B][U+5C0F][U+660E]"), ("김", "[U+AE40]"), ("ชัย", "[U+0E0A]"), ("রহিম", "[U+09B0]")]
    {
        let text = named(name);
        assert!(text.contains(numbers) && text.contains(NUMBERED), "{name}: {text}");
        assert!(text.contains("cada uno está como su número Unicode"), "{name}: {text}");
    }
}

#[test]
fn whatever_an_officer_writes_is_printed() {
    for kind in NoticeKind::ALL.into_iter().filter(|kind| kind.has_words()) {
        let mut page = page(kind, &samples::event(kind), "es", "Ana Lúcia Verdemar");
        page.facts.words = "\u{f0b7}\tThe lease\u{b}\u{f0a7} 王 🙂 \0 \u{e000} עברית राहुल".into();
        page.facts.derogatory.clone_from(&page.facts.words);
        let text = text(&render(kind, &page));
        for said in ["• The lease • [U+738B] [U+1F642]", NUMBERED] {
            assert!(text.contains(said), "{kind:?}: {said:?} is not in {text:?}");
        }
    }
}

#[test]
fn an_appointment_that_fell_away_and_a_transfer_are_told_whatever_caused_them() {
    use docket_proto::case_status::events::v1::{BiometricsCancelled, CaseTransferred, InterviewCancelled};
    let Event::InterviewCancelled(known) = samples::event(NoticeKind::AppointmentCancelled) else {
        panic!("another event")
    };
    let said = |kind, event: Event, language| text(&render(kind, &page(kind, &event, language, "Ana")));
    let mut whys = std::collections::BTreeSet::new();
    let causes = [
        "withdrawn",
        "denied",
        "referred",
        "voided",
        "moot",
        "closed",
        "transferred",
        "not_needed",
        "of_later",
    ];
    for cause in causes {
        let interview = InterviewCancelled { cause: cause.into(), ..known.clone() };
        let biometrics = BiometricsCancelled { cause: cause.into(), appointment: known.appointment.clone() };
        let kind = NoticeKind::AppointmentCancelled;
        for (event, en, es) in [
            (
                Event::from(interview),
                "Your interview fell away, because",
                "entrevista quedó cancelada porque",
            ),
            (
                biometrics.into(),
                "Your biometrics appointment fell away, because",
                "cita de datos biométricos quedó",
            ),
        ] {
            let english = said(kind, event.clone(), "en");
            let why = english.split_once(en).and_then(|(_, rest)| rest.split_once(". Do not come"));
            whys.insert(why.unwrap_or_else(|| panic!("{cause}: {english}")).0.to_owned());
            let spanish = said(kind, event, "es");
            assert!(spanish.contains(en) && spanish.contains(es), "{cause}: {spanish}");
        }
    }
    assert_eq!(whys.len(), causes.len(), "{whys:?}");
    let Event::CaseTransferred(known) = samples::event(NoticeKind::Transfer) else { panic!("another event") };
    for reason in ["jurisdiction", "workload", "of_later"] {
        let event = CaseTransferred { reason: reason.into(), ..known.clone() };
        let text = said(NoticeKind::Transfer, event.into(), "es");
        assert!(text.contains("moved to the") && text.contains("pasó a"), "{reason}: {text}");
    }
}

#[test]
fn the_version_of_a_template_is_its_own() {
    let mut versions: Vec<_> = NoticeKind::ALL.map(template_version).to_vec();
    versions.sort();
    versions.dedup();
    assert_eq!(versions.len(), NoticeKind::ALL.len());
}

#[test]
fn a_notice_says_who_has_the_original_where_two_are_told() {
    let kind = NoticeKind::Rfe;
    let alone = page(kind, &samples::event(kind), "en", "Ana");
    assert!(!text(&render(kind, &alone)).to_lowercase().contains("original and copy"));
    let represented = Page { representative: vec!["Obi Adeyemi".into()], ..alone };
    let partys = text(&render(kind, &represented));
    assert!(partys.contains("The original is yours, the copy the representative"), "{partys}");
    let other = text(&render(kind, &Page { original_to_representative: true, ..represented }));
    assert!(other.contains("the copy yours, as you asked on Form G-28"), "{other}");
}

#[test]
fn a_card_that_went_to_the_representative_is_told_so() {
    let kind = NoticeKind::CardMailed;
    let Event::CardMailed(mailed) = samples::event(kind) else { panic!("another event") };
    let own = text(&render(kind, &page(kind, &mailed.clone().into(), "es", "Ana")));
    assert!(own.contains("to your address of record") && own.contains("su direcci"), "{own}");
    let theirs =
        docket_proto::case_status::events::v1::CardMailed { goes_to: "representative".into(), ..mailed };
    let theirs = text(&render(kind, &page(kind, &theirs.into(), "es", "Ana")));
    assert!(
        theirs.contains("to your representative, as you asked") && theirs.contains("su representante"),
        "{theirs}"
    );
}
