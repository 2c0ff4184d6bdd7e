//! `docket filings`, `docket export`, `docket appoint`, `docket recall` and `docket abandon`: what one has begun, all that is in it,
//! who is to represent one in it, its way back, its end.
use super::paper::Drafts;
use super::{Refused, Session, each_page};
use crate::client::{request, whole_file};
use crate::output::Teller;
use anyhow::{Context, Result};
use docket_proto::filing::v1 as pb;
use docket_proto::payments::v1::WithdrawPaymentRequest;
use serde_json::{Value, json};
use std::path::Path;
use uuid::Uuid;

/// Lists the filings of the session, newest first; what is said of one is said in a language.
pub async fn filings(home: &Path, language: &str, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let connection = connection.reading(language);
    each_page(async |page_token| {
        let message = pb::ListFilingsRequest { page_size: 100, page_token, language: language.to_owned() };
        let answer = connection.drafts().list_filings(request(Some(&token), message)).await;
        let answer = answer.map_err(Refused::from)?.into_inner();
        answer.filings.iter().for_each(|filing| tell(filing, teller));
        Ok(answer.next_page_token)
    })
    .await
}

fn tell(filing: &pb::Filing, teller: &Teller) {
    if teller.is_json() {
        teller.value(&json!({
            "name": filing.name, "form": filing.form, "state": filing.state,
            "receipt_number": filing.receipt_number, "kept_until_date": filing.kept_until_date,
            "not_here": not_here(filing).map(|finding| &finding.message),
        }));
        return;
    }
    let more = match (filing.receipt_number.as_str(), filing.kept_until_date.as_str()) {
        ("", "") => String::new(),
        ("", day) => teller.filled(", kept until the end of {}", &[&day]),
        (receipt, _) => format!(", {receipt}"),
    };
    let stands = match (filing.form.as_str(), filing.state.as_str()) {
        ("", _) => String::new(),
        (form, state) => format!("  {form}, {state}{more}"),
    };
    teller.line(&format!("{}{stands}", filing.name));
    if let Some(finding) = not_here(filing) {
        teller.line(&format!("       {}", finding.message));
    }
}

/// That the service which was asked cannot open it now, where that is so.
fn not_here(filing: &pb::Filing) -> Option<&pb::Finding> {
    filing.findings.iter().find(|finding| finding.rule == "filing-not-here")
}

/// Saves a filing with its answers, and its files, in a new folder.
pub async fn export(home: &Path, name: &str, to: &Path, teller: &Teller) -> Result<()> {
    let drafts = Drafts::of(home, "en").await?;
    let filing = drafts.get(name).await?;
    std::fs::create_dir(to).with_context(|| format!("make the folder {}", to.display()))?;
    let mut waiting = 0;
    for (number, evidence) in files(&filing).enumerate() {
        if evidence.being_checked {
            waiting += 1;
            let waits = "still being checked for viruses, not saved: {}";
            teller.line(&teller.filled(waits, &[&saved_as(number, evidence)]));
            continue;
        }
        let (file, bytes) = (saved_as(number, evidence), download(&drafts, &evidence.name).await?);
        std::fs::write(to.join(&file), bytes).with_context(|| format!("write {file}"))?;
    }
    let text = serde_json::to_string_pretty(&exported(&filing)?).context("the filing")?;
    std::fs::write(to.join("filing.json"), text).context("write filing.json")?;
    let saved = files(&filing).count() - waiting;
    teller.line(&teller.filled("filing.json and {} files in {}", &[&saved, &to.display()]));
    Ok(())
}

/// All files of a filing: what was attached to it, then what was added to its case unasked.
fn files(filing: &pb::Filing) -> impl Iterator<Item = &pb::Evidence> {
    filing.evidence.iter().chain(&filing.unsolicited)
}

/// The name under which a file is saved. Numbered: two files may have one name.
fn saved_as(number: usize, evidence: &pb::Evidence) -> String {
    format!("{:02} {}", number + 1, evidence.file_name)
}

/// Everything that people put into a filing, as JSON. Every field of a filing is named here: one that comes later is exported, or
/// it is said why not.
fn exported(filing: &pb::Filing) -> Result<Value> {
    let pb::Filing {
        name,
        form,
        edition,
        state,
        receipt_number,
        answers_json,
        waiver_answers_json,
        fee_waiver,
        evidence: attached,
        unsolicited: _,
        explanations,
        attention,
        review,
        remark,
        continues,
        continued_as,
        submitted_at_us,
        kept_until_date,
        helpers,
        enclosed,
        etag,
        // What the service says of it, again at any time.
        findings: _,
        missing: _,
        evidence_needs: _,
        filled: _,
        ready: _,
        shown: _,
        package_id: _,
        erased: _,
        representation: _,
    } = filing;
    let file = |(number, file): (usize, &pb::Evidence)| {
        json!({
            "kind": file.kind, "file": saved_as(number, file), "media_type": file.media_type,
            "foreign_language": file.foreign_language, "added_unasked": number >= attached.len(),
            "being_checked": file.being_checked,
        })
    };
    let lacking =
        |missing: &pb::MissingEvidence| json!({ "kind": missing.kind, "explanation": missing.explanation });
    let helped = |helper: &pb::Helper| {
        json!({
            "role": helper.role, "name": helper.name, "spoken_language": helper.spoken_language, "state": helper.state,
            "signed_at_us": helper.signed_at_us, "signs_as": helper.signs_as, "person": helper.person,
        })
    };
    let look_at = |one: &pb::CarriedOver| -> Result<Value> {
        Ok(json!({
            "was": one.was, "field": one.field, "happened": one.happened, "message": one.message,
            "answer": parsed(&one.answer_json).context("an answer of an earlier edition")?,
        }))
    };
    Ok(json!({
        "name": name, "form": form, "edition": edition, "etag": etag, "state": state, "receipt_number": receipt_number,
        "submitted_at_us": submitted_at_us, "kept_until_date": kept_until_date,
        "continues": continues, "continued_as": continued_as,
        "answers": parsed(answers_json).context("the answers")?,
        "fee_waiver": fee_waiver,
        "fee_waiver_answers": parsed(waiver_answers_json).context("the answers to Form I-912")?,
        "files": files(filing).enumerate().map(file).collect::<Vec<_>>(),
        "cannot_be_provided": explanations.iter().map(lacking).collect::<Vec<_>>(),
        "look_at": attention.iter().map(look_at).collect::<Result<Vec<_>>>()?,
        "review": review, "remark": remark,
        "helpers": helpers.iter().map(helped).collect::<Vec<_>>(),
        "went_in_with_it": enclosed.iter().map(|one| json!({ "name": one.name, "form": one.form })).collect::<Vec<_>>(),
    }))
}

/// JSON as the service sends it; `null` where it sends none.
fn parsed(json: &str) -> serde_json::Result<Value> {
    if json.is_empty() { Ok(Value::Null) } else { serde_json::from_str(json) }
}

async fn download(drafts: &Drafts, name: &str) -> Result<Vec<u8>> {
    let message = pb::DownloadEvidenceRequest { name: name.to_owned() };
    let (mut evidence, token) = (drafts.connection.evidence(), drafts.token().await.map_err(Refused::from)?);
    let parts = evidence.download_evidence(request(Some(&token), message)).await;
    Ok(whole_file(parts.map_err(Refused::from)?.into_inner()).await.map_err(Refused::from)?)
}

/// Asks for a representative for a filing that is there already, and says the code to hand over.
pub async fn appoint(home: &Path, name: &str, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let (request_id, filing) = (Uuid::now_v7().to_string(), name.to_owned());
    let message = pb::AppointRepresentativeRequest { request_id, filing };
    let answer = connection.representations().appoint_representative(request(Some(&token), message)).await;
    let answer = answer.map_err(Refused::from)?.into_inner();
    let sought = answer.representation.context("representation")?;
    if teller.is_json() {
        teller.value(&json!({
            "name": sought.name, "filing": sought.filing, "code": answer.code,
            "valid_until_us": sought.valid_until_us,
        }));
        return Ok(());
    }
    let hand = "{}  hand this code to whom you want to represent you; it is good for 30 days";
    teller.line(&teller.filled(hand, &[&answer.code]));
    let enter = "They enter an appearance with it on Form G-28: docket representation enter --asked CODE";
    teller.line(teller.words(enter));
    let consent = "Then read it, and consent or refuse: docket representation consent CODE, or refuse CODE";
    teller.line(teller.words(consent));
    Ok(())
}

/// Withdraws the payment of what was sent and not paid, so that it is a draft again.
pub async fn recall(home: &Path, name: &str, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let message = pb::GetFilingRequest { name: name.to_owned(), language: String::new() };
    let answer = connection.drafts().get_filing(request(Some(&token), message)).await;
    let filing = answer.map_err(Refused::from)?.into_inner().filing.context("filing")?;
    let payment = format!("payments/{}", filing.package_id);
    let message = WithdrawPaymentRequest { request_id: Uuid::now_v7().to_string(), name: payment };
    let answer = connection.payments().withdraw_payment(request(Some(&token), message)).await;
    let payment = answer.map_err(Refused::from)?.into_inner().payment.context("payment")?;
    if teller.is_json() {
        teller.value(&json!({ "payment": payment.name, "filings": payment.filing_ids }));
        return Ok(());
    }
    teller.line(&teller.filled("{} is withdrawn; in a moment these are drafts again:", &[&payment.name]));
    for id in &payment.filing_ids {
        teller.line(&format!("filings/{id}"));
    }
    teller.line(teller.words("`docket file filings/<id>` goes on with one, `docket abandon` gives it up."));
    Ok(())
}

/// Gives a draft up, once that was confirmed.
pub async fn abandon(home: &Path, name: &str, confirmed: bool, teller: &Teller) -> Result<()> {
    let not_confirmed = "its answers and files are erased and cannot be had again: say --yes; `docket export` saves them first";
    anyhow::ensure!(confirmed, "{}", teller.words(not_confirmed));
    let filing = Drafts::of(home, "en").await?.give_up(name).await?;
    tell(&filing, teller);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_exported_is_the_draft() {
        let evidence = |kind: &str, file_name: &str, foreign_language: bool| pb::Evidence {
            kind: kind.into(),
            file_name: file_name.into(),
            media_type: "application/pdf".into(),
            foreign_language,
            ..pb::Evidence::default()
        };
        let filing = pb::Filing {
            name: "filings/1".into(),
            form: "I-90".into(),
            state: "draft".into(),
            edition: "2025-01-20".into(),
            answers_json: r#"{"reason":"never_received"}"#.into(),
            fee_waiver: true,
            waiver_answers_json: r#"{"basis":["financial_hardship"],"hardship":"The clinic closed."}"#.into(),
            evidence: vec![evidence("passport", "p.pdf", true), evidence("passport", "p.pdf", false)],
            unsolicited: vec![evidence("other", "letter.pdf", true)],
            explanations: vec![pb::MissingEvidence {
                kind: "notice".into(),
                explanation: "It never came.".into(),
            }],
            attention: vec![pb::CarriedOver {
                was: "entry_port".into(),
                happened: "dropped".into(),
                answer_json: r#""Miami""#.into(),
                ..pb::CarriedOver::default()
            }],
            review: "returned".into(),
            remark: "The date is wrong.".into(),
            helpers: vec![pb::Helper {
                role: "interpreter".into(),
                state: "signed".into(),
                ..pb::Helper::default()
            }],
            ..pb::Filing::default()
        };
        let exported = exported(&filing).unwrap();
        assert_eq!(exported["answers"], json!({ "reason": "never_received" }));
        assert_eq!(
            exported["fee_waiver_answers"],
            json!({ "basis": ["financial_hardship"], "hardship": "The clinic closed." })
        );
        let files: Vec<_> = exported["files"].as_array().unwrap().iter().collect();
        let of = |key: &str| files.iter().map(|file| file[key].clone()).collect::<Vec<_>>();
        assert_eq!(of("file"), ["01 p.pdf", "02 p.pdf", "03 letter.pdf"]);
        assert_eq!(of("foreign_language"), [true, false, true]);
        assert_eq!(of("added_unasked"), [false, false, true]);
        assert_eq!(
            exported["cannot_be_provided"],
            json!([{ "kind": "notice", "explanation": "It never came." }])
        );
        assert_eq!(exported["look_at"][0]["answer"], "Miami");
        assert_eq!(
            (&exported["review"], &exported["remark"]),
            (&json!("returned"), &json!("The date is wrong."))
        );
        assert_eq!(exported["helpers"][0]["state"], "signed");

        let erased = super::exported(&pb::Filing { erased: true, ..pb::Filing::default() }).unwrap();
        assert_eq!((&erased["answers"], &erased["fee_waiver_answers"]), (&Value::Null, &Value::Null));
    }
}
