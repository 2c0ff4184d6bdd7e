//! What people read outside the notices: titles and mail, in English or Spanish.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::{LanguageIdentifier, langid};

use crate::domain::NoticeKind;
use crate::store::delivery;
use crate::store::text as text_store;

/// The languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// English.
    En,
    /// Spanish.
    Es,
}

impl Language {
    /// The language asked for; English where none or another one is.
    pub(crate) fn of(tag: &str) -> Self {
        if tag.split('-').next() == Some("es") { Self::Es } else { Self::En }
    }

    /// Its tag.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
        }
    }
}

/// The words of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    /// Subject line.
    pub(crate) subject: String,
    /// Plain text.
    pub(crate) text: String,
}

type Bundle = FluentBundle<FluentResource>;

const EN_SOURCE: &str = include_str!("../texts/en.ftl");
const ES_SOURCE: &str = include_str!("../texts/es.ftl");
static EN: LazyLock<Bundle> = LazyLock::new(|| bundle(langid!("en"), EN_SOURCE));
static ES: LazyLock<Bundle> = LazyLock::new(|| bundle(langid!("es"), ES_SOURCE));

fn bundle(language: LanguageIdentifier, source: &str) -> Bundle {
    let resource =
        FluentResource::try_new(source.to_owned()).expect("the texts are part of the build and tested");
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    bundle.set_use_isolating(false);
    bundle.add_resource(resource).expect("each text stands once; tested");
    bundle
}

fn text(language: Language, id: &str, name: &str) -> String {
    let bundle = match language {
        Language::En => &*EN,
        Language::Es => &*ES,
    };
    let Some(pattern) = bundle.get_message(id).and_then(|message| message.value()) else {
        return String::new();
    };
    let mut args = FluentArgs::new();
    args.set("name", name);
    bundle.format_pattern(pattern, Some(&args), &mut Vec::new()).into_owned()
}

/// The title of a kind of notice.
pub(crate) fn title(language: Language, kind: NoticeKind) -> String {
    text(language, &format!("notice-{}", kind.id()), "")
}

/// The mail for an alert: what is new, never what it says.
pub(crate) fn mail(language: Language, alert: &str, given_name: &str) -> Mail {
    let what = match alert {
        "message_received" => "message",
        "deadline_reminder" => "deadline-half-time",
        "deadline_reminder_two_weeks" => "deadline-two-weeks",
        "deadline_reminder_a_week" => "deadline-a-week",
        "deadline_reminder_three_days" => "deadline-three-days",
        "deadline_reminder_a_day" => "deadline-a-day",
        "deadline_reminder_today" => "deadline-today",
        "deadline_passed" => "deadline-passed",
        "response_received" => "response-received",
        "appointment_reminder_a_week" => "appointment-a-week",
        "appointment_reminder_two_days" => "appointment-two-days",
        "draft_kept_two_weeks" => "draft-two-weeks",
        "draft_kept_a_week" => "draft-a-week",
        "draft_kept_a_day" => "draft-a-day",
        "draft_expired" => "draft-expired",
        "fee_waits_two_weeks" => "fee-two-weeks",
        "fee_waits_a_week" => "fee-a-week",
        "fee_waits_a_day" => "fee-a-day",
        "fee_left_unpaid" => "fee-unpaid",
        "review_asked" => "review",
        "review_waits" => "review-waits",
        "review_returned" => "returned",
        "review_approved" => "agreed",
        "approval_voided" => "agreement-over",
        "clients_approval_voided" => "clients-agreement-over",
        "signature_voided" => "form-changed",
        "clients_signature_voided" => "clients-form-changed",
        "went_in_with_another" => "went-in",
        "not_taken_with_another" => "not-taken",
        "file_refused" => "file-unsafe",
        "clients_file_refused" => "clients-file-unsafe",
        "appearance_signed" => "appearance",
        "representative_appointed" => "appointed",
        "representative_replaced" => "replaced",
        "clients_representative_replaced" => "another-representative",
        "representative_withdrew" => "withdrew",
        "client_ended_representation" => "dismissed",
        "office_ended_representation" => "office-ended",
        "clients_representation_ended" => "clients-office-ended",
        "co_signer_signed" => "co-signed",
        "co_signature_over" => "co-signature-over",
        "co_signed_went_in" => "co-signed-went-in",
        "refund_failed" => "refund-failed",
        delivery::PAYERS_REFUND_FAILED => "payers-refund-failed",
        "package_joined" => "package-joined",
        "package_declined" => "package-declined",
        "package_left" => "package-left",
        "package_released" => "package-released",
        "texts_on" => "texts-on",
        "texts_ended" => "texts-ended",
        "texts_unreachable" => "texts-unreachable",
        _ => "notice",
    };
    let greeting = if given_name.is_empty() { "mail-greeting-nameless" } else { "mail-greeting" };
    let paragraphs = [greeting, &format!("mail-{what}"), "mail-ending"];
    let paragraphs: Vec<String> = paragraphs.iter().map(|id| text(language, id, given_name)).collect();
    Mail {
        subject: text(language, &format!("mail-{what}-subject"), ""),
        text: paragraphs.join("\r\n\r\n") + "\r\n",
    }
}

/// The mail that asks somebody to sign a form, or to file one, with the code for it. In which language they read, nobody knows: it is
/// in both.
pub(crate) fn invitation(alert: &str, code: &str) -> Mail {
    let what = if alert == delivery::INVITATION_TO_FILE { "mail-invited-to-file" } else { "mail-invited" };
    let said = |language| {
        let paragraphs = [what, "mail-invited-ending"].map(|id| text(language, id, code));
        paragraphs.join("\r\n\r\n")
    };
    let subject = |language| text(language, &format!("{what}-subject"), "");
    Mail {
        subject: format!("{} / {}", subject(Language::En), subject(Language::Es)),
        text: format!("{}\r\n\r\n{}\r\n", said(Language::En), said(Language::Es)),
    }
}

/// The text for an alert, or for what somebody waits for: what is new, never what it says. At its end stand letters of its own.
pub(crate) fn text_message(language: Language, alert: &str, code: &str, letters: &str) -> String {
    let id = match alert {
        text_store::CODE => "text-code",
        "text_stopped" => "text-stopped",
        "text_started" => "text-started",
        "text_help" => "text-help",
        _ => "text-notice",
    };
    format!("{} Ref. {letters}", text(language, id, code))
}

/// What somebody agrees to who wants texts.
pub(crate) fn consent(language: Language) -> String {
    text(language, "text-consent", "")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn ids(source: &str) -> BTreeSet<&str> {
        source
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once(" = "))
            .map(|(id, _)| id)
            .collect()
    }

    #[test]
    fn every_text_stands_in_both_languages_and_every_kind_has_a_title() {
        assert_eq!(ids(EN_SOURCE), ids(ES_SOURCE));
        for language in [Language::En, Language::Es] {
            for kind in NoticeKind::ALL {
                assert!(!title(language, kind).is_empty(), "{kind:?}");
            }
        }
    }

    #[test]
    fn mail_says_that_there_is_something_and_nothing_else() {
        for language in [Language::En, Language::Es] {
            for alert in [
                "message_received",
                "decision_made",
                "request_open",
                "deadline_reminder",
                "deadline_reminder_two_weeks",
                "deadline_reminder_a_week",
                "deadline_reminder_three_days",
                "deadline_reminder_a_day",
                "deadline_reminder_today",
                "deadline_passed",
                "response_received",
                "appointment_reminder_a_week",
                "appointment_reminder_two_days",
                "draft_kept_two_weeks",
                "draft_kept_a_week",
                "draft_kept_a_day",
                "draft_expired",
                "fee_waits_two_weeks",
                "fee_waits_a_week",
                "fee_waits_a_day",
                "fee_left_unpaid",
                "review_asked",
                "review_returned",
                "review_approved",
                "approval_voided",
                "clients_approval_voided",
                "review_waits",
                "signature_voided",
                "clients_signature_voided",
                "went_in_with_another",
                "not_taken_with_another",
                "file_refused",
                "clients_file_refused",
                "appearance_signed",
                "representative_appointed",
                "representative_replaced",
                "clients_representative_replaced",
                "representative_withdrew",
                "client_ended_representation",
                "office_ended_representation",
                "clients_representation_ended",
                "co_signer_signed",
                "co_signature_over",
                "co_signed_went_in",
                "refund_failed",
                "payers_refund_failed",
                "package_joined",
                "package_declined",
                "package_left",
                "package_released",
                "texts_on",
                "texts_ended",
                "texts_unreachable",
            ] {
                let mail = mail(language, alert, "Ana Lúcia");
                let said = format!("{}\n{}", mail.subject, mail.text).to_lowercase();
                for secret in
                    ["verdemar", "dkt", "n-400", "i-797", "approved", "denied", "aprob", "deneg", "http"]
                {
                    assert!(!said.contains(secret), "{secret}");
                }
                assert_eq!(said.matches("ana lúcia").count(), 1);
                assert!(!said.chars().any(|letter| letter.is_ascii_digit()));
            }
        }
        assert!(mail(Language::En, "notice_posted", "").text.starts_with("Hello,\r\n"));
    }

    /// The basic letters of GSM 03.38: with another one a text holds 70 letters.
    const GSM_7: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ\
        ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

    #[test]
    fn a_text_fits_one_and_says_nothing_of_a_case() {
        for language in [Language::En, Language::Es] {
            for alert in ["notice_posted", "decision_made", "appointment_moved", text_store::CODE]
                .into_iter()
                .chain(text_store::ANSWERS)
            {
                let said = text_message(language, alert, "123456", "0A1B2C");
                assert!(said.chars().count() <= 160, "{} letters: {said}", said.chars().count());
                assert!(said.chars().all(|letter| GSM_7.contains(letter)), "{said}");
                assert!(said.starts_with("Docket") && said.ends_with("Ref. 0A1B2C"), "{said}");
                assert_eq!(said.contains("123456"), alert == text_store::CODE);
                let lower = said.to_lowercase();
                for secret in [
                    "dkt",
                    "approved",
                    "denied",
                    "decision",
                    "appointment",
                    "aprob",
                    "deneg",
                    "http",
                    "www",
                    "{",
                ] {
                    assert!(!lower.contains(secret), "{secret}: {said}");
                }
            }
            let notice = text_message(language, "notice_posted", "", "0A1B2C");
            assert!(notice.contains(if language == Language::En { "Reply STOP" } else { "Responda ALTO" }));
            assert!(consent(language).len() > 200);
        }
    }

    #[test]
    fn who_is_asked_to_sign_or_to_file_reads_the_code_in_both_languages_and_nothing_of_the_form() {
        for (alert, command) in [
            (delivery::INVITATION, "docket helper show"),
            (delivery::INVITATION_TO_FILE, "docket invitation show"),
        ] {
            let mail = invitation(alert, "ABCDE-01234");
            assert!(mail.subject.contains(" / ") && !mail.subject.contains("ABCDE"));
            assert_eq!(mail.text.matches("ABCDE-01234").count(), 4, "{}", mail.text);
            assert!(mail.text.contains(command) && !mail.text.contains('{'), "{}", mail.text);
            for secret in ["I-", "http", "approved", "DKT", "sponsor", "patrocin"] {
                assert!(!mail.text.contains(secret), "{secret}");
            }
        }
    }
}
