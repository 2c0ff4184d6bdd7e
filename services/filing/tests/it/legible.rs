//! What may be hard to read on a page is told at once, kept, and hinders nothing.

use docket_proto::events::filing::Event;
use docket_proto::types::v1::HardToRead;

use crate::world::{World, case_assigned};
use crate::{files, papers};

fn fault(page: u32, fault: &str, dots_per_inch: u32) -> HardToRead {
    HardToRead { page, fault: fault.into(), dots_per_inch }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_may_be_hard_to_read_is_told_at_once_and_left_to_the_person() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    ana.answer(&draft, &crate::answers::ready()).await.unwrap();
    let good = ana.upload(&draft, "green_card", "good.png", &files::sheet(300, (20, 250))).await.unwrap();
    assert_eq!(good.hard_to_read, []);
    let shown = ana.get(&draft).await.unwrap();
    assert!(shown.findings.iter().all(|one| one.rule != "file-hard-to-read"), "{:?}", shown.findings);
    ana.remove(&good.name).await.unwrap();

    let blank = ana.upload(&draft, "green_card", "blank.png", &files::sheet(300, (250, 250))).await.unwrap();
    assert_eq!(blank.hard_to_read, [fault(1, "blank", 0)]);
    let Event::EvidenceAdded(added) = world.last_event(&draft).await else { panic!("it was added") };
    assert_eq!(added.hard_to_read, blank.hard_to_read);
    let dark = ana.upload(&draft, "green_card", "dark.png", &files::sheet(300, (40, 10))).await.unwrap();
    assert_eq!(dark.hard_to_read, [fault(1, "dark", 0)]);
    let coarse = ana.upload(&draft, "green_card", "coarse.png", &files::sheet(100, (20, 250))).await.unwrap();
    assert_eq!(coarse.hard_to_read, [fault(1, "coarse", 100)]);

    for (language, says) in [("en", "has only 100 dots an inch"), ("es", "tiene solo 100 puntos por pulgada")]
    {
        let told = ana.get_in(&draft, language).await.unwrap();
        let told: Vec<_> = told.findings.iter().filter(|one| one.rule == "file-hard-to-read").collect();
        assert!(told.iter().all(|one| one.level == "warn" && one.field == "green_card"), "{told:?}");
        assert!(told.len() == 3 && told[2].message.contains(says), "{told:?}");
    }
    ana.quote(&draft).await.unwrap();
    let review = ana.review(&draft).await.unwrap();
    assert_eq!(review.hard_to_read, [blank, dark, coarse]);
    assert!(!review.text.contains("dots an inch"), "what is signed is what the person says");
    assert_eq!(ana.sign(&draft, &review.content_hash, "Ana Lucia Lima").await.unwrap().state, "signed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_first_page_cannot_be_drawn_is_known_when_it_comes_and_the_officer_sees_that() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    let attach = async || ana.upload(&draft, "green_card", "endless.pdf", &papers::endless()).await.unwrap();
    let mut endless = attach().await;
    // Where the machine has not a quarter of a processor for it, nothing is known of the page.
    for _ in 0..5 {
        if endless.hard_to_read.is_empty() {
            ana.remove(&endless.name).await.unwrap();
            endless = attach().await;
        }
    }
    assert_eq!(endless.hard_to_read, [fault(1, "undrawn", 0)], "it is taken, and said");
    for (language, says) in
        [("en", "photograph the paper, and send that"), ("es", "no se puede mostrar como imagen")]
    {
        let told = ana.get_in(&draft, language).await.unwrap().findings;
        let told = told.iter().find(|one| one.rule == "file-hard-to-read").expect("it is told");
        assert!(told.level == "warn" && told.message.contains(says), "{told:?}");
    }
    let officer = world.officer("adjudicator", "NBC").await;
    world.case(&draft, case_assigned(officer.account)).await;
    let seen = officer.until(&draft, "draft").await;
    assert_eq!(seen.evidence[0].hard_to_read, endless.hard_to_read);
}
