//! Objects in a bucket of a real server of S3: the same as on a disk, from any node; and a store that is away proves nothing.

use docket_service::{ApiError, Base, Environment, ObjectsConfig, Proof, ServiceConfig};
use docket_testkit::TestBucket;
use docket_vault::Subject;
use uuid::Uuid;

use crate::bench::{Place, options};

const MIB: usize = 1024 * 1024;

fn config(bucket: &TestBucket) -> ObjectsConfig {
    ObjectsConfig {
        bucket: TestBucket::NAME.to_owned(),
        prefix: "payments".to_owned(),
        region: "us-east-1".to_owned(),
        endpoint: Some(bucket.endpoint()),
        ca_file: None,
        credentials_file: Some(bucket.credentials_file()),
        profile: "default".to_owned(),
    }
}

async fn proof(base: &Base, subject: &Subject, name: &str) -> Result<(Proof, usize), ApiError> {
    let mut bytes = 0;
    let proof = base.objects.prove(subject, name, &mut |piece| bytes += piece.len()).await?;
    Ok((proof, bytes))
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_lie_in_a_bucket_for_every_node_and_a_store_that_is_away_proves_nothing() {
    let (place, mut store) = (Place::new("payments").await, TestBucket::start());
    let config = ServiceConfig { objects: Some(config(&store)), ..place.config("payments").await };
    let (one, other) = {
        let other = ServiceConfig { data_dir: config.data_dir.join("other"), ..config.clone() };
        (Base::connect(&config, options()).await.unwrap(), Base::connect(&other, options()).await.unwrap())
    };
    let subject = Subject::filing(Uuid::from_u128(1));
    // In one piece, in parts, and around the edge of a part.
    let mut names = Vec::new();
    for size in [0, 1, 5 * MIB - 4_000, 5 * MIB, 12 * MIB] {
        let plain: Vec<u8> = (0..size).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
        let mut writer = one.objects.write(&subject).await.unwrap();
        for piece in plain.chunks(300_000) {
            writer.push(piece).await.unwrap();
        }
        let name = writer.finish().await.unwrap();
        let read = other.objects.get(&subject, &name).await.unwrap().unwrap();
        assert!(read == plain, "{size} bytes are others");
        assert_eq!(proof(&other, &subject, &name).await.unwrap(), (Proof::Whole, size));
        names.push(name);
    }
    let stranger = Subject::filing(Uuid::from_u128(2));
    assert_eq!(proof(&one, &stranger, &names[1]).await.unwrap().0, Proof::Altered);
    other.objects.delete(&names[0]).await.unwrap();
    other.objects.delete(&names[0]).await.unwrap();
    assert_eq!(proof(&one, &subject, &names[0]).await.unwrap().0, Proof::Missing);
    let given_up = one.objects.write(&subject).await.unwrap();
    given_up.abort().await.unwrap();

    // Neither a wrong secret nor a store that is away is taken for a file that is lost; a new secret is taken up at once.
    store.write_secret("another");
    assert!(matches!(proof(&one, &subject, &names[4]).await, Err(ApiError::Internal(_))));
    assert!(one.objects.put(&subject, b"plain").await.is_err());
    store.write_secret(TestBucket::SECRET);
    assert_eq!(proof(&one, &subject, &names[4]).await.unwrap(), (Proof::Whole, 12 * MIB));
    store.stop();
    assert!(matches!(proof(&one, &subject, &names[4]).await, Err(ApiError::Internal(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_without_tls_is_refused_in_production() {
    let place = Place::new("payments").await;
    let objects = ObjectsConfig {
        bucket: TestBucket::NAME.to_owned(),
        prefix: String::new(),
        region: "us-east-1".to_owned(),
        endpoint: Some("http://127.0.0.1:8333".to_owned()),
        ca_file: None,
        credentials_file: None,
        profile: "default".to_owned(),
    };
    let config = place.config("payments").await;
    let config = ServiceConfig {
        objects: Some(objects),
        environment: Environment::Production,
        clock_offset_file: None,
        ..config
    };
    let refused = Base::connect(&config, options()).await.err().map(|error| format!("{error:#}"));
    assert!(refused.as_deref().is_some_and(|words| words.contains("objects.endpoint")), "{refused:?}");
}
