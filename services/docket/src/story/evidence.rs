//! Sends a file as evidence and checks that it comes back byte for byte; opens one as an officer does, and sees who did.
use super::party::{call, wait_for};
use super::player::{Answer, Player, Stumble};
use crate::client::{patiently, request, whole_file, whole_page};
use anyhow::{Context, anyhow};
use docket_proto::filing::v1 as pb;
use pb::upload_evidence_request::Part;
use tonic::Code;

const CHUNK: usize = 256 * 1024;

/// Uploads a file of the story's folder to a filing or a response; gives its name and size.
pub async fn upload(
    player: &Player,
    who: &str,
    parent: &str,
    kind: &str,
    file: &str,
    request_id: &str,
) -> Result<pb::Evidence, Stumble> {
    let path = player.folder.join("evidence").join(file);
    let bytes = std::fs::read(&path).with_context(|| format!("read {}", path.display()))?;
    let header = pb::UploadHeader {
        request_id: request_id.to_owned(),
        parent: parent.to_owned(),
        kind: kind.to_owned(),
        file_name: file.to_owned(),
        foreign_language: false,
    };
    let token = player.token(who)?;
    let answer = patiently(|| {
        let mut client = player.connection.evidence();
        let mut parts = vec![pb::UploadEvidenceRequest { part: Some(Part::Header(header.clone())) }];
        parts.extend(
            bytes
                .chunks(CHUNK)
                .map(|chunk| pb::UploadEvidenceRequest { part: Some(Part::Chunk(chunk.to_vec())) }),
        );
        let message = request(token.as_deref(), tokio_stream::iter(parts));
        async move { client.upload_evidence(message).await }
    })
    .await?;
    let evidence = answer.into_inner().evidence.ok_or_else(|| anyhow!("no evidence in the answer"))?;
    let back = download(player, who, &evidence.name).await?;
    if back != bytes {
        return Err(anyhow!("{file} came back changed").into());
    }
    Ok(evidence)
}

/// Opens, as somebody of the office, the first file of a kind in the filing at hand, as soon as the filing may be seen.
pub async fn open(player: &Player, who: &str, kind: &str) -> Answer {
    let seen = at_hand(player, who).await?;
    let file = seen.evidence.iter().find(|file| file.kind == kind).with_context(|| format!("no {kind}"))?;
    let bytes = download(player, who, &file.name).await?;
    if bytes.len() as u64 != file.size {
        return Err(anyhow!("{} has {} bytes instead of {}", file.file_name, bytes.len(), file.size).into());
    }
    Ok(format!("{} of {}: {} bytes", file.file_name, seen.form, bytes.len()))
}

/// Looks at the first page of the first file of a kind in the filing at hand.
pub async fn view(player: &Player, who: &str, kind: &str) -> Answer {
    let seen = at_hand(player, who).await?;
    let file = seen.evidence.iter().find(|file| file.kind == kind).with_context(|| format!("no {kind}"))?;
    let (name, token) = (file.name.clone(), player.token(who)?);
    let looked = patiently(|| {
        let mut client = player.connection.evidence();
        let message = pb::ViewEvidenceRequest { name: name.clone(), longest_side: 256, ..Default::default() };
        let message = request(token.as_deref(), message);
        async move { whole_page(client.view_evidence(message).await?.into_inner()).await }
    });
    let (view, picture) = looked.await?;
    let view = view.context("an answer without its header")?;
    if view.size != picture.len() as u64 {
        return Err(anyhow!("a picture of {} bytes instead of {}", picture.len(), view.size).into());
    }
    Ok(format!("page 1 of {} of {}, {} by {} dots", view.page_count, file.file_name, view.width, view.height))
}

/// Reads who opened the files of the filing at hand. The party is told of the office's people what they are, and not who.
pub async fn see_accesses(player: &Player, who: &str, office: &[String], named: bool) -> Answer {
    let filing = player.matter.filing.clone();
    let message = pb::ListAccessesRequest { filing, page_size: 100, ..Default::default() };
    let accesses = call!(player, player.token(who)?, evidence, list_accesses, message)?.accesses;
    let party = ["applicant", "representative", "co_signer"];
    let of_office: Vec<&pb::Access> =
        accesses.iter().filter(|access| !party.contains(&access.stands_as.as_str())).collect();
    let seen: Vec<String> =
        of_office.iter().map(|access| format!("{} {}", access.stands_as, access.opened)).collect();
    if seen != office || of_office.iter().any(|access| access.account.is_empty() == named) {
        return Err(anyhow!("the office's accesses are {of_office:?}").into());
    }
    Ok(format!("{} by the party; by the office: {}", accesses.len() - seen.len(), seen.join(", ")))
}

/// Reads the answers of what went in with the filing at hand.
pub async fn read_enclosed(player: &Player, who: &str, form: &str) -> Answer {
    let seen = at_hand(player, who).await?;
    let enclosed = seen.enclosed.iter().find(|enclosed| enclosed.form == form);
    let name = enclosed.with_context(|| format!("no {form} went in with it"))?.name.clone();
    let message = pb::GetFilingRequest { name, language: String::new() };
    let filing = call!(player, player.token(who)?, drafts, get_filing, message)?.filing.context("filing")?;
    if filing.answers_json.len() < 3 || filing.state != "accepted" || !filing.receipt_number.is_empty() {
        return Err(anyhow!("{form} is not there to be read, accepted without a number: {filing:?}").into());
    }
    Ok(format!("{form} went in with {}: its answers and {} files", seen.form, filing.evidence.len()))
}

/// The filing at hand, as soon as it may be seen.
async fn at_hand(player: &Player, who: &str) -> Result<pb::Filing, Stumble> {
    wait_for("the filing may be seen", async || {
        let message = pb::GetFilingRequest { name: player.matter.filing.clone(), language: String::new() };
        match call!(player, player.token(who)?, drafts, get_filing, message) {
            Ok(answer) => Ok(answer.filing),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(status.into()),
        }
    })
    .await
}

/// Downloads a piece of evidence whole; from its beginning again where it breaks off.
async fn download(player: &Player, who: &str, name: &str) -> Result<Vec<u8>, Stumble> {
    let token = player.token(who)?;
    let bytes = patiently(|| {
        let mut client = player.connection.evidence();
        let message = request(token.as_deref(), pb::DownloadEvidenceRequest { name: name.to_owned() });
        async move { whole_file(client.download_evidence(message).await?.into_inner()).await }
    });
    Ok(bytes.await?)
}
