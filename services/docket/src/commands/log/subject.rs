//! `docket log subject`: erasure by two people, and legal hold.
use super::args::SubjectCommand;
use super::{Operator, show};
use crate::commands::{Refused, when};
use anyhow::{Context, Result};
use docket_proto::identity::v1::{GetErasureRequest, GetErasureResponse};
use docket_proto::log::v1 as pb;
use serde_json::json;

pub(super) async fn run(operator: &Operator<'_>, command: SubjectCommand) -> Result<()> {
    let mut client = operator.connection.subject_admin(operator.service())?;
    let teller = operator.teller;
    match command {
        SubjectCommand::Show { subject } => {
            let asked = operator.ask(pb::GetSubjectRequest { subject });
            let stands = client.get_subject(asked).await.map_err(Refused::from)?.into_inner();
            stand(operator, &stands)
        }
        SubjectCommand::Requests => {
            let asked = operator.ask(pb::ListErasureRequestsRequest {});
            let open = client.list_erasure_requests(asked).await.map_err(Refused::from)?.into_inner();
            requests(operator, open.requests)
        }
        SubjectCommand::Erase { subject, reason, legal_basis } => {
            let asked = operator.ask(pb::RequestErasureRequest { subject, reason, legal_basis });
            let answer = client.request_erasure(asked).await.map_err(Refused::from)?.into_inner();
            let request = answer.request.context("a request")?;
            if teller.is_json() {
                teller.value(&show::json_of("ErasureRequest", &request)?);
            } else {
                teller.line(&format!("asked; somebody else runs: docket log subject approve {}", request.id));
            }
            Ok(())
        }
        SubjectCommand::Approve { request } => {
            let asked = operator.ask(pb::ApproveErasureRequest { request });
            let answer = client.approve_erasure(asked).await.map_err(Refused::from)?.into_inner();
            let signed = answer.certificate.context("a certificate")?;
            if teller.is_json() {
                teller.value(&show::json_of("ErasureCertificate", &signed)?);
            } else {
                teller.line("the key is destroyed; the certificate:");
                teller.line(&signed.statement);
            }
            Ok(())
        }
        SubjectCommand::Answers { request } => {
            let asked = operator.ask(GetErasureRequest { request });
            let mut identity = operator.connection.erasures();
            let erasure = identity.get_erasure(asked).await.map_err(Refused::from)?.into_inner();
            answers(operator, &erasure)
        }
        SubjectCommand::Cancel { request } => {
            let asked = operator.ask(pb::CancelErasureRequest { request });
            client.cancel_erasure(asked).await.map_err(Refused::from)?;
            teller.line("the request is closed");
            Ok(())
        }
        SubjectCommand::Hold { subject, reason } => {
            let asked = operator.ask(pb::HoldSubjectRequest { subject, reason });
            client.hold_subject(asked).await.map_err(Refused::from)?;
            teller.line("held: nothing of it can be erased");
            Ok(())
        }
        SubjectCommand::Release { subject, reason, why } => {
            let asked = operator.ask(pb::ReleaseSubjectRequest { subject, reason, why });
            let done = client.release_subject(asked).await.map_err(Refused::from)?.into_inner();
            if teller.is_json() {
                teller.value(&json!({"released": done.released}));
            } else {
                teller.line(if done.released { "released" } else { "there was no such hold" });
            }
            Ok(())
        }
    }
}

fn requests(operator: &Operator<'_>, requests: Vec<pb::ErasureRequest>) -> Result<()> {
    let mut rows = Vec::new();
    for one in requests {
        if operator.teller.is_json() {
            operator.teller.value(&show::json_of("ErasureRequest", &one)?);
        }
        rows.push(vec![
            one.id,
            one.subject,
            one.reason,
            one.legal_basis,
            one.asked_by,
            when(one.asked_at_us),
            one.state,
        ]);
    }
    if !operator.teller.is_json() {
        let heads = ["request", "subject", "reason", "legal basis", "asked by", "asked", "state"];
        operator.teller.table(&heads, rows);
    }
    Ok(())
}

fn answers(operator: &Operator<'_>, erasure: &GetErasureResponse) -> Result<()> {
    let teller = operator.teller;
    if teller.is_json() {
        teller.value(&show::json_of_any("docket.identity.v1.GetErasureResponse", erasure)?);
        return Ok(());
    }
    teller.line(&format!("the keys of {}", erasure.subject));
    let answered = erasure.certificates.iter().map(|one| {
        let erased_at = serde_json::from_str::<serde_json::Value>(&one.statement).ok();
        let erased_at = erased_at.and_then(|statement| Some(statement["erased_at"].as_str()?.to_owned()));
        vec![one.service.clone(), erased_at.unwrap_or_default(), one.key_id.clone()]
    });
    let missing =
        erasure.missing.iter().map(|service| vec![service.clone(), "not yet".into(), String::new()]);
    teller.table(&["service", "destroyed", "signed by"], answered.chain(missing).collect());
    match &erasure.completion {
        Some(signed) => {
            teller.line("all have answered; the certificate:");
            teller.line(&signed.statement);
        }
        None => teller.line("not all have answered: one that is away, or a legal hold there, may be why"),
    }
    Ok(())
}

fn stand(operator: &Operator<'_>, stands: &pb::GetSubjectResponse) -> Result<()> {
    let teller = operator.teller;
    if teller.is_json() {
        teller.value(&show::json_of("GetSubjectResponse", stands)?);
        return Ok(());
    }
    requests(operator, stands.requests.clone())?;
    let rows = stands.holds.iter().map(|hold| {
        let released =
            if hold.released_at_us == 0 { "in force".to_owned() } else { when(hold.released_at_us) };
        vec![hold.reason.clone(), hold.held_by.clone(), when(hold.held_at_us), released]
    });
    teller.table(&["hold", "by", "since", "released"], rows.collect());
    match &stands.certificate {
        Some(signed) => teller.line(&signed.statement),
        None => teller.line("its key is there"),
    }
    Ok(())
}
