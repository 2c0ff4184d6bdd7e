//! Pages as pictures: what is seen of a file, by whom, and that nothing else of it comes along.

use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::view_evidence_response::Part;
use docket_service::testing::with_token;
use futures::future::Either;
use image::{Rgb, RgbImage};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::client::{Client, header_and_bytes};
use crate::keep::{abandon, until_erased};
use crate::papers::{self, SECRET};
use crate::world::{World, bad_fields, case_accepted, case_assigned, fee_settled, reason};
use crate::{corpus, files};

/// A page as it was shown.
struct Shown {
    view: pb::PageView,
    bytes: Vec<u8>,
    dots: RgbImage,
}

impl Shown {
    /// The colour at a place, in hundredths of width and height.
    fn at(&self, x: u32, y: u32) -> [u8; 3] {
        self.dots.get_pixel(self.dots.width() * x / 100, self.dots.height() * y / 100).0
    }

    fn size(&self) -> (u32, u32) {
        (self.view.width, self.view.height)
    }
}

impl Client {
    async fn view(&self, name: &str, page: u32, longest_side: u32) -> Result<Shown, Status> {
        self.view_with("", name, page, longest_side).await
    }

    /// The first page of a file, with a code.
    pub(crate) async fn looks(&self, code: &str, name: &str) -> Result<u32, Status> {
        Ok(self.view_with(code, name, 0, 0).await?.view.page)
    }

    async fn view_with(&self, code: &str, name: &str, page: u32, longest_side: u32) -> Result<Shown, Status> {
        let request = pb::ViewEvidenceRequest { name: name.into(), page, longest_side, code: code.into() };
        let parts = self.evidence.clone().view_evidence(with_token(request, &self.token)).await?.into_inner();
        let (view, bytes) = header_and_bytes(parts, |message| match message.part.expect("a part") {
            Part::View(view) => Either::Left(view),
            Part::Chunk(chunk) => Either::Right(chunk),
        })
        .await?;
        let dots = image::load_from_memory(&bytes).expect("a picture").into_rgb8();
        assert_eq!((view.width, view.height, view.size), (dots.width(), dots.height(), bytes.len() as u64));
        Ok(Shown { view, bytes, dots })
    }

    /// Attaches a file and shows its first page in the usual size.
    async fn shown(&self, draft: &str, bytes: &[u8]) -> Shown {
        let evidence = self.upload(draft, "green_card", "paper", bytes).await.expect("it is taken").name;
        self.view(&evidence, 0, 0).await.expect("it is shown")
    }
}

fn is_near(seen: [u8; 3], wanted: [u8; 3]) -> bool {
    seen.iter().zip(wanted).all(|(seen, wanted)| seen.abs_diff(wanted) < 40)
}

const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const WHITE: [u8; 3] = [255; 3];
const BLACK: [u8; 3] = [0; 3];

#[tokio::test(flavor = "multi_thread")]
async fn each_page_of_a_pdf_is_shown_as_it_is_drawn_in_the_size_that_is_asked_for() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    let name = ana.upload(&draft, "green_card", "two.pdf", &papers::two_pages()).await.unwrap().name;
    let (first, second) = (ana.view(&name, 0, 0).await.unwrap(), ana.view(&name, 2, 800).await.unwrap());
    assert_eq!((first.view.page, first.view.page_count, first.size()), (1, 2, (1236, 1600)));
    assert_eq!((second.view.page, second.view.page_count, second.size()), (2, 2, (618, 800)));
    assert_eq!((first.view.media_type.as_str(), first.view.incomplete), ("image/png", false));
    assert_eq!([first.at(25, 25), first.at(75, 25), first.at(25, 75)], [RED, WHITE, WHITE]);
    assert_eq!([second.at(25, 25), second.at(75, 25), second.at(25, 75)], [BLUE, WHITE, WHITE]);
    let ink = first.dots.enumerate_pixels().filter(|(x, y, dot)| *x > 618 && *y > 800 && dot.0 == BLACK);
    assert!((2_000..60_000).contains(&ink.count()), "a word of five letters, an inch high");

    let thumbnail = ana.view(&name, 1, 256).await.unwrap();
    assert_eq!((thumbnail.size(), thumbnail.at(25, 25)), ((198, 256), RED));
    assert_eq!(ana.view(&name, 1, 2_400).await.unwrap().size(), (1855, 2_400));
    assert_eq!(ana.download(&name).await.unwrap().1, papers::two_pages(), "the original stays what it is");
    assert_eq!(world.objects(), 1, "nothing is kept of what was shown");

    // What its owner alone may change opens without a password, and is shown as if it were not locked.
    for lock in [corpus::Lock::Rc4, corpus::Lock::Aes128, corpus::Lock::Aes256] {
        let document = lopdf::Document::load_mem(&papers::two_pages()).unwrap();
        let shown = ana.shown(&draft, &corpus::locked(document, lock, "")).await;
        assert_eq!((shown.view.page_count, shown.view.incomplete), (2, false), "{lock:?}");
        assert_eq!([shown.at(25, 25), shown.at(75, 25), shown.at(25, 75)], [RED, WHITE, WHITE], "{lock:?}");
        assert!(shown.dots == first.dots, "{lock:?}: other dots");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_come_upright_in_their_colours_and_with_nothing_that_a_camera_wrote() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    let turned = ana.shown(&draft, &papers::turned_photograph()).await;
    assert_eq!(turned.size(), (400, 800), "not made larger");
    assert!(is_near(turned.at(50, 25), [220, 20, 20]) && is_near(turned.at(50, 75), [20, 20, 220]));
    assert!(!papers::holds(&turned.bytes, SECRET) && !papers::holds(&turned.bytes, "Exif"));

    for (inks, colour) in [
        ([255, 0, 0, 0], [0, 255, 255]),
        ([0, 255, 0, 0], [255, 0, 255]),
        ([0, 0, 0, 255], BLACK),
        ([0, 0, 0, 0], WHITE),
    ] {
        let seen = ana.shown(&draft, &papers::inks(inks)).await.at(50, 50);
        assert!(is_near(seen, colour), "{inks:?} is {seen:?}, not {colour:?}");
    }
    let one_bit = ana.shown(&draft, &papers::one_bit_png()).await;
    assert_eq!([one_bit.at(50, 25), one_bit.at(50, 75)], [BLACK, WHITE]);
    let stamp = ana.shown(&draft, &papers::stamp()).await;
    assert_eq!([stamp.at(50, 50), stamp.at(10, 10)], [[200, 0, 0], WHITE], "on white");

    let (above, left) = ([[0; 8], [u16::MAX; 8]].concat(), [0x00ff; 16]);
    let fax = papers::fax(&[above.try_into().unwrap(), left]);
    let name = ana.upload(&draft, "green_card", "fax.tif", &fax).await.unwrap().name;
    let (first, second) = (ana.view(&name, 1, 64).await.unwrap(), ana.view(&name, 2, 64).await.unwrap());
    assert_eq!((first.view.page_count, first.size(), second.size()), (2, (16, 16), (16, 16)));
    assert_eq!([first.at(75, 25), first.at(25, 75)], [BLACK, WHITE]);
    assert_eq!([second.at(75, 25), second.at(25, 75)], [WHITE, BLACK]);
    assert_eq!(reason(&ana.view(&name, 3, 64).await.err().unwrap()), "PAGE_OUTSIDE");

    // A photograph goes as one, in a twentieth of its dots; and what is larger is made smaller.
    let noise = ana.shown(&draft, &files::picture(71)).await;
    assert_eq!((noise.view.media_type.as_str(), noise.size()), ("image/jpeg", (420, 420)));
    let large = RgbImage::from_fn(4_000, 3_000, |x, _| Rgb(if x < 2_000 { RED } else { BLUE }));
    let mut bytes = std::io::Cursor::new(Vec::new());
    large.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    let shown = ana.shown(&draft, &bytes.into_inner()).await;
    assert_eq!((shown.size(), shown.at(25, 50), shown.at(75, 50)), ((1600, 1200), RED, BLUE));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_shows_what_is_ticked_and_what_is_missing_is_said() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    let ticked = ana.shown(&draft, &papers::ticked()).await;
    assert_eq!([ticked.at(10, 10), ticked.at(90, 10), ticked.at(10, 90)], [BLACK, WHITE, WHITE]);
    assert!(!ticked.view.incomplete);
    assert!(
        ana.shown(&draft, &papers::without_its_font()).await.view.incomplete,
        "letters that nobody here has"
    );
    let broken = papers::picture_in_pdf(b"no picture at all".to_vec(), 8, 8, "DeviceRGB");
    assert!(ana.shown(&draft, &broken).await.view.incomplete, "a picture that cannot be read");
    let inks = papers::picture_in_pdf(papers::inks([255, 0, 0, 0]), 8, 8, "DeviceCMYK");
    let inks = ana.shown(&draft, &inks).await;
    assert!(inks.at(50, 50)[0] < 100 && inks.at(50, 50)[2] > 180, "cyan, not {:?}", inks.at(50, 50));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_read_a_file_sees_it_and_nobody_else() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (ada, ben) = (world.officer("adjudicator", "NBC").await, world.officer("adjudicator", "NBC").await);
    let (filing, payment) = ana.sent().await;
    let name = ana.get(&filing).await.unwrap().evidence[0].name.clone();
    world.payment(&payment, fee_settled(&payment, &filing, world.now_us())).await;
    ana.until(&filing, "submitted").await;
    world.case(&filing, case_accepted("DKT1234567897")).await;
    world.case(&filing, case_assigned(ada.account)).await;
    ada.until(&filing, "accepted").await;
    for reader in [&ana, &ada] {
        assert_eq!(reader.view(&name, 1, 128).await.unwrap().size(), (128, 128));
    }
    for stranger in [&ben, &world.person("Eve", "Stone")] {
        assert_eq!(stranger.view(&name, 1, 128).await.err().unwrap().code(), Code::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_an_answer_to_a_request_are_shown_to_whoever_may_read_it() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (draft, _) = ana.sent().await;
    let request = Uuid::now_v7();
    world.ask(&draft, request, &["tax_transcripts"], world.now_us() + 1_000_000).await;
    let response = ana.until_response(request).await.name;
    let name =
        ana.upload(&response, "tax_transcripts", "taxes.pdf", &papers::two_pages()).await.unwrap().name;
    assert_eq!(ana.view(&name, 2, 128).await.unwrap().at(25, 25), BLUE);
    let eve = world.person("Eve", "Stone");
    assert_eq!(eve.view(&name, 1, 128).await.err().unwrap().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_draft_that_was_given_up_are_gone_with_it() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    let name = ana.upload(&draft, "green_card", "two.pdf", &papers::two_pages()).await.unwrap().name;
    ana.view(&name, 1, 128).await.unwrap();
    abandon(&ana, Uuid::now_v7(), &draft).await.unwrap();
    until_erased(&world, &ana, &draft).await;
    let gone = ana.view(&name, 1, 128).await.err().unwrap();
    assert_eq!((gone.code(), reason(&gone).as_str()), (Code::FailedPrecondition, "ERASED"));
    let eve = world.person("Eve", "Stone");
    assert_eq!(eve.view(&name, 1, 128).await.err().unwrap().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_draw_says_so_and_takes_no_file_and_another_shows_the_page() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    let name = ana.upload(&draft, "green_card", "two.pdf", &papers::two_pages()).await.unwrap().name;
    let missing = world.node_reading_with("/nowhere/docket-filing".into()).await;
    let there = ana.at(&missing);
    let away = there.view(&name, 1, 128).await.err().unwrap();
    assert_eq!((away.code(), reason(&away).as_str()), (Code::Unavailable, "INSPECTOR_UNAVAILABLE"));
    assert!(away.get_details_retry_info().is_some(), "it says when to ask again");
    let untaken = there.upload(&draft, "green_card", "card.png", &files::picture(44)).await.unwrap_err();
    assert_eq!(reason(&untaken), "INSPECTOR_UNAVAILABLE");
    assert_eq!(ana.get(&draft).await.unwrap().evidence.len(), 1, "nothing of it was attached");
    assert_eq!(ana.view(&name, 1, 128).await.unwrap().view.page_count, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_shown_is_refused_in_words_and_the_next_page_is_shown() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    let attach = async |file_name: &str, bytes: Vec<u8>| {
        ana.upload(&draft, "green_card", file_name, &bytes).await.unwrap().name
    };
    let two = attach("two.pdf", papers::two_pages()).await;
    let beyond = ana.view(&two, 3, 0).await.err().unwrap();
    assert_eq!((beyond.code(), bad_fields(&beyond)), (Code::InvalidArgument, vec!["page".to_owned()]));
    assert!(beyond.message().contains("1 to 2"), "{beyond:?}");
    for side in [63, 2_401, u32::MAX] {
        let refused = ana.view(&two, 1, side).await.err().unwrap();
        assert_eq!(
            (reason(&refused).as_str(), bad_fields(&refused)),
            ("SIZE_OUTSIDE", vec!["longest_side".to_owned()])
        );
    }
    let malformed = ana.view("card.png", 1, 0).await.err().unwrap();
    assert_eq!(reason(&malformed), "NAME_MALFORMED");

    // One that takes for ever, and one whose picture says that it is larger than all memory.
    let endless = attach("endless.pdf", papers::endless()).await;
    let huge = corpus::lying_jpeg(65_000, 65_000);
    let huge = attach("huge.pdf", papers::picture_in_pdf(huge, 65_000, 65_000, "DeviceRGB")).await;
    let bob = world.person("Bob", "Stone");
    let his = bob.start("N-400").await.unwrap().name;
    let his = bob.upload(&his, "green_card", "two.pdf", &papers::two_pages()).await.unwrap().name;
    let waits = |side| {
        let (ana, endless) = (ana.clone(), endless.clone());
        tokio::spawn(async move { ana.view(&endless, 1, side).await.err().unwrap() })
    };
    let (first, second) = (waits(0), waits(64));
    for _ in 0..3 {
        assert_eq!(bob.view(&his, 1, 0).await.unwrap().at(25, 25), RED);
    }
    assert!(!first.is_finished() && !second.is_finished(), "one person's pages hold up nobody else's");
    second.abort();
    let mut undrawn = first.await.unwrap();
    // Where the machine has not a quarter of a processor for it, it or the database is said to be late, and asked again.
    for _ in 0..10 {
        if undrawn.code() == Code::Unavailable {
            undrawn = ana.view(&endless, 1, 0).await.err().unwrap();
        }
    }
    assert_eq!((undrawn.code(), reason(&undrawn).as_str()), (Code::FailedPrecondition, "PAGE_NOT_DRAWN"));
    match ana.view(&huge, 1, 0).await {
        Ok(shown) => assert!(shown.view.incomplete, "a picture is missing"),
        Err(refused) => assert_eq!(reason(&refused), "PAGE_NOT_DRAWN"),
    }

    // Sheets beyond all measure, and one without any, are shown all the same.
    for (file_name, width, height, size) in [
        ("wide.pdf", 9_000_000, 4_500_000, (800, 400)),
        ("line.pdf", 100_000, 1, (800, 1)),
        ("none.pdf", 0, 0, (566, 800)),
    ] {
        let name =
            attach(file_name, papers::pdf(vec![(papers::sheet(width, height), String::new())], None)).await;
        assert_eq!(ana.view(&name, 1, 800).await.unwrap().size(), size, "{file_name}");
    }
    assert_eq!(ana.view(&two, 2, 64).await.unwrap().at(25, 25), BLUE);
}
