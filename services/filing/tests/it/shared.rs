//! Answers given once serve all: what a form that joins a package takes over from the others there, and what differs later.

use docket_proto::filing::v1 as pb;
use serde_json::{Value, json};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::client::Client;
use crate::world::World;

/// What a petitioner answers of himself and of his wife.
pub(crate) fn petition() -> Value {
    json!({
        "relationship": "spouse", "pet_family_name": "Souza", "pet_given_name": "Rui", "pet_dob": "1984-11-02",
        "ben_family_name": "Lima", "ben_given_name": "Ana Lúcia", "ben_dob": "1990-01-31", "ben_a_number": "A212345678",
        "ben_physical": {
            "line1": "4 Fictitious Row", "city": "Albany", "state": "NY", "postal_code": "12207", "country": "US"
        },
        "used_interpreter": false, "reads_english": "i_read_it", "declares_true": true
    })
}

/// The answers of a filing, which came with them.
pub(crate) fn answers(filing: &pb::Filing) -> Value {
    serde_json::from_str(&filing.answers_json).unwrap()
}

impl Client {
    /// Begins a form in the package of another filing.
    pub(crate) async fn begin_with(
        &self,
        request_id: Uuid,
        form: &str,
        with: &pb::Filing,
    ) -> Result<pb::Filing, Status> {
        self.begin(pb::StartDraftRequest {
            request_id: request_id.to_string(),
            form: form.into(),
            package: format!("packages/{}", with.package_id),
            ..Default::default()
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_of_a_person_once_is_taken_over_in_the_package_and_nowhere_else() {
    let world = World::start().await;
    let rui = world.person("Rui", "Souza");
    let petitioned = rui.start("I-130").await.unwrap();
    rui.answer(&petitioned.name, &petition()).await.unwrap();

    let command = Uuid::now_v7();
    let applied = rui.begin_with(command, "I-485", &petitioned).await.unwrap();
    let taken = json!({
        "app_family_name": "Lima", "app_given_name": "Ana Lúcia", "app_dob": "1990-01-31", "app_a_number": "A212345678",
        "app_physical": petition()["ben_physical"]
    });
    assert_eq!(answers(&applied), taken, "of her all, of him and of the signature nothing");
    assert_eq!(applied.etag, 2, "taken over as it was begun");
    assert!(!applied.missing.iter().any(|missing| missing.field == "app_dob"));
    let again = rui.begin_with(command, "I-485", &petitioned).await.unwrap();
    assert_eq!((&again.name, again.etag), (&applied.name, 2), "one command, done once");
    // A second petition is for somebody else; the petitioner is the same.
    let second = answers(&rui.begin_with(Uuid::now_v7(), "I-130", &petitioned).await.unwrap());
    assert_eq!((&second["pet_dob"], &second["ben_dob"]), (&json!("1984-11-02"), &Value::Null));

    assert_eq!(answers(&rui.start("I-485").await.unwrap()), json!({}), "by itself it begins empty");
    let eve = world.person("Eve", "Stone");
    let theirs = eve.begin_with(Uuid::now_v7(), "I-485", &petitioned).await.unwrap_err();
    assert_eq!(theirs.code(), Code::NotFound);
    world.expect_nothing_personal_in_the_clear(&["Fictitious Row", "1990-01-31"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_later_changes_no_other_form_and_is_told_there() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let differs = |filing: &pb::Filing| -> Vec<(String, String)> {
        let findings = filing.findings.iter().filter(|finding| finding.rule == "package-differs");
        findings.map(|finding| (finding.level.clone(), finding.field.clone())).collect()
    };
    let residence = ana.start("I-485").await.unwrap();
    let answered =
        json!({ "app_family_name": "Lima", "app_given_name": "Ana Lúcia", "app_dob": "1990-01-31" });
    ana.answer(&residence.name, &answered).await.unwrap();
    let work = ana.begin_with(Uuid::now_v7(), "I-765", &residence).await.unwrap();
    assert_eq!((answers(&work), differs(&work)), (answered, Vec::new()));

    let corrected = ana.answer(&residence.name, &json!({ "app_dob": "1990-01-13" })).await.unwrap();
    let told = vec![("warn".to_owned(), "app_dob".to_owned())];
    assert_eq!(differs(&corrected), told);
    let work = ana.get_in(&work.name, "es").await.unwrap();
    assert_eq!((answers(&work)["app_dob"].as_str(), differs(&work)), (Some("1990-01-31"), told));
    assert!(
        work.findings
            .iter()
            .any(|finding| finding.message.starts_with("El Formulario I-485 de este paquete"))
    );
    // The newest answer serves the next form.
    let travel = ana.begin_with(Uuid::now_v7(), "I-131", &residence).await.unwrap();
    assert_eq!(answers(&travel)["app_dob"], "1990-01-13");
    let work = ana.answer(&work.name, &json!({ "app_dob": "1990-01-13" })).await.unwrap();
    assert!(differs(&work).is_empty());
}
