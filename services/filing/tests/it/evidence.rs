//! Files: what is taken, what is not, and that it comes back byte for byte.

use tonic::Code;
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::files;
use crate::world::{World, bad_fields, reason};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_back_byte_for_byte_and_is_not_taken_twice() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap();
    let card = files::picture(1);
    assert!(card.len() > 512 * 1024, "it takes several frames");
    let command = Uuid::now_v7();
    let evidence =
        ana.upload_as(command, &draft.name, "green_card", "card (front).png", &card).await.unwrap();
    assert_eq!((evidence.media_type.as_str(), evidence.size), ("image/png", card.len() as u64));
    assert!(evidence.name.starts_with(&draft.name));
    let repeated =
        ana.upload_as(command, &draft.name, "green_card", "card (front).png", &card).await.unwrap();
    assert_eq!(repeated, evidence);
    let other =
        ana.upload_as(command, &draft.name, "green_card", "card (front).png", &files::picture(2)).await;
    assert_eq!(other.unwrap_err().code(), Code::AlreadyExists);

    let (header, bytes) = ana.download(&evidence.name).await.unwrap();
    assert_eq!(header, evidence);
    assert!(bytes == card, "the bytes are the same");
    let twin = ana.upload(&draft.name, "green_card", "copy.png", &card).await.unwrap_err();
    assert_eq!(reason(&twin), "ALREADY_ATTACHED");
    let shown = ana.get(&draft.name).await.unwrap();
    assert_eq!(shown.evidence, std::slice::from_ref(&evidence));
    // One paper may show two things: it goes into each place for which it is given, and is sent and stored once.
    let sent = ana.upload(&draft.name, "marriage_certificate", "copy.png", &card).await.unwrap_err();
    assert_eq!(reason(&sent), "ATTACHED_AS_ANOTHER_KIND");
    assert!(sent.message().contains("green_card"), "{sent:?}");
    let offered = sent.get_error_details().error_info().unwrap().metadata["evidence"].clone();
    assert_eq!(offered, evidence.name);
    let both = ana.reuse(Uuid::now_v7(), &draft.name, "marriage_certificate", &offered).await.unwrap();
    assert!(both.name != evidence.name && both.kind == "marriage_certificate");
    assert_eq!((ana.get(&draft.name).await.unwrap().evidence.len(), world.objects()), (2, 1));
    let third = ana.reuse(Uuid::now_v7(), &draft.name, "marriage_certificate", &offered).await.unwrap_err();
    assert_eq!(reason(&third), "ALREADY_ATTACHED");
    ana.remove(&both.name).await.unwrap();
    assert!(ana.download(&evidence.name).await.unwrap().1 == card, "the other keeps what both had");
    assert!(shown.evidence_needs.iter().all(|need| need.kind != "green_card" || need.satisfied));

    ana.remove(&evidence.name).await.unwrap();
    assert_eq!(ana.remove(&evidence.name).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(ana.download(&evidence.name).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_get_a_paper_says_why_and_is_not_held_up() {
    const WHY: &str = "My card was stolen in June;\nthe police gave me no copy of the report.";
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    assert!(!ana.answer(&draft, &crate::answers::ready()).await.unwrap().ready, "the card is missing");
    assert_eq!(reason(&ana.explain(&draft, "driving_licence", WHY).await.unwrap_err()), "NOT_ON_CHECKLIST");
    assert_eq!(reason(&ana.explain(&draft, "green_card", "lost").await.unwrap_err()), "EXPLANATION_LENGTH");
    let explained = ana.explain(&draft, "green_card", WHY).await.unwrap();
    let need = explained.evidence_needs.iter().find(|need| need.kind == "green_card").unwrap();
    assert!(explained.ready && need.explained && !need.satisfied, "{explained:?}");

    // It is part of what is signed, and who reads the filing reads it.
    let text = ana.review(&draft).await.unwrap().text;
    assert!(text.contains("Evidence that cannot be provided\n- green_card, "), "{text}");
    assert!(text.contains("My card was stolen in June;\n     | the police"), "{text}");
    let whole = ana.get(&draft).await.unwrap();
    assert_eq!(
        (whole.explanations[0].kind.as_str(), whole.explanations[0].explanation.as_str()),
        ("green_card", WHY)
    );

    let back = ana.explain(&draft, "green_card", " ").await.unwrap();
    assert!(!back.ready && ana.get(&draft).await.unwrap().explanations.is_empty());
    ana.explain(&draft, "green_card", WHY).await.unwrap();
    ana.upload(&draft, "green_card", "card.png", &files::picture(8)).await.unwrap();
    let found = ana.get(&draft).await.unwrap();
    assert!(found.ready && found.explanations.is_empty(), "a file needs no explanation");
    assert!(!ana.review(&draft).await.unwrap().text.contains("cannot be provided"));
    assert_eq!(reason(&ana.explain(&draft, "green_card", WHY).await.unwrap_err()), "EVIDENCE_ATTACHED");
    let eve = world.person("Eve", "Stone");
    assert_eq!(eve.explain(&draft, "green_card", WHY).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_right_is_not_taken() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    let card = files::picture(3);
    let refused = [
        ("green_card", "card.png", b"just words".to_vec(), "TYPE_NOT_ALLOWED"),
        ("green_card", "card.png", card[..card.len() / 2].to_vec(), "FILE_BROKEN"),
        ("green_card", "card.png", vec![0; 12 * 1024 * 1024 + 1], "TOO_LARGE"),
        ("green_card", "card.png", files::infected(), "MALWARE_FOUND"),
        ("driving_licence", "card.png", card.clone(), "KIND_UNKNOWN"),
    ];
    for (kind, name, bytes, expected) in refused {
        let status = ana.upload(&draft, kind, name, &bytes).await.unwrap_err();
        assert_eq!((status.code(), reason(&status)), (Code::InvalidArgument, expected.to_owned()));
    }
    let name = ana.upload(&draft, "green_card", "../card.png", &card).await.unwrap_err();
    assert_eq!(bad_fields(&name), ["file_name"]);

    // What can be said without the scanner is said at once, also while it is away.
    world.break_scanner("hangup").await;
    let broken = ana.upload(&draft, "green_card", "card.png", &card[..card.len() / 2]).await.unwrap_err();
    assert_eq!(reason(&broken), "FILE_BROKEN");
    assert_eq!(ana.get(&draft).await.unwrap().etag, 1);
    assert_eq!(world.objects(), 0);

    world.break_scanner("works").await;
    ana.upload(&draft, "green_card", "card.png", &card).await.unwrap();
    assert_eq!(world.objects(), 1);
}
