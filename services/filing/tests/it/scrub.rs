//! Files are read over day by day: what the store lost, turned or swapped is found, and is over when it is back.

use std::collections::BTreeMap;
use std::time::Duration;

use docket_proto::events::filing;
use tokio::time::{sleep, timeout};

use crate::copies::at_length;
use crate::files;
use crate::world::World;

const PATIENCE: Duration = Duration::from_mins(1);
const DAY_S: i64 = 86_400;

/// What is named as damaged where it is nobody's evidence.
const SIGNED: &str = "what was signed";

/// What is damaged: evidence and fault.
async fn damaged(world: &World) -> BTreeMap<String, String> {
    let rows: Vec<(Option<uuid::Uuid>, String)> =
        sqlx::query_as("SELECT evidence_id, fault FROM damaged_file").fetch_all(world.pool()).await.unwrap();
    let name = |evidence: Option<uuid::Uuid>| evidence.map_or(SIGNED.to_owned(), |id| id.to_string());
    rows.into_iter().map(|(evidence, fault)| (name(evidence), fault)).collect()
}

/// Waits until that is what is damaged.
async fn found(world: &World, wanted: &[(&str, &str)]) {
    let wanted: BTreeMap<String, String> =
        wanted.iter().map(|(evidence, fault)| ((*evidence).to_owned(), (*fault).to_owned())).collect();
    let seen = timeout(PATIENCE, async {
        while damaged(world).await != wanted {
            sleep(Duration::from_millis(100)).await;
        }
    });
    let seen = seen.await;
    assert!(seen.is_ok(), "{:?} and not {wanted:?}", damaged(world).await);
}

/// Waits until a pass that began after that instant has ended.
async fn passed(world: &World, after_us: i64) {
    let ended = "SELECT count(*) FROM file_scrub WHERE began_at_us >= $1 AND ended_at_us IS NOT NULL";
    let over = timeout(PATIENCE, async {
        while sqlx::query_scalar::<_, i64>(ended).bind(after_us).fetch_one(world.pool()).await.unwrap() == 0 {
            sleep(Duration::from_millis(100)).await;
        }
    });
    over.await.expect("a pass ends");
}

/// The object of the file that was added last.
fn newest(world: &World, known: &mut Vec<String>) -> String {
    let new: Vec<String> = world.shelf.names().into_iter().filter(|name| !known.contains(name)).collect();
    let [name] = new.as_slice() else { panic!("{new:?}") };
    known.push(name.clone());
    name.clone()
}

/// A sector that cannot be read is an error of the disk, and no answer about the file: it keeps no other from being read.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_keeps_no_other_from_being_read() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (mut names, mut ids, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for seed in [35, 36, 37] {
        let draft = ana.start("N-400").await.unwrap().name;
        let evidence = ana.upload(&draft, "green_card", "a file.png", &files::picture(seed)).await.unwrap();
        names.push(newest(&world, &mut known));
        ids.push(evidence.name.rsplit('/').next().unwrap().to_owned());
    }
    world.shelf.jam(&names[0]);
    world.shelf.lose(&names[2]);
    let tomorrow = world.now_us() + DAY_S * 1_000_000;
    world.advance(DAY_S + 60);
    found(&world, &[(&ids[2], "missing")]).await;
    passed(&world, tomorrow).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_store_loses_turns_or_swaps_is_found_within_a_day() {
    are_found(World::start().await).await;
}

/// The same, wherever the files lie.
pub(crate) async fn are_found(world: World) {
    let mut ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    let (mut names, mut ids, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for (seed, kind) in [(31, "green_card"), (32, "green_card"), (33, "green_card"), (34, "green_card")] {
        let evidence = ana.upload(&draft, kind, "a file.png", &files::picture(seed)).await.unwrap();
        names.push(newest(&world, &mut known));
        ids.push(evidence.name.rsplit('/').next().unwrap().to_owned());
    }
    let whole: Vec<Vec<u8>> = names.iter().map(|name| world.shelf.read(name)).collect();

    // One is gone, in one a bit is turned deep inside, one has another's key in its head, one is cut off.
    world.shelf.lose(&names[0]);
    let mut turned = whole[1].clone();
    let middle = turned.len() / 2;
    turned[middle] ^= 1;
    world.shelf.write(&names[1], &turned);
    let mut head = whole[2].clone();
    head[9] ^= 1;
    world.shelf.write(&names[2], &head);
    world.shelf.write(&names[3], &whole[3][..whole[3].len() - 1]);
    world.advance(DAY_S + 60);
    let faults: Vec<(&str, &str)> =
        ids.iter().map(String::as_str).zip(["missing", "altered", "altered", "altered"]).collect();
    found(&world, &faults).await;

    // A sealed file in another's place is none.
    world.shelf.write(&names[0], &whole[1]);
    found(&world, &[(&ids[0], "altered"), faults[1], faults[2], faults[3]]).await;

    // Brought back from a copy, it is over without a word.
    for (name, bytes) in names.iter().zip(&whole) {
        world.shelf.write(name, bytes);
    }
    found(&world, &[]).await;

    // What was taken off is missed by nobody, and the next day everything is read again.
    ana.token = world.token(ana.account);
    ana.remove(&format!("{draft}/evidence/{}", ids[3])).await.unwrap();
    if world.shelf.names().contains(&names[3]) {
        world.shelf.lose(&names[3]);
    }
    let tomorrow = world.now_us() + DAY_S * 1_000_000;
    world.advance(DAY_S + 60);
    passed(&world, tomorrow).await;
    found(&world, &[]).await;
}

/// What is too large for the event of its signature is kept beside it: nobody else would miss it before a copy is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_and_lies_beside_its_event_is_read_over_too() {
    signed_is_found(World::start().await).await;
}

/// The same, wherever it lies.
pub(crate) async fn signed_is_found(world: World) {
    let mut ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    ana.make_ready(&draft).await;
    ana.answer(&draft, &at_length()).await.unwrap();
    ana.quote(&draft).await.unwrap();
    ana.sign_now(&draft).await;
    let filing::Event::FilingSigned(signed) = world.last_event(&draft).await else { panic!() };
    let (shelf, sheet) = (&world.shelf, &signed.sheet_key);
    let whole = shelf.read(sheet);
    let mut turned = whole.clone();
    turned[whole.len() / 2] ^= 1;
    shelf.write(sheet, &turned);
    world.advance(DAY_S + 60);
    found(&world, &[(SIGNED, "altered")]).await;
    shelf.write(sheet, &whole);
    found(&world, &[]).await;

    // Also when that signature holds no more: it is part of what happened.
    ana.token = world.token(ana.account);
    ana.answer(&draft, &serde_json::json!({ "app_weight": 141 })).await.unwrap();
    shelf.lose(sheet);
    world.advance(DAY_S + 60);
    found(&world, &[(SIGNED, "missing")]).await;
    shelf.write(sheet, &whole);
    found(&world, &[]).await;
}
