//! Files that a page in a browser uploads by tus: gone on with after a cut, on another node, attached with the last byte.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderMap;
use reqwest::{Body, Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::files;
use crate::world::{PORTAL, World};

/// A page of one person, at one node.
struct Page {
    base: String,
    http: Client,
    token: String,
}

impl Page {
    fn of(at: (String, Client), token: &str) -> Self {
        Self { base: at.0, http: at.1, token: token.to_owned() }
    }

    fn call(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let call = self.http.request(method, format!("{}{path}", self.base));
        call.bearer_auth(&self.token).header("tus-resumable", "1.0.0")
    }

    fn begin(&self, parent: &str, size: usize, bytes: &[u8]) -> RequestBuilder {
        let sha256 = hex::encode(digest(&SHA256, bytes));
        let pairs =
            [("parent", parent), ("kind", "green_card"), ("filename", "card.png"), ("sha256", &sha256)];
        let pairs = pairs.map(|(key, value)| format!("{key} {}", STANDARD.encode(value)));
        self.call("POST", "/uploads").header("upload-length", size).header("upload-metadata", pairs.join(","))
    }

    /// Announces a file; gives its path.
    async fn begun(&self, parent: &str, bytes: &[u8]) -> String {
        let answer = self.begin(parent, bytes.len(), bytes).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        text(answer.headers(), "location").to_owned()
    }

    fn patch(&self, path: &str, offset: usize, body: impl Into<Body>) -> RequestBuilder {
        let call = self.call("PATCH", path).header("upload-offset", offset).body(body.into());
        call.header("content-type", "application/offset+octet-stream")
    }

    async fn send(&self, path: &str, offset: usize, body: impl Into<Body>) -> Response {
        self.patch(path, offset, body).send().await.unwrap()
    }

    async fn head(&self, path: &str) -> Response {
        self.call("HEAD", path).send().await.unwrap()
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).unwrap_or_else(|| panic!("no {name} in {headers:?}")).to_str().unwrap()
}

fn offset(answer: &Response) -> usize {
    text(answer.headers(), "upload-offset").parse().unwrap()
}

/// The number and the body of a refusal.
async fn refused(answer: Response) -> (u16, Value) {
    assert_eq!(text(answer.headers(), "tus-resumable"), "1.0.0");
    assert_eq!(text(answer.headers(), "content-type"), "application/problem+json");
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_goes_on_after_a_cut_at_another_node_and_the_file_is_evidence() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    let phone = Page::of(world.http(None), &ana.token);
    let card = files::sized(6 * 1024 * 1024, 31);
    let path = phone.begun(&draft, &card).await;

    let head = phone.head(&path).await;
    assert_eq!((head.status(), offset(&head)), (StatusCode::OK, 0));
    assert_eq!(text(head.headers(), "upload-length"), card.len().to_string());
    assert_eq!(text(head.headers(), "cache-control"), "no-store");
    assert!(text(head.headers(), "upload-expires").ends_with(" GMT"));

    // A whole part, then a body that breaks off.
    let first = 100_000;
    let sent = phone.send(&path, 0, card[..first].to_vec()).await;
    assert_eq!((sent.status(), offset(&sent)), (StatusCode::NO_CONTENT, first));
    let (rest, cut) = (card[first..first + 3_000_000].to_vec(), std::io::Error::other("the line is cut"));
    let broken = futures::stream::iter([Ok(rest), Err(cut)]);
    phone.patch(&path, first, Body::wrap_stream(broken)).send().await.unwrap_err();

    // Whoever looks takes the next turn, and no byte comes after that by the old one.
    let second = world.second_node().await;
    let laptop = Page::of(world.http(Some(&second)), &ana.token);
    let here = offset(&laptop.head(&path).await);
    assert!((first..=first + 3_000_000).contains(&here), "{here}");
    let (number, problem) = refused(laptop.send(&path, here + 1, card[here + 1..].to_vec()).await).await;
    assert_eq!((number, &problem["reason"]), (409, &Value::from("OFFSET_DIFFERS")), "{problem}");
    assert_eq!(problem["facts"]["offset"], here.to_string());

    let done = laptop.send(&path, here, card[here..].to_vec()).await;
    assert_eq!((done.status(), offset(&done)), (StatusCode::NO_CONTENT, card.len()));
    let evidence = text(done.headers(), "docket-evidence").to_owned();
    assert!(evidence.starts_with(&draft), "{evidence}");
    let (_, bytes) = ana.download(&evidence).await.unwrap();
    assert!(bytes == card, "the bytes are the same");

    // The answer was lost; the phone asks where it stands.
    let head = phone.head(&path).await;
    assert_eq!((head.status(), offset(&head)), (StatusCode::OK, card.len()));
    assert_eq!(text(head.headers(), "docket-evidence"), evidence);
    assert_eq!(world.objects(), 1, "the parts are gone, and there is one file");
    second.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_last_byte_finds_out_is_told_and_a_scanner_that_is_away_is_not_waited_for() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    let page = Page::of(world.http(None), &ana.token);

    let infected = files::infected();
    let path = page.begun(&draft, &infected).await;
    let (number, problem) = refused(page.send(&path, 0, infected).await).await;
    assert_eq!((number, &problem["reason"]), (400, &Value::from("MALWARE_FOUND")), "{problem}");
    assert!(problem["way_out"].as_str().is_some_and(|way| way.contains("photograph")), "{problem}");
    assert_eq!(page.head(&path).await.status(), StatusCode::NOT_FOUND);

    let card = files::picture(32);
    let path = page.begun(&draft, &card).await;
    world.break_scanner("error").await;
    let answer = page.send(&path, 0, card.clone()).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let attached = text(answer.headers(), "docket-evidence").to_owned();
    assert!(ana.get(&draft).await.unwrap().evidence[0].being_checked);
    let head = page.head(&path).await;
    assert_eq!(text(head.headers(), "docket-evidence"), attached, "nothing needs to be sent again");
    world.break_scanner("works").await;
    ana.until_scanned(&draft).await;
    assert!(ana.download(&attached).await.unwrap().1 == card);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_wrong_or_somebody_elses_is_refused_in_the_words_of_http() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let eve = world.person("Eve", "Ito");
    let draft = ana.start("N-400").await.unwrap().name;
    let (page, stranger) = (Page::of(world.http(None), &ana.token), Page::of(world.http(None), &eve.token));
    let card = files::picture(33);

    let huge = page.begin(&draft, 13 * 1024 * 1024, &card).send().await.unwrap();
    assert_eq!(refused(huge).await.0, 413);
    let nameless = page.call("POST", "/uploads").header("upload-length", 5).send().await.unwrap();
    let (number, problem) = refused(nameless).await;
    assert_eq!((number, &problem["reason"]), (400, &Value::from("FIELDS_INVALID")), "{problem}");
    let fields: Vec<_> = problem["fields"].as_array().unwrap().iter().map(|fault| &fault["field"]).collect();
    assert_eq!(fields, ["parent", "file_name", "kind"]);
    let spanish = page.call("POST", "/uploads").header("upload-length", 5).header("accept-language", "es-MX");
    let (_, said) = refused(spanish.send().await.unwrap()).await;
    assert_eq!(said["fields"][2]["reason"], "KIND_MISSING");
    let words = [&said, &problem].map(|told| told["fields"][2]["message"].as_str().unwrap());
    assert!(words[0].contains("green_card") && words[0] != words[1], "{words:?}");
    let deferred = page.call("POST", "/uploads").header("upload-defer-length", 1).send().await.unwrap();
    assert_eq!(refused(deferred).await.1["reason"], "NUMBER_MALFORMED");
    assert_eq!(refused(stranger.begin(&draft, card.len(), &card).send().await.unwrap()).await.0, 404);

    let path = page.begun(&draft, &card).await;
    for method in ["HEAD", "DELETE"] {
        let answer = stranger.call(method, &path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{method}");
    }
    assert_eq!(refused(stranger.send(&path, 0, card.clone()).await).await.0, 404);
    let nobody = Page { token: "x".into(), ..Page::of(world.http(None), "") };
    assert_eq!(refused(nobody.send(&path, 0, card.clone()).await).await.0, 401);

    let typed = page.call("PATCH", &path).header("upload-offset", 0).body(card.clone()).send().await.unwrap();
    assert_eq!(refused(typed).await.0, 415);
    let version =
        page.http.patch(format!("{}{path}", page.base)).bearer_auth(&page.token).send().await.unwrap();
    assert_eq!(version.status(), StatusCode::PRECONDITION_FAILED);
    assert_eq!(text(version.headers(), "tus-version"), "1.0.0");
    let more = [&card[..], b"more"].concat();
    assert_eq!(refused(page.send(&path, 0, more).await).await.1["reason"], "MORE_THAN_ANNOUNCED");
    assert_eq!(page.call("DELETE", &path).send().await.unwrap().status(), StatusCode::NO_CONTENT);

    // A caller without PATCH and DELETE.
    let path = page.begun(&draft, &card).await;
    let half = page.call("POST", &path).header("x-http-method-override", "PATCH").header("upload-offset", 0);
    let half = half.header("content-type", "application/offset+octet-stream").body(card[..9].to_vec());
    assert_eq!(offset(&half.send().await.unwrap()), 9);
    let gone = page.call("POST", &path).header("x-http-method-override", "DELETE").send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    assert_eq!(page.head(&path).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(world.objects(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_told_what_is_spoken_and_only_the_portals_page_may_call() {
    let world = World::start().await;
    let (base, http) = world.http(None);
    let ask = |origin: &'static str| {
        let call = http.request(Method::OPTIONS, format!("{base}/uploads")).header("origin", origin);
        call.header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,tus-resumable,upload-metadata")
    };
    let spoken = http.request(Method::OPTIONS, format!("{base}/uploads")).send().await.unwrap();
    assert_eq!(spoken.status(), StatusCode::NO_CONTENT);
    assert_eq!(text(spoken.headers(), "tus-version"), "1.0.0");
    assert_eq!(text(spoken.headers(), "tus-extension"), "creation,expiration,termination");
    assert_eq!(text(spoken.headers(), "tus-max-size"), "12582912");

    let allowed = ask(PORTAL).send().await.unwrap();
    assert!(allowed.status().is_success());
    assert_eq!(text(allowed.headers(), "access-control-allow-origin"), PORTAL);
    assert!(text(allowed.headers(), "access-control-allow-headers").contains("upload-metadata"));
    let other = ask("https://elsewhere.example").send().await.unwrap();
    assert!(!other.headers().contains_key("access-control-allow-origin"));
    let answered =
        http.post(format!("{base}/uploads")).header("origin", PORTAL).header("tus-resumable", "1.0.0");
    let answered = answered.header("upload-length", 1).send().await.unwrap();
    assert!(text(answered.headers(), "access-control-expose-headers").contains("docket-evidence"));
}
